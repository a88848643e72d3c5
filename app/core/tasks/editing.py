"""Labels renamed, merged, split, added or dropped: the new task, and what old answers become."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.core.errors import WrongInput
from app.core.tasks import task_type
from app.core.tasks.base import TaskSpec

Mapped = Mapping[str, str | None]
"""Old label → new label. None: its items must be looked at again."""


def edited(task: TaskSpec, labels: Sequence[str], mapping: Mapped) -> tuple[TaskSpec, Mapped]:
    """The task with the new labels, and where every old label goes. What keeps its name stays."""
    new = replace(task, labels=tuple(labels))
    task_type(new).check(new)
    if unknown := sorted(set(mapping) - set(task.labels)):
        raise WrongInput(f"There is no label {unknown[0]!r} to map.", field="mapping")
    if strange := sorted({to for to in mapping.values() if to is not None} - set(new.labels)):
        raise WrongInput(f"{strange[0]!r} is not one of the new labels.", field="mapping")
    kept = {label: label for label in task.labels if label in new.labels}
    whole = {**kept, **mapping}
    if lost := [label for label in task.labels if label not in whole]:
        raise WrongInput(
            f"What becomes of {lost[0]!r}? Map it to a new label, or to null so that its items are "
            "looked at again.",
            field="mapping",
        )
    if new.labels == task.labels and all(old == to for old, to in whole.items()):
        raise WrongInput("Nothing would change.", field="labels")
    return new, whole


def as_written(
    task: TaskSpec, written: Mapping[str, str], add: Sequence[str] = ()
) -> tuple[Sequence[str], Mapped]:
    """From what somebody wrote beside each label: another name, several with commas, or nothing."""
    new = {
        old: [one.strip() for one in text.split(",") if one.strip()]
        for old, text in written.items()
        if text.strip() != old
    }
    return by_words(
        task,
        rename=[(old, names[0]) for old, names in new.items() if len(names) == 1],
        split=[(old, names) for old, names in new.items() if len(names) > 1],
        drop=[old for old, names in new.items() if not names],
        add=add,
    )


def by_words(
    task: TaskSpec,
    *,
    rename: Sequence[tuple[str, str]] = (),
    split: Sequence[tuple[str, Sequence[str]]] = (),
    drop: Sequence[str] = (),
    add: Sequence[str] = (),
) -> tuple[Sequence[str], Mapped]:
    """Labels and mapping from single edits; two labels renamed to one are merged."""
    mapping: dict[str, str | None] = dict(rename)
    mapping |= {old: None for old, _ in split} | dict.fromkeys(drop)
    parts = dict(split)
    labels = [
        new
        for old in task.labels
        for new in (parts[old] if old in parts else [mapping.get(old, old)])
        if new is not None
    ]
    return list(dict.fromkeys([*labels, *add])), mapping
