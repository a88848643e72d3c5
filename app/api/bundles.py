"""Whole projects, out and in: one zip each way, never held in memory."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api.access import Admin, Parts, acting
from app.api.downloads import BINARY, download
from app.api.parameters import PREFIX, ProjectName
from app.api.problems import problems
from app.api.uploads import read_in_thread
from app.api.wiring import ApiParts
from app.exits.bundle import bundle
from app.exits.files import zipped
from app.exits.restoring import restore_sent
from app.shown.projects import ProjectOut, read

router = APIRouter(prefix=PREFIX, tags=["bundles"])
ZIP = "application/zip"
SENT = {ZIP: BINARY, "application/octet-stream": BINARY}


@router.get(
    "/projects/{name}/bundle",
    summary="A whole project as one file",
    description="What `rounds export-bundle` writes: every row and every classifier, hashed, "
    "without keys or secrets; names of annotators and all texts are in it. Its last file lists all "
    "others, so a download that broke off is refused when it is restored. 409 while a round is "
    "open.",
    response_class=StreamingResponse,
    responses={
        **problems(401, 403, 404, 409),
        200: {"description": "A zip.", "content": {ZIP: BINARY}},
    },
)
def get_bundle(caller: Admin, name: ProjectName, parts: Parts) -> StreamingResponse:
    return bundle_of(parts, name)


def bundle_of(parts: ApiParts, name: str) -> StreamingResponse:
    return download(zipped(bundle(parts.whereabouts(), name)), ZIP, f"{name}-bundle.zip")


@router.post(
    "/bundles",
    status_code=201,
    summary="Restore a whole project",
    description="The body is a bundle: from `GET …/bundle` or `rounds export-bundle`. It is taken "
    "in whole or not at all. What is damaged, newer than this program or no bundle is refused with "
    "the reason, and so is what is in this database already.",
    responses=problems(400, 401, 403, 408, 413, 422),
    openapi_extra={"requestBody": {"required": True, "content": SENT}},
)
async def post_bundle(
    request: Request,
    caller: Admin,
    parts: Parts,
    response: Response,
    name: Annotated[
        str | None,
        Query(description="Another name than the project had there.", examples=["tickets-2"]),
    ] = None,
) -> ProjectOut:
    project = await read_in_thread(
        request.stream(),
        lambda pieces: restore_sent(parts.whereabouts(), pieces, name=name, actor=acting(caller)),
        idle_seconds=parts.upload_idle_seconds,
        threads=request.app.state.import_threads,
    )
    response.headers["Location"] = f"{PREFIX}/projects/{project.name}"
    return await to_thread.run_sync(read, parts.store, project.name)
