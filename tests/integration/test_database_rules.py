"""What the schema promises holds against whoever has a connection, not only against our code.

Each test first shows that the lawful statement works, then that the unlawful one is refused and by
which rule.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

pytestmark = pytest.mark.postgres

PATH = [
    "planned",
    "training",
    "scoring",
    "selecting",
    "pushing",
    "annotating",
    "merging",
    "evaluating",
    "closed",
]
FACTS = ("annotations", "labels", "selections", "events", "evaluations", "classifier_versions")
LLM_FACTS = ("llm_calls", "llm_answers", "llm_judgements", "llm_routes")


class Database:
    """Writes rows the way a careless program would: whatever it is told, and no more."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self.connection = connection

    def run(self, statement: str, *parameters: Any) -> int:
        return self.connection.execute(statement, parameters).rowcount  # type: ignore[arg-type]

    def value(self, statement: str, *parameters: Any) -> Any:
        row = self.connection.execute(statement, parameters).fetchone()  # type: ignore[arg-type]
        return next(iter(row.values())) if row else None

    def insert(self, table: str, **values: Any) -> Any:
        columns = ", ".join(f'"{name}"' for name in values)
        places = ", ".join(["%s"] * len(values))
        returned = "selection_id" if table == "pushes" else "id"
        return self.value(
            f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {returned}",
            *values.values(),
        )

    # --- one lawful row of each kind; what is given replaces a part of it ---

    def project(self, **given: Any) -> int:
        row = {"name": f"p{uuid.uuid4().hex[:12]}", "settings": "{}"}
        row["task"] = '{"type": "single_label", "labels": ["a", "b"]}'
        return self.insert("projects", **{**row, **given})

    def item(self, project: int, text: str | None = None, **given: Any) -> int:
        text = text or uuid.uuid4().hex
        row = {
            "project_id": project,
            "external_id": uuid.uuid4().hex,
            "fields": f'{{"text": "{text}"}}',
            "split": "pool",
            "text_hash": hashlib.md5(text.encode()).digest(),
        }
        return self.insert("items", **{**row, **given})

    def round(self, project: int, **given: Any) -> int:
        row = {
            "project_id": project,
            "number": 1,
            "strategy": "margin.v1",
            "classifier": "linear.v1",
            "batch_size": 2,
            "seed": 0,
            "settings": "{}",
            "actor": "test",
        }
        return self.insert("rounds", **{**row, **given})

    def classifier(self, project: int, **given: Any) -> int:
        features = self.insert(
            "feature_versions",
            project_id=project,
            version=uuid.uuid4().hex,
            recipe="words.v1",
            items=1,
            path="f",
            sha256="0",
            items_as_of="now",
        )
        row = {
            "project_id": project,
            "number": 1,
            "name": "linear.v1",
            "fingerprint": uuid.uuid4().hex,
            "feature_version_id": features,
            "labels": 2,
            "seed": 0,
            "path": "c",
            "sha256": "0",
            "report": "{}",
            "libraries": "{}",
        }
        return self.insert("classifier_versions", **{**row, **given})

    def selection(self, project: int, round_: int, item: int, **given: Any) -> int:
        row = {
            "project_id": project,
            "round_id": round_,
            "item_id": item,
            "rank": 1,
            "slice": "cold_start",
            "strategy": "random.v1",
            "score": 0.5,
            "reason": "drawn at random",
        }
        return self.insert("selections", **{**row, **given})

    def push(self, project: int, round_: int, item: int, selection: int, **given: Any) -> int:
        row = {"selection_id": selection, "project_id": project, "round_id": round_}
        return self.insert("pushes", **{**row, "item_id": item, **given})

    def annotation(self, project: int, item: int, **given: Any) -> int:
        row = {
            "project_id": project,
            "item_id": item,
            "argilla_dataset_id": uuid.uuid4(),
            "response_id": uuid.uuid4(),
            "user_id": uuid.uuid4(),
            "status": "submitted",
            "values": '{"label": "a"}',
            "response_inserted_at": "2026-01-01",
            "response_updated_at": "2026-01-01",
        }
        return self.insert("annotations", **{**row, **given})

    def label(self, project: int, item: int, **given: Any) -> int:
        row = {"project_id": project, "item_id": item, "value": '{"label": "a"}'}
        return self.insert("labels", **{**row, "source": "import", **given})

    def measurement(self, project: int, round_: int, **given: Any) -> int:
        row = {"project_id": project, "round_id": round_, "kind": "accuracy"}
        return self.insert("measurements", **{**row, "made_from": "{}", "figures": "{}", **given})

    def llm_call(self, project: int, **given: Any) -> int:
        row = {
            "project_id": project,
            "purpose": "label",
            "provider": "p",
            "model": "m",
            "prompt": "label.v1",
            "fingerprint": uuid.uuid4().bytes * 2,
            "outcome": "answered",
            "answer": "{}",
            "cost": 1,
            "seconds": 0.5,
        }
        return self.insert("llm_calls", **{**row, **given})

    def llm_answer(self, project: int, item: int, call: int, **given: Any) -> int:
        row = {"project_id": project, "item_id": item, "call_id": call, "purpose": "label"}
        row |= {"value": '{"label": "a"}', "confidence": 0.9, "schema_version": 1}
        return self.insert("llm_answers", **{**row, **given})

    def llm_route(self, project: int, round_: int, item: int, **given: Any) -> int:
        """The LLM labels it; with an answer of that confidence, unless told otherwise."""
        row = {"project_id": project, "round_id": round_, "item_id": item, "provider": "p"}
        row |= {"model": "m", "labelled_by": "llm", "why": "sure", "able": True}
        row |= {"confidence": 0.9, "threshold": 0.8}
        if "answer_id" not in given:
            row["answer_id"] = self.llm_answer(project, item, self.llm_call(project))
        return self.insert("llm_routes", **{**row, **given})

    def llm_suspension(self, project: int, **given: Any) -> int:
        row = {"project_id": project, "provider": "p", "model": "m", "reason": "r", "figures": "{}"}
        return self.insert("llm_suspensions", **{**row, **given})

    def llm_judgement(self, project: int, **given: Any) -> int:
        row = {"project_id": project, "kind": "judged_x", "provider": "p", "model": "m"}
        row |= {"prompt": "judge.v1", "items": 1, "figures": "{}"}
        return self.insert("llm_judgements", **{**row, **given})

    def move(self, round_: int, state: str) -> None:
        """With the columns that go with the state, so that only the move itself can be refused."""
        self.run(
            "UPDATE rounds SET failed_in = CASE WHEN %s = 'failed' THEN state END, "
            "error = CASE WHEN %s = 'failed' THEN '{}'::jsonb END, "
            "closed_at = CASE WHEN %s IN ('closed', 'cancelled') THEN now() END, state = %s "
            "WHERE id = %s",
            *([state] * 4),
            round_,
        )

    def state(self, round_: int) -> str:
        return str(self.value("SELECT state FROM rounds WHERE id = %s", round_))


@contextmanager
def connected(database_url: str) -> Iterator[Database]:
    address = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
        yield Database(connection)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with connected(database_url) as database:
        yield database


@pytest.fixture
def another(database_url: str) -> Iterator[Database]:
    """Somebody else in the same database."""
    with connected(database_url) as database:
        yield database


# --- held-out items ---


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_held_out_item_cannot_be_selected(db: Database, split: str) -> None:
    project = db.project()
    round_ = db.round(project)
    held_out = db.item(project, split=split)
    db.selection(project, round_, db.item(project))
    with pytest.raises(errors.ForeignKeyViolation):
        db.selection(project, round_, held_out, rank=2)
    with pytest.raises(errors.CheckViolation):
        db.selection(project, round_, held_out, rank=2, split=split)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_selected_item_cannot_become_held_out(db: Database, split: str) -> None:
    project = db.project()
    selected, other = db.item(project), db.item(project)
    db.selection(project, db.round(project), selected)
    assert db.run("UPDATE items SET split = %s WHERE id = %s", split, other) == 1
    with pytest.raises(errors.ForeignKeyViolation):
        db.run("UPDATE items SET split = %s WHERE id = %s", split, selected)


def test_a_selected_item_cannot_be_deleted(db: Database) -> None:
    project = db.project()
    selected, other = db.item(project), db.item(project)
    db.selection(project, db.round(project), selected)
    assert db.run("DELETE FROM items WHERE id = %s", other) == 1
    with pytest.raises(errors.ForeignKeyViolation):
        db.run("DELETE FROM items WHERE id = %s", selected)


def test_a_held_out_item_is_nobodys_duplicate(db: Database) -> None:
    project = db.project()
    first = db.item(project)
    db.item(project, duplicate_of=first)
    with pytest.raises(errors.CheckViolation):
        db.item(project, duplicate_of=first, split="test")


# --- projects do not mix ---


def test_nothing_crosses_from_one_project_to_another(db: Database) -> None:
    mine, other = db.project(), db.project()
    my_round, my_item = db.round(mine), db.item(mine)
    other_item = db.item(other)
    selection = db.selection(mine, my_round, my_item)
    for crossing in (
        lambda: db.selection(mine, my_round, other_item, rank=2),
        lambda: db.selection(other, my_round, other_item, rank=2),
        lambda: db.push(other, my_round, my_item, selection),
        lambda: db.annotation(mine, other_item),
        lambda: db.label(mine, other_item),
        lambda: db.label(other, other_item, round_id=my_round),
        lambda: db.item(other, duplicate_of=my_item),
    ):
        with pytest.raises(errors.ForeignKeyViolation):
            crossing()
    db.push(mine, my_round, my_item, selection)


# --- rounds ---


def test_a_project_has_one_open_round(db: Database) -> None:
    project = db.project()
    first = db.round(project)
    with pytest.raises(errors.UniqueViolation) as refused:
        db.round(project, number=2)
    assert refused.value.diag.constraint_name == "one_open_round"
    db.move(first, "cancelled")
    db.round(project, number=2)
    db.round(db.project())  # another project is another matter


def test_a_failed_round_is_still_open(db: Database) -> None:
    project = db.project()
    db.move(db.round(project), "failed")
    with pytest.raises(errors.UniqueViolation):
        db.round(project, number=2)


def test_round_numbers_are_not_used_twice(db: Database) -> None:
    project = db.project()
    db.move(db.round(project), "cancelled")
    with pytest.raises(errors.UniqueViolation):
        db.round(project, number=1)


def test_a_round_goes_from_planned_to_closed_step_by_step(db: Database) -> None:
    round_ = db.round(db.project())
    for state in PATH[1:]:
        db.move(round_, state)
        assert db.state(round_) == state


@pytest.mark.parametrize("at", range(len(PATH)))
def test_a_round_cannot_jump(db: Database, at: int) -> None:
    round_ = db.round(db.project())
    for state in PATH[1 : at + 1]:
        db.move(round_, state)
    lawful = {PATH[at], "failed", "cancelled", *PATH[at + 1 : at + 2]}
    if PATH[at] == "closed":
        lawful = {"closed"}
    for state in sorted({*PATH, "failed", "cancelled"} - lawful):
        with pytest.raises(errors.IntegrityError, match="cannot go from"):
            db.move(round_, state)
    assert db.state(round_) == PATH[at]


def test_a_cancelled_round_stays_cancelled(db: Database) -> None:
    round_ = db.round(db.project())
    db.move(round_, "cancelled")
    for state in (*PATH, "failed"):
        with pytest.raises(errors.IntegrityError):
            db.move(round_, state)


def test_a_failed_round_goes_on_where_it_failed_or_is_cancelled(db: Database) -> None:
    project = db.project()
    round_ = db.round(project)
    db.move(round_, "training")
    db.move(round_, "failed")
    for state in ("planned", "scoring", "closed"):
        with pytest.raises(errors.IntegrityError):
            db.move(round_, state)
    db.move(round_, "training")
    db.move(round_, "failed")
    db.move(round_, "cancelled")


@pytest.mark.parametrize("state", ["training", "annotating", "closed", "cancelled", "failed"])
def test_a_round_begins_as_planned(db: Database, state: str) -> None:
    with pytest.raises(errors.IntegrityError, match="cannot begin"):
        db.round(
            db.project(),
            state=state,
            closed_at="now" if state in ("closed", "cancelled") else None,
            failed_in="training" if state == "failed" else None,
            error="{}" if state == "failed" else None,
        )


def test_a_round_that_failed_says_where_and_why_and_one_that_is_over_says_when(
    db: Database,
) -> None:
    round_ = db.round(db.project())
    for statement in (
        "UPDATE rounds SET state = 'failed' WHERE id = %s",
        "UPDATE rounds SET state = 'failed', failed_in = 'planned' WHERE id = %s",
        "UPDATE rounds SET failed_in = 'planned', error = '{}' WHERE id = %s",
        "UPDATE rounds SET state = 'cancelled' WHERE id = %s",
        "UPDATE rounds SET closed_at = now() WHERE id = %s",
    ):
        with pytest.raises(errors.CheckViolation):
            db.run(statement, round_)


def test_a_step_is_recorded_once_a_round(db: Database) -> None:
    round_ = db.round(db.project())
    step = {"name": "training", "worker": "w", "fence": 1, "started_at": "now"}
    db.insert("steps", round_id=round_, **step)
    with pytest.raises(errors.UniqueViolation):
        db.insert("steps", round_id=round_, **step)


# --- selections and what is out for annotation ---


@pytest.mark.parametrize("column", ["score", "uncertainty"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_scores_are_finite(db: Database, column: str, value: str) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    with pytest.raises(errors.CheckViolation):
        db.selection(project, round_, item, **{column: value})
    db.selection(project, round_, item, **{column: -3.5})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("rank", 0),
        ("reason", ""),
        ("slice", "other"),
        ("draw_probability", 0.0),
        ("draw_probability", 1.1),
        ("draw_probability", "NaN"),
        ("confidence", -0.1),
        ("confidence", 1.1),
        ("confidence", "NaN"),
    ],
)
def test_a_selection_is_complete_and_in_range(db: Database, column: str, value: Any) -> None:
    project = db.project()
    with pytest.raises(errors.CheckViolation):
        db.selection(project, db.round(project), db.item(project), **{column: value})


def test_a_prediction_names_its_classifier(db: Database) -> None:
    project = db.project()
    round_, item, classifier = db.round(project), db.item(project), db.classifier(project)
    prediction = '{"label": "a"}'
    with pytest.raises(errors.CheckViolation):
        db.selection(project, round_, item, prediction=prediction)
    with pytest.raises(errors.CheckViolation):
        db.selection(project, round_, item, classifier_id=classifier)
    db.selection(project, round_, item, prediction=prediction, classifier_id=classifier)


def test_an_item_and_a_rank_stand_once_in_a_batch(db: Database) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    db.selection(project, round_, item)
    with pytest.raises(errors.UniqueViolation):
        db.selection(project, round_, item, rank=2)
    with pytest.raises(errors.UniqueViolation):
        db.selection(project, round_, db.item(project), rank=1)


@pytest.mark.parametrize(
    ("state", "free"),
    [("planned", False), ("pushed", False), ("quarantined", False), ("withdrawn", True)],
)
def test_an_item_is_out_for_annotation_once(db: Database, state: str, free: bool) -> None:
    project = db.project()
    item = db.item(project)
    first = db.round(project)
    push = db.push(project, first, item, db.selection(project, first, item))
    db.run(
        "UPDATE pushes SET state = %s, record_id = gen_random_uuid(), pushed_at = now(), "
        "problem = 'p' WHERE selection_id = %s",
        state,
        push,
    )
    db.move(first, "cancelled")
    second = db.round(project, number=2)
    again = db.selection(project, second, item)
    if free:
        db.push(project, second, item, again)
        return
    with pytest.raises(errors.UniqueViolation) as refused:
        db.push(project, second, item, again)
    assert refused.value.diag.constraint_name == "one_push_an_item"


def test_what_is_pushed_has_a_record_and_what_is_quarantined_a_problem(db: Database) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    push = db.push(project, round_, item, db.selection(project, round_, item))
    for state in ("pushed", "quarantined", "lost"):
        with pytest.raises(errors.CheckViolation):
            db.run("UPDATE pushes SET state = %s WHERE selection_id = %s", state, push)


def test_a_lost_record_says_since_when_and_a_sick_dataset_too(db: Database) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    push = db.push(project, round_, item, db.selection(project, round_, item))
    with pytest.raises(errors.CheckViolation):
        db.run("UPDATE pushes SET state = 'lost', problem = 'p' WHERE selection_id = %s", push)
    db.run(
        "INSERT INTO datasets (project_id, schema_version, dataset_id, annotate_url) "
        "VALUES (%s, 1, gen_random_uuid(), 'u')",
        project,
    )
    with pytest.raises(errors.CheckViolation):
        db.run("UPDATE datasets SET problem = 'gone' WHERE project_id = %s", project)


def test_a_push_is_of_the_item_and_round_that_were_selected(db: Database) -> None:
    project = db.project()
    round_, item, other = db.round(project), db.item(project), db.item(project)
    selection = db.selection(project, round_, item)
    db.move(round_, "cancelled")
    with pytest.raises(errors.ForeignKeyViolation):
        db.push(project, round_, other, selection)
    with pytest.raises(errors.ForeignKeyViolation):
        db.push(project, db.round(project, number=2), item, selection)


# --- labels ---


def test_an_item_has_one_first_label(db: Database) -> None:
    project = db.project()
    item = db.item(project)
    db.label(project, item)
    with pytest.raises(errors.UniqueViolation) as refused:
        db.label(project, item)
    assert refused.value.diag.constraint_name == "one_first_label"


def test_a_label_is_superseded_once_and_by_one_of_its_item(db: Database) -> None:
    project = db.project()
    item, other = db.item(project), db.item(project)
    first = db.label(project, item)
    with pytest.raises(errors.ForeignKeyViolation):
        db.label(project, other, supersedes=first)
    second = db.label(project, item, supersedes=first)
    with pytest.raises(errors.UniqueViolation) as refused:
        db.label(project, item, supersedes=first)
    assert refused.value.diag.constraint_name == "superseded_once"
    db.label(project, item, supersedes=second)


def test_the_current_label_is_the_end_of_the_chain(db: Database) -> None:
    project = db.project()
    item = db.item(project)
    current = "SELECT value->>'label' FROM current_labels WHERE item_id = %s"
    first = db.label(project, item)
    assert db.value(current, item) == "a"
    second = db.label(project, item, value='{"label": "b"}', supersedes=first)
    assert db.value(current, item) == "b"
    third = db.label(project, item, value=None, source="human", supersedes=second)
    assert db.value(current, item) is None
    db.label(project, item, supersedes=third)
    assert db.value(current, item) == "a"


def test_a_first_label_says_something_and_a_label_is_an_object(db: Database) -> None:
    project = db.project()
    item = db.item(project)
    for value in (None, "null", '"a"', "[]"):
        with pytest.raises(errors.CheckViolation):
            db.label(project, item, value=value)


def test_a_human_label_names_the_answers_it_came_from(db: Database) -> None:
    project = db.project()
    item, other = db.item(project), db.item(project)
    mine, foreign = db.annotation(project, item), db.annotation(project, other)
    with pytest.raises(errors.CheckViolation):
        db.label(project, item, source="human")
    for wrong in ([foreign], [mine, foreign], [10**12], [mine, mine]):
        with pytest.raises(errors.IntegrityError, match="not of this item"):
            db.label(project, item, source="human", annotation_ids=wrong)
    db.label(project, item, source="human", annotation_ids=[mine])


@pytest.mark.parametrize("source", ["", "robot", "llm:", "HUMAN"])
def test_the_source_of_a_label_is_known(db: Database, source: str) -> None:
    project = db.project()
    with pytest.raises(errors.CheckViolation):
        db.label(project, db.item(project), source=source)


def test_a_label_of_a_language_model_names_it(db: Database) -> None:
    project = db.project()
    db.label(project, db.item(project), source="llm:some-oracle")


# --- annotations ---


def test_a_revision_of_a_response_is_stored_once(db: Database) -> None:
    project = db.project()
    item, response = db.item(project), uuid.uuid4()
    db.annotation(project, item, response_id=response)
    with pytest.raises(errors.UniqueViolation):
        db.annotation(project, item, response_id=response)
    db.annotation(project, item, response_id=response, response_updated_at="2026-01-02")
    db.annotation(project, item, response_id=response, status="deleted", values=None)


def test_a_submitted_answer_has_values(db: Database) -> None:
    project = db.project()
    item = db.item(project)
    with pytest.raises(errors.CheckViolation):
        db.annotation(project, item, values=None)
    with pytest.raises(errors.CheckViolation):
        db.annotation(project, item, values="null")
    with pytest.raises(errors.CheckViolation):
        db.annotation(project, item, status="pending")
    db.annotation(project, item, status="discarded", values=None)


def test_how_a_response_stands_is_its_newest_revision(db: Database) -> None:
    project = db.project()
    item, response = db.item(project), uuid.uuid4()
    newest = "SELECT status FROM newest_responses WHERE response_id = %s"
    for revision in (
        {"response_updated_at": "2026-01-02"},
        {"response_updated_at": "2026-01-01", "status": "draft"},  # seen late
    ):
        db.annotation(project, item, response_id=response, **revision)
    assert db.value(newest, response) == "submitted"
    gone = {"status": "deleted", "values": None, "response_updated_at": "2026-01-02"}
    db.annotation(project, item, response_id=response, **gone)
    assert db.value(newest, response) == "deleted"
    back = {"response_updated_at": "2026-01-02", "sighting": 1}
    db.annotation(project, item, response_id=response, **back)
    assert db.value(newest, response) == "submitted"


# --- append-only ---


def everything(db: Database) -> int:
    """A project with a row in every table of facts, and in those around them."""
    project = db.project()
    item = db.item(project)
    db.item(project, duplicate_of=item)
    round_, classifier = db.round(project), db.classifier(project)
    dataset = db.insert(
        "datasets",
        project_id=project,
        schema_version=1,
        dataset_id=uuid.uuid4(),
        annotate_url="u",
    )
    db.run(
        "UPDATE rounds SET classifier_id = %s, result_id = %s, dataset_id = %s WHERE id = %s",
        classifier,
        classifier,
        dataset,
        round_,
    )
    step = {"name": "training", "worker": "w", "fence": 1, "started_at": "now"}
    db.insert("steps", round_id=round_, **step)
    selection = db.selection(
        project, round_, item, prediction='{"label": "a"}', classifier_id=classifier
    )
    db.push(project, round_, item, selection)
    annotation = db.annotation(project, item, selection_id=selection)
    first = db.label(project, item)
    label = db.label(
        project,
        item,
        source="human",
        annotation_ids=[annotation],
        supersedes=first,
        round_id=round_,
    )
    db.run("INSERT INTO training_labels VALUES (%s, %s)", classifier, label)
    evaluation = {"kind": "held_out", "metrics": "{}", "classifier_id": classifier}
    db.insert("evaluations", project_id=project, round_id=round_, **evaluation)
    db.insert("events", project_id=project, round_id=round_, kind="k", actor="a")
    db.insert("imports", project_id=project, report="{}", actor="a")
    return project


@pytest.mark.parametrize("table", FACTS)
def test_facts_are_neither_changed_nor_deleted(db: Database, table: str) -> None:
    everything(db)
    for statement in (
        f"UPDATE {table} SET created_at = now()"
        if table != "annotations"
        else "UPDATE annotations SET status = 'draft'",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(errors.IntegrityError, match="append-only"):
            db.run(statement)


def test_facts_are_not_lost_with_what_they_belong_to(db: Database) -> None:
    project = everything(db)
    for statement in (
        "DELETE FROM projects WHERE id = %s",
        "DELETE FROM rounds WHERE project_id = %s",
        "DELETE FROM items WHERE project_id = %s",
    ):
        with pytest.raises(errors.IntegrityError):
            db.run(statement, project)
    assert db.value("SELECT count(*) FROM labels WHERE project_id = %s", project) == 2


def test_a_whole_project_can_be_deleted_by_its_name(db: Database) -> None:
    project, other = everything(db), everything(db)
    name = db.value("SELECT name FROM projects WHERE id = %s", project)
    assert db.value("SELECT delete_project(%s)", name) is True
    for table in ("items", "rounds", *FACTS):
        left = f"SELECT count(*) FROM {table} WHERE project_id = %s"
        assert db.value(left, project) == 0, table
        assert db.value(left, other) > 0, table
    gone = "SELECT detail->>'name' FROM events WHERE kind = 'project.deleted'"
    assert db.value(gone) == name
    assert db.value("SELECT delete_project('no-such-project')") is False


def test_deleting_one_project_does_not_open_the_facts_of_another(db: Database) -> None:
    project, other = everything(db), everything(db)
    name = db.value("SELECT name FROM projects WHERE id = %s", project)
    with db.connection.transaction(force_rollback=True):
        db.run("SELECT delete_project(%s)", name)
        with pytest.raises(errors.IntegrityError, match="append-only"), db.connection.transaction():
            db.run("DELETE FROM labels WHERE project_id = %s", other)


# --- actions ---


def action(db: Database, **given: Any) -> int:
    row = {"kind": "project.changed", "actor": "anna", "via": "command line", "login": "anna"}
    return db.insert("actions", **{**row, **given})


def test_actions_are_for_ever_even_when_their_project_goes(db: Database) -> None:
    project = everything(db)
    name = db.value("SELECT name FROM projects WHERE id = %s", project)
    action(db, project_id=project, project=name, round=1)
    for statement in ("UPDATE actions SET actor = 'b'", "DELETE FROM actions", "TRUNCATE actions"):
        with pytest.raises(errors.IntegrityError, match="append-only"):
            db.run(statement)
    assert db.value("SELECT delete_project(%s)", name) is True
    assert db.value("SELECT count(*) FROM actions WHERE project_id = %s", project) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"via": "pigeon"},
        {"via": "api"},  # through the service, and no key
        {"login": None},
        {"actor": ""},
        {"kind": "changed"},
        {"project": "shop"},  # a name without its id
        {"round": 1},  # of no project
        {"detail": "[]"},
    ],
)
def test_an_action_names_who_and_how(db: Database, wrong: dict[str, Any]) -> None:
    action(db)
    with pytest.raises(errors.CheckViolation):
        action(db, **wrong)


# --- projects, items, keys ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Has Blanks"},
        {"name": "-begins-badly"},
        {"name": "a" * 61},
        {"name": ""},
        {"task": '{"labels": []}'},
        {"task": '{"type": "single_label"}'},
        {"state": "asleep"},
        {"schema_version": 0},
    ],
)
def test_a_project_is_well_formed(db: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.CheckViolation):
        db.project(**wrong)


def test_project_names_and_item_ids_are_unique(db: Database) -> None:
    project = db.project(name="one")
    with pytest.raises(errors.UniqueViolation):
        db.project(name="one")
    db.item(project, external_id="x")
    db.item(db.project(), external_id="x")
    with pytest.raises(errors.UniqueViolation):
        db.item(project, external_id="x")


def test_an_item_is_well_formed(db: Database) -> None:
    project = db.project()
    for wrong in ({"external_id": ""}, {"split": "train"}, {"text_hash": b"short"}):
        with pytest.raises(errors.CheckViolation):
            db.item(project, **wrong)
    item = db.item(project)
    with pytest.raises(errors.CheckViolation):
        db.run("UPDATE items SET duplicate_of = id WHERE id = %s", item)


def key(**given: Any) -> dict[str, Any]:
    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    return {"name": "k", "role": "admin", "prefix": "rnd_abcd", "key_hash": digest, **given}


def test_a_key_is_kept_as_a_whole_hash_with_a_known_role(db: Database) -> None:
    for wrong in ({"key_hash": b"rnd_the_key_itself"}, {"role": "root"}):
        with pytest.raises(errors.CheckViolation):
            db.insert("api_keys", **key(**wrong))
    digest = hashlib.sha256(b"one").digest()
    db.insert("api_keys", **key(key_hash=digest))
    with pytest.raises(errors.UniqueViolation):
        db.insert("api_keys", **key(name="other", key_hash=digest))


def test_a_name_has_one_live_key(db: Database) -> None:
    first = db.insert("api_keys", **key())
    with pytest.raises(errors.UniqueViolation) as refused:
        db.insert("api_keys", **key())
    assert refused.value.diag.constraint_name == "one_live_key_a_name"
    db.run("UPDATE api_keys SET revoked_at = now() WHERE id = %s", first)
    db.insert("api_keys", **key())


def test_an_idempotency_key_stands_for_one_round(db: Database) -> None:
    project = db.project()
    row = (db.insert("api_keys", **key()), "once", project, "h", db.round(project))
    statement = (
        "INSERT INTO idempotency_keys (key_id, key, project_id, request_hash, round_id) "
        "VALUES (%s, %s, %s, %s, %s)"
    )
    db.run(statement, *row)
    with pytest.raises(errors.UniqueViolation):
        db.run(statement, *row)
    with pytest.raises(errors.CheckViolation):
        db.run(statement, row[0], "x" * 201, *row[2:])


def test_a_classifier_is_kept_once_for_what_it_was_made_of(db: Database) -> None:
    project = db.project()
    db.classifier(project, fingerprint="f")
    with pytest.raises(errors.UniqueViolation):
        db.classifier(project, number=2, fingerprint="f")
    with pytest.raises(errors.CheckViolation):
        db.classifier(project, number=2, labels=0)


# --- disputes ---


def disputed(db: Database) -> dict[str, Any]:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    db.selection(project, round_, item)
    return {"project_id": project, "round_id": round_, "item_id": item, "agreement": 0.5}


def test_an_item_has_one_open_dispute(db: Database) -> None:
    row = disputed(db)
    first = db.insert("disputes", **row)
    with pytest.raises(errors.UniqueViolation) as refused:
        db.insert("disputes", **row)
    assert refused.value.diag.constraint_name == "one_open_dispute"
    db.run("UPDATE disputes SET ended_at = now(), outcome = 'decided' WHERE id = %s", first)
    db.insert("disputes", **row)


def test_a_dispute_is_about_an_item_of_its_round_and_ends_with_an_outcome(db: Database) -> None:
    row = disputed(db)
    with pytest.raises(errors.ForeignKeyViolation):
        db.insert("disputes", **{**row, "item_id": db.item(row["project_id"])})
    for wrong in ({"agreement": 1.5}, {"ended_at": "now"}, {"outcome": "decided"}):
        with pytest.raises(errors.CheckViolation):
            db.insert("disputes", **{**row, **wrong})
    ended = db.insert("disputes", **row, ended_at="now", outcome="undecided")
    with pytest.raises(errors.IntegrityConstraintViolation):
        db.run("UPDATE disputes SET outcome = 'decided' WHERE id = %s", ended)


def test_a_project_has_one_dataset_a_purpose(db: Database) -> None:
    row = {"project_id": db.project(), "schema_version": 1, "annotate_url": "u"}
    db.insert("datasets", **row, dataset_id=uuid.uuid4())
    db.insert("datasets", **row, dataset_id=uuid.uuid4(), purpose="disputes")
    for purpose in ("annotation", "disputes"):
        with pytest.raises(errors.UniqueViolation):
            db.insert("datasets", **row, dataset_id=uuid.uuid4(), purpose=purpose)


def test_answers_needed_are_told_by_settings_and_slice(db: Database) -> None:
    asked = "SELECT answers_needed(%s, %s)"
    assert db.value(asked, "{}", "active") == 1
    assert db.value(asked, '{"overlap": 2, "audit_overlap": null}', "audit") == 2
    assert db.value(asked, '{"overlap": 2, "audit_overlap": 3}', "audit") == 3
    assert db.value(asked, '{"overlap": 2, "audit_overlap": 3}', "active") == 2


# --- news ---


def test_due_rounds_and_events_are_announced(db: Database, database_url: str) -> None:
    project = db.project()
    address = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as listener:
        listener.execute("LISTEN rounds_work")
        listener.execute("LISTEN rounds_events")
        db.round(project)
        db.insert("events", project_id=project, kind="k", actor="a")
        heard = list(listener.notifies(timeout=60, stop_after=2))
    assert {(one.channel, one.payload) for one in heard} == {
        ("rounds_work", str(project)),
        ("rounds_events", str(project)),
    }


def test_a_round_that_is_due_later_wakes_nobody(db: Database, database_url: str) -> None:
    project = db.project()
    address = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as listener:
        listener.execute("LISTEN rounds_work")
        db.round(project, due_at="tomorrow")
        listener.execute("SELECT pg_notify('rounds_work', 'end of what was sent')")
        heard = next(iter(listener.notifies(timeout=60, stop_after=1)))
    assert heard.payload == "end of what was sent"


def test_a_project_runs_by_itself_or_says_why_it_stopped_never_both(db: Database) -> None:
    project = db.project(auto_since="2026-01-01")
    assert db.run("UPDATE projects SET auto_since = NULL, stopped = '{}' WHERE id = %s", project)
    with pytest.raises(errors.CheckViolation, match="runs_or_stopped"):
        db.run("UPDATE projects SET auto_since = now() WHERE id = %s", project)


def test_the_record_of_a_pool_stays_and_belongs_to_one_project(db: Database) -> None:
    project, other = db.project(), db.project()
    kept = db.insert("pool_snapshots", project_id=project, sha256="a", candidates=b"",
                     occupied=b"", label_ids=b"")  # fmt: skip
    round_ = db.round(project)
    assert db.run("UPDATE rounds SET pool_id = %s WHERE id = %s", kept, round_)
    with pytest.raises(errors.ForeignKeyViolation, match="chose_from_its_own_pool"):
        db.run("UPDATE rounds SET pool_id = %s WHERE id = %s", kept, db.round(other))
    for change in ("UPDATE pool_snapshots SET sha256 = 'b'", "DELETE FROM pool_snapshots"):
        with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
            db.run(change)


def test_what_will_be_erased_is_put_away_first(db: Database) -> None:
    project = db.project(state="archived", erase_at="2026-01-01")
    with pytest.raises(errors.CheckViolation, match="put_away_before_erased"):
        db.run("UPDATE projects SET state = 'active' WHERE id = %s", project)


def test_versions_of_labels_are_never_changed(db: Database) -> None:
    project = db.project()
    db.run("INSERT INTO label_schemas (project_id, version, labels, mapping, actor) "
           "VALUES (%s, 1, '[]', '{}', 'me')", project)  # fmt: skip
    for change in ("UPDATE label_schemas SET labels = '[1]'", "DELETE FROM label_schemas"):
        with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
            db.run(change)


# --- LLMs ---


@pytest.mark.parametrize("table", LLM_FACTS)
def test_what_an_llm_was_asked_and_said_stays(db: Database, table: str) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    db.selection(project, round_, item)
    answer = db.llm_answer(project, item, db.llm_call(project))
    db.llm_route(project, round_, item, answer_id=answer)
    db.llm_judgement(project)
    for statement in (
        f"UPDATE {table} SET model = 'x'" if table != "llm_answers" else
        "UPDATE llm_answers SET confidence = 1",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):  # fmt: skip
        with pytest.raises(errors.IntegrityError, match="append-only"):
            db.run(statement)
    assert db.value(f"SELECT count(*) FROM {table}") == 1


def test_only_an_answer_is_ever_used_again_and_there_is_one_a_question(db: Database) -> None:
    project, question = db.project(), uuid.uuid4().bytes * 2
    for outcome in ("malformed", "refused", "lost", "malformed"):
        db.llm_call(project, fingerprint=question, outcome=outcome, answer=None)
        with pytest.raises(errors.CheckViolation):
            db.llm_call(project, fingerprint=question, outcome=outcome, answer="kept")
    db.llm_call(project, fingerprint=question)
    with pytest.raises(errors.UniqueViolation) as refused:
        db.llm_call(project, fingerprint=question)
    assert refused.value.diag.constraint_name == "one_answer_a_question"
    with pytest.raises(errors.CheckViolation):
        db.llm_call(project, answer=None)
    db.llm_call(db.project(), fingerprint=question)  # another project is another matter


@pytest.mark.parametrize(
    "given",
    [
        {"cost": -1},
        {"tokens_in": -1},
        {"seconds": "Infinity"},
        {"outcome": "failed", "answer": None, "cost": 1},
        {"purpose": "other"},
        {"prompt": "label"},
        {"fingerprint": b"short"},
    ],
)
def test_a_call_is_booked_whole(db: Database, given: dict[str, Any]) -> None:
    project = db.project()
    db.llm_call(project)
    with pytest.raises(errors.CheckViolation):
        db.llm_call(project, **given)


def test_an_answer_of_an_llm_is_of_its_projects_items_and_calls(db: Database) -> None:
    mine, other = db.project(), db.project()
    item, call = db.item(mine), db.llm_call(mine)
    for crossing in (
        lambda: db.llm_answer(mine, db.item(other), call),
        lambda: db.llm_answer(mine, item, db.llm_call(other)),
        lambda: db.llm_call(mine, round_id=db.round(db.project())),
    ):
        with pytest.raises(errors.ForeignKeyViolation):
            crossing()
    db.llm_answer(mine, item, call)
    with pytest.raises(errors.UniqueViolation):
        db.llm_answer(mine, item, call)
    for given in ({"confidence": 1.1}, {"confidence": "NaN"}, {"value": "[]"}):
        with pytest.raises(errors.CheckViolation):
            db.llm_answer(mine, item, db.llm_call(mine), **given)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_llm_labels_what_is_held_out(db: Database, split: str) -> None:
    project = db.project()
    db.label(project, db.item(project, split=split))
    with pytest.raises(errors.IntegrityError, match="held out"):
        db.label(project, db.item(project, split=split), source="llm:p/m")
    labelled = db.item(project)
    first = db.label(project, labelled, source="llm:p/m")
    with pytest.raises(errors.IntegrityError, match="cannot be held out"):
        db.run("UPDATE items SET split = %s WHERE id = %s", split, labelled)
    db.label(project, labelled, supersedes=first)
    assert db.run("UPDATE items SET split = %s WHERE id = %s", split, labelled) == 1


def test_no_llm_labels_what_is_in_an_audit_slice(db: Database) -> None:
    project = db.project()
    round_, audit, active = db.round(project), db.item(project), db.item(project)
    db.selection(project, round_, audit, slice="audit")
    db.selection(project, round_, active, slice="active", rank=2)
    db.label(project, active, source="llm:p/m")
    with pytest.raises(errors.IntegrityError, match="audit slice"):
        db.label(project, audit, source="llm:p/m")
    db.label(project, audit)


def test_a_judged_figure_cannot_bear_another_name(db: Database) -> None:
    project = db.project()
    db.llm_judgement(project)
    with pytest.raises(errors.CheckViolation):
        db.llm_judgement(project, kind="held_out")


def test_a_project_goes_with_all_that_llms_said_of_it(db: Database) -> None:
    project = db.project(name="doomed")
    round_, item = db.round(project), db.item(project)
    answer = db.llm_answer(project, item, db.llm_call(project, round_id=round_))
    db.selection(project, round_, item)
    db.llm_route(project, round_, item, answer_id=answer)
    db.llm_suspension(project)
    db.insert("llm_jobs", project_id=project, purpose="label", provider="p", actor="me",
              item_ids=[item], round_id=round_)  # fmt: skip
    db.llm_judgement(project)
    assert db.value("SELECT delete_project('doomed')")
    for table in LLM_FACTS:
        assert db.value(f"SELECT count(*) FROM {table}") == 0


def test_an_llm_labels_only_what_it_is_sure_enough_of(db: Database) -> None:
    project = db.project()
    round_ = db.round(project)
    items = [db.item(project) for _ in range(6)]
    for rank, item in enumerate(items, start=1):
        db.selection(project, round_, item, rank=rank)
    sure, unsure, *others = items
    db.llm_route(project, round_, sure)
    people: dict[str, Any] = {"labelled_by": "people", "able": False}
    db.llm_route(project, round_, unsure, confidence=0.7, **people)
    unlawful: list[dict[str, Any]] = [
        {"confidence": 0.7},
        {"able": False},
        {"answer_id": None, "confidence": None},
        {"threshold": None},
    ]
    for item, given in zip(others, unlawful, strict=True):
        with pytest.raises(errors.CheckViolation):
            db.llm_route(project, round_, item, **given)
    with pytest.raises(errors.UniqueViolation):
        db.llm_route(project, round_, sure)
    with pytest.raises(errors.ForeignKeyViolation):
        db.llm_route(project, round_, db.item(project))  # not in the batch


def test_a_project_has_one_long_run_at_a_time_and_its_end_is_told(db: Database) -> None:
    project = db.project()
    given = {"project_id": project, "purpose": "label", "provider": "p", "actor": "me"}
    first = db.insert("llm_jobs", **given, item_ids=[1, 2])
    with pytest.raises(errors.UniqueViolation):
        db.insert("llm_jobs", **given, item_ids=[3])
    for change in ("done = 3", "state = 'done'", "state = 'done', ended_at = now()",
                   "state = 'failed', ended_at = now()"):  # fmt: skip
        with pytest.raises(errors.CheckViolation):
            db.run(f"UPDATE llm_jobs SET {change} WHERE id = %s", first)
    db.run("UPDATE llm_jobs SET done = 2, state = 'done', ended_at = now() WHERE id = %s", first)
    db.insert("llm_jobs", **given, item_ids=[3])


def test_an_item_of_an_audit_slice_is_routed_to_people(db: Database) -> None:
    project = db.project()
    round_, item = db.round(project), db.item(project)
    db.selection(project, round_, item, slice="audit")
    with pytest.raises(errors.IntegrityConstraintViolation, match="audit slice"):
        db.llm_route(project, round_, item)
    db.llm_route(project, round_, item, labelled_by="people", why="audit_slice")


def test_a_route_refers_to_an_answer_about_its_own_item(db: Database) -> None:
    project = db.project()
    round_, item, other = db.round(project), db.item(project), db.item(project)
    db.selection(project, round_, item)
    with pytest.raises(errors.ForeignKeyViolation):
        db.llm_route(
            project, round_, item, answer_id=db.llm_answer(project, other, db.llm_call(project))
        )


def test_an_llm_is_suspended_once_and_only_somebody_ends_that(db: Database) -> None:
    project = db.project()
    first = db.llm_suspension(project)
    with pytest.raises(errors.UniqueViolation):
        db.llm_suspension(project)
    db.llm_suspension(project, model="another")
    for change in ("reopened_at = now()", "reopened_at = now(), reopened_by = ''", "reason = 'x'"):
        with pytest.raises(errors.IntegrityError):
            db.run(f"UPDATE llm_suspensions SET {change} WHERE id = %s", first)
    reopen = "UPDATE llm_suspensions SET reopened_at = now(), reopened_by = 'anna' WHERE id = %s"
    assert db.run(reopen, first) == 1
    with pytest.raises(errors.IntegrityConstraintViolation):
        db.run(reopen, first)
    with pytest.raises(errors.IntegrityConstraintViolation):
        db.run("DELETE FROM llm_suspensions WHERE id = %s", first)
    db.llm_suspension(project)


def left_over(db: Database) -> tuple[int, int, int, int]:
    """A closed round that left one item in Argilla, and the next one, just planned."""
    project = db.project()
    first = db.round(project)
    item = db.item(project)
    selection = db.selection(project, first, item)
    pushed = {"state": "pushed", "record_id": uuid.uuid4(), "pushed_at": "now"}
    db.push(project, first, item, selection, **pushed)
    for state in PATH[1:]:
        db.move(first, state)
    return project, first, db.round(project, number=2), selection


TAKE_OVER = "UPDATE pushes SET waits_in = %s WHERE selection_id = %s"


def test_one_round_waits_for_a_selection_and_it_is_its_own_at_first(db: Database) -> None:
    _, first, second, selection = left_over(db)
    waits = "SELECT waits_in FROM pushes WHERE selection_id = %s"
    assert db.value(waits, selection) == first
    assert db.run(TAKE_OVER, second, selection) == 1
    assert db.value(waits, selection) == second
    with pytest.raises(errors.NotNullViolation):
        db.run("UPDATE pushes SET waits_in = NULL WHERE selection_id = %s", selection)


def test_a_selection_is_never_given_back_to_an_earlier_round(db: Database) -> None:
    _, first, second, selection = left_over(db)
    db.run(TAKE_OVER, second, selection)
    with pytest.raises(errors.IntegrityError, match="taken over only from a closed round"):
        db.run(TAKE_OVER, first, selection)


def test_nothing_is_taken_from_a_round_that_still_waits(db: Database) -> None:
    project = db.project()
    first, item = db.round(project), db.item(project)
    selection = db.selection(project, first, item)
    db.push(project, first, item, selection)
    db.move(first, "cancelled")
    with pytest.raises(errors.IntegrityError, match="taken over only from a closed round"):
        db.run(TAKE_OVER, db.round(project, number=2), selection)


@pytest.mark.parametrize("state", PATH[1:6])
def test_a_round_takes_over_only_as_it_begins(db: Database, state: str) -> None:
    _, _, second, selection = left_over(db)
    for one in PATH[1 : PATH.index(state) + 1]:
        db.move(second, one)
    with pytest.raises(errors.IntegrityError, match="taken over only from a closed round"):
        db.run(TAKE_OVER, second, selection)


def test_what_was_taken_back_is_not_taken_over(db: Database) -> None:
    _, _, second, selection = left_over(db)
    db.run("UPDATE pushes SET state = 'withdrawn' WHERE selection_id = %s", selection)
    with pytest.raises(errors.IntegrityError, match="taken over only from a closed round"):
        db.run(TAKE_OVER, second, selection)


def test_no_round_of_another_project_takes_over(db: Database) -> None:
    _, _, _, selection = left_over(db)
    with pytest.raises(errors.ForeignKeyViolation):
        db.run(TAKE_OVER, db.round(db.project(), number=2), selection)


def test_no_push_begins_in_an_earlier_round(db: Database) -> None:
    project, first, second, _ = left_over(db)
    item = db.item(project)
    selection = db.selection(project, second, item)
    with pytest.raises(errors.IntegrityError, match="an earlier round cannot wait"):
        db.push(project, second, item, selection, waits_in=first)


def refreshed(db: Database, selection: int, **given: Any) -> int:
    project = db.value("SELECT project_id FROM selections WHERE id = %s", selection)
    row = {"project_id": project, "selection_id": selection, "slice": "cold_start"}
    row |= {"prediction": '{"label": "a"}', "confidence": 0.5, "uncertainty": 0.1}
    number = uuid.uuid4().int % 10**6 + 1
    classifier = db.classifier(project, number=number)
    return db.insert("refreshed_suggestions", **{**row, "classifier_id": classifier, **given})


def test_an_audit_item_is_never_suggested_anything(db: Database) -> None:
    project = db.project()
    first = db.round(project)
    assert refreshed(db, db.selection(project, first, db.item(project)))
    audit = db.selection(project, first, db.item(project), rank=2, slice="audit")
    with pytest.raises(errors.CheckViolation), db.connection.transaction():
        refreshed(db, audit, slice="audit")
    with pytest.raises(errors.ForeignKeyViolation):
        refreshed(db, audit)


def test_what_was_suggested_when_stays(db: Database) -> None:
    project = db.project()
    refreshed(db, db.selection(project, db.round(project), db.item(project)))
    for statement in (
        "UPDATE refreshed_suggestions SET confidence = 1",
        "DELETE FROM refreshed_suggestions",
        "TRUNCATE refreshed_suggestions",
    ):
        with pytest.raises(errors.IntegrityError, match="append-only"), db.connection.transaction():
            db.run(statement)
    assert db.value("SELECT delete_project((SELECT name FROM projects WHERE id = %s))", project)


def test_an_edit_of_labels_waits_for_an_open_round_or_not_at_all(db: Database) -> None:
    project = db.project()
    ask = "UPDATE projects SET label_edit = '{}' WHERE id = %s"
    with pytest.raises(errors.IntegrityError, match="cannot wait"), db.connection.transaction():
        db.run(ask, project)
    first = db.round(project)
    assert db.run(ask, project) == 1
    db.move(first, "cancelled")
    assert db.run("UPDATE projects SET label_edit = NULL WHERE id = %s", project) == 1


# --- what is measured ---


def closed_round(db: Database, project: int, **given: Any) -> int:
    round_ = db.round(project, **given)
    for state in PATH[1:]:
        db.move(round_, state)
    return round_


def test_only_a_closed_round_is_measured_and_each_figure_once(db: Database) -> None:
    project = db.project()
    closed = closed_round(db, project)
    db.measurement(project, closed)
    with pytest.raises(errors.UniqueViolation):
        db.measurement(project, closed)
    with pytest.raises(errors.IntegrityConstraintViolation, match="not closed"):
        db.measurement(project, db.round(project, number=2))


def test_what_was_measured_stays(db: Database) -> None:
    project = db.project()
    measured = db.measurement(project, closed_round(db, project))
    for statement in (
        "UPDATE measurements SET kind = 'other' WHERE id = %s",
        "DELETE FROM measurements WHERE id = %s",
    ):
        with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
            db.run(statement, measured)
    with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
        db.run("TRUNCATE measurements")


def test_a_project_fights_one_duel(db: Database) -> None:
    project = db.project()
    given_up = db.round(project, purpose="duel")
    db.move(given_up, "cancelled")
    closed_round(db, project, number=2, purpose="duel")
    with pytest.raises(errors.UniqueViolation):
        db.round(project, number=3, purpose="duel")


def test_a_relabelling_asks_again_about_something(db: Database) -> None:
    project = db.project()
    with pytest.raises(errors.CheckViolation):
        db.round(project, purpose="relabel")
    with pytest.raises(errors.CheckViolation):
        db.round(project, asked=[1])
    db.round(project, purpose="relabel", asked=[1])


# --- changes are counted ---


def counted(db: Database, project: int, what: str, round_: int | None = None) -> int:
    return int(
        db.value(
            "SELECT coalesce(sum(times), 0) FROM changes WHERE project_id = %s AND what = %s "
            "AND round_id IS NOT DISTINCT FROM %s",
            project,
            what,
            round_,
        )
    )


def test_whatever_a_page_counts_of_a_round_is_counted_as_a_change_of_it(db: Database) -> None:
    project, other = db.project(), db.project()
    item, round_ = db.item(project), db.round(project)
    selection = db.selection(project, round_, item)
    dispute = (
        "INSERT INTO disputes (project_id, round_id, item_id, agreement) VALUES (%s, %s, %s, 0)"
    )
    mapping = "INSERT INTO label_mappings VALUES (%s, 1, 'a', 'b')"
    changes: list[tuple[str, Callable[[], Any]]] = [
        ("batches", lambda: db.push(project, round_, item, selection)),
        ("batches", lambda: db.run("UPDATE pushes SET state = 'withdrawn'")),
        ("answers", lambda: db.annotation(project, item)),
        ("answers", lambda: db.run(dispute, project, round_, item)),
        ("answers", lambda: db.run("UPDATE disputes SET outcome = 'decided', ended_at = now()")),
        ("answers", lambda: db.run(mapping, project)),
        ("answers", lambda: db.run("UPDATE label_mappings SET new = NULL")),
        ("labels", lambda: db.label(project, item, round_id=round_)),
        ("batches", lambda: db.llm_route(project, round_, item)),
        ("calls", lambda: db.llm_call(project, round_id=round_)),
    ]
    for what, change in changes:
        before = counted(db, project, what), counted(db, project, "round", round_)
        change()
        after = counted(db, project, what), counted(db, project, "round", round_)
        assert after > before and after[1] > before[1], what
    assert db.value("SELECT count(*) FROM changes WHERE project_id = %s", other) == 0


def test_an_answer_is_a_change_of_every_round_that_asked_or_waits(db: Database) -> None:
    project = db.project()
    item = db.item(project)
    made = closed_round(db, project)
    waits = db.round(project, number=2)
    selection = db.selection(project, made, item)
    db.push(project, made, item, selection, state="pushed", record_id=uuid.uuid4(), pushed_at="now")
    db.run("UPDATE pushes SET waits_in = %s WHERE item_id = %s", waits, item)
    before = counted(db, project, "round", made), counted(db, project, "round", waits)
    assert before[1] > 0  # it was told that it waits
    db.annotation(project, item)
    after = counted(db, project, "round", made), counted(db, project, "round", waits)
    assert after == (before[0] + 1, before[1] + 1)


def test_nobody_waits_to_count_and_a_count_shows_with_its_change(
    db: Database, another: Database
) -> None:
    project = db.project()
    item, other = db.item(project), db.item(project)
    with db.connection.transaction():
        db.label(project, item)
        another.run("SET lock_timeout = '2s'")
        another.label(project, other)
        assert counted(another, project, "labels") == 1
        assert counted(db, project, "labels") == 2
    assert counted(another, project, "labels") == 2


def test_a_figure_is_kept_once_for_a_round_and_once_for_all(db: Database) -> None:
    project = db.project()
    keep = "INSERT INTO kept_figures (project_id, name, round_id, as_of, figures) "
    keep += "VALUES (%s, 'n', %s, '1', '{}')"
    for round_ in (None, 7):
        db.run(keep, project, round_)
        with pytest.raises(errors.UniqueViolation):
            db.run(keep, project, round_)
    for what, of in (("labels", 7), ("round", None), ("weather", None)):
        with pytest.raises(errors.CheckViolation):
            db.run(
                "INSERT INTO changes (project_id, what, round_id) VALUES (%s, %s, %s)",
                project,
                what,
                of,
            )
