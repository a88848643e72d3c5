"""Projects go in two steps: put away at once, erased when the days of grace are over.

Until then nothing of them is touched, and restoring brings back all of it.
"""

import structlog

from app.core.entities import Project, ProjectState
from app.core.errors import Conflict, NotFound, RoundsError, WrongInput
from app.ports.store import Store
from app.rounds.work import Parts

DAYS_OF_GRACE = 7.0
MOST_DAYS = 365.0
log = structlog.get_logger()


def delete_project(
    store: Store,
    name: str,
    *,
    confirmed: str,
    actor: str,
    days: float = DAYS_OF_GRACE,
    with_argilla: bool = False,
) -> Project:
    """Put a project away: no step runs, no answer is collected, and in so many days it is erased.
    Its datasets in Argilla stay unless `with_argilla` asks for them too."""
    if confirmed != name:
        raise WrongInput(f"To delete the project, give its name, {name}, again.", field="confirm")
    if not 0 <= days <= MOST_DAYS:
        raise WrongInput(f"days must be from 0 to {MOST_DAYS:g}.", field="days")
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        deleted = tx.projects.delete_later(project.id, days=days, with_argilla=with_argilla)
        tx.events.add(
            "project.delete_requested",
            actor,
            project_id=project.id,
            days=days,
            with_argilla=with_argilla,
        )
    return deleted


def restore_project(store: Store, name: str, *, actor: str) -> Project:
    """Take a deletion back. The project is paused, so that nothing starts before somebody looks."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        if project.erase_at is None:
            raise Conflict(f"{name} is not being deleted; it is {project.state.value}.")
        restored = tx.projects.restore(project.id, ProjectState.PAUSED)
        if restored is None:
            raise Conflict(f"It is too late: the days of grace of {name} are over.")
        tx.events.add("project.restored", actor, project_id=project.id)
    return restored


def erase_due(parts: Parts) -> bool:
    """Erase one project whose time has come. The database goes last: what is interrupted before is
    done again. False if there was none, or if it did not work out yet."""
    with parts.store.transaction() as tx:
        project = tx.projects.due_for_erasing()
    if project is None:
        return False
    try:
        _erase(parts, project)
    except RoundsError as problem:
        log.warning("project.not_erased", project=project.name, reason=problem.message)
        return False
    log.info("project.erased", project=project.name)
    return True


def _erase(parts: Parts, project: Project) -> None:
    if project.erase_argilla:
        _erase_datasets(parts, project)
    for kind in ("classifiers", "scores", "stopping"):
        parts.files.remove(f"{kind}/{project.uid}")
    parts.features.remove(str(project.uid))
    with parts.store.transaction() as tx:
        tx.projects.erase(project.name)


def _erase_datasets(parts: Parts, project: Project) -> None:
    with parts.store.transaction() as tx:
        datasets = tx.annotations.datasets(project.id)
    for dataset in datasets:
        try:
            parts.tool.delete_dataset(dataset.dataset_id)
        except NotFound:
            continue  # somebody was faster
