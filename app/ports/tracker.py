"""An experiment tracker: told of each closed round, and never asked anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RoundReport:
    """One closed round, as it is told; no text of an item is in it."""

    project: str
    run: str
    """Names the project for ever; all its rounds are one run."""
    number: int
    config: Mapping[str, Any]
    """The settings that the round began with."""
    metrics: Mapping[str, float]
    document: Mapping[str, Any]
    """The whole round, to be kept as a file beside the metrics."""


class Tracker(Protocol):
    @property
    def name(self) -> str:
        """One word, such as `mlflow`."""

    def tell(self, report: RoundReport) -> None:
        """Telling a round again does no harm. Whatever it raises is shown, and stops nothing."""
