"""Which forms an export can have. Command line and API take these names."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from app.core.entities import Project
from app.core.errors import WrongInput
from app.core.tasks import task_type
from app.exits.files import OutFile
from app.exits.hugging_face import hugging_face_files
from app.exits.labels import labels_file
from app.exits.rounds import round_files
from app.ports.store import Store, Transaction

MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
"""Forms that are one file; the others are a folder."""


def _labels(form: str, tx: Transaction, project: Project) -> Iterable[OutFile]:
    answer = task_type(project.task).gold_columns()[0]
    return [labels_file(form, tx.views.export(project.id), project.settings.fields, answer)]


FORMS: Mapping[str, Callable[[Transaction, Project], Iterable[OutFile]]] = {
    **{form: partial(_labels, form) for form in MEDIA_TYPES},
    "rounds": round_files,
    "huggingface": hugging_face_files,
}


def check_form(form: str) -> str:
    if form not in FORMS:
        raise WrongInput(f"The format must be one of {', '.join(FORMS)}.", field="format")
    return form


def export(store: Store, name: str, forms: Iterable[str]) -> Iterator[OutFile]:
    """The files of these forms, all as of the moment it began. The project was looked up before the
    first file is asked for, so that a wrong name is told and not sent half."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
    return _files(store, project, [check_form(form) for form in forms])


def _files(store: Store, project: Project, forms: Iterable[str]) -> Iterator[OutFile]:
    with store.snapshot() as tx:
        for form in forms:
            yield from FORMS[form](tx, project)
