"""The answer to "how does it stand?" in one sentence, computed from the state."""

from collections.abc import Mapping
from typing import Any

from app.core.closing_rules import DEFAULT_CLOSING_HOURS
from app.core.entities import Project
from app.core.llm.money import in_dollars
from app.core.stopping.settings import BOUNDS, DEFAULT_MAX_ROUNDS, Stopping
from app.rounds.foreseeing import Foreseen


def of_round(view: Mapping[str, Any]) -> str:
    """One round, from its view in the API's shape."""
    number, state, counts = view["number"], view["state"], view["counts"]
    if state == "annotating":
        return _annotating(number, counts) + _left_over(view["taken_over"])
    if state == "failed":
        return f"Round {number} failed while {view['failed_in']}: {view['error']['title']}"
    if state == "cancelled":
        return f"Round {number} was cancelled; {counts['labelled']} of its labels were kept."
    if state == "closed":
        return _closed(view)
    if state == "pushing" and view["llm"] and not view["llm"]["source"]:
        return f"Round {number} is at work. {view['llm']['message']}"
    return f"Round {number} is at work: {state}."


def _annotating(number: int, counts: Mapping[str, int]) -> str:
    waiting = counts["pushed"] - counts["answered"]
    disputed = counts.get("disputed", 0)
    if not disputed:
        return f"Round {number} is waiting for {waiting} of {counts['pushed']} answers."
    items = "1 item" if disputed == 1 else f"{disputed} items"
    if waiting:
        return (
            f"Round {number} is waiting for {waiting} of {counts['pushed']} answers, and for "
            f"somebody to decide {items} on which annotators disagree."
        )
    return f"Round {number} is waiting for somebody to decide {items}: annotators disagree."


def _left_over(taken_over: Mapping[str, int]) -> str:
    waiting = taken_over["waiting"]
    if not waiting:
        return ""
    return f" Also for {waiting} that {'was' if waiting == 1 else 'were'} left over from before."


def of_llm(view: Mapping[str, Any]) -> str:
    """What an LLM has labelled of a round's batch, what it cost, and why people got the rest."""
    found, divided = view["llm"], view["checkpoint"].get("llm")
    cost = f"${in_dollars(found['cost']):.4f}"
    if divided is None:
        return f"The LLM has answered about {found['answered']} items of the batch, for {cost}."
    batch = view["counts"]["selected"]
    by_llm = f"{divided['source']} labelled {divided['llm']} of {batch} items, for {cost}."
    rest = [f"{count} {PEOPLE[why]}" for why, count in divided["why"].items() if why in PEOPLE]
    people = f" People get {batch - divided['llm']}: {', '.join(rest)}." if rest else ""
    reason = f" {divided['reason']}" if divided["reason"] else ""
    return by_llm + people + reason


PEOPLE = {
    "unsure": "it is not sure of",
    "unanswered": "it did not answer",
    "budget": "beyond what it may cost",
    "audit_slice": "of the audit slice",
    "standing_audit": "to see whether they agree with it",
    "comparison": "beside it, for comparison",
    "untrusted": "until it can be trusted",
    "suspended": "while it is suspended",
    "not_allowed": "that it may not label",
}
"""Why people label an item that an LLM was to label."""


def waits_for(view: Mapping[str, Any]) -> str | None:
    """Of a round that waits for answers: for how many, for how long in vain, until when."""
    if view["state"] != "annotating":
        return None
    counts, waiting = view["counts"], view["waiting"]
    open_ = counts["pushed"] - counts["answered"] + counts["disputed"]
    open_ += view["taken_over"]["waiting"]
    limit = (view["closing"] or {}).get("hours", DEFAULT_CLOSING_HOURS)
    items = "1 item" if open_ == 1 else f"{open_:,} items"
    return f"It waits for {items}{_idle(waiting)}. {_until(limit, waiting['hours'])}"


def _idle(waiting: Mapping[str, Any]) -> str:
    hours = waiting["idle_hours"]
    if hours is None:
        return "; nothing was answered yet"
    return f"; nothing was answered for {_long(hours)}" if hours >= 1 else ""


def _until(limit: float | None, passed: float | None) -> str:
    if limit is None:
        return "Finish it, or set closing.hours for the next ones."
    left = limit - (passed or 0.0)
    when = f"in {_long(left)}" if left > 0 else "now"
    return f"It closes with the answers there are {when}."


def _long(hours: float) -> str:
    """Such as 40 minutes, 26 hours, 5 days."""
    if hours < 1:
        number, unit = max(1, round(hours * 60)), "minute"
    elif hours < 48:
        number, unit = round(hours), "hour"
    else:
        number, unit = round(hours / 24), "day"
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _closed(view: Mapping[str, Any]) -> str:
    accuracy = view["metrics"].get("accuracy")
    if accuracy is None:
        note = view["notes"][0] if view["notes"] else "Nothing was measured."
        return f"Round {view['number']} is closed with {view['labelled']:,} labels. {note}"
    return (
        f"Round {view['number']} is closed: accuracy {accuracy:.1%} on {view['metrics']['n']:,} "
        f"held-out items, from {view['labelled']:,} labels."
    )


def of_agreement(found: Mapping[str, Any]) -> str:
    """How far annotators agree, from the API's shape."""
    people = len(found["annotators"])
    if not people:
        return "Nobody has answered yet."
    who = "1 annotator has" if people == 1 else f"{people} annotators have"
    told = f"{who} given {found['answers']:,} answers."
    alpha = found["alpha"]
    if alpha["value"] is None:
        return f"{told} {alpha['reason']}"
    several = found["items_with_several"]
    items = "1 item" if several == 1 else f"{several:,} items"
    return f"{told} On {items} answered by several they agree to an alpha of {alpha['value']:.2f}."


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


def of_label_edit(project: Project) -> str | None:
    """What was asked for in flight and waits."""
    if project.label_edit is None:
        return None
    labels = ", ".join(project.label_edit.labels)
    return f"When the open round is over, the labels become: {labels}."


def of_foreseen(foreseen: Foreseen) -> str:
    """What an edit of the labels would do to those given so far."""
    again = sum(one.total for one in foreseen.taken_back)
    told = f"{_labels(foreseen.carried)} would get another name, {again:,} would be taken back"
    if not again:
        return f"{told}."
    held_out = sum(one.held_out for one in foreseen.taken_back)
    return f"{told}: {again - held_out:,} of the pool, {held_out:,} of held-out items."


def _labels(number: int) -> str:
    return "1 label" if number == 1 else f"{number:,} labels"


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
