"""API keys in Postgres; only their hashes are kept."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import ApiKey, Role
from app.core.errors import Conflict, NotFound


class PostgresKeys:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def add(self, name: str, role: Role, prefix: str, key_hash: bytes) -> ApiKey:
        try:
            with self.sql.connection.begin_nested():
                row = self.sql.sure(
                    "INSERT INTO api_keys (name, role, prefix, key_hash) "
                    "VALUES (:name, :role, :prefix, :hash) RETURNING *",
                    name=name,
                    role=role.value,
                    prefix=prefix,
                    hash=key_hash,
                )
        except IntegrityError:
            raise Conflict(f"There is a key named {name!r} already. Revoke it first.") from None
        return rows.api_key(row)

    def by_hash(self, key_hash: bytes) -> ApiKey | None:
        row = self.sql.one(
            "SELECT * FROM api_keys WHERE key_hash = :hash AND revoked_at IS NULL", hash=key_hash
        )
        return rows.api_key(row) if row else None

    def get(self, key_id: int) -> ApiKey | None:
        row = self.sql.one("SELECT * FROM api_keys WHERE id = :id", id=key_id)
        return rows.api_key(row) if row else None

    def all(self) -> Sequence[ApiKey]:
        return [rows.api_key(row) for row in self.sql.all("SELECT * FROM api_keys ORDER BY id")]

    def revoke(self, name: str) -> ApiKey:
        row = self.sql.one(
            "UPDATE api_keys SET revoked_at = now() WHERE name = :name AND revoked_at IS NULL "
            "RETURNING *",
            name=name,
        )
        if row is None:
            raise NotFound(f"There is no key named {name!r} that could be revoked.")
        return rows.api_key(row)

    def touch(self, key_id: int) -> None:
        """Once a minute is exact enough, and spares a write a request."""
        self.sql.run(
            "UPDATE api_keys SET last_used_at = now() WHERE id = :id "
            "AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
            id=key_id,
        )
