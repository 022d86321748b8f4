"""What all pictures share: whose data they are, where they are drawn, and their titles."""

import textwrap
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from kilonet.checks import shown
from kilonet.errors import SettingError
from kilonet.evidence import SearchRecord
from kilonet.findings import Examination
from kilonet.plots.style import LARGE, inches, module

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.0, 4.0)  # inches
_LETTERS = 11.8  # of a title, in an inch
Source = TypeVar("Source")
Held = TypeVar("Held")


@dataclass(eq=False, kw_only=True)
class Picture(ABC, Generic[Source]):
    """A picture of a record: its data, its title and its text for those who do not see it.

    name: short and safe for files. title: what the picture shows, made from the numbers. alt: a sentence with the
    main numbers. After `plot`: title_, the title that was drawn; figure_; axes_, an array of all panels; ax_, the
    first of them.
    """

    name: ClassVar[str]
    _legend_rows: ClassVar[int] = 0  # between title and axes
    title: str
    alt: str
    title_: str = field(init=False, repr=False)
    figure_: "Figure" = field(init=False, repr=False)
    axes_: Any = field(init=False, repr=False)
    ax_: "Axes" = field(init=False, repr=False)

    @classmethod
    def from_record(cls, record: Source) -> Self:
        """The data of the picture, not yet drawn. Raises SettingError where the record has nothing of the kind."""
        lack = cls.lack(record)
        if lack:
            raise SettingError(f"{cls.__name__} has nothing to show: {lack}")
        return cls._made(record)

    @classmethod
    @abstractmethod
    def lack(cls, record: Source) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""

    @classmethod
    @abstractmethod
    def _made(cls, record: Source) -> Self:
        """The data of the picture."""

    @abstractmethod
    def _draw(self, axes: Any) -> None:
        """Draw the data on the panels, an array of the shape of `_panels`."""

    def _panels(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        return 1, 1

    def _grid(self) -> dict[str, Any]:
        """What panels share, as `Figure.subplots` takes it."""
        return {}

    def plot(self, ax: "Axes | None" = None, *, size: tuple[float, float] | None = None) -> Self:
        """Draw, on a new figure of pyplot or in the place of `ax`, and give the display itself.

        size: of a new figure, in inches. A picture of several panels takes the place of `ax`, which is hidden; such a
        place is best one of a figure with layout="constrained".
        """
        if ax is None:
            made = module("matplotlib.pyplot").figure(figsize=size or self._size(), layout="constrained")
            return self._on(made, made)
        figure: Any = ax.get_figure(root=True)
        if self._panels() == (1, 1):
            width = 1.15 * inches(ax)[0]  # a little more than theirs
            return self._finish(figure, np.array([[ax]]), textwrap.fill(self.title, max(24, int(_LETTERS * width))))
        ax.set_axis_off()
        return self._on(figure, ax.figure.add_subfigure(_place(ax), facecolor="none"))

    def save(self, file: Any, *, size: tuple[float, float] | None = None, dpi: float = 150, **kwargs: Any) -> None:
        """Write the picture to a file, or to what takes bytes, by a figure of its own: none stays open.

        size: in inches. kwargs: as for `Figure.savefig`, such as format="svg".
        """
        figure = module("matplotlib.figure").Figure(figsize=size or self._size(), layout="constrained")
        self._on(figure, figure)
        figure.savefig(file, dpi=dpi, **kwargs)

    def _size(self) -> tuple[float, float]:
        return SIZE

    def _margin(self) -> float:
        """Inches to the left of the axes, beyond the usual ones, that a title cannot take."""
        return 0.0

    def _beside(self) -> float:
        """Inches to the right of the axes that are needed where nobody makes room."""
        return 0.3

    def _on(self, figure: "Figure", container: Any) -> Self:
        """Draw on panels that fill a figure, or a part of it."""
        width, height = (side / figure.dpi for side in container.bbox.size)
        title = textwrap.fill(self.title, max(24, int(_LETTERS * (width - self._margin()))))
        room = {}
        if figure.get_layout_engine() is None:  # the user's own figure, where nobody makes room
            top = 1 - (0.5 + 0.2 * title.count("\n")) / height
            sides = {
                "left": min(0.3, 0.75 / width),
                "right": 1 - self._beside() / width,
                "bottom": min(0.4, 1 / height),
            }
            room = {"gridspec_kw": sides | {"top": top, "wspace": 0.35, "hspace": 0.3}}
        axes = container.subplots(*self._panels(), squeeze=False, **self._grid(), **room)
        if axes.size == 1:
            return self._finish(figure, axes, title)
        container.suptitle(title, x=0.015, ha="left", fontsize=LARGE)
        return self._finish(figure, axes)

    def _finish(self, figure: "Figure", axes: Any, title: str = "") -> Self:
        """Draw, with a title on the axes if there is one."""
        self.title_, self.figure_, self.axes_, self.ax_ = self.title, figure, axes, axes[0, 0]
        self._draw(axes)
        if title:
            self.ax_.set_title(title, loc="left", fontsize=LARGE, pad=6 + 15 * self._legend_rows)
        return self


@dataclass(eq=False, kw_only=True)
class Display(Picture[SearchRecord]):
    """A picture of a search; see `Picture`."""

    @classmethod
    def from_search(cls, search_or_record: Any, *, ax: "Axes | None" = None, **kwargs: Any) -> Self:
        """Draw a fitted ArchitectureSearch, or its record.

        ax: where to; None for a new figure. kwargs: as for `plot`. Raises SettingError where the record has
        nothing of the kind, for what is no search, and where matplotlib is not installed.
        """
        return cls.from_record(record_of(search_or_record)).plot(ax, **kwargs)


@dataclass(eq=False, kw_only=True)
class ExaminationDisplay(Picture[Examination]):
    """A picture of an examination of a network; see `Picture`."""

    @classmethod
    def from_examination(cls, examination: Any, *, ax: "Axes | None" = None, **kwargs: Any) -> Self:
        """Draw an examination, or that of a diagnosis; otherwise as `Display.from_search`."""
        return cls.from_record(examination_of(examination)).plot(ax, **kwargs)


def record_of(search_or_record: Any) -> SearchRecord:
    """The record of a fitted search, or the record itself. Raises SettingError for anything else."""
    needs = "a fitted ArchitectureSearch or a SearchRecord. Call fit first?"
    return _held("search_or_record", search_or_record, "record_", SearchRecord, needs)


def examination_of(examination: Any) -> Examination:
    """The examination of what `kn.diagnose` gives, or the examination itself. Raises SettingError for anything else."""
    needs = "a kn.Examination, or what kn.diagnose gives."
    return _held("examination", examination, "examination", Examination, needs)


def _held(label: str, given: Any, attribute: str, kind: type[Held], needs: str) -> Held:
    """What something holds, or is. Raises SettingError where it is of another kind."""
    found = getattr(given, attribute, given)
    if isinstance(found, kind):
        return found
    raise SettingError(f"{label} came as {shown(given)}; needs {needs}")


def _place(ax: "Axes") -> Any:
    """The place of axes in their figure's grid, or a grid in which it is where they lie.

    Without a layout engine matplotlib takes the place in a grid that lies in another one for a place in the figure.
    """
    figure: Any = ax.figure
    grid, own = module("matplotlib.gridspec").GridSpec, ax.get_subplotspec()
    if own is not None and (figure.get_layout_engine() is not None or isinstance(own.get_gridspec(), grid)):
        return own
    box = ax.get_position()
    sides = {"width_ratios": (box.x0, box.width, 1 - box.x1), "height_ratios": (1 - box.y1, box.height, box.y0)}
    return grid(3, 3, figure=figure, **sides)[1, 1]
