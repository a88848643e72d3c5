"""A whole project leaves and comes back elsewhere; what is no bundle of ours is refused."""

import io
import json
import zipfile
from hashlib import sha256

import pytest

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.adapters.postgres.whole_projects import LEFT_BEHIND, TABLES
from app.core.entities import RoundState
from app.core.errors import Conflict, WrongInput
from app.exits.bundle import MANIFEST, Places, bundle
from app.exits.files import zipped
from app.exits.forms import export
from app.exits.restoring import restore
from app.rounds import api_keys, commands
from tests.factories import all_rows, import_rows, make_store
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres
FACTS = (
    "SELECT kind, actor, detail FROM events WHERE kind <> 'project.imported' ORDER BY id",
    "SELECT username, status, \"values\", response_updated_at FROM annotations ORDER BY id",
    "SELECT number, state, seed, settings, created_at, closed_at FROM rounds ORDER BY number",
    "SELECT number, fingerprint, labels, report, sha256 FROM classifier_versions ORDER BY number",
    "SELECT i.external_id, d.external_id AS copy_of, i.split, i.text_hash FROM items i "
    "LEFT JOIN items d ON d.id = i.duplicate_of ORDER BY i.id",
    "SELECT c.number, i.external_id, l.value FROM training_labels t JOIN labels l "
    "ON l.id = t.label_id JOIN items i ON i.id = l.item_id JOIN classifier_versions c "
    "ON c.id = t.classifier_id ORDER BY c.number, l.id",
    "SELECT i.external_id, l.value, l.source, s.value AS before, a.response_id FROM labels l "
    "JOIN items i ON i.id = l.item_id LEFT JOIN labels s ON s.id = l.supersedes "
    "LEFT JOIN annotations a ON a.id = ANY(l.annotation_ids) ORDER BY l.id",
)  # fmt: skip


def places_of(url, folder):
    files, features = LocalFiles(folder / "files"), LocalFeatureStore(folder / "features")
    return Places(make_store(url), files, features)


@pytest.fixture
def here(database_url, tmp_path):
    places = places_of(database_url, tmp_path / "here")
    yield places
    places.store.engine.dispose()


@pytest.fixture
def there(postgres, _migrated_template, tmp_path):
    with postgres.database(template=_migrated_template) as url:
        places = places_of(url, tmp_path / "there")
        # so that no id can be the same by chance
        import_rows_of_another(places.store)
        yield places
        places.store.engine.dispose()


def import_rows_of_another(store):
    from tests.factories import items, make_project

    make_project(store, "another")
    import_rows(store, items(7, label="refund"), "another")


@pytest.fixture
def played(here, tmp_path):
    played = PlayedProject(here.store, tmp_path / "here", count=120)
    import_rows(here.store, [{"id": "copy", "text": next(iter(played.truth)).upper()}])
    for _ in range(2):
        played.play(played.start())
    one = played.out(2)[0]
    wrong = next(
        la for la in played.project.task.labels if la != played.truth[one.item.fields["text"]]
    )
    played.tool.answer(f"item-{one.item.id}", wrong)
    played.play(played.start())
    return played


@pytest.fixture
def packed(here, played):
    return b"".join(zipped(bundle(here, "shop")))


def test_a_project_comes_back_elsewhere_with_all_its_facts(here, there, packed):
    restored = restore(there, io.BytesIO(packed), name=None, actor="test")
    assert restored.name == "shop"
    with there.store.transaction() as tx:
        assert tx.sql.value("SELECT delete_project('another')") is True
        tx.sql.run("SET LOCAL session_replication_role = replica")  # past what is append-only
        tx.sql.run("DELETE FROM events WHERE kind = 'project.deleted'")
    for query in FACTS:
        assert all_rows(there.store, query) == all_rows(here.store, query), query
    before, after = (
        {f.path: b"".join(f.pieces) for f in export(places.store, "shop", ["rounds"])}
        for places in (here, there)
    )
    assert before["notes.md"] == after["notes.md"]
    assert before["annotation_round_03.jsonl"] == after["annotation_round_03.jsonl"]


def test_the_restored_project_goes_on(there, packed, tmp_path, played):
    restored = restore(there, io.BytesIO(packed), name="again", actor="test")
    commands.start_round(there.store, "again", actor="test")
    on = PlayedProject.__new__(PlayedProject)
    on.store, on.project, on.tool = there.store, restored, type(played.tool)()
    on.runner, on.truth = runner_of(there, on.tool), played.truth
    on.play(4)
    assert on.round(4).state == RoundState.CLOSED
    with there.store.transaction() as tx:
        labelled = tx.items.counts(restored.id).labelled
        versions = tx.classifiers.all(restored.id)
    assert labelled == 48
    before = len(table(packed, "classifier_versions"))
    assert [one.number for one in versions] == list(range(1, len(versions) + 1))
    assert len(versions) > before


def runner_of(places, tool):
    from app.rounds.runner import Runner
    from app.rounds.work import Parts

    parts = Parts(places.store, tool, places.files, places.features, poll_seconds=0.0)
    return Runner(parts, name="test", lease_seconds=30)


def test_the_same_answers_cannot_stand_in_one_database_twice(here, packed):
    with pytest.raises(WrongInput, match="projects: duplicate key"):
        restore(here, io.BytesIO(packed), name=None, actor="test")
    with pytest.raises(WrongInput, match="answers are in this database already"):
        restore(here, io.BytesIO(packed), name="copy", actor="test")
    assert all_rows(here.store, "SELECT name FROM projects") == [{"name": "shop"}]


def test_the_same_state_gives_the_same_bundle_without_secrets(here, packed):
    here.store.set_secret("cookies", "very-secret-value")
    _, key = api_keys.create_key(here.store, "someone", "admin", actor="test")
    again = b"".join(zipped(bundle(here, "shop")))
    assert again == packed
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
    assert b"very-secret-value" not in text
    assert key.encode() not in text


def test_an_open_round_must_end_first(here, played):
    played.start()
    with pytest.raises(Conflict, match="Finish or cancel"):
        bundle(here, "shop")


def test_every_table_of_the_schema_is_decided_upon(here):
    tables = all_rows(here.store, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in tables} == {*TABLES, *LEFT_BEHIND}


# --- what is refused ---


def changed(packed, **files):
    """The bundle with some files replaced, added or (None) left out, and listed as they are."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents |= files
    contents = {name: data for name, data in contents.items() if data is not None}
    manifest = json.loads(contents.pop(MANIFEST))
    manifest["files"] = {
        name: {"bytes": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in contents.items()
    }
    return zip_of({**contents, MANIFEST: json.dumps(manifest).encode()})


def zip_of(contents):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return out.getvalue()


def table(packed, name):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return [json.loads(line) for line in archive.read(f"tables/{name}.jsonl").splitlines()]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def refused(places, data, words):
    with pytest.raises(WrongInput, match=words):
        restore(places, io.BytesIO(data), name=None, actor="test")
    assert all_rows(places.store, "SELECT 1 FROM projects WHERE name = 'shop'") == []


def test_damaged_and_foreign_files_are_refused_with_the_reason(there, packed, tmp_path):
    refused(there, b"hello", "no zip file")
    refused(there, packed[: len(packed) // 2], "cut short")
    refused(there, zip_of({"a.txt": b"x"}), "not made by Rounds")
    refused(there, zip_of({MANIFEST: b'{"format": "other"}'}), "export-bundle")
    middle = packed.index(b"tables/items.jsonl") + 400
    refused(there, packed[:middle] + b"\0\0\0" + packed[middle + 3 :], "damaged")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    newer = {**json.loads(contents[MANIFEST]), "revision": "9999"}
    refused(there, zip_of({**contents, MANIFEST: json.dumps(newer).encode()}), "rounds migrate")
    newer = {**newer, "version": 2}
    refused(there, zip_of({**contents, MANIFEST: json.dumps(newer).encode()}), "version 2")
    swapped = {**contents, "tables/labels.jsonl": b""}
    refused(there, zip_of(swapped), "labels.jsonl is damaged")
    refused(there, zip_of({**contents, "more.txt": b""}), "not those that it lists")


def test_paths_bombs_and_foreign_code_are_refused(there, packed, tmp_path):
    import pickle

    refused(there, changed(packed, **{"../../evil": b"x"}), "no bundle has")
    refused(there, changed(packed, **{"/etc/evil": b"x"}), "no bundle has")
    refused(there, changed(packed, **{"tables/x.jsonl": b"0" * 30_000_000}), "far more")
    loud = pickle.dumps(print)
    refused(there, changed(packed, **{"classifiers/1.bin": loud}), "no file that Rounds writes")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        other = archive.read("classifiers/2.bin")
    refused(there, changed(packed, **{"classifiers/1.bin": other}), "not the classifier")
    assert not list(tmp_path.rglob("evil"))


def test_rows_that_break_the_rules_are_refused(there, packed):
    labels, rounds, items = (table(packed, name) for name in ("labels", "rounds", "items"))
    stray = [{**labels[0], "item_id": 10**9}, *labels[1:]]
    refused(there, changed(packed, **{"tables/labels.jsonl": lines(stray)}), "refers to nothing")
    odd = [{**labels[0], "colour": 1}, *labels[1:]]
    refused(there, changed(packed, **{"tables/labels.jsonl": lines(odd)}), "column 'colour'")
    twice = [*items, items[0]]
    refused(there, changed(packed, **{"tables/items.jsonl": lines(twice)}), "duplicate key")
    opened = [{**rounds[0], "state": "annotating", "closed_at": None}, *rounds[1:]]
    refused(there, changed(packed, **{"tables/rounds.jsonl": lines(opened)}), "still open")
    refused(there, changed(packed, **{"tables/items.jsonl": b"not json\n"}), "items: ")
    selections = table(packed, "selections")
    tests = next(item["id"] for item in items if item["split"] == "test")
    held = [{**selections[0], "item_id": tests}, *selections[1:]]
    refused(there, changed(packed, **{"tables/selections.jsonl": lines(held)}), "foreign key")
    (project,) = table(packed, "projects")
    wrong = {**project, "settings": {**project["settings"], "batch_size": -1}}
    refused(there, changed(packed, **{"tables/projects.jsonl": lines([wrong])}), "batch_size")


def test_the_commands_write_and_read_it(here, played, database_url, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from app.cli.program import program

    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "here"))
    file = tmp_path / "shop.zip"
    written = CliRunner().invoke(program, ["export-bundle", "shop", str(file)])
    assert written.exit_code == 0, written.output
    assert file.read_bytes() == b"".join(zipped(bundle(here, "shop")))
    with here.store.transaction() as tx:
        tx.sql.run("SELECT delete_project('shop')")
    back = CliRunner().invoke(program, ["import-bundle", str(file), "--name", "back", "--json"])
    assert back.exit_code == 0, back.output
    assert json.loads(back.stdout)["counts"]["labelled"] == 36
    again = CliRunner().invoke(program, ["import-bundle", str(file), "--name", "more"])
    assert again.exit_code == 2
    assert "already" in again.stderr
