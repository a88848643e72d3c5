"""A project file: everything that `rounds init` was told, to be read, kept and repeated."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import WrongInput
from app.rounds.guided import COLUMNS, Plan

HEAD = "# A project of Rounds. `rounds init --from {name}` does it again.\n"
KNOWN = {"name", "data", "start", "task", "columns", "held_out", "settings"}


@dataclass(frozen=True, slots=True)
class ProjectFile:
    plan: Plan
    data: Path
    start: bool


def written(plan: Plan, data: Path, target: Path, *, start: bool) -> str:
    """The file's text; the data are named as seen from where it will lie."""
    document = {
        "name": plan.name,
        "data": _beside(data, target),
        "start": start,
        "task": {"type": plan.task, "labels": list(plan.labels), "guidelines": plan.guidelines},
        "columns": dict(plan.columns),
        "held_out": {"share": plan.held_out_share},
        "settings": dict(plan.settings),
    }
    said = "".join(f"# {one}\n" for one in plan.reasons)
    return HEAD.format(name=target.name) + said + "\n" + "\n".join(_toml(document)) + "\n"


def _beside(data: Path, target: Path) -> str:
    here = target.resolve().parent
    data = data.resolve()
    return data.relative_to(here).as_posix() if data.is_relative_to(here) else data.as_posix()


def _toml(table: Mapping[str, Any], path: str = "") -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items() if value is not None]
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = f"{path}.{_key(key)}".lstrip(".")
            lines += ["", f"[{inner}]", *_toml(value, inner)]
    return lines


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # TOML's strings are JSON's, but for this one character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_project_file(path: Path) -> ProjectFile:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise WrongInput(f"{path.name} is not TOML: {problem}", field="from") from None
    if unknown := sorted(set(given) - KNOWN):
        raise WrongInput(f"{path.name} has an unknown entry {unknown[0]!r}.", field=unknown[0])
    data = path.parent / _needed(given, "data", str)
    if not data.is_file():
        raise WrongInput(f"There is no file {data}.", field="data")
    return ProjectFile(_plan(given), data, bool(given.get("start", True)))


def _plan(given: Mapping[str, Any]) -> Plan:
    task = _needed(given, "task", dict)
    columns = _needed(given, "columns", dict)
    if wrong := sorted(set(columns) - set(COLUMNS)):
        raise WrongInput(
            f"Unknown column {wrong[0]!r}; known: {', '.join(COLUMNS)}.", field="columns"
        )
    share = given.get("held_out", {}).get("share", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise WrongInput("share must be a number from 0 to below 1.", field="held_out.share")
    return Plan(
        name=_needed(given, "name", str),
        labels=tuple(map(str, task.get("labels", ()))),
        columns={ours: str(theirs) for ours, theirs in columns.items()},
        held_out_share=float(share),
        settings=given.get("settings", {}),
        task=str(task.get("type", "single_label")),
        guidelines=task.get("guidelines"),
    )


def _needed(given: Mapping[str, Any], key: str, kind: type) -> Any:
    if not isinstance(given.get(key), kind):
        raise WrongInput(f"The project file needs {key!r} as {kind.__name__}.", field=key)
    return given[key]
