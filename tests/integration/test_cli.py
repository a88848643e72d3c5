"""The command line over a real Postgres, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from app.cli.program import program
from app.core.entities import RoundState
from tests.factories import make_store
from tests.integration.test_loop import Loop

pytestmark = pytest.mark.postgres
LABELS = "refund,delivery,praise"


@pytest.fixture
def rounds(database_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROUNDS_ARGILLA_URL", "http://127.0.0.1:9")  # nobody asks it anything
    monkeypatch.setenv("ROUNDS_ARGILLA_API_KEY", "unused")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    runner = CliRunner()

    def run(*arguments, code=0):
        result = runner.invoke(program, [str(one) for one in arguments])
        assert result.exit_code == code, (arguments, result.output, result.stderr)
        return result

    return run


def json_of(result):
    return json.loads(result.stdout)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "items.jsonl"
    rows = [{"id": f"i{n}", "text": f"text {n}"} for n in range(30)]
    rows += [{"id": "seed", "text": "money back", "label": "refund"}, {"id": "bad", "text": ""}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    return path


def test_from_nothing_to_a_started_round(rounds, file):
    assert "No projects yet" in rounds("status").stdout
    made = json_of(rounds("init", "shop", "--labels", LABELS, "--set", "batch_size=5", "--json"))
    assert (made["task"]["labels"], made["batch_size"]) == (LABELS.split(","), 5)
    report = json_of(rounds("import", "shop", file, "--json"))
    assert (report["received"], report["created"], report["rejected"]) == (33, 31, 2)
    assert [one["line"] for one in report["rejections"]] == [32, 33]
    assert "ready for its first round" in rounds("status", "shop").stdout
    started = json_of(rounds("start", "shop", "--json"))
    assert (started["number"], started["state"], started["batch_size"]) == (1, "planned", 5)
    assert "still open" in rounds("start", "shop", code=1).stderr
    assert json_of(rounds("cancel", "shop", "--json"))["cancel_requested"] is True


def test_reading_a_finished_round(rounds, database_url, tmp_path):
    loop = Loop(database_url, tmp_path / "home")
    loop.play(loop.start())
    assert "is closed: accuracy" in rounds("status", "shop").stdout
    assert len(json_of(rounds("selections", "shop", "--json"))["items"]) == 12
    labels = json_of(rounds("labels", "shop", "--json"))["items"]
    assert [one["source"] for one in labels] == ["human"] * 12
    everything = json_of(rounds("labels", "shop", "--held-out", "--json"))["items"]
    assert {one["split"] for one in everything} == {"pool", "test"}
    (measured,) = json_of(rounds("metrics", "shop", "--json"))["items"]
    assert 0 < measured["metrics"]["accuracy"] <= 1
    exported = [json.loads(line) for line in rounds("export", "shop").stdout.splitlines()]
    assert len(exported) == len(everything)
    assert rounds("export", "shop", "--format", "csv").stdout.startswith("id,text,split,label")
    again = json_of(rounds("replay", 1, "-p", "shop", "--json"))
    assert (again["round"], again["same"], again["libraries"]) == (1, True, {})
    assert "byte for byte" in rounds("replay", 1, "-p", "shop").stdout
    assert "no round 7" in rounds("replay", 7, "-p", "shop", code=1).stderr
    folder = tmp_path / "out"
    written = json_of(rounds("export", "shop", "--to", folder, "--json"))["files"]
    assert len(written) == 5
    assert len((folder / "labels.jsonl").read_text().splitlines()) == len(everything)
    assert "several files" in rounds("export", "shop", "--format", "rounds", code=2).stderr
    assert "must be one of" in rounds("export", "shop", "--format", "xls", code=2).stderr
    hub = ("export", "shop", "--to", folder, "--push-to-hub", "me/shop")
    assert "HF_TOKEN" in rounds(*hub, code=2).stderr
    assert loop.round(1).state == RoundState.CLOSED
    assert "is closed" in rounds("watch", "shop").stdout
    loop.store.engine.dispose()


def test_settings_change_and_wrong_ones_name_the_field(rounds):
    rounds("init", "shop", "--labels", LABELS)
    assert json_of(rounds("refit", "shop", "--json"))["name"] == "shop"
    assert "no project" in rounds("refit", "nowhere", code=1).stderr
    stopping = json_of(rounds("set", "shop", "stopping.max_rounds=3", "--json"))["stopping"]
    assert (stopping["max_rounds"], stopping["max_labels"]) == (3, None)
    assert "batch_size: " in rounds("set", "shop", "batch_size=0", code=2).stderr
    assert "strategy" in rounds("set", "shop", "strategy=magic", code=2).stderr
    assert "key=value" in rounds("set", "shop", "batch_size", code=2).stderr
    assert "no project" in rounds("status", "nowhere", code=1).stderr


def test_embeddings_are_what_the_server_offers_and_who_is_told_the_texts_is_said(
    rounds, monkeypatch
):
    rounds("init", "shop", "--labels", LABELS)
    assert "ROUNDS_EMBEDDINGS_URL" in rounds("set", "shop", "embeddings=address", code=2).stderr
    monkeypatch.setenv("ROUNDS_EMBEDDINGS_URL", "https://embeddings.example/v1")
    assert "EMBEDDINGS_MODEL" in rounds("set", "shop", "embeddings=address", code=2).stderr
    monkeypatch.setenv("ROUNDS_EMBEDDINGS_MODEL", "embedder")
    monkeypatch.setenv("ROUNDS_EMBEDDINGS_API_KEY", "sk-secret")
    said = rounds("set", "shop", "embeddings=address")
    assert "(text) will be sent to embeddings.example" in said.stdout.replace("\n", " ")
    assert "sk-secret" not in said.output
    monkeypatch.setenv("ROUNDS_EMBEDDINGS_LOCAL_MODEL", "/models/mine")
    assert "sent" not in rounds("set", "shop", "embeddings=local").stdout
    assert "sent" not in rounds("set", "shop", "embeddings=off").stdout


def test_labels_are_edited_and_a_project_is_deleted_by_its_name(rounds):
    rounds("init", "shop", "--labels", LABELS)
    edited = json_of(
        rounds("relabel", "shop", "--rename", "refund=money", "--add", "other", "--json")
    )
    assert edited["task"]["labels"] == ["money", "delivery", "praise", "other"]
    assert edited["schema_version"] == 2
    assert "old=new" in rounds("relabel", "shop", "--rename", "refund", code=2).stderr
    assert "again" in rounds("delete", "shop", "--confirm", "shops", code=2).stderr
    assert json_of(rounds("delete", "shop", "--confirm", "shop", "--json"))["state"] == "archived"
    assert "is back, and paused" in rounds("restore", "shop").stdout


def test_labels_can_be_read_from_a_file(rounds, tmp_path):
    path = tmp_path / "known.csv"
    path.write_text("text,label\na,spam\nb,ham\nc,spam\nd,\n")
    made = json_of(rounds("init", "mail", "--labels-from", path, "--json"))
    assert made["task"]["labels"] == ["ham", "spam"]
    assert "Give either" in rounds("init", "other", code=2).stderr


def test_strict_import_takes_all_or_nothing(rounds, file):
    rounds("init", "shop", "--labels", LABELS)
    assert "Nothing was imported" in rounds("import", "shop", file, "--strict", code=2).stderr
    assert json_of(rounds("status", "shop", "--json"))["counts"]["pool"] == 0


def test_keys_are_shown_once_and_can_be_revoked(rounds, database_url):
    made = json_of(rounds("keys", "create", "anna", "--role", "viewer", "--json"))
    listed = rounds("keys", "list", "--json").stdout
    assert made["key"] not in listed
    assert json.loads(listed)["keys"][0]["name"] == "anna"
    rounds("keys", "revoke", "anna")
    assert "could be revoked" in rounds("keys", "revoke", "anna", code=1).stderr
    store = make_store(database_url)
    with store.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM api_keys").mappings().one()
    assert made["key"] not in str(dict(kept))
    store.engine.dispose()


def test_without_a_running_database_the_error_says_what_to_do(rounds, monkeypatch):
    monkeypatch.delenv("ROUNDS_DATABASE_URL")
    assert "make up" in rounds("status", code=1).stderr


def test_migrate_says_what_it_did(rounds):
    assert "already" in rounds("migrate").stdout


def test_every_command_has_a_help_text():
    runner = CliRunner()
    for command in program.registered_commands:
        shown = runner.invoke(program, [command.name, "--help"])
        assert shown.exit_code == 0
        assert command.callback.__doc__.split(".")[0].split()[0] in shown.output
