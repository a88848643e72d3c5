"""The API keeps its word: whatever is sent, it answers as its own description says, and never 5xx.

Schemathesis makes up requests of every operation from the description, good ones and bad ones.
"""

import secrets
from functools import partial

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.core.entities import RoundState
from app.exits.bundle import Places
from app.exits.predicting import Predictors
from app.main import create_app
from app.rounds.replaying import replay
from tests.played import PlayedProject
from tests.serving import bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STREAMED = "/api/v1/projects/{name}/events"
"""It goes on until the client leaves; test_api_events.py reads it."""


@pytest.fixture
def schema(store, tmp_path):
    """Of an application whose project `shop` has a closed round and one that waits."""
    played = PlayedProject(store, tmp_path, count=60)
    played.play(played.start())
    played.run_until(played.start(), RoundState.ANNOTATING)
    places = Places(store, LocalFiles(tmp_path / "files"), LocalFeatureStore(tmp_path / "features"))
    parts = make_parts(
        store,
        webhook_secret=lambda: secrets.token_hex(16),
        predictor=Predictors(places, {}),
        replayer=partial(replay, played.parts),
        whereabouts=lambda: places,
    )
    app = create_app(parts)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_every_operation_answers_as_it_is_described(schema, store):
    headers = bearer(make_key(store, "admin")[1])
    operations = [
        found.ok() for found in schema.get_all_operations() if found.ok().path != STREAMED
    ]
    assert len(operations) > 25
    for operation in operations:
        _try(operation, headers)


def _try(operation, headers):
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case):
        if "name" in case.path_parameters and len(case.path_parameters["name"]) % 2:
            case.path_parameters["name"] = "shop"
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
