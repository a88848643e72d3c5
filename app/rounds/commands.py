"""What people can ask of rounds. API, command line and pages all call these."""

import json
from collections.abc import Sequence
from hashlib import sha256

from app.core.entities import Project, Round, RoundState
from app.core.errors import Conflict
from app.ports.store import Store, Transaction
from app.rounds import automatic, purposes, starting
from app.rounds.measuring.reading import doubted


def start_round(
    store: Store,
    name: str,
    *,
    actor: str,
    auto: bool = False,
    key_id: int | None = None,
    idempotency_key: str = "",
) -> Round:
    """Plan the next round; a worker takes it from there. The same Idempotency-Key gives the same
    round however often it is sent. With `auto` further rounds follow by themselves; a round that is
    open already becomes the first of them."""
    asked = ["start", name, "auto"] if auto else ["start", name]
    request_hash = sha256(json.dumps(asked).encode()).hexdigest()
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.projects.lock(project.id, "start")
        if key_id is not None and idempotency_key:
            known = tx.rounds.by_key(key_id, idempotency_key, request_hash)
            if known is not None:
                return known
        if auto:
            automatic.begin(tx, project, actor=actor)
        opened = tx.rounds.open(project.id) if auto else None
        round_ = opened or starting.plan_round(tx, project, actor=actor)
        if key_id is not None and idempotency_key:
            tx.rounds.remember_key(key_id, idempotency_key, request_hash, round_)
    return round_


def start_audit(store: Store, name: str, size: int | None, *, actor: str) -> Round:
    """A round of random checks alone, for a figure of its own; 100 of them if no size is given."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.projects.lock(project.id, "start")
        extra = purposes.fresh_audit(size)
        purposes.check_may_audit(tx, project)
        return _start_extra(tx, project, extra, actor)


def start_duel(store: Store, name: str, *, actor: str) -> Round:
    """Ask once whether choosing beats random picks. Conflict says why it cannot be asked now."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.projects.lock(project.id, "start")
        return _start_extra(tx, project, purposes.the_duel(tx, project), actor)


def relabel_doubts(store: Store, name: str, items: Sequence[str] | None, *, actor: str) -> Round:
    """Have doubted labels decided again in Argilla: these, or as many as a batch holds of the
    clearest. The labels stand until the answers come to something else."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.projects.lock(project.id, "start")
        asked = doubted(tx, project, items)
        return _start_extra(tx, project, purposes.relabelling(asked), actor)


def _start_extra(tx: Transaction, project: Project, extra: purposes.Extra, actor: str) -> Round:
    return starting.plan_round(
        tx,
        project,
        actor=actor,
        purpose=extra.purpose.value,
        batch_size=extra.size,
        asked=extra.asked,
    )


def cancel_round(store: Store, name: str, number: int, *, actor: str) -> Round:
    """Ask for the round to end; answers already given are kept."""
    return _request(store, name, number, actor, "cancel")


def finish_round(store: Store, name: str, number: int, *, actor: str) -> Round:
    """Close the round with the answers there are; the unanswered items go back to the pool."""
    return _request(store, name, number, actor, "finish")


def resume_round(store: Store, name: str, number: int, *, actor: str) -> Round:
    """Take up a failed round at the step that failed."""
    return _request(store, name, number, actor, "resume")


def repair_project(store: Store, name: str, *, actor: str) -> Project:
    """Have everything in Argilla looked at, and what the open round lost there brought again."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.annotations.look_at_all(project.id)
        round_ = tx.rounds.open(project.id)
        if round_ is not None:
            tx.rounds.resume(round_.id)
            tx.rounds.request_repair(round_.id)
        tx.events.add(
            "project.repair_requested",
            actor,
            project_id=project.id,
            round_id=round_.id if round_ else None,
        )
    return project


def _request(store: Store, name: str, number: int, actor: str, what: str) -> Round:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        round_ = tx.rounds.by_number(project.id, number)
        if what == "cancel" and round_.state == RoundState.CANCELLED:
            return round_
        if what == "finish" and round_.state == RoundState.CLOSED:
            return round_
        _check_can(round_, what)
        change = {
            "cancel": tx.rounds.request_cancel,
            "finish": tx.rounds.request_finish,
            "resume": tx.rounds.resume,
        }
        change[what](round_.id)
        tx.events.add(f"round.{what}_requested", actor, project_id=project.id, round_id=round_.id)
        return tx.rounds.get(round_.id)


def _check_can(round_: Round, what: str) -> None:
    state = round_.state
    if state.is_over:
        raise Conflict(f"Round {round_.number} is {state.value} already.", state=state.value)
    if what == "resume" and state != RoundState.FAILED:
        raise Conflict(f"Round {round_.number} has not failed; it is {state.value}.")
    if what == "finish" and state == RoundState.FAILED:
        raise Conflict(f"Round {round_.number} has failed. Resume or cancel it.")
