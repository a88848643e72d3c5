"""Auto mode: what follows a round that is over. In the transaction that ends it, so that a worker
killed in between neither forgets the next round nor starts it twice."""

from collections.abc import Sequence

from app.core.entities import Project, ProjectState, Round
from app.core.errors import Conflict
from app.core.stopping.rules import Finding, Verdict
from app.ports.store import Transaction
from app.rounds import starting

ACTOR = "auto mode"


def begin(tx: Transaction, project: Project, *, actor: str) -> None:
    """From now on rounds follow each other. Also how one that has stopped goes on."""
    tx.runs.begin(project.id)
    tx.events.add("auto.started", actor, project_id=project.id)


def go_on(tx: Transaction, ended: Round, findings: Sequence[Finding]) -> None:
    """Plan the next round, or say why there is none."""
    tx.projects.lock(ended.project_id, "start")
    project = tx.projects.get(ended.project_id)
    if project.auto_since is None or project.state == ProjectState.ARCHIVED:
        return
    stops = [one for one in findings if one.verdict == Verdict.STOP]
    if stops:
        _stop(tx, project, ended, [one.rule for one in stops], stops[0].message)
        return
    try:
        starting.plan_round(tx, project, actor=ACTOR, due_in=_pause(findings))
    except Conflict as reached:
        _stop(tx, project, ended, ["bound"], reached.message)


def cancelled(tx: Transaction, ended: Round) -> None:
    """Who cancels a round does not want the next one."""
    project = tx.projects.get(ended.project_id)
    if project.auto_since is not None:
        _stop(tx, project, ended, ["cancelled"], f"Round {ended.number} was cancelled.")


def _pause(findings: Sequence[Finding]) -> float:
    waits = [one.evidence["seconds"] for one in findings if one.verdict == Verdict.WAIT]
    return float(max(waits, default=0))


def _stop(
    tx: Transaction, project: Project, ended: Round, rules: Sequence[str], message: str
) -> None:
    stopped = {"round": ended.number, "rules": list(rules), "message": message}
    tx.runs.end(project.id, stopped)
    tx.events.add(
        "auto.stopped", ACTOR, project_id=project.id, round_id=ended.id, rules=list(rules)
    )
