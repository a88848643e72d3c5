"""Connections to Postgres, and the short way to run a statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, create_engine, text
from sqlalchemy.engine import URL, make_url

from app.core.errors import WrongInput


def database_url(raw: str) -> URL:
    """The URL with our driver; other databases are refused: Postgres is the only one."""
    try:
        url = make_url(raw)
    except Exception:
        raise WrongInput(
            "ROUNDS_DATABASE_URL is not an address like postgresql://user:password@host/name.",
            field="ROUNDS_DATABASE_URL",
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise WrongInput(
            f"ROUNDS_DATABASE_URL names {url.get_backend_name()}; only postgresql:// will do.",
            field="ROUNDS_DATABASE_URL",
        )
    return url.set(drivername="postgresql+psycopg")


def make_engine(raw_url: str, *, pool_size: int = 10) -> Engine:
    return create_engine(
        database_url(raw_url),
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        hide_parameters=True,  # an error must not print texts or keys
        connect_args={"application_name": "rounds", "connect_timeout": 10},
    )


class Sql:
    """Runs statements with named parameters on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def run(self, statement: str, **parameters: Any) -> int:
        """How many rows were touched."""
        return self.connection.execute(text(statement), parameters).rowcount

    def many(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self.connection.execute(text(statement), list(rows))

    def all(self, statement: str, **parameters: Any) -> Sequence[RowMapping]:
        return self.connection.execute(text(statement), parameters).mappings().all()

    def one(self, statement: str, **parameters: Any) -> RowMapping | None:
        return self.connection.execute(text(statement), parameters).mappings().first()

    def sure(self, statement: str, **parameters: Any) -> RowMapping:
        """The row of a statement that always gives one: an aggregate, or RETURNING."""
        return self.connection.execute(text(statement), parameters).mappings().one()

    def value(self, statement: str, **parameters: Any) -> Any:
        return self.connection.execute(text(statement), parameters).scalar()
