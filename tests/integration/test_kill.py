"""A worker killed with signal 9 while it pushes or collects ends where an undisturbed one ends."""

import time
from collections.abc import Callable

import httpx
import pytest

from app.core.entities import RoundState
from app.rounds import commands
from tests.factories import all_rows, import_rows, make_project, make_store, sample_texts
from tests.proxy import Proxy
from tests.worker import WorkerProcess

pytestmark = [pytest.mark.postgres, pytest.mark.argilla]
PATIENCE = 120
BATCH = 130  # pushed in two parts


class Site:
    """A project on a real Postgres and a real Argilla, worked on by a real process."""

    def __init__(self, url, folder, argilla, proxy):
        folder.mkdir()
        self.store = make_store(url)
        self.argilla = argilla
        self.proxy = proxy
        rows = sample_texts(600, seed=5)
        self.truth = {row["text"]: row["label"] for row in rows}
        self.project = make_project(self.store, batch_size=BATCH)
        hidden = [{**row, "label": None} if row["split"] == "train" else row for row in rows]
        import_rows(self.store, hidden)
        self.worker = WorkerProcess(
            folder,
            database_url=url.replace("+psycopg", ""),
            argilla_url=proxy.url,
            argilla_api_key=argilla.owner.api_key,
            argilla_workspace=argilla.workspace,
            home=str(folder / "home"),
            poll_seconds="0.2",
            lease_seconds="2",
        )

    def close(self):
        self.worker.stop()
        for row in all_rows(self.store, "SELECT dataset_id FROM datasets"):
            self.call("DELETE", f"/datasets/{row['dataset_id']}")
        self.store.engine.dispose()

    def call(self, method, path, key=None, **more):
        headers = {"X-Argilla-Api-Key": key or self.argilla.owner.api_key}
        answer = httpx.request(
            method, f"{self.argilla.url}/api/v1{path}", headers=headers, timeout=120,
            trust_env=False, **more,
        )  # fmt: skip
        assert answer.status_code < 300, (method, path, answer.text)
        return answer.json() if answer.content else None

    def state(self, number):
        with self.store.transaction() as tx:
            return tx.rounds.by_number(self.project.id, number)

    def wait(self, done: Callable[[], object], what: str):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if result := done():
                return result
            assert self.worker.alive, f"the worker ended: {self.worker.log()[-3000:]}"
            time.sleep(0.02)
        raise AssertionError(f"never {what}; {self.worker.log()[-3000:]}")

    def wait_for(self, number, state):
        return self.wait(lambda: self.state(number).state == state, f"round {number} {state}")

    def records(self):
        (dataset,) = all_rows(self.store, "SELECT dataset_id FROM datasets")
        found, offset = [], 0
        while True:
            page = self.call(
                "GET",
                f"/datasets/{dataset['dataset_id']}/records?limit=500&offset={offset}"
                "&include=responses",
            )["items"]
            if not page:
                return found
            found += page
            offset += len(page)

    def answer(self, some=None):
        for index, record in enumerate(self.records()[:some]):
            if record["responses"]:
                continue
            user = self.argilla.annotators[index % 2]
            value = {"label": {"value": self.truth[record["fields"]["text"]]}}
            self.call("POST", f"/records/{record['id']}/responses", user.api_key,
                      json={"values": value, "status": "submitted"})  # fmt: skip

    def outcome(self):
        """Everything that must not depend on what was killed when."""
        chosen = all_rows(
            self.store,
            "SELECT r.number, s.rank, i.external_id, s.slice, s.reason, p.state, l.value "
            "FROM selections s JOIN rounds r ON r.id = s.round_id JOIN items i ON i.id = s.item_id "
            "JOIN pushes p ON p.selection_id = s.id LEFT JOIN labels l ON l.item_id = s.item_id "
            "ORDER BY 1, 2",
        )
        # other kinds name files, and those the project, of which each site has its own
        metrics = all_rows(
            self.store, "SELECT metrics FROM evaluations WHERE kind = 'held_out' ORDER BY round_id"
        )
        answers = all_rows(self.store, "SELECT status FROM annotations")
        records = [(r["fields"]["text"], len(r["responses"])) for r in self.records()]
        return {
            "chosen": chosen,
            "metrics": metrics,
            "answers": len(answers),
            "records": sorted(records),
        }


@pytest.fixture
def site_of(postgres, _migrated_template, argilla, tmp_path):
    sites = []

    def make(proxy):
        context = postgres.database(template=_migrated_template)
        url = context.__enter__()
        site = Site(url, tmp_path / f"site-{len(sites)}", argilla, proxy)
        sites.append((site, context))
        return site

    yield make
    for site, context in sites:
        site.close()
        context.__exit__(None, None, None)


def kill_when(site, moment, method, part, *, times=1):
    """Kill the worker when such a request passes, so many times; each time start another."""
    left = [times]

    def hook(when, verb, path):
        if left[0] and (when, verb) == (moment, method) and part in path and site.worker.alive:
            left[0] -= 1
            site.worker.replace()
            return True
        return False

    site.proxy.hook = hook
    return left


def play(site, on_push=None, on_collect=None):
    """One round from start to end; what happens to the worker on the way is up to the caller."""
    number = commands.start_round(site.store, "shop", actor="test").number
    site.worker.start()
    pushing = kill_when(site, *on_push) if on_push else [0]
    site.wait_for(number, RoundState.ANNOTATING)
    site.answer(some=40)
    collecting = kill_when(site, *on_collect) if on_collect else [0]
    site.answer()
    site.wait_for(number, RoundState.CLOSED)
    site.worker.stop()
    assert pushing == collecting == [0], "nothing was killed"
    return site.outcome()


@pytest.mark.parametrize(
    ("on_push", "on_collect"),
    [
        pytest.param(("before", "PUT", "/records/bulk"), ("before", "GET", "include=responses"),
                     id="before Argilla has seen it"),
        pytest.param(("after", "PUT", "/records/bulk"), ("after", "GET", "include=responses"),
                     id="after Argilla has answered"),
    ],
)  # fmt: skip
def test_a_killed_worker_ends_where_an_undisturbed_one_ends(site_of, argilla, on_push, on_collect):
    with Proxy(argilla.url) as proxy:
        calm = play(site_of(proxy))
        proxy.hook = lambda *_: False
        killed = play(site_of(proxy), on_push, on_collect)
    assert len(calm["records"]) == calm["answers"] == BATCH
    assert killed == calm
