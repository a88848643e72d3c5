"""Looking around while classes lack labels."""

import numpy as np
import pytest

from app.core.strategies import select
from app.core.strategies.exploring import MOST, exploring_share
from app.core.strategies.pool import Pool
from app.core.types import SelectionRequest
from tests.unit.selection_factory import features, request

NAME = "margin_diversity.v2"
NAMES = (NAME, "margin_diversity.v1")


def labelled(counts: dict[int, int]) -> dict[int, int]:
    """So many labels of each class, on the rows that are occupied."""
    classes = [one for one, count in counts.items() for _ in range(count)]
    return dict(enumerate(classes))


def share(counts: dict[int, int], classes: int = 4) -> float:
    occupied = sum(counts.values())
    return exploring_share(
        Pool(request(200, classes=classes, occupied=occupied, labelled_y=labelled(counts)))
    )


def test_every_class_with_labels_needs_no_looking_around() -> None:
    assert share({0: 5, 1: 2, 2: 9, 3: 4}) == 0


def test_a_class_without_labels_counts_whole_and_one_with_a_single_half() -> None:
    assert share({0: 5, 1: 5, 2: 5}) == pytest.approx(1 / 4)
    assert share({0: 5, 1: 5, 2: 5, 3: 1}) == pytest.approx(1 / 8)


def test_it_never_takes_more_than_half_and_fades_when_nothing_turns_up() -> None:
    assert share({0: 3}, classes=10) == MOST
    assert share({0: 40, 1: 40, 2: 80}) == pytest.approx(1 / 4 * 40 / 160)


def test_with_all_classes_seen_it_is_the_first_version() -> None:
    whole = request(300, occupied=40)
    one, two = select(NAME, whole), select("margin_diversity.v1", whole)
    assert one.picks == two.picks


def test_it_finds_the_group_that_the_classifier_takes_for_another() -> None:
    """Four groups far apart; the fourth has no label, and its items seem surely of the third."""
    rng = np.random.default_rng(3)
    centres = np.eye(8, dtype=np.float32)[:4]
    group = np.repeat(np.arange(4), 100)
    dense = centres[group] + 0.15 * rng.normal(size=(400, 8)).astype(np.float32)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    occupied = np.array([0, 1, 2, 100, 101, 102, 200, 201, 202])
    candidates = np.setdiff1d(np.arange(400), occupied)
    table = np.full((len(candidates), 4), 0.1, np.float32)
    table[np.arange(len(candidates)), np.minimum(group[candidates], 2)] = 0.5
    table[:, 3] = 0.05
    table[group[candidates] == 3] = (0.01, 0.01, 0.97, 0.01)
    asked = SelectionRequest(
        features=features(dense),
        candidates=candidates,
        occupied=occupied,
        probabilities=table / table.sum(axis=1, keepdims=True),
        batch_size=8,
        seed=0,
        classes=("a", "b", "c", "d"),
        labelled_y={row: int(group[row]) for row in occupied.tolist()},
    )
    groups = {name: {group[pick.row] for pick in select(name, asked).picks} for name in NAMES}
    assert 3 in groups[NAME]
    assert 3 not in groups["margin_diversity.v1"]


def test_reasons_are_told_as_they_are() -> None:
    whole = request(300, occupied=9, labelled_y=labelled({0: 3, 1: 3, 2: 3}), batch=8)
    reasons = [pick.reason for pick in select(NAME, whole).picks]
    assert len(reasons) == 8
    assert not any("v1" in reason for reason in reasons)
    assert any(reason.startswith("torn between") for reason in reasons)
    assert any("typical" in reason for reason in reasons)
