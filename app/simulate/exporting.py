"""Results as CSV, for spreadsheets and notebooks."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.simulate.results import Run
from app.simulate.table import Row


def curves_csv(runs: Sequence[Run]) -> str:
    """A line for each point of each curve."""
    return _csv({**asdict(run.key), **point} for run in runs for point in run.curve)


def table_csv(rows: Sequence[Row]) -> str:
    """A line for each contestant; an interval takes two columns."""
    return _csv(_flat(row.as_json()) for row in rows)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key.endswith("_interval"):
            low, high = value or (None, None)
            flat |= {f"{key}_low": low, f"{key}_high": high}
        else:
            flat[key] = value
    return flat


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue()


def write_csv(results: Path, runs: Sequence[Run], rows: Sequence[Row]) -> list[Path]:
    """Beside the results: `curves-V.csv` and `table-V.csv`."""
    written = []
    for kind, content in (("curves", curves_csv(runs)), ("table", table_csv(rows))):
        path = beside(results, kind, ".csv")
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def beside(results: Path, kind: str, suffix: str) -> Path:
    """`results-v1.json` → `curves-v1.csv` and such."""
    version = results.stem.removeprefix("results-")
    return results.with_name(f"{kind}-{version}{suffix}")
