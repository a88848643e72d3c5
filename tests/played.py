"""A project whose rounds are really worked, by a worker and an annotator that are moved by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.adapters.postgres.store import PostgresStore
from app.core.entities import Round, RoundState, SelectedItem
from app.llm.desk import NoProviders
from app.ports.llm import Providers
from app.rounds import commands
from app.rounds.runner import Runner
from app.rounds.work import Parts
from tests.factories import import_rows, make_project, sample_texts
from tests.fakes_argilla import FakeAnnotationTool

MOST_TICKS = 200


class PlayedProject:
    """`shop`, with texts whose true labels are known and an annotation tool in memory."""

    def __init__(
        self,
        store: PostgresStore,
        folder: Path,
        count: int = 300,
        providers: Providers | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        self.store = store
        self.tool = FakeAnnotationTool()
        self.parts = Parts(
            store,
            self.tool,
            LocalFiles(folder / "files"),
            LocalFeatureStore(folder / "features"),
            poll_seconds=0.0,
            providers=providers or NoProviders(),
        )
        self.runner = Runner(self.parts, name="test", lease_seconds=30)
        rows = rows or sample_texts(count, seed=3)
        self.truth = {row["text"]: row["label"] for row in rows}
        labels = sorted(set(self.truth.values()))
        self.project = make_project(store, labels=labels, **{"batch_size": 12, **settings})
        held_out = [row for row in rows if row["split"] == "test"]
        pool = [{**row, "label": None} for row in rows if row["split"] != "test"]
        import_rows(store, [*pool, *held_out])

    def start(self) -> int:
        return commands.start_round(self.store, "shop", actor="test").number

    def round(self, number: int) -> Round:
        with self.store.transaction() as tx:
            return tx.rounds.by_number(self.project.id, number)

    def run_until(self, number: int, state: RoundState) -> None:
        """Let the worker work until the round is in this state."""
        for _ in range(MOST_TICKS):
            now = self.round(number)
            if now.state == state:
                return
            self.tick()
        raise AssertionError(f"round {number} is {now.state}, {now.error}; wanted {state}")

    def tick(self) -> None:
        """The worker does one thing, due or not."""
        with self.store.transaction() as tx:
            tx.sql.run("UPDATE rounds SET due_at = now() - interval '1 s'")
        self.runner.tick()

    def out(self, number: int) -> list[SelectedItem]:
        with self.store.transaction() as tx:
            return list(tx.selections.of_round(self.round(number).id, "pushed"))

    def answer(self, number: int, *, skip: int = 0) -> None:
        """The annotator answers all of the batch but the first `skip`, truthfully."""
        for one in self.out(number)[skip:]:
            self.tool.answer(f"item-{one.item.id}", self.truth[one.item.fields["text"]])

    def play(self, number: int) -> None:
        """A whole round."""
        self.run_until(number, RoundState.ANNOTATING)
        self.answer(number)
        self.run_until(number, RoundState.CLOSED)
