"""The standing audit of what an LLM labels: people are asked about a share of it, and where they
surely disagree too often it may label nothing more, until a person says so."""

from dataclasses import asdict, dataclass

from app.core.errors import Conflict
from app.core.llm.drift import Audit, audit
from app.core.llm.entities import Purpose
from app.core.tasks import task_type
from app.llm.desk import Desk, Sitting
from app.ports.llm import Suspension
from app.ports.store import Transaction

ACTOR = "standing audit"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an LLM stands in a project."""

    provider: str
    model: str
    audit: Audit
    suspension: Suspension | None


def standing(desk: Desk, name: str, *, provider: str | None = None) -> Standing:
    """From what is stored; asks nobody and changes nothing."""
    sitting = _sitting(desk, name, provider)
    with desk.store.transaction() as tx:
        suspension = _suspension(tx, sitting)
        found = _audit(tx, sitting)
    return Standing(sitting.provider.name, sitting.provider.model, found, suspension)


def watch(sitting: Sitting) -> Suspension | None:
    """Before it labels: the suspension that holds, or that begins now, with an event."""
    with sitting.store.transaction() as tx:
        found = _audit(tx, sitting)
        if found.drift is not None:
            _suspend(tx, sitting, found.drift, found)
        return _suspension(tx, sitting)


def reopen(desk: Desk, name: str, *, provider: str | None = None, actor: str) -> Standing:
    """Somebody has looked: it may label again, and its audit begins anew."""
    sitting = _sitting(desk, name, provider)
    project, source = sitting.project, sitting.source
    with desk.store.transaction() as tx:
        if not tx.llm_standing.reopen(
            project.id, sitting.provider.name, sitting.provider.model, str(actor)
        ):
            raise Conflict(f"{source} is not suspended in {project.name}.")
        tx.events.add("llm.reopened", actor, project_id=project.id, source=source)
    return standing(desk, name, provider=provider)


def _sitting(desk: Desk, name: str, provider: str | None) -> Sitting:
    with desk.store.transaction() as tx:
        project = tx.projects.by_name(name)
    return Sitting(desk.store, desk.provider(project, provider), project, Purpose.LABEL, None)


def _audit(tx: Transaction, sitting: Sitting) -> Audit:
    provider, settings = sitting.provider, sitting.project.settings.llm
    found = tx.llm_standing.audited(sitting.project.id, provider.name, provider.model)
    kind = task_type(sitting.project.task)
    same = [kind.class_of(llm) == kind.class_of(person) for llm, person in found]
    return audit(same, bound=settings.min_agreement, window=settings.audit_window)


def _suspension(tx: Transaction, sitting: Sitting) -> Suspension | None:
    provider = sitting.provider
    return tx.llm_standing.suspension(sitting.project.id, provider.name, provider.model)


def _suspend(tx: Transaction, sitting: Sitting, reason: str, found: Audit) -> None:
    project, provider = sitting.project, sitting.provider
    figures = asdict(found)
    if tx.llm_standing.suspend(project.id, provider.name, provider.model, reason, figures):
        tx.events.add(
            "llm.suspended", ACTOR, project_id=project.id, source=sitting.source, reason=reason
        )
