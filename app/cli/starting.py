"""`rounds init`: a project by name and labels, or from a file that is looked at first."""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from app.adapters.readers import FileRows
from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json
from app.cli.project_file import ProjectFile, read_project_file, written
from app.cli.projects import (
    labels_in,
    parse_settings,
    print_report,
    project_of,
    tell_what_is_sent,
    with_progress,
)
from app.core.errors import WrongInput
from app.core.importing import RowLimits
from app.core.projects import check_name
from app.core.proposing import LABEL, TEXT
from app.rounds import guided, projects
from app.rounds.guided import Plan, Reading, Wishes
from app.settings import read_settings
from app.shown.imports import ImportOut

Labels = Annotated[str | None, typer.Option(help="The labels, separated by commas: spam,ham")]


@friendly
def init(
    name: Annotated[
        str | None, typer.Argument(help="The project's name; with --data the file's, if left out.")
    ] = None,
    labels: Labels = None,
    labels_from: Annotated[
        Path | None,
        typer.Option(exists=True, help="A file whose label column names every label."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Look at this file, propose, and import."),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="Do what a project file says."),
    ] = None,
    text: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    label_column: Annotated[
        str | None, typer.Option(help="The column that holds labels; '' for none.")
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share of the labelled rows to hold out."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Items a round.")] = None,
    overlap: Annotated[int | None, typer.Option(min=1, help="Answers an item.")] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Bound on labels.")] = None,
    task: Annotated[str, typer.Option(help="The task type.")] = "single_label",
    guidelines: Annotated[
        Path | None, typer.Option(exists=True, help="A Markdown file for annotators.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting as key=value, such as batch_size=50. Repeatable."),
    ] = None,
    start: Annotated[bool, typer.Option(help="With --data: open round 1 after the import.")] = True,
    write: Annotated[
        Path | None, typer.Option(help="Where the project file goes; NAME.toml if left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: bool = AsJson,
) -> None:
    """Create a project; with --data, look at the file, propose, import and open round 1."""
    if again is not None:
        _play(read_project_file(again), as_json=as_json)
        return
    named = _names(labels, labels_from)
    prose = guidelines.read_text(encoding="utf-8") if guidelines else None
    given = parse_settings(settings or [])
    if data is None:
        _create(name, {"type": task, "labels": named, "guidelines": prose}, given, as_json=as_json)
        return
    wishes = Wishes(
        columns=_said({TEXT: text, LABEL: label_column}),
        labels=named or (),
        sizes=_said({"batch_size": batch_size, "overlap": overlap, "max_labels": budget,
                     "held_out_share": held_out}),
    )  # fmt: skip
    plan = guided.plan_for(_name(name, data), _reading(data), wishes)
    plan = replace(plan, task=task, guidelines=prose, settings=_over(plan.settings, given))
    asks = not (yes or as_json) and _on_terminal()
    plan = _agreed(plan, data) if asks else plan
    _check_labels(plan)
    _keep(plan, data, write or Path(f"{plan.name}.toml"), start=start, quiet=as_json)
    _play(ProjectFile(plan, data, start), as_json=as_json)


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _keep(plan: Plan, data: Path, target: Path, *, start: bool, quiet: bool) -> None:
    target.write_text(written(plan, data, target, start=start), encoding="utf-8")
    if not quiet:
        console.print(f"Wrote {target}: `rounds init --from {target}` does the same again.")


def _names(listed: str | None, file: Path | None) -> list[str] | None:
    if listed is not None and file is not None:
        raise WrongInput("Give either --labels a,b,c or --labels-from FILE.", field="labels")
    if file is not None:
        return labels_in(file)
    return [one.strip() for one in listed.split(",") if one.strip()] if listed else None


def _create(
    name: str | None, task: dict[str, Any], given: Mapping[str, Any], *, as_json: bool
) -> None:
    """Nothing to look at: what is said is all there is."""
    if name is None:
        raise WrongInput("Give a name, or a file with --data FILE.", field="name")
    if task["labels"] is None:
        raise WrongInput(
            "Give either --labels a,b,c or --labels-from FILE; or --data FILE, to have them found.",
            field="labels",
        )
    container = build(read_settings())
    store, given = container.store, {"name": name, "task": task, **given}
    project = projects.create_project(store, given, actor=actor(), encoders=container.encoders)
    if as_json:
        print_json(project_of(store, name))
        return
    console.print(f"Created project {project.name} with {len(project.task.labels)} labels.")
    tell_what_is_sent(project, container.encoders)
    console.print(f"Next: rounds import {project.name} FILE")


def _name(given: str | None, data: Path) -> str:
    """The file's name, as far as a project can have it."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", data.name.partition(".")[0].lower())
    return check_name(given or stem.strip("-_")[:60] or "project")


def _reading(data: Path) -> Reading:
    def reading() -> Any:
        with data.open("rb") as source:
            yield from FileRows().read(source, name=data.name)

    return reading


def _over(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    stopping = {**settings["stopping"], **given.get("stopping", {})}
    return {**settings, **given, "stopping": stopping}


# --- on a terminal ---


def _agreed(plan: Plan, data: Path) -> Plan:
    """Say what is proposed; ask for what cannot be known, and whether to go on."""
    console.print(f"{data.name}", style="bold")
    for reason in plan.reasons:
        console.print(f"  {reason}", markup=False)
    if len(plan.labels) < 2:
        listed = typer.prompt("Which labels (separated by commas)?")
        plan = replace(plan, labels=tuple(one.strip() for one in listed.split(",") if one.strip()))
    name = check_name(typer.prompt("Name of the project", default=plan.name))
    if not typer.confirm("Create it, import the file and begin?", default=True):
        console.print("Nothing was done. Each figure can be given as an option; see --help.")
        raise typer.Exit(0)
    return replace(plan, name=name)


def _check_labels(plan: Plan) -> None:
    if len(plan.labels) < 2:
        raise WrongInput(
            f"The file shows {len(plan.labels)} labels; at least 2 are needed. Name them with "
            "--labels a,b,c, or their column with --label-column NAME.",
            field="labels",
        )


# --- doing it ---


def _play(file: ProjectFile, *, as_json: bool) -> None:
    settings = read_settings()
    container = build(settings)
    store = container.store
    reading = _reading(file.data)
    started = guided.start(
        store,
        file.plan,
        reading if as_json else lambda: with_progress(reading()),
        limits=RowLimits(max_text_chars=settings.max_text_chars),
        actor=actor(),
        source=file.data.name,
        open_round=file.start,
        encoders=container.encoders,
    )
    name = file.plan.name
    if as_json:
        number = started.round.number if started.round else None
        report = ImportOut.of(started.report).model_dump()
        print_json({**project_of(store, name), "import": report, "round": number})
        return
    tell_what_is_sent(started.project, container.encoders)
    print_report(name, started.report, following=started.round is None)
    if started.round is not None:
        console.print(f"Round 1 is open: {started.round.batch_size} items.")
        console.print(f"Next: rounds watch {name}")
    elif started.why_not:
        console.print(started.why_not)


def _on_terminal() -> bool:
    return sys.stdin.isatty()
