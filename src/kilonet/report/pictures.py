"""The displays of a record as SVG, where matplotlib is installed."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from kilonet.evidence import SearchRecord
from kilonet.report.blocks import Figure

# No date, no version: the same record gives the same bytes.
_NOTHING_ELSE = {"Date": None, "Creator": None, "Format": None, "Type": None}


def pictures(record: SearchRecord) -> list[Figure]:
    """Every display that the record has the numbers for; none without matplotlib."""
    if find_spec("matplotlib") is None:
        return []
    from kilonet.plots import displays  # noqa: PLC0415 - an extra

    return drawn(displays(record))


def drawn(displays: Sequence[Any]) -> list[Figure]:
    """Displays in matplotlib's own style. Titles stand below the pictures, not in them."""
    from matplotlib import rc_context, style  # noqa: PLC0415 - an extra

    found = []
    for display in displays:
        buffer = io.BytesIO()
        with (
            style.context("default"),
            rc_context({"svg.hashsalt": display.name, "svg.fonttype": "none"}),
            warnings.catch_warnings(),
        ):
            # Letters that matplotlib's font lacks: the browser has a font for them.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            replace(display, title="").save(buffer, format="svg", metadata=_NOTHING_ELSE)
        found.append(Figure(display.name, display.title, display.alt, buffer.getvalue().decode("utf-8")))
    return found
