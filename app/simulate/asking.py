"""Putting items to an oracle, and what has been answered so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.errors import WrongInput
from app.core.types import Rows
from app.simulate.oracles import Oracle, Question
from app.simulate.preparing import Arena


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows with an answer in the order asked, the answers, and all rows that were asked about."""

    rows: Rows
    y: NDArray[np.int64]
    asked: Rows

    def and_also(self, other: "Answered") -> "Answered":
        return Answered(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.y, other.y]),
            np.concatenate([self.asked, other.asked]),
        )


def ask(oracle: Oracle, arena: Arena, rows: Rows) -> Answered:
    """The oracle's answers; a row without one stays asked and is not asked again."""
    texts, ids = arena.data.texts, arena.data.ids
    questions = [Question(ids[row], row, texts[row] if texts else None) for row in rows.tolist()]
    answers = oracle.answer(questions) if questions else []
    if len(answers) != len(rows):
        raise WrongInput(f"The oracle gave {len(answers)} answers to {len(rows)} questions.")
    given = [index for index, answer in enumerate(answers) if answer is not None]
    y = np.array([answer for answer in answers if answer is not None], np.int64)
    if len(y) and not 0 <= y.min() <= y.max() < len(arena.data.classes):
        raise WrongInput("The oracle gave an answer that is none of the classes.")
    return Answered(rows[given], y, rows)
