"""What Rounds keeps, and how it is asked for. The database is the truth; Postgres implements this.

Everything written inside one `transaction()` becomes true together or not at all. Nothing here
commits by itself, and nothing reads the process clock: leases and times are the database's.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.core.entities import (
    AnnotationDataset,
    ApiKey,
    ClassifierVersion,
    CurrentLabel,
    Dispute,
    Event,
    FeatureVersion,
    ImportReport,
    Item,
    ItemAnswers,
    ItemContent,
    KnownResponse,
    NewLabel,
    NewSelection,
    PoolIds,
    Project,
    ProjectState,
    Revision,
    Role,
    Round,
    RoundCounts,
    RoundState,
    RunFacts,
    SelectedItem,
    Standing,
)
from app.core.importing import ImportRow
from app.core.projects import ProjectSettings
from app.core.tasks import TaskSpec
from app.core.types import Split
from app.ports.feature_store import FeatureInfo
from app.ports.llm import LlmRecords

ItemIds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a long list; `next` is what to ask for to go on, None at the end."""

    items: Sequence[Mapping[str, Any]]
    next: int | None


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


class Projects(Protocol):
    def create(self, name: str, task: TaskSpec, settings: ProjectSettings) -> Project:
        """Conflict if the name is taken."""

    def get(self, project_id: int) -> Project: ...
    def by_name(self, name: str) -> Project: ...
    def all(self) -> Sequence[Project]: ...
    def lock(self, project_id: int, purpose: str) -> None:
        """Until the transaction ends, nobody else holds the lock of this project and purpose."""

    def change(
        self,
        project_id: int,
        *,
        settings: ProjectSettings | None = None,
        guidelines: str | None = None,
        state: ProjectState | None = None,
    ) -> Project: ...
    def delete_later(self, project_id: int, *, days: float, with_argilla: bool) -> Project:
        """Archived, and erased when so many days have passed."""

    def restore(self, project_id: int, state: ProjectState) -> Project | None:
        """None if its time has come already."""

    def due_for_erasing(self) -> Project | None: ...
    def erase(self, name: str) -> None:
        """With everything that belongs to it."""

    def claim_collection(self, every_seconds: float) -> Project | None:
        """A project without an open round whose late answers have not been looked for lately."""

    def hasten(self, dataset_id: UUID) -> bool:
        """Somebody answered: look now. False if the dataset is none of ours."""


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
    def page(self, project_id: int, after: int, limit: int) -> Page: ...


class Rounds(Protocol):
    def start(
        self,
        project: Project,
        *,
        strategy: str,
        classifier: str,
        seed_of: Any,
        actor: str,
        due_in: float = 0.0,
    ) -> Round:
        """The next round, planned and due in so many seconds. Conflict while one is open."""

    def get(self, round_id: int) -> Round: ...
    def by_number(self, project_id: int, number: int) -> Round: ...
    def open(self, project_id: int) -> Round | None: ...
    def all(self, project_id: int) -> Sequence[Round]: ...
    def claim(self, worker: str, lease_seconds: float) -> Round | None:
        """The due round that has waited longest, now leased to this worker under a new fence."""

    def extend(self, round_id: int, fence: int, lease_seconds: float) -> bool:
        """False: the lease is lost. Also tells `cancel_requested` through `get`."""

    def guard(self, round_id: int, fence: int) -> None:
        """Lock the round's row for this transaction; LeaseLost if the fence has moved on."""

    def advance(self, round_: Round, state: RoundState, checkpoint: Mapping[str, Any]) -> None: ...
    def wait(self, round_: Round, seconds: float, checkpoint: Mapping[str, Any]) -> None:
        """Stay in this state, give the lease back, come again after so many seconds."""

    def retry(self, round_: Round, seconds: float, error: Mapping[str, Any]) -> None: ...
    def fail(self, round_: Round, error: Mapping[str, Any]) -> None: ...
    def resume(self, round_id: int) -> None: ...
    def request_cancel(self, round_id: int) -> None: ...
    def request_finish(self, round_id: int) -> None: ...
    def request_repair(self, round_id: int) -> None: ...
    def repaired(self, round_id: int) -> None: ...
    def set_classifier(self, round_id: int, classifier_id: int | None) -> None: ...
    def set_result(self, round_id: int, classifier_id: int) -> None: ...
    def set_dataset(self, round_id: int, dataset_id: int) -> None: ...
    def set_pool(self, round_id: int, pool_id: int) -> None: ...
    def record_step(
        self, round_: Round, name: str, worker: str, seconds: float, detail: Mapping[str, Any]
    ) -> None: ...
    def counts(self, round_id: int) -> RoundCounts: ...
    def remember_key(self, key_id: int, key: str, request_hash: str, round_: Round) -> None: ...
    def by_key(self, key_id: int, key: str, request_hash: str) -> Round | None:
        """The round an earlier request with this Idempotency-Key made; Conflict if it asked
        for something else."""


class Pools(Protocol):
    """What could be chosen from at a decision, for whoever makes it again."""

    def keep(self, project_id: int, pool: PoolIds) -> int:
        """Its record; the one there is if the pool was the same before."""

    def get(self, pool_id: int) -> PoolIds: ...


class Schemas(Protocol):
    """Versions of a project's labels."""

    def labels(self, project: Project, version: int) -> Sequence[str]: ...
    def change(
        self,
        project: Project,
        labels: Sequence[str],
        mapping: Mapping[str, str | None],
        actor: str,
    ) -> None:
        """The next version. Answers given by older ones are read through the mapping."""

    def carry_over(self, project: Project, mapping: Mapping[str, str | None]) -> tuple[int, int]:
        """Supersede every label whose name changes. How many have a new name, and how many none:
        these items may be selected again."""


class Runs(Protocol):
    """Rounds that follow each other by themselves."""

    def begin(self, project_id: int) -> None: ...
    def end(self, project_id: int, stopped: Mapping[str, Any] | None) -> None:
        """With the reason, if a rule stopped it."""

    def facts(self, project_id: int, round_id: int | None, labels_a_day: int | None) -> RunFacts:
        """What the records say to the rules."""

    def measured(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """What was measured for the rules at the end of each round, oldest first."""

    def findings(self, project_id: int) -> Mapping[str, Any] | None:
        """What every rule found after the last closed round."""

    def sample(self, project_id: int, seed: int, size: int) -> ItemIds:
        """Some items of the pool; the same ones while the pool stays as it is."""


class Selections(Protocol):
    def add(
        self,
        round_: Round,
        strategy: str,
        classifier_id: int | None,
        chosen: Sequence[NewSelection],
    ) -> None: ...
    def of_round(self, round_id: int, push_state: str | None = None) -> Sequence[SelectedItem]: ...
    def mark_pushed(self, round_id: int, records: Mapping[int, UUID]) -> None: ...
    def quarantine(self, round_id: int, problems: Mapping[int, str]) -> None: ...
    def withdraw(self, round_id: int, item_ids: Sequence[int]) -> None: ...
    def unanswered(self, round_: Round) -> Sequence[int]:
        """Items of the round that are out and lack answers: too few submitted or discarded."""

    def discarded(self, round_: Round) -> Sequence[int]:
        """Items of the round that have no label because somebody discarded them, and that were
        not discarded in an earlier round."""

    def plan_lost_again(self, round_: Round) -> int:
        """Lost items that nobody has answered are to be pushed again; how many."""

    def give_up_lost(self, round_: Round) -> None:
        """Lost items that nobody has answered return to the pool."""

    def standing(self, round_id: int) -> Standing: ...


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


class Annotations(Protocol):
    def dataset(self, project: Project) -> AnnotationDataset | None: ...
    def datasets(self, project_id: int) -> Sequence[AnnotationDataset]: ...
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
        """Records of open rounds that should be in Argilla."""

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

    def by_ids(self, project_id: int, label_ids: Sequence[int]) -> Sequence[CurrentLabel]:
        """Labels that were current once, by item id."""


class Classifiers(Protocol):
    def features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        """The newest feature version of that recipe, None if items have come since."""

    def newest_features(self, project_id: int, recipe: str) -> FeatureVersion | None:
        """The newest one that is not outdated, whatever has come since."""

    def outdate_features(self, project_id: int) -> None:
        """No version so far is of the items of now, nor will be carried on."""

    def feature_version(self, version_id: int) -> FeatureVersion: ...
    def add_features(
        self, project_id: int, info: FeatureInfo, items_as_of: Any
    ) -> FeatureVersion: ...
    def items_changed_at(self, project_id: int) -> Any: ...
    def by_fingerprint(self, project_id: int, fingerprint: str) -> ClassifierVersion | None: ...
    def get(self, classifier_id: int) -> ClassifierVersion: ...
    def all(self, project_id: int) -> Sequence[ClassifierVersion]:
        """By number: the newest comes last."""

    def add(
        self,
        project_id: int,
        *,
        name: str,
        fingerprint: str,
        features: FeatureVersion,
        label_ids: Sequence[int],
        pool: PoolIds,
        seed: int,
        path: str,
        sha256: str,
        report: Mapping[str, Any],
        libraries: Mapping[str, str],
    ) -> ClassifierVersion:
        """Add, or give the one with the same fingerprint if another worker was faster."""

    def add_evaluation(
        self, round_: Round, classifier_id: int | None, kind: str, metrics: Mapping[str, Any]
    ) -> None: ...


class Keys(Protocol):
    def add(self, name: str, role: Role, prefix: str, key_hash: bytes) -> ApiKey: ...
    def by_hash(self, key_hash: bytes) -> ApiKey | None: ...
    def get(self, key_id: int) -> ApiKey | None:
        """Revoked or not."""

    def all(self) -> Sequence[ApiKey]: ...
    def revoke(self, name: str) -> ApiKey: ...
    def touch(self, key_id: int) -> None: ...


class Events(Protocol):
    def add(
        self,
        kind: str,
        actor: str,
        *,
        project_id: int | None = None,
        round_id: int | None = None,
        **detail: Any,
    ) -> None: ...
    def since(self, project_id: int, after: int, limit: int) -> Sequence[Event]: ...


class Views(Protocol):
    """Reads shaped for people: one query each, nothing of them feeds back into the loop."""

    def projects(self) -> Sequence[Mapping[str, Any]]: ...
    def rounds(
        self, project_id: int, after: int, limit: int, *, newest_first: bool = False
    ) -> Page:
        """With `newest_first`, `after` is the number before which to go on; 0 is the newest."""

    def round(self, project_id: int, number: int) -> Mapping[str, Any]: ...
    def selections(self, project_id: int, number: int, after: int, limit: int) -> Page: ...
    def labels(self, project_id: int, after: int, limit: int) -> Page: ...
    def export(self, project_id: int) -> Iterator[Mapping[str, Any]]:
        """Every current label with its item's fields, as of one moment, without holding them all.
        To be read inside the transaction."""

    def last_event(self, project_id: int) -> int:
        """Id of the newest event, 0 if there is none."""

    def metrics(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
    def problems(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """What looks into the annotation tool have found wrong: kind, message, since."""

    def evaluations(self, project_id: int, kind: str) -> Sequence[Mapping[str, Any]]:
        """Of one kind, by round."""

    def totals(self) -> Mapping[str, int]:
        """Counts for the metrics endpoint."""


class Exits(Protocol):
    """Reads for what leaves a project, to be read inside the transaction; none holds it all."""

    def annotations(self, project_id: int, number: int) -> Iterator[Mapping[str, Any]]:
        """Every revision of every answer to a round's batch, in the order they were collected."""


class WholeProjects(Protocol):
    """A project as rows of JSON, and back under new ids."""

    def tables(self) -> Sequence[str]:
        """What a project is made of, in the order in which it can be taken in."""

    def revision(self) -> str: ...
    def rows(self, name: str, project_id: int) -> Iterator[bytes]:
        """A line a row, in a fixed order; to be read inside the transaction."""

    def begin(self) -> None: ...
    def take_in(self, name: str, lines: Iterable[bytes]) -> None:
        """After `begin`, table by table. WrongInput says what the database will not have."""

    def new_id(self, name: str) -> int:
        """Of the one row of a table."""


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
    def keys(self) -> Keys: ...
    @property
    def events(self) -> Events: ...
    @property
    def views(self) -> Views: ...
    @property
    def exits(self) -> Exits: ...
    @property
    def llm(self) -> LlmRecords: ...
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
