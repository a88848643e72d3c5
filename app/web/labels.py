"""Labels renamed, merged, split, added and retired: written down, looked at, then done."""

from collections.abc import Callable, Mapping, Sequence

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


@router.get("/projects/{name}/labels")
def labels_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts, done: str = ""
) -> HTMLResponse:
    return _form(request, parts, session, name, said=DONE.get(done))


@router.post("/projects/{name}/labels")
async def change_labels(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> Response:
    """The first time it is only shown what would change; that page sends the same form, sure."""
    allowed(session.key, Role.OPERATOR)
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        check_token(session.csrf, str(form.get("csrf", "")))
        act = _change if SURE in form else _preview
        return await to_thread.run_sync(_or_form, act, request, parts, session, name, _texts(form))


def _or_form(
    act: Callable[..., Response],
    request: Request,
    parts: ApiParts,
    session: Session,
    name: str,
    fields: Fields,
) -> Response:
    """What is wrong is said beside what was written."""
    try:
        return act(request, parts, session, name, fields)
    except RoundsError as problem:
        return _form(request, parts, session, name, fields=fields, problem=problem)


def _preview(
    request: Request,
    parts: ApiParts,
    session: Session,
    name: str,
    fields: Fields,
    *,
    again: bool = False,
) -> Response:
    """`again`: what was agreed to is no longer so."""
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        foreseen = _foreseen(tx, project, fields)
        opened = tx.rounds.open(project.id)
        counts = tx.rounds.counts(opened.id) if opened else None
    return page(
        request,
        "labels_sure.html",
        parts=parts,
        session=session,
        status=NotAsForeseen.status if again else 200,
        again=again,
        project=project,
        opened=opened,
        counts=counts,
        fields=fields,
        foreseen=foreseen,
        becomes=_becomes(project, fields),
        sentence=sentences.of_foreseen(foreseen),
    )


def _change(
    request: Request, parts: ApiParts, session: Session, name: str, fields: Fields
) -> Response:
    """What was shown and agreed to, or nothing: then what would change by now is shown."""
    try:
        project = _edit(parts, session, name, fields)
    except NotAsForeseen:
        return _preview(request, parts, session, name, fields, again=True)
    return RedirectResponse(
        f"/projects/{name}/labels?done={'asked' if project.label_edit else 'changed'}", 303
    )


def _edit(parts: ApiParts, session: Session, name: str, fields: Fields) -> Project:
    expected = fields.get(EXPECTED, "")
    with parts.store.transaction() as tx:
        foreseen = _foreseen(tx, tx.projects.by_name(name), fields)
    foreseen.insist(expected)
    if foreseen.taken_back and fields.get(TYPED, "").strip() != name:
        raise WrongInput(f"To take labels back, type the project's name, {name}.", field=TYPED)
    edit = relabelling.edit_in_flight if IN_FLIGHT in fields else relabelling.edit_labels
    return edit(
        parts.store,
        name,
        foreseen.labels,
        foreseen.mapping,
        actor=session.actor,
        expected=expected,
    )


def _foreseen(tx: Transaction, project: Project, fields: Fields) -> Foreseen:
    if not _are_of(project, fields):
        raise Conflict("The labels were changed meanwhile. Look at them as they are now.")
    labels, mapping = as_written(project.task, _becomes(project, fields), _added(fields))
    return foreseeing.foreseen(tx, project, labels, mapping)


def _form(
    request: Request,
    parts: ApiParts,
    session: Session,
    name: str,
    *,
    fields: Fields | None = None,
    problem: RoundsError | None = None,
    said: str | None = None,
) -> HTMLResponse:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        given = foreseeing.given(tx, project)
        opened = tx.rounds.open(project.id)
    kept = fields if fields and _are_of(project, fields) else {}
    return page(
        request,
        "labels.html",
        parts=parts,
        session=session,
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
