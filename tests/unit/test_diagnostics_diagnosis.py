"""`kn.diagnose` and its cures: what it is asked, of several members, in a pipeline, and where nothing helps."""

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import kilonet as kn
from kilonet.diagnostics import members
from kilonet.diagnostics.diagnosis import merged
from kilonet.diagnostics.verify import cured
from kilonet.findings import Examination, Finding, Remedy

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(160, 3))
Y = X[:, 0] + X[:, 1] ** 2 > 1
PLAIN = kn.MLPClassifier(hidden=8, epochs=4, random_state=0)
FITTED = kn.MLPClassifier(hidden=8, epochs=4, random_state=0).fit(X, Y)


def no_rule(_: Examination) -> list[Finding]:
    return []


def saying(**given: Any) -> Any:
    def rule(_: Examination) -> list[Finding]:
        return [Finding("mine", "warn", "something is wrong", **given)]

    return rule


# What is asked.


def test_fewer_than_six_seeds_cannot_show_anything() -> None:
    with pytest.raises(kn.SettingError, match=r"seeds came as 5; needs a whole number in \[6, inf\).*interval"):
        kn.diagnose(FITTED, X, Y, seeds=5)
    assert kn.diagnose(FITTED, X, Y, rules=[no_rule], seeds=6).findings == []


def test_a_single_rule_is_a_list_of_one() -> None:
    def mine(_: Examination) -> list[Finding]:
        return [Finding("mine", "fail", "no")]

    assert [one.rule for one in kn.diagnose(FITTED, X, Y, rules=mine).findings] == ["mine"]  # type: ignore[arg-type]


def test_rules_may_come_from_a_generator_for_several_members() -> None:
    twins = kn.MLPClassifier(hidden=4, epochs=2, members=2, random_state=0).fit(X, Y)
    report = kn.diagnose(twins, X, Y, rules=(own for own in [saying()]))  # type: ignore[arg-type]
    assert [one.what for one in report.findings] == ["something is wrong (in 2 of 2 members)"]


@pytest.mark.parametrize("rules", [3, "dead"])
def test_rules_of_another_kind(rules: Any) -> None:
    with pytest.raises(kn.SettingError, match=r"rules came as .*functions of an examination"):
        kn.diagnose(FITTED, X, Y, rules=rules)


@pytest.mark.parametrize("estimator", [FITTED, PLAIN], ids=["fitted", "not fitted"])
class TestValidation:
    @pytest.mark.parametrize(
        "given", [5, (X,), "ab", X, {"X": X, "y": Y}, (X, Y, None, None)], ids=["5", "X", "ab", "array", "dict", "four"]
    )
    def test_another_form(self, estimator: Any, given: Any) -> None:
        with pytest.raises(kn.SettingError, match=r"(?s)validation came as .*; needs \(X, y\)"):
            kn.diagnose(estimator, X, Y, validation=given)

    @pytest.mark.parametrize(
        ("given", "said"),
        [((X[:, :2], Y), "validation: .*2 features.*expecting 3"), ((X, Y[:5]),
         "validation: .*160, 5"), ((X, np.full(160, 7)), "has 7"),
         ((X, None), "validation: .*y")],
        ids=["columns", "rows", "classes", "no y"],
    )  # fmt: skip
    def test_rows_that_do_not_fit(self, estimator: Any, given: Any, said: str) -> None:
        with pytest.raises(kn.DataError, match=said):
            kn.diagnose(estimator, X, Y, validation=given)


class TestRemedies:
    @pytest.mark.parametrize("given", [["try this"], "try this", [Remedy("try this", {})], Remedy("try this", {})])
    def test_plain_texts_are_what_only_a_person_can_do(self, given: Any) -> None:
        report = kn.diagnose(FITTED, X, Y, rules=[saying(remedies=given)])
        assert report.findings[0].remedies == (Remedy("try this", {}),)
        assert "Remedy: try this" in str(report)
        assert report.verify().findings[0].effects == ()

    @pytest.mark.parametrize("given", [[3], None, 3, [Remedy("x", "rate=1")]])  # type: ignore[arg-type]
    def test_what_is_no_remedy(self, given: Any) -> None:
        with pytest.raises(kn.SettingError, match=r"finding mine .*kn\.Remedy"):
            kn.diagnose(FITTED, X, Y, rules=[saying(remedies=given)])

    def test_they_are_looked_at_in_an_examination_too(self) -> None:
        report = kn.diagnose(kn.diagnose(FITTED, X, Y, rules=no_rule).examination, rules=saying(remedies="try this"))
        assert report.findings[0].remedies == (Remedy("try this", {}),)


def test_an_estimator_of_scikit_learn_is_sent_to_its_examination() -> None:
    with pytest.raises(kn.SettingError, match=r"kn\.diagnostics\.examine_sklearn"):
        kn.diagnose(SklearnClassifier(), X, Y)
    with pytest.raises(kn.SettingError, match=r"kn\.diagnostics\.examine_sklearn"):
        kn.diagnose(make_pipeline(StandardScaler(), SklearnClassifier()), X, Y)


def test_a_module_of_torch_is_sent_to_its_examination() -> None:
    parent = type("Module", (), {"__module__": "torch.nn.modules.module"})  # as torch, which need not be there, has it
    with pytest.raises(kn.SettingError, match=r"Mine of PyTorch; .*kn\.diagnostics\.examine_torch"):
        kn.diagnose(type("Mine", (parent,), {})(), X, Y)


# Pipelines.


class TestPipelines:
    @property
    def slow(self) -> Any:
        return kn.MLPClassifier(hidden=8, rate=1e-7, epochs=15, encode=None, random_state=0)

    def test_the_last_step_is_diagnosed_on_what_it_was_given(self) -> None:
        fitted = make_pipeline(StandardScaler(), "passthrough", self.slow).fit(100 * X + 7, Y)
        alone = kn.diagnose(fitted[-1], fitted[:-1].transform(100 * X + 7), Y, validation=(X, Y))
        validation = (fitted[0].inverse_transform(X), Y)
        report = kn.diagnose(fitted, 100 * X + 7, Y, validation=validation)
        assert [one.what for one in report.findings] == [one.what for one in alone.findings]
        assert report.failed or report.findings

    def test_a_cure_is_a_pipeline_as_well(self) -> None:
        fitted = make_pipeline(StandardScaler(), self.slow).fit(100 * X, Y)
        better = kn.diagnose(fitted, 100 * X, Y).cure()
        assert better.steps[0] == fitted.steps[0]
        assert better[-1].rate > 1e-5
        assert better.score(100 * X, Y) > fitted.score(100 * X, Y)
        assert fitted[-1].rate == 1e-7

    def test_before_it_is_fitted(self) -> None:
        pipeline = make_pipeline(StandardScaler(), self.slow)
        report = kn.diagnose(pipeline, 100 * X, Y)
        assert "unscaled inputs" not in [one.rule for one in report.findings]
        assert not hasattr(pipeline[0], "mean_")
        assert "rate" in [one.rule for one in report.findings]
        assert report.cure().predict(100 * X).shape == (160,)

    def test_validation_rows_of_other_columns(self) -> None:
        fitted = make_pipeline(StandardScaler(), self.slow).fit(X, Y)
        with pytest.raises(kn.DataError, match="validation: X has 2 features"):
            kn.diagnose(fitted, X, Y, validation=(X[:, :2], Y))

    def test_a_step_that_does_not_transform(self) -> None:
        pipeline = make_pipeline(FunctionTransformer(), PLAIN)
        pipeline.steps.insert(0, ("sampler", object()))
        with pytest.raises(kn.SettingError, match=r"sampler.*kn\.diagnose\(pipeline\[-1\]"):
            kn.diagnose(pipeline, X, Y)


# Several members.


class TestMembers:
    rates = (0.003, 0.003, 300.0, 0.003)

    def several(self, **settings: Any) -> Any:
        return kn.MLPClassifier(hidden=16, epochs=40, members=4, random_state=0, **settings)

    @pytest.mark.parametrize("fit", [True, False])
    def test_a_finding_is_of_a_member_that_has_it(self, fit: bool) -> None:
        one_wild = self.several(rate=list(self.rates))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", kn.DivergenceWarning)
            report = kn.diagnose(one_wild.fit(X, Y) if fit else one_wild, X, Y)
        found = [one for one in report.findings if one.because == "rate"]
        assert found
        for one in found:
            assert one.evidence
            assert one.evidence["member"] == 2
            assert one.what.endswith("(in 1 of 4 members: member 2)")
            assert all(remedy.changes.get("rate", 0) < 300 for remedy in one.remedies)
        assert not [one for one in report.findings if one.because == "low rate" and one.severity != "info"]

    def test_what_is_tried_is_tried_with_that_members_settings_and_only_its_own_are_changed(self) -> None:
        one_slow = self.several(rate=[0.003, 0.003, 1e-7, 0.003]).fit(X, Y)
        report = kn.diagnose(one_slow, X, Y).verify()
        (low,) = [one for one in report.findings if one.rule == "rate" and one.severity != "info"]
        assert low.effects[0].helps  # 0.003 would leave little to be gained
        assert low.effects[0].without > 0.6  # about ln 2
        better = report.cure()
        assert [rate == 0.003 for rate in better.rate] == [True, True, False, True]
        assert better.rate[2] > 1e-4
        assert better.score(X, Y) > 0.9

    def test_members_of_one_setting_share_the_sweep_and_all_share_inputs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        swept = []
        monkeypatch.setattr(members, "rates_of", swept.append)
        seen: list[Examination] = []
        kn.diagnose(self.several(rate=list(self.rates)), X, Y, rules=lambda one: seen.append(one) or [])
        assert [one.rates.used for one in seen if one.rates] == list(self.rates)
        assert len({id(one.inputs) for one in seen}) == len({id(one.rates.losses) for one in seen if one.rates}) == 1
        assert swept == []

    def test_a_member_with_another_penalty_has_a_sweep_of_its_own(self) -> None:
        seen: list[Examination] = []
        fitted = self.several(rate=0.02, l2=[1e-4, 1e-4, 5.0, 1e-4]).fit(X, Y)
        report = kn.diagnose(fitted, X, Y, rules=[*kn.diagnostics.RULES, lambda one: seen.append(one) or []])
        losses = [one.rates.losses for one in seen if one.rates]
        assert losses[0] is losses[1] is losses[3]
        assert losses[2].min() > 2 * losses[0].min()
        forgets = [one for one in report.findings if one.because == "l2"]
        assert forgets
        assert {one.evidence["member"] for one in forgets if one.evidence} == {2}
        better = report.cure()
        assert better.l2[2] < 0.1
        assert (better.l2[0], better.l2[3]) == (1e-4, 1e-4)

    def test_of_many_members_one_of_each_setting_is_looked_at_first(self) -> None:
        many = kn.MLPClassifier(hidden=4, epochs=2, members=12, random_state=0, l2=[*[0.0] * 10, 1.0, 1.0])
        seen: list[Examination] = []
        report = kn.diagnose(many, X, Y, rules=[lambda one: seen.append(one) or [], saying()])
        assert [one.settings["l2"] for one in seen] == [0.0] * 7 + [1.0]
        assert report.findings[0].evidence == {"members": 8, "of": 8, "member": 0}


def test_opposite_causes_are_not_one_finding() -> None:
    low, high = (Finding("rate", "warn", f"{what} rate", because=what) for what in ("low", "high"))
    assert [one.what for one in merged([[low], [high], [low]])] == [
        "low rate (in 2 of 3 members)", "high rate (in 1 of 3 members)",
    ]  # fmt: skip


def test_remedies_that_change_something_else_are_not_one_finding() -> None:
    def one(value: float, to: float) -> Finding:
        return Finding("l2", "warn", f"l2={value}", remedies=[Remedy("less", {"l2": to})])

    given, own = [[one(5, 0.5)], [one(50, 5)], [one(5, 0.5)]], [{"l2": 5}, {"l2": 50}, {"l2": 5}]
    found = merged(given, settings=own, members=[0, 3, 4])
    assert [one.what for one in found] == [
        "l2=5 (in 2 of 3 members: members 0 and 4)",
        "l2=50 (in 1 of 3 members: member 3)",
    ]
    assert [one.evidence["member"] for one in found if one.evidence] == [0, 3]


def test_what_some_members_have_is_changed_for_them_alone_and_what_all_have_for_all() -> None:
    def slow(rate: float) -> Finding:
        return Finding("slow", "warn", "slow", remedies=[Remedy("faster", {"rate": rate})])

    own, none = [{"l2": 0}, {"l2": 1}, {"l2": 2}, {"l2": 1}], []
    some = merged([[slow(0.1)], [slow(0.1)], none, [slow(0.1)]], settings=own)
    assert [one.evidence for one in some] == [
        {"members": 1, "of": 4, "member": 0}, {"members": 2, "of": 4, "member": 1},
    ]  # fmt: skip
    (every,) = merged([[slow(0.1)]] * 4, settings=own)
    assert every.evidence == {"members": 4, "of": 4, "member": 0}
    assert every.what == "slow (in 4 of 4 members)"
    inputs = Finding("inputs", "warn", "inputs", remedies=[Remedy("scale", {"encode": "auto"})])
    assert len(merged([[inputs], [inputs], none, none], settings=own)) == 1


def test_a_cure_of_some_members_leaves_a_shared_setting_to_the_others() -> None:
    several = kn.MLPClassifier(hidden=8, epochs=15, rate=1e-6, members=3, l2=[0.0, 1e-3, 0.0], random_state=0)
    given = Finding("slow", "warn", "slow", remedies=[Remedy("faster", {"rate": 0.02})])
    for having, rate in ((2, [0.02, 1e-6, 0.02]), (3, 0.02)):
        found = replace(given, evidence={"member": 2, "members": having, "of": 3})
        better, _ = cured([found], several, X, Y)
        assert better.rate == rate
    several.set_params(rate=None, optimizer="sgd(1e-6)")
    better, _ = cured([replace(given, evidence={"member": 2, "members": 2, "of": 3})], several, X, Y)
    assert better.rate == [0.02, 1e-6, 0.02]


# Cures.


class TestCures:
    def test_nothing_that_helps_is_said(self) -> None:
        report = kn.diagnose(FITTED, X, Y, rules=[saying(remedies=[Remedy("much more", {"l2": 30.0})])])
        with pytest.warns(kn.RemedyWarning, match="mine: 1 remedy was tried, none gains for sure.*that it had"):
            assert report.cure() is FITTED
        assert report.gains_ == ()

    def test_what_only_a_person_can_do_is_said(self) -> None:
        report = kn.diagnose(FITTED, X, Y, rules=[saying(remedies="look at the rows")])
        with pytest.warns(kn.RemedyWarning, match="only you"):
            report.cure()

    def test_where_nothing_is_wrong_nothing_is_said(self) -> None:
        assert kn.diagnose(FITTED, X, Y, rules=no_rule).cure() is FITTED


class TestEvidence:
    @pytest.mark.parametrize("name", ["member", "members", "of"])
    def test_names_that_say_whose_a_finding_is_are_not_for_rules(self, name: str) -> None:
        with pytest.raises(kn.SettingError, match=f"the finding mine has evidence by the name {name}; .*another name"):
            kn.diagnose(FITTED, X, Y, rules=saying(evidence={name: [1]}, remedies=[Remedy("less", {"l2": 0.1})]))

    def test_another_form(self) -> None:
        with pytest.raises(kn.SettingError, match="the finding mine has the evidence 3; needs numbers by name"):
            kn.diagnose(FITTED, X, Y, rules=saying(evidence=3))


def test_full_stops_of_a_rule_do_not_stand_within_sentences() -> None:
    def rule(_: Examination) -> list[Finding]:
        return [Finding("a", "warn", "All is bad.", "of itself.", because="b"), Finding("c", "warn", "d", because="b")]

    report = kn.diagnose(FITTED, X, Y, rules=rule)
    assert report.findings[0].text == "All is bad. Likely cause: of itself. Most likely this is also behind: c."


def each_column(examination: Examination) -> list[Finding]:
    return [Finding("column", "warn", f"{name} is bad") for name in examination.inputs.names]


def test_what_a_rule_has_several_of_stays_several_with_several_members() -> None:
    twins = kn.MLPClassifier(hidden=4, epochs=2, members=2, random_state=0).fit(X, Y)
    said = [one.what for one in kn.diagnose(twins, X, Y, rules=each_column).findings]
    assert said == [
        f"{what.what} (in 2 of 2 members)" for what in kn.diagnose(FITTED, X, Y, rules=each_column).findings
    ]
    assert len(said) == X.shape[1]


def test_several_findings_of_a_rule_meet_their_like_among_members() -> None:
    a, b = (Finding("column", "warn", f"{name} is bad by {n}") for n, name in enumerate("ab"))
    c = replace(b, what="b is bad by 7", severity="fail")
    assert [one.what for one in merged([[a, b, b], [c]])] == [
        "a is bad by 0 (in 1 of 2 members)",
        "b is bad by 7 (in 2 of 2 members)",
        "b is bad by 1 (in 1 of 2 members)",
    ]


def test_gains_say_whose_they_are() -> None:
    slow = kn.MLPClassifier(hidden=8, epochs=20, members=3, rate=[1e-6, 0.01, 2e-6], random_state=0).fit(X, Y)
    report = kn.diagnose(slow, X, Y)
    report.cure()
    assert {effect.members for _, effect in report.gains_} >= {(0,), (2,)}
    assert "for member 2: helps" in " ".join(str(report).split())


def test_a_pipeline_of_scikit_learn_s_is_told_how_to_give_its_last_step() -> None:
    pipe = make_pipeline(StandardScaler(), SklearnClassifier(max_iter=1))
    said = r"a pipeline that ends in MLPClassifier of .*examine_sklearn\(pipe\[-1\], pipe\[:-1\]\.transform\(X\), y\)"
    with pytest.raises(kn.SettingError, match=said):
        kn.diagnose(pipe, X, Y)


def test_rows_that_training_cannot_be_repeated_with_are_told_of() -> None:
    report = kn.diagnose(FITTED, X[::-1], Y[::-1])
    assert "every epoch: training could not be repeated with these rows" in " ".join(str(report).split())
    assert json.loads(report.to_json())["not_looked_at"][-1].startswith("every epoch: training could not be")
    assert "every epoch" not in str(kn.diagnose(FITTED, X, Y))
