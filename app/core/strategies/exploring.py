"""Doubt asks only about what the classifier has heard of. While classes lack labels, look around.

A class without a label is taken, often with confidence, for another: its items look certain, and a
strategy that goes by doubt alone never asks about them. So a share of the batch goes to typical
items of groups without labels, the larger the more classes lack labels; it fades when many labels
have not turned a class up, for then there is hardly anything to find.
"""

from collections.abc import Callable

import numpy as np

from app.core.strategies.mixture import Parts, mixed
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal, Strategy

MOST = 0.5
"""Of the batch, at most so much looks around."""
ENOUGH = 10
"""Labels a class on average after which looking around fades."""


def looking_around(doubtful: Strategy, typical: Strategy) -> Callable[[Pool, int], Proposal]:
    """A strategy: `doubtful`, and `typical` for as much of the batch as classes lack labels."""

    def propose(pool: Pool, size: int) -> Proposal:
        share = exploring_share(pool)
        if round(share * size) == 0:
            return doubtful.propose(pool, size)
        parts: Parts = [(doubtful, 1 - share), (typical, share)]
        return mixed(pool, parts, size)

    return propose


def exploring_share(pool: Pool) -> float:
    """Classes without a label count whole, those with a single one half."""
    classes, labelled = len(pool.request.classes), pool.request.labelled_y
    counts = np.bincount(np.fromiter(labelled.values(), np.int64, len(labelled)), minlength=classes)
    lacking = float((counts == 0).sum() + (counts == 1).sum() / 2) / max(classes, 1)
    fading = min(1.0, ENOUGH * classes / max(len(labelled), 1))
    return min(lacking * fading, MOST)
