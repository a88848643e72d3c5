"""Pools as they were at a decision, in Postgres: small, for most ids follow each other closely."""

import zlib
from hashlib import sha256

import numpy as np

from app.adapters.postgres.engine import Sql
from app.core.entities import PoolIds
from app.core.errors import NotFound
from app.ports.store import ItemIds


class PostgresPools:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def keep(self, project_id: int, pool: PoolIds) -> int:
        parts = {
            "candidates": packed(pool.candidates),
            "occupied": packed(pool.occupied),
            "labels": packed(pool.label_ids),
        }
        digest = sha256(b"".join(len(one).to_bytes(8) + one for one in parts.values())).hexdigest()
        kept = self.sql.value(
            "INSERT INTO pool_snapshots (project_id, sha256, candidates, occupied, label_ids) "
            "VALUES (:project, :sha256, :candidates, :occupied, :labels) "
            "ON CONFLICT (project_id, sha256) DO NOTHING RETURNING id",
            project=project_id,
            sha256=digest,
            **parts,
        )
        if kept is None:
            kept = self.sql.value(
                "SELECT id FROM pool_snapshots WHERE project_id = :project AND sha256 = :sha256",
                project=project_id,
                sha256=digest,
            )
        return int(kept)

    def get(self, pool_id: int) -> PoolIds:
        row = self.sql.one("SELECT * FROM pool_snapshots WHERE id = :id", id=pool_id)
        if row is None:
            raise NotFound("There is no such record of a pool.")
        return PoolIds(
            unpacked(row["candidates"]), unpacked(row["occupied"]), unpacked(row["label_ids"])
        )


def packed(ids: ItemIds) -> bytes:
    """Ascending ids as compressed differences: a million that follow each other take 2 KB."""
    return zlib.compress(np.diff(ids, prepend=0).astype("<u8").tobytes(), 6)


def unpacked(content: bytes) -> ItemIds:
    return np.cumsum(np.frombuffer(zlib.decompress(bytes(content)), dtype="<u8").astype(np.int64))
