"""What annotators and administrators do in a real Argilla by hand, for tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.services import ArgillaService, ArgillaUser


@dataclass(frozen=True, slots=True)
class ArgillaHands:
    """Talks to Argilla's API as its UI does, apart from the code under test."""

    service: ArgillaService

    def answer(
        self,
        dataset_id: UUID,
        external_id: str,
        value: Any,
        *,
        by: int = 0,
        status: str = "submitted",
    ) -> None:
        """Submit, edit, draft or discard: whatever this annotator had said before is replaced."""
        user = self.service.annotators[by]
        question = self.call("GET", f"datasets/{dataset_id}/questions")["items"][0]["name"]
        item = {"record_id": self.record(dataset_id, external_id)["id"], "status": status}
        if value is not None:
            item["values"] = {question: {"value": value}}
        done = self.call("POST", "me/responses/bulk", as_=user, json={"items": [item]})
        assert done["items"][0]["error"] is None, done

    def delete_answer(self, dataset_id: UUID, external_id: str, *, by: int = 0) -> None:
        user = self.service.annotators[by]
        user_id = self.call("GET", "me", as_=user)["id"]
        for response in self.record(dataset_id, external_id)["responses"]:
            if response["user_id"] == user_id:
                self.call("DELETE", f"responses/{response['id']}", as_=user)

    def delete_record(self, dataset_id: UUID, external_id: str) -> None:
        found = self.record(dataset_id, external_id)["id"]
        self.call("DELETE", f"datasets/{dataset_id}/records", params={"ids": found})

    def add_record(self, dataset_id: UUID, fields: Mapping[str, str]) -> UUID:
        """A record without an external id, as somebody adds one by hand."""
        body = {"items": [{"fields": dict(fields)}]}
        made = self.call("POST", f"datasets/{dataset_id}/records/bulk", json=body)
        return UUID(made["items"][0]["id"])

    def records(self, dataset_id: UUID) -> list[dict[str, Any]]:
        query = {"limit": 1000, "include": ["responses", "suggestions"]}
        return list(self.call("GET", f"datasets/{dataset_id}/records", params=query)["items"])

    def record(self, dataset_id: UUID, external_id: str) -> dict[str, Any]:
        return next(r for r in self.records(dataset_id) if r["external_id"] == external_id)

    def delete_dataset(self, dataset_id: UUID) -> None:
        self.call("DELETE", f"datasets/{dataset_id}")

    def call(self, method: str, path: str, *, as_: ArgillaUser | None = None, **rest: Any) -> Any:
        key = (as_ or self.service.owner).api_key
        answer = httpx.request(
            method,
            f"{self.service.url}/api/v1/{path}",
            headers={"X-Argilla-Api-Key": key},
            timeout=60,
            **rest,
        )
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None
