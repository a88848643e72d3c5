"""What Rounds keeps, and how it is asked for. The database is the truth; Postgres implements this.

Everything written inside one `transaction()` becomes true together or not at all. Nothing here
commits by itself, and nothing reads the process clock: leases and times are the database's.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from app.core.types import Split
from app.ports.llm import LlmAnswers, LlmCalls, LlmJobs, LlmStanding
from app.ports.store.answers import Annotations, Disputes, Labels
from app.ports.store.classifiers import Classifiers
from app.ports.store.items import ItemIds, Items, Maps, PoolCounts, Pools
from app.ports.store.measuring import Measurements
from app.ports.store.projects import Events, Keys, Projects, Schemas
from app.ports.store.reading import Exits, Figures, Page, RestsOn, Views, WholeProjects
from app.ports.store.rounds import Rounds, Runs, Selections, Tracking

__all__ = [
    "Annotations",
    "Classifiers",
    "Disputes",
    "Events",
    "Exits",
    "Figures",
    "ItemIds",
    "Items",
    "Keys",
    "Labels",
    "Maps",
    "Measurements",
    "Page",
    "PoolCounts",
    "Pools",
    "Projects",
    "RestsOn",
    "Rounds",
    "Runs",
    "Schemas",
    "Selections",
    "Store",
    "Transaction",
    "Views",
    "WholeProjects",
]


class Transaction(Protocol):
    @property
    def projects(self) -> Projects: ...
    @property
    def items(self) -> Items: ...
    @property
    def rounds(self) -> Rounds: ...
    @property
    def pools(self) -> Pools: ...
    @property
    def schemas(self) -> Schemas: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def selections(self) -> Selections: ...
    @property
    def disputes(self) -> Disputes: ...
    @property
    def annotations(self) -> Annotations: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def classifiers(self) -> Classifiers: ...
    @property
    def measurements(self) -> Measurements: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def events(self) -> Events: ...
    @property
    def views(self) -> Views: ...
    @property
    def tracking(self) -> Tracking: ...
    @property
    def maps(self) -> Maps: ...
    @property
    def figures(self) -> Figures: ...
    @property
    def exits(self) -> Exits: ...
    @property
    def llm_calls(self) -> LlmCalls: ...
    @property
    def llm_answers(self) -> LlmAnswers: ...
    @property
    def llm_standing(self) -> LlmStanding: ...
    @property
    def llm_jobs(self) -> LlmJobs: ...
    @property
    def whole(self) -> WholeProjects: ...


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits at the end of the block; rolls back if it raises."""

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Only for reading, and everything as of one moment, however long it takes."""

    def texts(
        self,
        project_id: int,
        split: Split | None = None,
        *,
        after: int = 0,
        up_to: int | None = None,
        batch: int = 2000,
    ) -> Iterator[tuple[Sequence[int], Sequence[Mapping[str, str]]]]:
        """Ids and fields of items that need features (of one split, or all; with ids beyond
        `after` and not beyond `up_to`), by id, in batches."""

    def work_calls(self) -> AbstractContextManager[Callable[[float], bool]]:
        """Inside the block nothing is missed: the function given sleeps until a round is due or
        the time is over, and says whether it was woken."""

    def wait_for_event(self, project_id: int, seconds: float) -> bool: ...
    def watch_events(self, stop: threading.Event) -> Iterator[int | None]:
        """The project of every event as it is committed, until `stop` is set (noticed within a
        second). First None: from here on nothing is missed, so look at what there is."""

    def secret(self, name: str, make: str) -> str:
        """The stored secret of that name, or `make` if there was none."""

    def set_secret(self, name: str, value: str) -> None: ...
    def find_secret(self, name: str) -> str | None: ...
    def check(self) -> None:
        """Raise Unavailable unless the database answers and its migrations are current."""

    def worker_seen(self, name: str) -> None: ...
    def workers(self) -> int:
        """How many workers showed a sign of life in the last minute."""
