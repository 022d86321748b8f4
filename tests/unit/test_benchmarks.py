"""The parts of the benchmarks that compute and write, not the measurements."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import part, population_report, report, workloads
from benchmarks.measure import Series, fewest
from benchmarks.population_report import Point


def test_flops_of_a_step() -> None:
    # Forward and weight gradient of both layers, the delta below the second only: 2·32·(2·20·2 + 20·2·3) by hand.
    assert workloads.Workload((2, 20, 2), 32, 50).flops == 2 * 32 * (2 * 20 * 2 + 20 * 2 * 3)


def test_theta_has_the_layout_of_the_network() -> None:
    (W0, _), (W1, _) = parameters = workloads.Workload((2, 3, 1), 4, 1).parameters()
    assert workloads.flat(parameters).tolist() == [*W0.ravel(), 0, 0, 0, *W1.ravel(), 0]


def test_members_of_a_population_start_apart_and_the_first_where_a_single_network_does() -> None:
    many = workloads.Workload((2, 3, 1), 4, 1, members=5)
    thetas = workloads.flats(many.stacks())
    assert thetas.shape == (5, 2 * 3 + 3 + 3 + 1)
    assert len(np.unique(thetas, axis=0)) == 5
    for member, theta in enumerate(thetas):
        assert theta.tolist() == workloads.flat(many.parameters(member)).tolist()
    W, b = workloads.Workload((2, 3), 4, 1).parameters()[0]
    expected = np.random.default_rng(1).standard_normal((3, 2), dtype=np.float32)  # He's factor is 1 for two inputs
    assert W.tolist() == expected.tolist()
    assert not b.any()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1500x2", ["1,500 × 2-20-2, 32"]),
        ("1,500 × 2-20-2, 32", ["1,500 × 2-20-2, 32"]),
        ("64-100", ["64-100-10, 32", "256 × 64-100-10, 32"]),
        ("784-256", ["784-256-128-10, 128"]),
        ("7-7", []),
    ],
)
def test_workloads_are_chosen_by_a_part_of_their_names(text: str, names: list[str]) -> None:
    found = workloads.chosen([*workloads.TRAINING, *workloads.POPULATIONS], text)
    assert [workload.name for workload in found] == names


def test_runs_of_several_epochs_are_for_those_whose_calls_cost_something() -> None:
    assert fewest("kilonet by default", "epochs") == fewest("scikit-learn loop", "epochs") == 5
    assert fewest("torch.func", "epochs") == fewest("kilonet", "predictions") == 1


def test_training_row() -> None:
    workload = workloads.Workload((10, 10), 100, 10)  # 40,000 flops a step; 10 steps an epoch
    series = [
        Series("kilonet", 1, [2e-5, 9e-5, 1e-5]),
        Series("kilonet", 2, [1e-5, 8e-6, 3e-5]),
        Series("PyTorch", 1, [1e-3, 1e-3, 1e-3]),
        Series("PyTorch", 2, [2e-4, 3e-4, 1e-4]),
        Series("scikit-learn", 1, [1e-4, 1e-4, 1e-4]),
        Series("sgemm", 1, [1.0, 1.0, 1.0]),
        Series("sgemm", 2, [0.1, 0.171798691840, 9.0]),  # 2·2048³ operations in so many seconds are 100 GFLOP/s
    ]
    # medians by hand: 2 and 1 µs a step; 40,000 flops in 1 µs are 40 GFLOP/s; PyTorch's better one 20 µs
    assert report.training_row(workload, series) == [
        "10-10, 100",
        "2",
        "1",
        "40%",
        "20 (20×)",
        "–",
        "–",
        "10 (10×)",
    ]


POPULATION = workloads.Workload((10, 10), 100, 10, members=1000)  # 40,000 flops a step; 10 steps an epoch
IN_POPULATIONS = [  # seconds of an epoch of one network
    Series("kilonet population", 1, [2e-6, 9e-5, 1e-6]),
    Series("kilonet population", 2, [1e-6, 8e-7, 3e-6]),
    Series("JAX vmap", 1, [7e-6, 7e-6, 7e-6]),
    Series("JAX vmap in chunks", 2, [5e-6, 5e-6, 5e-6]),
    Series("PyTorch loop", 1, [4e-4, 4e-4, 4e-4]),
    Series("PyTorch loop", 2, [8e-4, 8e-4, 8e-4]),
    Series("sgemm", 1, [1.0, 0.171798691840, 0.1]),  # 100 GFLOP/s, see below
]


def test_population_row() -> None:
    # medians by hand: 0.2 and 0.1 µs a step; 40,000 flops in 0.1 µs are 400 GFLOP/s, of four cores' 400
    assert population_report.population_row(POPULATION, IN_POPULATIONS, cores=4) == [
        "1,000 × 10-10, 100",
        "0.2",
        "0.1",
        "100%",
        "0.5 (5×)",
        "–",
        "40 (400×)",
        "–",
    ]


def test_the_table_of_populations_has_a_column_for_every_cell() -> None:
    row = population_report.population_row(POPULATION, IN_POPULATIONS, cores=4)
    lines = population_report.population_table([row], [1, 2]).splitlines()
    assert {line.count("|") for line in lines} == {len(row) + 1}
    assert "Kilonet, 1 thread | Kilonet, 2 threads | of peak" in lines[0]


def test_how_long_all_members_take_by_the_step_of_one() -> None:
    # 1,000 × 0.1 µs are 2.5 times 40 µs; a quarter as many are less than one
    more, less = (workloads.Workload((10, 10), 100, 10, members=n) for n in (1000, 250))
    sentence = "All 1,000 networks of 10-10 take 2.5 times the time in which PyTorch steps one."
    assert population_report.all_against_one(more, IN_POPULATIONS) == sentence
    sentence = "All 250 networks of 10-10 take 62% of the time in which PyTorch steps one."
    assert population_report.all_against_one(less, IN_POPULATIONS) == sentence
    assert population_report.all_against_one(more, IN_POPULATIONS[:2]) is None


def test_feature_row() -> None:
    names = ["plain", *workloads.FEATURES]
    series = [Series(name, 2, [0.01 * (1 + i), 9.0, 0.0]) for i, name in enumerate(names)]
    # plain: 10 ms for 1,000 networks of 10 steps are 1 µs; the others take 2, 3, ... times as long
    row = population_report.feature_row(POPULATION, series)
    assert row == ["1,000 × 10-10, 100", "1", "50%", "33%", "25%", "20%", "17%", "14%"]
    assert {line.count("|") for line in population_report.feature_table([row]).splitlines()} == {len(row) + 1}


CURVES = {
    "a": [Point(1, 0.003, 20_000, 0.002), Point(2, 0.002, 30_000, 0.005), Point(8, 0.004, 4_200_000)],
    "b": [Point(1, 0.01, 5_000, 0.01), Point(8, 0.04, 50_000_000)],
}


def test_members_one_after_another_are_measured_or_as_many_times_as_long_as_one() -> None:
    assert population_report.apart(CURVES["a"]) == [0.002, 0.005, 0.016]
    assert population_report.ratios(CURVES["a"]) == pytest.approx([1.5, 0.4, 0.25])  # quotients of the above


def test_scaling_table() -> None:
    lines = population_report.scaling_table(CURVES["a"]).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert cells == [
        ["1", "3", "2", "1.50", "0.02"],
        ["2", "2", "5", "0.40", "0.03"],
        ["8", "4", "16 *", "0.25", "4.2"],
    ]


def test_the_worst_population_is_named() -> None:
    sentence = "A population takes at most 1.50 of the time of its members one after another (a, 1 member)."
    assert population_report.worst(CURVES) == sentence


def test_titles_say_how_much_quicker_and_how_much_memory() -> None:
    seconds, memory = population_report.titles(CURVES)
    assert seconds == "Together, 8 networks are trained\n4 (a) and 2 (b) times as fast as one after another"
    assert memory == "Memory grows with the members: 8 networks need\n4.2 MB (a) and 50 MB (b)"


def test_what_is_only_shown_stays_out_of_the_readme() -> None:
    parts = [part.Part(["one"], {}), part.Part(["two"], {}, shown=["long table"])]
    assert part.together(parts, shown=True) == "one\n\nlong table\n\ntwo"
    assert part.together(parts, shown=False) == "one\n\ntwo"


def test_what_two_curves_of_accuracy_say() -> None:
    own, peer = [(1.0, 0.87), (2.0, 0.89), (3.0, 0.9)], [(2.0, 0.8), (8.0, 0.885), (16.0, 0.88)]
    assert report.pictures(own, peer, 0.885) == (
        "Fashion-MNIST, 784-256-128-10, default settings: Kilonet's `fit` ends at 90.0% on the test set after 3.0 s, "
        "and is at 88.5% after 2.0 s. scikit-learn reaches 88.5% after 8.0 s, 4 times as long. "
        "scikit-learn does not reach 90.0% in 3 epochs, 16 s (its best is 88.5%)."
    )
    assert "scikit-learn reaches 88.5% after 8.0 s, Kilonet never." in report.pictures([(1.0, 0.8)], peer, 0.885)


@pytest.mark.parametrize(("value", "text"), [(1.2345, "1.23"), (12.34, "12.3"), (99.96, "100"), (14160.2, "14,160")])
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert report.number(value) == text


def test_the_readme_keeps_everything_around_its_measurements(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_readme("new", path)
    report.write_readme("newer", path)
    assert path.read_text() == f"before\n{report.BEGIN}\nnewer\n{report.END}\nafter\n"


def test_a_readme_without_marks_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("text")
    with pytest.raises(ValueError, match="no place for measurements"):
        report.write_readme("new", path)
    assert path.read_text() == "text"


def test_the_projects_readme_has_the_marks() -> None:
    text = report.README.read_text()
    assert text.index(report.BEGIN) < text.index(report.END)
