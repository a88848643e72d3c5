"""What a fit gives: scores of the classes that have an example, not yet probabilities."""

from typing import Any, Protocol

from numpy.typing import NDArray

from app.core.models.blocks import by_block
from app.core.types import FeatureMatrix, Floats


class Decision(Protocol):
    """Scores of the classes that have an example."""

    @property
    def kind(self) -> str: ...

    @property
    def classes(self) -> int: ...

    def block(self, features: FeatureMatrix, begin: int, end: int) -> Floats:
        """Scores (class, BLOCK) of one block of rows; what follows the rows is padding."""

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON-able figures and arrays that make it up."""


def decide(decision: Decision, features: FeatureMatrix) -> Floats:
    """Scores (item, class)."""
    return by_block(
        features, decision.classes, lambda begin, end: decision.block(features, begin, end)
    )
