"""What every trained classifier offers."""

from collections.abc import Mapping
from typing import Any, Protocol

from app.core.types import FeatureMatrix, Floats, TrainingSet, Unlabelled


class TrainedClassifier(Protocol):
    """Plain figures fitted to a training set; the same inputs give the same bytes."""

    @property
    def name(self) -> str:
        """Versioned name of what was trained, such as `svc.v1`."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def report(self) -> Mapping[str, Any]:
        """What was chosen while fitting, and on what evidence. JSON-able."""

    def predict_proba(self, features: FeatureMatrix) -> Floats:
        """Calibrated probabilities, a row an item, a column a class; rows sum to one.

        A row's numbers do not depend on the other rows, bit for bit, so items can be scored in
        blocks, shards or one by one.
        """

    def to_bytes(self) -> bytes: ...


class Trainer(Protocol):
    """Fits one kind of classifier."""

    def __call__(
        self,
        training: TrainingSet,
        *,
        unlabelled: Unlabelled | None,
        seed: int,
        options: Mapping[str, Any],
    ) -> TrainedClassifier: ...
