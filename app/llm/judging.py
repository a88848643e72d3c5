"""An LLM as second reader: where it, people and the classifier disagree. Its figures are judged
ones; they are kept and shown apart from those that people's answers give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.llm.entities import Purpose
from app.core.llm.money import Estimate
from app.core.tasks import task_type
from app.llm.asking import Progress
from app.llm.desk import Desk, Sitting, silent
from app.llm.labelling import ask_labels, item_ids, questions
from app.llm.prompting import JUDGE
from app.ports.llm import NewJudgement, Opinion

KIND = "judged_disagreement"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which not all say the same, with the judge's reason, for whoever decides."""

    item: str
    judge: str
    judge_confidence: float
    rationale: str | None
    person: str | None
    classifier: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures whose yardstick is an LLM, and what it disagrees with."""

    figures: Mapping[str, Any]
    disagreements: Sequence[Disagreement]
    unanswered: int
    cost: int


def judge(
    desk: Desk,
    name: str,
    *,
    provider: str | None = None,
    round_number: int | None = None,
    limit: int = 1_000,
    progress: Progress = silent,
) -> Judged:
    """Of a round's items, or of items that people have labelled. The judge is not told what others
    said, or it would lean towards it."""
    sitting = desk.begin(name, Purpose.JUDGE, provider, round_number)
    ids = item_ids(sitting, gold=True, limit=limit)
    told = ask_labels(sitting, ids, prompt=JUDGE, progress=progress)
    figures, rows = compare(sitting, ids)
    different = [one for one in rows if len(_voices(one)) > 1]
    return Judged(figures, different, len(told.unanswered), told.cost)


def compare(
    sitting: Sitting, ids: Sequence[int]
) -> tuple[Mapping[str, Any], Sequence[Disagreement]]:
    """What it has said of these beside what others say. The figures are kept, as judged ones."""
    rows = _compared(sitting, ids)
    figures = _figures(rows)
    if rows:
        _keep(sitting, figures, len(rows))
    return figures, rows


def estimate_judge(
    desk: Desk,
    name: str,
    *,
    provider: str | None = None,
    round_number: int | None = None,
    limit: int = 1_000,
) -> Estimate:
    """What `judge` would cost, without asking anything."""
    sitting = desk.begin(name, Purpose.JUDGE, provider, round_number)
    ids = item_ids(sitting, gold=True, limit=limit)
    return sitting.estimate([one.request for one in questions(sitting, ids, prompt=JUDGE)])


def _compared(sitting: Sitting, ids: Sequence[int]) -> list[Disagreement]:
    """Every judged item with what the others say of it."""
    project, provider, kind = sitting.project, sitting.provider, task_type(sitting.project.task)
    with sitting.store.transaction() as tx:
        said = tx.llm_answers.opinions(project.id, Purpose.JUDGE, provider.name, provider.model)
        both = tx.llm_answers.both(project.id, Purpose.JUDGE, provider.name, provider.model)
        predicted = tx.llm_answers.predictions(sitting.round_id) if sitting.round_id else {}
    opinions: Mapping[int, Opinion] = {one.item_id: one for one in said}
    people = {one.item_id: kind.class_of(one.person) for one in both}
    return [
        Disagreement(
            item=item.external_id,
            judge=kind.class_of(opinions[item.id].value),
            judge_confidence=opinions[item.id].confidence,
            rationale=opinions[item.id].rationale,
            person=people.get(item.id),
            classifier=kind.class_of(predicted[item.id]) if item.id in predicted else None,
        )
        for item in sitting.items(ids)
        if item.id in opinions
    ]


def _voices(one: Disagreement) -> set[str]:
    return {voice for voice in (one.judge, one.person, one.classifier) if voice is not None}


def _figures(rows: Sequence[Disagreement]) -> Mapping[str, Any]:
    """Each pair that has items in common: on how many, and how often they agree."""
    pairs: Mapping[str, Sequence[tuple[str | None, str | None]]] = {
        "judge_and_person": [(one.judge, one.person) for one in rows],
        "judge_and_classifier": [(one.judge, one.classifier) for one in rows],
        "person_and_classifier": [(one.person, one.classifier) for one in rows],
    }
    found = {}
    for name, voices in pairs.items():
        common = [(a, b) for a, b in voices if a is not None and b is not None]
        agree = sum(a == b for a, b in common) / len(common) if common else None
        found[name] = {"items": len(common), "agreement": agree}
    return found


def _keep(sitting: Sitting, figures: Mapping[str, Any], items: int) -> None:
    with sitting.store.transaction() as tx:
        tx.llm_answers.add_judgement(
            sitting.project.id,
            NewJudgement(
                kind=KIND,
                provider=sitting.provider.name,
                model=sitting.provider.model,
                prompt=JUDGE,
                items=items,
                figures=figures,
            ),
        )
