"""An experiment: a claim, and how it is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kilonet.measured import Measured, Text

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """How large an experiment is: full for the gallery, or small for tests, where it still decides the claim.

    >>> Size(full=False).of(64, 16)
    16
    """

    full: bool = True

    def of(self, full: T, small: T) -> T:
        """The number for this size."""
        return full if self.full else small


@dataclass(frozen=True)
class Experiment:
    """One claim of the notes, and the function that measures it.

    name: in kebab-case, as `kilonet notes` takes it. rows: numbers of the mission's rows that it answers. title: a
    few words. claim: what the notes say, in our own words, one sentence. run: measures it at a size.
    """

    name: str
    rows: tuple[str, ...]
    title: Text
    claim: Text
    run: Callable[[Size], Measured]
