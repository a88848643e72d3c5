"""How often does the duel call active learning better: where it is, and where it is made useless?

Plays projects as `bench.coverage` does, up to the duel, with the default strategy and with picks at
random in its place. Random picks must not be called better in more than one project in twenty.

    python -m bench.duels [--sets sms_spam] [--strategies default,random] [--projects 200]
                          [--audits 80]

Finished projects are kept in bench-out and not played again.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.core.estimation.duel import SELDOM
from bench.coverage import kept, project_of

OUT = Path("bench-out") / "duels"


def fought(name: str, number: int, strategy: str, audits: int) -> Mapping[str, Any]:
    """One project played until the duel, and what that says beside the truth."""
    project = project_of(name, number, "off")
    project.strategy = strategy
    project.play(audits)
    return project.duel()


def report(name: str, strategy: str, audits: int, duels: Sequence[Mapping[str, Any]]) -> str:
    verdicts = [_verdict(duel) for duel in duels]
    shares = [
        f"{100 * verdicts.count(one) / len(duels):.1f}"
        for one in ("active", "random", "by_chance", "not_separated", "too_alike")
    ]
    truth = 100 * float(np.mean([duel["truth"] for duel in duels]))
    cells = [name, strategy, str(audits), str(len(duels)), *shares, f"{truth:+.2f}"]
    return "| " + " | ".join(cells) + " |"


def _verdict(duel: Mapping[str, Any]) -> str:
    """By the bound of now, should it have been laxer when the project was played."""
    verdict = str(duel.get("verdict", "too_alike"))
    exchanges = {"active": "in_favour", "random": "against"}
    if verdict in exchanges and duel[exchanges[verdict]] > SELDOM:
        return "by_chance"
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="sms_spam")
    parser.add_argument("--strategies", default="random,default")
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--audits", type=int, default=80)
    parser.add_argument("--report", action="store_true", help="only tell what was played so far")
    given = parser.parse_args()
    sys.stdout.write(
        "| set | picks | audits | projects | active, % | random, % | by chance, % "
        "| not separated, % | too alike, % | true gap |\n"
        f"|{10 * '---|'}\n"
    )
    for name in given.sets.split(","):
        for strategy in given.strategies.split(","):
            folder = OUT / f"{name}-{strategy}-{given.audits}"
            for number in range(0 if given.report else given.projects):
                kept(
                    folder / f"{number}.json",
                    lambda n=number, s=strategy, d=name: fought(d, n, s, given.audits),  # type: ignore[misc]
                )
            duels = [json.loads(one.read_text()) for one in sorted(folder.glob("*.json"))]
            if duels:
                sys.stdout.write(report(name, strategy, given.audits, duels) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
