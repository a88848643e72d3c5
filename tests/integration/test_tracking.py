"""Experiment trackers are told of closed rounds; the real ones where they are installed."""

import json
import struct
from pathlib import Path

import pytest

from app.adapters.tracking.mlflow import MlflowTracker
from app.adapters.tracking.wandb import WandbTracker
from app.core.errors import Unavailable
from app.rounds import tracking
from tests.factories import all_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


class Notebook:
    """A tracker that writes down what it is told; as often as asked, it fails."""

    name = "notebook"

    def __init__(self, failures=0, problem=None):
        self.failures, self.problem, self.told = failures, problem, []

    def tell(self, report):
        if self.failures:
            self.failures -= 1
            raise self.problem
        self.told.append(report)


@pytest.fixture
def played(store, tmp_path):
    return PlayedProject(store, tmp_path)


def track_with(played, tracker):
    object.__setattr__(played.parts, "trackers", (tracker,))
    return tracker


def tell_all(played):
    while tracking.tell_next(played.parts):
        pass


def make_due(store):
    with store.transaction() as tx:
        tx.sql.run("UPDATE tracked_rounds SET due_at = now() WHERE told_at IS NULL")


def problems(store, played):
    with store.transaction() as tx:
        return [one["message"] for one in tx.views.problems(played.project.id)]


def test_each_closed_round_is_told_once_whenever_the_tracker_came(store, played):
    played.play(played.start())
    notebook = track_with(played, Notebook())
    tell_all(played)
    played.play(played.start())
    tell_all(played)
    assert [one.number for one in notebook.told] == [1, 2]
    last = notebook.told[1]
    with store.transaction() as tx:
        measured = tx.views.measured(played.project.id, 2)
    assert last.metrics["accuracy"] == measured["metrics"]["accuracy"]
    assert last.metrics["labels"] == 24
    assert last.run == played.project.uid.hex
    texts = [row["text"] for row in all_rows(store, "SELECT fields->>'text' AS text FROM items")]
    assert not any(text in json.dumps(last.document) for text in texts), "no text leaves"


@pytest.mark.parametrize(
    ("raised", "shown"),
    [
        (Unavailable("The tracker sleeps."), "The tracker sleeps."),
        (ValueError("key=secret"), "ValueError"),
    ],
)
def test_a_tracker_that_fails_stops_no_round_and_is_shown(store, played, raised, shown):
    notebook = track_with(played, Notebook(1, raised))
    played.play(played.start())
    tell_all(played)
    assert notebook.told == []
    assert problems(store, played) == [f"Round 1 could not be told to notebook: {shown}"]
    played.play(played.start())
    make_due(store)
    tell_all(played)
    assert sorted(one.number for one in notebook.told) == [1, 2]
    assert problems(store, played) == []


def test_a_tracker_that_always_fails_is_left_alone_in_the_end(store, played):
    notebook = track_with(played, Notebook(1000, Unavailable("Gone.")))
    played.play(played.start())
    for _ in range(8):
        make_due(store)
        tell_all(played)
    assert notebook.failures == 1000 - 5
    assert problems(store, played)


def test_mlflow_keeps_metrics_config_and_the_round(store, played, tmp_path):
    pytest.importorskip("mlflow", reason="rounds[mlflow] is not installed")
    from mlflow import MlflowClient

    uri = (tmp_path / "mlflow").as_uri()
    tracker = track_with(played, MlflowTracker(uri))
    for _ in range(2):
        played.play(played.start())
    tell_all(played)
    assert problems(store, played) == []
    tracker.tell(report_again(store, played, 2))  # does no harm
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("rounds/shop").experiment_id])
    assert run.data.params["batch_size"] == "12"
    history = client.get_metric_history(run.info.run_id, "accuracy")
    assert [one.step for one in history] == [1, 2]
    with store.transaction() as tx:
        measured = tx.views.measured(played.project.id, 2)["metrics"]
    assert history[1].value == measured["accuracy"]
    kept = client.download_artifacts(run.info.run_id, "rounds/round_02.json", str(tmp_path))
    assert json.loads(Path(kept).read_text())["metrics"] == measured


def test_wandb_offline_keeps_metrics_config_and_the_round(store, played, tmp_path):
    pytest.importorskip("wandb", reason="rounds[wandb] is not installed")
    track_with(played, WandbTracker("rounds", tmp_path / "wandb", mode="offline"))
    for _ in range(2):
        played.play(played.start())
    tell_all(played)
    assert problems(store, played) == []
    found, configs, runs, files = {}, {}, set(), []
    for record in records_of_wandb(tmp_path / "wandb"):
        if record.HasField("run"):
            runs.add(record.run.run_id)
            configs.update({one.key: one.value_json for one in record.run.config.update})
        if record.HasField("artifact"):
            files += [one.path for one in record.artifact.manifest.contents]
        if record.HasField("request"):
            asked = record.request
            files += [one.path for one in asked.log_artifact.artifact.manifest.contents]
        if record.HasField("history"):
            row = {(one.key or one.nested_key[0]): json.loads(one.value_json)
                   for one in record.history.item}  # fmt: skip
            found[row["_step"]] = row
    assert runs == {played.project.uid.hex}
    with store.transaction() as tx:
        curve = tx.views.curve(played.project.id)
    assert {n: row["accuracy"] for n, row in found.items()} == {
        one["round"]: one["accuracy"] for one in curve
    }
    assert configs["batch_size"] == "12"
    assert files == ["round.json", "round.json"]


def records_of_wandb(folder):
    """What offline runs hold: LevelDB's log format after a head of seven bytes."""
    from wandb.proto import wandb_internal_pb2

    block, whole, last = 32768, 1, 4
    for file in sorted(folder.rglob("*.wandb")):
        content, at, parts = file.read_bytes(), 7, b""
        while at + 7 <= len(content):
            if block - at % block < 7:
                at += block - at % block
                continue
            _, length, kind = struct.unpack_from("<IHB", content, at)
            parts += content[at + 7 : at + 7 + length]
            at += 7 + length
            if kind in (whole, last):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(parts)
                yield record
                parts = b""


def report_again(store, played, number):
    with store.transaction() as tx:
        return tracking.report_of(played.project, tx.views.round(played.project.id, number))
