"""Labels renamed, merged, split, added and retired: written down, looked at, then done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from app.api.access import Parts, allowed
from app.api.parameters import ProjectName
from app.api.wiring import ApiParts
from app.core.entities import Project, Role
from app.core.errors import Conflict, NotAsForeseen, RoundsError, WrongInput
from app.core.tasks.editing import as_written
from app.ports.store import Transaction
from app.rounds import foreseeing, relabelling, sentences
from app.rounds.foreseeing import Foreseen
from app.web.rendering import page
from app.web.sessions import Session, Viewer, check_token

router = APIRouter()
Fields = Mapping[str, str]
DONE = {
    "changed": "The labels are changed. The next batch goes to a new dataset in Argilla.",
    "asked": "The open round is finished first; the labels change as it closes.",
}
MOST_FIELDS = 1000
ADDED, SURE, IN_FLIGHT, TYPED = "added", "sure", "in_flight", "typed_name"
EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the labels of a project, with what they have written."""

    request: Request
    parts: ApiParts
    session: Session
    name: str
    fields: Fields = field(default_factory=dict)

    def page(self, template: str, **values: Any) -> HTMLResponse:
        return page(self.request, template, parts=self.parts, session=self.session, **values)


@router.get("/projects/{name}/labels")
def labels_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts, done: str = ""
) -> HTMLResponse:
    return _form(Visit(request, parts, session, name), said=DONE.get(done))


@router.post("/projects/{name}/labels")
async def change_labels(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> Response:
    """The first time it is only shown what would change; that page sends the same form, sure."""
    allowed(session.key, Role.OPERATOR)
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        check_token(session.csrf, str(form.get("csrf", "")))
        visit = Visit(request, parts, session, name, _texts(form))
    return await to_thread.run_sync(_or_form, _change if SURE in visit.fields else _preview, visit)


def _or_form(act: Callable[[Visit], Response], visit: Visit) -> Response:
    """What is wrong is said beside what was written."""
    try:
        return act(visit)
    except RoundsError as problem:
        return _form(visit, problem=problem)


def _preview(visit: Visit, *, again: bool = False) -> Response:
    """`again`: what was agreed to is no longer so."""
    with visit.parts.store.transaction() as tx:
        project = tx.projects.by_name(visit.name)
        foreseen = _foreseen(tx, project, visit.fields)
        opened = tx.rounds.open(project.id)
        counts = tx.rounds.counts(opened.id) if opened else None
    return visit.page(
        "labels_sure.html",
        status=NotAsForeseen.status if again else 200,
        again=again,
        project=project,
        opened=opened,
        counts=counts,
        fields=visit.fields,
        foreseen=foreseen,
        becomes=_becomes(project, visit.fields),
        sentence=sentences.of_foreseen(foreseen),
    )


def _change(visit: Visit) -> Response:
    """What was shown and agreed to, or nothing: then what would change by now is shown."""
    try:
        project = _edit(visit)
    except NotAsForeseen:
        return _preview(visit, again=True)
    return RedirectResponse(
        f"/projects/{visit.name}/labels?done={'asked' if project.label_edit else 'changed'}", 303
    )


def _edit(visit: Visit) -> Project:
    store, name, fields = visit.parts.store, visit.name, visit.fields
    expected = fields.get(EXPECTED, "")
    with store.transaction() as tx:
        foreseen = _foreseen(tx, tx.projects.by_name(name), fields)
    foreseen.insist(expected)
    if foreseen.taken_back and fields.get(TYPED, "").strip() != name:
        raise WrongInput(f"To take labels back, type the project's name, {name}.", field=TYPED)
    edit = relabelling.edit_in_flight if IN_FLIGHT in fields else relabelling.edit_labels
    return edit(
        store,
        name,
        foreseen.labels,
        foreseen.mapping,
        actor=visit.session.actor,
        expected=expected,
    )


def _foreseen(tx: Transaction, project: Project, fields: Fields) -> Foreseen:
    if not _are_of(project, fields):
        raise Conflict("The labels were changed meanwhile. Look at them as they are now.")
    labels, mapping = as_written(project.task, _becomes(project, fields), _added(fields))
    return foreseeing.foreseen(tx, project, labels, mapping)


def _form(
    visit: Visit, *, problem: RoundsError | None = None, said: str | None = None
) -> HTMLResponse:
    with visit.parts.store.transaction() as tx:
        project = tx.projects.by_name(visit.name)
        given = foreseeing.given(tx, project)
        opened = tx.rounds.open(project.id)
    kept = visit.fields if _are_of(project, visit.fields) else {}
    return visit.page(
        "labels.html",
        status=problem.status if problem else 200,
        project=project,
        given=given,
        opened=opened,
        becomes=_becomes(project, kept),
        added=kept.get(ADDED, ""),
        waiting=sentences.of_label_edit(project),
        problem=problem.message if problem else None,
        said=said,
    )


def _are_of(project: Project, fields: Fields) -> bool:
    """Whether the form was written beside the labels of now."""
    return fields.get("version") == str(project.schema_version)


def _becomes(project: Project, fields: Fields) -> Mapping[str, str]:
    """What is written beside each label. Fields go by place: a label may be any text."""
    return {label: fields.get(f"label-{at}", label) for at, label in enumerate(project.task.labels)}


def _added(fields: Fields) -> Sequence[str]:
    return [one.strip() for one in fields.get(ADDED, "").split(",") if one.strip()]


def _texts(form: FormData) -> Fields:
    return {key: value for key, value in form.items() if isinstance(value, str)}
