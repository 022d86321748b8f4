"""Experiments as tests run them: small, and each once for all test files of a session."""

from functools import cache

from kilonet.measured import Measured
from kilonet.notes import Size, experiment


@cache
def measured(name: str) -> Measured:
    """What an experiment measures at the size of tests."""
    return experiment(name).run(Size(full=False))
