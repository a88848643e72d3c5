"""The page from which labels and rounds are taken along, in forms that others read."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from app.api.access import Parts, allowed
from app.api.bundles import bundle_of
from app.api.parameters import ProjectName
from app.api.results import Form, classifier_of, download_of
from app.core.entities import Role
from app.web.rendering import count, page
from app.web.sessions import Viewer

router = APIRouter()
HELD: Mapping[Form, tuple[str, str]] = {
    "csv": ("Labels as a table", "for a spreadsheet; cells that look like formulas begin with '"),
    "jsonl": (
        "Labels as JSON Lines",
        "texts exactly as they came, and where each label came from; can be imported again",
    ),
    "parquet": ("Labels as Parquet", "the same with types, for pandas, DuckDB and the like"),
    "huggingface": (
        "A Hugging Face dataset",
        "a folder that datasets.load_dataset reads, with a card on how the labels came about",
    ),
    "rounds": (
        "Every round",
        "what was chosen and why, every answer to it, results.tsv, and all of it in words",
    ),
}
"""Each form: what it is called on the page, and what is in it."""


@router.get("/projects/{name}/export")
def export_page(request: Request, session: Viewer, name: ProjectName, parts: Parts) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        given = tx.figures.labels(project.id)
        has_classifier = bool(tx.classifiers.all(project.id))
        opened = tx.rounds.open(project.id)
    pool = sum(one["labels"] for one in given if one["split"] == "pool")
    total = sum(one["labels"] for one in given)
    return page(
        request,
        "export.html",
        parts=parts,
        session=session,
        name=name,
        labels=total,
        sentence=_sentence(total, pool),
        held=HELD,
        has_classifier=has_classifier,
        opened=opened,
    )


@router.get("/projects/{name}/export/{form}")
def export_file(session: Viewer, name: ProjectName, form: Form, parts: Parts) -> StreamingResponse:
    return download_of(parts.store, name, form)


@router.get("/projects/{name}/classifier")
def classifier_file(session: Viewer, name: ProjectName, parts: Parts) -> StreamingResponse:
    return classifier_of(parts, name, None)


@router.get("/projects/{name}/bundle")
def bundle_file(session: Viewer, name: ProjectName, parts: Parts) -> StreamingResponse:
    allowed(session.key, Role.ADMIN)
    return bundle_of(parts, name)


def _sentence(total: int, pool: int) -> str:
    if not total:
        return "There are no labels to take along yet."
    what = "1 label" if total == 1 else f"{count(total)} labels"
    return f"{what} can be taken along: {count(pool)} of the pool, {count(total - pool)} held out."
