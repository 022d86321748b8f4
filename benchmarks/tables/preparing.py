"""What stands before a peer that does not take raw tables: the least that a careful user would write."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

MOST = 254  # categories of a column, and one more for the rare: HistGradientBoosting's limit, kept for the others too
GAP, RARE = "(gap)", "(rare)"
NUMBERS = make_column_selector(dtype_include="number")
TEXTS = make_column_selector(dtype_exclude="number")


def name_gaps(X: pd.DataFrame) -> pd.DataFrame:
    """Return text columns in which a gap is a category like the others.

    >>> name_gaps(pd.DataFrame({"city": ["Bern", None]}))["city"].tolist()
    ['Bern', '(gap)']
    """
    return X.astype("object").where(X.notna(), GAP)


def one_hot() -> ColumnTransformer:
    """Return: medians for gaps, mean 0 and standard deviation 1; a column for each category, none for new ones.

    Of more than MOST categories the rarest share a column, and new ones are in it.
    """
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST + 1)
    texts = make_pipeline(FunctionTransformer(name_gaps), one)
    return ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)])


class NativeCategories(TransformerMixin, BaseEstimator):
    """Text columns as pandas' categories for HistGradientBoosting, which meets gaps itself; the rarest together."""

    def fit(self, X: pd.DataFrame, _y: Any = None) -> Self:
        """Learn the categories of each text column, the most frequent ones first."""
        self.categories_ = {name: list(X[name].value_counts().index[:MOST]) for name in TEXTS(X)}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table with categories; what was not among the learned ones is rare, a gap is a gap."""
        coded = {}
        for name, known in self.categories_.items():
            values = X[name].astype("object")
            values = values.where(values.isin(known) | values.isna(), RARE)
            coded[name] = pd.Categorical(values, categories=[*known, RARE])
        return X.assign(**coded)


class FilledGaps(TransformerMixin, BaseEstimator):
    """Medians for gaps in numbers and a category for gaps in texts, for learners that code categories themselves."""

    def fit(self, X: pd.DataFrame, _y: Any = None) -> Self:
        """Learn the medians; a column of gaps alone gets 0."""
        self.medians_ = X[NUMBERS(X)].median().fillna(0.0)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return numbers as float32, as these learners compute, and texts as objects."""
        numbers = X[NUMBERS(X)].fillna(self.medians_).astype(np.float32)
        return pd.concat([numbers, name_gaps(X[TEXTS(X)])], axis=1)[list(X.columns)]
