"""Answers become labels: the task merges them, a new label supersedes the one before."""

from app.core.entities import ItemAnswers, NewLabel, Project
from app.core.errors import WrongInput
from app.core.tasks import Consensus, TaskSpec, task_type
from app.ports.store import Transaction
from app.rounds.work import Parts, Work


def merge(work: Work) -> tuple[int, int]:
    """Labels made and items on which annotators do not agree enough, for this round's project."""
    return merge_project(work.parts, work.project, overlap=work.round.settings.overlap)


def merge_project(parts: Parts, project: Project, *, overlap: int) -> tuple[int, int]:
    with parts.store.transaction() as tx:
        # one merger at a time, or two would both supersede the same label
        tx.projects.lock(project.id, "merge")
        # its labels may have been edited meanwhile
        return _merge(tx, tx.projects.get(project.id), overlap)


def _merge(tx: Transaction, project: Project, overlap: int) -> tuple[int, int]:
    labels: list[NewLabel] = []
    undecided = 0
    for answers in tx.labels.answers(project.id):
        if 0 < len(answers.values) < overlap and answers.current_value is None:
            continue  # not everybody has answered yet
        consensus = consensus_of(answers, project.task)
        if consensus.value is None:
            undecided += bool(answers.values)
        label = _label(answers, consensus)
        if label is not None:
            labels.append(label)
    tx.labels.add(project.id, labels)
    if labels:
        tx.events.add("labels.merged", "system", project_id=project.id, labels=len(labels))
    return len(labels), undecided


def consensus_of(answers: ItemAnswers, task: TaskSpec) -> Consensus:
    """What the answers come to, without those that the task cannot have (a label since gone)."""
    kind = task_type(task)
    readable = []
    for values in answers.values:
        try:
            readable.append(kind.read_answer(values, task))
        except WrongInput:
            continue
    return kind.merge(readable)


def _label(answers: ItemAnswers, consensus: Consensus) -> NewLabel | None:
    if consensus.value is None and answers.current_value is None:
        return None
    return NewLabel(
        item_id=answers.item_id,
        value=consensus.value,
        source="human",
        round_id=answers.round_id,
        supersedes=answers.current_label_id,
        annotation_ids=answers.annotation_ids,
        annotators=answers.annotators,
        confidence=consensus.agreement if consensus.value is not None else None,
    )
