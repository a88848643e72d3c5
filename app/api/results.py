"""What came of it: labels, metrics, imports, items, and the exports."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Parts, Viewer
from app.api.downloads import BINARY, download
from app.api.parameters import PREFIX, After, Limit, ProjectName
from app.api.problems import problems
from app.api.wiring import ApiParts
from app.core.errors import WrongInput
from app.core.importing import text_problem
from app.exits.classifier import classifier_files
from app.exits.files import zipped
from app.exits.forms import MEDIA_TYPES, export
from app.exits.predicting import answer
from app.ports.store import Store
from app.ports.store.reading import LARGE_METRICS
from app.shown.pages import Paged

router = APIRouter(prefix=PREFIX, tags=["results"])
VersionNumber = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Number; the newest if left out.")
]
Form = Literal["jsonl", "csv", "parquet", "rounds", "huggingface"]


class LabelOut(BaseModel):
    """A current label and the whole way it came."""

    label_id: int
    item: str
    split: str
    value: dict[str, Any] = Field(examples=[{"label": "refund"}])
    source: str = Field(description="`import`, `human`, or `llm:` and a name.")
    confidence: float | None
    annotators: list[str]
    annotation_ids: list[int]
    supersedes: int | None = Field(description="The label that this one replaced.")
    created_at: datetime
    round: int | None
    rank: int | None
    slice: str | None
    strategy: str | None
    score: float | None
    reason: str | None
    draw_probability: float | None
    classifier_version: str | None = Field(description="The classifier that chose the item.")


class MetricsOut(BaseModel):
    """The evaluation of one round."""

    round: int
    kind: str = Field(description="`held_out`: on items that can never be selected.")
    labels: int = Field(description="Labels the classifier was trained on.")
    classifier_version: str | None
    closed_at: datetime | None
    metrics: dict[str, Any]


class MetricsList(BaseModel):
    items: list[MetricsOut]


class ImportLine(BaseModel):
    id: int
    source: str | None
    actor: str
    created_at: datetime
    report: dict[str, Any]


class ImportList(BaseModel):
    items: list[ImportLine]


class ItemOut(BaseModel):
    """An item as it was imported."""

    id: str
    fields: dict[str, str]
    metadata: dict[str, Any]
    split: str = Field(description="`pool`, `validation` or `test`.")
    duplicate: bool = Field(description="Another item of the same text stands for it.")
    created_at: datetime


@router.get("/projects/{name}/items", summary="Items", responses=problems(401, 403, 404, 422))
def list_items(
    caller: Viewer, name: ProjectName, parts: Parts, after: After = 0, limit: Limit = 100
) -> Paged[ItemOut]:
    with parts.store.transaction() as tx:
        page = tx.items.page(tx.projects.by_name(name).id, after, limit)
    found = [
        ItemOut(**{**one, "id": one["external_id"], "duplicate": one["duplicate_of"] is not None})
        for one in page.items
    ]
    return Paged(items=found, next=page.next)


@router.get(
    "/projects/{name}/labels",
    summary="Current labels with their provenance",
    responses=problems(401, 403, 404, 422),
)
def list_labels(
    caller: Viewer, name: ProjectName, parts: Parts, after: After = 0, limit: Limit = 100
) -> Paged[LabelOut]:
    with parts.store.transaction() as tx:
        page = tx.views.labels(tx.projects.by_name(name).id, after, limit)
    return Paged(items=[LabelOut(**one) for one in page.items], next=page.next)


@router.get(
    "/projects/{name}/metrics",
    summary="Metrics of every round",
    responses=problems(401, 403, 404),
)
def list_metrics(caller: Viewer, name: ProjectName, parts: Parts) -> MetricsList:
    with parts.store.transaction() as tx:
        found = tx.views.metrics(tx.projects.by_name(name).id, without=LARGE_METRICS)
    return MetricsList(items=[MetricsOut(**one) for one in found])


@router.get(
    "/projects/{name}/imports",
    summary="The last imports and what became of them",
    responses=problems(401, 403, 404),
)
def list_imports(caller: Viewer, name: ProjectName, parts: Parts) -> ImportList:
    with parts.store.transaction() as tx:
        found = tx.items.imports(tx.projects.by_name(name).id)
    return ImportList(items=[ImportLine(**one) for one in found])


@router.get(
    "/projects/{name}/export",
    summary="Labels or rounds as files",
    description="`jsonl`, `csv` and `parquet` are all current labels with texts and provenance, as "
    "one file. `rounds` (results.tsv, notes.md, and each round's selection and answers) and "
    "`huggingface` (a dataset with its card) are folders, sent as zip. In CSV and TSV, cells that "
    "a spreadsheet would run as a formula begin with `'`. The same state gives the same bytes.",
    response_class=StreamingResponse,
    responses={
        **problems(401, 403, 404, 422),
        200: {
            "description": "The file, or a zip of the folder.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": BINARY,
                "application/zip": BINARY,
            },
        },
    },
)
def export_project(
    caller: Viewer,
    name: ProjectName,
    parts: Parts,
    format: Annotated[Form, Query()] = "jsonl",  # noqa: A002 - users' word
) -> StreamingResponse:
    return download_of(parts.store, name, format)


def download_of(store: Store, name: str, form: Form) -> StreamingResponse:
    """An export as a file to be kept."""
    files = export(store, name, [form])
    if form in MEDIA_TYPES:
        content = (piece for file in files for piece in file.pieces)
        return download(content, MEDIA_TYPES[form], f"{name}-labels.{form}")
    return download(zipped(files), "application/zip", f"{name}-{form}.zip")


@router.get(
    "/projects/{name}/classifier",
    summary="A classifier to take along",
    description="What `rounds export --classifier` writes, as a zip: itself, what it reads texts "
    "with, and its card. `rounds predict FOLDER FILE` uses it where there is no database.",
    response_class=StreamingResponse,
    responses={
        **problems(401, 403, 404, 422, 503),
        200: {"description": "A zip.", "content": {"application/zip": BINARY}},
    },
)
def export_classifier(
    caller: Viewer, name: ProjectName, parts: Parts, version: VersionNumber = None
) -> StreamingResponse:
    return classifier_of(parts, name, version)


def classifier_of(parts: ApiParts, name: str, number: int | None) -> StreamingResponse:
    """Read before it is sent, so that what is wrong is an answer and not half a file."""
    files = list(classifier_files(parts.whereabouts(), name, number))
    return download(zipped(files), "application/zip", f"{name}-classifier.zip")


class Texts(BaseModel):
    """Texts to label: the project's fields of each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"text": "Where is my parcel?"}]}]}
    )

    items: list[dict[str, str]] = Field(min_length=1, max_length=1000)


class Predicted(BaseModel):
    label: str
    probability: float = Field(description="Calibrated.")
    probabilities: dict[str, float] = Field(description="Of every class, the likeliest first.")


class Predictions(BaseModel):
    classifier_version: str
    items: list[Predicted] = Field(description="In the order of the texts.")


@router.post(
    "/projects/{name}/predict",
    summary="Label texts with a classifier of the project",
    description="At most 1,000 texts, and 1 MB. They are not stored. With embeddings at an "
    "address, they are sent there.",
    responses=problems(400, 401, 403, 404, 413, 422, 503),
)
def predict(
    caller: Viewer,
    name: ProjectName,
    body: Texts,
    parts: Parts,
    version: VersionNumber = None,
) -> Predictions:
    predictor = parts.predictor(name, version)
    for at, item in enumerate(body.items):
        for field in predictor.fields:
            if problem := text_problem(item.get(field), field, parts.row_limits):
                raise WrongInput(problem, field=f"items.{at}.{field}")
    found = predictor(body.items)
    return Predictions(
        classifier_version=predictor.agent,
        items=[Predicted(**answer(predictor.classes, one)) for one in found],
    )
