"""A project that allows an LLM everything, and providers that answer from the test's server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.store import PostgresStore
from app.core.entities import Project
from app.llm.desk import Desk
from tests.factories import import_rows, make_project
from tests.llm_server import KEY, LlmServer, configuration, llm_server

ALL = ["label", "select", "uncertainty", "weak_labels", "judge"]
LABELS = ("a", "b")


def allowing(**more: Any) -> dict[str, Any]:
    return {"provider": "it", "allow": ALL, "fields": ["text"], **more}


def texts(count: int, **more: Any) -> Sequence[dict[str, Any]]:
    return [{"id": f"i{n}", "text": f"text {n}", **more} for n in range(count)]


def truth(count: int) -> Mapping[str, str]:
    return {f"text {n}": LABELS[n % 2] for n in range(count)}


def llm_project(store: PostgresStore, rows: Sequence[Mapping[str, Any]], **llm: Any) -> Project:
    project = make_project(store, labels=LABELS, llm=allowing(**llm))
    import_rows(store, rows)
    return project


@contextmanager
def desk_with_server(
    store: PostgresStore, known: Mapping[str, str], **more: Any
) -> Iterator[tuple[Desk, LlmServer]]:
    kind = more.pop("kind", "openai-compatible")
    with llm_server(known) as (server, url):
        given = {"it": configuration(kind, url, **more)}
        yield Desk(store, ConfiguredProviders(given, {"LLM_TEST_KEY": KEY})), server


def simulated(tmp_path: Any, known: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """A simulated provider's configuration, with a file of what it knows."""
    file = tmp_path / "truth.jsonl"
    rows = [{"id": f"t{n}", "text": text, "label": label}
            for n, (text, label) in enumerate(known.items())]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"kind": "simulated", "truth": str(file), **more}
