"""Pages from templates, and how figures and times are written on them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.api.wiring import ApiParts
from app.web.sessions import Session

TEMPLATES = Path(__file__).parent / "templates"
THIN = "\u202f"
SHORT = 300
THEMES = ("light", "dark")
THEME_COOKIE = "rounds_theme"
MARKS = {
    "closed": "●",
    "annotating": "◐",
    "failed": "▲",
    "cancelled": "✕",
}


def count(value: float | None) -> str:
    """12 345, with a thin space that does not break."""
    return "–" if value is None else f"{value:,}".replace(",", THIN)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def ago(moment: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    passed = (datetime.now(tz=UTC) - moment).total_seconds()
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= length:
            number = int(passed // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def exact(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clipped(text: str, length: int = SHORT) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def answer(value: Mapping[str, Any] | None) -> str:
    """An answer in one line: the label, or whatever the task has."""
    if value is None:
        return "–"
    return "; ".join(str(one) for one in value.values())


def prose(text: str) -> Markup:
    """A sentence of ours in which *names* and `code` stand out; whatever it quotes is escaped."""
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", safe))  # noqa: S704 - escaped above


def mark(state: str) -> str:
    """A shape for a state, beside its word."""
    return MARKS.get(state, "◌")


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for one in (count, percent, figure, seconds, ago, exact, clipped, answer, prose, mark):
        made.filters[one.__name__] = one
    return made


_pages = environment()


def page(
    request: Request,
    template: str,
    *,
    parts: ApiParts,
    session: Session | None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A whole page; the frame around it shows the projects and who is logged in."""
    theme = request.cookies.get(THEME_COOKIE)
    html = _pages.get_template(template).render(
        session=session,
        theme=theme if theme in THEMES else None,
        path=request.url.path,
        version=parts.version,
        projects=_projects(parts) if session else [],
        **values,
    )
    return HTMLResponse(html, status)


def _projects(parts: ApiParts) -> list[Mapping[str, Any]]:
    with parts.store.transaction() as tx:
        return list(tx.views.projects())
