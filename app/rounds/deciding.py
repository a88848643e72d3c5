"""What the answers to an item come to, by the project's rules."""

from collections.abc import Callable, Sequence

from app.core.consensus import METHODS
from app.core.entities import ItemAnswers, Project
from app.core.errors import WrongInput
from app.core.projects import ProjectSettings
from app.core.tasks import Consensus, TaskSpec, Value, task_type
from app.core.votes import Reals, Votes
from app.ports.store import Transaction

Decide = Callable[[ItemAnswers], Consensus]
_EQUAL = 1e-9


def decider(tx: Transaction, project: Project, settings: ProjectSettings) -> Decide:
    """How to decide an item. An adjudicator's word stands; else the consensus, if it is clear."""
    agreed = (
        _majority(project)
        if settings.consensus == "majority"
        else _by_people(tx, project, settings)
    )

    def decide(answers: ItemAnswers) -> Consensus:
        spoken = _adjudicated(answers, project.task, settings)
        if spoken is not None:
            return spoken
        found = agreed(answers)
        if found.value is None or found.agreement >= settings.min_agreement:
            return found
        return Consensus(None, found.agreement, (found.value,))

    return decide


def readable(values: Sequence[Value], task: TaskSpec) -> list[Value]:
    """Answers without those that the task cannot have (a label since gone)."""
    kind = task_type(task)
    found = []
    for one in values:
        try:
            found.append(kind.read_answer(one, task))
        except WrongInput:
            continue
    return found


def _majority(project: Project) -> Decide:
    kind = task_type(project.task)
    return lambda answers: kind.merge(readable(answers.values, project.task))


def _adjudicated(
    answers: ItemAnswers, task: TaskSpec, settings: ProjectSettings
) -> Consensus | None:
    if settings.adjudication != "adjudicator":
        return None
    told = zip(answers.annotators, answers.values, strict=True)
    own = readable([value for name, value in told if name in settings.adjudicators], task)
    return task_type(task).merge(own) if own else None


def votes_of(tx: Transaction, project: Project) -> Votes:
    """Every answer that stands in the project."""
    kind, task = task_type(project.task), project.task
    return Votes.of(
        (
            (item, annotator, kind.class_of(value))
            for item, annotator, given in tx.labels.votes(project.id)
            for value in readable([given], task)
        ),
        task.labels,
    )


def _by_people(tx: Transaction, project: Project, settings: ProjectSettings) -> Decide:
    """By what all answers of the project tell of each annotator."""
    votes = votes_of(tx, project)
    beliefs = METHODS[settings.consensus](votes)
    row_of = {item: row for row, item in enumerate(votes.item_names)}

    def decide(answers: ItemAnswers) -> Consensus:
        row = row_of.get(answers.item_id)
        return Consensus(None, 0.0) if row is None else _clear(project, votes, beliefs, row)

    return decide


def _clear(project: Project, votes: Votes, beliefs: Reals, row: int) -> Consensus:
    """The likeliest of the labels that somebody gave; none if two are equally likely."""
    kind = task_type(project.task)
    given = votes.counts[row].nonzero()[0]
    best = beliefs[row, given].max()
    names = [votes.classes[at] for at in given if beliefs[row, at] >= best - _EQUAL]
    leading = [kind.prediction(name) for name in names]
    return Consensus(leading[0] if len(leading) == 1 else None, min(1.0, float(best)), leading)
