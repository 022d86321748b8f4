"""Linear classifiers as the single neurons that they are: for two classes, by their names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ClassVar, Self, TypeVar

from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from kilonet.activations import ActivationLike, identity, sigmoid
from kilonet.errors import DataError, SettingError
from kilonet.estimators.classifier import MLPClassifier
from kilonet.estimators.labels import Labels
from kilonet.estimators.renamed import with_hints
from kilonet.estimators.rows import Rows
from kilonet.neuron import Neuron

_FIXED = ("hidden", "activation", "loss", "dropout")
_FEW = 5  # classes that an error names


@dataclass(eq=False, repr=False, kw_only=True)
class _OneNeuron(MLPClassifier):
    """A network of one unit that tells two classes apart; subclasses say by which loss.

    What is fixed is a field that `__init__` does not take; all other settings are inherited.
    """

    hidden: Any = field(default=(), init=False)
    activation: Any = field(default="identity", init=False)  # of hidden units, of which there are none
    dropout: float = field(default=0.0, init=False)

    _unit: ClassVar[ActivationLike] = identity

    @property
    def coef_(self) -> NDArray[Any]:
        """Weights (1, n) of the encoded columns, as in linear models of scikit-learn; several members in front."""
        return self.coefs_[0].swapaxes(-1, -2)

    @property
    def intercept_(self) -> NDArray[Any]:
        """The bias (1,); several members in front."""
        return self.intercepts_[0]

    @property
    def neuron_(self) -> Neuron:
        """The neuron itself, for what `transform` makes of X. Raises SettingError where there are several members."""
        check_is_fitted(self)
        if self._n_members > 1:
            raise SettingError(f"members={self._n_members} are several neurons; make one of a row of coef_ yourself.")
        return Neuron(self.coef_[0], float(self.intercept_[0]), self._unit)

    def _codec(self, rows: Rows, known: Rows) -> Labels:
        return self._of_two(super()._codec(rows, known))

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, codec: Callable[[Rows], Labels]) -> Self:
        return super()._partial_fit(X, y, sample_weight, lambda rows: self._of_two(codec(rows)))

    def _of_two(self, labels: Labels) -> Labels:
        """The labels, if they are two classes. Raises DataError otherwise, in the words that scikit-learn asks for."""
        classes = labels.classes.tolist()
        if labels.multilabel:
            came, kind = f"{len(classes)} labels a row", "multilabel-indicator"
        elif len(classes) > 2:
            named = ", ".join(map(repr, classes[:_FEW])) + (", ..." if len(classes) > _FEW else "")
            came, kind = f"{len(classes)} classes ({named})", "multiclass"
        else:
            return labels
        raise DataError(
            f"Only binary classification is supported. The type of the target is {kind}: y has {came}. "
            f"Use kn.MLPClassifier(hidden=()), or fit one {type(self).__name__} for each, on y == label."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = tags.classifier_tags.multi_label = False
        return tags


Named = TypeVar("Named", bound=type)


def _told(estimator: Named) -> Named:
    """Class decorator: of a setting that is fixed the constructor says what it is; other unknown ones get a hint."""
    with_hints(estimator)
    hinted: Callable[..., None] = estimator.__init__  # type: ignore[misc]

    @wraps(hinted)
    def checked(self: Any, *arguments: Any, **settings: Any) -> None:
        for name in settings:
            if name in _FIXED:
                raise TypeError(
                    f"{estimator.__name__} has no setting {name!r}: it is one neuron, with "
                    f"{name}={getattr(estimator, name)!r}. kn.MLPClassifier takes it."
                )
        hinted(self, *arguments, **settings)

    estimator.__init__ = checked  # type: ignore[misc]
    return estimator


@_told
@dataclass(eq=False, repr=False, kw_only=True)
class BinarySoftmaxClassifier(_OneNeuron):
    """One neuron that gives the probability of one of two classes: logistic regression, also called binary softmax.

    P(second class) = σ(w·x + b) and P(first class) = 1 − P; the loss is the cross-entropy of the two, and the second
    one is predicted where P is above 0.5. It is `MLPClassifier(hidden=(), loss="logistic")`, to the last bit, and has
    its settings but hidden, activation, loss and dropout. Trained to the end it has the weights of scikit-learn's
    LogisticRegression with C = 1 / (n·l2).

    Attributes after `fit`, beside those of `MLPClassifier`:
        coef_, intercept_: (1, n) and (1,), where decision_function(X) = transform(X) @ coef_.T + intercept_;
            transform(X) are the encoded columns, which encode=None leaves as they are.
        neuron_: a `Neuron`, where neuron_.forward(transform(X)) is P of the second class.

    Raises DataError for more than two classes. Source: Stanford CS231n, "Neural Networks part 1".

    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["low", "low", "high", "high"]
    >>> classifier = BinarySoftmaxClassifier(l2=1e-3, random_state=0).fit(X, y)
    >>> classifier.predict([[0.2], [2.9]]).tolist(), classifier.coef_.shape, classifier.neuron_.activation
    (['low', 'high'], (1, 1), sigmoid)
    """

    loss: Any = field(default="logistic", init=False)

    _unit: ClassVar[ActivationLike] = sigmoid


@_told
@dataclass(eq=False, repr=False, kw_only=True)
class BinarySVMClassifier(_OneNeuron):
    """One neuron that keeps two classes a margin apart: a linear support vector machine.

    The loss is max(0, 1 − y·s), y = ±1, of the score s = w·x + b, whose sign decides. It is
    `MLPClassifier(hidden=(), loss="hinge")`, to the last bit, and has its settings but hidden, activation, loss and
    dropout. Trained to the end it has the weights of scikit-learn's SVC(kernel="linear") with C = 1 / (n·l2);
    LinearSVC(loss="hinge") differs from both in that it penalizes the intercept. There is no predict_proba.

    Attributes after `fit`, beside those of `MLPClassifier`:
        coef_, intercept_: (1, n) and (1,), where decision_function(X) = transform(X) @ coef_.T + intercept_;
            transform(X) are the encoded columns, which encode=None leaves as they are.
        neuron_: a `Neuron` without activation, where neuron_.forward(transform(X)) is the score.

    Raises DataError for more than two classes. Source: Stanford CS231n, "Neural Networks part 1".

    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["low", "low", "high", "high"]
    >>> classifier = BinarySVMClassifier(l2=1e-3, random_state=0).fit(X, y)
    >>> classifier.predict([[0.2], [2.9]]).tolist(), classifier.decision_function([[1.5]]).round(1).tolist()
    (['low', 'high'], [0.0])
    """

    loss: Any = field(default="hinge", init=False)
