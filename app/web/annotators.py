"""The page about annotators."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api.access import Parts
from app.api.parameters import ProjectName
from app.rounds import sentences
from app.shown import annotators as shown_annotators
from app.shown.annotators import AnnotatorsOut
from app.web.rendering import page
from app.web.sessions import Viewer

router = APIRouter()


@router.get("/projects/{name}/annotators")
def annotators_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> HTMLResponse:
    found = shown_annotators.read(parts.store, name)
    return page(
        request,
        "annotators.html",
        parts=parts,
        session=session,
        name=name,
        found=found,
        reasons=_reasons(found),
        sentence=sentences.of_agreement(found.model_dump()),
    )


def _reasons(found: AnnotatorsOut) -> Sequence[str]:
    """Why some figures are missing, each reason once."""
    figures = [
        one for each in found.annotators for one in (each.with_others, each.with_label, each.pace)
    ]
    figures += [one.kappa for one in found.pairs] + [one.same for one in found.classes]
    return sorted({one.reason for one in figures if one.reason})
