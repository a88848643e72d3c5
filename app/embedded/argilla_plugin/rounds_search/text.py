"""Text search: every word has to occur somewhere, upper or lower case, as part of a word or whole.

late payment      both words           "late payment"    this phrase
late | overdue    either of them       late -fee         the first without the second
"""

import re

from argilla_server.models import Field, Record
from sqlalchemy import ColumnElement, and_, func, or_, select

from rounds_search.json_values import as_text, elements, json_at

TOKEN = re.compile(r'(?P<minus>-(?=[^\W\d_"]|"))?(?:"(?P<phrase>[^"]+)"|(?P<word>\S+))')


def matches(fields: list[Field], query: str) -> ColumnElement:
    """Whether a record answers the query in one of these fields."""
    alternatives: list[list[ColumnElement]] = [[]]
    for token in TOKEN.finditer(query):
        if token["word"] == "|":
            alternatives.append([])
            continue
        wanted = token["phrase"] or token["word"].rstrip("*") or token["word"]
        found = or_(*(_occurs(field, wanted) for field in fields))
        alternatives[-1].append(~found if token["minus"] else found)
    return or_(*(and_(*parts) for parts in alternatives if parts))


def _occurs(field: Field, wanted: str) -> ColumnElement:
    node = json_at(Record.fields, field.name)
    if not field.is_chat:
        return _contains(as_text(node), wanted)
    message = elements(node)
    content = as_text(message.c.element["content"])
    turns = select(content).select_from(message).correlate(Record)
    return turns.where(_contains(content, wanted)).exists()


def _contains(text: ColumnElement, wanted: str) -> ColumnElement:
    return func.lower(func.coalesce(text, "")).contains(lower_case(wanted), autoescape=True)


def lower_case(wanted: str) -> str:
    """Lower case as the database makes it: letter by letter, never one letter into two."""
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in wanted)
