"""What one neuron likes: its output in the plane of its two inputs, and the line between its two sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import finite, shown
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.numerals import capital, count, significant
from kilonet.plots.base import Picture
from kilonet.plots.style import NORMAL, PALETTE, SMALL, Floats, ink, legend_below, look, module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = 121  # places along each side
_ROOM = 0.12  # of the rows' extent, around them
_AROUND = 3.0  # half of a side where no rows are given, unless the line lies farther out
_REACH = {"sigmoid": 0.5, "tanh": 1.0}  # how far outputs can be from that at the line


@runtime_checkable
class NeuronLike(Protocol):
    """What is drawn: a `kilonet.Neuron`, with weights (d,)."""

    weights: NDArray[Any]
    bias: float
    activation: Any

    def forward(self, inputs: Any) -> Any:
        """Outputs (n,) of inputs (n, d)."""

    def boundary(self) -> tuple[NDArray[Any], float]:
        """Where the score is 0: a normal (d,) of length 1, and the offset along it."""


class Scene(NamedTuple):
    """A neuron of two inputs, and rows (n, 2) of which y (n,) has the classes, or None."""

    neuron: NeuronLike
    X: Floats | None
    y: NDArray[Any] | None
    features: tuple[str, str]


@dataclass(eq=False, kw_only=True)
class NeuronDisplay(Picture[Scene]):
    """Outputs of a neuron in the plane of its two inputs, the line where its score is 0, and rows on both sides.

    A sigmoid neuron's output is 0.5 on the line. It likes one side, where the output is nearer to 1, and dislikes the
    other.

    unit: the activation. features: names of the inputs. x, y (g,): coordinates of the places. outputs (g, g): of each
    place, y first. line: its two ends in the picture (2, 2), None where it is elsewhere. points (n, 2): the rows.
    classes: two names, the second one that of positive scores, or none. point_classes (n,): places in classes. misfits:
    share of the rows that lie on the side of the other class, NaN without classes.
    """

    name: ClassVar[str] = "neuron"
    unit: str
    features: tuple[str, str]
    x: Floats
    y: Floats
    outputs: Floats
    middle: float
    line: Floats | None
    points: Floats
    classes: list[str]
    point_classes: NDArray[np.int64]
    misfits: float

    @classmethod
    def from_neuron(
        cls,
        neuron: Any,
        X: Any = None,
        y: Any = None,
        *,
        features: Sequence[str] = ("x0", "x1"),
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a `kilonet.Neuron` of two inputs.

        X (n, 2): rows to draw. y (n,): two classes of theirs, of which the second in sorted order is that of positive
        scores, as classifiers have it. features: names of the two inputs. ax: where to; None for a new figure.
        kwargs: as for `plot`. Raises SettingError where the neuron has another number of inputs or is none, and where
        matplotlib is not installed; ShapeError and DataError for rows that do not fit.

        >>> from kilonet.neuron import Neuron
        >>> from matplotlib.figure import Figure
        >>> display = NeuronDisplay.from_neuron(Neuron([2.0, -1.0], bias=0.5), ax=Figure().subplots())
        >>> display.title_
        'The neuron likes the side where 2·x0 − x1 + 0.5 > 0'
        """
        if not isinstance(neuron, NeuronLike):
            raise SettingError(f"neuron came as {shown(neuron)}; needs a kn.Neuron.")
        return cls.from_record(_scene(neuron, X, y, features)).plot(ax, **kwargs)

    @classmethod
    def lack(cls, record: Scene) -> str:
        """Why the neuron cannot be drawn so, in a sentence; empty where it can."""
        inputs = len(record.neuron.weights)
        return "" if inputs == 2 else f"it has {count(inputs, 'input')}; a plane has 2."

    @classmethod
    def _made(cls, record: Scene) -> Self:
        neuron, X = record.neuron, record.X
        line = None if not np.any(neuron.weights) else neuron.boundary()
        x, y = _sides(X, 0.0 if line is None else line[1])
        places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        known, of_rows = (np.array([]), None) if record.y is None else np.unique(record.y, return_inverse=True)
        classes = [str(name) for name in known.tolist()]
        points = np.empty((0, 2)) if X is None else X
        ends = None if line is None else _clipped(line, (x[0], y[0]), (x[-1], y[-1]))
        wrong = np.nan if of_rows is None else float(np.mean((_score(neuron, points) > 0) != of_rows))
        unit = str(neuron.activation)
        title = capital(_finding(record, places[len(places) // 2], ends is not None, classes, wrong))
        outputs = np.asarray(neuron.forward(places), dtype=np.float64).reshape(len(y), len(x))
        return cls(
            unit=unit, features=record.features, x=x, y=y, outputs=outputs,
            middle=float(neuron.activation.value(np.zeros(1))[0]), line=ends, points=points, classes=classes,
            point_classes=np.zeros(len(points), np.int64) if of_rows is None else of_rows.astype(np.int64),
            misfits=wrong, title=title,
            alt=f"{title}. Outputs of the {unit} neuron: {significant(outputs.min())} to {significant(outputs.max())}.",
        )  # fmt: skip

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        colors = module("matplotlib.colors").LinearSegmentedColormap.from_list("", [PALETTE[0], "#FFFFFF", PALETTE[1]])
        reach = _REACH.get(self.unit) or float(np.abs(self.outputs - self.middle).max()) or 1.0
        image = ax.imshow(
            self.outputs, origin="lower", extent=(self.x[0], self.x[-1], self.y[0], self.y[-1]), aspect="auto",
            cmap=colors, vmin=self.middle - reach, vmax=self.middle + reach, alpha=0.6,
        )  # fmt: skip
        bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
        bar.set_label(f"output ({self.unit})", fontsize=NORMAL)
        bar.ax.tick_params(labelsize=SMALL)
        if self.unit not in _REACH and np.ptp(self.outputs):
            bar.ax.set_ylim(self.outputs.min(), self.outputs.max())  # colours have two sides, outputs perhaps one
        if self.line is not None:
            label = f"output {self.middle:.3g} (score 0)"
            ax.plot(self.line[:, 0], self.line[:, 1], color=ink(), linewidth=1.6, label=label)
        for number, name in enumerate(self.classes or [""]):
            own = self.points[self.point_classes == number]
            shape = look(number) if self.classes else {"color": ink(), "marker": "o"}
            ax.plot(own[:, 0], own[:, 1], **shape, linestyle="none", markersize=4, markeredgewidth=0.4,
                    markeredgecolor="white", label=name)  # fmt: skip
        ax.set(xlim=(self.x[0], self.x[-1]), ylim=(self.y[0], self.y[-1]))
        ax.tick_params(labelsize=SMALL)
        ax.set_xlabel(self.features[0], fontsize=NORMAL, parse_math=False)
        ax.set_ylabel(self.features[1], fontsize=NORMAL, parse_math=False)
        if ax.get_legend_handles_labels()[0]:
            legend_below(ax)


def _scene(neuron: NeuronLike, X: Any, y: Any, features: Sequence[str]) -> Scene:
    """What is to be drawn, checked."""
    if len(features) != 2:
        raise SettingError(f"features came as {shown(features)}; needs the names of the 2 inputs.")
    if X is None and y is not None:
        raise ShapeError("y came without X; needs the rows that it has the classes of.")
    rows = None if X is None else np.asarray(X, dtype=np.float64)
    if rows is not None and (rows.ndim != 2 or rows.shape[1] != 2 or not len(rows)):
        raise ShapeError(f"X came with shape {rows.shape}; needs (n, 2), at least one row and a column for each input.")
    if rows is not None:
        finite("X", rows)
    labels = None if y is None else np.asarray(y)
    if rows is not None and labels is not None:
        if labels.shape != (len(rows),):
            raise ShapeError(f"y came with shape {labels.shape}; needs ({len(rows)},), a class for each row of X.")
        if len(np.unique(labels)) != 2:
            raise DataError(f"y has {count(len(np.unique(labels)), 'class', 'classes')}; a neuron tells two apart.")
    return Scene(neuron, rows, labels, (str(features[0]), str(features[1])))


def _score(neuron: NeuronLike, points: Floats) -> Floats:
    scores: Floats = points @ neuron.weights.astype(np.float64) + neuron.bias
    return scores


def _sides(X: Floats | None, offset: float) -> tuple[Floats, Floats]:
    """Coordinates of the places along both sides: around the rows, else around 0 and as far as the line."""
    if X is None:
        half = max(_AROUND, 1.5 * abs(offset)) if np.isfinite(offset) else _AROUND
        low, high = np.full(2, -half), np.full(2, half)
    else:
        low, high = X.min(axis=0), X.max(axis=0)
        room = _ROOM * (high - low)
        room[room == 0] = 1.0
        low, high = low - room, high + room
    x, y = np.linspace(low, high, _GRID).T
    return x, y


def _clipped(line: tuple[NDArray[Any], float], low: Any, high: Any) -> Floats | None:
    """The two ends (2, 2) of a line, given as its normal and offset, in a box; None where it does not go through it.

    >>> _clipped((np.array([1.0, 0.0]), 0.5), (0, 0), (1, 2)).tolist()
    [[0.5, 0.0], [0.5, 2.0]]
    >>> _clipped((np.array([0.6, 0.8]), 9.0), (0, 0), (1, 2)) is None
    True
    """
    normal, offset = line
    foot, along = offset * normal, np.array([-normal[1], normal[0]])
    start, end = -np.inf, np.inf
    for place, step, least, most in zip(foot, along, low, high, strict=True):
        if step == 0:
            if not least <= place <= most:
                return None
            continue
        near, far = sorted(((least - place) / step, (most - place) / step))
        start, end = max(start, near), min(end, far)
    return np.stack([foot + start * along, foot + end * along]) if start < end else None


def _finding(scene: Scene, middle: Floats, cut: bool, classes: list[str], wrong: float) -> str:
    """Which side the neuron is for; middle: a place of the picture, of which all is one side where no line cuts it."""
    neuron, unit = scene.neuron, str(scene.neuron.activation)
    positive = bool(_score(neuron, middle) > 0)
    side = f"where {_sum(neuron, scene.features)} > 0" if cut else "everywhere" if positive else "nowhere"
    if scene.X is not None and classes:
        right, rows = round((1 - wrong) * len(scene.X)), count(len(scene.X), "row")
        return f"the neuron tells {right:,} of {rows} right: it says {classes[1]} {side}"
    if unit != "sigmoid":
        return f"the score of the {unit} neuron is positive {side}{'' if cut else ' in this plane'}"
    if cut:
        return f"the neuron likes the side {side}"
    return f"the neuron likes {'everything' if positive else 'nothing'} of this plane: no line goes through it"


def _sum(neuron: NeuronLike, features: tuple[str, str]) -> str:
    """The score as a formula.

    >>> from kilonet.neuron import Neuron
    >>> _sum(Neuron([2.0, -1.0], bias=0.5), ("x0", "x1")), _sum(Neuron([0.0, -0.25]), ("x0", "x1"))
    ('2·x0 − x1 + 0.5', '−0.25·x1')
    """
    text = ""
    for weight, name in (*zip(neuron.weights.tolist(), features, strict=True), (neuron.bias, "")):
        if weight:
            size = significant(abs(weight), 3)
            sign = " − " if weight < 0 else " + "
            text += (sign if text else sign.strip(" +")) + (
                name if name and size == "1" else f"{size}·{name}".strip("·")
            )
    return text
