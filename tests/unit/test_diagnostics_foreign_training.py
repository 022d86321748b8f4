"""How others trained: their losses are told as they reckon them, and steps of Kilonet's are the steps they made."""

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import kilonet as kn
from kilonet.diagnostics import TorchMonitor, examine_sklearn, examine_torch
from kilonet.diagnostics.foreign import Stranger
from kilonet.diagnostics.foreign_given import curves
from kilonet.diagnostics.foreign_optimizer import trained_by
from kilonet.diagnostics.foreign_torch import parameters, translated
from kilonet.engine import choose
from kilonet.errors import DataError, SettingError, ShapeError
from like_torch import Linear, Sequential, Tanh, Tensor

RNG = np.random.default_rng(11)
X = RNG.normal(size=(60, 4))
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
BITS = (X[:, :3] > 0).astype(np.float32)
NUMBERS = np.stack([3 * X[:, 0] + 1, X[:, 1]], axis=1).astype(np.float32)
W, V = np.array([1.0, 2.0, 5.0]), np.array([0.5, 1.0, 2.0])
SAME = 1e-4  # float32 against float64
EXACT = 1e-9  # sums of 60 rows in float64, in another order

Formula = Callable[[Any, Any], Any]


def loss_named(name: str, **settings: Any) -> Any:
    """A loss of torch's by its class, with what torch would have set."""
    usual = {"reduction": "mean", "weight": None, "pos_weight": None, "label_smoothing": 0.0, "delta": 1.0, "beta": 1.0}
    return type(name, (), usual | settings)()


def logs(z: Any) -> Any:
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def entropy(z: Any, y: Any) -> Any:
    return -logs(z)[np.arange(len(y)), y]


def bits(z: Any, y: Any, p: Any = 1.0, w: Any = 1.0) -> Any:
    s = 1 / (1 + np.exp(-z))
    return -w * (p * y * np.log(s) + (1 - y) * np.log(1 - s))


def bent(r: Any, at: float) -> Any:
    return np.where(np.abs(r) < at, r**2 / 2, at * (np.abs(r) - at / 2))


LOSSES: list[tuple[Any, Any, Formula]] = [  # as torch's pages write them, losses of a batch
    (loss_named("CrossEntropyLoss"), CLASSES, lambda z, y: entropy(z, y).mean()),
    (loss_named("CrossEntropyLoss", label_smoothing=0.2), CLASSES,
     lambda z, y: (0.8 * entropy(z, y) - 0.2 * logs(z).mean(axis=1)).mean()),
    (loss_named("CrossEntropyLoss", weight=Tensor(W)), CLASSES, lambda z, y: W[y] @ entropy(z, y) / W[y].sum()),
    (loss_named("CrossEntropyLoss", weight=Tensor(W), reduction="sum"), CLASSES, lambda z, y: W[y] @ entropy(z, y)),
    (loss_named("CrossEntropyLoss", reduction="sum"), CLASSES, lambda z, y: entropy(z, y).sum()),
    (loss_named("BCEWithLogitsLoss"), BITS[:, :1], lambda z, y: bits(z, y).mean()),
    (loss_named("BCEWithLogitsLoss"), BITS, lambda z, y: bits(z, y).mean()),
    (loss_named("BCEWithLogitsLoss", pos_weight=Tensor([3.0])), BITS[:, :1], lambda z, y: bits(z, y, 3.0).mean()),
    (loss_named("BCEWithLogitsLoss", pos_weight=Tensor(W), weight=Tensor(V)), BITS,
     lambda z, y: bits(z, y, W, V).mean()),
    (loss_named("BCEWithLogitsLoss", reduction="sum"), BITS, lambda z, y: bits(z, y).sum()),
    (loss_named("MSELoss"), NUMBERS[:, :1], lambda z, y: np.mean((z - y) ** 2)),
    (loss_named("MSELoss"), NUMBERS, lambda z, y: np.mean((z - y) ** 2)),
    (loss_named("MSELoss", reduction="sum"), NUMBERS, lambda z, y: np.sum((z - y) ** 2)),
    (None, NUMBERS, lambda z, y: np.mean((z - y) ** 2)),
    (None, BITS, lambda z, y: bits(z, y).mean()),
    (loss_named("L1Loss"), NUMBERS, lambda z, y: np.mean(np.abs(z - y))),
    (loss_named("HuberLoss", delta=0.4), NUMBERS, lambda z, y: np.mean(bent(z - y, 0.4))),
    (loss_named("SmoothL1Loss", beta=0.4), NUMBERS, lambda z, y: np.mean(bent(z - y, 0.4) / 0.4)),
    (loss_named("SmoothL1Loss", beta=0.0), NUMBERS, lambda z, y: np.mean(np.abs(z - y))),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "y", "formula"), LOSSES)
def test_losses_and_gradients_are_the_trainings_own(loss: Any, y: Any, formula: Formula) -> None:
    k = 3 if y.ndim == 1 else y.shape[1]
    module = Sequential(Linear(4, k))
    monitor = TorchMonitor(module, X, y, loss=loss, settings={"batch": len(X)}, validation=(X[:20], y[:20]))
    weights = module.parts[0].weight.values.astype(np.float64)
    numeric, reach = np.empty_like(weights), 1e-6
    for place in np.ndindex(*weights.shape):
        moved = [weights.copy(), weights.copy()]
        moved[0][place] += reach
        moved[1][place] -= reach
        numeric[place] = (formula(X @ moved[0].T, y) - formula(X @ moved[1].T, y)) / (2 * reach)
    monitor()
    found = monitor.examination(full=False)
    rows = len(X) if getattr(loss, "reduction", "mean") == "sum" else 1  # losses are told for a row
    expected = formula(X @ weights.T, y) / rows
    assert found.layers[0].gradient_norm == pytest.approx(np.linalg.norm(numeric), rel=SAME)
    assert monitor.history.gradient_norm[0, 0] == pytest.approx(np.linalg.norm(numeric), rel=SAME)
    assert monitor.history.loss[0] == pytest.approx(expected, rel=SAME)
    assert found.start is not None
    assert found.start.loss == pytest.approx(expected, rel=SAME)
    held_out = formula(X[:20] @ weights.T, y[:20]) / (20 if rows > 1 else 1)
    if rows == 1 or getattr(loss, "weight", None) is None:  # a sum is told by the weights of the training rows
        assert monitor.history.validation_loss[0] == pytest.approx(held_out, rel=SAME)


def test_a_loss_that_a_training_reports_is_compared_with_one_of_its_own() -> None:
    """Half of what knowing nothing comes to is half: MSELoss is twice what Kilonet calls the squared loss."""
    y = NUMBERS[:, :1]
    monitor = TorchMonitor(Sequential(Linear(4, 1)), X, y, loss=loss_named("MSELoss"))
    for epoch in range(3):
        monitor(loss=np.var(y) * (0.9, 0.7, 0.5)[epoch])
    assert "nothing learned" not in [finding.rule for finding in kn.diagnose(monitor.examination(full=False)).findings]
    lazy = TorchMonitor(Sequential(Linear(4, 1)), X, y, loss=loss_named("MSELoss"))
    lazy(loss=np.var(y))
    assert "nothing learned" in [finding.rule for finding in kn.diagnose(lazy.examination(full=False)).findings]


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        (loss_named("CrossEntropyLoss", weight=Tensor(W), label_smoothing=0.1), CLASSES, "weight and label_smoothing"),
        (loss_named("CrossEntropyLoss", reduction="none"), CLASSES, "CrossEntropyLoss came as 'none'"),
        (loss_named("CrossEntropyLoss", weight=Tensor([1.0, 2.0])), CLASSES, r"weight of the loss has shape \(2,\)"),
        (
            loss_named("MSELoss", reduction="sum"),
            NUMBERS,
            "adds up the rows of a batch; say how many: settings=",
        ),
        (loss_named("BCELoss"), BITS, r"without Sigmoid: give module\[:-1\]"),
        (loss_named("KLDivLoss"), CLASSES, "loss came as KLDivLoss; needs CrossEntropyLoss, BCEWithLogitsLoss"),
    ],
)
def test_losses_that_cannot_be_told_are_refused(loss: Any, y: Any, words: str) -> None:
    k = 3 if y.ndim == 1 else y.shape[1]
    with pytest.raises(SettingError, match=words):
        examine_torch(Sequential(Linear(4, k)), X, y, loss=loss, full=False)


def test_classes_in_columns_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"argmax\(y, axis=1\) undoes one-hot columns"):
        examine_torch(Sequential(Linear(4, 3)), X, np.eye(3)[CLASSES], loss=loss_named("CrossEntropyLoss"))


def optimizer(kind: str, *groups: dict[str, Any]) -> Any:
    return type(kind, (), {"param_groups": list(groups)})()


ADAM = {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-7, "weight_decay": 0.1, "amsgrad": False}
SPECS = {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-7}


@pytest.mark.parametrize(
    ("given", "told", "same"),
    [
        (optimizer("SGD", {"lr": 0.1}), ("sgd", 0.1, 0.0), "sgd"),
        (optimizer("SGD", {"lr": 0.1, "momentum": 0.7}), ("momentum", 0.1, 0.0), {"name": "momentum", "beta": 0.7}),
        (optimizer("SGD", {"lr": 0.1, "momentum": 0.7, "nesterov": True}), ("nesterov", 0.1, 0.0),
         {"name": "nesterov", "beta": 0.7}),
        (optimizer("SGD", {"lr": 0.1, "momentum": 0.7, "dampening": 0.5}), ("momentum", 0.1, 0.0), None),
        (optimizer("Adam", ADAM), ("adam", 0.01, 0.1), {"name": "adam"} | SPECS),
        (optimizer("Adam", ADAM | {"amsgrad": True}), ("adam", 0.01, 0.1), None),
        (optimizer("AdamW", ADAM), ("adamw", 0.01, None), {"name": "adamw", "decay": 0.1} | SPECS),
        (optimizer("Adam", ADAM | {"decoupled_weight_decay": True}), ("adamw", 0.01, None),
         {"name": "adamw", "decay": 0.1} | SPECS),
        (optimizer("RMSprop", {"lr": 0.01, "alpha": 0.95, "eps": 1e-8}), ("rmsprop", 0.01, 0.0),
         {"name": "rmsprop", "decay": 0.95, "epsilon": 1e-8}),
        (optimizer("Lion", {"lr": 0.01}), ("Lion", 0.01, 0.0), None),
        (optimizer("SGD", {"lr": 0.001, "initial_lr": 0.1}), ("sgd", 0.1, 0.0), "sgd"),
        (optimizer("SGD", {"lr": 0.1}, {"lr": 0.2}), ("sgd", None, 0.0), "sgd"),
    ],
)  # fmt: skip
def test_optimizers_are_told_by_what_they_do(given: Any, told: Any, same: Any) -> None:
    known, own = trained_by(given, [])
    assert (known["optimizer"], known["rate"], known.get("l2")) == told
    assert own == same


def test_a_rate_that_came_to_nothing_is_no_rate_to_try() -> None:
    trainer = optimizer("SGD", {"lr": 0.0})
    assert examine_torch(Sequential(Linear(4, 3)), X, CLASSES, optimizer=trainer).rates is None


def test_groups_without_weights_are_not_asked() -> None:
    module = Sequential(Linear(4, 3))
    weight, bias = module.parts[0].weight, module.parts[0].bias
    groups = {"lr": 0.1, "weight_decay": 0.01, "params": [weight]}, {"lr": 0.2, "weight_decay": 0.0, "params": [bias]}
    known = translated(module, CLASSES, None, optimizer("SGD", *groups)).settings
    assert (known["rate"], known["l2"]) == (0.1, 0.01)


def test_steps_are_those_that_torch_makes() -> None:
    torch = pytest.importorskip("torch")
    nn, optim = torch.nn, torch.optim
    makers = [
        lambda groups: optim.SGD(groups, lr=0.01, momentum=0.7, nesterov=True),
        lambda groups: optim.Adam(groups, lr=0.01, betas=(0.8, 0.99), weight_decay=0.1),
        lambda groups: optim.AdamW(groups, lr=0.01, weight_decay=0.3),
        lambda groups: optim.RMSprop(groups, lr=0.01, alpha=0.95),
        lambda groups: optim.Adagrad(groups, lr=0.05),
    ]
    for make in makers:
        for reduction in ("mean", "sum"):
            module = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)).double()
            own = [[module[0].weight, module[2].weight], [module[0].bias, module[2].bias]]
            trainer = make([{"params": own[0]}, {"params": own[1], "weight_decay": 0.0}])  # as Kilonet has it
            loss = nn.MSELoss(reduction=reduction)
            told = translated(module, NUMBERS, loss, trainer, {"batch": len(X), "epochs": 7})
            subject = Stranger.met(told, X, NUMBERS, curves(None, told.network))
            for _ in range(7):
                trainer.zero_grad()
                loss(module(torch.tensor(X)), torch.tensor(NUMBERS, dtype=torch.float64)).backward()
                trainer.step()
            session = choose(subject.problem).Session(subject.problem, told.theta[np.newaxis].copy())
            session.advance(7, 60.0)
            np.testing.assert_allclose(session.theta()[0], parameters(module), atol=1e-8)  # sums in another order


def fitted(kind: Any, y: Any, rows: Any = X, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        usual = {"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0}
        return kind(**(usual | settings)).fit(rows, y)


@pytest.mark.parametrize("columns", [2, 3])
def test_several_labels_a_row_are_as_many_as_there_are_outputs(columns: int) -> None:
    y = BITS[:, :columns].astype(int)
    mlp = fitted(MLPClassifier, y)
    found = examine_sklearn(mlp, X, y, full=False)
    assert (found.task, found.settings["n_outputs"]) == ("multilabel", columns)
    assert found.target is not None
    assert list(found.target.classes.values()) == y.sum(axis=0).tolist()
    sparse = examine_sklearn(fitted(MLPClassifier, sp.csr_matrix(y)), X, sp.csr_matrix(y), full=False)
    np.testing.assert_array_equal(sparse.layers[0].activity, found.layers[0].activity)


def test_numbers_that_nobody_scaled_are_told_of() -> None:
    y = np.stack([1000 + 300 * X[:, 0], X[:, 1]], axis=1)
    for own, widest in ((y[:, 0], 0), (y, 0), (y[:, ::-1], 1)):
        target = examine_sklearn(fitted(MLPRegressor, own), X, own, full=False).target
        assert target is not None
        column = own if own.ndim == 1 else own[:, widest]
        assert (target.mean, target.deviation) == pytest.approx((column.mean(), column.std()), rel=1e-6)


def test_the_loss_of_several_numbers_is_scikit_learns_mean() -> None:
    """Its curve and what is compared with it: the loss of the mean of each column, a mean over the columns too."""
    mlp = MLPRegressor(hidden_layer_sizes=(6,), batch_size=30, alpha=0.0, random_state=0)
    mlp.partial_fit(X, NUMBERS)
    monitor = TorchMonitor(mlp, X, NUMBERS)
    monitor()
    residuals = mlp.predict(X) - NUMBERS
    assert monitor.history.loss[0] == pytest.approx(np.mean(residuals**2) / 2, rel=EXACT)
    start = monitor.examination(full=False).start
    assert start is not None
    assert start.expected == pytest.approx(np.mean(np.var(NUMBERS.astype(float), axis=0)) / 2, rel=SAME)


@pytest.mark.parametrize("rows", [sp.csr_matrix(X), sp.csc_matrix(X), X.astype(np.float32), X.tolist()])
def test_rows_of_every_kind_are_taken(rows: Any) -> None:
    y = (X[:, 0] > 0).astype(int)
    mlp = fitted(MLPClassifier, y, rows)
    found = examine_sklearn(mlp, rows, y, full=False)
    z = X @ mlp.coefs_[0] + mlp.intercepts_[0]
    np.testing.assert_allclose(found.layers[0].activity, (z > 0).mean(axis=0), atol=1 / len(X))  # a sum next to 0
    monitor = TorchMonitor(mlp, rows, y)
    monitor()
    np.testing.assert_array_equal(monitor.history.dead[0], [found.layers[0].dead])
    assert np.isfinite(monitor.history.gradient_norm).all()


def test_trainings_that_went_on_have_all_their_epochs() -> None:
    y = (X[:, 0] > 0).astype(int)
    warm = fitted(MLPClassifier, y, warm_start=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = examine_sklearn(warm.fit(X, y), X, y, full=False)
    assert (len(found.history), found.settings["epochs"]) == (10, 10)
    piecewise = MLPClassifier((6,), random_state=0)
    monitor = TorchMonitor(piecewise, X, y, settings={"batch": 20})
    for _ in range(4):
        piecewise.partial_fit(X, y, classes=[0, 1])
        monitor(loss=piecewise.loss_)
    assert len(examine_sklearn(piecewise, X, y, full=False).history) == 4
    told = monitor.examination(full=False).settings
    assert (told["epochs"], told["batch"]) == (None, 20)  # max_iter is of fit alone
    with pytest.raises(SettingError, match="has its own loss and optimizer"):
        TorchMonitor(piecewise, X, y, loss="squared")


def test_early_stopping_keeps_the_epoch_with_the_best_score() -> None:
    y = (X[:, 0] > 0).astype(int)
    mlp = fitted(MLPClassifier, y, early_stopping=True, max_iter=8)
    found = examine_sklearn(mlp, X, y, full=False)
    np.testing.assert_array_equal(found.history.validation_score, mlp.validation_scores_)
    assert (found.settings["early_stopping"], found.settings["monitor"]) == (True, "score")


def test_the_monitors_are_counted_by_the_engine() -> None:
    """The same rows as Kilonet would ask: with the epoch's order, saturation is that of a training of Kilonet's own."""
    rows = RNG.normal(size=(300, 4)).astype(np.float32)
    y = (rows[:, :1] > 0).astype(np.float32)
    network = kn.Network([4, kn.Dense(6, "tanh"), 1])
    theta = 4 * network.initial(seed=0)
    runs = kn.train(network, "logistic", rows, y, theta=theta, epochs=1, rate=1e-12, batch=300, seed=0, watch=1)
    views = network.views(theta)
    layers = [SimpleNamespace(weight=Tensor(view.W), bias=Tensor(view.b)) for view in views]
    module = Sequential(Linear(4, 6), Tanh(), Linear(6, 1))
    for part, own in zip((module.parts[0], module.parts[2]), layers, strict=True):
        part.weight, part.bias = own.weight, own.bias
    monitor = TorchMonitor(module, rows, y, settings={"batch": 300})
    monitor()
    for name in ("dead", "saturated", "activation_mean", "positive", "weight_norm"):
        np.testing.assert_allclose(getattr(monitor.history, name), getattr(runs.history, name), rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"settings": {"batchs": 64}}, "a setting came as 'batchs'.*Did you mean batch"),
        ({"settings": [64]}, r"settings came as \[64\]; needs a mapping"),
        ({"settings": {"batch": "auto"}}, "batch came as 'auto'; needs a whole number"),
        ({"history": [0.5]}, r"history came as \[0.5\]; needs a mapping"),
        (
            {"history": {"loss": ["low"]}},
            r"history's loss came as \['low'\]; needs a list with a number for each epoch",
        ),
        ({"history": {"loss": 0.5}}, "history's loss came as 0.5; needs a list"),
        ({"validation": X}, r"validation came as .*; needs \(X, y\)"),
        ({"optimizer": "adam"}, "optimizer came as 'adam'; needs one of torch.optim. .* goes into settings"),
    ],
)
def test_what_is_given_beside_a_module_is_checked(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        examine_torch(Sequential(Linear(4, 3)), X, CLASSES, **given)


def test_targets_that_do_not_fit_say_what_does() -> None:
    module = Sequential(Linear(4, 3))
    with pytest.raises(ShapeError, match=r"the module has 3 outputs; MSELoss needs a number for each of them"):
        examine_torch(module, X, X[:, 0])
    with pytest.raises(DataError, match=r"y holds -100 in row 0; needs class numbers 0 to 2.*ignore_index"):
        examine_torch(module, X, np.where(np.arange(len(X)), CLASSES, -100))
    with pytest.raises(DataError, match="X has no rows"):
        examine_torch(module, X[:0], CLASSES[:0])
