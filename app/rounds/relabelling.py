"""New labels for a project that has answers already.

The schema gets the next version, and with it a new dataset in Argilla, whose questions cannot
change. Labels that are renamed or merged are carried over as labels that supersede the old ones,
with the same answers behind them; what must be looked at again returns to the pool. Earlier rounds
keep what they were: their schema is kept by version.
"""

from collections.abc import Sequence

from app.core.entities import Project
from app.core.errors import Conflict
from app.core.tasks.editing import Mapped, edited
from app.ports.store import Store, Transaction

LOCKS = ("start", "import", "merge")


def edit_labels(
    store: Store, name: str, labels: Sequence[str], mapping: Mapped, *, actor: str
) -> Project:
    """Between rounds only, so that nobody annotates by a schema that is no more."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        for purpose in LOCKS:
            tx.projects.lock(project.id, purpose)
        project = tx.projects.by_name(name)
        _check_between_rounds(tx, project)
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
    if project.erase_at is not None:
        raise Conflict(f"{project.name} is being deleted. Restore it first.")
    opened = tx.rounds.open(project.id)
    if opened is not None:
        raise Conflict(
            f"Round {opened.number} is open: people annotate by the labels of now. Finish or "
            "cancel it first; in auto mode, switch that off before.",
            round=opened.number,
        )
