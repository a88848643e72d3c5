"""Finished runs on disk: one line each as they finish, one file when all are there.

A killed experiment leaves `results-V.partial.jsonl`; every line of it is a finished run that was
forced to disk, except perhaps a last one cut short, which is dropped on reading. The finished
`results-V.json` holds the runs in the order of the experiment, so it does not show whether there
was an interruption.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors import Conflict, WrongInput
from app.simulate.experiment import Experiment
from app.simulate.results import Run, RunKey

FORMAT = 1
PARTIAL = ".partial.jsonl"


def header_of(experiment: Experiment, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """What the runs of a file have in common."""
    return {
        "format": FORMAT,
        "rounds_version": version("argilla-rounds"),
        "experiment": experiment.as_json(),
        "data": dict(fingerprints),
    }


@dataclass(frozen=True, slots=True)
class Kept:
    """What a results file or its unfinished form holds."""

    header: Mapping[str, Any]
    runs: Mapping[RunKey, Run]

    def check(self, wanted: Mapping[str, Any]) -> None:
        """Conflict unless the kept runs were made under the conditions wanted now."""
        if self.header["rounds_version"] != wanted["rounds_version"]:
            raise Conflict(
                f"These results come from version {self.header['rounds_version']}, this is "
                f"{wanted['rounds_version']}: their runs are not comparable. Start anew."
            )
        before = Experiment.of(self.header["experiment"]).conditions
        now = Experiment.of(wanted["experiment"]).conditions
        if changed := [key for key in now if now[key] != before[key]]:
            key = changed[0]
            raise WrongInput(
                f"These results were begun with {key} {before[key]}, not {now[key]}: "
                "their runs are not comparable. Leave it out, or start anew.",
                field=key,
            )
        for name, fingerprint in wanted["data"].items():
            if self.header["data"].get(name, fingerprint) != fingerprint:
                raise Conflict(f"{name} has changed since these results were begun. Start anew.")


class Journal:
    """The unfinished results of one experiment; one process at a time writes to it."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.partial = partial_of(results)
        self._file: BinaryIO | None = None

    def begin(self, header: Mapping[str, Any], runs: Iterable[Run] = ()) -> None:
        """Take hold of the file. What is in it stays, but for a line that was cut short; a new one
        gets the header and the runs that are there already."""
        self.results.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.partial.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"Another process is writing {self.partial}.") from None
        whole = self.partial.read_bytes().rfind(b"\n") + 1
        self._file.truncate(whole)
        if not whole:
            self._write(b"".join(map(_line, [header, *(run.as_json() for run in runs)])))

    def add(self, run: Run) -> None:
        """One finished run; on the disk when this returns."""
        self._write(_line(run.as_json()))

    def finish(self, header: Mapping[str, Any], runs: Sequence[Run]) -> None:
        """All runs are there: the finished file appears whole, and the unfinished one goes."""
        content = {**header, "runs": [run.as_json() for run in runs]}
        temporary = self.results.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.results)
        self.partial.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise RuntimeError("begin() comes first")
        self._file.write(content)
        self._file.flush()
        os.fsync(self._file.fileno())


def partial_of(results: Path) -> Path:
    return results.with_name(results.name.removesuffix(".json") + PARTIAL)


def results_of(file: Path) -> Path:
    """The finished file that belongs to either of the two."""
    if file.name.endswith(PARTIAL):
        return file.with_name(file.name.removesuffix(PARTIAL) + ".json")
    return file


def read(results: Path) -> Kept | None:
    """What is kept so far, finished or not; None where there is nothing."""
    found = [
        kept
        for file, parse in ((results, _whole), (partial_of(results), _lines))
        if (kept := _parsed(file, parse))
    ]
    if not found:
        return None
    return Kept(found[-1].header, {key: run for kept in found for key, run in kept.runs.items()})


def _parsed(file: Path, parse: Callable[[bytes], Kept | None]) -> Kept | None:
    if not file.is_file():
        return None
    try:
        return parse(file.read_bytes())
    except (ValueError, KeyError, TypeError) as problem:
        raise WrongInput(f"{file} holds no results of an experiment: {problem!r}") from None


def _whole(content: bytes) -> Kept:
    found = json.loads(content)
    runs = [Run.of(run) for run in found.pop("runs")]
    return Kept(found, {run.key: run for run in runs})


def _lines(content: bytes) -> Kept | None:
    # a line that was cut short is a run that never finished
    whole = (line for line in content.splitlines(keepends=True) if line.endswith(b"\n"))
    lines: list[Mapping[str, Any]] = [json.loads(line) for line in whole]
    if not lines:
        return None
    runs = [Run.of(run) for run in lines[1:]]
    return Kept(lines[0], {run.key: run for run in runs})


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
