"""Named points of a step at which a worker can be made to die by signal 9, or to fall asleep.

The worker's code knows nothing of it: `arm` wraps one of its functions, in that process alone. A
boundary is just before or just after the transaction that ends a step.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from app.adapters.argilla.tool import ArgillaTool
from app.adapters.files import LocalFiles
from app.adapters.postgres.annotations import PostgresAnnotations
from app.adapters.postgres.classifiers import PostgresClassifiers
from app.adapters.postgres.labels import PostgresLabels
from app.adapters.postgres.selections import PostgresSelections
from app.rounds.runner import Runner

Call = Callable[..., Any]

AFTER: dict[str, tuple[type, str]] = {
    "push: dataset made": (ArgillaTool, "ensure_dataset"),
    "push: sent, not noted": (ArgillaTool, "push"),
    "push: noted, not committed": (PostgresSelections, "mark_pushed"),
    "collect: read, not stored": (ArgillaTool, "look_at_newest"),
    "collect: stored, not committed": (PostgresAnnotations, "record"),
    "merge: labelled, not committed": (PostgresLabels, "add"),
    "train: written, not recorded": (LocalFiles, "put"),
    "train: recorded, not committed": (PostgresClassifiers, "add"),
    "refresh: sent, not noted": (ArgillaTool, "refresh"),
    "refresh: noted, not committed": (PostgresSelections, "refreshed"),
    "take over: taken, not committed": (PostgresSelections, "take_over"),
}
"""Reached when this function has done its work."""

STEPS = ("planned", "training", "scoring", "selecting", "pushing", "annotating", "merging",
         "evaluating")  # fmt: skip
BOUNDARIES = tuple(f"{when} the end of {step}" for step in STEPS for when in ("before", "after"))


def along_a_round() -> list[str]:
    """Every point, in the order in which a first round that leaves nothing comes to them."""
    inside = {
        "pushing": "push:",
        "annotating": "collect:",
        "merging": "merge:",
        "evaluating": "train:",
    }
    order: list[str] = []
    for step in STEPS:
        order += [name for name in AFTER if step in inside and name.startswith(inside[step])]
        order += [name for name in BOUNDARIES if name.endswith(f" {step}")]
    return order


def where_something_is_left() -> list[str]:
    """The points at the end of a round that leaves items to the next."""
    inside = [name for name in AFTER if name.startswith(("refresh:", "take over:"))]
    return ["before the end of annotating", *inside, "after the end of evaluating"]


def arm(name: str, number: int) -> None:
    """From now on this process gets this signal, once, when it comes to the point."""
    left = [number]

    def struck() -> None:
        if left:
            os.kill(os.getpid(), left.pop())

    if name in AFTER:
        owner, method = AFTER[name]
        _wrap(owner, method, lambda original: _struck_after(original, struck))
        return
    moment, _, step = name.partition(" the end of ")
    _wrap(
        Runner,
        "_commit",
        lambda one: _struck_at_end_of(one, step, struck, before=moment == "before"),
    )


def _wrap(owner: type, method: str, made: Callable[[Call], Call]) -> None:
    original = getattr(owner, method)
    setattr(owner, method, wraps(original)(made(original)))


def _struck_after(original: Call, struck: Callable[[], None]) -> Call:
    def call(*given: Any, **named: Any) -> Any:
        result = original(*given, **named)
        struck()
        return result

    return call


def _struck_at_end_of(
    original: Call, step: str, struck: Callable[[], None], *, before: bool
) -> Call:
    def commit(runner: Runner, work: Any, outcome: Any, name: str, seconds: float) -> None:
        reached = name == step and outcome.next is not None
        if reached and before:
            struck()
        original(runner, work, outcome, name, seconds)
        if reached and not before:
            struck()

    return commit
