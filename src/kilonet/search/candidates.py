"""What a search tries: architectures, and settings that each of them is given."""

from dataclasses import dataclass, field
from typing import Any

TUNED = ("l2", "rate", "dropout", "input_noise")
"""Settings of which every architecture is given its own best ones."""


@dataclass(frozen=True)
class Architecture:
    """Hidden layers and the activation of those that bring none: a name, or an object of the user's own.

    activation_name: what tells it from the other activations of a grid. numbers: how it is given numbers, as pieces and
    bound of a `TableEncoder`; None for the estimator's own encoder.

    >>> Architecture((64, 20), "relu", numbers=(8, 3.0)).text, Architecture((), "relu").text
    ('64-20 relu, numbers in up to 8 pieces within ±3', 'no hidden layer')
    """

    hidden: tuple[Any, ...]
    activation: Any = field(compare=False, repr=False)  # an object of the user's own may have no hash
    activation_name: str = ""
    numbers: tuple[int, float | None] | None = None

    def __post_init__(self) -> None:
        """Without a name, the activation's own."""
        object.__setattr__(self, "activation_name", self.activation_name or name_of(self.activation))

    @property
    def text(self) -> str:
        """In a few words."""
        return ", ".join(self.parts)

    @property
    def parts(self) -> list[str]:
        """What it is made of, and how it is given numbers, in a few words each."""
        sizes = "-".join(str(layer) if isinstance(layer, int) else repr(layer) for layer in self.hidden)
        own = f"{sizes} {self.activation_name}" if self.hidden else "no hidden layer"
        return [own] if self.numbers is None else [own, f"numbers {_given(*self.numbers)}"]


@dataclass(frozen=True)
class Candidate:
    """An architecture with the rest of what is tried; tuned: one value for each of TUNED, None for the estimator's.

    >>> Candidate(Architecture((20,), "relu"), (0.01, None, None, None)).params
    {'hidden': (20,), 'activation': 'relu', 'l2': 0.01}
    """

    architecture: Architecture
    tuned: tuple[float | None, ...]
    origin: str = "grid"

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the estimator."""
        own = {name: value for name, value in zip(TUNED, self.tuned, strict=True) if value is not None}
        given = self.architecture.numbers
        encode = {} if given is None else dict(zip(("encode__pieces", "encode__bound"), given, strict=True))
        return {"hidden": self.architecture.hidden, "activation": self.architecture.activation} | encode | own

    @property
    def text(self) -> str:
        """In a few words."""
        return ", ".join(filter(None, (self.architecture.text, self.settings)))

    @property
    def settings(self) -> str:
        """What is tuned, in a few words; nothing where nothing is."""
        signs = {"l2": "λ=", "rate": "rate=", "dropout": "dropout=", "input_noise": "noise="}
        own = zip(TUNED, self.tuned, strict=True)
        return ", ".join(f"{signs[name]}{value:g}" for name, value in own if value is not None)

    def but(self, origin: str, **changes: float) -> "Candidate":
        """The same with other tuned settings."""
        own = dict(zip(TUNED, self.tuned, strict=True)) | changes
        return Candidate(self.architecture, tuple(own[name] for name in TUNED), origin)


def name_of(activation: Any) -> str:
    """What an activation is called: one of the user's own by its text, or by its kind where that holds an address."""
    text = str(activation)
    return type(activation).__name__ if " at 0x" in text else text.rpartition("<locals>.")[2]


def _given(pieces: int, bound: float | None) -> str:
    """How numbers are given to a network, in words."""
    within = "" if bound is None else f"within ±{bound:g}"
    return " ".join(filter(None, (f"in up to {pieces} pieces" if pieces else "", within))) or "as they are"
