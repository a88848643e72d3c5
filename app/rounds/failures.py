"""What becomes of work that failed: how long until the next try, and how it is told."""

import random

from app.core.errors import RoundsError

LONGEST_PAUSE = 60.0


def pause_before(attempt: int) -> float:
    """1, 2, 4 … seconds, at most a minute, a little scattered so that workers do not march."""
    return min(2.0 ** min(attempt - 1, 10), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311


def describe(problem: Exception, step: str) -> dict[str, object]:
    """A failure as it is stored and shown: the reason, the step, and what to do."""
    if isinstance(problem, RoundsError):
        return {
            "title": problem.message,
            "code": problem.code,
            "step": step,
            **({"evidence": dict(problem.evidence)} if problem.evidence else {}),
        }
    # the text of an unforeseen error may hold an item's text; its kind does not
    return {
        "title": f"Unexpected {type(problem).__name__} in step {step}. The worker's log has the "
        "trace; please report it.",
        "code": "unexpected",
        "step": step,
    }
