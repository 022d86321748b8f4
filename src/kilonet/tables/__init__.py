"""Tables to numbers: TableEncoder and what it is made of."""

from kilonet.tables.encoder import TableEncoder
from kilonet.tables.said import LeftOutWarning

__all__ = ["LeftOutWarning", "TableEncoder"]
