"""Fixtures of the tests that put parts together."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.adapters.postgres.store import PostgresStore
from app.api.wiring import ApiParts
from app.main import create_app
from tests.browsing import browsing
from tests.serving import make_parts


@pytest.fixture
def parts(store: PostgresStore) -> ApiParts:
    return make_parts(store)


@pytest.fixture
def browser(parts: ApiParts) -> Iterator[TestClient]:
    """Somebody who looks at pages, not logged in."""
    with browsing(create_app(parts)) as browser:
        yield browser
