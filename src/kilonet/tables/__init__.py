"""Tables to numbers: TableEncoder and what it is made of."""

from kilonet.tables.encoder import TableEncoder

__all__ = ["TableEncoder"]
