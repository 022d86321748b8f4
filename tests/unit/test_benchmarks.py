"""The parts of the benchmarks that compute and write, not the measurements."""

from pathlib import Path

import pytest

from benchmarks import report, workloads
from benchmarks.measure import Series


def test_flops_of_a_step() -> None:
    # Forward and weight gradient of both layers, the delta below the second only: 2·32·(2·20·2 + 20·2·3) by hand.
    assert workloads.Workload((2, 20, 2), 32, 50).flops == 2 * 32 * (2 * 20 * 2 + 20 * 2 * 3)


def test_theta_has_the_layout_of_the_network() -> None:
    (W0, _), (W1, _) = parameters = workloads.Workload((2, 3, 1), 4, 1).parameters()
    assert workloads.flat(parameters).tolist() == [*W0.ravel(), 0, 0, 0, *W1.ravel(), 0]


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
