"""API keys: made, listed and revoked by admins."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Admin, Parts, acting
from app.api.parameters import PREFIX
from app.api.problems import problems
from app.core.entities import ApiKey, Role
from app.core.errors import NotFound
from app.rounds import api_keys

router = APIRouter(prefix=PREFIX, tags=["keys"])


class NewKey(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "ci", "role": "operator"}]})

    name: str = Field(min_length=1, max_length=100, description="Printable characters.")
    role: Role


class KeyOut(BaseModel):
    """A key as it is listed: never the key itself."""

    name: str
    role: Role
    prefix: str = Field(description="How the key begins, to recognise it.")
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls(**{name: getattr(key, name) for name in KeyOut.model_fields})


class MadeKey(KeyOut):
    key: str = Field(description="The key. It is shown this once and kept nowhere.")


class KeyList(BaseModel):
    items: list[KeyOut]


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    responses=problems(400, 401, 403, 409, 413, 422),
)
def create_key(caller: Admin, body: NewKey, parts: Parts) -> MadeKey:
    key, plain = api_keys.create_key(parts.store, body.name, body.role.value, actor=acting(caller))
    return MadeKey(**KeyOut.of(key).model_dump(), key=plain)


@router.get("/keys", summary="All keys, revoked ones too", responses=problems(401, 403))
def list_keys(caller: Admin, parts: Parts) -> KeyList:
    with parts.store.transaction() as tx:
        return KeyList(items=[KeyOut.of(key) for key in tx.keys.all()])


@router.delete(
    "/keys/{key_name}",
    status_code=204,
    summary="Revoke a key",
    description="At once, and for good: requests, sessions and streams of the key end.",
    responses=problems(401, 403, 404, 422),
)
def revoke_key(
    caller: Admin, key_name: Annotated[str, Path(max_length=100, examples=["ci"])], parts: Parts
) -> Response:
    if not key_name.isprintable():
        raise NotFound("There is no such key.")
    api_keys.revoke_key(parts.store, key_name, actor=acting(caller))
    return Response(status_code=204)
