"""New labels for a project that has answers already.

The schema gets the next version, and with it a new dataset in Argilla, whose questions cannot
change. Labels that are renamed or merged are carried over as labels that supersede the old ones,
with the same answers behind them; what must be looked at again returns to the pool. Earlier rounds
keep what they were: their schema is kept by version.
"""

from collections.abc import Sequence

from app.core.entities import LabelEdit, Project, Round, RoundState
from app.core.errors import Conflict
from app.core.tasks.editing import Mapped, edited
from app.ports.store import Store, Transaction
from app.rounds.foreseeing import foreseen

LOCKS = ("start", "import", "merge")


def edit_labels(
    store: Store,
    name: str,
    labels: Sequence[str],
    mapping: Mapped,
    *,
    actor: str,
    expected: str | None = None,
) -> Project:
    """Between rounds only, so that nobody annotates by a schema that is no more. `expected` is the
    fingerprint of what was foreseen: NotAsForeseen if it is no longer true."""
    with store.transaction() as tx:
        project = _locked(tx, tx.projects.by_name(name).id)
        _check_between_rounds(tx, project)
        foreseen(tx, project, labels, mapping).insist(expected)
        return _edit(tx, project, labels, mapping, actor)


def edit_in_flight(
    store: Store,
    name: str,
    labels: Sequence[str],
    mapping: Mapped,
    *,
    actor: str,
    expected: str | None = None,
) -> Project:
    """With a round open: it is finished with the answers there are, and the labels are edited in
    the transaction that closes it. Without one, at once. `expected` speaks of the labels there are
    now, before the answers of the open round become some."""
    with store.transaction() as tx:
        project = _locked(tx, tx.projects.by_name(name).id)
        _check_stays(project)
        opened = tx.rounds.open(project.id)
        if opened is not None:
            _check_can_finish(project, opened)
        foreseen(tx, project, labels, mapping).insist(expected)  # what is wrong with it is said now
        if opened is None:
            return _edit(tx, project, labels, mapping, actor)
        edit = LabelEdit(tuple(labels), dict(mapping), str(actor))
        tx.schemas.ask(project.id, edit)
        tx.rounds.request_finish(opened.id)
        tx.events.add(
            "labels.edit_requested", actor, project_id=project.id, round_id=opened.id,
            labels=list(labels),
        )  # fmt: skip
        return tx.projects.get(project.id)


def edit_as_asked(tx: Transaction, ended: Round) -> None:
    """In the transaction that ends a round."""
    if (edit := tx.projects.get(ended.project_id).label_edit) is None:
        return
    project = _locked(tx, ended.project_id)
    tx.schemas.ask(project.id, None)
    _edit(tx, project, edit.labels, edit.mapping, edit.actor)


def _locked(tx: Transaction, project_id: int) -> Project:
    """As it is while nothing starts, is imported or merged."""
    for purpose in LOCKS:
        tx.projects.lock(project_id, purpose)
    return tx.projects.get(project_id)


def _edit(
    tx: Transaction, project: Project, labels: Sequence[str], mapping: Mapped, actor: str
) -> Project:
    task, whole = edited(project.task, labels, mapping)
    tx.schemas.change(project, task.labels, whole, actor)
    carried, again = tx.schemas.carry_over(project, whole)
    tx.events.add(
        "labels.edited",
        actor,
        project_id=project.id,
        schema_version=project.schema_version + 1,
        carried=carried,
        to_look_at_again=again,
    )
    return tx.projects.get(project.id)


def _check_between_rounds(tx: Transaction, project: Project) -> None:
    _check_stays(project)
    opened = tx.rounds.open(project.id)
    if opened is not None:
        raise Conflict(
            f"Round {opened.number} is open: people annotate by the labels of now. Ask for the "
            "edit in flight (`--in-flight`, `in_flight`): the round is finished with the answers "
            "there are first. Or finish or cancel it yourself.",
            round=opened.number,
        )


def _check_stays(project: Project) -> None:
    if project.erase_at is not None:
        raise Conflict(f"{project.name} is being deleted. Restore it first.")


def _check_can_finish(project: Project, opened: Round) -> None:
    if project.label_edit is not None:
        raise Conflict(
            f"An edit of the labels waits for the end of round {opened.number} already.",
            round=opened.number,
        )
    if opened.state == RoundState.FAILED:
        raise Conflict(f"Round {opened.number} has failed. Resume or cancel it first.")
