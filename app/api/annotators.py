"""How far annotators agree, one by one and together."""

from fastapi import APIRouter

from app.api.access import Parts, Viewer
from app.api.parameters import PREFIX, ProjectName
from app.api.problems import problems
from app.shown.annotators import AnnotatorsOut, read

router = APIRouter(prefix=PREFIX, tags=["results"])


@router.get(
    "/projects/{name}/annotators",
    summary="Annotators, their pace, and how far they agree",
    responses=problems(401, 403, 404),
)
def list_annotators(caller: Viewer, name: ProjectName, parts: Parts) -> AnnotatorsOut:
    return read(parts.store, name)
