"""Graphs of layers: order, counts, tied weights, what is refused, and what they compute, written out by hand."""

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import kilonet as kn
from kilonet import persistence
from kilonet.activations import activation_from, identity, prelu, relu, tanh
from kilonet.engine import choose, engine_name, reference
from kilonet.engine.translate import layer_specs
from kilonet.errors import EngineError, FileFormatError, SettingError, ShapeError
from kilonet.layers import Dense, Maxout
from kilonet.network import Network, Same
from kilonet.persistence import container
from kilonet.values import Array

SKIP = {
    "scores": Dense(3, identity, source=("hidden2", "input")),
    "hidden2": Dense(5, tanh, source="hidden1"),
    "hidden1": Dense(6, relu, source="input"),
}
TIED = {
    "first": Dense(4, tanh),
    "again": Same("first", source="first"),
    "scores": Dense(2, identity, source=("again", "first", "input")),
}
RANDOM = np.random.default_rng(5)


def test_layers_come_in_any_order_and_stand_in_topological_order() -> None:
    net = Network.from_layers(SKIP, n_inputs=4)
    assert net.names == ("hidden1", "hidden2", "scores")
    assert net.sizes == (4, 6, 5, 3)
    assert net.fan_ins == (4, 6, 9)
    assert net.graph.sources == ((0,), (1,), (2, 0))
    assert (net.n_layers, net.n_neurons, net.n_outputs) == (3, 14, 3)
    assert (net.n_weights, net.n_biases, net.n_parameters) == (24 + 30 + 27, 14, 95)
    assert net.n_connections == net.n_weights
    assert [layer.units for layer in net.layers] == [6, 5, 3]
    assert net == Network.from_layers(dict(reversed(SKIP.items())), n_inputs=4)
    assert net == Network.from_layers(list(SKIP.items()), n_inputs=4)
    assert hash(net) == hash(pickle.loads(pickle.dumps(net)))  # noqa: S301 (made here)
    assert net != Network.from_layers(SKIP | {"scores": Dense(3, identity, source=("input", "hidden2"))}, n_inputs=4)


def test_ties_go_by_the_order_in_which_they_are_given() -> None:
    parts = {name: Dense(2, source="input") for name in ("b", "c", "a")}
    net = Network.from_layers({"end": Dense(1, identity, source=("a", "b", "c"))} | parts, n_inputs=3)
    assert net.names == ("b", "c", "a", "end")
    assert net.graph.sources[-1] == (3, 1, 2)


def test_a_skip_and_a_concatenation_by_hand() -> None:
    net = Network.from_layers(SKIP, n_inputs=4)
    theta, X = RANDOM.normal(size=(2, net.n_parameters)), RANDOM.normal(size=(7, 4))
    for member in range(2):
        own = iter(theta[member])
        W1, b1, W2, b2, W3, b3 = (
            np.array([next(own) for _ in range(np.prod(shape))]).reshape(shape)
            for shape in ((6, 4), (6,), (5, 6), (5,), (3, 9), (3,))
        )
        h1 = np.maximum(X @ W1.T + b1, 0)
        h2 = np.tanh(h1 @ W2.T + b2)
        by_hand = np.hstack([h2, X]) @ W3.T + b3
        np.testing.assert_allclose(net.scores(theta, X)[member], by_hand, rtol=1e-12)
        np.testing.assert_allclose(net.scores(theta, sparse.csr_array(X))[member], by_hand, rtol=1e-12)
        np.testing.assert_allclose(net.scores(theta[member], X), by_hand, rtol=1e-12)
        np.testing.assert_allclose(reference.scores(net, theta, X)[member], by_hand, rtol=1e-12)
    np.testing.assert_allclose(reference.Predictor(net, theta).hidden(X, 1)[1], net.hidden(theta, X)[1][1], rtol=1e-12)


def test_tied_weights_are_counted_once_and_their_connections_at_each_place() -> None:
    net = Network.from_layers(TIED, n_inputs=4)
    assert (net.n_weights, net.n_biases, net.n_parameters) == (16 + 24, 4 + 2, 46)
    assert net.n_connections == 16 + 16 + 24
    assert (net.n_layers, net.n_neurons) == (3, 10)
    views = net.views(np.arange(46.0))
    assert np.shares_memory(views[0].W, views[1].W)
    assert np.shares_memory(views[0].b, views[1].b)
    assert views[2].W[0, 0] == 20
    assert [W.shape for W in net.weights(np.zeros(46))] == [(4, 4), (2, 12)]  # each once, for max-norm
    assert np.flatnonzero(net.weight_mask).tolist() == [*range(16), *range(20, 44)]
    theta, X = RANDOM.normal(size=net.n_parameters), RANDOM.normal(size=(3, 4))
    first, _, last = net.views(theta)
    one = np.tanh(X @ first.W.T + first.b)
    two = np.tanh(one @ first.W.T + first.b)
    np.testing.assert_allclose(net.scores(theta, X), np.hstack([two, one, X]) @ last.W.T + last.b, rtol=1e-12)


def test_a_layer_may_be_applied_before_the_place_that_names_it() -> None:
    net = Network.from_layers({"a": Same("b", source="input"), "b": Dense(3, prelu, source="a")}, n_inputs=3)
    assert net.names == ("a", "b")
    assert net.n_parameters == 9 + 3 + 3
    assert net.n_connections == 18
    assert net.layers[0] == net.layers[1] == Dense(3, prelu)
    start = net.views(net.initial(seed=1))
    np.testing.assert_array_equal(start[0].W, start[1].W)
    assert start[0].alpha is not None
    assert (start[0].alpha == 0.25).all()


def test_weights_start_by_the_fan_in_and_the_place() -> None:
    net = Network.from_layers(SKIP, n_inputs=4)
    theta = net.initial(seeds=[0, 1], dtype="float64")
    chain = Network([4, 6, 5, 3], activation=relu)
    np.testing.assert_array_equal(net.views(theta)[0].W, chain.views(chain.initial(seeds=[0, 1], dtype="float64"))[0].W)
    wide = Network([9, 9, 9, 3])  # its third layer draws as many numbers, with the same deviation
    np.testing.assert_array_equal(net.views(theta)[2].W, wide.views(wide.initial(seeds=[0, 1], dtype="float64"))[2].W)


def test_scores_have_no_activation_unless_one_is_said() -> None:
    plain = Network.from_layers({"a": Dense(5), "b": Dense(2, source="a")}, n_inputs=4)
    assert plain == Network([4, 5, 2])
    assert Network.from_json(json.loads(json.dumps(plain.to_json()))) == plain
    said = Network.from_layers({"a": Dense(5), "b": Dense(2, relu, source="a")}, n_inputs=4)
    assert said == Network([4, 5, 2], output_activation=relu)
    assert Network.from_json(json.loads(json.dumps(said.to_json()))) == said
    assert Dense(2) == Dense(2, relu)


def test_a_graph_that_is_a_chain_is_the_chain() -> None:
    chain = Network([4, 5, Maxout(3, 2), 2], activation=tanh)
    layers = {
        "a": Dense(5, tanh), "c": Dense(2, identity, source="b"), "b": Maxout(3, 2, source="a"),
    }  # fmt: skip
    graph = Network.from_layers(layers, n_inputs=4)
    assert graph == chain
    assert hash(graph) == hash(chain)
    assert graph.names == ("a", "b", "c")
    assert chain.names == ("hidden1", "hidden2", "scores")
    assert Network.from_json(json.loads(json.dumps(graph.to_json()))).names == ("a", "b", "c")
    assert set(chain.to_json()) == {"n_inputs", "layers"}
    assert "source" not in chain.to_json()["layers"][0]
    named = Network.from_layers({"hidden1": Dense(5, tanh), "scores": Dense(2, identity, source="hidden1")}, n_inputs=4)
    assert repr(named) == "Network([4, Dense(5, activation=tanh), Dense(2, activation=identity)])"


@pytest.mark.parametrize("layers", [SKIP, TIED])
def test_graphs_are_values_with_a_description(layers: Any) -> None:
    net = Network.from_layers(layers, n_inputs=4)
    again = Network.from_json(json.loads(json.dumps(net.to_json())))
    assert again == net
    assert again.names == net.names
    assert eval(repr(net)) == net  # noqa: S307 (its own repr)
    assert net != Network([4, *net.layers])
    assert "Network.from_layers({" in repr(net)


@pytest.mark.parametrize(
    ("layers", "error", "says"),
    [
        (
            {
                "hidden1": Dense(2), "hidden2": Dense(2, source=("hidden1", "hidden3")),
                "hidden3": Dense(2, source="hidden2"), "scores": Dense(1, source="hidden3"),
            },
            SettingError, "cycle: hidden2 → hidden3 → hidden2;",
        ),
        ({"a": Dense(2, source="a")}, SettingError, "cycle: a → a;"),
        (
            {"a": Dense(2), "end": Dense(2, source="b"), "b": Dense(2, source=("c", "a")), "c": Dense(2, source="b")},
            SettingError, "cycle: b → c → b;",
        ),
        ({"a": Dense(2), "b": Dense(2, source="aa")}, SettingError, "'b' takes its inputs from 'aa', and no layer"),
        ({"hidden": Dense(2), "b": Dense(2, source="hiden")}, SettingError, "Did you mean hidden?"),
        ({"a": Dense(2), "b": Dense(2)}, SettingError, "'b' names no source"),
        ({"a": Dense(2), "b": Same("a")}, SettingError, "'b' names no source"),
        ([("a", Dense(2)), ("a", Dense(2, source="a"))], SettingError, "two layers have the name 'a'"),
        ({"a": Dense(2), "b": Dense(2, source="a"), "c": Dense(2, source="a")}, SettingError, "'b' and 'c'"),
        ({"a": Dense(2), "b": Dense(2, source="a"), "c": Dense(2, source="a")}, SettingError, "nobody uses"),
        ({"a": Dense(3), "b": Same("a", source="a")}, ShapeError, "'b' applies 'a', which takes 4 inputs, to 3"),
        ({"a": Dense(4), "b": Same("d", source="a")}, SettingError, "'b' applies 'd', and no layer has that name"),
        (
            {"a": Dense(4), "b": Same("a", source="a"), "c": Same("b", source="b")},
            SettingError, "'c' applies 'b', which has no parameters of its own. Write Same('a')",
        ),
        ({"input": Dense(2)}, SettingError, "'input' names the inputs"),
        ({"": Dense(2)}, SettingError, "needs a name"),
        ({3: Dense(2)}, SettingError, "needs a name"),
        ({}, SettingError, "at least one layer"),
        ([Dense(2)], SettingError, "needs pairs"),
        (3, SettingError, "layers came as 3"),
        ({"a": 3}, SettingError, "unknown layer 3"),
    ],
)  # fmt: skip
def test_what_is_no_graph_is_refused(layers: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        Network.from_layers(layers, n_inputs=4)
    assert says in str(caught.value)


def test_sources_are_names() -> None:
    for source in (3, (), ("a", 3), ""):
        with pytest.raises(SettingError, match="needs the name of a layer"):
            Dense(3, source=source)  # type: ignore[arg-type]
    assert Dense(3, source=("a",)) == Dense(3, source="a")
    with pytest.raises(SettingError, match=r"layers\[1\] .* follow one another"):
        Network([3, Dense(3, source="a"), 1])
    with pytest.raises(SettingError, match=r"layers\[2\] .* follow one another"):
        Network([3, 3, Same("a")])
    net = Network.from_layers(SKIP, n_inputs=4)
    with pytest.raises(ShapeError, match=r"layer 1 .* needs \(n, 4\)"):
        net.scores(net.initial(), np.ones((2, 3)))
    with pytest.raises(SettingError, match="n_inputs came as 0"):
        Network.from_layers(SKIP, n_inputs=0)


def test_the_summary_counts_connections_beside_parameters() -> None:
    lines = Network.from_layers(TIED, n_inputs=4).summary().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["layer", "source", "shape", "unit", "connections", "weights", "biases", "parameters"]
    assert lines[1].split() == ["first", "input", "4", "→", "4", "tanh", "16", "16", "4", "20"]
    assert lines[2].split() == ["again", "first", "4", "→", "4", "tanh,", "as", "first", "16", "0", "0", "0"]
    assert lines[3].split()[:6] == ["scores", "again,", "first,", "input", "12", "→"]
    assert lines[4].split() == ["total", "4", "→", "2", "10", "neurons", "56", "40", "6", "46"]


def test_graphs_and_mixtures_run_where_chains_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KILONET_ENGINE", raising=False)
    net, mixture = Network.from_layers(TIED, n_inputs=4), Network([4, Dense(3, kn.mixed((relu, 1), (tanh, 2))), 1])
    assert choose(net).NAME == choose(mixture).NAME == engine_name()
    X = RANDOM.normal(size=(20, 4)).astype(np.float32)
    runs = kn.train(net, kn.squared, X, X[:, :2], epochs=2, seeds=[0, 1])
    assert runs.engine == engine_name()


def test_a_mixture_with_a_unit_of_ones_own_runs_on_the_reference_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bent(kn.activations.Activation):
        name = "bent"

        def value(self, z: Any) -> Any:
            return np.where(z > 1, 1, z)

        def slope(self, z: Any) -> Any:
            return np.where(z > 1, 0, 1).astype(z.dtype)

    mixture = Network([4, Dense(3, kn.mixed((relu, 1), (Bent(), 2))), 1])
    monkeypatch.delenv("KILONET_ENGINE", raising=False)
    assert choose(mixture).NAME == "reference"
    monkeypatch.setenv("KILONET_ENGINE", "native")
    with pytest.raises(EngineError, match=r"KILONET_ENGINE asks for native, but .* unset it"):
        choose(mixture)


def test_the_kernel_is_told_who_takes_what_and_whose_weights() -> None:
    specs = layer_specs(Network.from_layers(TIED, n_inputs=4))
    assert [(sources, owner) for _, _, _, sources, owner in specs] == [([-1], 0), ([0], 0), ([1, 0, -1], 2)]
    mixed = layer_specs(Network([4, Dense(3, kn.mixed((relu, 1), (kn.elu(0.5), 2))), 1]))
    assert mixed[0] == (3, 1, [(3, 0.0, 1), (6, 0.5, 2)], [-1], 0)


def test_chains_and_graphs_train_in_one_call() -> None:
    nets = [Network.from_layers(SKIP, n_inputs=4), Network([4, 5, 3]), Network.from_layers(SKIP, n_inputs=4)]
    X = RANDOM.normal(size=(20, 4)).astype(np.float32)
    runs = kn.train(nets, kn.squared, X, X[:, :3], epochs=3)
    assert [theta.shape for theta in runs.theta] == [(95,), (43,), (95,)]
    assert runs.history.loss.shape == (3, 3)
    alone = kn.train(nets[2], kn.squared, X, X[:, :3], epochs=3, seeds=[2])
    np.testing.assert_array_equal(runs.theta[2], alone.theta[0])


def test_a_skip_helps_where_it_should() -> None:
    """A line plus a bump: a skip from the inputs to the scores takes the line, two hidden units the bump."""
    X = np.linspace(-3, 3, 200)[:, None]
    y = 5 * X + np.exp(-(X**2))
    layers = {"bump": Dense(2, tanh), "scores": Dense(1, identity, source=("bump", "input"))}
    settings: dict[str, Any] = {"epochs": 60, "seeds": range(8), "optimizer": kn.Adam(0.03)}
    with_skip = kn.train(Network.from_layers(layers, n_inputs=1), kn.squared, X, y, **settings).history.loss[-1]
    without = kn.train(Network([1, 2, 1], activation=tanh), kn.squared, X, y, **settings).history.loss[-1]
    assert np.median(with_skip) < 0.2 * np.median(without)


def test_tied_weights_stay_one_and_are_bounded_once() -> None:
    net = Network.from_layers(TIED, n_inputs=4)
    X = RANDOM.normal(size=(20, 4))
    runs = kn.train(net, kn.squared, X, X[:, :2], epochs=3, max_norm=0.3, rate=0.1, dtype="float64", seed=0)
    for view in net.views(runs.theta):
        assert np.linalg.norm(view.W, axis=-1).max() <= 0.3 * (1 + 1e-12)
    assert runs.history.dead.shape == (3, 2)
    assert runs.history.weight_norm.shape == (3, 3)
    norms = runs.history.weight_norm[0]
    assert norms[0] == norms[1]  # of each place: the same weights


def saved(network: Network) -> persistence.SavedModel:
    return persistence.SavedModel(
        network, kn.squared, kn.Recipe.make(), network.initial(), "regression", versions={"kilonet": "0"}
    )


def test_model_files_hold_graphs(tmp_path: Path) -> None:
    net = Network.from_layers(TIED, n_inputs=4)
    file = persistence.save(saved(net), tmp_path / "graph.kn")
    again = persistence.load(file)
    assert again.network == net
    assert again.network.names == net.names
    with pytest.raises(FileFormatError, match="graph of layers"):
        kn.load(file)


@pytest.mark.parametrize(
    ("place", "key", "value", "says"),
    [
        (0, "source", ["again"], "cycle: first → again → first"),
        (1, "layer", "nobody", "no layer has that name"),
        (1, "source", [["first"]], "needs the name of a layer"),
        (2, "source", "nobody", "no layer has that name"),
        (1, "name", "dense", "dense"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, place: int, key: str, value: Any, says: str) -> None:
    model = saved(Network.from_layers(TIED, n_inputs=4))
    description, tensors = container.unpack(persistence.save(model, tmp_path / "graph.kn").read_bytes(), "graph.kn")
    changed = {key: part for key, part in json.loads(json.dumps(description)).items() if key != "checksum"}
    changed["network"]["layers"][place][key] = value
    bad = tmp_path / "bad.kn"
    bad.write_bytes(container.pack(tensors, changed))
    with pytest.raises(FileFormatError, match=says):
        persistence.load(bad)


def test_names_in_a_description_are_as_many_as_layers() -> None:
    description = Network.from_layers(TIED, n_inputs=4).to_json()
    for names in (["a"], "abc", [["first"], "again", "scores"], None):
        with pytest.raises(SettingError):
            Network.from_json(description | {"names": names})


def test_long_cycles_and_long_chains_are_no_trouble() -> None:
    n = 3000
    chain = {f"l{i}": Dense(1, source=f"l{i - 1}" if i else "input") for i in reversed(range(n))}
    assert Network.from_layers(chain, n_inputs=1).n_layers == n
    with pytest.raises(SettingError, match=r"l2999 → l0 → l1 → .* → l2999") as caught:
        Network.from_layers(chain | {"l0": Dense(1, source=f"l{n - 1}")}, n_inputs=1)
    assert len(str(caught.value)) < 400


def test_collapse_refuses_what_is_no_chain() -> None:
    net = Network.from_layers(SKIP, n_inputs=4)
    with pytest.raises(SettingError, match="no chain"):
        kn.collapse(net, net.initial())


def test_several_activations_within_one_layer() -> None:
    unit = kn.mixed((relu, 2), (tanh, 1), (kn.leaky_relu(0.2), 3))
    z = RANDOM.normal(size=(4, 6))
    by_hand = np.hstack([np.maximum(z[:, :2], 0), np.tanh(z[:, 2:3]), np.where(z[:, 3:] > 0, z[:, 3:], 0.2 * z[:, 3:])])
    np.testing.assert_allclose(unit.value(z), by_hand, rtol=1e-14)
    assert str(unit) == "mixed(relu:2, tanh:1, leaky_relu(alpha=0.2):3)"
    assert activation_from(str(unit)) == unit
    assert activation_from(repr(unit)) == unit
    assert activation_from(json.loads(json.dumps(unit.to_json()))) == unit
    assert eval(repr(unit), vars(kn.activations) | {"mixed": kn.mixed}) == unit  # noqa: S307 (its own repr)
    net = Network([4, Dense(6, unit), 1])
    assert "mixed(relu:2, tanh:1, leaky_relu(alpha=0.2):3)" in net.summary()
    assert Network.from_json(json.loads(json.dumps(net.to_json()))) == net
    assert kn.Neuron.of(net, net.initial(), 0, 2).activation == tanh
    assert kn.Neuron.of(net, net.initial(), 0, -1).activation == kn.leaky_relu(0.2)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: Dense(20, kn.mixed((relu, 10), (tanh, 5))), "20 units, mixed(relu:10, tanh:5) 15"),
        (lambda: Dense(20, kn.mixed), "without parts"),
        (lambda: kn.mixed((relu, 0)), "came as 0"),
        (lambda: kn.mixed(relu, tanh), "needs pairs"),
        (lambda: kn.mixed((kn.maxout, 3)), "maxout"),
        (lambda: kn.mixed((prelu, 3)), "prelu"),
        (lambda: kn.mixed((kn.mixed((relu, 2)), 2)), "mixed"),
        (lambda: activation_from("mixed(relu:10, tanh)"), "needs pairs"),
        (lambda: activation_from("mixed(relu:10:3)"), "cannot read"),
        (lambda: activation_from("mixed(:10)"), "cannot read"),
        (lambda: activation_from("mixed[relu:10]"), "unknown activation"),
        (lambda: activation_from("mixed(relu:10"), "cannot read"),
        (lambda: activation_from("mixed(relu:2] + x[1:2)"), "cannot read"),
    ],
)
def test_what_is_no_mixture_is_refused(made: Any, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        made()
    assert says in str(caught.value)


def test_a_mixed_layer_starts_as_its_parts_would_and_tells_what_saturates() -> None:
    unit = kn.mixed((relu, 3), (tanh, 2))
    net, plain = Network([4, Dense(5, unit), 1]), Network([4, 5, 1])
    (W, _, _), _ = net.views(net.initial(seed=3, dtype="float64"))
    (he, _, _), _ = plain.views(plain.initial(seed=3, dtype="float64"))
    np.testing.assert_array_equal(W[:3], he[:3])
    np.testing.assert_allclose(W[3:], he[3:] * np.sqrt(4 / 9), rtol=1e-12)  # glorot: 2 / (4 + 5); he: 2 / 4
    X: Array = RANDOM.normal(size=(30, 4))
    runs = kn.train(net, kn.squared, X * 100, X[:, :1], epochs=1, watch=1, rate=1e-9, seed=3, dtype="float64")
    hidden = net.hidden(runs.theta, X * 100)[0]
    assert runs.history.saturated[0, 0] == np.float32(np.mean(np.abs(hidden[:, 3:]) > 0.97))


def test_the_page_says_what_happens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "graphs.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        exec(block, {})  # noqa: S102 - the project's own examples, each by itself
    shown = re.findall(r"^```text\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[0]
    said = capsys.readouterr().out
    assert said == shown + re.findall(r"# (\d+ \d+)$", page, re.MULTILINE)[0] + "\n"
    assert (tmp_path / "skip.kn").exists()
    exec(re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[0], names := dict[str, Any]())  # noqa: S102
    graph = names["net"].graph
    assert f"they are `{graph.sources}` and\n  `{graph.owners}`" in page


def test_an_estimator_takes_a_mixture() -> None:
    X = RANDOM.normal(size=(60, 3))
    fitted = kn.MLPRegressor(hidden=4, activation="mixed(relu:2, tanh:2)", epochs=3, random_state=0).fit(X, X[:, 0])
    assert fitted.network_.layers[0].activation == kn.mixed((relu, 2), (tanh, 2))


def skip() -> kn.Network:
    layers = {"hidden": kn.Dense(4), "scores": kn.Dense(2, source=("hidden", "input"))}
    return kn.Network.from_layers(layers, n_inputs=3)


def test_a_file_of_a_graph_comes_back_and_says_in_one_sentence_how_where_an_estimator_is_looked_for(
    tmp_path: Path,
) -> None:
    net = skip()
    X = RANDOM.normal(size=(40, 3)).astype(np.float32)
    runs = kn.train(net, kn.cross_entropy, X, np.arange(40) % 2, epochs=2)
    classes = np.array(["a", "b"])
    model = persistence.SavedModel(net, kn.cross_entropy, runs.recipe, runs.theta, "classification", classes=classes)
    path = persistence.save(model, tmp_path / "skip.kn")
    again = persistence.load(path)
    assert again.network.names == net.names
    np.testing.assert_array_equal(again.network.scores(again.theta, X), net.scores(runs.theta, X))
    with pytest.raises(kn.FileFormatError) as caught:
        kn.load(path)
    assert str(caught.value) == (
        "the file holds a graph of layers (hidden, scores), which no estimator has; read it with "
        "kilonet.persistence.load, and predict with network.scores(theta, X)."
    )


@pytest.mark.parametrize("hidden", [skip(), kn.Network([3, 4, 2]), {"a": kn.Dense(3)}, [kn.Dense(3), skip()]])
@pytest.mark.parametrize("kind", [kn.MLPClassifier, kn.MLPRegressor])
def test_an_estimator_refuses_a_graph_and_says_what_trains_one(kind: Any, hidden: Any) -> None:
    with pytest.raises(kn.SettingError) as caught:
        kind(hidden=hidden).fit(np.eye(3), [0, 1, 0])
    said = str(caught.value)
    assert "estimators take no graphs" in said
    assert "kn.train" in said


@pytest.mark.parametrize(
    ("hidden", "says"), [(kn.Dense(3, source="input"), "hidden"), ([2, kn.Same("a", source="a")], r"hidden\[1\]")]
)
def test_an_estimator_refuses_layers_that_have_a_place_in_a_graph(hidden: Any, says: str) -> None:
    with pytest.raises(kn.SettingError, match=f"^{says} came as .*; estimators take no graphs"):
        kn.MLPClassifier(hidden=hidden).fit(np.eye(3), [0, 1, 0])


@pytest.mark.parametrize("activation", [kn.mixed, kn.mixed(), "mixed", "mixed()", {"name": "mixed"}])
def test_a_mixture_without_parts_is_refused_where_it_is_used(activation: Any) -> None:
    for use in (
        lambda: kn.Dense(20, activation),
        lambda: kn.Network([4, 20, 3], activation=activation),
        lambda: kn.Neuron([1.0], activation=activation),
        lambda: kn.MLPClassifier(hidden=2, activation=activation).fit(np.eye(3), [0, 1, 0]),
    ):
        with pytest.raises(kn.SettingError, match=r"mixed came without parts; .*mixed\(\(kn\.relu, 10\)"):
            use()
