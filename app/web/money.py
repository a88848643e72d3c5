"""The page about what labels have cost, and what the next ones would."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.api.access import Parts
from app.api.parameters import ProjectName
from app.shown import estimates
from app.shown.estimates import LedgerOut
from app.web.rendering import count, page
from app.web.sessions import Viewer
from app.web.tables import csv_file

router = APIRouter()


@router.get("/projects/{name}/money")
def money_page(request: Request, session: Viewer, name: ProjectName, parts: Parts) -> HTMLResponse:
    ledger = estimates.ledger_of(parts.store, name)
    return page(
        request,
        "money.html",
        parts=parts,
        session=session,
        name=name,
        ledger=ledger,
        sentence=_sentence(ledger),
    )


@router.get("/projects/{name}/money.csv")
def money_file(session: Viewer, name: ProjectName, parts: Parts) -> Response:
    ledger = estimates.ledger_of(parts.store, name)
    price = ledger.price_per_hour / 60
    people = [["person", one.name, one.answers, one.minutes, price * one.minutes]
              for one in ledger.people]  # fmt: skip
    llm = [["llm", f"{one['provider']} {one['purpose']}", one["calls"], None, one["dollars"]]
           for one in ledger.llm]  # fmt: skip
    head = ["kind", "name", "answers", "minutes", "dollars"]
    return csv_file(f"{name}-money", head, [*people, *llm])


def _sentence(ledger: LedgerOut) -> str:
    if not ledger.labels and not ledger.llm:
        return "Nothing was spent yet."
    minutes = count(round(ledger.minutes))
    told = f"{count(ledger.labels)} labels took {minutes} minutes of people's time"
    if not ledger.dollars.total:
        return f"{told}."
    with_llms = "with LLMs " if ledger.llm else ""
    return f"{told}; {with_llms}they cost ${ledger.dollars.total:,.2f}."
