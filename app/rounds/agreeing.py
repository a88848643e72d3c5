"""How far the annotators of a project agree, and how fast each works, as of now.

Both are computed once after each change and kept for whoever looks. The first is kept with each
round too. The second is not: it tells of the clock, not of the answers, and two runs that are alike
in all else would differ by it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from app.core import agreement
from app.core.entities import Project
from app.core.pace import pace_of
from app.core.tasks import task_type
from app.core.votes import Integers, Votes
from app.ports.store import RestsOn, Transaction
from app.rounds.deciding import votes_of

KIND = "agreement"
NO_PACE: Mapping[str, Any] = asdict(pace_of(()))


def report(tx: Transaction, project: Project) -> dict[str, Any]:
    """Plain JSON values; a figure that cannot be had is null beside its reason."""
    return tx.figures.kept(project.id, KIND, RestsOn.VERDICTS, lambda: _computed(tx, project))


def _computed(tx: Transaction, project: Project) -> dict[str, Any]:
    votes = votes_of(tx, project)
    label_of = _labels(tx, project, votes)
    return {
        "answers": len(votes),
        "items": len(votes.item_names),
        "items_with_several": len(votes.several().item_names),
        "alpha": asdict(agreement.krippendorff_alpha(votes)),
        "fleiss_kappa": asdict(agreement.fleiss_kappa(votes)),
        "annotators": _annotators(votes, label_of),
        "pairs": [asdict(pair) for pair in agreement.pairs(votes)],
        "classes": [asdict(one) for one in agreement.classes_of(votes, label_of)],
    }


def _labels(tx: Transaction, project: Project, votes: Votes) -> Integers:
    """The position of each item's current label among the classes, -1 without one."""
    kind = task_type(project.task)
    position = {name: at for at, name in enumerate(votes.classes)}
    labels = {item: kind.class_of(value) for item, value in tx.labels.values(project.id).items()}
    found = [position.get(labels.get(item, ""), -1) for item in votes.item_names]  # type: ignore[call-overload]
    return np.array(found, dtype=np.int64)


def paces(tx: Transaction, project: Project) -> Mapping[str, Mapping[str, Any]]:
    """Of each annotator, with how many answers it is told from."""

    def computed() -> dict[str, dict[str, Any]]:
        moments = tx.annotations.moments(project.id)
        return {
            name: {**asdict(pace_of(when)), "answers": len(when)}
            for name, when in sorted(moments.items())
        }

    return tx.figures.kept(project.id, "paces", RestsOn.ANSWERS, computed)


def _annotators(votes: Votes, label_of: Integers) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "answers": one.answers,
            "with_others": asdict(one.with_others),
            "with_label": asdict(one.with_label),
            "confusion": [
                {"label": label, "said": said, "count": count}
                for label, said, count in one.confusion
            ],
        }
        for one in agreement.people(votes, label_of)
    ]
