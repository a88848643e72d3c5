"""Fixtures that every kind of test may use."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from app.adapters.postgres.store import PostgresStore
from tests.factories import make_store
from tests.services import ArgillaService, PostgresService, ServiceHost

# the same examples every time: a test that fails fails again, for whoever looks at it
settings.register_profile("the same", derandomize=True, deadline=None, database=None)
settings.load_profile("the same")


@pytest.fixture(scope="session")
def services() -> Iterator[ServiceHost]:
    """The process that runs real services for tests; they start when first asked for."""
    host = ServiceHost()
    yield host
    host.close()


@pytest.fixture(scope="session")
def postgres(services: ServiceHost) -> PostgresService:
    """A running Postgres cluster."""
    return PostgresService(**services.ask("postgres"))


@pytest.fixture(scope="session")
def _migrated_template(postgres: PostgresService) -> str:
    return postgres.migrated_template()


@pytest.fixture
def database_url(postgres: PostgresService, _migrated_template: str) -> Iterator[str]:
    """A database of this test alone, at the newest schema."""
    with postgres.database(template=_migrated_template) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresStore]:
    """The records in that database."""
    made = make_store(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def empty_database_url(postgres: PostgresService) -> Iterator[str]:
    """A database of this test alone, with nothing in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def argilla(services: ServiceHost) -> ArgillaService:
    """A running Argilla with an owner, two annotators and a workspace."""
    return ArgillaService.of(services.ask("argilla"))
