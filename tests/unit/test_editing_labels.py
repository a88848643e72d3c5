"""What becomes of old labels when a project's labels are edited."""

import pytest

from app.core.errors import WrongInput
from app.core.tasks import TaskSpec
from app.core.tasks.editing import by_words, edited

TASK = TaskSpec("single_label", ("refund", "delivery", "praise"))


def test_what_keeps_its_name_stays_and_the_rest_goes_where_it_is_sent():
    new, mapping = edited(TASK, ["money", "praise", "other"], {"refund": "money", "delivery": None})
    assert new.labels == ("money", "praise", "other")
    assert mapping == {"refund": "money", "delivery": None, "praise": "praise"}


@pytest.mark.parametrize(
    ("labels", "mapping", "wrong"),
    [
        (["refund", "praise"], {}, "What becomes of 'delivery'"),
        (["refund", "praise"], {"delivery": "parcel"}, "not one of the new labels"),
        (["refund", "delivery", "praise"], {"parcel": "delivery"}, "no label 'parcel'"),
        (["refund", "delivery", "praise"], {}, "Nothing would change"),
        (["refund"], {"delivery": "refund", "praise": "refund"}, "2 to 500"),
    ],
)
def test_edits_that_lose_answers_or_say_nothing_are_refused(labels, mapping, wrong):
    with pytest.raises(WrongInput, match=wrong):
        edited(TASK, labels, mapping)


def test_single_edits_keep_the_order_and_merge_what_becomes_one():
    labels, mapping = by_words(
        TASK,
        rename=[("refund", "money"), ("praise", "money")],
        split=[("delivery", ["late", "lost"])],
        add=["other"],
    )
    assert labels == ["money", "late", "lost", "other"]
    assert mapping == {"refund": "money", "praise": "money", "delivery": None}
    assert by_words(TASK, drop=["delivery"]) == (["refund", "praise"], {"delivery": None})
