"""Each note is written when there is reason for it, and not otherwise."""

from dataclasses import replace

import pytest

from app.core.failure_notes import Picture, notes

HEALTHY = Picture(
    pool=1000,
    duplicates=20,
    repeated=0.05,
    labels_of={"a": 40, "b": 30, "c": 50},
    accuracies=[0.5, 0.6, 0.66, 0.7, 0.73, 0.75, 0.77],
    alphas=[0.7, 0.72],
    classes=("a", "b", "c"),
    confusion=[[80, 5, 5], [4, 80, 6], [6, 4, 80]],
    ece=0.03,
    held_out=270,
    duel={"verdict": "active", "said": "better"},
    drift_of_new=0.55,
)


def codes(**changed) -> set[str]:
    return {one.code for one in notes(replace(HEALTHY, **changed))}


def test_where_nothing_goes_wrong_nothing_is_noted() -> None:
    assert codes() == set()
    assert notes(Picture()) == []


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("duplicate_heavy_pool", {"duplicates": 400}),
        ("repetitive_batch", {"repeated": 0.5}),
        ("class_starving", {"labels_of": {"a": 60, "b": 2, "c": 58}}),
        ("metric_flat", {"accuracies": [0.7, 0.75, 0.75, 0.74, 0.75, 0.75, 0.75]}),
        ("agreement_falling", {"alphas": [0.8, 0.7]}),
        ("label_confusion", {"confusion": [[60, 25, 5], [20, 65, 5], [4, 6, 80]]}),
        ("calibration_off", {"ece": 0.15}),
        ("active_learning_not_helping", {"duel": {"verdict": "random", "said": "worse"}}),
        (
            "active_learning_not_shown_to_help",
            {"duel": {"verdict": "by_chance", "said": "not separated"}},
        ),
        ("new_items_differ", {"drift_of_new": 0.9}),
    ],
)
def test_a_note_has_its_evidence_and_a_next_step(code, changed) -> None:
    (note,) = notes(replace(HEALTHY, **changed))
    assert note.code == code
    assert note.evidence
    assert note.message.endswith(".") or note.code.startswith("active")
    assert note.next_step.endswith(".")


def test_nothing_is_noted_of_figures_that_rest_on_too_little() -> None:
    assert codes(ece=0.3, held_out=50) == set()
    assert codes(labels_of={"a": 5, "b": 0, "c": 5}) == set()
    assert codes(accuracies=[0.7, 0.7, 0.7]) == set()
