"""The page about annotators."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api import annotators as api_annotators
from app.api.access import Parts
from app.api.parameters import ProjectName
from app.rounds import sentences
from app.web.rendering import page
from app.web.sessions import Viewer

router = APIRouter()


@router.get("/projects/{name}/annotators")
def annotators_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> HTMLResponse:
    found = api_annotators.read(parts.store, name)
    return page(
        request,
        "annotators.html",
        parts=parts,
        session=session,
        name=name,
        found=found,
        sentence=sentences.of_agreement(found.model_dump()),
    )
