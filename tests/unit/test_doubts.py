"""Labels that are contradicted: those that were put in wrong are found, others seldom."""

import numpy as np

from app.core.doubts import doubts


def test_most_labels_put_in_wrong_are_found_and_no_right_one_before_them() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 300)
    probabilities = rng.dirichlet(np.ones(3), 300) * 0.4
    probabilities[np.arange(300), truth] += 0.6
    wrong = rng.choice(300, 20, replace=False)
    labels = truth.copy()
    labels[wrong] = (labels[wrong] + 1) % 3
    found = doubts(probabilities, labels)
    assert len(found) >= 12
    assert {one.row for one in found[:12]} <= set(wrong.tolist())
    leads = [one.believed_probability - one.label_probability for one in found]
    assert leads == sorted(leads, reverse=True)
    assert all(one.believed == truth[one.row] for one in found[:5])


def test_a_class_that_is_never_sure_is_not_doubted_for_that() -> None:
    """Items of class 1 get 0.4 at best, less than class 0 does; they are usual for their class."""
    probabilities = np.array([[0.95, 0.05]] * 10 + [[0.6, 0.4]] * 10)
    assert doubts(probabilities, np.array([0] * 10 + [1] * 10)) == []


def test_a_class_without_a_label_is_never_believed() -> None:
    probabilities = np.array([[0.3, 0.1, 0.6]] * 5 + [[0.1, 0.8, 0.1]] * 5)
    assert all(one.believed != 2 for one in doubts(probabilities, np.array([0] * 5 + [1] * 5)))
