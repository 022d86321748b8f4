"""Which network, how much regularization, and is it luck: searches that give evidence."""

from kilonet.search.architecture import ArchitectureSearch

__all__ = ["ArchitectureSearch"]
