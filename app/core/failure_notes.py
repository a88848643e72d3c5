"""What goes wrong in a project, noticed by the program: with the evidence, and what to do next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DUPLICATE_HEAVY = 0.2
REPEATED = 0.3
ENOUGH_LABELS = 5
"""Labels a class that there should be on average before one is said to starve."""
STARVING = 0.2
FLAT_ROUNDS, FLAT_GAIN = 5, 0.005
FALLEN = 0.05
CONFUSED_SHARE, CONFUSED_LEAST = 0.2, 10
CONFUSED_TIMES = 1.5
"""How much more than its share of the errors a pair of classes must have."""
CALIBRATION_ERROR, CALIBRATION_ITEMS = 0.1, 200
DRIFTED = 0.75


@dataclass(frozen=True, slots=True)
class Note:
    code: str
    message: str
    next_step: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """How a project stands when a round has been measured. Histories are oldest first."""

    pool: int = 0
    duplicates: int = 0
    repeated: float | None = None
    """Share of the batch that is nearly the same as what was picked before."""
    labels_of: Mapping[str, int] = field(default_factory=dict)
    """Of every class, those without any included."""
    accuracies: Sequence[float] = ()
    """On held-out items."""
    alphas: Sequence[float] = ()
    classes: Sequence[str] = ()
    confusion: Sequence[Sequence[int]] = ()
    """On held-out items: rows are what is true, columns what was predicted."""
    ece: float | None = None
    held_out: int = 0
    duel: Mapping[str, Any] | None = None
    """`verdict` and `said` of the project's duel, once it is fought."""
    drift_of_new: float | None = None


def notes(picture: Picture) -> Sequence[Note]:
    return [found for rule in RULES if (found := rule(picture)) is not None]


def _duplicates(picture: Picture) -> Note | None:
    share = picture.duplicates / max(picture.pool + picture.duplicates, 1)
    if share < DUPLICATE_HEAVY:
        return None
    return Note(
        "duplicate_heavy_pool",
        f"{share:.0%} of what was imported are copies of other items; they were set aside.",
        "Look where they come from. If they are common in use as well, weigh that when you read "
        "the figures: each text counts once here.",
        {"duplicates": picture.duplicates, "pool": picture.pool},
    )


def _repetitions(picture: Picture) -> Note | None:
    if picture.repeated is None or picture.repeated < REPEATED:
        return None
    return Note(
        "repetitive_batch",
        f"{picture.repeated:.0%} of the batch is nearly the same as items picked before.",
        "The pool may hold little that is new. Import more texts, or stop.",
        {"repeated": picture.repeated},
    )


def _starving(picture: Picture) -> Note | None:
    total, classes = sum(picture.labels_of.values()), len(picture.labels_of)
    if not classes or total < ENOUGH_LABELS * classes:
        return None
    least = STARVING * total / classes
    starving = {name: n for name, n in picture.labels_of.items() if n < least}
    if not starving:
        return None
    named = ", ".join(f"{name} ({n})" for name, n in sorted(starving.items())[:5])
    return Note(
        "class_starving",
        f"Of {total:,} labels few are of these classes: {named}.",
        "Choose by balanced_margin for some rounds, import texts that may be of these classes, or "
        "merge them into others with `rounds relabel`.",
        {"labels": total, "starving": starving},
    )


def _flat(picture: Picture) -> Note | None:
    if len(picture.accuracies) <= FLAT_ROUNDS:
        return None
    recent, earlier = picture.accuracies[-FLAT_ROUNDS:], picture.accuracies[:-FLAT_ROUNDS]
    gain = max(recent) - max(earlier)
    if gain > FLAT_GAIN:
        return None
    return Note(
        "metric_flat",
        f"The last {FLAT_ROUNDS} rounds moved the best accuracy on held-out items by "
        f"{100 * gain:+.1f} points.",
        "Look at the forecast of the gain and at the confused classes. More labels of this kind "
        "may add little; clearer guidelines or better features may add more.",
        {"rounds": FLAT_ROUNDS, "gain": gain},
    )


def _agreement(picture: Picture) -> Note | None:
    if len(picture.alphas) < 2:
        return None
    best, now = max(picture.alphas[:-1]), picture.alphas[-1]
    if best - now < FALLEN:
        return None
    return Note(
        "agreement_falling",
        f"Annotators agree less than before: Krippendorff's alpha was {best:.2f} and is {now:.2f}.",
        "Harder items are one reason, tiredness and unclear guidelines are others. See with "
        "`rounds annotators` which labels are confused by whom.",
        {"best": best, "now": now},
    )


def _confusion(picture: Picture) -> Note | None:
    pairs = _pairs(picture)
    errors = sum(pairs.values())
    if not pairs:
        return None
    (one, other), most = max(pairs.items(), key=lambda pair: pair[1])
    least = max(CONFUSED_SHARE, CONFUSED_TIMES / len(pairs)) * errors
    if len(pairs) == 1 or most < max(CONFUSED_LEAST, least):
        return None
    return Note(
        "label_confusion",
        f"{most} of {errors} errors on held-out items are between {one} and {other}.",
        "Say in the guidelines what tells them apart, review their doubted labels, or merge them "
        "if the difference does not matter.",
        {"classes": [one, other], "errors": most, "all_errors": errors},
    )


def _pairs(picture: Picture) -> Mapping[tuple[str, str], int]:
    """Errors between each two classes, whichever of them is true."""
    return {
        (one, picture.classes[b]): picture.confusion[a][b] + picture.confusion[b][a]
        for a, one in enumerate(picture.classes)
        for b in range(a + 1, len(picture.classes))
        if picture.confusion
    }


def _calibration(picture: Picture) -> Note | None:
    if picture.ece is None or picture.held_out < CALIBRATION_ITEMS:
        return None
    if picture.ece < CALIBRATION_ERROR:
        return None
    return Note(
        "calibration_off",
        f"Probabilities are off by {100 * picture.ece:.0f} points on average, on "
        f"{picture.held_out:,} held-out items.",
        "Do not take confidences at their word yet. It often passes with more labels; held-out "
        "items that differ from the pool are another reason.",
        {"ece": picture.ece, "items": picture.held_out},
    )


def _not_helping(picture: Picture) -> Note | None:
    """From the duel alone: nothing else can tell."""
    if picture.duel is None or picture.duel.get("verdict") in (None, "active"):
        return None
    worse = picture.duel["verdict"] == "random"
    return Note(
        "active_learning_not_helping" if worse else "active_learning_not_shown_to_help",
        str(picture.duel["said"]),
        "Choose at random (`strategy=random`) for a while, or try another strategy."
        if worse
        else "Nothing need be done: choosing has not been shown to harm either.",
        {"verdict": picture.duel["verdict"]},
    )


def _drift(picture: Picture) -> Note | None:
    if picture.drift_of_new is None or picture.drift_of_new < DRIFTED:
        return None
    return Note(
        "new_items_differ",
        "What was imported last differs from the rest of the pool: the two can be told apart in "
        f"{picture.drift_of_new:.0%} of pairs (50% is not at all).",
        "Earlier random checks say little of the new items: draw a fresh audit (`rounds audit`).",
        {"told_apart": picture.drift_of_new},
    )


Rule = Callable[[Picture], Note | None]
RULES: Sequence[Rule] = (
    _duplicates,
    _repetitions,
    _starving,
    _flat,
    _agreement,
    _confusion,
    _calibration,
    _not_helping,
    _drift,
)
