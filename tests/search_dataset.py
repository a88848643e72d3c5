"""A small Argilla dataset with everything in it that can be searched, made over plain HTTP."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.services import ArgillaService, ArgillaUser

FIELDS = {
    "text": {"type": "text"},
    "note": {"type": "text"},
    "talk": {"type": "chat", "use_markdown": False},
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "label": {
        "type": "label_selection",
        "options": [{"value": name, "text": name} for name in ("billing", "delivery", "other")],
    },
    "tags": {
        "type": "multi_label_selection",
        "options": [{"value": name, "text": name} for name in ("angry", "urgent", "polite")],
    },
    "stars": {"type": "rating", "options": [{"value": n} for n in range(1, 6)]},
}
METADATA = {"topic": "terms", "rank": "integer", "score": "float"}


@dataclass
class SearchDataset:
    """One dataset, its people, and the questions one can ask of it."""

    service: ArgillaService
    id: str = ""
    questions: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    """Record ids by external id."""

    @classmethod
    def create(cls, service: ArgillaService, guidelines: str = "Read, then choose.") -> Self:
        """Publish a dataset with the fields, questions and metadata above."""
        made = cls(service)
        workspace = made.call("GET", "/me/workspaces")["items"][0]["id"]
        body = {
            "name": f"search-{uuid.uuid4().hex[:8]}",
            "workspace_id": workspace,
            "guidelines": guidelines,
            "distribution": {"strategy": "overlap", "min_submitted": 1},
        }
        made.id = made.call("POST", "/datasets", body)["id"]
        made._describe()
        made.call("PUT", f"/datasets/{made.id}/publish")
        return made

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Add or change records; suggestions and responses name their question."""
        items = [self._with_question_ids(record) for record in records]
        answer = self.call("PUT", f"/datasets/{self.id}/records/bulk", {"items": items})
        self.records |= {record["external_id"]: record["id"] for record in answer["items"]}

    def answer(
        self, external_id: str, who: ArgillaUser, status: str, **values: Any
    ) -> dict[str, Any]:
        """Respond as an annotator."""
        body: dict[str, Any] = {"status": status}
        if values:
            body["values"] = {name: {"value": value} for name, value in values.items()}
        record = self.records[external_id]
        return self.call("POST", f"/records/{record}/responses", body, who)

    def search(
        self,
        who: ArgillaUser | None = None,
        *,
        text: str | None = None,
        field: str | None = None,
        filters: Iterable[Mapping[str, Any]] = (),
        sort: Iterable[Mapping[str, Any]] = (),
        page: tuple[int, int] = (0, 100),
    ) -> list[str]:
        """External ids of what is found, in order; as an annotator when `who` is given."""
        answer = self.search_answer(
            who, text=text, field=field, filters=filters, sort=sort, page=page
        )
        return [item["record"]["external_id"] for item in answer["items"]]

    def search_answer(
        self,
        who: ArgillaUser | None = None,
        *,
        text: str | None = None,
        field: str | None = None,
        filters: Iterable[Mapping[str, Any]] = (),
        sort: Iterable[Mapping[str, Any]] = (),
        page: tuple[int, int] = (0, 100),
    ) -> dict[str, Any]:
        """The whole answer of Argilla's search."""
        body: dict[str, Any] = {}
        if text is not None:
            body["query"] = {"text": {"q": text, **({"field": field} if field else {})}}
        if conditions := list(filters):
            body["filters"] = {"and": conditions}
        if orders := list(sort):
            body["sort"] = orders
        path = f"/datasets/{self.id}/records/search?offset={page[0]}&limit={page[1]}"
        return self.call("POST", f"/me{path}" if who else path, body, who)

    def call(
        self, method: str, path: str, body: Any = None, who: ArgillaUser | None = None
    ) -> dict[str, Any]:
        """Any request to Argilla's API, as the owner or as somebody."""
        answer = self.try_call(method, path, body, who)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    def try_call(
        self, method: str, path: str, body: Any = None, who: ArgillaUser | None = None
    ) -> httpx.Response:
        """The same, for requests that may be refused."""
        headers = {"X-Argilla-Api-Key": (who or self.service.owner).api_key}
        url = f"{self.service.url}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=headers, timeout=60)

    def delete(self) -> None:
        """Leave the shared Argilla as it was."""
        self.call("DELETE", f"/datasets/{self.id}")

    def _describe(self) -> None:
        for name, settings in FIELDS.items():
            body = {"name": name, "title": name, "required": name == "text", "settings": settings}
            self.call("POST", f"/datasets/{self.id}/fields", body)
        for name, settings in QUESTIONS.items():
            body = {"name": name, "title": name, "required": name == "label", "settings": settings}
            made = self.call("POST", f"/datasets/{self.id}/questions", body)
            self.questions[name] = made["id"]
        for name, kind in METADATA.items():
            body = {"name": name, "title": name, "settings": {"type": kind}}
            self.call("POST", f"/datasets/{self.id}/metadata-properties", body)

    def _with_question_ids(self, record: Mapping[str, Any]) -> dict[str, Any]:
        item = dict(record)
        if "suggestions" in item:
            item["suggestions"] = [
                {"question_id": self.questions[name], **suggestion}
                for name, suggestion in item["suggestions"].items()
            ]
        return item


def terms(entity: Mapping[str, Any], *values: str) -> dict[str, Any]:
    """A filter: one of these values."""
    return {"type": "terms", "scope": entity, "values": list(values)}


def between(entity: Mapping[str, Any], ge: Any = None, le: Any = None) -> dict[str, Any]:
    """A filter: not smaller than, not larger than."""
    limits = {name: value for name, value in (("ge", ge), ("le", le)) if value is not None}
    return {"type": "range", "scope": entity, **limits}


def ascending(entity: Mapping[str, Any]) -> dict[str, Any]:
    """An order, smallest first."""
    return {"scope": entity, "order": "asc"}


def descending(entity: Mapping[str, Any]) -> dict[str, Any]:
    """An order, largest first."""
    return {"scope": entity, "order": "desc"}


def metadata(name: str) -> dict[str, Any]:
    """What a filter or order is about: a metadata property."""
    return {"entity": "metadata", "metadata_property": name}


def suggestion(question: str, part: str = "value") -> dict[str, Any]:
    """What a filter or order is about: a suggestion's value, score, agent or type."""
    return {"entity": "suggestion", "question": question, "property": part}


def response(question: str | None = None) -> dict[str, Any]:
    """What a filter or order is about: an answer to a question, or the status of answers."""
    if question is None:
        return {"entity": "response", "property": "status"}
    return {"entity": "response", "question": question}


def record(name: str) -> dict[str, Any]:
    """What a filter or order is about: the record itself."""
    return {"entity": "record", "property": name}
