"""Plays the demo: a project, its data, rounds, and annotators who answer in Argilla.

An outside program: it knows only `access.json`, the REST API and Argilla's API, as a user's would.
"""

import argparse
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from rich.console import Console
from rich.markup import escape

from app.adapters.readers import FileRows
from app.core.errors import RoundsError, Unavailable, WrongInput
from app.core.importing import Rejection
from app.demo.annotators import SimulatedAnnotator, run_annotators
from app.demo.phrases import GUIDELINES
from app.demo.texts import generate
from app.logs import set_up_logs
from app.settings import read_settings

SAMPLE_ITEMS = 3000
SAMPLE_SEED = 20
HELD_OUT = 0.2
BATCH = 20
BLOCK = 500
console = Console()


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows with gold labels; the labels of the pool are known to the annotators alone."""

    project: str
    rows: list[dict[str, str]]
    guidelines: str | None = None

    @property
    def truth(self) -> dict[str, str]:
        return {row["text"]: row["label"] for row in self.rows}

    @property
    def labels(self) -> list[str]:
        return sorted(set(self.truth.values()))

    def lines(self) -> Iterator[bytes]:
        for row in self.rows:
            shown = {**row} if row["split"] != "train" else {**row, "label": None}
            yield json.dumps(shown, ensure_ascii=False).encode() + b"\n"


def sample_of(file: Path | None) -> Sample:
    if file is None:
        made: Iterable[Mapping[str, Any]] = generate(SAMPLE_ITEMS, SAMPLE_SEED)
        return Sample("demo", [dict(row) for row in made], GUIDELINES)
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in file.stem.lower())
    return Sample(f"demo-{name}"[:50].strip("-"), with_held_out(list(_labelled(file))))


def _labelled(file: Path) -> Iterator[dict[str, str]]:
    with file.open("rb") as source:
        for line, row in FileRows().read(source, name=file.name, required=("text", "label")):
            if isinstance(row, Rejection) or not row.get("text") or row.get("label") in (None, ""):
                continue
            split = str(row.get("split") or "")
            yield {
                "id": str(row.get("id") or line),
                "text": str(row["text"]),
                "label": str(row["label"]),
                "split": "test" if split in ("test", "validation", "dev") else split or "train",
            }


def with_held_out(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """As the file says; where it holds nothing out, a fifth of the texts."""
    if not rows:
        raise WrongInput("The file has no rows with text and label.", field="data")
    if any(row["split"] == "test" for row in rows):
        return rows
    return [{**row, "split": "test" if _share(row["text"]) < HELD_OUT else "train"} for row in rows]


def _share(text: str) -> float:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) / 2**32


class Service:
    """Rounds over REST."""

    def __init__(self, access: Mapping[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {access['api_key']}"}
        base = access["api_url"].rstrip("/") + "/api/v1"
        self._client = httpx.Client(base_url=base, headers=headers, timeout=600, trust_env=False)

    def ask(self, method: str, path: str, *, fine: tuple[int, ...] = (), **more: Any) -> Any:
        """The answer; a problem is raised unless its status is `fine`."""
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError:
            raise Unavailable("Rounds does not answer.") from None
        if answer.is_error and answer.status_code not in fine:
            problem = answer.json()
            raise RoundsError(problem.get("detail") or problem.get("title") or answer.text)
        return answer.json()

    def rounds(self, project: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/projects/{project}/rounds?limit=500")[
            "items"
        ]
        return found


def play(access: Mapping[str, Any], sample: Sample, rounds: int, answers_per_second: float) -> None:
    service = Service(access)
    set_up(service, sample)
    stop = threading.Event()
    datasets = _Datasets(service, sample.project)
    annotating = threading.Thread(
        target=run_annotators,
        args=(access["argilla_url"], people(access, answers_per_second), datasets, sample.truth),
        kwargs={"stop": stop, "observer_key": access["argilla_api_key"]},
        daemon=True,
    )
    annotating.start()
    try:
        for _ in range(rounds):
            one_round(service, sample.project)
    finally:
        stop.set()
        annotating.join(30)
    leave_one_to_the_reader(service, access, sample.project)


def set_up(service: Service, sample: Sample) -> None:
    project = {
        "name": sample.project,
        "task": {
            "type": "single_label",
            "labels": sample.labels,
            "guidelines": sample.guidelines,
        },
        "batch_size": BATCH,
    }
    service.ask("POST", "/projects", json=project, fine=(409,))
    report = service.ask(
        "POST",
        f"/projects/{sample.project}/items",
        content=sample.lines(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    held_out = sum(row["split"] != "train" for row in sample.rows)
    say(
        f"Project {sample.project}: {report['received']:,} texts, {held_out:,} of them held out, "
        f"{report['duplicates']:,} duplicates set aside, {len(sample.labels)} labels, "
        "no label in the pool."
    )


def people(access: Mapping[str, Any], answers_per_second: float) -> list[SimulatedAnnotator]:
    return [
        SimulatedAnnotator(
            username=one["username"],
            api_key=one["api_key"],
            answers_per_second=answers_per_second,
            seed=number,
        )
        for number, one in enumerate(access["annotators"])
    ]


class _Datasets:
    """Where the project's rounds are annotated; asked again and again."""

    def __init__(self, service: Service, project: str) -> None:
        self._service = service
        self._project = project

    def __call__(self) -> Iterable[UUID]:
        found = {one["argilla"]["dataset_id"] for one in self._service.rounds(self._project)}
        return [UUID(one) for one in sorted(found - {None})]


def one_round(service: Service, project: str) -> None:
    """Start a round (or take up the open one) and wait until it closes."""
    service.ask("POST", f"/projects/{project}/rounds", fine=(409,))
    told = False
    while True:
        newest = service.rounds(project)[-1]
        if newest["state"] == "annotating" and not told:
            told = True
            say(f"Round {newest['number']}: {newest['counts']['pushed']} texts are in Argilla …")
        if newest["state"] == "failed":
            raise RoundsError(f"Round {newest['number']} failed: {newest['error']['title']}")
        if newest["closed_at"]:
            say(result_of(newest))
            return
        time.sleep(0.5)


def result_of(one: Mapping[str, Any]) -> str:
    accuracy = one["metrics"].get("accuracy")
    if accuracy is None:
        return f"Round {one['number']}: {one['labelled']} labels. {' '.join(one['notes'])}"
    bar = "█" * round(accuracy * 40)
    return f"Round {one['number']}: {one['labelled']:>4} labels  {accuracy:6.1%}  {bar}"


def leave_one_to_the_reader(service: Service, access: Mapping[str, Any], project: str) -> None:
    """The annotators go home; the next round waits for a person."""
    started = service.ask("POST", f"/projects/{project}/rounds", fine=(409,))
    if "number" not in started:
        say(str(started.get("detail")))
        return
    someone = access["annotators"][0]
    say(f"Now you: round {started['number']} waits for your labels.")
    say(f"  Argilla    {access['argilla_url']}   log in as {someone['username']}")
    say(f"             password {someone['password']}")
    say(f"  Dashboard  {access['dashboard_url']}/projects/{project}   log in with the API key")


def say(line: str) -> None:
    console.print(escape(line), highlight=False, soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--answers-per-second", type=float, default=2.0)
    options = parser.parse_args()
    settings = read_settings()
    set_up_logs(settings)
    access = json.loads((settings.home / "access.json").read_text())
    try:
        sample = sample_of(options.data)
        play(access, sample, options.rounds, options.answers_per_second)
    except RoundsError as problem:
        say(f"The demo stopped: {problem.message}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
