"""Projects and their items."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.adapters.readers import FileRows
from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.core.entities import ImportReport, Project
from app.core.errors import WrongInput
from app.core.importing import Rejection, RowLimits
from app.core.projects import fields_sent
from app.ports.rows import Row
from app.ports.store import Store
from app.rounds import importing, projects, sentences
from app.rounds.encoders import Encoders
from app.settings import read_settings
from app.shown import projects as shown_projects
from app.shown.imports import ImportOut
from app.shown.rounds import RoundOut

Name = Annotated[str, typer.Argument(help="The project's name.")]


def labels_in(file: Path) -> list[str]:
    """Every label of a file, sorted."""
    with file.open("rb") as source:
        found = {
            str(row["label"])
            for _, row in FileRows().read(source, name=file.name)
            if not isinstance(row, Rejection) and row.get("label") not in (None, "")
        }
    if not found:
        raise WrongInput(f"{file.name} has no label column with values.", field="labels-from")
    return sorted(found)


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """key=value, the value as JSON where it is JSON and as text where it is not."""
    import json

    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise WrongInput(f"--set {pair!r} must be key=value.", field="set")
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError:
            parsed = value
        outer, dot, inner = key.partition(".")
        if dot:
            settings.setdefault(outer, {})[inner] = parsed
        else:
            settings[key] = parsed
    return settings


@friendly
def import_(
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSONL, CSV, Parquet.")],
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="jsonl, csv or parquet, if the name does not say."),
    ] = None,
    strict: Annotated[bool, typer.Option(help="Take nothing if one row is bad.")] = False,
    as_json: bool = AsJson,
) -> None:
    """Bring items into a project. Repeating it changes nothing."""
    settings = read_settings()
    store = build(settings).store
    with file.open("rb") as source:
        rows = FileRows().read(
            source, format=file_format, name=file.name, required=_fields(store, name)
        )
        report = importing.import_items(
            store,
            name,
            rows if as_json else with_progress(rows),
            limits=RowLimits(max_text_chars=settings.max_text_chars),
            actor=actor(),
            source=file.name,
            strict=strict,
        )
    if as_json:
        print_json(ImportOut.of(report).model_dump())
    else:
        print_report(name, report)


def _fields(store: Store, name: str) -> Sequence[str]:
    with store.transaction() as tx:
        return tx.projects.by_name(name).settings.fields


def with_progress(rows: Iterator[Row]) -> Iterator[Row]:
    """Counts as they go by; on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("reading", total=None)
        for count, row in enumerate(rows, start=1):
            if count % 1000 == 0:
                bar.update(task, description=f"{count:,} rows read")
            yield row
        bar.update(task, description="storing")


def print_report(name: str, report: ImportReport, *, following: bool = True) -> None:
    console.print(
        f"{report.received:,} rows: {report.created:,} new, {report.updated:,} updated, "
        f"{report.unchanged:,} unchanged, {report.rejected:,} rejected. "
        f"{report.duplicates:,} duplicates set aside, {report.labelled:,} labels taken."
    )
    for note in report.notes:
        console.print(note)
    shown = report.rejections[:10]
    for one in shown:
        console.print(f"  line {one['line']}, {one['field'] or 'whole line'}: {one['reason']}")
    if report.rejected > len(shown):
        console.print(f"  … and {report.rejected - len(shown):,} more; --json lists them")
    if following:
        console.print(f"Next: rounds start {name}")


@friendly
def set_(
    name: Name,
    settings: Annotated[list[str], typer.Argument(help="key=value, such as batch_size=50")],
    as_json: bool = AsJson,
) -> None:
    """Change settings from the next round on."""
    container = build(read_settings())
    store, given = container.store, parse_settings(settings)
    project = projects.change_project(
        store, name, given, actor=actor(), encoders=container.encoders
    )
    if as_json:
        print_json(project_of(store, name))
        return
    console.print(f"Changed {', '.join(one.partition('=')[0] for one in settings)}.")
    if "embeddings" in given:
        tell_what_is_sent(project, container.encoders)


def tell_what_is_sent(project: Project, encoders: Encoders) -> None:
    if fields := fields_sent(project.settings):
        console.print(
            f"The texts of all items ({', '.join(fields)}) will be sent to "
            f"{encoders[project.settings.embeddings].sends_to}."
        )


@friendly
def refit(name: Name, as_json: bool = AsJson) -> None:
    """Have the features fitted anew on all items, at the next step that needs them."""
    store = build(read_settings()).store
    projects.refit_features(store, name, actor=actor())
    if as_json:
        print_json(project_of(store, name))
    else:
        console.print("The features will be fitted anew on all items at the next training.")


@friendly
def status(
    name: Annotated[str | None, typer.Argument(help="A project; all of them if left out.")] = None,
    as_json: bool = AsJson,
) -> None:
    """How projects stand, or one project and its rounds."""
    store = build(read_settings()).store
    if name is None:
        _print_projects(store, as_json=as_json)
        return
    project = project_of(store, name)
    rounds = rounds_of(store, name)
    if as_json:
        print_json({**project, "rounds": [one.model_dump(mode="json") for one in rounds]})
        return
    _print_status(name, project["counts"], [one.model_dump() for one in rounds])
    _print_run(store, name, project["run"]["rules"])
    for one in project["problems"]:
        in_argilla = one["kind"] in ("dataset", "records")
        mend = " `rounds doctor --repair` brings back what can be." if in_argilla else ""
        console.print(f"{one['message']}{mend}", markup=False)


def rounds_of(store: Store, name: str) -> list[RoundOut]:
    """All rounds as the API shows them."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        views = tx.views.rounds(project.id, 0, 1_000_000).items
        now = tx.items.counts(project.id)
    return [RoundOut.of(view, now) for view in views]


def project_of(store: Store, name: str) -> dict[str, Any]:
    return shown_projects.read(store, name).model_dump(mode="json")


def _print_status(name: str, counts: dict[str, int], rounds: list[dict[str, Any]]) -> None:
    standing = sentences.of_round(rounds[-1]) if rounds else sentences.without_rounds(name, counts)
    console.print(standing, style="bold")
    if rounds and rounds[-1]["llm"]:
        console.print(rounds[-1]["llm"]["message"], markup=False)
    console.print(
        f"{counts['pool']:,} items in the pool, {counts['labelled']:,} labelled, "
        f"{counts['test'] + counts['validation']:,} held out, {counts['duplicates']:,} duplicates."
    )
    print_table(
        ["round", "state", "strategy", "batch", "labelled", "accuracy", "macro F1"],
        [
            [
                one["number"],
                one["state"],
                one["strategy"],
                one["batch_size"],
                one["labelled"],
                one["metrics"].get("accuracy"),
                one["metrics"].get("macro_f1"),
            ]
            for one in rounds
        ],
        empty=f"No rounds yet. Next: rounds start {name}",
    )


def _print_run(store: Store, name: str, rules: list[dict[str, Any]]) -> None:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
    for sentence in (sentences.of_run(project), sentences.of_label_edit(project)):
        if sentence:
            console.print(sentence, markup=False)
    if rules:
        print_table(
            ["stopping rule", "says", "because"],
            [[one["rule"], one["verdict"].replace("_", " "), one["message"]] for one in rules],
            empty="",
        )


def _print_projects(store: Store, *, as_json: bool) -> None:
    with store.transaction() as tx:
        found = tx.views.projects()
    if as_json:
        print_json({"projects": [dict(one) for one in found]})
        return
    print_table(
        ["project", "task", "state", "rounds", "open round"],
        [
            [one["name"], one["task"], one["state"], one["rounds"], one["open_state"]]
            for one in found
        ],
        empty="No projects yet. Next: rounds init NAME --labels a,b,c",
    )
