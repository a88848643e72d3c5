"""A client as a user would write one: it knows `access.json`, REST, and Argilla's API."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 240


@dataclass
class Played:
    """What the client did and saw; to be held against what Rounds says."""

    project: str
    answered: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Text → (label, annotator)."""
    pushed: list[str] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)


class OutsideClient:
    def __init__(self, access: Mapping[str, Any]) -> None:
        self.access = access
        self.rounds = httpx.Client(
            base_url=access["api_url"] + "/api/v1",
            headers={"Authorization": f"Bearer {access['api_key']}"},
            timeout=180,
            trust_env=False,
        )
        self.argilla = httpx.Client(
            base_url=access["argilla_url"] + "/api/v1",
            headers={"X-Argilla-Api-Key": access["argilla_api_key"]},
            timeout=180,
            trust_env=False,
        )

    def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self.rounds.request(method, path, **more)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def set_up(self, rows: Sequence[Mapping[str, str]], batch_size: int) -> Played:
        """A project with the pool unlabelled and the test split held out."""
        played = Played(f"outside-{uuid.uuid4().hex[:8]}")
        labels = sorted({row["label"] for row in rows})
        self.ask(
            "POST",
            "/projects",
            json={
                "name": played.project,
                "task": {"type": "single_label", "labels": labels},
                "batch_size": batch_size,
            },
        )
        lines = [json.dumps(r if r["split"] == "test" else {**r, "label": None}) for r in rows]
        report = self.ask(
            "POST",
            f"/projects/{played.project}/items",
            content="\n".join(lines).encode(),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert (report["received"], report["rejected"]) == (len(rows), 0)
        return played

    def wait(self, project: str, number: int, state: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now: dict[str, Any] = self.ask("GET", f"/projects/{project}/rounds/{number}")
            if now["state"] == state:
                return now
            assert now["state"] not in ("failed", "cancelled"), now
            time.sleep(0.2)
        raise AssertionError(f"round {number} never came to {state}: {now}")

    def play_round(self, played: Played, truth: Mapping[str, str]) -> None:
        started = self.ask(
            "POST",
            f"/projects/{played.project}/rounds",
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
        out = self.wait(played.project, started["number"], "annotating")
        for record in self.records(out["argilla"]["dataset_id"]):
            if not record["responses"]:
                self._answer(played, record, truth)
        played.rounds.append(self.wait(played.project, started["number"], "closed"))

    def records(self, dataset: str) -> list[dict[str, Any]]:
        answer = self.argilla.get(
            f"/datasets/{dataset}/records?limit=1000&include=responses&include=suggestions"
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return found

    def _answer(self, played: Played, record: Mapping[str, Any], truth: Mapping[str, str]) -> None:
        text = record["fields"]["text"]
        someone = self.access["annotators"][len(played.answered) % 2]
        played.pushed.append(text)
        played.answered[text] = (truth[text], someone["username"])
        self.argilla.post(
            f"/records/{record['id']}/responses",
            headers={"X-Argilla-Api-Key": someone["api_key"]},
            json={"values": {"label": {"value": truth[text]}}, "status": "submitted"},
        ).raise_for_status()

    def labels(self, project: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.ask("GET", f"/projects/{project}/labels?after={after}&limit=500")
            found += page["items"]
            after = page["next"]
        return found
