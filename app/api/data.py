"""What a project's items are: splits, classes, duplicates."""

from fastapi import APIRouter

from app.api.access import Parts, Viewer
from app.api.parameters import PREFIX, ProjectName
from app.api.problems import problems
from app.shown.data import DataOut, read_in

router = APIRouter(prefix=PREFIX, tags=["items"])


@router.get(
    "/projects/{name}/data",
    summary="What the items are: splits, classes, duplicates",
    responses=problems(401, 403, 404),
)
def get_data(caller: Viewer, name: ProjectName, parts: Parts) -> DataOut:
    with parts.store.transaction() as tx:
        return read_in(tx, tx.projects.by_name(name))
