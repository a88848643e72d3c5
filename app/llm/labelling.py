"""An LLM as oracle: it labels items, one text an answer. Its labels are signed as its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.entities import NewLabel
from app.core.errors import Conflict
from app.core.llm.answers import read_label
from app.core.llm.entities import Purpose
from app.core.llm.money import Estimate
from app.core.tasks import task_type
from app.llm import trusting
from app.llm.asking import Progress, Question, Read, Told
from app.llm.desk import Desk, Sitting, silent
from app.llm.prompting import LABEL, label_request, sent_text
from app.ports.llm import NewAnswer, Said
from app.ports.store import Transaction

MOST_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What came of asking about some items."""

    items: int
    answered: int
    unanswered: Mapping[int, str] = field(default_factory=dict)
    """Item ids with the reason; these are for people."""
    asked: int = 0
    """Calls that were made: what was known is not asked again."""
    cost: int = 0


def label(
    desk: Desk,
    name: str,
    *,
    purpose: Purpose = Purpose.LABEL,
    provider: str | None = None,
    round_number: int | None = None,
    gold: bool = False,
    limit: int = MOST_AT_ONCE,
    progress: Progress = silent,
) -> LabelReport:
    """Ask about a round's items, about items that people have labelled (`gold`, to learn how far it
    can be trusted), or about unlabelled ones of the pool."""
    sitting = desk.begin(name, purpose, provider, round_number)
    return ask_labels(sitting, item_ids(sitting, gold=gold, limit=limit), progress=progress)


def estimate_labels(
    desk: Desk,
    name: str,
    *,
    purpose: Purpose = Purpose.LABEL,
    provider: str | None = None,
    round_number: int | None = None,
    gold: bool = False,
    limit: int = MOST_AT_ONCE,
) -> Estimate:
    """What `label` with the same choices would cost, without asking anything."""
    sitting = desk.begin(name, purpose, provider, round_number)
    ids = item_ids(sitting, gold=gold, limit=limit)
    return sitting.estimate([one.request for one in questions(sitting, ids)])


def item_ids(sitting: Sitting, *, gold: bool, limit: int) -> Sequence[int]:
    """Which items are meant, the first `limit` of them."""
    with sitting.store.transaction() as tx:
        if sitting.round_id is not None:
            found = tx.llm_answers.round_items(sitting.round_id)
        elif gold:
            found = tx.llm_answers.labelled_by_people(sitting.project.id)
        else:
            found = tx.items.candidates(sitting.project.id).tolist()
    return found[:limit]


def questions(
    sitting: Sitting,
    ids: Sequence[int],
    *,
    prompt: str = LABEL,
    samples: int = 1,
    temperature: float = 0.0,
) -> Sequence[Question]:
    """One for each item and sample; nothing but the allowed fields goes in."""
    allowed = sitting.project.settings.llm.fields
    return [
        Question(
            label_request(
                sent_text(item.fields, allowed),
                sitting.project.task,
                purpose=sitting.purpose,
                name=prompt,
                sample=sample,
                temperature=temperature,
            ),
            (item.id,),
        )
        for item in sitting.items(ids)
        for sample in range(samples)
    ]


def ask_labels(
    sitting: Sitting,
    ids: Sequence[int],
    *,
    prompt: str = LABEL,
    progress: Progress = silent,
) -> LabelReport:
    asked = questions(sitting, ids, prompt=prompt)
    told = sitting.asker(reader(sitting), progress).ask(asked)
    return report(asked, told)


def answers_to(sitting: Sitting, asked: Sequence[Question]) -> Mapping[int, Said]:
    """What is stored of its answers to these very questions, by item."""
    asker = sitting.asker(reader(sitting))
    with sitting.store.transaction() as tx:
        prints = [asker.fingerprint(one) for one in asked]
        found = tx.llm_answers.said(sitting.project.id, sitting.purpose, prints)
    return {one.item_id: one for one in found}


def reader(sitting: Sitting) -> Read:
    """From an answer to what it says of its item."""
    task, kind = sitting.project.task, task_type(sitting.project.task)

    def read(question: Question, text: str) -> Sequence[NewAnswer]:
        found = read_label(text, task.labels)
        return [
            NewAnswer(
                item_id=item,
                fingerprint=question.request.fingerprint(
                    sitting.provider.name, sitting.provider.model
                ),
                value=kind.prediction(found.label),
                confidence=found.confidence,
                rationale=found.rationale,
                as_spelled=found.as_spelled,
            )
            for item in question.item_ids
        ]

    return read


def report(asked: Sequence[Question], told: Told) -> LabelReport:
    unanswered = {asked[n].item_ids[0]: why for n, why in told.problems.items()}
    return LabelReport(len(asked), len(told.answers), unanswered, told.asked, told.cost)


@dataclass(frozen=True, slots=True)
class Adopted:
    """How many of its answers became labels."""

    answers: int
    labels: int
    left_to_people: int


def adopt(
    desk: Desk,
    name: str,
    *,
    purpose: Purpose = Purpose.LABEL,
    provider: str | None = None,
    min_confidence: float = 0.0,
    actor: str,
) -> Adopted:
    """Let its answers be labels of pool items that have none. Above a confidence only where that
    confidence was measured; weak labels are for a start from nothing, when it cannot be, and weigh
    less in training. A person's answer replaces any of them."""
    sitting = desk.begin(name, purpose, provider)
    _insist_on_standing(sitting)
    routes = min_confidence > 0 and purpose is not Purpose.WEAK_LABELS
    read = _trusted(sitting).read if routes else _as_it_is
    with sitting.store.transaction() as tx:
        # one at a time with whoever makes labels of people's answers
        tx.projects.lock(sitting.project.id, "merge")
        return _adopt(tx, sitting, min_confidence, read, actor)


def _insist_on_standing(sitting: Sitting) -> None:
    provider = sitting.provider
    with sitting.store.transaction() as tx:
        found = tx.llm_standing.suspension(sitting.project.id, provider.name, provider.model)
    if found is not None:
        raise Conflict(
            f"{sitting.source} is suspended: {found.reason} When you have looked: "
            f"rounds llm reopen {sitting.project.name} --provider {provider.name}"
        )


def _as_it_is(confidence: float) -> float:
    return confidence


def _trusted(sitting: Sitting) -> trusting.Gauge:
    found = trusting.gauge(sitting)
    if not found.trust.may_route:
        raise Conflict(
            f"Its confidence may not decide who labels yet. {found.trust.reason} "
            "`rounds llm label --gold` asks about items that people have labelled."
        )
    return found


def _adopt(
    tx: Transaction, sitting: Sitting, least: float, read: Callable[[float], float], actor: str
) -> Adopted:
    project, provider = sitting.project, sitting.provider
    found = tx.llm_answers.opinions(project.id, sitting.purpose, provider.name, provider.model)
    good = {one.item_id: one for one in found if read(one.confidence) >= least}
    free = tx.llm_answers.unlabelled(project.id, list(good))
    tx.labels.add(
        project.id,
        [
            NewLabel(
                item_id=item,
                value=good[item].value,
                source=sitting.source,
                supersedes=before,
                confidence=good[item].confidence,
            )
            for item, before in sorted(free.items())
        ],
    )
    if free:
        tx.events.add(
            "labels.adopted", actor, project_id=project.id, labels=len(free), source=sitting.source
        )
    return Adopted(len(found), len(free), len(found) - len(good))
