"""A whole project as rows of JSON, and back under new ids.

Which tables belong to a project stands here once; a test holds the list and the schema equal.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.adapters.postgres.engine import Sql
from app.core.errors import WrongInput

STREAMED = 500  # rows a cursor fetches at a time


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a project are found, and in what order they go and come."""

    order: str = "id"
    where: str = "project_id = :project"


TABLES: Mapping[str, Table] = {
    "projects": Table(where="id = :project"),
    "items": Table(),
    "imports": Table(),
    "feature_versions": Table(),
    "classifier_versions": Table(),
    "rounds": Table(),
    "steps": Table(where="round_id IN (SELECT id FROM rounds WHERE project_id = :project)"),
    "selections": Table(),
    "pushes": Table("selection_id"),
    "refreshed_suggestions": Table(),
    "annotations": Table(),
    "labels": Table(),
    "training_labels": Table(
        "classifier_id, label_id",
        "classifier_id IN (SELECT id FROM classifier_versions WHERE project_id = :project)",
    ),
    "evaluations": Table(),
    "measurements": Table(),
    "disputes": Table(),
    "events": Table(),
    "gone_annotators": Table("user_id"),
    "label_schemas": Table("version"),
    "label_mappings": Table("version, old"),
    "llm_calls": Table(),
    "llm_answers": Table(),
    "llm_judgements": Table(),
    "llm_routes": Table(),
    "llm_suspensions": Table(),
}
"""In the order in which they can be taken in."""
LEFT_BEHIND: Mapping[str, str] = {
    "datasets": "they lie in an Argilla that is not there elsewhere; the next round makes one",
    "kept_figures": "counted again when somebody looks",
    "changes": "counted on from there by whatever changes",
    "map_points": "a picture; the next round draws one",
    "pool_snapshots": "packed ids, which are others elsewhere: rounds are replayed where they were",
    "measuring": "work of the workers here; what came of it goes along",
    "llm_reservations": "set aside for calls that are running",
    "llm_jobs": "they go on where they were begun; what was answered comes along",
    "actions": "who did what here, by keys of here; the events of the project come along",
    "api_keys": "secret",
    "secrets": "secret",
    "idempotency_keys": "they belong to API keys",
    "tracked_rounds": "trackers of this installation",
    "workers": "of this installation",
    "alembic_version": "of this database",
}
STATES = (
    "planned", "training", "scoring", "selecting", "pushing", "annotating", "merging",
    "evaluating", "closed",
)  # fmt: skip

REFERENCES = """
-- a part of a longer key refers on: pushes.item_id → selections.item_id → items.id
WITH RECURSIVE pairs AS (
    SELECT c.conrelid, own.attname AS here, c.confrelid, other.attname AS there
    FROM pg_constraint c
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS pair (here, there)
    JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = pair.here
    JOIN pg_attribute other ON other.attrelid = c.confrelid AND other.attnum = pair.there
    WHERE c.contype = 'f'
), followed AS (
    SELECT here AS column_name, confrelid AS target, there FROM pairs
    WHERE conrelid = cast(:name AS regclass)
    UNION
    SELECT f.column_name, p.confrelid, p.there FROM followed f
    JOIN pairs p ON p.conrelid = f.target AND p.here = f.there WHERE f.there <> 'id'
)
SELECT DISTINCT column_name, cast(cast(target AS regclass) AS text) AS target
FROM followed WHERE there = 'id' ORDER BY 1, 2
"""
TEMPORARY = """
CREATE TEMPORARY TABLE bundled (row jsonb NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE new_ids (name text, old bigint, new bigint NOT NULL, PRIMARY KEY (name, old))
    ON COMMIT DROP;
"""
GIVE_IDS = """
INSERT INTO new_ids SELECT :name, old, nextval(pg_get_serial_sequence(:name, 'id'))
FROM (SELECT cast(row->>'id' AS bigint) AS old FROM bundled ORDER BY 1) ids
"""
UNKNOWN = """
SELECT row->>'{column}' FROM bundled
WHERE row->>'{column}' IS NOT NULL AND NOT EXISTS (
    SELECT FROM new_ids WHERE name = '{target}' AND old = cast(row->>'{column}' AS bigint)) LIMIT 1
"""
REFER = """
UPDATE bundled SET row = jsonb_set(row, '{{{column}}}', coalesce((SELECT to_jsonb(new) FROM new_ids
    WHERE name = '{target}' AND old = cast(row->>'{column}' AS bigint)), 'null'))
WHERE row->>'{column}' IS NOT NULL
"""
REFER_MANY = """
UPDATE bundled SET row = jsonb_set(row, '{{{column}}}', coalesce((
    SELECT jsonb_agg(n.new ORDER BY o.place)
    FROM jsonb_array_elements_text(row->'{column}') WITH ORDINALITY o (old, place)
    JOIN new_ids n ON n.name = '{target}' AND n.old = cast(o.old AS bigint)), '[]'))
"""
LISTS = {
    "labels": ("annotation_ids", "annotations"),
    "llm_calls": ("item_ids", "items"),
    "rounds": ("asked", "items"),
}
"""Columns that are lists of ids, which no foreign key says."""
INSERT = """
INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {values} FROM bundled, jsonb_populate_record(NULL::{name}, row) r ORDER BY {order}
"""


class PostgresWholeProjects:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def tables(self) -> Sequence[str]:
        return list(TABLES)

    def revision(self) -> str:
        return str(self.sql.value("SELECT version_num FROM alembic_version"))

    def rows(self, name: str, project_id: int) -> Iterator[bytes]:
        """A line a row, in a fixed order."""
        table = TABLES[name]
        found = self.sql.connection.execute(
            text(
                f"SELECT cast(to_jsonb(t) AS text) FROM {name} t "  # noqa: S608 - names of ours
                f"WHERE {table.where} ORDER BY {table.order}"
            ),
            {"project": project_id},
            execution_options={"stream_results": True, "yield_per": STREAMED},
        )
        for (line,) in found:
            yield line.encode() + b"\n"

    # --- back ---

    def begin(self) -> None:
        for statement in TEMPORARY.split(";")[:-1]:
            self.sql.run(statement)

    def take_in(self, name: str, lines: Iterable[bytes]) -> None:
        """These rows under new ids; what they refer to must have been taken in before."""
        with _told(name):
            self._load(lines)
            self._check_columns(name)
            self._renumber(name)
            if name == "rounds":
                self._insert_rounds()
            else:
                self._insert(name)

    def new_id(self, name: str) -> int:
        """Of a table that has one row."""
        return int(self.sql.value("SELECT new FROM new_ids WHERE name = :name", name=name))

    def _load(self, lines: Iterable[bytes]) -> None:
        self.sql.run("TRUNCATE bundled")
        raw: Any = self.sql.connection.connection.dbapi_connection
        with raw.cursor().copy("COPY bundled FROM STDIN") as copy:
            for line in lines:
                copy.write_row((line.decode(),))

    def _columns(self, name: str) -> list[str]:
        found = self.sql.all(
            "SELECT attname FROM pg_attribute WHERE attrelid = cast(:name AS regclass) "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            name=name,
        )
        return [row["attname"] for row in found]

    def _given(self) -> list[str]:
        found = self.sql.all("SELECT DISTINCT jsonb_object_keys(row) AS key FROM bundled")
        return [row["key"] for row in found]

    def _check_columns(self, name: str) -> None:
        if strange := sorted(set(self._given()) - set(self._columns(name))):
            raise WrongInput(f"it has a column {strange[0][:60]!r} that is not known here")

    def _renumber(self, name: str) -> None:
        if "id" in self._columns(name):
            self.sql.run(GIVE_IDS, name=name)
            self._refer("id", name)
        for row in self.sql.all(REFERENCES, name=name):
            self._refer(row["column_name"], row["target"])
        if name in LISTS:
            column, target = LISTS[name]
            refer = REFER_MANY.format(column=column, target=target)
            self.sql.connection.exec_driver_sql(refer)

    def _refer(self, column: str, target: str) -> None:
        names = {"column": column, "target": target}
        if target not in LEFT_BEHIND:
            missing = self.sql.value(UNKNOWN.format(**names))
            if missing is not None:
                raise WrongInput(f"{column} {missing} refers to nothing in the bundle")
        self.sql.connection.exec_driver_sql(REFER.format(**names))

    def _insert(self, name: str) -> None:
        given = set(self._given())
        columns = [column for column in self._columns(name) if column in given]
        if columns:
            self.sql.connection.exec_driver_sql(
                INSERT.format(
                    name=name,
                    columns=", ".join(f'"{one}"' for one in columns),
                    values=", ".join(f'r."{one}"' for one in columns),
                    order=", ".join(f"r.{one.strip()}" for one in TABLES[name].order.split(",")),
                )
            )

    def _insert_rounds(self) -> None:
        """One after the other, each moved along its states: the database takes no other way."""
        found = self.sql.all("SELECT row FROM bundled ORDER BY cast(row->>'id' AS bigint)")
        for row in [dict(one["row"]) for one in found]:
            if row.get("state") not in ("closed", "cancelled"):
                raise WrongInput("a round is still open")
            begun = {**row, "state": "planned", "closed_at": None, "dataset_id": None}
            begun["checkpoint"] = self._with_features(row.get("checkpoint") or {})
            self.sql.run("TRUNCATE bundled")
            self.sql.run("INSERT INTO bundled VALUES (cast(:row AS jsonb))", row=json.dumps(begun))
            self._insert("rounds")
            self._move_along(row)

    def _with_features(self, checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
        old = checkpoint.get("features_id")
        if old is None:
            return checkpoint
        new = self.sql.value(
            "SELECT new FROM new_ids WHERE name = 'feature_versions' AND old = :old", old=old
        )
        return {**checkpoint, "features_id": new}

    def _move_along(self, row: Mapping[str, Any]) -> None:
        way = STATES[1:-1] if row["state"] == "closed" else ()
        for state in way:
            self.sql.run(
                "UPDATE rounds SET state = :state WHERE id = :id", state=state, id=row["id"]
            )
        self.sql.run(
            "UPDATE rounds SET state = :state, closed_at = cast(:closed AS timestamptz), "
            "updated_at = cast(:updated AS timestamptz) WHERE id = :id",
            state=row["state"],
            closed=row.get("closed_at"),
            updated=row.get("updated_at"),
            id=row["id"],
        )


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What the database refuses, in words; nothing of the values."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as problem:
        original = getattr(problem, "orig", problem)
        if isinstance(original, psycopg.OperationalError) or not isinstance(
            original, psycopg.Error
        ):
            raise
        said = (original.diag.message_primary or type(original).__name__)[:200]
        if name == "annotations" and isinstance(original, psycopg.errors.UniqueViolation):
            said = "these answers are in this database already, in the project itself or a copy"
        raise WrongInput(f"The bundle cannot be taken in: {name}: {said}.", field="file") from None
    except (WrongInput, UnicodeDecodeError) as problem:
        raise WrongInput(
            f"The bundle cannot be taken in: {name}: {problem}.", field="file"
        ) from None
