"""Pages to read: all projects, one project, one round, one chosen item."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.api.access import Parts
from app.api.parameters import LARGEST_ID, After, ProjectName, RoundNumber
from app.core.errors import NotFound
from app.ports.store import Transaction
from app.rounds import sentences
from app.rounds.measuring import reading
from app.shown.projects import Counts, RunOut
from app.shown.rounds import RoundOut, is_open, read_in
from app.shown.selections import SelectionOut
from app.web.curve import curve_of
from app.web.pool_map import map_of
from app.web.rendering import page
from app.web.sessions import Viewer
from app.web.tables import csv_file

router = APIRouter()
ROWS = 50
DONE = {
    "started": "The round was started.",
    "auto": "Rounds now follow each other.",
    "auto-off": "No further round will start by itself; an open round goes on.",
    "audit": "A fresh audit was started: its items go out without suggestions.",
    "duel": "The duel was started; its verdict comes when its round is measured.",
    "doubts": "A round of doubted labels was started.",
    "deleted": "The project is put away. It can be restored until it is erased.",
    "restored": "The project is back, and paused.",
    "finish": "The round will close with the answers there are.",
    "cancel": "The round will be cancelled; answers already given are kept.",
    "resume": "The round goes on where it failed.",
}
Before = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@router.get("/")
def front_page(request: Request, session: Viewer, parts: Parts) -> HTMLResponse:
    with parts.store.transaction() as tx:
        found = tx.views.projects()
    return page(
        request,
        "projects.html",
        parts=parts,
        session=session,
        listed=found,
        sentence=_of_all(found),
    )


def _of_all(projects: Sequence[Mapping[str, Any]]) -> str:
    if not projects:
        return "There is no project yet."
    states = [one["open_state"] for one in projects]
    failed, waiting = states.count("failed"), states.count("annotating")
    if failed:
        verb = "has" if failed == 1 else "have"
        return f"{failed} of {_projects(projects)} {verb} a failed round that can be resumed."
    if waiting:
        verb = "is" if waiting == 1 else "are"
        return f"{waiting} of {_projects(projects)} {verb} waiting for answers."
    return f"None of {_projects(projects)} is waiting for answers."


def _projects(projects: Sequence[Mapping[str, Any]]) -> str:
    return "1 project" if len(projects) == 1 else f"{len(projects):,} projects"


@router.get("/projects/{name}")
def project_page(
    request: Request,
    session: Viewer,
    name: ProjectName,
    parts: Parts,
    before: Before = 0,
    done: str = "",
) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        newest = tx.views.last_event(project.id)
        run = RunOut.of(project, tx.runs.findings(project.id))
        counts = tx.items.counts(project.id)
        listed = tx.views.rounds(project.id, before, ROWS, newest_first=True)
        last = listed.items if before == 0 else _newest(tx, project.id)
        curve = curve_of(tx.views.curve(project.id))
        problems = tx.views.problems(project.id)
        told = reading.estimates(tx, project)
    rounds = [RoundOut.of(one, counts) for one in listed.items]
    latest = RoundOut.of(last[0], counts) if last else None
    return page(
        request,
        "project.html",
        parts=parts,
        session=session,
        project=project,
        counts=counts,
        sentence=_sentence(name, latest, Counts.of(counts)),
        run=run,
        run_sentence=sentences.of_run(project),
        label_edit=sentences.of_label_edit(project),
        latest=latest,
        open_round=latest if latest and is_open(latest.state) else None,
        rounds=rounds,
        older=listed.next,
        first_page=before == 0,
        curve=curve,
        newest_event=newest,
        said=DONE.get(done),
        worker_missing=_worker_missing(parts, latest),
        problems=problems,
        estimates=told,
    )


def _newest(tx: Transaction, project_id: int) -> Sequence[Mapping[str, Any]]:
    return tx.views.rounds(project_id, 0, 1, newest_first=True).items


def _sentence(name: str, latest: RoundOut | None, counts: Counts) -> str:
    if latest is None:
        return sentences.without_rounds(name, counts.model_dump())
    return sentences.of_round(latest.model_dump())


def _worker_missing(parts: Parts, latest: RoundOut | None) -> bool:
    """Whether a round should be going on and nobody is there to do it."""
    if latest is None or not is_open(latest.state) or latest.state == "failed":
        return False
    return parts.store.workers() == 0


@router.get("/projects/{name}/curve.csv")
def curve_file(session: Viewer, name: ProjectName, parts: Parts) -> Response:
    with parts.store.transaction() as tx:
        curve = curve_of(tx.views.curve(tx.projects.by_name(name).id))
    head = ["round", "labels", "accuracy", "low", "high", "macro_f1", "held_out_items"]
    lines = [
        [p.round, p.labels, p.accuracy, p.low, p.high, p.macro_f1, p.n]
        for p in (curve.points if curve else ())
    ]
    return csv_file(f"{name}-curve", head, lines)


@router.get("/projects/{name}/rounds/{number}")
def round_page(
    request: Request,
    session: Viewer,
    name: ProjectName,
    number: RoundNumber,
    parts: Parts,
    after: After = 0,
) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        newest = tx.views.last_event(project.id)
        shown = read_in(tx, project.id, number)
        batch = tx.views.selections(project.id, number, after, ROWS)
        points = tx.maps.of_round(tx.rounds.by_number(project.id, number).id)
        figures = tx.measurements.of_round(tx.rounds.by_number(project.id, number).id)
    return page(
        request,
        "round.html",
        parts=parts,
        session=session,
        project=project,
        round=shown,
        sentence=sentences.of_round(shown.model_dump()),
        open_round=shown if is_open(shown.state) else None,
        selections=[SelectionOut.of(one) for one in batch.items],
        more=batch.next,
        first_page=after == 0,
        map=map_of(points),
        worked=sum(step.seconds for step in shown.steps or ()),
        per_class=_by_support(shown),
        figures=figures,
        newest_event=newest,
    )


@router.get("/projects/{name}/rounds/{number}/map.csv")
def map_file(session: Viewer, name: ProjectName, number: RoundNumber, parts: Parts) -> Response:
    with parts.store.transaction() as tx:
        round_ = tx.rounds.by_number(tx.projects.by_name(name).id, number)
        points = tx.maps.of_round(round_.id)
    head = ["item_id", "x", "y", "rank", "slice"]
    return csv_file(f"{name}-map-{number}", head, [[one[key] for key in head] for one in points])


def _by_support(shown: RoundOut) -> list[Mapping[str, Any]]:
    """Classes of the held-out split, the one most often seen first."""
    return sorted(
        shown.metrics.get("per_class", []), key=lambda one: (-one["support"], one["label"])
    )


@router.get("/projects/{name}/rounds/{number}/selections/{rank}")
def selection_page(
    request: Request,
    session: Viewer,
    name: ProjectName,
    number: RoundNumber,
    rank: RoundNumber,
    parts: Parts,
) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        chosen = _selection(tx, project.id, number, rank)
        annotate_url = tx.views.round(project.id, number)["annotate_url"]
    return page(
        request,
        "selection.html",
        parts=parts,
        session=session,
        project=project,
        one=chosen,
        annotate_url=annotate_url,
    )


def _selection(tx: Transaction, project_id: int, number: int, rank: int) -> SelectionOut:
    found = tx.views.selections(project_id, number, rank - 1, 1).items
    if not found or found[0]["rank"] != rank:
        raise NotFound(f"Round {number} has no item of rank {rank}.")
    return SelectionOut.of(found[0])
