"""Experiments on labelled data."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.bootstrap import offered_here
from app.cli.output import AsJson, console, errors, friendly, print_json, print_table
from app.core.errors import WrongInput
from app.simulate import Experiment, Result, Row, cautions, journal, plots, run, table, verdicts
from app.simulate.experiment import KEYS, known_keys
from app.simulate.exporting import write_csv
from app.simulate.running import Progress as Told
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
    with _progress() as told:
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
        _print(result, rows)


@contextmanager
def _progress() -> Iterator[Told]:
    """Runs done; on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bar:
        task = bar.add_task("runs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _write(result: Result, results: Path, rows: list[Row], wanted: bool | None) -> None:
    written = write_csv(results, result.runs, rows)
    if wanted is not False and plots.available():
        written += plots.write_plots(result, results)
    elif wanted is None:
        errors.print(escape(f"No plots. {plots.MISSING}"), highlight=False)
    for path in (results, *written):
        errors.print(f"Wrote {path}", highlight=False, soft_wrap=True)


def _print(result: Result, rows: list[Row]) -> None:
    for note in result.notes:
        console.print(note, highlight=False)
    wanted = result.experiment
    console.print(
        f"Labels until {wanted.metric} reaches {wanted.target_acc:g}: median and worst repeat, "
        "and the share of random's that is saved (95% interval).",
        highlight=False,
    )
    columns = [*_telling_apart(rows), *FIGURES, *_of_money(rows)]
    print_table(
        list(columns),
        [[_cell(row, column) for column in columns] for row in rows],
        empty="No runs.",
    )
    for sentence in (*verdicts(rows), *cautions(result.runs)):
        console.print(sentence, highlight=False)


def _telling_apart(rows: list[Row]) -> list[str]:
    """Columns in which rows differ; strategies always."""
    columns = ("data", "classifier", "oracle")
    differing = [column for column in columns if len({getattr(row, column) for row in rows}) > 1]
    return [*differing, "strategy"]


def _of_money(rows: list[Row]) -> list[str]:
    """Columns for experiments in which an oracle costs something."""
    return list(MONEY) if any(row.cost_a_run is not None for row in rows) else []


def _cell(row: Row, column: str) -> Any:
    shown = {**FIGURES, **MONEY}.get(column)
    return shown(row, row.as_json()) if shown else getattr(row, column)


def _labels(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def _saved(found: Mapping[str, Any]) -> str | None:
    if found["saved_vs_random"] is None:
        return None
    low, high = found["saved_vs_random_interval"] or (None, None)
    middle = f"{100 * found['saved_vs_random']:.0f}%"
    return middle if high is None else f"{middle} ({_end(low)} to {_end(high)})"


def _end(share: float | None) -> str:
    return "–∞" if share is None else f"{100 * share:.0f}"


def _points(row: Row) -> str | None:
    if row.auc_vs_random is None:
        return None
    low, high = row.auc_vs_random_interval or (None, None)
    middle = f"{100 * row.auc_vs_random:+.1f}"
    return (
        middle
        if low is None or high is None
        else f"{middle} ({100 * low:+.1f} to {100 * high:+.1f})"
    )


FIGURES: Mapping[str, Callable[[Row, Mapping[str, Any]], Any]] = {
    "labels": lambda row, found: _labels(found["labels_to_target"]),
    "worst": lambda row, found: _labels(found["labels_to_target_worst"]),
    "reached": lambda row, found: f"{row.reached} of {row.repeats}",
    "saved": lambda row, found: _saved(found),
    "area": lambda row, found: row.auc,
    "points against random": lambda row, found: _points(row),
    "at the end": lambda row, found: getattr(row, f"final_{row.metric}"),
}
"""Columns of the table as people see it."""

MONEY: Mapping[str, Callable[[Row, Mapping[str, Any]], Any]] = {
    "macro F1": lambda row, found: row.final_macro_f1,
    "agreement": lambda row, found: row.label_agreement,
    "letter by letter": lambda row, found: row.strict_agreement,
    "$ a run": lambda row, found: None if row.cost_a_run is None else f"{row.cost_a_run:.4f}",
}
