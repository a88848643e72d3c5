"""Learning curves as PNG and SVG; needs matplotlib (the extra `plots`)."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from app.core.errors import WrongInput
from app.simulate.exporting import beside
from app.simulate.results import Run
from app.simulate.running import Result
from app.simulate.statistics import mean_interval

MISSING = "Plots need matplotlib: pip install 'argilla-rounds[plots]'."
FORMATS = (".png", ".svg")


def available() -> bool:
    """Whether plots can be drawn here."""
    return find_spec("matplotlib") is not None


def figure(result: Result, data: str) -> Any:
    """Mean curve of each contestant on one data set, with 95% intervals from five repeats on."""
    if not available():
        raise WrongInput(MISSING)
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(8, 5), layout="constrained")
    axes = drawn.add_subplot()
    for name, runs in _contestants(result, data).items():
        _draw(axes, name, runs, result.experiment.metric)
    axes.axhline(result.experiment.target_acc, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        title=Path(data).name if data.count("/") < 2 else "/".join(Path(data).parts[-2:]),
        xlabel="labels",
        ylabel=result.experiment.metric.replace("_", " "),
    )
    axes.grid(visible=True, alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    return drawn


def _contestants(result: Result, data: str) -> dict[str, list[Run]]:
    """Runs by a name that tells them apart, and no longer than that needs."""
    experiment = result.experiment
    found: dict[str, list[Run]] = {}
    for run in result.runs:
        if run.key.data == data and run.curve:
            parts = [run.key.strategy]
            parts += [run.key.classifier] if len(experiment.classifier) > 1 else []
            parts += [run.key.oracle] if len(experiment.oracle) > 1 else []
            found.setdefault(" · ".join(parts), []).append(run)
    return found


def _draw(axes: Any, name: str, runs: Sequence[Run], metric: str) -> None:
    labels = np.unique([point["labels"] for run in runs for point in run.curve]).astype(float)
    heights = np.stack(
        [
            np.interp(
                labels,
                [point["labels"] for point in run.curve],
                [point[metric] for point in run.curve],
            )
            for run in runs
        ]
    )
    line = axes.plot(labels, heights.mean(axis=0), label=f"{name} ({len(runs)})")[0]
    bands = [mean_interval(column) for column in heights.T]
    if bands and bands[0] is not None:
        low, high = np.array([band for band in bands if band is not None]).T
        axes.fill_between(labels, low, high, color=line.get_color(), alpha=0.15, linewidth=0)


def write_plots(result: Result, results: Path) -> list[Path]:
    """`curves-V.png` and `.svg` beside the results; one pair a data set if there are several."""
    from matplotlib import rc_context

    written = []
    for number, data in enumerate(result.experiment.data, start=1):
        drawn = figure(result, data)
        kind = "curves" if len(result.experiment.data) == 1 else f"curves{number}"
        for suffix in FORMATS:
            path = beside(results, kind, suffix)
            # no date and no random ids: the same results give the same file
            with rc_context({"svg.hashsalt": "rounds"}):
                drawn.savefig(path, dpi=150, metadata={"Date": None} if suffix == ".svg" else None)
            written.append(path)
    return written
