"""Classifiers, the features they were trained on, and what was measured of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.core.entities import (
    ClassifierVersion,
    FeatureVersion,
    PoolIds,
    Round,
)
from app.ports.feature_store import FeatureInfo


class Classifiers(Protocol):
    def features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        """The newest feature version of that recipe, None if items have come since."""

    def newest_features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        """The newest one that is not outdated, whatever has come since."""

    def outdate_features(self, project_id: int) -> None:
        """No version so far is of the items of now, nor will be carried on."""

    def feature_version(self, version_id: int) -> FeatureVersion: ...
    def add_features(
        self, project_id: int, info: FeatureInfo, items_as_of: Any
    ) -> FeatureVersion: ...
    def items_changed_at(self, project_id: int) -> Any: ...
    def by_fingerprint(self, project_id: int, fingerprint: str) -> ClassifierVersion | None: ...
    def get(self, classifier_id: int) -> ClassifierVersion: ...
    def all(self, project_id: int) -> Sequence[ClassifierVersion]:
        """By number: the newest comes last."""

    def add(
        self,
        project_id: int,
        *,
        name: str,
        fingerprint: str,
        features: FeatureVersion,
        label_ids: Sequence[int],
        pool: PoolIds,
        seed: int,
        path: str,
        sha256: str,
        report: Mapping[str, Any],
        libraries: Mapping[str, str],
    ) -> ClassifierVersion:
        """Add, or give the one with the same fingerprint if another worker was faster."""

    def add_evaluation(
        self, round_: Round, classifier_id: int | None, kind: str, metrics: Mapping[str, Any]
    ) -> None: ...
