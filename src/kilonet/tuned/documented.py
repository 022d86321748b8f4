"""What the docstrings of both estimators that tune themselves share."""

from collections.abc import Callable
from typing import TypeVar

from kilonet.estimators.renamed import with_hints

SETTINGS = """\
    Settings (all but the first by name; None leaves a setting to `tuning`):
        hidden: units of the hidden layers, as `MLPClassifier` has them, or a list of such networks to be tried.
        activation, l2, rate, dropout: a value, or several to be tried.
        cv: a number of folds, which takes two rows for each fold, and of every class a row for each; a splitter or
            splits; None for 5 folds, or as many as there are rows or groups. Splits in time are taken as they are, and
            the networks of old and new ones weigh alike. Rows that no split holds out are NaN in `oof_`.
        budget: "auto" grows with the table; seconds, or a text such as "10s" or "2min", that `fit` may take, about.
        runs: instead of it, how many networks may be trained at most: with the same data and a number as random_state
            the result then is the same on every machine. `record_.runs` is what was done.
        tuning: a `kilonet.tuned.Tuning`: everything else that is tried, and how networks train.
        callback: a function of (networks done, most that there may be), called before the start and whenever some are.
        n_jobs, random_state: as for `MLPClassifier`.
"""

ATTRIBUTES = """
    Attributes after `fit`:
        members_: the networks of the model, each with its split, its share in the mean, its configuration and theta.
        splits_: rows to train on and rows held out, of each split; not in model files.
        oof_: {oof} for every training row by networks that had not seen it, after the temperature that is best
            for these; NaN where there are none.
        record_: what was tried, what tied, and how good it is out of fold, a `kilonet.tuned.TunedRecord`; `report()`
            says it in words.
        best_params_: of the configuration with the lowest loss out of fold, which is one of those whose mean the model
            is; `MLPClassifier(encode=TableEncoder()).set_params(**best_params_)` takes them (`MLPRegressor` too).
        runs_: networks that were trained.
        temperature_: by which what the model says is divided, logarithms of probabilities or distances from the mean
            of the target: 1 where that is not better. That of `oof_` is `record_.calibration["out_of_fold"]`.
        n_features_in_, feature_names_in_.
"""

Documented = TypeVar("Documented", bound=type)


def documented(oof: str) -> Callable[[Documented], Documented]:
    """Class decorator: puts the shared settings and attributes where a docstring says {settings} and {attributes}."""

    def insert(estimator: Documented) -> Documented:
        with_hints(estimator)
        text = (estimator.__doc__ or "").replace("    {settings}\n", SETTINGS)
        estimator.__doc__ = text.replace("    {attributes}\n", ATTRIBUTES.replace("{oof}", oof))
        return estimator

    return insert
