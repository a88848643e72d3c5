"""The annotation tool that Rounds works with: a real Argilla server."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import httpx

from app.adapters.argilla.connection import Connection, Rejected, without_password
from app.adapters.argilla.datasets import Datasets
from app.adapters.argilla.pushing import Push
from app.adapters.argilla.refreshing import refresh
from app.adapters.argilla.responses import look_of, moment
from app.adapters.argilla.scanning import Scan
from app.adapters.argilla.settings import RecordShape
from app.adapters.argilla.subscription import ensure_webhook
from app.adapters.argilla.withdrawal import withdraw
from app.core.errors import Refused
from app.ports.annotation_tool import (
    ANY_RESPONSE,
    DatasetRef,
    DatasetSpec,
    Look,
    PushReport,
    RecordOut,
    RefreshReport,
    Statuses,
    WithdrawReport,
)

FORBIDDEN = 403
MOST_VALUABLE_FIRST = "metadata.round.asc~metadata.rank.asc"
"""Within a round; what an earlier one left comes before. Argilla's UI reads `entity.name.order`,
joined by `~`. Datasets declare both properties."""


class ArgillaTool:
    """AnnotationTool over Argilla's HTTP API. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        api_key: str,
        workspace: str,
        *,
        public_url: str | None = None,
        timeout: float = 120.0,
        attempts: int = 6,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._argilla = Connection(
            url, api_key, timeout=timeout, attempts=attempts, transport=transport
        )
        self._datasets = Datasets(self._argilla, workspace)
        self._public_url = without_password(public_url or url)
        self._shapes: dict[UUID, RecordShape] = {}

    def close(self) -> None:
        self._argilla.close()

    def ensure_dataset(self, spec: DatasetSpec) -> DatasetRef:
        dataset_id = self._datasets.ensure(spec)
        self._shapes.pop(dataset_id, None)
        return DatasetRef(dataset_id, self.annotate_url(dataset_id))

    def annotate_url(self, dataset_id: UUID) -> str:
        return (
            f"{self._public_url}/dataset/{dataset_id}/annotation-mode"
            f"?page=1&status=pending&sort={MOST_VALUABLE_FIRST}"
        )

    def push(self, dataset_id: UUID, records: Sequence[RecordOut]) -> PushReport:
        return Push(self._argilla, dataset_id, self._shape(dataset_id)).run(records)

    def refresh(self, dataset_id: UUID, records: Mapping[UUID, RecordOut]) -> RefreshReport:
        push = Push(self._argilla, dataset_id, self._shape(dataset_id))
        return refresh(self._argilla, push, records)

    def _shape(self, dataset_id: UUID) -> RecordShape:
        """Asked for once: a published dataset keeps its question."""
        if dataset_id not in self._shapes:
            self._shapes[dataset_id] = self._datasets.shape(dataset_id)
        return self._shapes[dataset_id]

    def last_activity(self, dataset_id: UUID) -> datetime | None:
        return moment(self._argilla.get(f"datasets/{dataset_id}")["last_activity_at"])

    def look(self, dataset_id: UUID) -> Look:
        return look_of(Scan(self._argilla).records(dataset_id))

    def look_at_newest(self, dataset_id: UUID, count: int) -> Look:
        return look_of(Scan(self._argilla).newest(dataset_id, count))

    def withdraw(
        self, dataset_id: UUID, external_ids: Sequence[str], *, kept_by: Statuses = ANY_RESPONSE
    ) -> WithdrawReport:
        return withdraw(self._argilla, dataset_id, external_ids, kept_by)

    def delete_dataset(self, dataset_id: UUID) -> None:
        self._argilla.call("DELETE", f"datasets/{dataset_id}")

    def usernames(self) -> Mapping[UUID, str]:
        try:
            users = self._argilla.get("users")
        except Rejected as refusal:
            if refusal.http_status != FORBIDDEN:
                raise
            # only owners see all users; an admin sees those of the workspace
            users = self._argilla.get(f"workspaces/{self._datasets.workspace_id()}/users")
        return {UUID(user["id"]): user["username"] for user in users["items"]}

    def ensure_webhook(self, url: str) -> str | None:
        return ensure_webhook(self._argilla, url)

    def ping(self) -> None:
        me = self._argilla.get("me", attempts=1)
        if not isinstance(me, Mapping) or me.get("role") not in ("owner", "admin"):
            raise Refused(
                f"Our key for Argilla at {self._argilla.address} belongs to an annotator. Set "
                "ROUNDS_ARGILLA_API_KEY to the key of an owner or of an admin of the workspace."
            )
