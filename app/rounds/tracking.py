"""Closed rounds are told to experiment trackers, after the fact: no round waits for one, and one
that fails is tried again some times and shown."""

from collections.abc import Mapping
from typing import Any

import structlog

from app.core.entities import Project
from app.core.errors import RoundsError
from app.ports.tracker import RoundReport, Tracker
from app.rounds.work import Parts

log = structlog.get_logger()
MEASURES = ("accuracy", "macro_f1", "micro_f1", "log_loss", "ece")


def tell_next(parts: Parts) -> bool:
    """Tell one tracker of one round that it does not know yet. False if all know all."""
    return any(_tell(parts, tracker) for tracker in parts.trackers)


def _tell(parts: Parts, tracker: Tracker) -> bool:
    with parts.store.transaction() as tx:
        round_id = tx.tracking.claim(tracker.name)
        if round_id is None:
            return False
        round_ = tx.rounds.get(round_id)
        project = tx.projects.get(round_.project_id)
        report = report_of(project, tx.views.round(project.id, round_.number))
    problem = _attempt(tracker, report)
    with parts.store.transaction() as tx:
        tx.tracking.told(round_id, tracker.name, problem)
    return True


def _attempt(tracker: Tracker, report: RoundReport) -> str | None:
    try:
        tracker.tell(report)
    except Exception as problem:
        # of a library's own error only the kind: its text may hold addresses and keys
        known = isinstance(problem, RoundsError)
        reason = problem.message if isinstance(problem, RoundsError) else type(problem).__name__
        log.warning(
            "tracker.failed", tracker=tracker.name, project=report.project,
            round=report.number, reason=reason, exc_info=not known,
        )  # fmt: skip
        return reason
    return None


def report_of(project: Project, view: Mapping[str, Any]) -> RoundReport:
    """What is told of a round, from its view."""
    metrics = view["metrics"] or {}
    counts = {"labels": view["checkpoint"].get("labelled"), "answered": view["counts"]["answered"]}
    seconds = sum(
        (step["finished_at"] - step["started_at"]).total_seconds() for step in view["steps"]
    )
    figures = {**{key: metrics.get(key) for key in MEASURES}, **counts, "machine_seconds": seconds}
    return RoundReport(
        project=project.name,
        run=project.uid.hex,
        number=view["number"],
        config={
            "strategy": view["strategy"],
            "classifier": view["classifier"],
            "batch_size": view["batch_size"],
            "seed": view["seed"],
            "labels": ", ".join(project.task.labels)[:500],
        },
        metrics={key: float(value) for key, value in figures.items() if value is not None},
        document={
            "project": project.name,
            "round": view["number"],
            "chosen_by": view["chosen_by"],
            "classifier_version": view["classifier_version"],
            "closed_at": view["closed_at"].isoformat() if view["closed_at"] else None,
            "metrics": metrics,
            "stopping": view["stopping"],
            "findings": view["findings"] or [],
        },
    )
