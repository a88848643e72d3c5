"""Takes a picture of every page, wide and narrow, light and dark, of a project made for it.

Needs Chromium. `make screenshots` writes screenshots/desk-light-overview.png and so on.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from playwright.sync_api import Page

from app.core.acting import Via, by_key
from app.core.entities import RoundState
from app.demo.texts import generate
from app.main import create_app
from app.rounds import commands, projects
from app.rounds.measuring.measurer import Measurer
from tests.browser.chromium import open_page
from tests.factories import make_project, make_store
from tests.played import PlayedProject
from tests.services import PostgresService, ServiceHost
from tests.serving import make_key, make_parts, serving

ROUNDS = 5
TEXTS = [dict(one) for one in generate(2000, seed=1)]
"""Those of `make demo`: hard enough that figures look as they do in earnest."""
SETTINGS = {
    "overlap": 2,
    "adjudication": "none",
    "audit_fraction": 0.4,
    "stopping": {"price_per_hour": 24},
}
WIDTHS = {"desk": 1440, "phone": 390}
SCHEMES = ("light", "dark")
SHOP = "/projects/shop"
PAGES = {
    "login": "/login",
    "projects": "/",
    "new": "/new",
    "overview": SHOP,
    "data": f"{SHOP}/data",
    "annotators": f"{SHOP}/annotators",
    "quality": f"{SHOP}/quality",
    "doubts": f"{SHOP}/doubts",
    "money": f"{SHOP}/money",
    "export": f"{SHOP}/export",
    "settings": f"{SHOP}/settings",
    "labels": f"{SHOP}/labels",
    "actions": f"{SHOP}/actions",
    "round": f"{SHOP}/rounds/{ROUNDS}",
    "open-round": f"{SHOP}/rounds/{ROUNDS + 1}",
    "selection": f"{SHOP}/rounds/{ROUNDS}/selections/1",
    "cancel": f"{SHOP}/rounds/{ROUNDS + 1}/cancel",
    "delete": f"{SHOP}/delete",
    "empty": "/projects/empty",
    "empty-data": "/projects/empty/data",
    "missing": f"{SHOP}/rounds/99",
    "reference": "/docs",
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with seeded() as (address, key), open_page() as page:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for device, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 900})
                _all_pages(page, address, key, folder, f"{device}-{scheme}")
                page.context.clear_cookies()


def _all_pages(page: Page, address: str, key: str, folder: Path, name: str) -> None:
    page.goto(f"{address}/login")
    page.screenshot(path=folder / f"{name}-login.png", full_page=True)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    for title, path in PAGES.items():
        if title != "login":
            page.goto(address + path)
            page.screenshot(path=folder / f"{name}-{title}.png", full_page=True)


@contextmanager
def seeded() -> Iterator[tuple[str, str]]:
    """A service over a database of its own, with a project in its middle; its address and a key."""
    host = ServiceHost()
    postgres = PostgresService(**host.ask("postgres"))
    try:
        with (
            postgres.database(postgres.migrated_template()) as url,
            tempfile.TemporaryDirectory() as files,
        ):
            store = make_store(url)
            _play(PlayedProject(store, Path(files), rows=TEXTS, batch_size=16, **SETTINGS))
            make_project(store, "empty")
            store.worker_seen("worker-1")
            with serving(create_app(make_parts(store))) as address:
                yield address, make_key(store, "admin", "lead")[1]
            store.engine.dispose()
    finally:
        host.close()


def _play(played: PlayedProject) -> None:
    """Rounds that people have answered and a worker has measured; one is open at the end."""
    anna = by_key(make_key(played.store, "admin", "anna")[0], Via.PAGE)
    projects.change_project(played.store, "shop", {"batch_size": 20}, actor=anna)
    played.tool.step = timedelta(seconds=5.5)
    people = Random(7)  # noqa: S311 - nothing secret
    for number in range(1, ROUNDS + 2):
        commands.start_round(played.store, "shop", actor=anna)
        played.run_until(number, RoundState.ANNOTATING)
        _answer(played, number, people, skip=8 if number > ROUNDS else 0)
        if number <= ROUNDS:
            played.run_until(number, RoundState.CLOSED)
    played.tick()
    measurer = Measurer(played.parts, name="measurer")
    while measurer.tick():
        pass


def _answer(played: PlayedProject, number: int, people: Random, skip: int) -> None:
    """Both annotators answer; some texts mislead both of them, some only one."""
    labels = sorted(set(played.truth.values()))
    for one in played.out(number)[skip:]:
        truth = played.truth[one.item.fields["text"]]
        common = people.choice(labels) if people.random() < 0.08 else truth
        for name in played.tool.users:
            said = people.choice(labels) if people.random() < 0.05 else common
            played.tool.answer(f"item-{one.item.id}", said, by=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
