"""All measurements, or some: python -m bench [PART …] [options of that part].

`labels` is all of its parts; without a part everything is run, which takes hours. Finished parts of
experiments are kept in bench-out and not repeated.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from bench.labels import PARTS as LABELS
from bench.llm import PARTS as LLM

PARTS: Mapping[str, Sequence[str]] = {
    "selection-speed": ("bench.selection_speed", "--peers"),
    "rounds-arithmetic": ("bench.rounds_arithmetic",),
    "classifiers": ("bench.classifiers",),
    "coverage": ("bench.coverage",),
    "duels": ("bench.duels",),
    "pages": ("bench.pages",),
    **{f"labels-{name}": ("bench.labels", name) for name in LABELS},
    **{f"llm-{name}": ("bench.llm", name) for name in LLM},
}


def main() -> int:
    named = [given for given in sys.argv[1:] if not given.startswith("-")]
    wanted = named[: next((i for i, one in enumerate(named) if not _parts(one)), None)]
    options = sys.argv[1 + len(wanted) :]
    if "--help" in options or (named and not wanted):
        sys.stdout.write(f"{__doc__}\nParts: labels, {', '.join(PARTS)}\n")
        return 0 if "--help" in options else 2
    chosen = [part for one in wanted for part in _parts(one)] or list(PARTS)
    failed = 0
    for part in chosen:
        sys.stdout.write(f"\n# {part}\n")
        sys.stdout.flush()
        done = subprocess.run([sys.executable, "-m", *PARTS[part], *options], check=False)
        failed = failed or done.returncode
    return failed


def _parts(name: str) -> list[str]:
    return [part for part in PARTS if part == name or part.startswith(f"{name}-")]


if __name__ == "__main__":
    sys.exit(main())
