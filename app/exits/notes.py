"""`notes.md`: the project in words, with what went wrong or odd in each round."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.core.entities import Project
from app.ports.store import PoolCounts

View = Mapping[str, Any]


def notes_of(project: Project, counts: PoolCounts, rounds: Sequence[View]) -> str:
    parts = [_head(project, counts), *map(_round, rounds)]
    if not rounds:
        parts.append("No round has been started yet.\n")
    return "\n".join(parts)


def said(view: View) -> list[str]:
    """Everything that a person should know of a round, a sentence each."""
    error = [view["error"]["title"]] if view["error"] else []
    findings = [one.get("message", "") for one in view["findings"] or ()]
    noticed = [f"{one['message']} {one['next_step']}" for one in view["failure_notes"] or ()]
    return [*error, *(view["checkpoint"].get("notes") or ()), *findings, *noticed]


def _head(project: Project, counts: PoolCounts) -> str:
    labels = ", ".join(safe(label) for label in project.task.labels)
    return (
        f"# {project.name}\n\n"
        f"Task: {project.task.type.replace('_', ' ')}; labels: {labels}.\n\n"
        f"{counts.pool:,} items in the pool, {counts.labelled:,} of them labelled; "
        f"{counts.validation + counts.test:,} held out, {counts.duplicates:,} duplicates set "
        "aside.\n"
    )


def _round(view: View) -> str:
    lines = [f"## Round {view['number']}: {view['state']}", "", _chosen(view), _measured(view)]
    notes = [f"- {safe(one)}" for one in said(view)]
    return "\n".join([*lines, *(["", *notes] if notes else []), ""])


def _chosen(view: View) -> str:
    counts = view["counts"]
    by = f"by {view['chosen_by']}" if view["chosen_by"] else "without a classifier"
    strategy = view["checkpoint"].get("strategy_used", view["strategy"])
    return (
        f"{counts['selected']} items chosen {by} with {strategy}, {counts['audit']} of them at "
        f"random as a check; {counts['answered']} answered, {counts['labelled']} became labels."
    )


def _measured(view: View) -> str:
    metrics = view["metrics"]
    if not metrics:
        return "Nothing was measured."
    return (
        f"{view['classifier_version']}: accuracy {metrics['accuracy']:.1%} on {metrics['n']:,} "
        f"held-out items, macro F1 {metrics['macro_f1']:.1%}, calibration error "
        f"{metrics['ece']:.3f}."
    )


def safe(text: str) -> str:
    """One line that a Markdown page shows as it stands."""
    return escape(" ".join(text.split()), quote=False)
