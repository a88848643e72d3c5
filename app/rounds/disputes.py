"""Where annotators disagree, somebody else is asked: an extra annotator, or an adjudicator.

Disputed items go to an Argilla dataset of their own. In the one they came from nobody would see
them any more: Argilla sets one number of answers for a whole dataset, and they have it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.entities import AnnotationDataset, Dispute, ItemAnswers
from app.core.errors import NotFound
from app.core.projects import MOST_ANSWERS, ProjectSettings
from app.core.tasks import Consensus, task_type
from app.ports.annotation_tool import DatasetSpec, MetadataProperty, RecordOut
from app.rounds import second_reader
from app.rounds.collecting import DISPUTES
from app.rounds.deciding import decider, readable
from app.rounds.identity import external_id, item_of
from app.rounds.pushing import dataset_spec
from app.rounds.second_reader import JUDGED, View
from app.rounds.work import Work

ANSWERS = MetadataProperty("answers", "terms", "Answers so far")
EXTRA = (
    "Annotators disagree about these texts. If you have not answered one before, your answer "
    "decides: choose as you would anywhere. If you have, leave it to others, or think again.\n\n"
)
ADJUDICATOR = (
    "Annotators disagree about these texts; *Answers so far* among the metadata says how. The "
    "answer of an adjudicator ({names}) decides.\n\n"
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is to be done about the items of a round."""

    opened: Mapping[int, float]
    """Item → agreement."""
    decided: Sequence[int]
    undecided: Sequence[int]
    """Items of open disputes that nobody is left to decide."""


def follow(work: Work) -> None:
    """Open disputes about what came to nothing, show them, end those that are over."""
    if work.round.settings.most_needed < 2:
        return
    verdicts, answers = _judge(work)
    _take_back(work, [*verdicts.decided, *verdicts.undecided])
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.disputes.end(verdicts.decided, "decided")
        tx.disputes.end(verdicts.undecided, "undecided")
        tx.disputes.open(work.round, verdicts.opened)
    _show(work, answers)


def _judge(work: Work) -> tuple[Verdicts, Mapping[int, ItemAnswers]]:
    """Every fully answered item of the round: is it decided, and if not, can it still be?"""
    with work.store.transaction() as tx:
        waiting = set(tx.selections.unanswered(work.round))
        out = tx.selections.out(work.round.id)
        answers = tx.labels.answers(work.project.id, [item for item in out if item not in waiting])
        decide = decider(tx, work.project, work.round.settings)
        known = tx.disputes.of_round(work.round.id)
    found = {one.item_id: (decide(one), one) for one in answers}
    return _verdicts(found, known, work.round.settings), {one.item_id: one for one in answers}


def _verdicts(
    found: Mapping[int, tuple[Consensus, ItemAnswers]],
    known: Mapping[int, Dispute],
    settings: ProjectSettings,
) -> Verdicts:
    opened: dict[int, float] = {}
    decided, undecided = [], []
    for item, (consensus, answers) in found.items():
        if consensus.value is not None or not answers.values:
            decided.append(item)
        elif _nobody_left(answers, known.get(item), settings):
            undecided.append(item)
        else:
            opened[item] = consensus.agreement
    return Verdicts(opened, decided, undecided)


def _nobody_left(answers: ItemAnswers, dispute: Dispute | None, settings: ProjectSettings) -> bool:
    """An extra annotator is asked while fewer than the most have answered; who has answered before
    and was asked again has taken the place of one."""
    if settings.adjudication != "extra":
        return settings.adjudication == "none"
    extra = settings.most_asked - settings.most_needed
    asked_again = dispute.answers if dispute else 0
    return answers.people >= settings.most_asked or asked_again >= extra


def _take_back(work: Work, ended: Sequence[int]) -> None:
    """What was settled elsewhere need not be answered among the disputed ones."""
    with work.store.transaction() as tx:
        known = tx.disputes.of_round(work.round.id)
        dataset = _dataset(tx.annotations.datasets(work.project.id))
    there = [item for item in ended if item in known and known[item].is_open]
    idle = [item for item in there if known[item].record_id and not known[item].answers]
    if dataset is None or not idle:
        return
    try:
        work.tool.withdraw(dataset.dataset_id, [external_id(item) for item in idle])
    except NotFound:
        return  # somebody has deleted the dataset, and the records with it


def _dataset(datasets: Sequence[AnnotationDataset]) -> AnnotationDataset | None:
    return next((one for one in reversed(datasets) if one.purpose == DISPUTES), None)


def _show(work: Work, answers: Mapping[int, ItemAnswers]) -> None:
    """Push the disputed items that are not in Argilla yet. A repeat changes nothing there."""
    with work.store.transaction() as tx:
        known = tx.disputes.of_round(work.round.id)
    hidden = [one for one in known.values() if one.is_open and one.record_id is None]
    if not hidden:
        return
    reference = work.tool.ensure_dataset(_spec(work))
    views = second_reader.views(work, [one.item.id for one in hidden])
    records = [
        _record(work, one, answers.get(one.item.id), views.get(one.item.id)) for one in hidden
    ]
    report = work.tool.push(reference.dataset_id, records)
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.annotations.add_dataset(
            work.project, reference.dataset_id, reference.annotate_url, purpose=DISPUTES
        )
        taken = {item_of(name): record for name, record in report.accepted.items()}
        tx.disputes.mark_pushed({item: record for item, record in taken.items() if item})
        refused = [item for name in report.refused if (item := item_of(name))]
        tx.disputes.end(refused, "undecided")
        for item in refused:
            problem = report.refused[external_id(item)]
            tx.events.add("dispute.refused", "argilla", project_id=work.project.id,
                          round_id=work.round.id, item=item, problem=problem)  # fmt: skip


def _spec(work: Work) -> DatasetSpec:
    """As the project's own dataset, but for how many answers complete a record: as many as there
    may be extra ones, and for an adjudicator's so many that nobody else's completes it."""
    settings, spec = work.round.settings, dataset_spec(work.project)
    asks_adjudicator = settings.adjudication == "adjudicator"
    extra = max(1, settings.most_asked - settings.most_needed)
    told = ADJUDICATOR.format(names=", ".join(settings.adjudicators))
    return replace(
        spec,
        name=f"{spec.name}-disputed",
        guidelines=(told if asks_adjudicator else EXTRA) + (spec.guidelines or ""),
        min_submitted=MOST_ANSWERS if asks_adjudicator else extra,
        properties=(*spec.properties, ANSWERS, JUDGED),
    )


def _record(
    work: Work, dispute: Dispute, answers: ItemAnswers | None, view: View | None
) -> RecordOut:
    """An extra annotator is not told what the others said; an adjudicator is. Either is told what
    an LLM says where the project wants that."""
    metadata: dict[str, str | int | float] = {"round": work.round.number, "rank": dispute.rank}
    if work.round.settings.adjudication == "adjudicator" and answers is not None:
        metadata["answers"] = _told(work, answers)
    if view is not None:
        metadata["judge"] = view.told
    suggestion = view.suggestion if view else None
    return RecordOut(external_id(dispute.item.id), dict(dispute.item.fields), metadata, suggestion)


def _told(work: Work, answers: ItemAnswers) -> str:
    kind = task_type(work.project.task)
    labels = [kind.class_of(value) for value in readable(answers.values, work.project.task)]
    return ", ".join(f"{label} {count}" for label, count in Counter(labels).most_common())[:500]
