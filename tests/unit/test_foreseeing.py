"""What somebody agreed to when they saw what an edit of the labels would change."""

from dataclasses import replace

import pytest

from app.core.errors import NotAsForeseen
from app.rounds.foreseeing import Foreseen, Given

SEEN = Foreseen(
    version=1,
    labels=("refund", "late"),
    mapping={"refund": "refund", "delivery": "late", "praise": None},
    given=(Given("refund", 5, 1), Given("delivery", 3, 0), Given("praise", 0, 2)),
)


def given(at: int, **more: int) -> Foreseen:
    counted = list(SEEN.given)
    counted[at] = replace(counted[at], **more)
    return replace(SEEN, given=counted)


@pytest.mark.parametrize(
    "by_now",
    [
        given(1, pool=4),
        given(1, held_out=1),
        given(2, pool=1),
        replace(SEEN, version=2),
        replace(SEEN, labels=("late", "refund")),
        replace(SEEN, mapping={**SEEN.mapping, "delivery": "refund"}),
        replace(SEEN, mapping={**SEEN.mapping, "praise": "late"}),
    ],
    ids=["renamed", "held out", "taken back", "edited", "order", "merged", "carried"],
)
def test_what_would_change_something_else_is_not_what_was_seen(by_now: Foreseen) -> None:
    with pytest.raises(NotAsForeseen) as refused:
        by_now.insist(SEEN.fingerprint)
    assert refused.value.evidence == {"fingerprint": by_now.fingerprint}


def test_a_label_that_stays_what_it_is_may_be_given_meanwhile() -> None:
    given(0, pool=500).insist(SEEN.fingerprint)


def test_who_expects_nothing_is_not_asked() -> None:
    given(1, pool=400).insist(None)
