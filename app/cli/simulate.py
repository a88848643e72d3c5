"""Experiments on labelled data."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from app.bootstrap import offered_here
from app.cli.output import AsJson, errors, friendly, print_json, progress
from app.cli.simulate_table import print_result
from app.core.errors import WrongInput
from app.simulate import Experiment, Result, Row, journal, plots, run, table
from app.simulate.experiment import KEYS, known_keys
from app.simulate.exporting import write_csv
from app.simulate.running import free_results

RUNNING = ("version", "output_dir", "resume", "jobs", "plots")
"""Keys that say how and where to run, not what."""
BENCH = {
    "data": ["digits", "sample"],
    "strategy": ["default", "margin", "random"],
    "repeats": 5,
}

Data = Annotated[
    list[str] | None,
    typer.Option(
        help="A labelled file (JSONL, CSV, Parquet), or the built-in `digits` or `sample`. "
        "Repeatable.",
        show_default="digits",
    ),
]
Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        help="Strategies, separated by commas, with options after a colon: "
        "margin_diversity:beta=25.",
        show_default="default,random",
    ),
]
Classifiers = Annotated[
    list[str] | None,
    typer.Option("--classifier", help="The same for classifiers.", show_default="default"),
]
Target = Annotated[
    float | None,
    typer.Option(help="The height that counts as reached.", show_default="0.9"),
]
Query = Annotated[
    int | None,
    typer.Option("--query-size", "--batch", help="Labels a round.", show_default="10"),
]
Iterations = Annotated[
    int | None,
    typer.Option("--iterations", "--rounds", help="Rounds after the seeds.", show_default="20"),
]
Repeats = Annotated[
    int | None,
    typer.Option(help="Repeats, each with its own split and seeds.", show_default="10"),
]
State = Annotated[int | None, typer.Option(help="Where all chance comes from.", show_default="0")]
Jobs = Annotated[
    int | None,
    typer.Option(help="Runs side by side; changes no result.", show_default="all cores"),
]


@friendly
def simulate(
    data: Data = None,
    strategy: Strategies = None,
    classifier: Classifiers = None,
    oracle: Annotated[
        list[str] | None,
        typer.Option(
            help="truth, simulated (truth with mistakes, simulated:noise=0.1), llm (an LLM that "
            "is simulated, with prompts, prices and confidence: llm:error=0.03), or several.",
            show_default="truth",
        ),
    ] = None,
    seed_size: Annotated[
        int | None,
        typer.Option(help="Labels before the first round; 0 for none.", show_default="20"),
    ] = None,
    seed_labels: Annotated[
        str | None,
        typer.Option(help="Who labels these: oracle or truth.", show_default="oracle"),
    ] = None,
    cold_start: Annotated[
        str | None,
        typer.Option(
            help="How these are chosen: random, balanced, typiclust, kmeans or llm "
            "(a simulated LLM that selects: llm:skill=0.8).",
            show_default="random",
        ),
    ] = None,
    query_size: Query = None,
    iterations: Iterations = None,
    repeats: Repeats = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share held out for testing.",
            show_default="the file's own test split, or 0.3",
        ),
    ] = None,
    random_state: State = None,
    target_acc: Target = None,
    metric: Annotated[
        str | None,
        typer.Option(help="accuracy or macro_f1.", show_default="accuracy"),
    ] = None,
    audit_fraction: Annotated[
        float | None,
        typer.Option(help="Share of each batch drawn at random.", show_default="0"),
    ] = None,
    embeddings: Annotated[
        str | None,
        typer.Option(help="Beside words: off, local or address, as set up.", show_default="off"),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(help="Name of these results.", show_default="the next of v1, v2, …"),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option(help="Folder for results, CSV and plots.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Results to go on with; finished runs are not repeated."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A JSON file with these options as keys; the command line wins."),
    ] = None,
    jobs: Jobs = None,
    plots: Annotated[
        bool | None,
        typer.Option(
            "--plots/--no-plots",
            help="Draw learning curves into the folder.",
            show_default="if matplotlib is there",
        ),
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Compare strategies, classifiers and oracles on data whose labels are known."""
    given = {
        key: value
        for key, value in locals().items()
        if key not in ("config", "as_json") and value not in (None, [])
    }
    options = {**_config(config), **given}
    experiment, results = _wanted(options)
    _carry_out(experiment, results, options, as_json=as_json)


@friendly
def bench(
    data: Data = None,
    strategy: Strategies = None,
    classifier: Classifiers = None,
    target_acc: Target = None,
    query_size: Query = None,
    iterations: Iterations = None,
    repeats: Repeats = None,
    random_state: State = None,
    jobs: Jobs = None,
    as_json: bool = AsJson,
) -> None:
    """How many labels it takes to reach a target, on digits and on text. `simulate` can do more."""
    given = {
        key: value
        for key, value in locals().items()
        if key != "as_json" and value not in (None, [])
    }
    jobs_given = given.pop("jobs", None)
    experiment = _experiment({**BENCH, **given})
    _carry_out(experiment, None, {"jobs": jobs_given}, as_json=as_json)


def _config(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise WrongInput(f"{file} cannot be read: {problem.strerror}.", field="config") from None
    except ValueError as problem:
        raise WrongInput(f"{file} is not JSON: {problem}", field="config") from None
    if not isinstance(content, dict):
        raise WrongInput(f"{file} must hold one object of options.", field="config")
    return known_keys(content, (*KEYS, *RUNNING))


def _experiment(what: Mapping[str, Any]) -> Experiment:
    """Checked when the classifiers of this machine's settings are known too."""
    offered_here()
    return Experiment.of(what)


def _wanted(options: Mapping[str, Any]) -> tuple[Experiment, Path | None]:
    """The experiment, and where its results are or go."""
    what = {key: value for key, value in options.items() if key in KEYS}
    if "resume" in options:
        results = journal.results_of(Path(options["resume"]))
        kept = journal.read(results)
        if kept is None and not what:
            raise WrongInput(f"There are no results {results} to go on with.", field="resume")
        before = kept.header["experiment"] if kept else {}
        return _experiment({**before, **what}), results
    experiment = _experiment(what)
    if "output_dir" in options:
        return experiment, free_results(Path(options["output_dir"]), options.get("version"))
    if "version" in options:
        raise WrongInput("A version names kept results; say --output-dir too.", field="version")
    return experiment, None


def _carry_out(
    experiment: Experiment, results: Path | None, options: Mapping[str, Any], *, as_json: bool
) -> None:
    if options.get("plots") and not plots.available():
        raise WrongInput(plots.MISSING, field="plots")
    if results is not None:
        errors.print(
            f"If interrupted, go on with --resume {results}", highlight=False, soft_wrap=True
        )
    jobs = options.get("jobs") or len(os.sched_getaffinity(0))
    with progress("runs") as told:
        result = run(experiment, results=results, jobs=jobs, offered=offered_here, progress=told)
    rows = table(experiment, result.runs)
    if results is not None:
        _write(result, results, rows, options.get("plots"))
    if as_json:
        print_json(
            {
                "runs": [one.summary() for one in result.runs],
                "table": [row.as_json() for row in rows],
            }
        )
    else:
        print_result(result, rows)


def _write(result: Result, results: Path, rows: list[Row], wanted: bool | None) -> None:
    written = write_csv(results, result.runs, rows)
    if wanted is not False and plots.available():
        written += plots.write_plots(result, results)
    elif wanted is None:
        errors.print(escape(f"No plots. {plots.MISSING}"), highlight=False)
    for path in (results, *written):
        errors.print(f"Wrote {path}", highlight=False, soft_wrap=True)
