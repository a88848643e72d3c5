"""Items, and what could be chosen from at a decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.entities import (
    ImportReport,
    Item,
    ItemContent,
    PoolIds,
    Project,
)
from app.core.importing import ImportRow
from app.core.types import Split
from app.ports.store.reading import Page

ItemIds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PoolCounts:
    pool: int
    """Items of the pool, duplicates left out."""
    candidates: int
    """Of these, neither labelled nor out for annotation."""
    labelled: int
    duplicates: int
    validation: int
    test: int


class Items(Protocol):
    def add(self, project: Project, rows: Iterable[tuple[int, ImportRow]]) -> ImportReport:
        """Rows with their line numbers. Bulk and idempotent; marks duplicates, keeps labels."""

    def record_import(
        self, project_id: int, source: str | None, report: ImportReport, actor: str
    ) -> None: ...
    def imports(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
    def counts(self, project_id: int) -> PoolCounts: ...
    def content(self, project_id: int, *, up_to: int | None = None) -> ItemContent:
        """What the items that need features are, all or those with ids up to one."""

    def candidates(self, project_id: int) -> ItemIds:
        """Ids, ascending, of what may be selected."""

    def out_for_annotation(self, project_id: int) -> ItemIds: ...
    def held_out(self, project_id: int, split: Split) -> Mapping[int, Mapping[str, Any]]:
        """Gold values of a held-out split by item id, leaving out texts that were trained on."""

    def get(self, item_ids: Sequence[int]) -> Sequence[Item]: ...
    def named(self, project_id: int, external_ids: Sequence[str]) -> Sequence[int]:
        """Ids of those that there are, in the order given."""

    def page(self, project_id: int, after: int, limit: int) -> Page: ...


class Pools(Protocol):
    """What could be chosen from at a decision, for whoever makes it again."""

    def keep(self, project_id: int, pool: PoolIds) -> int:
        """Its record; the one there is if the pool was the same before."""

    def get(self, pool_id: int) -> PoolIds: ...


class Maps(Protocol):
    """Where items lie in the plane that people look at, by version of the features."""

    def sample(self, features_id: int) -> ItemIds:
        """The items whose plane it is; none before the first round with these features."""

    def add(
        self,
        features_id: int,
        item_ids: Sequence[int],
        points: Sequence[tuple[float, float]],
        sampled: Sequence[bool],
    ) -> None:
        """What is known already stays."""

    def of_round(self, round_id: int) -> Sequence[Mapping[str, Any]]:
        """The sample, then the batch by rank: item_id, x, y, and rank and slice of the batch."""
