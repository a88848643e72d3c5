"""The command line of measurements that consist of named parts, each giving lines of Markdown."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

Place = TypeVar("Place")
"""Where data is read and runs are kept, and how much is done."""


def run_parts(
    group: str,
    doc: str,
    parts: Mapping[str, Callable[[Place], Iterator[str]]],
    place: Callable[[Path, Path, int, int], Place],
    *,
    data: Path,
    repeats: int,
    jobs: int,
) -> None:
    """Those named on the command line, or all; `place` is made of data, keep, repeats and jobs."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(parts))
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--jobs", type=int, default=jobs)
    parser.add_argument("--keep", type=Path, default=Path("bench-out"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    given = parser.parse_args()
    if unknown := set(given.names) - set(parts):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Known: {', '.join(parts)}.")
    given.keep.mkdir(parents=True, exist_ok=True)
    where = place(given.data, given.keep, given.repeats, given.jobs)
    for name in given.names or parts:
        sys.stdout.write(f"\n## {group}-{name}: {parts[name].__doc__}\n\n")
        for line in parts[name](where):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
