"""`rounds doctor` on a real Postgres and a real Argilla."""

import json

import pytest
from typer.testing import CliRunner

from app.bootstrap import build
from app.cli.program import program
from app.core.entities import RoundState
from app.rounds import commands
from app.settings import read_settings
from tests.argilla_hands import ArgillaHands
from tests.factories import all_rows, import_rows, make_project, sample_texts

pytestmark = [pytest.mark.postgres, pytest.mark.argilla]


@pytest.fixture
def container(database_url, argilla, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATABASE_URL": database_url.replace("+psycopg", ""),
        "HOME": str(tmp_path / "home"),
        "ARGILLA_URL": argilla.url,
        "ARGILLA_API_KEY": argilla.owner.api_key,
        "ARGILLA_WORKSPACE": argilla.workspace,
    }.items():
        monkeypatch.setenv(f"ROUNDS_{name}", value)
    container = build(read_settings())
    yield container
    for row in all_rows(container.store, "SELECT dataset_id FROM datasets"):
        ArgillaHands(argilla).delete_dataset(row["dataset_id"])
    container.tool.close()
    container.engine.dispose()


def doctor(*options, code):
    result = CliRunner().invoke(program, ["doctor", "--json", *options])
    assert result.exit_code == code, (result.output, result.stderr)
    return {one["name"]: one for one in json.loads(result.stdout)["checks"]}


def test_it_finds_what_was_deleted_in_argilla_and_has_it_repaired(container, argilla):
    store, runner = container.store, container.runner()
    project = make_project(store, batch_size=4)
    import_rows(store, [{**row, "label": None} for row in sample_texts(40, seed=1, held_out=0)])
    number = commands.start_round(store, "shop", actor="test").number

    def round_():
        with store.transaction() as tx:
            return tx.rounds.by_number(project.id, number)

    store.worker_seen(runner.name)
    while round_().state != RoundState.ANNOTATING:
        assert runner.tick()
    assert doctor(code=0)["project shop"]["ok"]

    (dataset,) = all_rows(store, "SELECT dataset_id FROM datasets")
    hands = ArgillaHands(argilla)
    lost = hands.records(dataset["dataset_id"])[0]["external_id"]
    hands.delete_record(dataset["dataset_id"], lost)
    found = doctor(code=1)["project shop"]
    assert found["detail"] == "records of the open round that were deleted in Argilla: 1"
    assert not round_().repair_requested, "looking changes nothing"

    assert "a worker will repair it" in doctor("--repair", code=1)["project shop"]["detail"]
    assert runner.tick()
    assert len(hands.records(dataset["dataset_id"])) == 4
    assert doctor(code=0)["project shop"]["ok"]
