"""A guided start: a plan made from a file, then project, import and round 1 by that plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.entities import ImportReport, Project, Round
from app.core.importing import ID, SPLIT, Rejection, RowLimits
from app.core.proposing import (
    LABEL,
    TEXT,
    Proposal,
    guess_columns,
    propose,
    renamed,
    survey,
    with_split,
)
from app.ports.rows import Row
from app.ports.store import Store
from app.rounds import commands, importing, projects
from app.rounds.encoders import NONE_OFFERED, Encoders

Reading = Callable[[], Iterator[Row]]
"""Gives the file's rows from the start; called more than once."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody has said already; the rest is proposed."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """An empty name says that there is no such column."""
    labels: Sequence[str] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)
    """batch_size, overlap, max_labels, held_out_share."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a start needs but the data."""

    name: str
    labels: tuple[str, ...]
    columns: Mapping[str, str]
    held_out_share: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: str = "single_label"
    guidelines: str | None = None
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Started:
    project: Project
    report: ImportReport
    round: Round | None
    why_not: str | None
    """Why no round was opened."""


def plan_for(name: str, reading: Reading, wishes: Wishes) -> Plan:
    """Look at the file, and propose what was not said."""
    columns = guess_columns(_plain(reading()), wishes.columns)
    seen = survey(_plain(reading()), columns)
    return _plan(name, propose(seen, columns, wishes.labels, wishes.sizes))


def _plain(rows: Iterator[Row]) -> Iterator[Mapping[str, Any]]:
    return (row for _, row in rows if not isinstance(row, Rejection))


def _plan(name: str, proposal: Proposal) -> Plan:
    settings = {
        "batch_size": proposal.batch_size,
        "overlap": proposal.overlap,
        "stopping": {"max_labels": proposal.max_labels},
    }
    return Plan(
        name=name,
        labels=proposal.labels,
        columns=proposal.columns,
        held_out_share=proposal.held_out_share,
        settings=settings,
        reasons=proposal.reasons,
    )


def start(
    store: Store,
    plan: Plan,
    reading: Reading,
    *,
    limits: RowLimits,
    actor: str,
    source: str,
    open_round: bool,
    encoders: Encoders = NONE_OFFERED,
) -> Started:
    """Make the project, take in the file, open round 1 where there is something to ask."""
    task = {"type": plan.task, "labels": list(plan.labels), "guidelines": plan.guidelines}
    given = {"name": plan.name, "task": task, **plan.settings}
    project = projects.create_project(store, given, actor=actor, encoders=encoders)
    report = importing.import_items(
        store, plan.name, prepared(reading(), plan), limits=limits, actor=actor, source=source
    )
    with store.transaction() as tx:
        candidates = tx.items.counts(project.id).candidates
    if not candidates:
        return Started(project, report, None, "Nothing in the pool lacks a label.")
    if not open_round:
        return Started(project, report, None, None)
    return Started(project, report, commands.start_round(store, plan.name, actor=actor), None)


def prepared(rows: Iterator[Row], plan: Plan) -> Iterator[Row]:
    """The rows under our names, with the split that the plan gives them."""
    seed = int(plan.settings.get("seed", 0))
    for line, row in rows:
        if isinstance(row, Rejection):
            yield line, row
        else:
            ours = renamed(row, plan.columns)
            yield line, with_split(ours, plan.held_out_share, seed)


COLUMNS = (TEXT, LABEL, ID, SPLIT)
