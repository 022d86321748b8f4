"""The table of a search in a terminal, and what its columns mean."""

from __future__ import annotations

import math
import shutil
import sys

from kilonet.cli.console import Console, brief, number
from kilonet.cli.table import fitting
from kilonet.comparison import ENOUGH
from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import p_text, significant
from kilonet.telling import half_width, loss_name, number_of, plus_minus, rmse_of, rmse_of_mean, score_value

_SPARE = ("seeds ±", "settings", "parameters")  # columns that a narrow terminal does without, the first one first
_WIDE = 10**6  # characters: a file or another program takes lines of any length


def standings(record: SearchRecord) -> str:
    """Architectures, the best first, and what looks at no column."""
    with_rmse = math.isfinite(rmse_of(record, record.choice))
    head = ["", "network", "parameters", "settings", loss_name(record), record.metric["score"],
            *(["RMSE"] if with_rmse else []), "against the best", "p", "seeds ±"]  # fmt: skip
    shown = sorted(record.architectures, key=lambda own: (own.loss != own.loss, own.loss))
    rows = [_row(record, own, with_rmse) for own in shown]
    for base in record.baselines:
        off = [number(rmse_of_mean(record), 3)] if with_rmse else []
        rows.append([
            "", base["name"], "", "", number(number_of(base["loss"]), 3), score_value(record, number_of(base["score"])),
            *off, "", "", "",
        ])  # fmt: skip
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    return fitting(head, rows, width, [name for name in _SPARE if name in head])


def _row(record: SearchRecord, own: ArchitectureRecord, with_rmse: bool) -> list[str]:
    half = half_width(own)
    compared = own.verdict not in ("best", "diverged")
    likely = p_text(own.adjusted_p).removeprefix("p ").removeprefix("= ")
    return [
        "→" if own.number == record.chosen else "", own.text, f"{own.n_parameters:,}",
        record.candidates[own.best].settings, plus_minus(number(own.loss, 3), _uncertain(half), half),
        score_value(record, own.score), *([number(rmse_of(record, own), 3)] if with_rmse else []),
        f"{own.verdict}, +{significant(own.difference)}" if compared else own.verdict,
        likely if compared and len(record.splits) >= ENOUGH else "", _uncertain(own.seed_spread),
    ]  # fmt: skip


def _uncertain(value: float) -> str:
    return significant(value) if math.isfinite(value) else number(value)


def tell_columns(console: Console, record: SearchRecord) -> None:
    """What the columns are, for who sees them the first time."""
    console.say("network", "units of each hidden layer, and activation; without one it is a single-layer network")
    console.say("settings", "each network's own best of what was tried; λ is --l2")
    console.say(loss_name(record), "on held-out rows; lower is better; ± half its 95% interval")
    if math.isfinite(rmse_of(record, record.choice)):
        target = record.data.get("target")
        units = f"of {brief(target)}" if target else "of the target"
        console.say("RMSE", f"root mean squared error: how far off predictions are, in units {units}")
    console.say("against", "by how much the loss is higher; worse: more than luck explains; tie: luck may explain it")
    few = f"unknown: it takes {ENOUGH} splits"
    how = "how often luck alone would make such a difference, adjusted for all pairs; worse is below 0.05"
    console.say("p", how if len(record.splits) >= ENOUGH else few)
    console.say("seeds ±", "how much the random start moves the loss")
