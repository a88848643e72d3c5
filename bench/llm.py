"""What an LLM is worth as oracle and as selector, with simulated ones of known quality.

    python -m bench.llm [NAME …] [--repeats N] [--keep FOLDER] [--data FOLDER]

Names: s0, s0-ours, selector; all if none is given. Finished runs are kept and not repeated.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from app.core.models import CLASSIFIERS
from app.simulate import Result, table
from bench import seed_case as theirs
from bench.labels import SEED_CASE, SHARED, Place
from bench.parts import run_parts

ARMS = "truth,llm:error=0.03:spelling=0.025:price_in=1:price_out=5"
COLD_STARTS = ("random", "typiclust", "llm:skill=0", "llm:skill=0.5", "llm:skill=0.8")


def s0(place: Place) -> Iterator[str]:
    """The seed case study with two arms: 700 true seeds, 20 rounds of 10 by entropy, LightGBM."""
    CLASSIFIERS[theirs.NAME] = theirs.train  # type: ignore[index]
    yield from _arms(
        # known to this process only, so one job
        place.run(
            "s0-arms",
            jobs=1,
            seed_size=700,
            strategy="entropy",
            classifier=theirs.NAME,
            **_common(place),
        )
    )


def s0_ours(place: Place) -> Iterator[str]:
    """The same with our defaults from 28 typical items, which each arm labels itself."""
    common = {**_common(place), "seed_labels": "oracle"}
    yield from _arms(
        place.run(
            "s0-ours-arms", seed_size=28, cold_start="typiclust", strategy="default", **common
        )
    )


def _common(place: Place) -> dict[str, Any]:
    return {
        "data": place.file("dbpedia14"),
        "oracle": ARMS,
        "seed_labels": "truth",
        "query_size": 10,
        "iterations": 20,
        "target_acc": SEED_CASE,
    }


def _arms(result: Result) -> Iterator[str]:
    """Mean and standard deviation over repeats, an arm a line, as in the case study."""
    yield "| arm | labels | accuracy | macro F1 | agreement | letter by letter | $ a run |"
    yield "|---|---|---|---|---|---|---|"
    for row in table(result.experiment, result.runs):
        own = [one for one in result.runs if one.key.oracle == row.oracle]
        cells = [
            row.oracle.partition(":")[0],
            f"{row.final_labels:.0f}",
            _spread([one.curve[-1]["accuracy"] for one in own]),
            _spread([one.curve[-1]["macro_f1"] for one in own]),
            _spread([one.label_agreement or 0.0 for one in own]),
            _spread([one.strict_agreement or 0.0 for one in own]),
            "–" if row.cost_a_run is None else f"{row.cost_a_run:.3f}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"* {result.experiment.repeats} repeats."


def _spread(values: list[float]) -> str:
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values, ddof=1):.1f}%"


def selector(place: Place) -> Iterator[str]:
    """32 first labels, chosen by a simulated selector, at random and by clusters; then 3 rounds."""
    yield "| data | first labels chosen by | accuracy at 32 | classes seen at 32 | at 62 |"
    yield "|---|---|---|---|---|"
    for data in ("dbpedia14", "banking77"):
        for way in COLD_STARTS:
            found = place.run(
                f"selector-{data}-{way.replace(':', '-')}",
                jobs=1, data=place.file(data), strategy="default", cold_start=way, seed_size=32,
                query_size=10, iterations=3,
            )  # fmt: skip
            first = [one.curve[0] for one in found.runs]
            cells = [
                data,
                way,
                _spread([point["accuracy"] for point in first]),
                f"{np.mean([point['classes_seen'] for point in first]):.1f}",
                _spread([one.curve[-1]["accuracy"] for one in found.runs]),
            ]
            yield f"| {' | '.join(cells)} |"


PARTS: Mapping[str, Callable[[Place], Iterator[str]]] = {
    "s0": s0,
    "s0-ours": s0_ours,
    "selector": selector,
}


def main() -> None:
    run_parts("llm", __doc__ or "", PARTS, Place, data=SHARED, repeats=10, jobs=1)


if __name__ == "__main__":
    main()
