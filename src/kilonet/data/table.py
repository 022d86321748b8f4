"""Table: what every reader gives."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Table:
    """Rows to learn from, or to predict.

    X: a pyarrow table for files of columns, else a float32 array (n, n_features).
    y: the target (n,), as int64, float64, bool or texts (object); None when no target was asked for.
    feature_names: the names of X's columns. source: what was read, for messages. target: the target's name.
    test: X and y of a test set that came along (idx and CIFAR-10 folders), else None.
    """

    X: Any
    y: NDArray[Any] | None
    feature_names: tuple[str, ...]
    source: str
    target: str | None = None
    test: tuple[NDArray[Any], NDArray[Any]] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows, those of the test set not counted."""
        return int(self.X.shape[0])
