"""Networks of PyTorch and scikit-learn: what is said of them is what NumPy counts on their weights."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import kilonet as kn
from kilonet.diagnostics import judge
from kilonet.diagnostics.foreign_monitor import TorchMonitor
from kilonet.diagnostics.foreign_sklearn import examine_sklearn, initial_of
from kilonet.diagnostics.foreign_sklearn import parameters as parameters_of
from kilonet.diagnostics.foreign_torch import examine_torch, network_of, parameters
from kilonet.diagnostics.reading import end_loss
from kilonet.errors import SettingError, ShapeError
from like_torch import (
    Conv2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    PReLU,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    Tensor,
)

RNG = np.random.default_rng(3)
X = RNG.uniform(size=(90, 5)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 1).astype(int)
EXACT = 1e-12  # float64 sums in another order
CLOSE = 1e-5  # float32 sums in another order


class CrossEntropyLoss:
    label_smoothing = 0.1


class NLLLoss:
    pass


class SGD:
    def __init__(self, **group: float) -> None:
        self.param_groups = [{"lr": 0.1} | group]


class MyNet(Module):
    """A module of one's own, whose forward calls a function where a child could be."""

    def __call__(self, x: Tensor) -> Tensor:
        return self.parts[1](Tensor(np.maximum(self.parts[0](x).values, 0)))


def planted(units: int = 8, dead: int = 3) -> Sequential:
    """A network some of whose hidden units are never above zero, for inputs between 0 and 1."""
    module = Sequential(Linear(5, units), ReLU(), Linear(units, 2))
    module.parts[0].bias.values[:dead] = -10
    return module


def hand_count(weights: Any, biases: Any) -> float:
    return float(np.mean(~(X @ weights.T + biases > 0).any(axis=0)))


def examined(module: Any, y: Any = Y, **more: Any) -> Any:
    return examine_torch(module, X, y, full=False, **more)


def test_dead_units_of_a_module_are_those_that_numpy_counts_and_the_rule_finds_them() -> None:
    module = planted(units=16, dead=6)
    found = examined(module)
    first = module.parts[0]
    assert found.layers[0].dead == hand_count(first.weight.values, first.bias.values)
    assert found.layers[0].dead >= 6 / 16
    shares = (X @ first.weight.values.T + first.bias.values > 0).mean(axis=0)
    np.testing.assert_array_equal(found.layers[0].activity, shares)
    said = [(finding.rule, finding.layer) for finding in judge(found)]
    assert ("dead units", 1) in said
    assert ("dead units", 1) not in [(f.rule, f.layer) for f in judge(examined(planted(dead=0)))]


def test_the_parameters_stand_as_torch_puts_them_into_a_vector() -> None:
    module = planted()
    one, last = module.parts[0], module.parts[2]
    flat = [one.weight.values, one.bias.values, last.weight.values, last.bias.values]
    np.testing.assert_array_equal(parameters(module), np.concatenate([part.ravel() for part in flat]))


def test_nested_modules_with_every_kind_of_layer_compute_the_same() -> None:
    own = [Linear(5, 4), LeakyReLU(), Dropout(), Linear(4, 3, bias=False), PReLU(), Linear(3, 3), Tanh(), Linear(3, 2)]
    module = Module(Sequential(Flatten(), *own[:3]), Sequential(*own[3:5]), *own[5:])
    network, dropout = network_of(module)
    assert [layer.unit for layer in network.layers] == ["leaky_relu(alpha=0.2)", "prelu", "tanh", "identity"]
    assert dropout == [0.25]
    found = examined(module)  # compares the outputs itself, with dropout off
    assert (found.origin, found.settings["dropout"], found.task) == ("torch", 0.25, "classification")
    assert all(part.training for part in module.modules())
    module.eval()
    scores = network.scores(parameters(module), X)
    np.testing.assert_allclose(scores, module(Tensor(X)).values, atol=CLOSE)


def test_a_layer_that_stands_twice_is_asked_twice() -> None:
    unit = ReLU()
    module = Sequential(Linear(5, 4), unit, Linear(4, 4), unit, Linear(4, 2))
    assert [layer.unit for layer in examined(module).layers] == ["relu", "relu", "identity"]


def test_modes_of_single_modules_stay() -> None:
    module = Sequential(Linear(5, 4), Dropout(), Linear(4, 2))
    module.parts[1].training = False
    examined(module)
    assert [part.training for part in module.modules()] == [True, True, False, True]


def test_images_are_unrolled() -> None:
    pictures = RNG.uniform(size=(30, 8, 8))
    module = Sequential(Flatten(), Linear(64, 6), ReLU(), Linear(6, 2))
    found = examine_torch(module, pictures, np.arange(30) % 2, full=False)
    np.testing.assert_array_equal(found.layers[0].images, module.parts[1].weight.values.reshape(6, 8, 8))


def test_what_the_children_do_not_tell_is_refused() -> None:
    with pytest.raises(SettingError, match="forward call functions"):
        examined(MyNet(Linear(5, 4), Linear(4, 2)))


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([Linear(5, 4), ReLU(), Linear(4, 2), Softmax()], "ends in Softmax; remove it: the loss owns the link"),
        ([Linear(5, 1), Sigmoid()], "ends in Sigmoid; remove it.*BCEWithLogitsLoss"),
        ([Conv2d(), Linear(5, 2)], "Conv2d follows no Linear"),
        ([Linear(5, 2), Conv2d()], "Conv2d .* is no layer that can be examined; needs one of Linear, ReLU"),
        ([Linear(5, 2), ReLU(), ReLU()], "ReLU follows no Linear"),
        ([Flatten()], "has no Linear layer"),
    ],
)
def test_layers_that_cannot_be_examined_are_named(layers: list[Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        examined(Sequential(*layers))


def test_what_is_no_module_is_said() -> None:
    with pytest.raises(SettingError, match=r"module came as ndarray; needs a torch.nn.Module"):
        examined(X)
    with pytest.raises(ShapeError, match="the first Linear needs 4 inputs"):
        examined(Sequential(Linear(4, 2)))


def test_losses_and_optimizers_of_torch_get_kilonets_names() -> None:
    found = examined(planted(), loss=CrossEntropyLoss(), optimizer=SGD(momentum=0.9, weight_decay=0.01),
                     settings={"batch": 30})  # fmt: skip
    told = {name: found.settings[name] for name in ("optimizer", "rate", "l2", "batch", "loss", "n_rows", "hidden")}
    assert told == {"optimizer": "momentum", "rate": 0.1, "l2": 0.01, "batch": 30, "loss": "cross_entropy",
                    "n_rows": 90, "hidden": (8,)}  # fmt: skip
    with pytest.raises(SettingError, match=r"without LogSoftmax: give module\[:-1\], with loss=CrossEntropyLoss"):
        examined(planted(), loss=NLLLoss())


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "task"),
    [
        (Y, 2, "cross_entropy", "classification"),
        (Y[:, None].astype(np.float32), 1, "logistic", "classification"),
        (np.stack([Y, 1 - Y, Y], axis=1), 3, "logistic", "multilabel"),
        (X[:, 0], 1, "squared", "regression"),
        (X[:, :2], 2, "squared", "regression"),
    ],
)
def test_the_loss_follows_from_the_targets(y: Any, outputs: int, loss: str, task: str) -> None:
    found = examined(Sequential(Linear(5, 3), ReLU(), Linear(3, outputs)), y)
    assert (found.settings["loss"], found.task) == (loss, task)


def test_the_gradient_is_that_of_the_mean_loss() -> None:
    module = Sequential(Linear(5, 2))
    found = examined(module)
    scores = X @ module.parts[0].weight.values.T
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = np.linalg.norm((p - np.eye(2)[Y]).T @ X / len(X))
    assert found.layers[0].gradient_norm == pytest.approx(expected, rel=CLOSE)


def test_histories_come_as_lists() -> None:
    found = examined(planted(), history={"loss": [0.7, 0.5, None], "validation_loss": [0.8, 0.6, 0.7]})
    np.testing.assert_array_equal(found.history.loss, [0.7, 0.5, np.nan])
    assert np.isnan(found.history.score).all()
    assert found.history.dead.shape == (3, 1)
    with pytest.raises(SettingError, match=r"a list of history came as .accuracy.; needs one of loss, score"):
        examined(planted(), history={"accuracy": [1.0]})
    with pytest.raises(SettingError, match="lists of 1 and 2 epochs"):
        examined(planted(), history={"loss": [1.0], "score": [1.0, 2.0]})


def test_weights_that_are_no_numbers_diverged() -> None:
    module = planted()
    module.parts[0].weight.values[0, 0] = np.nan
    found = examined(module, history={"loss": [0.7, 9e9, np.inf, np.nan]}, validation=(X, Y))
    assert (found.diverged, found.gap) == (3, None)


def test_held_out_rows_make_a_gap() -> None:
    found = examined(planted(), validation=(X[:30], Y[:30]))
    module = planted()
    module.eval()
    assert found.gap is not None
    assert found.gap.low <= found.gap.training - found.gap.held_out <= found.gap.high


def fitted(kind: Any = MLPClassifier, y: Any = Y, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(hidden_layer_sizes=(8, 6), max_iter=5, random_state=0, **settings).fit(X.astype(np.float64), y)


def test_scikit_learns_dead_units_are_those_that_numpy_counts_and_the_rule_finds_them() -> None:
    mlp = fitted()
    mlp.intercepts_[0][2:6] = -10
    found = examine_sklearn(mlp, X.astype(np.float64), Y, full=False)
    z = X.astype(np.float64) @ mlp.coefs_[0] + mlp.intercepts_[0]
    np.testing.assert_array_equal(found.layers[0].activity, (z > 0).mean(axis=0))
    second = np.maximum(z, 0) @ mlp.coefs_[1] + mlp.intercepts_[1]
    assert found.layers[1].dead == np.mean(~(second > 0).any(axis=0))
    assert ("dead units", 1) in [(finding.rule, finding.layer) for finding in judge(found)]


@pytest.mark.parametrize(
    ("kind", "y", "loss", "task"),
    [
        (MLPClassifier, np.array(["no", "yes"])[Y], "logistic", "classification"),
        (MLPClassifier, Y + (X[:, 2] > 0.5), "cross_entropy", "classification"),
        (MLPClassifier, np.stack([Y, 1 - Y, Y], axis=1), "logistic", "multilabel"),
        (MLPRegressor, X[:, 0], "squared", "regression"),
        (MLPRegressor, X[:, :2], "squared", "regression"),
    ],
)
def test_loss_and_penalty_are_those_that_scikit_learn_minimized(kind: Any, y: Any, loss: str, task: str) -> None:
    mlp = fitted(kind, y, solver="lbfgs", alpha=0.5)
    found = examine_sklearn(mlp, X.astype(np.float64), y, full=False)
    assert (found.settings["loss"], found.task, found.origin) == (loss, task, "scikit-learn")
    assert (found.settings["optimizer"], found.settings["rate"], found.settings["epochs"]) == ("lbfgs", None, 5)
    assert found.history.loss.tolist() == [mlp.loss_]  # all that is kept, and enough to tell that it was trained
    assert "not trained yet" not in str(kn.diagnose(found))
    network = kn.Network([5, 8, 6, found.settings["n_outputs"]])
    theta = np.concatenate(
        [part.ravel() for w, b in zip(mlp.coefs_, mlp.intercepts_, strict=True) for part in (w.T, b)]
    )
    targets = np.unique(y, return_inverse=True)[1] if y.ndim == 1 and kind is MLPClassifier else y
    value, _ = kn.value_and_grad(network, loss, theta, X.astype(np.float64), targets, l2=found.settings["l2"])
    if kind is MLPRegressor and y.ndim == 2:  # scikit-learn takes the mean over outputs, and the penalty as it is
        penalty = found.settings["l2"] / 2 * sum(float((w**2).sum()) for w in mlp.coefs_)
        value = (value - penalty) / 2 + penalty
    assert float(value) == pytest.approx(mlp.loss_, rel=1e-9)  # of a sum over 90 rows in float64


def test_scikit_learns_settings_and_curves_get_kilonets_names() -> None:
    mlp = fitted(solver="sgd", momentum=0.5, learning_rate_init=0.03, alpha=0.2, batch_size=20, early_stopping=True)
    found = examine_sklearn(mlp, X.astype(np.float64), Y, full=False)
    told = {name: found.settings[name] for name in ("optimizer", "rate", "batch", "epochs", "l2", "activation")}
    assert told == {"optimizer": "nesterov", "rate": 0.03, "batch": 20, "epochs": 5, "l2": 0.01, "activation": "relu"}
    np.testing.assert_array_equal(found.history.loss, mlp.loss_curve_)
    np.testing.assert_array_equal(found.history.validation_score, mlp.validation_scores_)


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_the_start_of_scikit_learn_is_drawn_anew(activation: str) -> None:
    mlp = fitted(activation=activation, learning_rate_init=1e-12, alpha=0.0)
    start = initial_of(mlp)
    np.testing.assert_allclose(start, parameters_of(mlp), rtol=0, atol=1e-9)
    found = examine_sklearn(mlp, X.astype(np.float64), Y, full=False)
    norms = [np.linalg.norm(weights) for weights in mlp.coefs_]
    np.testing.assert_allclose(found.history.weight_norm[0], norms, rtol=1e-6)
    assert np.isnan(found.history.update_ratio).all()
    assert np.isnan(found.history.weight_norm[1:]).all()
    assert found.history.first_loss[0] == pytest.approx(mlp.loss_curve_[0], rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "y", "nothing"),
    [
        (MLPClassifier, Y, lambda p: -(p * np.log(p) + (1 - p) * np.log(1 - p))),
        (MLPRegressor, 3 * Y, lambda p: 9 * p * (1 - p) / 2),
    ],
)
def test_the_loss_of_knowing_nothing_is_known_of_scikit_learns_networks(kind: Any, y: Any, nothing: Any) -> None:
    found = examine_sklearn(fitted(kind, y), X.astype(np.float64), y, full=False)
    assert found.target is not None
    assert found.target.nothing == pytest.approx(nothing(np.mean(Y)), rel=1e-6)


def test_the_penalty_that_scikit_learn_counts_is_no_loss() -> None:
    rows = X.astype(np.float64)
    mlp = fitted(alpha=30.0, solver="lbfgs")
    found = examine_sklearn(mlp, rows, Y, full=False)
    assert found.target is not None
    p = mlp.predict_proba(rows)[np.arange(90), Y]
    assert found.target.left == pytest.approx(-np.mean(np.log(p)), rel=1e-6)
    assert end_loss(found) == found.target.left < mlp.loss_


def test_scikit_learn_is_refused_where_it_cannot_be_translated() -> None:
    with pytest.raises(SettingError, match="needs a fitted MLPClassifier or MLPRegressor of scikit-learn"):
        examine_sklearn(MLPClassifier(), X, Y)
    mlp = fitted(MLPRegressor, X[:, 0])
    mlp.out_activation_ = "exp"
    with pytest.raises(SettingError, match="with the output exp, which Kilonet has not"):
        examine_sklearn(mlp, X, X[:, 0])


def test_a_full_examination_also_trains() -> None:
    found = examine_sklearn(fitted(MLPRegressor, 1000 + X[:, 0]), X.astype(np.float64), 1000 + X[:, 0])
    assert found.rates is not None
    assert found.rates.used == 0.001
    assert found.small is not None
    assert found.small.loss < 1  # of standardized numbers, not of thousands
    assert found.inputs is not None
    assert examine_torch(planted(), X, Y).rates is None  # nobody said which optimizer


class Trained:
    """A module whose weights are moved as if somebody trained it, and what NumPy saw of each epoch."""

    def __init__(self) -> None:
        self.module = planted(dead=1)
        self.random = np.random.default_rng(5)
        self.weights = [self.copy()]

    def copy(self) -> list[Any]:
        return [part.weight.values.astype(np.float64) for part in (self.module.parts[0], self.module.parts[2])]

    def move(self, size: float) -> None:
        for part in (self.module.parts[0], self.module.parts[2]):
            part.weight.values += size * self.random.normal(size=part.weight.shape).astype(np.float32)
        self.module.parts[0].bias.values[:] -= 0.2

    def changes(self, old: list[Any], new: list[Any]) -> list[float]:
        return [float(np.linalg.norm(b - a) / np.linalg.norm(a)) for a, b in zip(old, new, strict=True)]


def test_the_monitor_sees_what_numpy_sees() -> None:
    run = Trained()
    monitor = TorchMonitor(run.module, X, Y, settings={"batch": 30}, validation=(X[:40], Y[:40]))
    dead, changes = [], []
    for epoch in range(3):
        run.move(0.1)
        monitor(epoch, loss=Tensor(0.5 - 0.1 * epoch))
        run.weights.append(run.copy())
        dead.append(hand_count(run.module.parts[0].weight.values, run.module.parts[0].bias.values))
        changes.append(run.changes(*run.weights[-2:]))
    history = monitor.history
    np.testing.assert_allclose(history.loss, [0.5, 0.4, 0.3], rtol=CLOSE)  # float32 of the tensor
    np.testing.assert_allclose(history.dead[:, 0], dead, rtol=1e-7)  # histories keep float32
    np.testing.assert_allclose(monitor.changes, changes, rtol=CLOSE)
    np.testing.assert_allclose(history.update_ratio, np.divide(changes, 3), rtol=CLOSE)  # 90 rows, batches of 30
    before = [[np.linalg.norm(w) for w in own] for own in run.weights[:3]]
    np.testing.assert_allclose(history.weight_norm, before, rtol=CLOSE)
    assert np.isfinite(history.validation_loss).all()
    assert np.isfinite(history.gradient_norm).all()
    found = monitor.examination(full=False)
    epochs, (layer,) = found.activity  # type: ignore[misc]
    assert list(epochs) == [0, 1, 2, 3]
    np.testing.assert_array_equal(np.mean(layer[1:] == 0, axis=1), dead)
    assert found.layers[0].dead == dead[-1]
    assert found.start is not None
    assert found.start.expected == pytest.approx(np.log(2), rel=EXACT)
    assert found.gap is not None


def test_a_real_step_is_taken_for_what_it_is() -> None:
    run = Trained()
    monitor = TorchMonitor(run.module, X, Y)
    run.move(0.01)
    monitor.step()
    first = run.changes(run.weights[0], run.copy())
    run.move(0.5)
    monitor()
    np.testing.assert_allclose(monitor.history.update_ratio[0], first, rtol=CLOSE)
    run.move(0.5)
    monitor()
    assert np.isnan(monitor.history.update_ratio[1]).all()  # no step, and nobody said how many there are
    assert np.isfinite(monitor.changes).all()


def test_the_monitor_looks_inside_as_often_as_it_is_asked_to() -> None:
    run = Trained()
    monitor = TorchMonitor(run.module, X, Y, every=2)
    for epoch in range(1, 5):
        run.move(0.1)
        monitor(epoch)
    assert np.isnan(monitor.history.dead[:, 0]).tolist() == [False, True, False, True]
    assert np.isfinite(monitor.history.loss).all()
    with pytest.raises(SettingError, match="epoch came as 7; 5 comes next"):
        monitor(7)


def test_the_monitor_tells_saturation_and_the_start() -> None:
    module = Sequential(Linear(5, 4), Tanh(), Linear(4, 1))
    module.parts[0].weight.values *= 30
    monitor = TorchMonitor(module, X, 5 + X[:, 0])
    scores = module(Tensor(X)).values[:, 0].astype(np.float64)
    monitor()
    outputs = np.tanh(X @ module.parts[0].weight.values.T)
    assert monitor.history.saturated[0, 0] == pytest.approx(
        np.mean(np.abs(outputs) > 0.97), abs=0.02
    )  # ties of float32
    start = monitor.examination(full=False).start
    assert start is not None
    y = (5 + X[:, 0]).astype(np.float64)
    assert start.loss == pytest.approx(np.mean((scores - y) ** 2), rel=CLOSE)  # as MSELoss has it
    assert start.expected == pytest.approx(np.var(y), rel=1e-3)  # small by the side of y itself, kept in float32


def test_the_monitor_says_when_a_network_is_lost() -> None:
    run = Trained()
    monitor = TorchMonitor(run.module, X, Y)
    for size in (0.1, np.inf, 0.1):
        with np.errstate(all="ignore"):
            run.move(size)
        monitor()
    found = monitor.examination(full=False)
    assert (found.diverged, np.isnan(found.history.loss).tolist()) == (2, [False, True, True])


def test_partial_fit_of_scikit_learn_is_watched_like_a_module() -> None:
    mlp = MLPClassifier((6,), batch_size=30, random_state=0)
    rows = X.astype(np.float64)
    monitor = TorchMonitor(mlp, rows, Y)
    with pytest.raises(SettingError, match="no weights yet"):
        monitor.examination()
    before, dead, changes = None, [], []
    for epoch in range(1, 4):
        mlp.partial_fit(rows, Y, classes=[0, 1])
        monitor(epoch, loss=mlp.loss_)
        if before is not None:
            changes.append([np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, mlp.coefs_, strict=True)])
        before = [weights.copy() for weights in mlp.coefs_]
        dead.append(np.mean(~(rows @ mlp.coefs_[0] + mlp.intercepts_[0] > 0).any(axis=0)))
    np.testing.assert_allclose(monitor.history.dead[:, 0], dead, rtol=1e-7)
    np.testing.assert_allclose(monitor.history.update_ratio[1:], np.divide(changes, 3), rtol=1e-6)  # kept in float32
    assert np.isnan(monitor.history.update_ratio[0]).all()
    assert monitor.examination(full=False).start is None


def test_torch_itself() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.GELU(), torch.nn.Dropout(0.5), torch.nn.Linear(6, 2))
    found = examined(module, loss=torch.nn.CrossEntropyLoss(), optimizer=torch.optim.AdamW(module.parameters()))
    vector = torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy()
    np.testing.assert_array_equal(parameters(module), vector)
    assert (found.settings["optimizer"], found.settings["rate"]) == ("adamw", 0.001)
    torch.nn.CrossEntropyLoss()(module.eval()(torch.tensor(X)), torch.tensor(Y)).backward()
    norms = [float(module[place].weight.grad.norm()) for place in (0, 3)]
    np.testing.assert_allclose([layer.gradient_norm for layer in found.layers], norms, rtol=1e-4)  # float32
