"""Feature versions, classifiers and their evaluations in Postgres."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.adapters.postgres.pools import PostgresPools
from app.adapters.postgres.projects import PostgresProjects
from app.core.entities import ClassifierVersion, FeatureVersion, PoolIds, Round
from app.core.errors import NotFound
from app.ports.feature_store import FeatureInfo

CLASSIFIER = (
    "SELECT c.*, f.version AS feature_version FROM classifier_versions c "
    "JOIN feature_versions f ON f.id = c.feature_version_id "
)


class PostgresClassifiers:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def items_changed_at(self, project_id: int) -> Any:
        return self.sql.value(
            "SELECT items_changed_at FROM projects WHERE id = :project", project=project_id
        )

    def features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        row = self.sql.one(
            """
            SELECT f.* FROM feature_versions f JOIN projects p ON p.id = f.project_id
            WHERE p.id = :project AND f.recipe = :recipe AND f.items_as_of = p.items_changed_at
            ORDER BY f.id DESC LIMIT 1
            """,
            project=project_id,
            recipe=recipe,
        )
        return rows.feature_version(row) if row else None

    def newest_features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        row = self.sql.one(
            "SELECT * FROM feature_versions WHERE project_id = :project AND recipe = :recipe "
            "AND items_as_of > to_timestamp(0) ORDER BY items_as_of DESC, id DESC LIMIT 1",
            project=project_id,
            recipe=recipe,
        )
        return rows.feature_version(row) if row else None

    def outdate_features(self, project_id: int) -> None:
        self.sql.run(
            "UPDATE feature_versions SET items_as_of = to_timestamp(0) WHERE project_id = :project",
            project=project_id,
        )

    def feature_version(self, version_id: int) -> FeatureVersion:
        row = self.sql.one("SELECT * FROM feature_versions WHERE id = :id", id=version_id)
        if row is None:
            raise NotFound("There is no such feature version.")
        return rows.feature_version(row)

    def add_features(self, project_id: int, info: FeatureInfo, items_as_of: Any) -> FeatureVersion:
        row = self.sql.sure(
            """
            INSERT INTO feature_versions (project_id, version, recipe, items, path, sha256,
                                          items_as_of)
            VALUES (:project, :version, :recipe, :items, :path, :sha256, :as_of)
            ON CONFLICT (project_id, version) DO UPDATE
                SET items_as_of = excluded.items_as_of, path = excluded.path,
                    sha256 = excluded.sha256
            RETURNING *
            """,
            project=project_id,
            version=info.version,
            recipe=info.recipe,
            items=info.items,
            path=info.path,
            sha256=info.sha256,
            as_of=items_as_of,
        )
        return rows.feature_version(row)

    def by_fingerprint(self, project_id: int, fingerprint: str) -> ClassifierVersion | None:
        row = self.sql.one(
            CLASSIFIER + "WHERE c.project_id = :project AND c.fingerprint = :fingerprint",
            project=project_id,
            fingerprint=fingerprint,
        )
        return rows.classifier(row) if row else None

    def get(self, classifier_id: int) -> ClassifierVersion:
        row = self.sql.one(CLASSIFIER + "WHERE c.id = :id", id=classifier_id)
        return self._found(row)

    def all(self, project_id: int) -> Sequence[ClassifierVersion]:
        found = self.sql.all(
            CLASSIFIER + "WHERE c.project_id = :project ORDER BY c.number", project=project_id
        )
        return [rows.classifier(row) for row in found]

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
        # numbers are given one after the other
        PostgresProjects(self.sql).lock(project_id, "classifier")
        if (known := self.by_fingerprint(project_id, fingerprint)) is not None:
            return known
        classifier_id = self.sql.value(
            """
            INSERT INTO classifier_versions (project_id, number, name, fingerprint,
                feature_version_id, labels, seed, path, sha256, report, libraries, pool_id)
            SELECT :project, coalesce(max(number), 0) + 1, :name, :fingerprint, :features, :labels,
                :seed, :path, :sha256, cast(:report AS jsonb), cast(:libraries AS jsonb), :pool
            FROM classifier_versions WHERE project_id = :project
            RETURNING id
            """,
            project=project_id,
            name=name,
            fingerprint=fingerprint,
            features=features.id,
            labels=len(label_ids),
            seed=seed,
            path=path,
            sha256=sha256,
            report=json.dumps(report),
            libraries=json.dumps(libraries),
            pool=PostgresPools(self.sql).keep(project_id, pool),
        )
        self.sql.run(
            "INSERT INTO training_labels SELECT :classifier, unnest(cast(:labels AS bigint[]))",
            classifier=classifier_id,
            labels=list(label_ids),
        )
        return self.get(classifier_id)

    def add_evaluation(
        self, round_: Round, classifier_id: int | None, kind: str, metrics: Mapping[str, Any]
    ) -> None:
        self.sql.run(
            "INSERT INTO evaluations (project_id, round_id, classifier_id, kind, metrics) "
            "VALUES (:project, :round, :classifier, :kind, cast(:metrics AS jsonb)) "
            "ON CONFLICT (round_id, kind) DO NOTHING",
            project=round_.project_id,
            round=round_.id,
            classifier=classifier_id,
            kind=kind,
            metrics=json.dumps(metrics),
        )

    @staticmethod
    def _found(row: RowMapping | None) -> ClassifierVersion:
        if row is None:
            raise NotFound("There is no such classifier.")
        return rows.classifier(row)
