"""What leaves a finished project is read back by the libraries that people use."""

import io
import json
import zipfile

import pandas as pd
import pytest

from app.core.entities import RoundState
from app.exits.files import write_to
from app.exits.forms import export
from tests.browsing import log_in
from tests.factories import import_rows, make_project
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres
HOSTILE = [
    "<script>alert(1)</script>",
    "\u202eright to left\u2066",
    "=HYPERLINK(\"http://x\")",
    "🎉 🧑‍🚀",
    "a,b;c\t\"d\"\r\ne\u2028f",
    "x" * 150_000,
]  # fmt: skip


@pytest.fixture
def played(store, tmp_path):
    played = PlayedProject(store, tmp_path / "home", count=120)
    rows = [{"id": f"{n}{text[:40]}", "text": f"{text}{n}", "label": "refund"}
            for n, text in enumerate(HOSTILE)]  # fmt: skip
    assert import_rows(store, rows).created == len(HOSTILE)
    for _ in range(2):
        played.play(played.start())
    return played


def labels_of(store):
    with store.transaction() as tx:
        return list(tx.views.export(tx.projects.by_name("shop").id))


def test_labels_come_back_unharmed_from_every_form(store, played, tmp_path):
    write_to(tmp_path / "out", export(store, "shop", ["jsonl", "csv", "parquet"]))
    known = {
        row["item"]: (row["fields"]["text"], row["value"]["label"]) for row in labels_of(store)
    }
    lines = (tmp_path / "out" / "labels.jsonl").read_text().split("\n")[:-1]
    rows = map(json.loads, lines)
    assert {row["id"]: (row["text"], row["label"]) for row in rows} == known
    table = pd.read_parquet(tmp_path / "out" / "labels.parquet")
    assert {r.id: (r.text, r.label) for r in table.itertuples()} == known
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        sheet = pd.read_csv(file, dtype=str, keep_default_na=False, lineterminator=None)
    assert set(sheet["label"]) == {label for _, label in known.values()}
    texts = {row.text.removeprefix("'") for row in sheet.itertuples()}
    assert texts == {text for text, _ in known.values()}
    assert not any(cell.startswith(("=", "+", "@")) for cell in sheet["text"])


def test_the_rounds_tell_what_was_chosen_and_what_was_answered(store, played, tmp_path):
    write_to(tmp_path / "out", export(store, "shop", ["rounds"]))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "annotation_round_01.jsonl", "annotation_round_02.jsonl", "notes.md", "results.tsv",
        "selection_round_01.jsonl", "selection_round_02.jsonl",
    ]  # fmt: skip
    results = pd.read_csv(tmp_path / "out" / "results.tsv", sep="\t")
    assert list(results["round"]) == [1, 2]
    assert list(results["labelled"]) == [18, 30]  # six brought their labels
    assert results["accuracy"].between(0, 1).all()
    assert results["classifier_version"].str.endswith(("/1", "/2")).all()
    chosen = pd.read_json(tmp_path / "out" / "selection_round_02.jsonl", lines=True)
    assert list(chosen["rank"]) == list(range(1, 13))
    assert chosen["reason"].str.len().gt(0).all()
    answers = pd.read_json(tmp_path / "out" / "annotation_round_02.jsonl", lines=True)
    assert set(answers["item"]) == set(chosen["item"])
    assert set(answers["annotator"]) == {"annotator-1"}
    assert "## Round 2: closed" in (tmp_path / "out" / "notes.md").read_text()


def test_datasets_reads_the_folder_and_the_card(store, played, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    folder = tmp_path / "out"
    write_to(folder, export(store, "shop", ["huggingface"]))
    read = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    rows = labels_of(store)
    assert set(read) == {"train", "test"}
    assert {row["id"]: row["label"] for split in read.values() for row in split} == {
        row["item"]: row["value"]["label"] for row in rows
    }
    assert sum(row["slice"] == "audit" for row in read["train"]) == 2
    card = (folder / "README.md").read_text()
    assert "24 by annotators" in card
    assert "no random sample" in card


def test_the_same_state_gives_the_same_bytes(store, played):
    forms = ["jsonl", "csv", "parquet", "rounds", "huggingface"]
    first, again = (
        {file.path: b"".join(file.pieces) for file in export(store, "shop", forms)}
        for _ in range(2)
    )
    assert first == again
    assert len(first) == 12


def test_an_export_is_of_one_moment(store, played):
    files = export(store, "shop", ["rounds", "jsonl"])
    next(files)
    before = len(labels_of(store))
    import_rows(store, [{"id": "later", "text": "a late one", "label": "refund"}])
    found = {file.path: b"".join(file.pieces) for file in files}
    assert found["labels.jsonl"].count(b"\n") == before
    assert len(labels_of(store)) == before + 1


def test_an_open_round_and_a_project_without_any_leave_too(store, tmp_path):
    played = PlayedProject(store, tmp_path / "home", count=60)
    forms = ["parquet", "rounds", "huggingface"]
    empty = {file.path: b"".join(file.pieces) for file in export(store, "shop", forms)}
    assert b"No round has been started" in empty["notes.md"]
    played.run_until(played.start(), RoundState.ANNOTATING)
    files = {file.path: b"".join(file.pieces) for file in export(store, "shop", ["rounds"])}
    assert files["selection_round_01.jsonl"].count(b"\n") == 12
    assert files["annotation_round_01.jsonl"] == b""


def test_folders_come_over_http_as_zip(store, played):
    with api(store, "viewer") as client:
        answer = client.get("/api/v1/projects/shop/export?format=rounds")
        assert answer.headers["content-type"] == "application/zip"
        assert 'filename="shop-rounds.zip"' in answer.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert "selection_round_02.jsonl" in archive.namelist()
        table = client.get("/api/v1/projects/shop/export?format=parquet")
        assert len(pd.read_parquet(io.BytesIO(table.content))) == len(labels_of(store))
        missing = client.get("/api/v1/projects/nowhere/export?format=rounds")
        assert missing.status_code == 404


def test_the_page_names_as_many_labels_as_its_files_hold(browser, store):
    make_project(store)
    log_in(browser, store, "viewer")
    assert "There are no labels to take along yet." in browser.get("/projects/shop/export").text
    twice = [{"id": f"t{n}", "text": "the same", "label": "refund"} for n in range(2)]
    gold = {"id": "g", "text": "=1+1", "label": "praise", "split": "test"}
    import_rows(store, [*twice, gold, {"id": "open", "text": "without a label"}])
    page = browser.get("/projects/shop/export").text
    labels = browser.get("/projects/shop/export/jsonl").text.splitlines()
    assert f"{len(labels)} labels can be taken along: 2 of the pool, 1 held out." in page
    table = browser.get("/projects/shop/export/csv")
    assert table.headers["content-disposition"] == 'attachment; filename="shop-labels.csv"'
    assert "'=1+1" in table.text
    assert browser.get("/projects/shop/export/zip").status_code == 422
    assert browser.get("/projects/nowhere/export/csv").status_code == 404
