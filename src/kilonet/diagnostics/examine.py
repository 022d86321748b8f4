"""What is there to be known of a fitted estimator, gathered: facts only, which rules then judge."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from kilonet.diagnostics.inputs import input_facts, target_facts
from kilonet.diagnostics.insides import layer_facts
from kilonet.diagnostics.outcome import gap_facts, start_facts
from kilonet.diagnostics.preflight import gradient_error_of, rates_of, small_of
from kilonet.diagnostics.replay import Replay, replay_of
from kilonet.diagnostics.subject import Subject
from kilonet.findings import Examination


def examine(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    validation: Any = None,
    member: int = 0,
    full: bool = True,
) -> Examination:
    """Look at a fitted `MLPClassifier` or `MLPRegressor`, or one member of it, with the X and y that it was fitted to.

    sample_weight: as `fit` had it. validation: (X, y) or (X, y, sample_weight) of rows that training did not see, for
    `Examination.gap`; without them it is those of early stopping or `validation_data`, if any. full: also train again,
    watched in every epoch, where that takes less than about a minute, and look for leaks; learn some rows by heart, try
    rates and check gradients, as `preflight` does.

    All figures are of rows that were trained on, encoded as the network sees them, with dropout and noise off.
    The estimator is not changed. Raises NotFittedError of scikit-learn where it is not fitted: `preflight` is for
    that; and the errors of `fit` for rows that do not suit it.

    >>> import numpy as np
    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> classifier = kn.MLPClassifier(hidden=(20,), epochs=5, random_state=0).fit(X, X[:, 0] > 0)
    >>> found = examine(classifier, X, X[:, 0] > 0)
    >>> [facts.unit for facts in found.layers], found.layers[0].dead, len(found.history), found.gap
    (['relu', 'identity'], 0.0, 5, None)
    """
    check_is_fitted(estimator, "theta_")
    subject = Subject.of(estimator, X, y, sample_weight, member)
    again = replay_of(subject) if full else ""
    watched = again if isinstance(again, Replay) else None
    return Examination(
        origin="kilonet",
        task=subject.task,
        settings=subject.settings,
        layers=layer_facts(subject),
        history=subject.history if watched is None else watched.history,
        diverged=subject.diverged,
        inputs=input_facts(subject, leaking=full),
        target=target_facts(subject),
        start=start_facts(subject),
        small=small_of(subject) if full else None,
        rates=rates_of(subject) if full else None,
        gap=gap_facts(subject, validation),
        gradient_error=gradient_error_of(subject) if full else None,
        activity=None if watched is None or not watched.activity else (watched.epochs, watched.activity),
        unwatched=again if isinstance(again, str) else "",
    )
