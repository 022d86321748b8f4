"""Pictures of a search: what is drawn is what the record holds, and titles say what the numbers say."""

import io
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

import kilonet as kn
from kilonet.evidence import ArchitectureRecord, CandidateRecord, SearchRecord
from kilonet.plots import Display, displays
from kilonet.plots.style import GREY, PALETTE, look

plt.switch_backend("Agg")

NAN = math.nan
TEN = [{"train": 80, "test": 20}] * 10
CLASSES = [kn.SeedSpreadDisplay, kn.RegularizationPathDisplay, kn.CapacityDisplay, kn.DepthDisplay,
           kn.LearningCurveDisplay, kn.RegionsDisplay, kn.ReliabilityDisplay, kn.ConfusionDisplay,
           kn.ResidualsDisplay, kn.CostDisplay]  # fmt: skip
NAMES = ["seed-spread", "regularization-path", "capacity", "depth", "learning-curve", "regions", "reliability",
         "confusion", "residuals", "cost"]  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    plt.close("all")


def table(mean: float, seen: int = 10, seeds: int = 2) -> list[list[float]]:
    """Losses (splits, seeds) around a mean: the first seed's are higher by 0.01, each split's higher than the last."""
    rows = [[mean + 0.01 + 0.001 * (split - 4.5), mean - 0.01 + 0.001 * (split - 4.5)] for split in range(seen)]
    return [row[:seeds] for row in rows] + [[NAN] * seeds] * (10 - seen)


def candidate(number: int, own: int, l2: float, mean: float, seen: int = 10) -> CandidateRecord:
    losses = table(mean, seen)
    if seen < 10:  # early rounds have the first seed alone
        losses = [[row[0], NAN] for row in losses]
    training = [[value / 2 for value in row] for row in losses]
    return CandidateRecord(number, f"{own}, λ={l2:g}", {"l2": l2}, own, losses, losses, training)


def architecture(number: int, text: str, hidden: list[int], size: int, best: int, **changes: Any) -> ArchitectureRecord:
    values = {
        "number": number, "text": text, "hidden": hidden, "activation": "relu", "n_parameters": size, "best": best,
        "loss": 0.5, "loss_low": 0.45, "loss_high": 0.6, "score": 0.9, "training_loss": 0.25, "seed_spread": 0.02,
        "difference": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0, "adjusted_p": 1.0, "verdict": "tie", "diverged": 0,
        "training_seconds": 0.002 * size, "microseconds_a_row": 0.001 * size,
    }  # fmt: skip
    return ArchitectureRecord(**(values | changes))


def record(**changes: Any) -> SearchRecord:
    """Three architectures: 16 relu is chosen, 64-64 relu is no better, no hidden layer is worse."""
    grid = [-1.0, 0.0, 1.0]
    left, right, top = [0, 1, 1] * 3, [0, 0, 1] * 3, [0, 0, 0, 0, 0, 0, 1, 1, 1]
    values: dict[str, Any] = {
        "task": "classification", "data": {}, "settings": {}, "splits": TEN, "test_to_train": 0.25,
        "metric": {"name": "loss", "loss": "cross_entropy", "unit": "nats", "score": "accuracy"},
        "candidates": (
            candidate(0, 0, 0.1, 0.8), candidate(1, 0, 0.001, 0.9, 2), candidate(2, 1, 0.01, 0.5),
            candidate(3, 1, 0.1, 0.7, 2), candidate(4, 1, 0.1, 0.3, 1), candidate(5, 2, 0.01, 0.52),
            candidate(6, 2, 0.001, 0.62, 5),
        ),
        "architectures": (
            architecture(0, "no hidden layer", [], 6, 0, loss=0.8, loss_low=0.65, loss_high=0.9, verdict="worse"),
            architecture(1, "16 relu", [16], 80, 2, verdict="best"),
            architecture(2, "64-64 relu", [64, 64], 4000, 5, loss=0.52, loss_low=0.44, loss_high=0.63),
        ),
        "chosen": 1, "reference": 1, "nested": None, "verdict": [], "notes": [], "reproduce": "",
        "baselines": [{"name": "most frequent class", "loss": 1.0, "score": 0.5}],
        "learning": [
            {"rows": 20.0, "loss": 0.9, "score": 0.6, "loss_std": 0.1, "score_std": 0.02},
            {"rows": 40.0, "loss": 0.7, "score": 0.7, "loss_std": 0.2, "score_std": 0.03},
            {"rows": 80.0, "loss": 0.5, "score": 0.8, "loss_std": 0.05, "score_std": 0.01},
        ],
        "predictions": {
            "classes": ["cat", "dog"], "confusion": [[90, 10], [2, 98]], "calibration_error": 0.0925,
            "reliability": [{"rows": 50, "confidence": 0.6, "accuracy": 0.78}, {"rows": 150, "confidence": 0.9,
                            "accuracy": 0.993}],
        },
        "regions": {
            "rows": ["16 relu", "64-64 relu"], "columns": [0.001, 0.01], "classes": ["cat", "dog"], "x": grid,
            "y": grid, "labels": [left, right, top, left], "points": [[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]],
            "point_classes": [0, 1, 1, 0], "misfits": [0.25, 0.5, 0.004, 0.0], "features": ["age", "dose"], "held": {},
            "others": {"medians": 0, "most_frequent": 0},
        },
    }  # fmt: skip
    return SearchRecord(**(values | changes))


def regression(true: list[Any], predicted: list[Any]) -> SearchRecord:
    pairs = [(a, b) for a, b in zip(true, predicted, strict=True) if a is not None]
    off = np.array([b - a for a, b in pairs])
    half, most = np.quantile(np.abs(off), [0.5, 0.9])
    errors = {"rows": len(off), "half": half, "most": most, "mean": off.mean(), "std": off.std(ddof=1)}
    return record(task="regression", predictions={"true": true, "predicted": predicted, "errors": errors}, regions=None)


def points(ax: Any, label: str) -> tuple[list[float], list[float]]:
    """What the line of a label draws."""
    (line,) = [line for line in ax.get_lines() if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def lines_of(ax: Any) -> list[list[float]]:
    return [list(line.get_ydata()) for line in ax.get_lines()]


def interval(container: Any) -> Any:
    """Ends of the error bars of a container (n, 2)."""
    return np.array([segment[:, 1] for segment in container[2][0].get_segments()])


# Which pictures there are.
def test_every_picture_that_the_record_has_something_for_comes_in_order() -> None:
    assert [found.name for found in displays(record())] == [name for name in NAMES if name != "residuals"]
    numbers = [found.name for found in displays(regression([1.0, 2.0], [1.0, 3.0]))]
    assert numbers == [name for name in NAMES if name not in ("regions", "reliability", "confusion")]


def test_pictures_without_numbers_are_left_out() -> None:
    assert "regions" not in [found.name for found in displays(record(regions=None))]
    gone = tuple(replace(own, loss=NAN, diverged=3, verdict="diverged") for own in record().architectures)
    lost = tuple(replace(own, losses=[[NAN, NAN]] * 10) for own in record().candidates)
    bare = record(architectures=gone, candidates=lost, learning=[], predictions={}, regions=None)
    assert displays(bare) == []


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_each_draws_a_fitted_search_and_a_record_alike(kind: type[Display]) -> None:
    given = regression([1.0, 2.0], [1.0, 3.0]) if kind is kn.ResidualsDisplay else record()
    by_record, by_search = kind.from_search(given), kind.from_search(SimpleNamespace(record_=given))
    assert by_record.title_ == by_search.title_ == by_record.title
    for one, other in zip(by_record.axes_.flat, by_search.axes_.flat, strict=True):
        np.testing.assert_equal(lines_of(one), lines_of(other))
    assert by_record.ax_ is by_record.axes_[0, 0]
    assert by_record.figure_ is by_record.ax_.get_figure(root=True)
    assert kind.name in NAMES


def test_a_search_itself_is_drawn() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    search = kn.ArchitectureSearch(
        hidden=[3], l2=[1e-3], rate=[0.01], seeds=1, cv=2, runs=200, extend=False, nested=False
    )
    with pytest.raises(kn.SettingError, match="needs a fitted ArchitectureSearch or a SearchRecord"):
        kn.DepthDisplay.from_search(search)
    display = kn.DepthDisplay.from_search(search.fit(X, X[:, 0] > 0), ax=Figure().subplots())
    assert display.loss == [own.loss for own in search.record_.architectures]
    again = SearchRecord.from_json(search.record_.to_json())
    assert [found.title for found in displays(again)] == [found.title for found in displays(search.record_)]


def test_what_has_nothing_of_the_kind_is_a_setting_error_that_says_why() -> None:
    with pytest.raises(kn.SettingError, match="RegionsDisplay has nothing to show: the data have no plane"):
        kn.RegionsDisplay.from_search(record(regions=None))
    with pytest.raises(kn.SettingError, match="ResidualsDisplay has nothing to show"):
        kn.ResidualsDisplay.from_search(record())
    with pytest.raises(kn.SettingError, match="came as 3"):
        kn.CostDisplay.from_search(3)


# What is drawn.
def test_seeds_are_averaged_over_splits_and_stand_beside_the_mean_and_its_interval() -> None:
    display = kn.SeedSpreadDisplay.from_search(record())
    seeds = lines_of(display.ax_)[:3]
    np.testing.assert_allclose(seeds, [[0.81, 0.79], [0.51, 0.49], [0.53, 0.51]], rtol=1e-12)
    others, chosen = display.ax_.containers
    assert list(others[0].get_ydata()) == [0.8, 0.52]
    assert list(chosen[0].get_ydata()) == [0.5]
    np.testing.assert_allclose(interval(others), [[0.65, 0.9], [0.44, 0.63]], rtol=1e-12)
    np.testing.assert_allclose(interval(chosen), [[0.45, 0.6]], rtol=1e-12)
    texts = display.ax_.get_xticklabels()
    assert [text.get_text().replace("\n", " ") for text in texts] == ["no hidden layer", "16 relu", "64-64 relu"]
    assert [text.get_fontweight() for text in texts] == ["normal", "bold", "normal"]
    assert display.title_.startswith(
        "One run cannot tell 16 relu from 64-64 relu: they differ by 0.02, seed luck is ±0.028"
    )


def test_seed_luck_that_is_smaller_than_the_difference_is_told_apart() -> None:
    given = record(architectures=tuple(replace(own, seed_spread=0.003) for own in record().architectures))
    title = kn.SeedSpreadDisplay.from_search(given).title_
    assert title == "Not seed luck: 16 relu leads 64-64 relu by 0.02, which a seed changes by ±0.0042"
    one = record(architectures=tuple(replace(own, seed_spread=NAN) for own in record().architectures))
    assert kn.SeedSpreadDisplay.from_search(one).title_.startswith("One seed each: 16 relu leads 64-64 relu by 0.02")


def test_the_path_is_measured_by_differences_on_shared_splits() -> None:
    display = kn.RegularizationPathDisplay.from_search(record())
    # First seeds stand 0.01 above the mean, and early splits below late ones: only differences on the same splits,
    # added to the architecture's own loss, are worth the plain 0.9 - 0.8, 0.7 - 0.5 and 0.62 - 0.52. At λ=0.1 of
    # 16 relu the candidate that saw two splits counts, though the one that saw a single split did better there.
    for text, x, y in (("no hidden layer", [0.001, 0.1], [0.9, 0.8]), ("16 relu", [0.01, 0.1], [0.5, 0.7]),
                       ("64-64 relu", [0.001, 0.01], [0.62, 0.52])):  # fmt: skip
        found = points(display.ax_, text)
        np.testing.assert_allclose(found, (x, y), rtol=1e-12)
    means = [np.nanmean(record().candidates[number].table("training_losses")[:, 0]) for number in (2, 3)]
    dashed = [line for line in display.ax_.get_lines() if line.is_dashed()]
    np.testing.assert_allclose(dashed[1].get_ydata(), means, rtol=1e-12)
    assert points(display.ax_, "chosen") == ([0.01], [0.5])
    # The title is about the choice: 0.7 - 0.5, by the two splits that λ=0.1 has seen.
    assert display.title_ == "16 relu is chosen with λ=0.01: it would lose 0.2 at λ=0.1 (one seed, 2 splits)"


def test_no_regularization_has_its_place_on_the_axis_of_logarithms() -> None:
    none = tuple(replace(own, params={"l2": 0.0 if own.params["l2"] == 0.001 else own.params["l2"]})
                 for own in record().candidates)  # fmt: skip
    display = kn.RegularizationPathDisplay.from_search(record(candidates=none))
    assert points(display.ax_, "64-64 relu")[0] == [0.001, 0.01]
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["0", "0.01", "0.1"]


def test_a_path_that_is_flat_is_said_to_be() -> None:
    flat = [replace(own, losses=table(0.5)) for own in record().candidates]
    title = kn.RegularizationPathDisplay.from_search(record(candidates=tuple(flat))).title_
    assert title == "16 relu hardly depends on λ: from 0.01 to 0.1 its loss changes by 0"


def test_a_path_is_told_from_the_chosen_strength_on_also_where_another_did_better() -> None:
    fresh = record().candidates
    stronger = replace(fresh[3], losses=table(0.4), origin="edge")  # λ=0.1, which beat the chosen λ=0.01 by 0.1
    weaker = replace(fresh[4], params={"l2": 0.001}, losses=table(0.8))
    display = kn.RegularizationPathDisplay.from_search(record(candidates=(*fresh[:3], stronger, weaker, *fresh[5:])))
    assert display.title_ == "16 relu is chosen with λ=0.01: it would lose 0.3 at λ=0.001 (one seed, 10 splits)"


def test_where_the_choice_has_one_strength_alone_the_path_of_the_largest_network_is_told() -> None:
    fresh = record().candidates
    single = tuple(replace(own, params={"l2": 0.01}) if own.architecture == 1 else own for own in fresh)
    title = kn.RegularizationPathDisplay.from_search(record(candidates=single)).title_
    assert title == "64-64 relu is best at λ=0.01: it would lose 0.1 at λ=0.001 (one seed, 5 splits)"


def test_capacity_shows_losses_intervals_training_and_what_is_simple() -> None:
    display = kn.CapacityDisplay.from_search(record())
    assert points(display.ax_, "16 relu") == ([80], [0.5])
    assert points(display.ax_, "64-64 relu") == ([4000], [0.52])
    assert points(display.ax_, "chosen") == ([80], [0.5])
    assert [list(own) for own in (line.get_xdata() for line in display.ax_.get_lines()[:3])] == [[6], [80], [4000]]
    assert lines_of(display.ax_)[:3] == [[0.25], [0.25], [0.25]]
    assert points(display.ax_, "single-layer network: 0.8")[1] == [0.8, 0.8]
    assert points(display.ax_, "most frequent class: 1")[1] == [1.0, 1.0]
    ends = [interval(container)[0] for container in display.ax_.containers]
    np.testing.assert_allclose(ends, [[0.65, 0.9], [0.45, 0.6], [0.44, 0.63]], rtol=1e-12)
    low, high = display.ax_.get_ylim()
    assert low < 0.25
    assert high > 1.0
    assert display.title_ == "64-64 relu is no better than 16 relu; a single-layer network loses 0.3"


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"chosen": 2},
         "64-64 relu leads, but 16 relu ties with 1/50 of the parameters; a single-layer network loses 0.28"),
        ({"architectures": (replace(record().architectures[0], verdict="tie"), *record().architectures[1:]),
          "chosen": 2},
         ("64-64 relu leads, but a single-layer network ties with 1/667 of the parameters, "
          "though the loss is 0.28 higher")),
        ({"splits": TEN[:3]}, "With 3 splits nothing can be told apart; 16 relu has the lowest loss, 0.5"),
        ({"architectures": (record().architectures[0], record().architectures[1],
                            replace(record().architectures[2], loss=0.49))},
         "64-64 relu is not measurably better than 16 relu; a single-layer network loses 0.3"),
        ({"architectures": (record().architectures[0], record().architectures[1],
                            replace(record().architectures[2], verdict="worse"))},
         "16 relu is the best; a single-layer network loses 0.3"),
    ],
)  # fmt: skip
def test_the_title_of_capacity_follows_the_verdicts(changes: dict[str, Any], title: str) -> None:
    assert kn.CapacityDisplay.from_search(record(**changes)).title_ == title


def test_a_baseline_far_above_is_named_and_does_not_flatten_the_rest() -> None:
    far = record(baselines=[{"name": "mean", "loss": 40.0, "score": 0.0}, {"name": "other", "loss": None}])
    display = kn.CapacityDisplay.from_search(far)
    assert points(display.ax_, "mean: 40, above")[1] == [40.0, 40.0]
    assert display.ax_.get_ylim()[1] < 1.0


def test_depth_has_a_mark_for_each_architecture_beside_its_number_of_layers() -> None:
    display = kn.DepthDisplay.from_search(record())
    for place, (text, loss) in enumerate((("no hidden layer", 0.8), ("16 relu", 0.5), ("64-64 relu", 0.52))):
        assert points(display.ax_, text) == ([place], [loss])
    ends = [interval(container)[0] for container in display.ax_.containers]
    np.testing.assert_allclose(ends, [[0.65, 0.9], [0.45, 0.6], [0.44, 0.63]], rtol=1e-12)
    assert points(display.ax_, "best of each depth") == ([0, 1, 2], [0.8, 0.5, 0.52])
    assert display.title_ == "One hidden layer is enough (no test tells 2 from it); a single-layer network loses 0.3"
    worse = tuple(replace(own, verdict="worse") if len(own.hidden) == 2 else own for own in record().architectures)
    title = kn.DepthDisplay.from_search(record(architectures=worse)).title_
    assert title == "One hidden layer is enough; a single-layer network loses 0.3; 2 hidden layers lose 0.02"


def test_depth_calls_nothing_enough_that_was_not_chosen_though_it_ties() -> None:
    none, one, two = record().architectures
    tied = (replace(none, verdict="tie"), one, two)
    title = kn.DepthDisplay.from_search(record(architectures=tied)).title_
    assert title.startswith("One hidden layer is chosen (no test tells 2 from it); ")
    assert title.endswith("; a single-layer network ties, though the loss is 0.3 higher")
    deep = record(architectures=(none, replace(one, verdict="tie", loss=0.505), replace(two, verdict="best", loss=0.5)),
                  chosen=2, reference=2)  # fmt: skip
    title = kn.DepthDisplay.from_search(deep).title_  # 0.005 of 0.5 is 1%, which is not worth a word
    assert title == "2 hidden layers are chosen; a single-layer network loses 0.3; one hidden layer ties"


def test_the_learning_curve_has_a_panel_for_the_loss_and_one_for_the_score() -> None:
    display = kn.LearningCurveDisplay.from_search(record())
    loss, score = display.axes_[0]
    assert [list(line) for line in loss.get_lines()[0].get_data()] == [[20, 40, 80], [0.9, 0.7, 0.5]]
    assert [list(line) for line in score.get_lines()[0].get_data()] == [[20, 40, 80], [0.6, 0.7, 0.8]]
    band = loss.collections[0].get_paths()[0].vertices
    for rows, low, high in ((20, 0.8, 1.0), (40, 0.5, 0.9), (80, 0.45, 0.55)):
        at = band[band[:, 0] == rows][:, 1]
        assert (at.min(), at.max()) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("losses", "std", "words"),
    [
        ((0.9, 0.5), 0.1, "More data would probably help: from 40 to 80 rows the loss fell by 0.4, more than splits"),
        ((0.9, 0.8), 0.2, "More data may help, but it is not sure: from 40 to 80 rows the loss fell by 0.1, less than"),
        ((0.5, 0.5), 0.2, "More data would hardly help: from 40 to 80 rows the loss did not fall"),
        ((0.9, 0.8), None, "More data may help: from 40 to 80 rows the loss fell by 0.1, on a single split"),
    ],
)
def test_whether_more_data_would_help_is_said_by_slope_and_spread(losses: Any, std: Any, words: str) -> None:
    learning = [{"rows": rows, "loss": loss, "score": 0.5, "loss_std": std, "score_std": std}
                for rows, loss in zip((30.0, 40.0, 80.0), (0.95, *losses), strict=True)]  # fmt: skip
    lost = {"rows": 20.0, "loss": None, "score": None, "loss_std": None, "score_std": None}
    display = kn.LearningCurveDisplay.from_search(record(learning=[lost, *learning]))
    assert display.title_.startswith(words)
    assert display.rows == [30.0, 40.0, 80.0]


def regions(**changes: Any) -> SearchRecord:
    return record(regions=dict(record().regions or {}) | changes)


def test_few_rows_say_nothing_of_more_data() -> None:
    few = record(data={"rows": 99})  # from 40 to 80 rows the loss fell by 0.2, and splits differ by 0.2
    title = kn.LearningCurveDisplay.from_search(few).title_
    assert title.startswith("Too few rows to see whether more would help: ")
    assert title.endswith(": from 40 to 80 rows the loss fell by 0.2, and splits differ by ±0.2")
    assert kn.LearningCurveDisplay.from_search(record(data={"rows": 100})).title_.startswith("More data may help")


def test_regions_have_a_panel_for_each_size_and_strength() -> None:
    display = kn.RegionsDisplay.from_search(record())
    assert display.axes_.shape == (2, 2)
    np.testing.assert_array_equal(display.axes_[1, 0].images[0].get_array(), [[0, 0, 0], [0, 0, 0], [1, 1, 1]])
    dots = [line.get_xydata().tolist() for line in display.axes_[0, 1].get_lines()]
    assert dots == [[[-1, 0], [0, 0]], [[1, 0], [1, 1]]]
    assert display.chosen == (0, 1)
    border = display.axes_[0, 0].collections[0].get_paths()[0].vertices
    np.testing.assert_array_equal(border[:, 0], -0.5)  # half way between the places of the two classes
    assert [text.get_text() for text in display.axes_[0, 1].texts] == ["chosen", "16\nrelu"]
    np.testing.assert_array_equal(display.misfits, [[0.25, 0.5], [0.004, 0.0]])
    # The border of "top" and of "left" crosses three pairs of neighbours.
    assert display.title_ == (
        "With λ=0.01 in place of 0.001 the border of 64-64 relu is as long, and it misfits 0% of the training rows in "
        "place of 0.4%"
    )
    assert display.alt == (
        f"{display.title_}. Across: age; up: dose. Training rows that a network tells wrong: 16 relu at λ=0.001 25.0%; "
        "16 relu at λ=0.01 50.0%; 64-64 relu at λ=0.001 0.4%; 64-64 relu at λ=0.01 0%."
    )


def test_the_axes_of_regions_are_named_and_numbered_at_the_outer_panels() -> None:
    name = "a column whose name is longer than an axis of the picture"
    display = kn.RegionsDisplay.from_search(regions(features=["cost in $^^$", name]))
    display.figure_.draw_without_rendering()  # a pair of $ would be mathematics, and wrong
    named = [[(ax.get_xlabel(), ax.get_ylabel()) for ax in row] for row in display.axes_]
    assert named == [[("", ""), ("", "")], [("cost in $^^$", "a column whose name is longer than an a…"), ("", "")]]
    # Between two columns, and between two rows, is where a panel ends.
    assert display.axes_[1, 0].xaxis.label.get_position()[0] == 1.0
    assert display.axes_[1, 0].yaxis.label.get_position()[1] == 1.0
    for (row, column), ax in np.ndenumerate(display.axes_):
        assert 2 <= len(ax.get_xticks()) <= 5
        shown = [any(label.get_visible() and label.get_text() for label in axis.get_ticklabels())
                 for axis in (ax.xaxis, ax.yaxis)]  # fmt: skip
        assert shown == [row == 1, column == 0]


def test_what_the_numbers_of_an_axis_are_multiplied_by_is_told_once() -> None:
    times = [1.7e9 + 3e7 * step for step in (0, 1, 2)]
    display = kn.RegionsDisplay.from_search(regions(x=times, y=[-2e4, 0.0, 2e4], points=[[1.72e9, 0.0]] * 4))
    assert display.axes_[1, 0].get_xlabel() == "age (×1e9)"
    assert display.axes_[1, 0].get_ylabel() == "dose"
    assert [text.get_text() for text in display.axes_[0, 0].get_yticklabels()] == ["−15,000", "0", "15,000"]
    assert not any(axis.get_offset_text().get_text() for ax in display.axes_.flat for axis in (ax.xaxis, ax.yaxis))


def test_a_single_panel_tells_its_strength_beside_it() -> None:
    first = {name: (record().regions or {})[name][:1] for name in ("rows", "columns", "labels", "misfits")}
    display = kn.RegionsDisplay.from_search(regions(**first))
    assert [text.get_text() for text in display.ax_.texts] == ["16\nrelu\nλ=0.001"]
    assert display.ax_.get_title() == ""  # the title stands at the left
    assert display.title_ == "16 relu misfits 25.0% of the training rows"


@pytest.mark.parametrize(
    ("medians", "most", "words"),
    [
        (1, 0, "; slice: the other column at its median"),
        (0, 1, "; slice: the other column at its most frequent value"),
        (1200, 0, "; slice: the other 1,200 columns at their medians"),
        (2, 1, "; slice: the other 3 columns at their medians or most frequent values"),
    ],
)
def test_a_slice_is_said_to_be_one(medians: int, most: int, words: str) -> None:
    display = kn.RegionsDisplay.from_search(regions(others={"medians": medians, "most_frequent": most}))
    assert display.others == medians + most
    assert display.title_.endswith("in place of 0.4%" + words)
    assert "Rows are drawn by these two columns alone, whatever they hold in the others." in display.alt


def test_what_is_held_in_a_slice_is_told() -> None:
    held = {"height": 1.75, "city": "Rome", "member": True, "day": 20261.0}
    display = kn.RegionsDisplay.from_search(regions(held=held, others={"medians": 2, "most_frequent": 2}))
    assert "Held: height 1.75; city Rome; member True; day 20261. Rows" in display.alt


def test_a_region_that_was_not_trained_stays_empty() -> None:
    labels = [*(record().regions or {})["labels"][:3], [-1] * 9]
    given = regions(labels=labels, misfits=[0.25, 0.5, 0.004, NAN])
    for own in (given, SearchRecord.from_json(given.to_json())):
        display = kn.RegionsDisplay.from_search(own)
        assert np.ma.getmaskarray(display.axes_[1, 1].images[0].get_array()).all()
        assert display.title_ == "64-64 relu misfits 0.4% of the training rows"
        assert "64-64 relu at λ=0.01" not in display.alt
    assert kn.RegionsDisplay.from_search(regions(misfits=[NAN] * 4)).title_ == "64-64 relu has no regions"


def test_misfits_that_do_not_change_are_told_once() -> None:
    title = kn.RegionsDisplay.from_search(regions(misfits=[0.25, 0.5, 0.1, 0.1])).title_
    assert title.endswith("and it misfits 10.0% of the training rows either way")


def test_reliability_shows_bins_with_exact_intervals_and_their_rows() -> None:
    display = kn.ReliabilityDisplay.from_search(record())
    above, below = display.axes_[:, 0]
    (container,) = above.containers
    assert [list(values) for values in container[0].get_data()] == [[0.6, 0.9], [0.78, 0.993]]
    exact = stats.binomtest(39, 50).proportion_ci(0.95, method="exact")
    assert interval(container)[0] == pytest.approx((exact.low, exact.high))
    assert [bar.get_height() for bar in below.patches] == [50, 150]
    # Sure: (50 · 0.6 + 150 · 0.9) / 200; right: 39 and 149 of 200.
    assert display.title_ == "Under-confident: 82.5% sure, 94.0% right; ECE 0.092"


@pytest.mark.parametrize(("accuracy", "word"), [(0.6, "Over-confident"), (0.92, "Confidence fits, as far as 100 rows")])
def test_confidence_is_judged_by_what_chance_allows(accuracy: float, word: str) -> None:
    bins = [{"rows": 100, "confidence": 0.9, "accuracy": accuracy}]
    given = record(predictions={"reliability": bins, "calibration_error": abs(accuracy - 0.9)})
    assert kn.ReliabilityDisplay.from_search(given).title_.startswith(word)


def test_the_confusion_table_has_counts_with_the_true_class_in_rows() -> None:
    display = kn.ConfusionDisplay.from_search(record())
    found = {text.get_position(): text.get_text() for text in display.ax_.texts}
    assert found == {(0, 0): "90", (1, 0): "10", (0, 1): "2", (1, 1): "98"}
    np.testing.assert_allclose(display.ax_.images[0].get_array(), [[0.9, 0.1], [0.02, 0.98]], rtol=1e-12)
    assert display.title_ == "Cat is taken for dog most often: 10 of 100; 94.0% of 200 rows right"


def test_many_classes_have_colours_and_no_numbers() -> None:
    names = [f"a long name of class {i}" for i in range(40)]
    given = record(predictions={"classes": names, "confusion": np.diag(range(40)).tolist()})
    display = kn.ConfusionDisplay.from_search(given)
    assert not display.ax_.texts
    assert display.title_ == "No class is taken for another; 100% of 780 rows right"
    assert "class 0" not in display.alt  # of which no row was held out


def test_residuals_show_predicted_against_true_values() -> None:
    display = kn.ResidualsDisplay.from_search(regression([0.0, 1.0, 2.0, 3.0, None], [1.0, 2.0, 3.0, 5.0, 1.0]))
    assert points(display.ax_, "a held-out row") == ([0, 1, 2, 3], [1, 2, 3, 5])
    x, y = points(display.ax_, "predicted = true")
    assert x == y
    # Off by 1, 1, 1 and 2: the median is 1, nine tenths 1 + 0.7 · 1, the mean 1.25 with a standard error of 0.25.
    assert display.title_ == "Half of the rows are predicted within 1, 90% within 1.7; on average 1.2 too high"
    even = kn.ResidualsDisplay.from_search(regression([0.0, 1.0], [1.0, 0.0]))
    assert even.title_.endswith("on average neither too high nor too low")


def test_large_numbers_are_written_out() -> None:
    large = kn.ResidualsDisplay.from_search(regression([50_000.0, 700_000.0], [68_000.0, 718_000.0]))
    assert large.title_ == "Half of the rows are predicted within 18,000, 90% within 18,000; on average 18,000 too high"
    assert "True values go from 50,000 to 700,000" in large.alt
    large.figure_.canvas.draw()
    assert {"200,000", "600,000"} <= {text.get_text() for text in large.ax_.get_xticklabels()}


def test_cost_has_a_panel_for_each_price() -> None:
    display = kn.CostDisplay.from_search(record())
    sizes, seconds, rows = display.axes_[0]
    assert points(sizes, "64-64 relu") == ([4000], [0.52])
    assert points(seconds, "64-64 relu") == ([8.0], [0.52])
    assert points(rows, "64-64 relu") == ([4.0], [0.52])
    assert points(rows, "chosen") == ([0.08], [0.5])
    assert display.title_ == (
        "16 relu trains in 160 ms, predicts a row in 0.08 µs; 64-64 relu takes 50 × the time and is no better"
    )
    large = kn.CostDisplay.from_search(record(chosen=2))
    assert large.title_.endswith("16 relu ties in 1/50 of the time")


# What is missing.
def diverged() -> SearchRecord:
    """64-64 relu lost the second seed's run on the first split."""
    fresh = record()
    table_of = fresh.candidates[5].table()
    table_of[0, 1] = NAN
    lost = replace(fresh.candidates[5], losses=table_of.tolist())
    gone = replace(
        fresh.architectures[2], loss=NAN, loss_low=NAN, loss_high=NAN, score=NAN, training_loss=NAN, diverged=1,
        verdict="diverged", training_seconds=NAN, microseconds_a_row=NAN, seed_spread=NAN,
    )  # fmt: skip
    return record(
        architectures=(*fresh.architectures[:2], gone), candidates=(*fresh.candidates[:5], lost, fresh.candidates[6])
    )


def test_an_architecture_that_lost_a_run_is_named_and_has_no_mean() -> None:
    display = kn.SeedSpreadDisplay.from_search(diverged())
    assert len(lines_of(display.ax_)[2]) == 1  # the seed that finished everywhere
    assert [text.get_text() for text in display.ax_.texts] == ["1 run\ndiverged"]
    capacity = kn.CapacityDisplay.from_search(diverged())
    assert "64-64 relu (diverged)" in [text.get_text() for text in capacity.ax_.get_legend().get_texts()]
    assert capacity.title_ == "16 relu is the best; a single-layer network loses 0.3"


def test_what_is_not_finite_never_breaks_a_picture() -> None:
    single = {"loss_low": -math.inf, "loss_high": math.inf, "seed_spread": NAN, "training_seconds": NAN,
              "microseconds_a_row": NAN, "training_loss": NAN}  # fmt: skip
    bare = record(
        architectures=tuple(replace(own, **single) for own in record().architectures),  # type: ignore[arg-type]
        baselines=[{"name": "most frequent class", "loss": math.inf, "score": None}],
        splits=TEN[:1],
        candidates=tuple(replace(own, training_losses=[[NAN, NAN]] * 10) for own in record().candidates),
    )
    ends = [interval(container)[0] for container in kn.CapacityDisplay.from_search(bare).ax_.containers]
    np.testing.assert_array_equal(ends, [[0.8, 0.8], [0.5, 0.5], [0.52, 0.52]])  # no bars of an unknown length
    for given in (bare, diverged(), SearchRecord.from_json(diverged().to_json())):
        for display in displays(given):
            display.plot(Figure().subplots()).figure_.savefig(io.BytesIO(), dpi=20)
            assert "nan" not in display.title_


def test_losses_that_are_another_score_have_no_training_loss_beside_them() -> None:
    scored = record(metric={"name": "-roc_auc", "loss": "cross_entropy", "unit": "nats", "score": "roc_auc"})
    capacity = kn.CapacityDisplay.from_search(scored)
    assert np.isnan(capacity.training).all()
    assert capacity.ax_.get_ylabel() == "held-out −roc_auc (lower is better)"
    path = kn.RegularizationPathDisplay.from_search(scored)
    assert not any(np.isfinite(line.get_ydata()).any() for line in path.ax_.get_lines() if line.is_dashed())
    assert kn.LearningCurveDisplay.from_search(scored).axes_.shape == (1, 1)


# How it is drawn.
@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_a_picture_takes_the_place_of_given_axes(kind: type[Display], layout: Any) -> None:
    given = regression([1.0, 2.0], [1.0, 3.0]) if kind is kn.ResidualsDisplay else record()
    figure = Figure(figsize=(12, 4), layout=layout)
    left, right = figure.subplots(1, 2)
    display = kind.from_search(given, ax=left)
    figure.savefig(io.BytesIO(), dpi=30)
    assert display.figure_ is figure
    assert (display.ax_ is left) == (display.axes_.size == 1)
    assert not right.get_lines()
    assert all(ax.get_window_extent().x1 < right.get_window_extent().x0 for ax in display.axes_.flat)


@pytest.mark.parametrize("free", [True, False])
def test_axes_outside_of_a_grid_or_deep_inside_of_one_are_replaced_where_they_lie(free: bool) -> None:
    figure = Figure(figsize=(8, 6))
    deep = figure.add_gridspec(1, 2)[1].subgridspec(2, 1)[0]
    given = figure.add_axes((0.5, 0.5, 0.4, 0.4)) if free else figure.add_subplot(deep)
    display = kn.RegionsDisplay.from_search(record(), ax=given)
    left, top = display.axes_[0, 0].get_window_extent(), display.axes_[-1, -1].get_window_extent()
    assert left.x0 > 0.5 * figure.bbox.width
    assert top.y0 > 0.5 * figure.bbox.height


def test_titles_and_marks_lie_inside_the_figure() -> None:
    for display in displays(record()):
        display.plot()
        display.figure_.draw_without_rendering()
        tight, inches = display.figure_.get_tightbbox(), display.figure_.get_size_inches()
        assert tight.x0 >= -0.02, display.name
        assert tight.y0 >= -0.02, display.name
        assert tight.x1 <= inches[0] + 0.02, display.name
        assert tight.y1 <= inches[1] + 0.02, display.name


def test_nothing_of_the_users_is_changed() -> None:
    before, own = dict(mpl.rcParams), plt.figure()
    for display in displays(record())[::3]:
        display.save(io.BytesIO(), dpi=30)
    assert plt.get_fignums() == [own.number]
    kn.DepthDisplay.from_search(record(), size=(3, 2))
    assert plt.get_fignums() == [own.number, own.number + 1]
    assert tuple(plt.gcf().get_size_inches()) == (3, 2)
    assert dict(mpl.rcParams) == before


def test_pictures_need_no_matplotlib_until_they_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from kilonet import displays, DepthDisplay; import sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    made = displays(record())
    with pytest.raises(kn.SettingError, match=r'pip install "kilonet\[plots\]"'):
        made[0].plot()
    with pytest.raises(kn.SettingError, match=r'pip install "kilonet\[plots\]"'):
        made[0].save(io.BytesIO())


def test_texts_for_those_who_do_not_see_it_hold_the_main_numbers() -> None:
    found = {display.name: display.alt for display in displays(record())}
    assert "no hidden layer 0.8 (95% 0.65 to 0.9); 16 relu 0.5 (95% 0.45 to 0.6)" in found["seed-spread"]
    assert "64-64 relu 0.52 with 4,000 (training 0.25)" in found["capacity"]
    assert "0.9 with 20 rows; 0.7 with 40 rows; 0.5 with 80 rows" in found["learning-curve"]
    assert "cat 90 of 100; dog 98 of 100" in found["confusion"]
    for display in displays(record()):
        assert display.alt.startswith(display.title)
        assert display.alt.endswith(".")


def test_things_differ_by_marker_as_well_as_by_colour() -> None:
    looks = [tuple(look(place).values()) for place in range(42)]
    assert len(set(looks)) == 42
    assert len({marker for _, marker in looks[:7]}) == 7
    assert GREY not in PALETTE
