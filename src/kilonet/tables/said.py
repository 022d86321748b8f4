"""What is said of a table's columns, to become warnings."""

from dataclasses import dataclass, field

from kilonet.errors import DataWarning, LeftOutWarning


@dataclass
class Said:
    """Warnings without their column's name, by its place and what happened there: each is said once a fit.

    What happened is "left out", "fit", "dates", "missing" or "unknown".
    """

    remarks: dict[tuple[int, str], tuple[str, int | None]] = field(default_factory=dict)

    def add(self, column: int, about: str, sentence: str, row: int | None = None) -> None:
        """Say `sentence` of a column; row is the one that it names."""
        self.remarks[column, about] = sentence, row

    def warning(self, key: tuple[int, str], name: str) -> DataWarning:
        """What is said there, of the column called `name`."""
        sentence, row = self.remarks[key]
        made = (LeftOutWarning if key[1] == "left out" else DataWarning)(f'column "{name}": {sentence}.')
        made.row, made.columns = row, (name,) if key[1] == "dates" else ()
        return made
