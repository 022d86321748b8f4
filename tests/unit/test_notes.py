"""The framework of the experiments: verdicts, intervals, values, pictures, and the command."""

import json

import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy import stats

from kilonet.cli import main
from kilonet.cli.commands import COMMANDS
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.measured import Figure, Measured, Region, Series, Table, Text, same, together, verdict
from kilonet.notes import NAMES, Experiment, Size, experiment, registry
from kilonet.notes.intervals import Estimate, bootstrapped, mean_of, share
from kilonet.notes.told import bracketed, percents, points
from kilonet.plots import experiment as pictures
from kilonet.plots.experiment import ExperimentDisplay, rendered
from tools import gallery

BOTH = Text("rate", "학습률")
TWO = Series.of(BOTH, [0.1, 1.0], [0.0, 0.4], [0.0, 0.3], [0.1, 0.5])


def measured(figure: Figure | None = None) -> Measured:
    table = Table((BOTH, same("relu")), (("0.1", Text("none", "없음")), ("1", "40%")))
    figure = figure or Figure("lines", BOTH, BOTH, same("y"), (TWO,), claimed=0.4, log_x=True)
    return Measured("partly", Text("It is 40%.", "40%이다."), 0.4, 0.3, 0.5, table, figure, {"dead": 0.4})


def planted(monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """Put one experiment in the place of all; gives the sizes at which it is run."""
    sizes: list[Size] = []

    def run(size: Size) -> Measured:
        sizes.append(size)
        return measured()

    own = Experiment("planted", ("9.9",), Text("Planted", "심은 것"), Text("They say so.", "그렇게 말한다."), run)
    for face in ("kilonet.cli.notes", "tools.gallery"):
        monkeypatch.setattr(f"{face}.experiment", lambda _: own)
        monkeypatch.setattr(f"{face}.NAMES", ("planted",))
    return sizes


class TestVerdict:
    @pytest.mark.parametrize(
        ("low", "high", "claimed", "expected"),
        [
            (0.4, 0.5, "[0.4, 1]", "agrees"),
            (0.39, 0.5, "[0.4, 1]", "partly"),
            (0.1, 0.39, "[0.4, 1]", "disagrees"),
            (0.0, 2.0, "[0.4, 1]", "partly"),  # the claim lies within the interval
            (1.0, 2.0, "[0.4, 1)", "disagrees"),  # they touch where the claim has no end
            (0.1, 0.4, "(0.4, 1]", "disagrees"),
            (0.1, 0.4, "[0.4, 1]", "partly"),
            (-np.inf, np.inf, "(0, inf)", "partly"),
            (0.0, 0.0, "[0, 0]", "agrees"),
        ],
    )
    def test_follows_from_where_the_interval_lies(self, low: float, high: float, claimed: str, expected: str) -> None:
        assert verdict(low, high, claimed) == expected

    @pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (np.nan, 1.0), (0.0, np.nan)])
    def test_is_none_of_what_is_no_interval(self, low: float, high: float) -> None:
        with pytest.raises(SettingError, match="low ≤ high"):
            verdict(low, high, "[0, 1]")

    def test_of_several_parts_is_theirs_where_they_are_equal(self) -> None:
        assert together("disagrees", "disagrees") == "disagrees"
        assert together("agrees", "partly") == "partly"
        assert together("agrees", "disagrees", "agrees") == "partly"

    def test_cannot_be_another_word(self) -> None:
        with pytest.raises(SettingError, match="agrees, partly, disagrees"):
            Measured("agree", BOTH, 0, 0, 0, Table((), ()), measured().figure, {})  # type: ignore[arg-type]


class TestIntervals:
    def test_of_a_mean_is_students(self) -> None:
        values = np.random.default_rng(0).normal(size=12)
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        found = mean_of(values)
        # the same formula by another library: only rounding differs
        assert (found.value, found.low, found.high) == pytest.approx((values.mean(), *expected), rel=1e-12)

    def test_of_a_share_is_the_exact_binomial(self) -> None:
        for k, n in ((0, 5), (3, 17), (17, 17)):
            expected = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
            found = share(k, n)
            assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)

    def test_by_a_bootstrap_is_near_students_for_a_mean_of_many(self) -> None:
        values = np.random.default_rng(1).normal(size=400)
        found, expected = bootstrapped(values, np.mean), mean_of(values)
        # of a mean of 400 both tend to the normal interval of width 0.2; 2,000 draws leave some 3% of it to chance
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
        assert found == bootstrapped(values, np.mean)

    def test_of_no_value_is_refused(self) -> None:
        with pytest.raises(DataError, match="one value at least"):
            bootstrapped([])


class TestTold:
    def test_changes_always_have_a_sign_and_a_true_minus(self) -> None:
        found = Estimate(0.05, -0.25, 0.5)
        assert bracketed(found, sign="+") == "+0.05 [−0.25, +0.50]"
        assert percents(found, 0, "+") == "+5% [−25%, +50%]"
        assert points(found, 1) == Text("+5.0 percentage points [−25.0, +50.0]", "+5.0퍼센트포인트 [−25.0, +50.0]")

    def test_levels_have_none_above_zero(self) -> None:
        assert bracketed(Estimate(0.5, -0.25, 1.0)) == "0.50 [−0.25, 1.00]"
        assert percents(Estimate(0.5, 0.25, 1.0), 0) == "50% [25%, 100%]"


class TestValues:
    def test_a_table_knows_its_columns_and_languages(self) -> None:
        assert measured().table.cells("ko")[0] == ("0.1", "없음")
        with pytest.raises(ShapeError, match="row 0 of a table has 1 cells; needs 2"):
            Table((BOTH, BOTH), (("1",),))

    def test_a_series_of_unequal_lengths_is_refused(self) -> None:
        with pytest.raises(ShapeError, match="x of a series has 1 values; needs 2"):
            Series.of(BOTH, [1], [1, 2])
        with pytest.raises(ShapeError, match="both, or none"):
            Series.of(BOTH, [1], [1], low=[0])

    def test_a_figure_needs_what_its_kind_draws(self) -> None:
        with pytest.raises(SettingError, match="came without regions"):
            Figure("regions", BOTH, series=(TWO,))
        with pytest.raises(ShapeError, match="has 2 values at 1 places"):
            Figure("bars", BOTH, series=(TWO,), names=(BOTH,))

    def test_a_region_needs_a_grid(self) -> None:
        with pytest.raises(ShapeError, match=r"grid \(2,\)"):
            Region.of(BOTH, [1, 2], (0, 1, 0, 1))

    def test_json_holds_all_of_it(self) -> None:
        held = json.loads(json.dumps(measured().to_json()))
        assert held["verdict"] == "partly"
        assert held["statement"]["ko"] == "40%이다."
        assert held["figure"]["series"][0]["high"] == [0.1, 0.5]
        assert held["facts"] == {"dead": 0.4}


class TestRegistry:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_leads_to_its_experiment_in_two_languages(self, name: str) -> None:
        found = experiment(name)
        assert found.name == name
        assert found.rows
        assert any("가" <= letter <= "힣" for letter in found.claim.ko), found.claim.ko
        for text in (found.title, found.claim):
            assert not any("가" <= letter <= "힣" for letter in text.en), text.en

    def test_an_unknown_name_is_told_the_nearest(self) -> None:
        with pytest.raises(SettingError, match=r"no experiment 'dying-rleu'.* Did you mean dying-relu\?"):
            experiment("dying-rleu")

    def test_what_is_no_experiment_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "import_module", lambda _: type("module", (), {"EXPERIMENT": 1}))
        with pytest.raises(SettingError, match="needs an Experiment"):
            experiment("collapse")


class TestPictures:
    def drawn(self, figure: Figure, language: str = "en") -> str:
        display = ExperimentDisplay.of(measured(figure), Text("Title", "제목"), language)  # type: ignore[arg-type]
        return rendered(display, "svg").decode()

    def test_lines_with_what_the_notes_say(self) -> None:
        text = self.drawn(measured().figure)
        for said in ("Title: agrees with the notes in part", ">the notes<", ">rate<"):
            assert said in text

    def test_in_korean_text_stays_text(self) -> None:
        text = self.drawn(measured().figure, "ko")
        assert "제목: 노트와 일부만 일치" in text
        assert ">학습률<" in text

    def test_equal_figures_give_equal_bytes(self) -> None:
        assert self.drawn(measured().figure) == self.drawn(measured().figure)

    def test_bars_dots_and_regions(self) -> None:
        bars = Series.of(same("leaky"), [], [1, 2], [0.5, 1.5], [1.5, 2.5])
        assert ">leaky<" in self.drawn(Figure("bars", BOTH, series=(bars, bars), names=(same("a"), same("b"))))
        assert ">learned<" in self.drawn(Figure("dots", BOTH, same("learned"), series=(TWO,), log_y=True))
        grid = np.linspace(0, 1, 12).reshape(3, 4)
        panels = tuple(
            Region.of(same(f"{n} units"), grid, (-1, 1, -1, 1), [[0, 0], [0.5, 0.5]], [0, 1]) for n in range(4)
        )
        text = self.drawn(Figure("regions", BOTH, regions=panels))
        assert all(f">{n} units<" in text for n in range(4))

    def test_what_is_drawn_are_the_numbers(self) -> None:
        display = ExperimentDisplay.of(measured(), BOTH).plot()
        try:
            assert display.ax_.lines[0].get_xydata().tolist() == [[0.1, 0.0], [1.0, 0.4]]
            assert display.ax_.get_xscale() == "log"
        finally:
            plt.close(display.figure_)

    def test_korean_pixels_need_a_korean_font(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pictures, "_HANGUL", ("No such font",))
        with pytest.raises(SettingError, match=r"font with Hangul.*\.svg"):
            rendered(ExperimentDisplay.of(measured(), BOTH, "ko"), "png")

    def test_pixels(self) -> None:
        assert rendered(ExperimentDisplay.of(measured(), BOTH), "png").startswith(b"\x89PNG")


class TestCommand:
    def test_is_listed(self) -> None:
        assert "notes" in COMMANDS

    def test_the_list_tells_name_title_row_and_claim(self, capsys, monkeypatch) -> None:
        planted(monkeypatch)
        assert main(["notes"]) == 0
        assert capsys.readouterr().out == "planted: Planted (row 9.9)\nThey say so.\n"
        assert main(["notes", "--json", "--lang", "ko"]) == 0
        (told,) = json.loads(capsys.readouterr().out)
        assert told["claim"] == {"en": "They say so.", "ko": "그렇게 말한다."}

    def test_one_is_measured_and_told(self, capsys, monkeypatch) -> None:
        sizes = planted(monkeypatch)
        assert main(["notes", "planted"]) == 0
        said = capsys.readouterr()
        assert (
            "notes      They say so.\nmeasured   agrees with the notes in part: It is 40%.\n\nrate  relu\n" in said.out
        )
        assert "measuring  Planted" in said.err
        assert main(["notes", "planted", "--lang", "ko", "--small"]) == 0
        assert "노트와 일부만 일치: 40%이다." in capsys.readouterr().out
        assert sizes == [Size(full=True), Size(full=False)]

    def test_every_label_is_of_the_language_that_was_asked_for(self, capsys, monkeypatch, tmp_path) -> None:
        planted(monkeypatch)
        for language, labels in (("en", ["measuring", "took", "picture"]), ("ko", ["측정", "시간", "그림"])):
            assert main(["notes", "planted", "--lang", language, "--out", str(tmp_path / "a.svg")]) == 0
            said = capsys.readouterr().err.splitlines()
            assert [line.split()[0] for line in said] == labels
            assert said[1].endswith("초" if language == "ko" else " s")

    def test_json_says_how_to_find_it_again(self, capsys, monkeypatch) -> None:
        planted(monkeypatch)
        assert main(["notes", "planted", "--small", "--json"]) == 0
        held = json.loads(capsys.readouterr().out)
        assert held["reproduce"] == "kilonet notes planted --small"
        assert (held["size"], held["rows"], held["verdict"]) == ("small", ["9.9"], "partly")

    @pytest.mark.parametrize("ending", ["svg", "png"])
    def test_the_figure_is_written(self, capsys, monkeypatch, tmp_path, ending: str) -> None:
        planted(monkeypatch)
        file = tmp_path / f"own.{ending}"
        assert main(["notes", "planted", "--out", str(file)]) == 0
        assert file.stat().st_size > 1000
        assert str(file) in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "status", "says"),
        [
            (["notes", "--small"], 2, "--small needs the NAME"),
            (["notes", "--out", "a.svg"], 2, "--out needs the NAME"),
            (["notes", "planted", "--out", "a.pdf"], 2, "ends with .svg or .png"),
            (["notes", "planted", "--out", "no/folder/a.svg"], 1, "no/folder"),
            (["notes", "planted", "--lang", "de"], 2, "'en', 'ko'"),
        ],
    )  # fmt: skip
    def test_wrong_usage_is_told_before_anything_is_measured(
        self, capsys, monkeypatch, arguments, status, says
    ) -> None:
        sizes = planted(monkeypatch)
        assert main(arguments) == status
        assert says in capsys.readouterr().err
        assert not sizes

    def test_an_unknown_name_is_wrong_usage(self, capsys) -> None:
        assert main(["notes", "dying-rleu"]) == 2
        assert "Did you mean dying-relu?" in capsys.readouterr().err


class TestGallery:
    def test_the_page_has_both_languages_side_by_side(self, tmp_path, monkeypatch, capsys) -> None:
        sizes = planted(monkeypatch)
        assert gallery.main(["--into", str(tmp_path)]) == 0
        text = (tmp_path / "notes.md").read_text(encoding="utf-8")
        assert (
            "| [planted](#planted) | 9.9 | Planted · 심은 것 | agrees with the notes in part · 노트와 일부만 일치 |"
            in text
        )
        assert "| notes · 노트 | They say so. | 그렇게 말한다. |" in text
        assert "| **agrees with the notes in part**: It is 40%. | **노트와 일부만 일치**: 40%이다. |" in text
        assert "| rate · 학습률 | relu |\n| --- | --- |\n| 0.1 | none · 없음 |" in text
        assert "](notes/planted.svg)" in text
        assert (tmp_path / "notes" / "planted.svg").stat().st_size > 1000
        assert sizes == [Size(full=True)]
        assert capsys.readouterr().out.startswith("planted: partly, ")

    def test_a_bar_in_a_cell_does_not_end_it(self) -> None:
        own = Experiment("a", ("1.1",), same("P(y|x)"), BOTH, lambda _: measured())
        assert "P(y\\|x)" in gallery.page([(own, measured())])
