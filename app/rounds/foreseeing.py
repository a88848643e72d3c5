"""What an edit of the labels would change, counted before anybody decides on it.

Between the look and the act labels may be given. Whoever decides sends back the fingerprint of what
they saw; if the edit would by then change something else, it is not done.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.entities import Project
from app.core.errors import NotAsForeseen
from app.core.tasks.editing import Mapped, edited
from app.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class Given:
    """How often a label was given: to items of the pool, and to held-out ones."""

    label: str
    pool: int
    held_out: int

    @property
    def total(self) -> int:
        return self.pool + self.held_out


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The labels afterwards, and where those given so far go."""

    version: int
    """Of the labels that are edited."""
    labels: Sequence[str]
    mapping: Mapped
    given: Sequence[Given]

    @property
    def carried(self) -> int:
        """Labels that get another name, by a change of name or by a merge."""
        moved = (one for one in self.given if self.mapping[one.label] not in (None, one.label))
        return sum(one.total for one in moved)

    @property
    def taken_back(self) -> Sequence[Given]:
        """Labels that leave no answer: their items are looked at again."""
        return [one for one in self.given if self.mapping[one.label] is None]

    @property
    def changed(self) -> Sequence[Given]:
        """Labels that do not stay what they are."""
        return [one for one in self.given if self.mapping[one.label] != one.label]

    @property
    def fingerprint(self) -> str:
        """The same as long as the edit would change the same, however the rest grows."""
        moved = [(one.label, self.mapping[one.label], one.pool, one.held_out)
                 for one in self.changed]  # fmt: skip
        told = json.dumps([self.version, list(self.labels), moved])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def insist(self, expected: str | None) -> None:
        """None: whatever it changes is meant."""
        if expected is not None and expected != self.fingerprint:
            raise NotAsForeseen(
                "Labels were given, taken back or edited since this edit was foreseen: it would "
                "change something else by now, and nothing was changed. Foresee it again "
                "(`labels/foresee`, `--dry-run`) and send the fingerprint that this gives as "
                "`expected`.",
                fingerprint=self.fingerprint,
            )


def foreseen(tx: Transaction, project: Project, labels: Sequence[str], mapping: Mapped) -> Foreseen:
    """What is wrong with the edit is said now."""
    task, whole = edited(project.task, labels, mapping)
    return Foreseen(project.schema_version, task.labels, whole, given(tx, project))


def given(tx: Transaction, project: Project) -> Sequence[Given]:
    """Every label of the project in its order, also one that nobody has given."""
    counted: Counter[tuple[str, bool]] = Counter()
    for one in tx.figures.labels(project.id):
        counted[one["label"], one["split"] == "pool"] += one["labels"]
    return [
        Given(label, counted[label, True], counted[label, False]) for label in project.task.labels
    ]
