"""Takes a picture of every page, wide and narrow, light and dark, of a project made for it.

Needs Chromium. `make screenshots` writes screenshots/desk-light-overview.png and so on.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from app.core.acting import Via, by_key
from app.core.entities import RoundState
from app.demo.texts import generate
from app.main import create_app
from app.rounds import commands
from tests.browser.chromium import open_page
from tests.factories import make_project, make_store
from tests.played import PlayedProject
from tests.services import PostgresService, ServiceHost
from tests.serving import make_key, make_parts, serving

ROUNDS = 5
TEXTS = [dict(one) for one in generate(2000, seed=1)]
"""Those of `make demo`: hard enough that figures look as they do in earnest."""
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
    "settings": f"{SHOP}/settings",
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
            played = PlayedProject(store, Path(files), rows=TEXTS, batch_size=20)
            anna = by_key(make_key(store, "admin", "anna")[0], Via.PAGE)
            for size in (16, 20):
                commands.change_project(store, "shop", {"batch_size": size}, actor=anna)
            for _ in range(ROUNDS):
                played.play(commands.start_round(store, "shop", actor=anna).number)
            played.run_until(played.start(), RoundState.ANNOTATING)
            played.answer(ROUNDS + 1, skip=8)
            played.tick()
            make_project(store, "empty")
            with serving(create_app(make_parts(store))) as address:
                yield address, make_key(store, "admin", "lead")[1]
            store.engine.dispose()
    finally:
        host.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
