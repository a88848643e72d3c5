"""Import of items: a body of any size, read as it comes in."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from starlette.exceptions import HTTPException

from app.api.access import Operator, Parts, acting
from app.api.parameters import PREFIX, ProjectName
from app.api.problems import problems
from app.api.uploads import read_in_thread
from app.api.wiring import ApiParts
from app.core.entities import ImportReport, Project
from app.rounds import importing
from app.shown.imports import ImportOut

router = APIRouter(prefix=PREFIX, tags=["items"])

MEDIA_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json",
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.apache.parquet",
    "application/gzip",
    "application/octet-stream",
)
ENCODINGS = ("", "identity", "gzip", "x-gzip")
EXAMPLE = (
    '{"id": "t-1", "text": "Where is my parcel?", "split": "train"}\n'
    '{"id": "t-2", "text": "I want my money back", "split": "test", "label": "refund"}\n'
)
BODY = {
    "required": True,
    "content": {
        "application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE},
        "text/csv": {
            "schema": {"type": "string"},
            "example": "id,text,split,label\nt-1,Where is my parcel?,train,\n",
        },
        "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        "application/gzip": {"schema": {"type": "string", "format": "binary"}},
    },
}


@router.post(
    "/projects/{name}/items",
    summary="Import items",
    description="JSON lines, CSV, TSV or Parquet, or gzip of one of these, as the body. Columns: "
    "`id`, `text` (or the project's fields), optional `label` and `split` (`train` is the pool, "
    "`validation`, `test`); anything else is metadata. Bad rows are reported and the rest is kept. "
    "The same file again changes nothing.",
    responses=problems(400, 401, 403, 404, 408, 413, 415, 422),
    openapi_extra={"requestBody": BODY},
)
async def import_items(
    request: Request,
    caller: Operator,
    name: ProjectName,
    parts: Parts,
    format: Annotated[  # noqa: A002 - the word users write
        Literal["jsonl", "csv", "tsv", "parquet"] | None,
        Query(description="If the content type does not tell."),
    ] = None,
    strict: Annotated[bool, Query(description="One bad row means that nothing is taken.")] = False,
    source: Annotated[
        str | None, Query(max_length=200, description="Name of the file, for the record.")
    ] = None,
    content_encoding: Annotated[str, Header()] = "",
) -> ImportOut:
    media_type = _media_type(request.headers, content_encoding)
    project = await to_thread.run_sync(_project, parts, name)
    report = await read_in_thread(
        request.stream(),
        partial(
            _import,
            parts,
            project,
            media_type=media_type,
            format=format,
            strict=strict,
            source=_storable(source),
            actor=acting(caller),
        ),
        idle_seconds=parts.upload_idle_seconds,
        threads=request.app.state.import_threads,
    )
    return ImportOut.of(report)


def _import(
    parts: ApiParts,
    project: Project,
    pieces: Iterator[bytes],
    *,
    media_type: str,
    format: str | None,  # noqa: A002
    strict: bool,
    source: str | None,
    actor: str,
) -> ImportReport:
    required: Sequence[str] = project.settings.fields
    rows = parts.rows.read(pieces, format=format, content_type=media_type, required=required)
    return importing.import_items(
        parts.store,
        project.name,
        rows,
        limits=parts.row_limits,
        actor=actor,
        source=source,
        strict=strict,
    )


def _project(parts: ApiParts, name: str) -> Project:
    with parts.store.transaction() as tx:
        return tx.projects.by_name(name)


def _media_type(headers: Mapping[str, Any], encoding: str) -> str:
    if encoding.strip().lower() not in ENCODINGS:
        raise HTTPException(415, "Content-Encoding must be gzip, or absent.")
    media_type = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if media_type and media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"Content-Type must be one of {', '.join(MEDIA_TYPES)}.")
    return media_type


def _storable(source: str | None) -> str | None:
    return source.replace("\x00", "").encode("utf-8", "replace").decode() if source else None
