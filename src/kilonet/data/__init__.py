"""Data from files: tables (CSV, Parquet, Arrow), image folders (MNIST's idx, CIFAR-10) and the digits.

>>> from kilonet.data import read, task_of
>>> digits = read("digits")
>>> digits.X.shape, task_of(digits.y).kind
((1797, 64), 'classification')
"""

from kilonet.data.reading import read
from kilonet.data.table import Table
from kilonet.data.task import Task, task_of

__all__ = ["Table", "Task", "read", "task_of"]
