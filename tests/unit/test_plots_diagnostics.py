"""Pictures of an examination: what is drawn is what it holds, and titles say what the numbers say."""

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from kilonet.diagnostics import diagnose as judged
from kilonet.errors import SettingError
from kilonet.findings import Examination, Histogram, LayerFacts
from kilonet.history import History
from kilonet.monitors import NAMES, OF_HIDDEN, width
from kilonet.numerals import times
from kilonet.plots import (
    ActivationsDisplay,
    DeadUnitsDisplay,
    FirstWeightsDisplay,
    GradientsDisplay,
    LayersDisplay,
    UpdateRatioDisplay,
    pictures_of,
)
from kilonet.plots.dead import _kinds, _sides
from kilonet.plots.weights import _neighbours

plt.switch_backend("Agg")

NAN = math.nan
CLASSES = [LayersDisplay, DeadUnitsDisplay, UpdateRatioDisplay, ActivationsDisplay, GradientsDisplay,
           FirstWeightsDisplay]  # fmt: skip
NAMED = ["layers", "dead-units", "update-ratio", "activations", "gradients", "first-weights"]


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    plt.close("all")


def histogram(*counts: int) -> Histogram:
    return Histogram(np.linspace(0, 1, len(counts) + 1).tolist(), list(counts))


def layer(number: int, unit: str = "relu", activity: Any = (0.0, 0.0, 0.5, 1.0), **changes: Any) -> LayerFacts:
    shares = np.asarray(activity, dtype=float)
    values: dict[str, Any] = {
        "number": number, "unit": unit, "units": len(shares), "activity": shares, "never_positive": 0.0,
        "saturated": NAN, "mean": 0.5, "deviation": 1.0, "gradient_norm": 0.2, "weight_norm": 2.0, "agreement": 0.6,
        "agreement_in_batch": 0.6, "outputs": histogram(5, 3, 2), "gradients": histogram(1, 8, 1),
        "weights": histogram(2, 2),
    }  # fmt: skip
    return LayerFacts(**(values | changes))


def history(epochs: int = 6, layers: int = 3, **monitors: Any) -> History:
    """Monitors (epochs, layers) by name, NaN for those that are not given."""
    table = np.full((epochs, layers, len(NAMES)), NAN, np.float32)
    for name, values in monitors.items():
        own = np.asarray(values, np.float32)
        table[:, : own.shape[1], NAMES.index(name)] = own
    rows = np.concatenate([np.full((epochs, 1), NAN, np.float32), table.reshape(epochs, -1)], axis=1)
    assert rows.shape[1] == width(layers)
    return History(*np.zeros((4, epochs)), rows)


DEAD = [[0.0, 0.0], [NAN, NAN], [0.25, 0.1], [NAN, NAN], [0.5, 0.2], [NAN, NAN]]
RATIOS = [[0.01, 0.02, 0.03], [0.004, 0.002, 0.003], *[[NAN] * 3] * 3, [0.002, 0.001, 0.0015]]
MAP = np.array([
    [0.30, 0.00, 0.005, 0.05],
    [0.20, 0.40, 0.005, 0.00],
    [0.00, 0.60, 0.200, 0.00],
    [0.00, 0.50, 0.200, 0.00],
])  # fmt: skip


def examination(**changes: Any) -> Examination:
    """Two hidden layers; half of the first one's four units are dead."""
    images = np.arange(4 * 9, dtype=float).reshape(4, 3, 3)
    values: dict[str, Any] = {
        "origin": "kilonet", "task": "classification", "settings": {},
        "layers": [layer(1, images=images), layer(2, activity=[0.0, *[0.9] * 9]), layer(3, "identity", [1.0] * 3)],
        "history": history(dead=DEAD, update_ratio=RATIOS),
    }  # fmt: skip
    return Examination(**(values | changes))


def with_layers(*layers: LayerFacts) -> Examination:
    return examination(layers=list(layers))


def test_every_picture_has_a_name_a_title_and_a_text() -> None:
    found = pictures_of(examination())
    assert [type(picture) for picture in found] == CLASSES
    assert [picture.name for picture in found] == NAMED
    for picture in found:
        assert picture.alt.startswith(picture.title)
        assert picture.alt.endswith(".")


@pytest.mark.parametrize("kind", CLASSES)
def test_pictures_are_made_in_scikit_learns_manner(kind: Any) -> None:
    axes = Figure(layout="constrained").subplots()
    display = kind.from_examination(examination(), ax=axes)
    assert display.title_ == display.title
    assert display.figure_ is axes.figure
    assert display.plot() is display
    with pytest.raises(SettingError, match="examination came as 3; needs"):
        kind.from_examination(3)


def everything() -> Iterator[Examination]:
    """Examinations of many shapes."""
    yield examination()
    yield examination(activity=([1, 2, 3, 4], [MAP, np.tile(MAP, 20)]))
    tanh = [layer(i, "tanh", [1.0] * 5, saturated=0.9, gradient_norm=10.0**-i, outputs=None) for i in range(1, 20)]
    own = history(1, 20, dead=np.zeros((1, 19)), update_ratio=np.full((1, 20), np.inf))
    yield examination(layers=[*tanh, layer(20, "identity", [1.0])], history=own)
    yield with_layers(layer(1, gradient_norm=0.0, activity=[0.0] * 200, images=np.zeros((64, 28, 28))),
                      layer(2, "identity", [1.0], gradient_norm=NAN))  # fmt: skip
    yield with_layers(layer(1, "identity", [1.0] * 3, images=np.random.default_rng(0).normal(size=(3, 24, 8))))
    deep = [np.tile(MAP, 3)] * 9
    yield examination(
        layers=[layer(i, outputs=None, gradients=None) for i in range(1, 11)], activity=([0, 1, 5, 9], deep)
    )


@pytest.mark.parametrize("found", list(everything()))
def test_at_600_pixels_no_text_leaves_the_picture(found: Examination) -> None:
    for picture in pictures_of(found):
        picture.plot().figure_.draw_without_rendering()
        assert picture.figure_.bbox.width == 600
        whole, drawer = picture.figure_.bbox, picture.figure_.canvas.get_renderer()  # type: ignore[attr-defined]
        titles = [text for ax in picture.axes_.flat for text in (ax.title, ax._left_title) if ax.axison]
        titles += picture.figure_.texts
        for text in titles:
            box = text.get_window_extent(drawer)
            assert box.x0 >= whole.x0 - 1, (picture.name, text)
            assert box.x1 <= whole.x1 + 1, (picture.name, text)
            assert box.y1 <= whole.y1 + 1, (picture.name, text)


def test_pictures_survive_a_dark_style_and_several_in_one_figure() -> None:
    with mpl.style.context("dark_background"):
        figure = plt.figure(figsize=(12, 12), layout="constrained")
        for place, picture in enumerate(pictures_of(examination()), 1):
            picture.plot(figure.add_subplot(3, 2, place))
        figure.draw_without_rendering()


def test_pictures_are_written_to_files() -> None:
    buffer = io.BytesIO()
    DeadUnitsDisplay.from_record(examination(activity=([1, 2, 3, 4], [MAP]))).save(buffer, dpi=100)
    assert buffer.getvalue().startswith(b"\x89PNG")
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        (LayersDisplay, {"layers": [layer(1, "identity")]}, "there is no hidden layer"),
        (DeadUnitsDisplay, {"history": history()}, "no epoch was watched in a hidden layer"),
        (UpdateRatioDisplay, {"history": history(dead=DEAD)}, "no epoch was watched"),
        (UpdateRatioDisplay, {"history": History(*np.zeros((4, 0)))}, "no epoch was watched"),
        (ActivationsDisplay, {"layers": [layer(1, outputs=None), layer(2)]}, "no hidden layer with a histogram"),
        (GradientsDisplay, {"layers": [layer(1, gradients=histogram(0, 0))]}, "no layer with a histogram"),
        (FirstWeightsDisplay, {"layers": [layer(1)]}, "the inputs are no images"),
    ],
)
def test_what_is_not_there_is_not_drawn(kind: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=f"{kind.__name__} has nothing to show: .*{words}"):
        kind.from_examination(examination(**changes))
    assert kind not in [type(picture) for picture in pictures_of(examination(**changes))]


def test_histograms_are_shares_of_each_layer() -> None:
    display = ActivationsDisplay.from_examination(examination())
    assert display.axes_.shape == (1, 2)  # hidden layers alone
    (step,) = display.axes_[0, 0].patches
    np.testing.assert_allclose(step.get_data().values, [0.5, 0.3, 0.2])
    assert [ax._left_title.get_text() for ax in display.axes_.flat] == ["layer 1, relu: 50.0% dead",
                                                                      "layer 2, relu: 10.0% dead"]  # fmt: skip
    gradients = GradientsDisplay.from_examination(examination())
    assert [ax._left_title.get_text() for ax in gradients.axes_.flat if ax.axison] == [
        f"layer {number}: norm 0.2" for number in (1, 2, 3)
    ]


def test_a_bar_that_dwarfs_the_others_is_cut_and_says_its_share() -> None:
    ax = ActivationsDisplay.from_examination(with_layers(layer(1, outputs=histogram(90, 6, 4)), layer(2))).ax_
    assert ax.get_ylim()[1] == pytest.approx(0.12)  # twice the second bar
    assert [text.get_text() for text in ax.texts] == ["90.0% ↑"]
    plain = ActivationsDisplay.from_examination(with_layers(layer(1, outputs=histogram(15, 6, 4)), layer(2))).ax_
    assert plain.get_ylim()[1] > 0.6
    assert not plain.texts


def test_where_tanh_is_saturated_is_shaded() -> None:
    facts = with_layers(layer(1, "tanh", [1.0] * 4, saturated=0.93), layer(2, "identity"))
    display = ActivationsDisplay.from_examination(facts)
    spans = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in display.ax_.patches[1:])
    assert [spans[0][1], spans[1][0]] == pytest.approx([-0.97, 0.97])
    assert display.title == "Layer 1: 93.0% of the tanh outputs are saturated"


@pytest.mark.parametrize(
    ("layers", "title"),
    [
        ([layer(1), layer(2, activity=[0.5])], "Layer 1: 2 of 4 relu units are dead"),
        ([layer(1, activity=[0.5])], "No dead unit in any layer"),
        ([layer(1, "tanh", [1.0], saturated=0.0)], "No dead unit in any layer, no saturated output"),
        ([layer(1, "tanh", [1.0], saturated=0.2), layer(2)], "Layer 2: 2 of 4 relu units are dead"),
        ([layer(1), layer(2, "sigmoid", [1.0], saturated=0.7)],
         "Layer 2: 70.0% of the sigmoid outputs are saturated"),
    ],
)  # fmt: skip
def test_the_title_names_the_layer_that_learns_least(layers: list[LayerFacts], title: str) -> None:
    assert ActivationsDisplay.from_record(with_layers(*layers, layer(9, "identity", [1.0]))).title == title


@pytest.mark.parametrize(
    ("norms", "title"),
    [
        ((0.1, 0.2), "The norm of the first layer's gradient is 0.5 × that of the last's"),
        ((0.01, 0.2), "The norm of the first layer's gradient is 1/20 of that of the last's"),
        ((1e-5, 0.2), f"The norm of the first layer's gradient is {times(5e-5)} that of the last's"),
        ((71.0, 1.0), "The norm of the first layer's gradient is 71 × that of the last's"),
        ((0.0, 0.2), "No gradient reaches layer 1"),
        ((0.1, NAN), "The gradient of layer 2 is no finite number"),
        ((0.3,), "The gradient of the only layer has norm 0.3"),
    ],
)
def test_the_title_says_what_arrives_in_the_first_layer(norms: tuple[float, ...], title: str) -> None:
    layers = [layer(number, gradient_norm=norm) for number, norm in enumerate(norms, 1)]
    assert GradientsDisplay.from_record(with_layers(*layers)).title == title


def test_of_many_layers_twelve_are_drawn() -> None:
    display = GradientsDisplay.from_record(with_layers(*[layer(number) for number in range(1, 31)]))
    assert len(display.histograms) == 12
    assert (display.headings[0], display.headings[-1]) == ("layer 1: norm 0.2", "layer 30: norm 0.2")


def test_layers_are_drawn_from_front_to_back() -> None:
    layers = [layer(1, gradient_norm=0.3, weight_norm=4.0), layer(2, "tanh", [1.0] * 2, saturated=0.25),
              layer(3, "identity", [1.0])]  # fmt: skip
    display = LayersDisplay.from_examination(with_layers(*layers))
    lines = {line.get_label(): list(line.get_ydata()) for line in display.ax_.get_lines()}
    assert lines == {"weights": [4.0, 2.0, 2.0], "gradient of the loss by the weights": [0.3, 0.2, 0.2]}
    heights = [[bar.get_height() for bar in group] for group in display.axes_[1, 0].containers]
    assert heights == [[0.5, 0.0, 0.0], [0.0, 0.25, 0.0]]


def test_dead_units_are_dark_rows_that_start_where_they_die() -> None:
    display = DeadUnitsDisplay.from_examination(examination(activity=([1, 2, 4, 8], [MAP])))
    (mesh,) = display.ax_.collections
    drawn = np.asarray(mesh.get_array()).reshape(4, 4)
    # The fourth unit dies in the second epoch, the first one in the third; the third lives less than the second,
    # which was dead in the beginning and came back.
    np.testing.assert_array_equal(drawn, [[2, 0, 0, 0], [3, 3, 0, 0], [1, 1, 3, 3], [0, 3, 4, 4]])
    assert np.count_nonzero(drawn == 0) == np.count_nonzero(MAP == 0)
    np.testing.assert_allclose(_sides([1, 2, 4, 8]), [0.5, 1.5, 3, 6, 10])
    low, high = (mesh.cmap(mesh.norm(kind))[:3] for kind in (0, 4))
    assert sum(low) < 0.3 < 2.5 < sum(high)
    assert display.title == "Layer 1: 2 of 4 units are dead, half of those by epoch 2"
    assert display.alt.endswith("Dead after epoch 8: layer 1 50.0%.")
    assert display.figure_.legends[0].get_texts()[0].get_text() == "dead: on no row"


def test_kinds_of_units_part_at_shares_of_rows() -> None:
    shares = np.array([[0.0, 1e-9, 0.0099, 0.01, 0.0999, 0.1, 0.4999, 0.5, 1.0]])
    np.testing.assert_array_equal(_kinds(shares), [[0, 1, 1, 2, 2, 3, 3, 4, 4]])


def test_a_map_without_dead_units_says_who_came_back() -> None:
    revived = np.array([[0.0, 0.5], [0.3, 0.5]])
    assert DeadUnitsDisplay.from_record(examination(activity=([1, 3], [revived]))).title == (
        "No unit is dead after 3 epochs; 1 unit came back"
    )


def test_without_a_map_the_shares_of_watched_epochs_are_joined() -> None:
    display = DeadUnitsDisplay.from_examination(examination())
    one, two = display.ax_.get_lines()[:2]
    assert (list(one.get_xdata()), list(two.get_xdata())) == ([1, 3, 5], [1, 3, 5])
    np.testing.assert_allclose(one.get_ydata(), [0, 0.25, 0.5])
    np.testing.assert_allclose(two.get_ydata(), [0, 0.1, 0.2], rtol=1e-6)  # histories keep float32
    assert display.title == "Layer 1: 50.0% of the units are dead, half of that by epoch 3"


def test_ratios_are_drawn_with_the_usual_one() -> None:
    display = UpdateRatioDisplay.from_examination(examination())
    lines = [line for line in display.ax_.get_lines() if str(line.get_label()).startswith("layer")]
    assert [list(line.get_xdata()) for line in lines] == [[1, 2, 6]] * 3
    np.testing.assert_allclose(lines[1].get_ydata(), [0.02, 0.002, 0.001], rtol=1e-6)  # histories keep float32
    assert [list(line.get_ydata()) for line in display.ax_.get_lines() if line not in lines] == [[1e-3, 1e-3]]
    assert [text.get_text() for text in display.ax_.texts] == ["0.1%, a rule\nof thumb"]
    assert display.ax_.get_yscale() == "log"
    assert display.title == "Steps change 1% to 3% of a layer's weights in epoch 1, 0.1% to 0.2% in epoch 6"


@pytest.mark.parametrize(
    ("ratios", "title"),
    [
        (
            [[0.01, 0.02], [0.001, 4.5]],
            "Steps change 1% to 2% of a layer's weights in epoch 1, 0.1% to 450% in epoch 2",
        ),
        ([[np.inf, 0.02], [0.001, 0.001]], "Steps change 2% to ∞% of a layer's weights in epoch 1, 0.1% in epoch 2"),
        ([[0.01, 2e-6]], "Steps change 0.0002% to 1% of a layer's weights in epoch 1"),
        (
            [[0.01, 0.02], [0.1, 4.5], [0.01, 0.01]],
            "Steps change 1% to 2% of a layer's weights in epoch 1, 1% in epoch 3; at most 450% in epoch 2, layer 2",
        ),
        ([[0.0, 0.01], [0.0, 0.01]], "Layer 1 stands still: steps change none of its weights"),
        ([[0.002, 0.002]], "Steps change 0.2% of a layer's weights in epoch 1"),
    ],
)
def test_the_title_tells_how_long_steps_are(ratios: Any, title: str) -> None:
    found = examination(history=history(len(ratios), 2, update_ratio=ratios))
    display = UpdateRatioDisplay.from_examination(found)
    assert display.title == title
    low, high = display.ax_.get_ylim()
    for line in display.ax_.get_lines():
        assert all(low <= value <= high for value in line.get_ydata())  # zero and infinity are seen at the edges


def test_images_stand_side_by_side_and_dead_units_are_crossed_out() -> None:
    display = FirstWeightsDisplay.from_examination(examination())
    shown = display.ax_.images[0].get_array()
    np.testing.assert_array_equal(display.units, [3, 2, 1, 0])  # by the size of their weights
    assert shown.shape == (7, 7)
    np.testing.assert_array_equal(shown[:3, :3], np.arange(27, 36).reshape(3, 3))
    np.testing.assert_array_equal(shown[4:, 4:], np.arange(9).reshape(3, 3))
    assert np.all(np.isnan(np.ma.filled(shown, np.nan)[3]))
    np.testing.assert_array_equal(display.dead, [False, False, True, True])
    crosses = [(list(line.get_xdata()), list(line.get_ydata())) for line in display.ax_.get_lines()]
    assert crosses == [([0, 2], [4, 6]), ([0, 2], [6, 4]), ([4, 6], [4, 6]), ([4, 6], [6, 4])]
    low, high = display.ax_.images[0].get_clim()
    assert low == -high
    assert display.ax_.get_xlabel() == "crossed out: dead"


def test_neighbours_tell_patterns_from_noise() -> None:
    random = np.random.default_rng(0).normal(size=(50, 12, 12))
    assert abs(_neighbours(random)) < 0.05  # 13,000 pairs: three standard errors are 0.026
    smooth = np.cumsum(np.cumsum(random, axis=1), axis=2)
    assert _neighbours(smooth) > 0.9
    board = np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1
    assert _neighbours(board[np.newaxis]) == pytest.approx(-1)
    facts = with_layers(layer(1, activity=[0.5] * 50, images=random))
    title = FirstWeightsDisplay.from_record(facts).title
    assert title.startswith("The first layer's weights are close to noise: weights of adjacent pixels correlate by ")


def test_of_a_wide_layer_the_images_that_there_are_are_shown() -> None:
    wide = layer(1, activity=[0.5] * 300, images=np.random.default_rng(0).normal(size=(80, 4, 4)))
    display = FirstWeightsDisplay.from_examination(with_layers(wide))
    assert (len(display.images), display.ax_.get_xlabel()) == (64, "64 of 300 units")


def test_a_hidden_monitor_is_not_taken_for_another() -> None:
    found = replace(examination(), history=history(dead=DEAD, saturated=np.ones((6, 2)), update_ratio=RATIOS))
    np.testing.assert_allclose(DeadUnitsDisplay.from_record(found).shares[-1], [0.5, 0.2], rtol=1e-6)  # float32
    assert set(OF_HIDDEN) <= set(NAMES)


def test_a_diagnosis_is_drawn_as_its_examination_and_nothing_else_is() -> None:
    report = judged(examination())
    assert [picture.title for picture in pictures_of(report)] == [
        picture.title for picture in pictures_of(report.examination)
    ]
    assert DeadUnitsDisplay.from_examination(report).title == DeadUnitsDisplay.from_record(report.examination).title
    with pytest.raises(SettingError, match=r"examination came as 3; needs a kn.Examination"):
        pictures_of(3)


@pytest.mark.parametrize("kind", [ActivationsDisplay, GradientsDisplay])
def test_those_who_do_not_see_histograms_are_told_of_every_layer(kind: Any) -> None:
    layers = [layer(number) for number in (1, 2, 3)]
    alt = kind.from_record(with_layers(*layers)).alt
    assert alt.count("Layer ") >= (2 if kind is ActivationsDisplay else 3)
