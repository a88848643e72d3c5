"""A process killed with signal 9 while it asks loses no answer and repeats none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.adapters.postgres.store import PostgresStore
from tests.factories import all_rows, make_store
from tests.llm_project import llm_project, texts, truth
from tests.llm_server import KEY, configuration, llm_server

pytestmark = pytest.mark.postgres
ITEMS, AT_ONCE = 60, 3
PATIENCE = 60


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresStore]:
    made = make_store(database_url)
    yield made
    made.engine.dispose()


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
