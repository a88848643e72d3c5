"""Any classifier of scikit-learn, named by an import path in the server's own configuration.

Never from a request: a path decides what code runs.
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from app.core.errors import WrongInput
from app.core.models.estimators import Estimator
from app.core.models.labels import Labels
from app.core.models.linear import joined
from app.core.models.safe_estimators import canonical_json, estimator_bytes
from app.core.models.training import PlainTrainer
from app.core.one_thread import one_thread

if TYPE_CHECKING:  # loads slowly, and most servers offer none of these
    from sklearn.base import BaseEstimator


def scikit_learn(name: str, path: str, parameters: Mapping[str, Any]) -> PlainTrainer:
    """A trainer for `path`, such as `sklearn.ensemble.RandomForestClassifier`.

    Its versioned name ends in a hash of path and parameters: change them and it is another one.
    """
    _estimator(path, parameters)
    digest = sha256(canonical_json([path, dict(parameters)]).encode()).hexdigest()[:8]
    return PlainTrainer(f"{name}.{digest}", _solver(path, parameters), prior_scale=1.0)


def _estimator(path: str, parameters: Mapping[str, Any]) -> "BaseEstimator":
    from sklearn.base import ClassifierMixin

    module, _, attribute = path.rpartition(".")
    if not module.startswith("sklearn"):
        raise WrongInput(f"{path!r} is not a class of scikit-learn.", field="classifiers")
    try:
        estimator = getattr(importlib.import_module(module), attribute)(**parameters)
    except (ImportError, AttributeError, TypeError) as error:
        raise WrongInput(f"Cannot make {path!r}: {error}", field="classifiers") from error
    if not isinstance(estimator, ClassifierMixin):
        raise WrongInput(f"{path!r} is not a classifier.", field="classifiers")
    return estimator


def _solver(path: str, parameters: Mapping[str, Any]) -> Callable[[Labels, int], Estimator]:
    def fit(labels: Labels, seed: int) -> Estimator:
        from sklearn.utils import get_tags

        estimator = _estimator(path, parameters)
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=seed % 2**32)
        rows, columns = joined(labels.features)
        sparse_too = get_tags(estimator).input_tags.sparse
        weights = {"sample_weight": labels.weights} if _takes_weights(estimator) else {}
        with warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore")
            table = rows if sparse_too else labels.features.dense.astype(np.float64)
            estimator.fit(table, labels.y, **weights)
        return Estimator(estimator_bytes(estimator), columns if sparse_too else None)

    return fit


def _takes_weights(estimator: "BaseEstimator") -> bool:
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(estimator, "sample_weight"))
