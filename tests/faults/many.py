"""Fifty annotators at once, each item for two of them: how fast Argilla takes their answers while
Rounds collects, beside the same without Rounds; and whether any is lost."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.adapters.argilla import ArgillaTool
from app.core.entities import RoundState
from app.main import create_app
from tests.argilla_hands import ArgillaHands
from tests.factories import all_rows
from tests.faults.nursery import Nursery
from tests.faults.site import Site, site_on
from tests.services import ArgillaService, ArgillaUser, PostgresService
from tests.serving import make_parts, serving, wait_until

PEOPLE = 50
ITEMS = 100
CALM_ITEMS = 20
POLL = 10.0
"""Long, so that what comes sooner was called by a webhook."""


def soak_crowd(
    postgres: PostgresService,
    argilla: ArgillaService,
    folder: Path,
    nursery: Nursery,
    say: Callable[[str], None],
) -> bool:
    """Rounds of which every other one is answered while no worker of ours runs."""
    speeds: dict[bool, list[float]] = {False: [], True: []}
    template = postgres.migrated_template()
    more: dict[str, Any] = {"texts": 1600, "poll_seconds": POLL, "batch_size": ITEMS, "overlap": 2}
    with (
        people(argilla) as users,
        site_on(postgres, template, argilla, folder / "crowd", nursery, **more) as site,
        told_by_webhook(site, argilla),
    ):
        for with_us in (False, True, False, True):
            speeds[with_us].append(_round(site, users, with_us=with_us))
        tally = site.check()
        waits = _waits(site, 2)
    count = 2 * ITEMS
    say(f"{PEOPLE} annotators, {count} answers a round, two an item; answers a second:")
    say(f"  Argilla alone   {', '.join(f'{count / one:.1f}' for one in speeds[False])}")
    say(f"  and Rounds      {', '.join(f'{count / one:.1f}' for one in speeds[True])}")
    say(
        f"  from answer to our database: median {waits['median']:.2f} s, 95 % {waits['most']:.2f} s"
    )
    for error, times in site.crowd.refused.items():
        say(f"  Argilla refused {times} times at first: {error}")
    say(f"  checked: {tally.items} items, {tally.answers} answers, {tally.labels} labels")
    say(f"  wrong: {dict(tally.wrong()) or 'nothing'}")
    return not tally.wrong()


def soak_calm(
    postgres: PostgresService,
    argilla: ArgillaService,
    folder: Path,
    nursery: Nursery,
    say: Callable[[str], None],
) -> bool:
    """One person who answers an item a second: how soon is an answer ours?"""
    more: dict[str, Any] = {"poll_seconds": POLL, "batch_size": CALM_ITEMS}
    with (
        site_on(
            postgres, postgres.migrated_template(), argilla, folder / "calm", nursery, **more
        ) as site,
        told_by_webhook(site, argilla),
    ):
        number = site.start()
        site.worker()
        wait_until(lambda: site.round(number).state == RoundState.ANNOTATING, 300)
        for record in site.crowd.records(site.dataset_id()):
            site.crowd.answer(record, argilla.annotators[0])
            time.sleep(1)
        wait_until(lambda: site.round(number).state == RoundState.CLOSED, 300)
        tally, waits = site.check(), _waits(site, number)
    say(
        f"{CALM_ITEMS} answers, one a second, told by webhook, looked for every {POLL:g} s without:"
    )
    say(
        f"  from answer to our database: median {waits['median']:.2f} s, 95 % {waits['most']:.2f} s"
    )
    say(f"  wrong: {dict(tally.wrong()) or 'nothing'}")
    return not tally.wrong()


def _round(site: Site, users: Sequence[ArgillaUser], *, with_us: bool) -> float:
    """One round; how long the people took."""
    number = site.start()
    worker = site.worker()
    wait_until(lambda: site.round(number).state == RoundState.ANNOTATING, 300)
    if not with_us:
        worker.kill()
        site.expire_leases()
    seconds = _answer_all(site, number, users)
    if not with_us:
        worker = site.worker()
    wait_until(lambda: site.round(number).state == RoundState.CLOSED, 300)
    worker.kill()
    site.expire_leases()
    return seconds


def _answer_all(site: Site, number: int, users: Sequence[ArgillaUser]) -> float:
    """Everybody answers their items, one after the other, as fast as Argilla takes them."""
    records = [
        one for one in site.crowd.records(site.dataset_id()) if one["metadata"]["round"] == number
    ]
    shares = [records[place::PEOPLE] + records[(place + 1) % PEOPLE :: PEOPLE]
              for place in range(PEOPLE)]  # fmt: skip
    problems: list[BaseException] = []

    def work(user: ArgillaUser, share: Sequence[Mapping[str, Any]]) -> None:
        try:
            for record in share:
                site.crowd.answer(record, user)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(users, shares, strict=True)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return time.monotonic() - began


def _waits(site: Site, every: int) -> Mapping[str, float]:
    """How long answers took to our database, in rounds that were collected meanwhile."""
    (row,) = all_rows(
        site.store,
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS median, "
        "percentile_cont(0.95) WITHIN GROUP (ORDER BY wait) AS most FROM ("
        "SELECT extract(epoch FROM a.collected_at - a.response_updated_at) AS wait "
        "FROM annotations a JOIN selections s ON s.id = a.selection_id "
        "JOIN rounds r ON r.id = s.round_id WHERE r.number % :every = 0) waits",
        every=every,
    )
    return {name: float(value) for name, value in row.items()}


@contextmanager
def people(argilla: ArgillaService) -> Iterator[Sequence[ArgillaUser]]:
    """Annotators of this run alone."""
    hands = ArgillaHands(argilla)
    listed = hands.call("GET", "me/workspaces")["items"]
    workspace = next(one["id"] for one in listed if one["name"] == argilla.workspace)
    made = [_person(hands, workspace) for _ in range(PEOPLE)]
    try:
        yield [user for _, user in made]
    finally:
        for user_id, _ in made:
            hands.call("DELETE", f"users/{user_id}")


def _person(hands: ArgillaHands, workspace: str) -> tuple[str, ArgillaUser]:
    name, password = f"crowd-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    body = {"username": name, "first_name": name, "password": password, "role": "annotator"}
    made = hands.call("POST", "users", json=body)
    hands.call("POST", f"workspaces/{workspace}/users", json={"user_id": made["id"]})
    return made["id"], ArgillaUser(name, password, made["api_key"])


@contextmanager
def told_by_webhook(site: Site, argilla: ArgillaService) -> Iterator[None]:
    """An API of ours that Argilla tells of answers."""
    told: dict[str, str | None] = {}
    parts = make_parts(site.store, webhook_secret=lambda: told.get("secret"))
    tool = ArgillaTool(argilla.url, argilla.owner.api_key, argilla.workspace)
    hands = ArgillaHands(argilla)
    with serving(create_app(parts)) as url:
        address = f"{url}/webhooks/argilla"
        told["secret"] = tool.ensure_webhook(address)
        try:
            yield
        finally:
            tool.close()
            for one in hands.call("GET", "webhooks")["items"]:
                if one["url"] == address:
                    hands.call("DELETE", f"webhooks/{one['id']}")
