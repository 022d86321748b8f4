"""A search's evidence in the shape of scikit-learn's `cv_results_`, with a dimension of seeds beside."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kilonet.evidence import SearchRecord
from kilonet.search.candidates import Candidate


def cv_results(record: SearchRecord, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Arrays with an entry for each candidate; test scores are negated losses, or the scores that were asked for.

    A candidate that was left behind in an early round has no runs on the later splits: its means are those of the
    splits that it saw, and it is ranked behind those that saw more.
    """
    tables = [record.candidates[i].table() for i in range(len(candidates))]
    losses = np.stack(tables)
    params = [candidate.params for candidate in candidates]
    names = list(dict.fromkeys(name for own in params for name in own))
    found: dict[str, Any] = {f"param_{name}": _masked([own.get(name) for own in params]) for name in names}
    found["params"] = params
    with np.errstate(all="ignore"):
        splits = -_mean(losses, axis=2)
        for number in range(splits.shape[1]):
            found[f"split{number}_test_score"] = splits[:, number]
        found["mean_test_score"] = _mean(splits, axis=1)
        found["std_test_score"] = np.array([np.nanstd(own) if np.isfinite(own).any() else np.nan for own in splits])
    seen = np.isfinite(losses).sum(axis=(1, 2))
    order = np.lexsort((-np.nan_to_num(found["mean_test_score"], nan=-np.inf), -seen))
    ranks = np.empty(len(order), dtype=np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    found["rank_test_score"] = ranks
    found["losses"] = _tables(losses)
    found["scores"] = _tables([own.table("scores") for own in record.candidates])
    return found


def _tables(tables: Iterable[Any]) -> Any:
    """Arrays (splits, seeds) as cells of one column, which a data frame can hold."""
    each = list(tables)
    found = np.empty(len(each), dtype=object)
    for place, table in enumerate(each):
        found[place] = table
    return found


def _mean(values: Any, axis: int) -> Any:
    """The mean of what is there."""
    there = np.isfinite(values)
    counts = there.sum(axis=axis)
    return np.where(counts > 0, np.where(there, values, 0.0).sum(axis=axis) / np.maximum(counts, 1), np.nan)


def _masked(values: list[Any]) -> Any:
    data = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):  # a tuple is one value
        data[place] = value
    return np.ma.MaskedArray(data, mask=[value is None for value in values])
