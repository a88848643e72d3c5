"""Features and classifiers: which there are, and what they were made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.json_values import Json


@dataclass(frozen=True, slots=True)
class FeatureVersion:
    id: int
    project_id: int
    version: str
    recipe: str
    items: int
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ClassifierVersion:
    """A trained classifier. `fingerprint` says from what: the same inputs are trained once."""

    id: int
    project_id: int
    number: int
    name: str
    fingerprint: str
    feature_version: str
    feature_version_id: int
    labels: int
    path: str
    sha256: str
    report: Json
    created_at: datetime
    features_id: int
    libraries: Mapping[str, str]
    pool_id: int | None
    """The record of the pool it was fitted beside; None from before these were kept."""

    @property
    def agent(self) -> str:
        """The name under which its suggestions appear in Argilla."""
        return f"{self.name}/{self.number}"
