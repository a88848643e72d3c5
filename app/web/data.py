"""The page about a project's items: what there is, and what became of each import."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.api.access import Parts
from app.api.parameters import ProjectName
from app.shown.data import ClassOut, DataOut, read_in
from app.shown.imports import ImportOut
from app.web.rendering import count, page
from app.web.sessions import Viewer
from app.web.tables import csv_file

router = APIRouter()
SHOWN_CLASSES = 30
RARE = 3  # labels of a class below which a classifier has hardly met it


@router.get("/projects/{name}/data")
def data_page(request: Request, session: Viewer, name: ProjectName, parts: Parts) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        found = read_in(tx, project)
        imports = tx.items.imports(project.id)
    return page(
        request,
        "data.html",
        parts=parts,
        session=session,
        project=project,
        found=found,
        imports=[{**one, "report": ImportOut(**one["report"])} for one in imports],
        sentence=_sentence(found),
        balance=balance(found.classes),
        shown_classes=SHOWN_CLASSES,
    )


@router.get("/projects/{name}/classes.csv")
def classes_file(session: Viewer, name: ProjectName, parts: Parts) -> Response:
    with parts.store.transaction() as tx:
        found = read_in(tx, tx.projects.by_name(name))
    lines = [[one.label, one.pool, one.held_out] for one in found.classes]
    return csv_file(f"{name}-classes", ["label", "pool", "held_out"], lines)


def _sentence(found: DataOut) -> str:
    if not found.splits:
        return "There are no items yet."
    pool = sum(one.items - one.duplicates for one in found.splits if one.split == "pool")
    held_out = sum(one.items for one in found.splits if one.split != "pool")
    aside = sum(one.duplicates for one in found.splits)
    told = f"{count(pool)} items are in the pool, {count(held_out)} are held out to measure with"
    return f"{told}; {count(aside)} duplicates are set aside." if aside else f"{told}."


def balance(classes: list[ClassOut]) -> str:
    """The finding about the labels of the pool."""
    labelled = [one for one in classes if one.pool]
    if not labelled:
        return "No item of the pool has a label yet"
    rare = [one.label for one in classes if one.pool < RARE]
    if rare:
        names = ", ".join(rare[:3]) + (" …" if len(rare) > 3 else "")
        return f"{len(rare)} of {len(classes)} classes have fewer than {RARE} labels: {names}"
    most, least = max(labelled, key=_pool), min(labelled, key=_pool)
    if most.pool < 1.5 * least.pool:
        return "The labelled items are spread evenly over the classes"
    return f"{most.label} has {most.pool / least.pool:.1f} times the labels of {least.label}"


def _pool(one: ClassOut) -> int:
    return one.pool
