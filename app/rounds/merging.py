"""Answers become labels: what they come to supersedes the label before."""

from app.core.entities import ItemAnswers, NewLabel, Project
from app.core.projects import ProjectSettings
from app.core.tasks import Consensus
from app.ports.store import Transaction
from app.rounds.deciding import decider
from app.rounds.work import Parts, Work


def merge(work: Work, *, closing: bool = False) -> tuple[int, int]:
    """Labels made, and items of this round whose answers come to nothing. With `closing` the round
    waits no longer: what has fewer answers than it should have is decided by those it has."""
    round_id = work.round.id if closing else None
    return _in_turn(work.parts, work.project, work.round.settings, round_id)


def merge_project(parts: Parts, project: Project) -> None:
    """What came between rounds."""
    _in_turn(parts, project, project.settings, None)


def _in_turn(
    parts: Parts, project: Project, settings: ProjectSettings, closing: int | None
) -> tuple[int, int]:
    with parts.store.transaction() as tx:
        # one merger at a time, or two would both supersede the same label
        tx.projects.lock(project.id, "merge")
        # its labels may have been edited meanwhile
        return _merge(tx, tx.projects.get(project.id), settings, closing)


def _merge(
    tx: Transaction, project: Project, settings: ProjectSettings, closing: int | None
) -> tuple[int, int]:
    changed = [one for one in tx.labels.answers(project.id) if not _still_asked(one, closing)]
    if not changed:
        return 0, 0
    decide = decider(tx, project, settings)
    found = [(answers, decide(answers)) for answers in changed]
    labels = [label for answers, consensus in found if (label := _label(answers, consensus))]
    tx.labels.add(project.id, labels)
    tx.disputes.end([answers.item_id for answers, one in found if one.value is not None], "decided")
    if labels:
        tx.events.add("labels.merged", "system", project_id=project.id, labels=len(labels))
    return len(labels), sum(_is_undecided(*one) for one in found if one[0].waits_in == closing)


def _still_asked(answers: ItemAnswers, closing: int | None) -> bool:
    """Whether the item's round still waits for more answers to it. One that has a label made of
    answers follows them at once; a label that was imported answers nothing."""
    waits = answers.round_open and answers.waits_in != closing
    settled = answers.current_value is not None and bool(answers.current_annotation_ids)
    return waits and answers.people < answers.needed and not settled


def _is_undecided(answers: ItemAnswers, consensus: Consensus) -> bool:
    return consensus.value is None and bool(answers.values)


def _label(answers: ItemAnswers, consensus: Consensus) -> NewLabel | None:
    value = consensus.value
    if value is None and answers.current_value in consensus.leading:
        # a disagreement that comes late does not take away what is as good as any other label
        value = answers.current_value
    if value is None and answers.current_value is None:
        return None
    return NewLabel(
        item_id=answers.item_id,
        value=value,
        source="human",
        round_id=answers.round_id,
        supersedes=answers.current_label_id,
        annotation_ids=answers.annotation_ids,
        annotators=answers.annotators,
        confidence=consensus.agreement if value is not None else None,
    )
