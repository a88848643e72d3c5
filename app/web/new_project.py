"""A project by form: a file is sent, looked at, taken in, and the report is shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from app.api.access import Parts, allowed
from app.api.parameters import ProjectName
from app.api.wiring import ApiParts
from app.core.entities import Role
from app.core.errors import RoundsError, WrongInput
from app.core.projects import check_name
from app.core.proposing import LABEL, TEXT
from app.ports.rows import Row
from app.rounds import guided
from app.rounds.guided import Wishes
from app.shown.imports import ImportOut
from app.web.rendering import page
from app.web.sessions import Session, Viewer, check_token

router = APIRouter()
FIELDS = ("name", "labels", "text", "label_column", "batch_size", "overlap", "max_labels")
SIZES = {"batch_size": 10_000, "overlap": 50, "max_labels": 10_000_000}
PATH = "/new"


@router.get(PATH)
def new_project(request: Request, session: Viewer, parts: Parts) -> HTMLResponse:
    allowed(session.key, Role.OPERATOR)
    return _form(request, parts, session, dict.fromkeys(FIELDS, ""))


@router.post(PATH)
async def create_project(request: Request, session: Viewer, parts: Parts) -> Response:
    """The role is looked at before the body is read: nobody else can fill the disk with one."""
    allowed(session.key, Role.OPERATOR)
    async with request.form(max_files=1, max_fields=20) as form:
        check_token(session.csrf, str(form.get("csrf", "")))
        given = {name: str(form.get(name, "")).strip() for name in FIELDS}
        try:
            await to_thread.run_sync(
                _start,
                parts,
                given,
                _file(form),
                session.actor,
                limiter=request.app.state.import_threads,
            )
        except RoundsError as problem:
            return await to_thread.run_sync(_told, request, parts, session, given, problem)
    return RedirectResponse(f"/projects/{given['name']}/imported", 303)


def _told(
    request: Request,
    parts: ApiParts,
    session: Session,
    given: Mapping[str, str],
    problem: RoundsError,
) -> HTMLResponse:
    return _form(request, parts, session, given, problem=problem.message, status=problem.status)


def _form(
    request: Request,
    parts: ApiParts,
    session: Session,
    given: Mapping[str, str],
    *,
    problem: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    return page(
        request,
        "new.html",
        parts=parts,
        session=session,
        status=status,
        given=given,
        problem=problem,
        largest=parts.max_upload_bytes // 2**20,
    )


def _file(form: FormData) -> UploadFile:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise WrongInput("Choose a file.", field="file")
    return file


def _start(parts: ApiParts, given: Mapping[str, str], file: UploadFile, actor: str) -> None:
    name = check_name(given["name"])
    name_of_file = (file.filename or "")[:200]

    def reading() -> Iterator[Row]:
        source: BinaryIO = file.file
        source.seek(0)
        return parts.rows.read(source, name=name_of_file)

    plan = guided.plan_for(name, reading, _wishes(given))
    guided.start(
        parts.store,
        plan,
        reading,
        limits=parts.row_limits,
        actor=actor,
        source=name_of_file.replace("\x00", ""),
        open_round=False,
        encoders=parts.encoders,
    )


def _wishes(given: Mapping[str, str]) -> Wishes:
    columns = {TEXT: given["text"], LABEL: given["label_column"]}
    labels = given["labels"].replace("\n", ",").split(",")
    return Wishes(
        columns={ours: theirs for ours, theirs in columns.items() if theirs},
        labels=[one.strip() for one in labels if one.strip()],
        sizes={name: _size(name, given[name]) for name in SIZES if given[name]},
    )


def _size(name: str, given: str) -> int:
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= SIZES[name]):
        raise WrongInput(f"{name} must be a whole number from 1 to {SIZES[name]:,}.", field=name)
    return int(given)


@router.get("/projects/{name}/imported")
def imported(request: Request, session: Viewer, name: ProjectName, parts: Parts) -> HTMLResponse:
    """What became of the last import, and the step that comes next."""
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        imports = tx.items.imports(project.id)
        counts = tx.items.counts(project.id)
        begun = bool(tx.views.rounds(project.id, 0, 1).items)
    return page(
        request,
        "imported.html",
        parts=parts,
        session=session,
        project=project,
        last=_last(imports),
        counts=counts,
        begun=begun,
    )


def _last(imports: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """They come newest first."""
    return {**imports[0], "report": ImportOut(**imports[0]["report"])} if imports else None
