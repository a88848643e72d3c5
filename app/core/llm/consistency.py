"""How sure an LLM is, seen from asking it several times."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Consistency:
    """What several answers to one question come to."""

    label: str | None
    """The most frequent; of equals the one said first. None if nothing could be read."""
    share: float
    """Its share of all answers, unreadable ones included."""
    entropy: float
    """Spread of the answers, 0 for all alike to 1 for all different; 1 if nothing was read."""


def consistency(labels: Sequence[str | None], classes: int) -> Consistency:
    """None stands for an answer that could not be read: each is a disagreement of its own."""
    counts = Counter(label for label in labels if label is not None)
    if not counts:
        return Consistency(None, 0.0, 1.0)
    label, votes = counts.most_common(1)[0]
    unread = len(labels) - sum(counts.values())
    shares = [count / len(labels) for count in (*counts.values(), *[1] * unread)]
    most = log(min(len(labels), classes)) if min(len(labels), classes) > 1 else 1.0
    spread = -sum(share * log(share) for share in shares) / most
    return Consistency(label, votes / len(labels), min(1.0, max(0.0, spread)))
