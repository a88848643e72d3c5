"""A project on a real Postgres and a real Argilla whose workers can be killed and cut off."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.core.entities import Round, RoundState
from app.rounds import commands
from tests.argilla_hands import ArgillaHands
from tests.factories import LABELS, all_rows, import_rows, make_project, make_store, sample_texts
from tests.faults.checker import Checker, Tally
from tests.faults.crowd import Batch, Crowd
from tests.faults.nursery import Nursery, Worker
from tests.relay import Relay
from tests.service_host import Host
from tests.services import ArgillaService

PATIENCE = 600.0
LEASE = 2


class Site:
    """Everything of one play. Workers reach Argilla and Postgres through relays; people and
    checker go straight."""

    def __init__(
        self,
        url: str,
        folder: Path,
        argilla: ArgillaService,
        nursery: Nursery,
        relays: tuple[Relay, Relay],
        *,
        texts: int = 240,
        poll_seconds: float = 0.2,
        services: Host | None = None,
        **settings: Any,
    ) -> None:
        folder.mkdir()
        self.services = services
        """If they are ours alone, Postgres, redis and Argilla themselves may be restarted."""
        self._still = Lock()
        self.to_argilla, self.to_postgres = relays
        self.store = make_store(url)
        self._nursery = nursery
        self._argilla = argilla
        rows = sample_texts(texts, seed=5)
        given = {"batch_size": 8, **settings}
        self.project = make_project(self.store, labels=LABELS, **given)
        import_rows(self.store, [_hidden(row) for row in rows])
        truth = {row["text"]: row["label"] for row in rows}
        self.crowd = Crowd(argilla, truth, LABELS)
        port = urlsplit(self.to_postgres.url).port
        near = make_url(url).set(host="127.0.0.1", port=port, drivername="postgresql")
        self._settings = {
            "database_url": near.render_as_string(hide_password=False),
            "argilla_url": self.to_argilla.url,
            "argilla_api_key": argilla.owner.api_key,
            "argilla_workspace": argilla.workspace,
            "argilla_timeout_seconds": "10",
            "home": str(folder / "home"),
            "poll_seconds": str(poll_seconds),
            "lease_seconds": str(LEASE),
        }
        self._batch: tuple[int, Batch] | None = None

    def close(self) -> None:
        self.crowd.close()
        hands = ArgillaHands(self._argilla)
        for row in all_rows(self.store, "SELECT dataset_id FROM datasets"):
            hands.delete_dataset(row["dataset_id"])
        self.store.engine.dispose()

    def worker(self, name: str = "worker", strikes: tuple[str, int] | None = None) -> Worker:
        return self._nursery.worker(name, strikes=strikes, **self._settings)

    def expire_leases(self) -> None:
        """As if the time had passed; whoever held one is dead already."""
        with self.store.transaction() as tx:
            tx.sql.run("UPDATE rounds SET lease_until = now() WHERE lease_until > now()")

    def start(self, *, auto: bool = False) -> int:
        return commands.start_round(self.store, "shop", actor="test", auto=auto).number

    def round(self, number: int) -> Round:
        with self.store.transaction() as tx:
            return tx.rounds.by_number(self.project.id, number)

    def go_on(self, number: int, *, finish: bool = True) -> RoundState:
        """People do their next thing about the round, if it is their turn."""
        with self._still:
            return self._go_on(number, finish=finish)

    def restart(self, service: str) -> None:
        """People and the eyes of the test hold still; workers and API do not know of it."""
        assert self.services is not None
        with self._still:
            self.services.restart(service)
            self.store.engine.dispose()

    def _go_on(self, number: int, *, finish: bool) -> RoundState:
        now = self.round(number)
        if now.state == RoundState.ANNOTATING:
            batch = self._batch_of(number)
            idle = not batch.act()
            if idle and finish:
                batch.finish()
            elif idle:
                self._forget_looks()
        assert now.state != RoundState.FAILED, now.error
        return now.state

    def _forget_looks(self) -> None:
        """People have nothing left to do before the last answer, and a worker that is to die while
        it collects would see no reason to: let it look once more."""
        with self.store.engine.begin() as connection:
            connection.execute(text("UPDATE datasets SET seen_activity = NULL"))

    def _batch_of(self, number: int) -> Batch:
        if self._batch is None or self._batch[0] != number:
            last = self.project.settings.stopping.max_rounds == number
            leave = 0 if last else self.project.settings.prefetch
            self._batch = number, self.crowd.begin(self.dataset_id(), number, leave=leave)
        return self._batch[1]

    def dataset_id(self) -> UUID:
        (found,) = self.dataset_ids()
        return found

    def dataset_ids(self) -> list[UUID]:
        """None before the first batch was pushed."""
        return [
            row["dataset_id"] for row in all_rows(self.store, "SELECT dataset_id FROM datasets")
        ]

    def play(
        self, number: int, *, until: Callable[[], object] | None = None, finish: bool = True
    ) -> None:
        """People do what they have to until `until` says so, or the round is closed."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if until is not None and until():
                return
            closed = self.go_on(number, finish=finish) == RoundState.CLOSED
            if closed and until is None:
                return
            time.sleep(0.02)
        raise AssertionError(f"round {number} is {self.round(number)}, too long already")

    def outcome(self) -> Mapping[str, Any]:
        """Everything that must not depend on what broke when."""
        chosen = all_rows(
            self.store,
            "SELECT r.number, r.state, s.rank, i.external_id, s.slice, s.reason, s.score, "
            "p.state AS push, w.number AS waited_in, (SELECT jsonb_agg(jsonb_build_array(c.number, "
            "f.prediction, f.confidence) ORDER BY f.id) FROM refreshed_suggestions f "
            "JOIN classifier_versions c ON c.id = f.classifier_id "
            "WHERE f.selection_id = s.id) AS refreshed, "
            "(SELECT jsonb_agg(l.value ORDER BY l.id) FROM labels l "
            "WHERE l.item_id = s.item_id) AS labels "
            "FROM selections s JOIN rounds r ON r.id = s.round_id JOIN items i ON i.id = s.item_id "
            "JOIN pushes p ON p.selection_id = s.id JOIN rounds w ON w.id = p.waits_in "
            "ORDER BY r.number, s.rank",
        )
        # where the sample of the stopping rules lies names the project
        measured = all_rows(
            self.store,
            "SELECT kind, metrics #- '{measured,sample,path}' AS metrics FROM evaluations "
            "ORDER BY round_id, kind",
        )
        fitted = all_rows(
            self.store, "SELECT number, fingerprint, sha256 FROM classifier_versions ORDER BY 1"
        )
        # the features' version names the project, and so do the fingerprints made of it
        return {"chosen": chosen, "measured": measured, "fitted": len(fitted)}

    def check(self) -> Tally:
        return Checker(
            self.store, self.crowd.records(self.dataset_id()), self.crowd.journal
        ).check()


def _hidden(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Held-out rows keep their label, those of the pool are for the people."""
    return {**row, "label": None} if row["split"] == "train" else row


@contextmanager
def site_on(
    postgres: Any, template: str, argilla: ArgillaService, folder: Path, nursery: Nursery,
    **more: Any,
) -> Iterator[Site]:  # fmt: skip
    """A site with a database and relays of its own; all of it is gone at the end."""
    with (
        postgres.database(template=template) as url,
        Relay(argilla.url) as to_argilla,
        Relay(f"http://127.0.0.1:{postgres.port}") as to_postgres,
    ):
        site = Site(url, folder, argilla, nursery, (to_argilla, to_postgres), **more)
        try:
            yield site
        finally:
            site.close()
