"""Early stopping, as a frozen value."""

from dataclasses import dataclass

from kilonet.checks import choice, number, whole


@dataclass(frozen=True)
class Stopping:
    """Early stopping: when a member stops, judged on the validation set.

    metric: "loss" (smaller is better) or "score" (larger is better). A member stops when `patience`
    epochs in a row were not better than the best one by more than `min_delta`; it then gets back
    the parameters of its best epoch.

    >>> Stopping(patience=3)
    Stopping(metric='loss', patience=3, min_delta=0.0)
    """

    metric: str = "loss"
    patience: int = 10
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        choice("Stopping's metric", self.metric, ("loss", "score"))
        object.__setattr__(self, "patience", whole("Stopping's patience", self.patience))
        object.__setattr__(self, "min_delta", number("Stopping's min_delta", self.min_delta, "[0, inf)"))
