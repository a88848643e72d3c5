"""A process killed with signal 9 while it asks loses no answer and repeats none: a command, and a
worker in the midst of a round."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from app.adapters.postgres.store import PostgresStore
from app.rounds import commands
from tests.factories import all_rows, import_rows, make_project, sample_texts
from tests.llm_project import allowing, llm_project, texts, truth
from tests.llm_server import KEY, configuration, llm_server
from tests.services import ArgillaService
from tests.serving import wait_until
from tests.worker import WorkerProcess

pytestmark = pytest.mark.postgres
ITEMS, AT_ONCE = 60, 3
PATIENCE = 60


def ask(database_url: str, folder: Path, url: str) -> subprocess.Popen[str]:
    provider = configuration("openai-compatible", url, concurrency=AT_ONCE)
    environment: Mapping[str, str] = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ROUNDS_")},
        "ROUNDS_DATABASE_URL": database_url.replace("+psycopg", ""),
        "ROUNDS_HOME": str(folder),
        "ROUNDS_LLM_PROVIDERS": json.dumps({"it": provider}),
        "LLM_TEST_KEY": KEY,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "llm", "label", "shop", "--json"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answered(store: PostgresStore) -> set[str]:
    rows = all_rows(
        store,
        "SELECT i.fields->>'text' AS text FROM llm_answers a JOIN items i ON i.id = a.item_id",
    )
    return {row["text"] for row in rows}


def test_killed_while_it_asks(store: PostgresStore, database_url: str, tmp_path: Path) -> None:
    llm_project(store, texts(ITEMS))
    with llm_server(truth(ITEMS)) as (server, url):
        server.seconds = 0.05
        first = ask(database_url, tmp_path, url)
        end = time.monotonic() + PATIENCE
        while len(answered(store)) < 12:
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        kept = answered(store)
        before = Counter(server.asked)
        assert 12 <= len(kept) < ITEMS

        second = ask(database_url, tmp_path, url)
        said, problems = second.communicate(timeout=PATIENCE)
        assert second.returncode == 0, problems
        assert json.loads(said)["answered"] == ITEMS
        assert json.loads(said)["asked"] == ITEMS - len(kept)
        again = Counter(server.asked) - before

    assert not kept & set(again)  # nothing that had arrived is asked for again
    assert answered(store) == set(truth(ITEMS))  # nothing is lost
    twice = [text for text, count in Counter(server.asked).items() if count > 1]
    assert len(twice) <= AT_ONCE  # only what was on its way when the process died
    rows = all_rows(store, "SELECT count(*) AS n FROM llm_answers")
    assert rows[0]["n"] == ITEMS
    waiting = all_rows(store, "SELECT count(*) AS n FROM llm_reservations")
    assert waiting[0]["n"] <= AT_ONCE  # counted against the caps until it is booked as lost


@pytest.fixture
def worker(
    database_url: str, tmp_path: Path, argilla: ArgillaService, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], WorkerProcess]]:
    """A real one that asks the LLM at this address."""
    made: list[WorkerProcess] = []
    monkeypatch.setenv("LLM_TEST_KEY", KEY)

    def make(url: str) -> WorkerProcess:
        provider = configuration("openai-compatible", url, concurrency=AT_ONCE)
        made.append(
            WorkerProcess(
                tmp_path,
                database_url=database_url.replace("+psycopg", ""),
                argilla_url=argilla.url,
                argilla_api_key=argilla.owner.api_key,
                argilla_workspace=argilla.workspace,
                home=str(tmp_path / "home"),
                poll_seconds="0.2",
                lease_seconds="2",
                llm_providers=json.dumps({"it": provider}),
            )
        )
        made[0].start()
        return made[0]

    yield make
    for one in made:
        one.stop()


@pytest.mark.argilla
def test_a_worker_killed_while_an_llm_labels_its_batch(
    store: PostgresStore, argilla: ArgillaService, worker: Callable[[str], WorkerProcess]
) -> None:
    rows = sample_texts(ITEMS, seed=5, held_out=0.0)
    known = {row["text"]: row["label"] for row in rows}
    make_project(store, batch_size=ITEMS, llm=allowing(labelled_by="llm", audit_share=0.0))
    import_rows(store, [{**row, "label": None} for row in rows])
    commands.start_round(store, "shop", actor="test")
    with llm_server(known) as (server, url):
        server.seconds = 0.05
        running = worker(url)
        wait_until(lambda: len(answered(store)) >= 12 or not running.alive, PATIENCE)
        running.kill()
        kept, before = answered(store), Counter(server.asked)
        assert 12 <= len(kept) < ITEMS, running.log()
        assert not all_rows(store, "SELECT * FROM labels")  # divided at once, or not at all
        running.start()
        wait_until(lambda: _state(store) == "closed" or not running.alive, 2 * PATIENCE)
        assert _state(store) == "closed", running.log()
        again = Counter(server.asked) - before
    _remove_datasets(store, argilla)
    assert not kept & set(again)
    assert len([text for text, count in Counter(server.asked).items() if count > 1]) <= AT_ONCE
    labels = all_rows(store, "SELECT DISTINCT item_id, source FROM current_labels")
    assert len(labels) == ITEMS
    assert {one["source"] for one in labels} == {"llm:it/test-model"}


def _state(store: PostgresStore) -> str:
    return str(all_rows(store, "SELECT state FROM rounds")[0]["state"])


def _remove_datasets(store: PostgresStore, argilla: ArgillaService) -> None:
    for row in all_rows(store, "SELECT dataset_id FROM datasets"):
        httpx.delete(
            f"{argilla.url}/api/v1/datasets/{row['dataset_id']}",
            headers={"X-Argilla-Api-Key": argilla.owner.api_key},
            timeout=PATIENCE,
            trust_env=False,
        ).raise_for_status()
