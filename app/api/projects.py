"""Projects: create, list, read, change."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.access import Admin, Operator, Parts, Viewer, acting
from app.api.label_requests import LabelEdit
from app.api.parameters import PREFIX, ProjectName
from app.api.problems import problems
from app.api.project_requests import NewProject, ProjectChange
from app.rounds import commands, deleting, foreseeing, projects, relabelling
from app.rounds.deleting import DAYS_OF_GRACE, MOST_DAYS
from app.shown.projects import ForeseenOut, ProjectLine, ProjectList, ProjectOut, read

router = APIRouter(prefix=PREFIX, tags=["projects"])


@router.post(
    "/projects",
    status_code=201,
    summary="Create a project",
    responses=problems(400, 401, 403, 409, 413, 422),
)
def create_project(
    caller: Operator, body: NewProject, parts: Parts, response: Response
) -> ProjectOut:
    given = body.model_dump(exclude_unset=True)
    project = projects.create_project(
        parts.store, given, actor=acting(caller), encoders=parts.encoders
    )
    response.headers["Location"] = f"/api/v1/projects/{project.name}"
    return read(parts.store, project.name)


@router.get("/projects", summary="All projects", responses=problems(401, 403))
def list_projects(caller: Viewer, parts: Parts) -> ProjectList:
    with parts.store.transaction() as tx:
        return ProjectList(items=[ProjectLine(**row) for row in tx.views.projects()])


@router.get("/projects/{name}", summary="One project", responses=problems(401, 403, 404))
def get_project(caller: Viewer, name: ProjectName, parts: Parts) -> ProjectOut:
    return read(parts.store, name)


@router.patch(
    "/projects/{name}",
    summary="Change settings, state or guidelines",
    description="Holds from the next round on; an open round keeps the settings it began with.",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def change_project(
    caller: Operator, name: ProjectName, body: ProjectChange, parts: Parts
) -> ProjectOut:
    given = body.model_dump(exclude_unset=True)
    projects.change_project(parts.store, name, given, actor=acting(caller), encoders=parts.encoders)
    return read(parts.store, name)


@router.post(
    "/projects/{name}/refit",
    summary="Have the features fitted anew",
    description="On all items, at the next step that needs them. Imports add items to the features "
    "there are, and fit anew by themselves only when the pool has doubled.",
    responses=problems(401, 403, 404),
)
def refit_features(caller: Operator, name: ProjectName, parts: Parts) -> ProjectOut:
    projects.refit_features(parts.store, name, actor=acting(caller))
    return read(parts.store, name)


@router.post(
    "/projects/{name}/repair",
    status_code=202,
    summary="Bring back what was deleted in Argilla",
    description="A worker looks at every record, makes the dataset anew if it is gone, and pushes "
    "again what the open round lost and nobody has answered. A failed round is taken up again. "
    "Answers given before are kept.",
    responses=problems(401, 403, 404),
)
def repair_project(caller: Operator, name: ProjectName, parts: Parts) -> ProjectOut:
    commands.repair_project(parts.store, name, actor=acting(caller))
    return read(parts.store, name)


@router.post(
    "/projects/{name}/labels/edit",
    summary="Rename, merge, split, add or drop labels",
    description="Between rounds, or with `in_flight` as the open round closes. Labels given so "
    "far are carried over by the mapping, as labels that supersede the old ones; the next batch "
    "goes to a new dataset in Argilla. With `expected`, what was foreseen is done or nothing.",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def edit_labels(caller: Operator, name: ProjectName, body: LabelEdit, parts: Parts) -> ProjectOut:
    edit = relabelling.edit_in_flight if body.in_flight else relabelling.edit_labels
    edit(
        parts.store,
        name,
        body.labels,
        body.mapping,
        actor=acting(caller),
        expected=body.expected,
    )
    return read(parts.store, name)


@router.post(
    "/projects/{name}/labels/foresee",
    summary="What an edit of the labels would change",
    description="The same body as the edit, which is checked and counted; nothing is changed.",
    responses=problems(400, 401, 403, 404, 413, 422),
)
def foresee_labels(caller: Viewer, name: ProjectName, body: LabelEdit, parts: Parts) -> ForeseenOut:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        return ForeseenOut.of(foreseeing.foreseen(tx, project, body.labels, body.mapping))


@router.delete(
    "/projects/{name}",
    status_code=202,
    summary="Delete a project, after days of grace",
    description="No step runs any more; in `days` everything of it is erased, its datasets in "
    "Argilla too if `with_argilla` is true. Until then it can be restored.",
    responses=problems(401, 403, 404, 422),
)
def delete_project(
    caller: Admin,
    name: ProjectName,
    parts: Parts,
    confirm: Annotated[str, Query(description="The project's name once more.", max_length=100)],
    days: Annotated[float, Query(ge=0, le=MOST_DAYS)] = DAYS_OF_GRACE,
    with_argilla: bool = False,
) -> ProjectOut:
    deleting.delete_project(
        parts.store,
        name,
        confirmed=confirm,
        actor=acting(caller),
        days=days,
        with_argilla=with_argilla,
    )
    return read(parts.store, name)


@router.post(
    "/projects/{name}/restore",
    summary="Take a deletion back",
    description="Possible until `erase_at`. The project is paused then.",
    responses=problems(401, 403, 404, 409, 422),
)
def restore_project(caller: Admin, name: ProjectName, parts: Parts) -> ProjectOut:
    deleting.restore_project(parts.store, name, actor=acting(caller))
    return read(parts.store, name)
