"""What annotators said, where they differ, and the labels that came of it."""

from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, Protocol
from uuid import UUID

from app.core.entities import (
    AnnotationDataset,
    CurrentLabel,
    Dispute,
    ItemAnswers,
    KnownResponse,
    NewLabel,
    Project,
    Revision,
    Round,
)


class Annotations(Protocol):
    def dataset(self, project: Project) -> AnnotationDataset | None: ...
    def datasets(self, project_id: int) -> Sequence[AnnotationDataset]: ...
    def find_dataset(self, dataset_id: UUID) -> AnnotationDataset | None:
        """By the tool's own id; None if it is none of ours."""

    def add_dataset(
        self,
        project: Project,
        dataset_id: UUID,
        annotate_url: str,
        *,
        purpose: str = "annotation",
    ) -> AnnotationDataset:
        """The purpose is `annotation` or `disputes`; each project has one of each at most."""

    def record(self, dataset: AnnotationDataset, revisions: Sequence[Revision]) -> int:
        """Append what is new; how many were."""

    def known(
        self, dataset: AnnotationDataset, item_ids: Sequence[int]
    ) -> Mapping[UUID, KnownResponse]:
        """Every response to these items that was given in this dataset, as last stored."""

    def moments(self, project_id: int) -> Mapping[str, Sequence[Any]]:
        """When each annotator first submitted or discarded each of their responses."""

    def mark_deleted(self, project_id: int, response_ids: Sequence[UUID]) -> int: ...
    def collected(self, dataset: AnnotationDataset, activity: Any, *, whole: bool) -> None:
        """Everything that happened up to `activity` is stored; `whole`: at every record."""

    def look_at_all(self, project_id: int) -> None:
        """Look soon, and at every record, whatever the activity says."""

    def records_out(self, dataset: AnnotationDataset) -> Set[UUID]:
        """Records that should be in Argilla and that open rounds wait for."""

    def reach(self, dataset: AnnotationDataset) -> int:
        """How many of the newest records to look at to see all of those."""

    def records_pushed(self, dataset: AnnotationDataset) -> Set[UUID]:
        """All records that should be there."""

    def mark_lost(
        self, dataset: AnnotationDataset, records: Collection[UUID], problem: str
    ) -> Mapping[int, int]:
        """These are not there any more; round id → how many of it are lost by that."""

    def mark_gone(self, project_id: int, user_ids: Collection[UUID]) -> Sequence[UUID]:
        """These annotators have no account any more; those of them that were not known to."""

    def mark_problem(self, dataset: AnnotationDataset, problem: str) -> bool:
        """The dataset cannot be looked into. False if that was known."""


class Disputes(Protocol):
    def of_round(self, round_id: int) -> Mapping[int, Dispute]:
        """The last dispute about each item of the round that had one."""

    def open(self, round_: Round, agreements: Mapping[int, float]) -> None:
        """For each item with its agreement, unless there is an open one already."""

    def mark_pushed(self, records: Mapping[int, UUID]) -> None: ...
    def hidden(self, project_id: int) -> None:
        """Nothing of the open ones is in the annotation tool any more."""

    def end(self, item_ids: Sequence[int], outcome: str) -> None:
        """`decided` or `undecided`; items without an open dispute are left as they are."""


class Labels(Protocol):
    def answers(
        self, project_id: int, item_ids: Sequence[int] | None = None
    ) -> Sequence[ItemAnswers]:
        """Items whose newest answers differ from what their current label was made of."""

    def votes(self, project_id: int) -> Sequence[tuple[int, str, Mapping[str, Any]]]:
        """Item, annotator and values of every answer that stands, in the order they came."""

    def add(self, project_id: int, labels: Sequence[NewLabel]) -> None: ...
    def current(self, project_id: int) -> Sequence[CurrentLabel]:
        """What may be trained on: labels of pool items, duplicates left out, by item id."""

    def values(self, project_id: int) -> Mapping[int, Mapping[str, Any]]:
        """Of the labels of the pool as they are now, by item."""

    def by_ids(self, project_id: int, label_ids: Sequence[int]) -> Sequence[CurrentLabel]:
        """Labels that were current once, by item id."""
