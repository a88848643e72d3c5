"""The answer to "how does it stand?" in one sentence, computed from the state."""

from collections.abc import Mapping
from typing import Any

from app.core.entities import Project
from app.core.stopping.settings import BOUNDS, DEFAULT_MAX_ROUNDS, Stopping


def of_round(view: Mapping[str, Any]) -> str:
    """One round, from its view in the API's shape."""
    number, state, counts = view["number"], view["state"], view["counts"]
    if state == "annotating":
        waiting = counts["pushed"] - counts["answered"]
        return f"Round {number} is waiting for {waiting} of {counts['pushed']} answers."
    if state == "failed":
        return f"Round {number} failed while {view['failed_in']}: {view['error']['title']}"
    if state == "cancelled":
        return f"Round {number} was cancelled; {counts['labelled']} of its labels were kept."
    if state == "closed":
        return _closed(view)
    return f"Round {number} is at work: {state}."


def _closed(view: Mapping[str, Any]) -> str:
    accuracy = view["metrics"].get("accuracy")
    if accuracy is None:
        note = view["notes"][0] if view["notes"] else "Nothing was measured."
        return f"Round {view['number']} is closed with {view['labelled']:,} labels. {note}"
    return (
        f"Round {view['number']} is closed: accuracy {accuracy:.1%} on {view['metrics']['n']:,} "
        f"held-out items, from {view['labelled']:,} labels."
    )


def without_rounds(name: str, counts: Mapping[str, int]) -> str:
    """A project that has none yet."""
    if not counts["pool"]:
        return f"{name} has no items yet."
    return f"{name} is ready for its first round: {counts['unlabelled']:,} items to choose from."


def of_run(project: Project) -> str | None:
    """Whether rounds follow each other, and if they stopped, why and how to go on."""
    if project.auto_since is not None:
        return f"Rounds follow each other by themselves, {until(project.settings.stopping)}."
    if project.stopped is None:
        return None
    return (
        f"Auto mode stopped after round {project.stopped['round']}: {project.stopped['message']} "
        f"To go on: `rounds start {project.name} --auto`, after raising or taking away what "
        f"stopped it, such as `rounds set {project.name} {_example(project)}`."
    )


def _example(project: Project) -> str:
    known = {
        "plateau": "stopping.plateau_rounds=null",
        "stable": "stopping.stable_rounds=null",
        "f_change": "stopping.f_change=null",
        "target_accuracy": "stopping.target_accuracy=null",
    }
    rules = project.stopped["rules"] if project.stopped else ()
    rule = next((one for one in rules if one in known or one in BOUNDS), "max_rounds")
    return known.get(rule, f"stopping.{rule}=…")


def until(stopping: Stopping) -> str:
    """The bounds of a run; the default one is said to be that."""
    given = {name: getattr(stopping, name) for name in BOUNDS}
    bounds = [f"{name} {value:g}" for name, value in given.items() if value is not None]
    if bounds == [f"max_rounds {DEFAULT_MAX_ROUNDS}"]:
        return f"at most {DEFAULT_MAX_ROUNDS} (the bound that holds when none is chosen)"
    return f"bounded by {' and '.join(bounds)}"
