"""Reasons are for people: they are read aloud here."""

import numpy as np

from app.core import reasons

CLASSES = ("refund", "chargeback", "card lost")


def test_the_two_best_classes_are_named_with_their_probabilities() -> None:
    p = np.float32([[0.41, 0.39, 0.2], [0.05, 0.05, 0.9]])
    assert reasons.torn_between(p, np.array([0, 1]), CLASSES) == [
        "torn between *refund* 0.41 and *chargeback* 0.39",
        "fairly sure: *card lost* 0.90 and *refund* 0.05",
    ]
    assert reasons.best_guess(p, np.array([0]), CLASSES) == ["best guess is *refund*, at only 0.41"]
    one = reasons.torn_between(np.ones((1, 1), np.float32), np.array([0]), CLASSES[:1])
    assert one == ["the only class so far is *refund*"]


def test_counts_are_exact_or_rounded_and_said_to_be() -> None:
    assert reasons.stands_for([212, 1, 0], exact=True) == [
        "stands for 212 similar items",
        "stands for 1 similar item",
        "",
    ]
    assert reasons.stands_for([2_437], exact=False) == ["stands for about 2,400 similar items"]
    assert reasons.typical_of([310, 0], exact=True) == [
        "typical of a group of 310 similar items not yet labelled",
        "unlike anything labelled so far",
    ]


def test_votes_and_labels() -> None:
    votes = np.array([[0, 0, 1, 2, 0]])
    assert reasons.split_votes(votes, CLASSES) == [
        "of 5 classifiers 3 say *refund*, 1 *chargeback*, 1 *card lost*"
    ]
    assert reasons.few_labels([0, 1, 3], [0, 1, 2], CLASSES) == [
        "*refund* has no label yet",
        "*chargeback* has only 1 label",
        "*card lost* has 3 labels",
    ]


def test_parts_are_joined_and_empty_ones_left_out() -> None:
    assert reasons.joined(["a", "b"], ["", "c"]) == ["a", "b; c"]
