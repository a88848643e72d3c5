"""The dashboard without a browser: what it sends, and how its forms are sent back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.ports.store import Store
from tests.serving import make_key

HTML = {"Accept": "text/html"}


@contextmanager
def browsing(app: FastAPI) -> Iterator[TestClient]:
    """A client that asks for pages and stays where it is sent on."""
    with TestClient(app, headers=HTML, follow_redirects=False) as browser:
        yield browser


def token_in(page: httpx.Response) -> str:
    """What a form of this page must send back."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def log_in(browser: TestClient, store: Store, role: str = "operator") -> str:
    """With a new key of this role; the token for the forms."""
    _, key = make_key(store, role)
    token = token_in(browser.get("/login"))
    answer = browser.post("/login", data={"key": key, "csrf": token})
    assert answer.status_code == 303, answer.text
    return token_in(browser.get("/"))


def table(page: str, name: str) -> list[list[str]]:
    """The cells of a table on a page, tags taken off."""
    found = re.search(rf'<table id="{name}".*?</table>', page, re.DOTALL)
    assert found, page
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
             for row in found[0].split("<tr")[2:]]  # fmt: skip
    return [[re.sub(r"<[^>]+>", "", one).strip() for one in row] for row in cells]
