"""How long pages and their reads take at a million items and 200 rounds.

    python -m bench.pages [--items N] [--rounds N] [--repeats N]

Rows go straight into a Postgres of their own, past the rules that guard the loop: the loop itself
would take days. Requests go to a service that listens, one after the other; the first of each is
left out, because figures that are kept are counted by it (its time is shown beside). Processor
time is that of the service, of the client and of the database's own processes: it says what a page
costs even where other work makes it wait.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import httpx
import numpy as np
import psutil
import structlog
from sqlalchemy import text

from app.adapters.postgres.store import PostgresStore
from app.main import create_app, settle
from app.rounds.measuring.holding_out import packed
from tests.factories import make_project, make_store
from tests.services import PostgresService, ServiceHost
from tests.serving import bearer, make_key, make_parts, serving

PROMISED_MS = 150
CLASSES = [f"class {n:02}" for n in range(20)]
ROWS = Path(__file__).parent / "pages.sql"
SHOP, API = "/projects/shop", "/api/v1/projects/shop"
OF_A_PROJECT = (
    "{shop}",
    "{shop}?before={middle}",
    "{shop}/curve.csv",
    "{shop}/data",
    "{shop}/classes.csv",
    "{shop}/annotators",
    "{shop}/quality",
    "{shop}/confusion.csv",
    "{shop}/calibration.csv",
    "{shop}/money",
    "{shop}/money.csv",
    "{shop}/doubts",
    "{shop}/doubts.csv",
    "{shop}/export",
    "{shop}/labels",
    "{shop}/settings",
    "{shop}/actions",
    "{shop}/imported",
    "{shop}/delete",
    "{shop}/rounds/{middle}",
    "{shop}/rounds/{middle}/map.csv",
    "{shop}/rounds/{middle}/selections/7",
    "{api}",
    "{api}/data",
    "{api}/rounds",
    "{api}/rounds/{middle}",
    "{api}/rounds/{middle}/selections",
    "{api}/rounds/{middle}/figures",
    "{api}/labels",
    "{api}/items",
    "{api}/metrics",
    "{api}/annotators",
    "{api}/estimates",
    "{api}/ledger",
    "{api}/doubts",
    "{api}/compare?first={middle}&second={rounds}",
    "{api}/imports",
    "{api}/actions",
    "{api}/llm/costs",
    "{api}/llm/jobs",
    "{api}/llm/judgements",
)
ADDRESSES = (
    "/",
    "/actions",
    *OF_A_PROJECT,
    "/api/v1/projects",
    "/api/v1/actions",
    "/metrics",
)


@dataclass(frozen=True, slots=True)
class Timing:
    address: str
    first_ms: float
    median_ms: float
    p95_ms: float
    processor_ms: float


def main() -> int:
    asked = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with serving_rows(asked.items, asked.rounds) as (client, database):
        addresses = addresses_of(asked.rounds)
        found = [timed(client, database, address, asked.repeats) for address in addresses]
    sys.stdout.write("\n".join(shown(found)) + "\n")
    return int(any(one.p95_ms >= PROMISED_MS for one in found))


def addresses_of(rounds: int) -> list[str]:
    known = {"shop": SHOP, "api": API, "middle": max(1, rounds // 2), "rounds": rounds}
    return [one.format(**known) for one in ADDRESSES]


def timed(client: httpx.Client, database: str, address: str, repeats: int) -> Timing:
    first = _milliseconds(client, address)
    before = _processor_seconds(database)
    rest = sorted(_milliseconds(client, address) for _ in range(repeats))
    spent = 1000 * (_processor_seconds(database) - before) / repeats
    return Timing(address, first, rest[len(rest) // 2], rest[-(-95 * len(rest) // 100) - 1], spent)


def _processor_seconds(database: str) -> float:
    """Of this process and of every process of Postgres that serves this database."""
    commands = ((one, one.info["cmdline"] or [""]) for one in psutil.process_iter(["cmdline"]))
    servers = (one for one, command in commands
               if command[0].startswith("postgres:") and database in command[0])  # fmt: skip
    return process_time() + sum(sum(one.cpu_times()[:2]) for one in servers)


def shown(found: Sequence[Timing]) -> Iterator[str]:
    yield "| address | first, ms | median, ms | p95, ms | processor, ms | |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        verdict = "" if one.p95_ms < PROMISED_MS else f"promised < {PROMISED_MS}: **missed**"
        yield (
            f"| `{one.address}` | {one.first_ms:.0f} | {one.median_ms:.0f} | {one.p95_ms:.0f} "
            f"| {one.processor_ms:.0f} | {verdict} |"
        )


def _milliseconds(client: httpx.Client, address: str) -> float:
    begun = perf_counter()
    answer = client.get(address)
    passed = 1000 * (perf_counter() - begun)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return passed


@contextmanager
def serving_rows(items: int, rounds: int) -> Iterator[tuple[httpx.Client, str]]:
    """Somebody logged in, with a key for the API too, at a service over such a project."""
    host = ServiceHost()
    postgres = PostgresService(**host.ask("postgres"))
    try:
        with postgres.database(postgres.migrated_template()) as url:
            store = make_store(url)
            write_rows(store, items, rounds)
            _, key = make_key(store, "admin", "bench")
            with serving(create_app(make_parts(store))) as address:
                settle()
                yield _logged_in(address, key), str(store.engine.url.database)
            store.engine.dispose()
    finally:
        host.close()


def write_rows(store: PostgresStore, items: int, rounds: int) -> None:
    project = make_project(store, labels=CLASSES, batch_size=50)
    given = {"project": project.id, "items": items, "rounds": rounds, "labels": CLASSES,
             "right": packed(np.arange(2000) % 5 > 0)}  # fmt: skip
    with store.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in ROWS.read_text().split(";\n"):
            if statement.strip():
                connection.execute(text(statement), given)
        connection.execute(text("SET session_replication_role = DEFAULT"))
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _logged_in(address: str, key: str) -> httpx.Client:
    client = httpx.Client(base_url=address, headers=bearer(key), timeout=120)
    page = client.get("/login").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    client.post("/login", data={"key": key, "csrf": token})
    return client


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.pages")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
