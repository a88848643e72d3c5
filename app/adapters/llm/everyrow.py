"""everyrow: one operation maps a task over many rows, and is looked at until it is done."""

import json
import threading
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from app.adapters.llm.wire import Wire
from app.core.llm.entities import Completion, Request
from app.core.llm.money import Price
from app.ports.llm import AnswerLost

OVER = ("completed", "failed", "cancelled", "canceled", "revoked", "error")
ROW = "rounds_row"
LONGEST_PAUSE = 5.0
LEFT_OUT = "The service gave no answer for this row."


class Everyrow:
    """Requests that share their instructions go as rows of one `agent_map`.

    It charges by what its agents do and does not say how much a row took: what is booked is the
    price a row from the settings.
    """

    def __init__(
        self,
        *,
        name: str,
        model: str,
        price: Price,
        concurrency: int,
        wire: Wire,
        together: int = 100,
        patience: float = 600.0,
        poll_seconds: float = 1.0,
    ) -> None:
        self.name = name
        self.model = model
        """An effort level: low, medium or high; or the name of one of its LLMs."""
        self.price = price
        self.concurrency = concurrency
        self.together = together
        self._wire = wire
        self._patience = patience
        self._poll_seconds = poll_seconds
        self._session: str | None = None
        self._opening = threading.Lock()

    @property
    def seconds(self) -> float:
        return self._patience + 3 * self._wire.longest

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        rows = self._mapped(requests)
        return [_completion(rows.get(str(place)), one) for place, one in enumerate(requests)]

    def _mapped(self, requests: Sequence[Request]) -> Mapping[str, Mapping[str, Any]]:
        """Result rows by the number that we gave each input row."""
        body = {
            "input": [{ROW: str(n), "content": one.content} for n, one in enumerate(requests)],
            "task": requests[0].instructions,
            "session_id": self._session_id(),
            "response_schema": requests[0].schema,
            "join_with_input": True,
            "enforce_row_independence": True,
            **self._effort(),
        }
        task = _text_in(self._wire.post("operations/agent_map", body), "task_id")
        self._wait(task)
        found = self._wire.get(f"tasks/{task}/result")
        data = found.get("data") if isinstance(found, Mapping) else None
        if not isinstance(data, list):
            raise AnswerLost("everyrow's result holds no list of rows.")
        return {str(row[ROW]): row for row in data if isinstance(row, Mapping) and ROW in row}

    def _effort(self) -> Mapping[str, Any]:
        if self.model in ("low", "medium", "high"):
            return {"effort_level": self.model}
        return {"llm": self.model, "iteration_budget": 0, "include_reasoning": False}

    def _session_id(self) -> str:
        with self._opening:
            if self._session is None:
                made = self._wire.post("sessions", {"name": "rounds"})
                name = "session_id" if "session_id" in made else "id"
                self._session = _text_in(made, name)
            return self._session

    def _wait(self, task: str) -> None:
        end, pause = monotonic() + self._patience, self._poll_seconds
        waiting = threading.Event()
        while (status := self._wire.get(f"tasks/{task}/status")).get("status") not in OVER:
            if monotonic() > end:
                self._wire.post(f"tasks/{task}/cancel", {})
                raise AnswerLost(f"everyrow did not finish within {self._patience:g} seconds.")
            waiting.wait(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        if status["status"] != "completed":
            raise AnswerLost(f"everyrow's task ended as {status['status']}.")


def _text_in(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, str) or not value:
        raise AnswerLost(f"everyrow's answer has no {name}.")
    return value


def _completion(row: Mapping[str, Any] | None, request: Request) -> Completion:
    if row is None:
        return Completion(None, problem=LEFT_OUT)
    asked = request.schema["properties"]
    return Completion(json.dumps({name: row[name] for name in asked if name in row}))
