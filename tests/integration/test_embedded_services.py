"""The services that tests run on are real and fresh."""

import httpx
import psycopg
import pytest

from tests.services import ArgillaService, PostgresService


@pytest.mark.postgres
def test_every_test_gets_a_database_of_its_own_at_the_newest_schema(
    postgres: PostgresService, database_url: str
) -> None:
    with postgres.database() as other, psycopg.connect(plain(other)) as connection:
        assert tables(connection) == set()
    with psycopg.connect(plain(database_url)) as connection:
        assert {"projects", "rounds", "items"} <= tables(connection)


@pytest.mark.argilla
def test_argilla_knows_the_owner_and_two_annotators_of_the_workspace(
    argilla: ArgillaService,
) -> None:
    roles = [me(argilla, user.api_key)["role"] for user in (argilla.owner, *argilla.annotators)]
    assert roles == ["owner", "annotator", "annotator"]


def me(argilla: ArgillaService, api_key: str) -> dict[str, str]:
    headers = {"X-Argilla-Api-Key": api_key}
    return dict(httpx.get(f"{argilla.url}/api/v1/me", headers=headers).raise_for_status().json())


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def tables(connection: psycopg.Connection) -> set[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall()
    return {name for (name,) in rows}
