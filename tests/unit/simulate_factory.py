"""Small data and hand-made runs for tests of experiments."""

import json
from collections.abc import Sequence
from pathlib import Path

from app.simulate import Run, RunKey

TOPICS = {
    "cats": "cat kitten purr whiskers paw meow tail fur",
    "cars": "car engine wheel brake road petrol gear motor",
    "food": "bread butter soup cheese apple salt oven spoon",
}


def write_texts(path: Path, each: int = 30, *, split: bool = False) -> Path:
    """`each` short texts of each topic; with `split`, every third is held out."""
    rows = []
    for number in range(each):
        for label, words in TOPICS.items():
            drawn = [words.split()[(number * step + step) % 8] for step in (1, 3, 5)]
            row = {"id": f"{label}{number}", "text": f"{' '.join(drawn)} n{number}", "label": label}
            if split:
                row["split"] = "test" if number % 3 == 0 else "train"
            rows.append(row)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def made_run(
    strategy: str,
    repeat: int,
    heights: Sequence[float],
    *,
    oracle: str = "truth",
    answers: Sequence[tuple[str, str]] = (),
    stopped: str | None = None,
) -> Run:
    """A run whose curve has these heights at 20, 30, 40 … labels."""
    curve = [
        {"labels": 20 + 10 * n, "accuracy": height, "macro_f1": height}
        for n, height in enumerate(heights)
    ]
    return Run(
        key=RunKey("digits", strategy, "default", oracle, repeat),
        strategy_version=strategy,
        classifier_version="svc.v1",
        pool=1_000,
        test=100,
        label_agreement=1.0,
        unanswered=0,
        stopped=stopped,
        curve=curve,
        answers=answers,
    )
