"""Accessibility checks by axe-core, vendored: nothing is fetched."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

VENDORED = Path(__file__).parent / "vendor" / "axe.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"  # axe-core 4.14.1
ALL = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast",)
"""What another colour scheme can spoil."""
RUN = """async (runOnly) => (await axe.run(document, {
    resultTypes: ["violations"], runOnly,
})).violations.map((one) => `${one.id}: ${one.help} (${one.nodes.length} times, such as
    ${one.nodes[0].html.slice(0, 200)})`)"""


def violations(page: Page, rules: Sequence[str] = ALL) -> list[str]:
    """What axe finds wrong with the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[str] = page.evaluate(RUN, list(rules))
    return found


@cache
def _source() -> str:
    content = VENDORED.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, "the vendored file was changed"
    return content.decode()
