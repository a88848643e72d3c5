"""Datasets in Argilla: made, completed after a crash, brought up to date, never doubled."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.adapters.argilla import settings
from app.adapters.argilla.connection import Connection, Rejected
from app.adapters.argilla.settings import Found, RecordShape
from app.core.errors import NotFound, Refused
from app.ports.annotation_tool import DatasetSpec

ALREADY_THERE = 409
NOT_NOW = 422


class Datasets:
    """The datasets of one workspace."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._argilla = connection
        self._workspace = workspace

    def ensure(self, spec: DatasetSpec) -> UUID:
        """The published dataset of that name. Two callers at once come to the same one."""
        dataset = self._find(spec.name) or self._create(spec)
        if dataset["status"] == "draft":
            dataset = self._complete(dataset, spec)
        found = self._found(dataset)
        if wrong := settings.differences(spec, found):
            raise Refused(
                f"Argilla's dataset {spec.name!r} is not the one we need: {'; '.join(wrong)}. "
                "Argilla cannot change that: rename or delete the dataset there, or start a new "
                "version of the project's labels."
            )
        self._bring_up_to_date(dataset, found, spec)
        return UUID(dataset["id"])

    def shape(self, dataset_id: UUID) -> RecordShape:
        path = f"datasets/{dataset_id}"
        questions = self._argilla.get(f"{path}/questions")["items"]
        properties = self._argilla.get(f"me/{path}/metadata-properties")["items"]
        asked = next((one for one in questions if one["required"]), None)
        if asked is None:
            raise Refused(f"Argilla's dataset {dataset_id} asks no required question.")
        kinds = {one["name"]: one["settings"]["type"] for one in properties}
        return RecordShape(UUID(asked["id"]), kinds)

    def workspace_id(self) -> str:
        """The workspace, made if our key may."""
        return self._find_workspace() or self._create_workspace()

    def _find_workspace(self) -> str | None:
        mine = self._argilla.get("me/workspaces")["items"]
        return next((str(one["id"]) for one in mine if one["name"] == self._workspace), None)

    def _create_workspace(self) -> str:
        try:
            return str(
                self._argilla.call("POST", "workspaces", body={"name": self._workspace})["id"]
            )
        except Rejected as refusal:
            if refusal.http_status == ALREADY_THERE and (found := self._find_workspace()):
                return found
            raise Refused(
                f"Argilla at {self._argilla.address} has no workspace {self._workspace!r} that our "
                "key may use. Let an owner create it and add our user, or set "
                "ROUNDS_ARGILLA_WORKSPACE."
            ) from None

    def _find(self, name: str) -> Any:
        query = {"workspace_id": self.workspace_id(), "name": name}
        return next(iter(self._argilla.get("me/datasets", params=query)["items"]), None)

    def _create(self, spec: DatasetSpec) -> Any:
        body = {
            "name": spec.name,
            "guidelines": spec.guidelines or None,
            "distribution": _distribution(spec),
            "workspace_id": self.workspace_id(),
        }
        try:
            return self._argilla.call("POST", "datasets", body=body)
        except Rejected as refusal:
            if refusal.http_status != ALREADY_THERE:
                raise
            return self._found_again(spec.name)

    def _found_again(self, name: str) -> Any:
        """Somebody else has just made it."""
        if (dataset := self._find(name)) is None:
            raise NotFound(f"Argilla's dataset {name!r} was there and is gone again.")
        return dataset

    def _complete(self, dataset: Any, spec: DatasetSpec) -> Any:
        """Finish a draft: ours a moment ago, or left by a process that died, or being finished by
        another at this moment. Each part is added only where it is missing."""
        if _unlike(spec, self._found(dataset)):
            dataset = self._start_again(dataset, spec)
        path = f"datasets/{dataset['id']}"
        found = self._found(dataset)
        self._add(f"{path}/fields", map(settings.field_body, spec.fields), found.fields)
        self._add(f"{path}/questions", [settings.question_body(spec)], found.questions)
        self._add_properties(path, found, spec)
        return self._publish(path)

    def _start_again(self, dataset: Any, spec: DatasetSpec) -> Any:
        """A draft of other settings that nobody could have worked in makes way."""
        path = f"datasets/{dataset['id']}"
        if self._argilla.get(f"{path}/records", params={"limit": 1})["total"]:
            raise Refused(
                f"Argilla has an unpublished dataset {spec.name!r} with records and other "
                "settings. Rename or delete it there."
            )
        self._argilla.call("DELETE", path)
        return self._create(spec)

    def _publish(self, path: str) -> Any:
        try:
            return self._argilla.call("PUT", f"{path}/publish")
        except Rejected as refusal:
            dataset = self._argilla.get(path)
            if dataset["status"] != "ready":
                raise refusal from None
            return dataset

    def _found(self, dataset: Any) -> Found:
        path = f"datasets/{dataset['id']}"
        return Found(
            fields=self._argilla.get(f"{path}/fields")["items"],
            questions=self._argilla.get(f"{path}/questions")["items"],
            properties=self._argilla.get(f"me/{path}/metadata-properties")["items"],
        )

    def _add_properties(self, path: str, found: Found, spec: DatasetSpec) -> None:
        bodies = map(settings.property_body, spec.properties)
        self._add(f"{path}/metadata-properties", bodies, found.properties)

    def _add(self, path: str, bodies: Iterable[Any], there: Iterable[Any]) -> None:
        names = {one["name"] for one in there}
        for body in bodies:
            if body["name"] not in names:
                self._add_one(path, body)

    def _add_one(self, path: str, body: Any) -> None:
        try:
            self._argilla.call("POST", path, body=body)
        except Rejected as refusal:
            if refusal.http_status == ALREADY_THERE:
                return
            if refusal.http_status == NOT_NOW and self._is_published(path):
                return  # another process was quicker and has published it; the check comes later
            raise

    def _is_published(self, path: str) -> bool:
        dataset = path.rsplit("/", maxsplit=1)[0]
        return bool(self._argilla.get(dataset)["status"] == "ready")

    def _bring_up_to_date(self, dataset: Any, found: Found, spec: DatasetSpec) -> None:
        """What may change after publishing: guidelines, overlap, metadata and who sees it."""
        path = f"datasets/{dataset['id']}"
        self._add_properties(path, found, spec)
        self._set_visibility(found, spec)
        changed = {
            key: value
            for key, value in (
                ("guidelines", spec.guidelines or None),
                ("distribution", _distribution(spec)),
            )
            if dataset[key] != value
        }
        if changed:
            self._argilla.call("PATCH", path, body=changed)

    def _set_visibility(self, found: Found, spec: DatasetSpec) -> None:
        there = {one["name"]: one for one in found.properties}
        for prop in spec.properties:
            one = there.get(prop.name)
            if one is not None and one["visible_for_annotators"] != prop.visible:
                body = {"title": prop.title, "visible_for_annotators": prop.visible}
                self._argilla.call("PATCH", f"metadata-properties/{one['id']}", body=body)


def _distribution(spec: DatasetSpec) -> dict[str, Any]:
    return {"strategy": "overlap", "min_submitted": spec.min_submitted}


def _unlike(spec: DatasetSpec, draft: Found) -> bool:
    """Whether what a draft already has contradicts what we want; what is missing does not."""
    wanted = settings.question_body(spec)
    if any(one["name"] not in spec.fields for one in draft.fields):
        return True
    if any(one["name"] != wanted["name"] for one in draft.questions):
        return True
    whole = Found([settings.field_body(name) for name in spec.fields], [wanted], draft.properties)
    questions = draft.questions or whole.questions
    return bool(settings.differences(spec, Found(whole.fields, questions, draft.properties)))
