"""A trained classifier: decision scores, and what makes honest probabilities of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import ArtefactDamaged
from app.core.models.blocks import by_block, softmax
from app.core.models.decision import Decision
from app.core.models.estimators import Estimator
from app.core.models.linear import Linear
from app.core.models.packing import pack, unpack
from app.core.models.trees import Trees
from app.core.models.unseen import spread
from app.core.types import FeatureMatrix, Floats

_KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (Linear, Trees, Estimator)}


@dataclass(frozen=True)
class ScoredClassifier:
    """Probabilities are the softmax of scale * score; classes without an example share a rest."""

    name: str
    classes: tuple[str, ...]
    seen: NDArray[np.int64]
    """Positions of the classes with an example."""
    decision: Decision
    scale: float
    unseen_mass: float
    report: Mapping[str, Any]

    def predict_proba(self, features: FeatureMatrix) -> Floats:
        def score(begin: int, end: int) -> Floats:
            scores = self.decision.block(features, begin, end)
            scores *= np.float32(self.scale)
            return spread(softmax(scores), self.seen, self.unseen_mass, len(self.classes))

        return by_block(features, len(self.classes), score)

    def to_bytes(self) -> bytes:
        figures, arrays = self.decision.parts()
        header = {
            "kind": self.decision.kind,
            "name": self.name,
            "classes": self.classes,
            "scale": self.scale,
            "unseen_mass": self.unseen_mass,
            "report": dict(self.report),
            "decision": figures,
        }
        return pack(header, {"seen": self.seen, **arrays})


def load_classifier(data: bytes) -> ScoredClassifier:
    """From to_bytes; nothing is unpickled. ArtefactDamaged for anything else."""
    header, arrays = unpack(data)
    try:
        return ScoredClassifier(
            name=header["name"],
            classes=tuple(header["classes"]),
            seen=arrays["seen"],
            decision=_KINDS[header["kind"]].from_parts(header["decision"], arrays),
            scale=header["scale"],
            unseen_mass=header["unseen_mass"],
            report=header["report"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactDamaged(f"This is not a stored classifier: {error}") from error
