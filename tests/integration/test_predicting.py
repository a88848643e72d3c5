"""A project's classifier labels texts that come later: by command, over HTTP, from a folder."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.cli.program import program
from app.core.errors import ArtefactDamaged, NotFound, WrongInput
from app.exits.bundle import Places
from app.exits.classifier import classifier_files, load_folder
from app.exits.files import write_to
from app.exits.predicting import Predictors
from tests.factories import all_rows, sample_texts
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres
PREDICT = "/api/v1/projects/shop/predict"


@pytest.fixture
def places(store, tmp_path):
    home = tmp_path / "home"
    return Places(store, LocalFiles(home / "files"), LocalFeatureStore(home / "features"))


@pytest.fixture
def played(store, tmp_path):
    played = PlayedProject(store, tmp_path / "home", count=200)
    for _ in range(2):
        played.play(played.start())
    return played


def new_texts(count):
    rows = sample_texts(count, seed=99)
    return [{"id": row["id"], "text": row["text"]} for row in rows], [r["label"] for r in rows]


def test_over_http_and_from_a_folder_the_answers_are_the_same(store, places, played, tmp_path):
    rows, truth = new_texts(60)
    body = {"items": [{"text": row["text"]} for row in rows]}
    items_before = all_rows(store, "SELECT count(*) AS n FROM items")
    with api(store, "viewer", predictor=Predictors(places, {})) as client:
        answer = client.post(PREDICT, json=body).json()
        older = client.post(f"{PREDICT}?version=1", json=body).json()
        assert client.post(f"{PREDICT}?version=99", json=body).status_code == 404
        wrong = client.post(PREDICT, json={"items": [{"text": "a"}, {"body": "b"}]})
        assert wrong.json()["field"] == "items.1.text"
        too_many = {"items": [{"text": "a"}] * 1001}
        assert client.post(PREDICT, json=too_many).status_code == 422
        assert client.post(PREDICT, json={"items": [{"text": "a" * 2**20}]}).status_code == 413
    labels = [one["label"] for one in answer["items"]]
    assert np.mean([a == b for a, b in zip(labels, truth, strict=True)]) > 0.6
    assert older["classifier_version"].endswith("/1")
    assert older["classifier_version"] != answer["classifier_version"]
    for one in answer["items"]:
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert next(iter(one["probabilities"])) == one["label"]
    assert all_rows(store, "SELECT count(*) AS n FROM items") == items_before

    write_to(tmp_path / "out", classifier_files(places, "shop", None))
    folder = load_folder(tmp_path / "out")
    assert folder.agent == answer["classifier_version"]
    given = np.array([[one["probabilities"][c] for c in folder.classes] for one in answer["items"]])
    assert np.allclose(folder(rows), given, atol=1e-6)
    card = (tmp_path / "out" / "README.md").read_text()
    assert re.search(r"Accuracy [\d.]+%, .* on \d+ held-out items", card)


def test_a_changed_folder_is_refused(places, played, tmp_path):
    write_to(tmp_path / "out", classifier_files(places, "shop", 1))
    data = (tmp_path / "out" / "classifier.bin").read_bytes()
    (tmp_path / "out" / "classifier.bin").write_bytes(data[:-1] + b"x")
    with pytest.raises(ArtefactDamaged, match="not the file that was exported"):
        load_folder(tmp_path / "out")
    (tmp_path / "out" / "featuriser.bin").unlink()
    with pytest.raises(ArtefactDamaged, match="not whole"):
        load_folder(tmp_path / "out")


def test_without_a_classifier_or_its_embeddings_it_says_so(store, places, tmp_path):
    played = PlayedProject(store, tmp_path / "home", count=60)
    with pytest.raises(NotFound, match="two classes must have a label"):
        Predictors(places, {})("shop")
    played.play(played.start())
    with store.transaction() as tx:
        tx.sql.run("UPDATE feature_versions SET recipe = recipe || '+some-encoder'")
    with pytest.raises(WrongInput, match="does not offer now"):
        Predictors(places, {})("shop")
    with pytest.raises(WrongInput, match="cannot be taken along"):
        list(classifier_files(places, "shop", None))


def test_the_command_streams_every_form_and_needs_no_database_for_a_folder(
    played, database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "home"))
    rows, _ = new_texts(30)
    hostile = [{"id": "=1+1", "text": "<script>parcel late</script>"}, {"id": "b", "text": ""}]
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(map(json.dumps, [*rows, *hostile])) + "\nnot json\n")

    def run(*arguments, code=0):
        result = CliRunner().invoke(program, ["predict", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result

    lines = [json.loads(line) for line in run("shop", file).stdout.splitlines()]
    assert [one["id"] for one in lines] == [r["id"] for r in [*rows, *hostile]] + ["33"]
    assert "empty" in lines[31]["error"]
    assert "JSON" in lines[32]["error"]
    run("shop", file, "--to", tmp_path / "a.csv")
    run("shop", file, "--to", tmp_path / "a.parquet")
    sheet, table = pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet")
    assert list(sheet["label"][:31]) == [one["label"] for one in lines[:31]]
    assert sheet["id"][30] == "'=1+1"
    assert list(table["id"]) == [one["id"] for one in lines]
    assert np.allclose(
        table["p_refund"][:31], [one["probabilities"]["refund"] for one in lines[:31]]
    )
    assert "must be jsonl" in run("shop", file, "--format", "xml", code=2).stderr

    folder = tmp_path / "model"
    made = CliRunner().invoke(program, ["export", "shop", "--classifier", str(folder)])
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("ROUNDS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    again = [json.loads(line) for line in run(folder, file).stdout.splitlines()]
    assert again == lines
