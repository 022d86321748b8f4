from sklearn.utils.estimator_checks import parametrize_with_checks

from kilonet.tables import TableEncoder

@parametrize_with_checks([TableEncoder(), TableEncoder(standardize=False), TableEncoder(dtype="float32")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
