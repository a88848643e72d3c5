"""`make soak`: rounds that are played while everything breaks, for long, with a tally at the end.

The same rounds are then played undisturbed; the outcome must be the same.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from app.main import create_app
from tests.faults.chaos import SECRET, Chaos, play_through
from tests.faults.checker import Tally
from tests.faults.many import soak_calm, soak_crowd
from tests.faults.nursery import Nursery
from tests.faults.site import site_on
from tests.service_host import Host
from tests.services import FOLDER, ArgillaService, PostgresService, ServiceUnavailable
from tests.serving import make_parts, serving

ALONE = {"crowd": soak_crowd, "calm": soak_calm}
TEXTS = 3000
"""Enough for as many rounds as it takes."""


def main(arguments: Sequence[str]) -> int:
    given = _arguments(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    host = Host(FOLDER / "soak-services")
    try:
        postgres = PostgresService(**started(host, "postgres"))
        argilla = ArgillaService.of(started(host, "argilla"))
        with tempfile.TemporaryDirectory() as name, Nursery(Path(name)) as nursery:
            good = [
                ALONE[given.alone](postgres, argilla, Path(name), nursery, say)
                if given.alone
                else _soak(host, Path(name), nursery, given, given.seed + number)
                for number in range(given.plays)
            ]
    finally:
        host.stop()
    say("All is as it should be." if all(good) else "SOMETHING IS WRONG, see above.")
    return 0 if all(good) else 1


def started(host: Host, service: str) -> dict[str, Any]:
    """Ours alone, so that it may be stopped and started."""
    ok, answer = host.answer(service)
    if not ok:
        raise ServiceUnavailable(f"{service}: {answer}")
    return dict(answer)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides what breaks when")
    parser.add_argument("--plays", type=int, default=1, help="how often, with other seeds")
    parser.add_argument("--rounds", type=int, default=6, help="at least so many rounds a play")
    parser.add_argument("--kills", type=int, default=100, help="and until so many deaths")
    parser.add_argument(
        "--pause", type=float, default=0.5, help="seconds between faults, on average"
    )
    parser.add_argument("--seconds", type=float, default=900, help="but no longer than this")
    for name, what in (("crowd", "50 annotators at once"), ("calm", "one, an answer a second")):
        parser.add_argument(
            f"--{name}", dest="alone", action="store_const", const=name, help=f"{what}, instead"
        )
    return parser.parse_args(arguments)


def _soak(
    host: Host,
    folder: Path,
    nursery: Nursery,
    given: argparse.Namespace,
    seed: int,
) -> bool:
    postgres = PostgresService(**started(host, "postgres"))
    argilla = ArgillaService.of(started(host, "argilla"))
    template = postgres.migrated_template()
    began = time.monotonic()
    with site_on(
        postgres,
        template,
        argilla,
        folder / f"chaos-{seed}",
        nursery,
        texts=TEXTS,
        services=host,
    ) as site:
        parts = make_parts(site.store, webhook_secret=lambda: SECRET)
        with serving(create_app(parts)) as api_url:
            chaos = Chaos(site, api_url, seed, pause=given.pause)
            played = play_through(
                site, chaos, given.rounds, kills=given.kills, seconds=given.seconds
            )
        disturbed, tally = site.outcome(), site.check()
    _show(seed, played, time.monotonic() - began, chaos, tally)
    with site_on(
        postgres, template, argilla, folder / f"calm-{seed}", nursery, texts=TEXTS
    ) as site:
        worker = site.worker()
        for _ in range(played):
            site.play(site.start())
        worker.kill()
        same = site.outcome() == disturbed
    say(f"  {'the same' if same else 'NOT THE SAME'} as {played} undisturbed rounds")
    return same and not tally.wrong()


def _show(seed: int, rounds: int, seconds: float, chaos: Chaos, tally: Tally) -> None:
    say(f"seed {seed}: {rounds} rounds in {seconds:.0f} s")
    for name, count in sorted(chaos.tally.items()):
        say(f"  {count:5}  {name}")
    say(f"  checked: {tally.items} items, {tally.answers} answers, {tally.labels} labels")
    for name in ("lost", "doubled", "wrong_round", "invented"):
        found: list[Any] = getattr(tally, name)
        say(f"  {len(found):5}  {name.replace('_', ' ')}  {'; '.join(map(str, found[:5]))}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
