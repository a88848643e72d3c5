"""Running an experiment from first to last, or on from where it was interrupted."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import Conflict
from app.rounds.encoders import encoder_of
from app.simulate import journal
from app.simulate.datasets import load
from app.simulate.experiment import Experiment
from app.simulate.named import named
from app.simulate.oracles import BUILT_IN
from app.simulate.results import Run, RunKey
from app.simulate.workers import Offered, Oracles, factory_of, nothing_offered, play_all

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all)."""


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment and all its runs, in the order of the experiment."""

    experiment: Experiment
    runs: Sequence[Run]
    notes: Sequence[str] = ()
    """What was left out of the data, and such."""


def run(
    experiment: Experiment,
    *,
    results: Path | None = None,
    jobs: int = 1,
    oracles: Oracles | None = None,
    offered: Offered = nothing_offered,
    progress: Progress = lambda done, total: None,
) -> Result:
    """Every run of the experiment.

    With `results` (a `.json` file), finished runs are kept there, and runs that it holds already
    are not repeated. `oracles` are factories by name for oracles besides truth and simulated; with
    more than one job they must be importable functions, and so must `offered`, which gives what
    there is for sentence embeddings.
    """
    oracles = oracles or {}
    for name in {named(one).name for one in experiment.oracle} - set(BUILT_IN):
        factory_of(name, oracles)
    encoder_of(offered(), experiment.embeddings)
    data = {name: load(name) for name in experiment.data}
    header = journal.header_of(experiment, {name: one.fingerprint for name, one in data.items()})
    keys = grid(experiment)
    found = _kept(results, header)
    missing = [key for key in keys if key not in found]
    progress(len(keys) - len(missing), len(keys))
    played = _counted(
        play_all(experiment, missing, oracles, jobs, offered), len(keys), missing, progress
    )
    if results is None:
        found.update((one.key, one) for one in played)
    elif missing or journal.partial_of(results).exists():
        _keep(journal.Journal(results), header, keys, found, played)
    notes = [f"{name}: {note}" for name, one in data.items() for note in one.notes]
    return Result(experiment, [found[key] for key in keys], notes)


def _counted(
    played: Iterator[Run], total: int, missing: Sequence[RunKey], progress: Progress
) -> Iterator[Run]:
    for done, one in enumerate(played, start=1 + total - len(missing)):
        yield one  # told of only when it is kept
        progress(done, total)


def _keep(
    keeper: journal.Journal,
    header: Mapping[str, Any],
    keys: Sequence[RunKey],
    found: dict[RunKey, Run],
    played: Iterator[Run],
) -> None:
    """Each run on disk as soon as it is finished, and all of them as one file at the end. Runs of
    earlier, larger experiments in the same file stay in it."""
    keeper.begin(header, found.values())
    try:
        for one in played:
            keeper.add(one)
            found[one.key] = one
        others = sorted(set(found) - set(keys))
        keeper.finish(header, [found[key] for key in (*keys, *others)])
    finally:
        keeper.close()


def grid(experiment: Experiment) -> list[RunKey]:
    """Repeat by repeat, so that whoever looks early sees whole comparisons."""
    return [
        RunKey(data, strategy, classifier, oracle, repeat)
        for data, repeat, classifier, oracle, strategy in itertools.product(
            experiment.data,
            range(experiment.repeats),
            experiment.classifier,
            experiment.oracle,
            experiment.strategy,
        )
    ]


def _kept(results: Path | None, header: Mapping[str, Any]) -> dict[RunKey, Run]:
    found = journal.read(results) if results is not None else None
    if found is None:
        return {}
    found.check(header)
    return dict(found.runs)


def free_results(folder: Path, version: str | None) -> Path:
    """Where a new experiment's results go: the version named, or the next free number."""
    names = [version] if version else (f"v{number}" for number in itertools.count(1))
    for name in names:
        results = folder / f"results-{name}.json"
        if not results.exists() and not journal.partial_of(results).exists():
            return results
    raise Conflict(
        f"{results} exists already. Take another --version, or go on with it: --resume {results}"
    )
