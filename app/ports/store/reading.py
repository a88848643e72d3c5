"""Reads for people and for what leaves a project; nothing of them feeds back into the loop."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

LARGE_METRICS = ("confusion", "calibration")
"""Not in lists: the confusion matrix of 150 classes has 22,500 cells."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a long list; `next` is what to ask for to go on, None at the end."""

    items: Sequence[Mapping[str, Any]]
    next: int | None


class Views(Protocol):
    """Reads shaped for people: one query each, nothing of them feeds back into the loop."""

    def projects(self) -> Sequence[Mapping[str, Any]]: ...
    def rounds(
        self, project_id: int, after: int, limit: int, *, newest_first: bool = False
    ) -> Page:
        """Without their large metrics. With `newest_first`, `after` is the number before which to
        go on; 0 is the newest."""

    def round(self, project_id: int, number: int) -> Mapping[str, Any]: ...
    def selections(self, project_id: int, number: int, after: int, limit: int) -> Page: ...
    def labels(self, project_id: int, after: int, limit: int) -> Page: ...
    def export(self, project_id: int) -> Iterator[Mapping[str, Any]]:
        """Every current label with its item's fields, as of one moment, without holding them all.
        To be read inside the transaction."""

    def last_event(self, project_id: int) -> int:
        """Id of the newest event, 0 if there is none."""

    def curve(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """Of every round that measured on held-out items: labels, accuracy, macro F1, n."""

    def measured(self, project_id: int, round_number: int | None) -> Mapping[str, Any] | None:
        """The whole held-out evaluation of one round, or of the last that has one."""

    def metrics(
        self, project_id: int, *, without: Sequence[str] = ()
    ) -> Sequence[Mapping[str, Any]]: ...
    def problems(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """What looks into the annotation tool have found wrong: kind, message, since."""

    def agreement(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """How far annotators agreed when each round closed."""

    def totals(self) -> Mapping[str, int]:
        """Counts for the metrics endpoint."""


class RestsOn(StrEnum):
    """What a kept figure is made from; whatever changes it makes the figure be counted anew."""

    ITEMS = "items"
    LABELS = "labels"
    """Items and labels."""
    ANSWERS = "answers"
    VERDICTS = "verdicts"
    """Items, labels and answers."""
    BATCHES = "batches"
    """Items, labels, and what is out for annotation."""
    CALLS = "calls"


KeptFigures = TypeVar("KeptFigures")


class Figures(Protocol):
    """Figures about a project, counted once for each state of what they are made from and kept.
    They are JSON; one whose shape changes takes another name, because the old ones are there."""

    def kept(
        self, project_id: int, name: str, rests_on: RestsOn, count: Callable[[], KeptFigures]
    ) -> KeptFigures:
        """As of now: what was kept if nothing has changed since, else counted and kept."""

    def splits(self, project_id: int) -> Mapping[str, Any]:
        """`splits`: items and duplicates of each; `copied`: the texts that came most often."""

    def classes(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """How many items of each split have which label."""

    def labels(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """How often each label was given in each split, to duplicates too."""

    def sources(self, project_id: int) -> Mapping[str, int]:
        """How many items of the pool have a label of each source."""


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
