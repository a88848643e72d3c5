"""How sure an LLM is of items: by what it says, and by whether it says the same again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.llm.answers import read_label
from app.core.llm.consistency import consistency
from app.core.llm.entities import Purpose
from app.core.llm.money import Estimate
from app.llm.asking import Check, Progress, Question, unhurried
from app.llm.desk import Desk, Sitting, silent
from app.llm.labelling import item_ids, questions, reader

SAMPLES = 5
TEMPERATURE = 0.8


@dataclass(frozen=True, slots=True)
class Doubt:
    """One item, the most doubtful first in a list of such."""

    item: str
    label: str | None
    confidence: float
    """As it says, in the mean; what could not be read counts as 0."""
    share: float
    """Of the samples, how many say this label."""
    entropy: float


def doubt(
    desk: Desk,
    name: str,
    *,
    provider: str | None = None,
    round_number: int | None = None,
    limit: int = 100,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> Sequence[Doubt]:
    """Ask about each item `samples` times. What nobody could read is the most doubtful of all."""
    sitting = desk.begin(name, Purpose.UNCERTAINTY, provider, round_number)
    ids = item_ids(sitting, gold=False, limit=limit)
    found = doubt_items(sitting, ids, samples, progress=progress)
    return sorted(found.values(), key=lambda one: (-one.entropy, one.confidence))


def doubt_items(
    sitting: Sitting,
    ids: Sequence[int],
    samples: int,
    *,
    progress: Progress = silent,
    check: Check = unhurried,
) -> Mapping[int, Doubt]:
    """By item, in the order given."""
    asked = _questions(sitting, ids, samples)
    told = sitting.asker(reader(sitting), progress, check).ask(asked)
    labels = sitting.project.task.labels
    said = [
        read_label(told.answers[n], labels) if n in told.answers else None
        for n in range(len(asked))
    ]
    found = {}
    for place, item in enumerate(sitting.items(ids)):
        own = said[place * samples : (place + 1) * samples]
        agreed = consistency([one.label if one else None for one in own], len(labels))
        mean = sum(one.confidence if one else 0.0 for one in own) / samples
        found[item.id] = Doubt(item.external_id, agreed.label, mean, agreed.share, agreed.entropy)
    return found


def score(one: Doubt) -> float:
    """From 0 to 1: what it says of itself, and whether it says the same again, count alike."""
    return (one.entropy + 1 - one.confidence) / 2


def estimate_doubt(
    desk: Desk,
    name: str,
    *,
    provider: str | None = None,
    round_number: int | None = None,
    limit: int = 100,
    samples: int = SAMPLES,
) -> Estimate:
    """What `doubt` would cost, without asking anything."""
    sitting = desk.begin(name, Purpose.UNCERTAINTY, provider, round_number)
    ids = item_ids(sitting, gold=False, limit=limit)
    return sitting.estimate([one.request for one in _questions(sitting, ids, samples)])


def _questions(sitting: Sitting, ids: Sequence[int], samples: int) -> Sequence[Question]:
    temperature = TEMPERATURE if samples > 1 else 0.0
    return questions(sitting, ids, samples=samples, temperature=temperature)
