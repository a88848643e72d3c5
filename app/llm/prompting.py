"""The prompts, and the requests that are made of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from app.core.llm.answers import label_schema, picks_schema
from app.core.llm.entities import Purpose, Request
from app.core.llm.prompts import Prompt, listed, mark_for
from app.core.tasks import TaskSpec

LABEL = "label.v1"
JUDGE = "judge.v1"
SELECT = "select.v1"
REPAIR = "repair.v1"
NO_GUIDELINES = "(none)"
PICK_TOKENS = 4_000


@cache
def prompt(name: str) -> Prompt:
    """A prompt by its name and version."""
    source = files("app.llm") / "prompts" / f"{name}.md"
    return Prompt.of(name, source.read_text(encoding="utf-8"))


def sent_text(fields: Mapping[str, str], allowed: Sequence[str]) -> str:
    """Of an item's fields those that may leave the house; several of them under their names."""
    given = [(name, fields[name]) for name in allowed if name in fields]
    if len(allowed) == 1:
        return given[0][1] if given else ""
    return "\n\n".join(f"{name}:\n{text}" for name, text in given)


def label_request(
    text: str,
    task: TaskSpec,
    *,
    purpose: Purpose = Purpose.LABEL,
    name: str = LABEL,
    sample: int = 0,
    temperature: float = 0.0,
) -> Request:
    """One text an answer: what another text says cannot reach it."""
    instructions, content = prompt(name).filled(
        {**_task(task), "mark": mark_for([text]), "text": text}
    )
    return Request(
        prompt=name,
        purpose=purpose,
        instructions=instructions,
        content=content,
        schema=label_schema(task.labels),
        subjects={"text": text},
        temperature=temperature,
        sample=sample,
    )


def select_request(texts: Mapping[str, str], size: int, task: TaskSpec) -> Request:
    """Many texts, one answer of ids."""
    gaps = {
        **_task(task),
        "mark": mark_for(list(texts.values())),
        "texts": listed(texts),
        "size": str(size),
        "count": str(len(texts)),
    }
    instructions, content = prompt(SELECT).filled(gaps)
    return Request(
        prompt=SELECT,
        purpose=Purpose.SELECT,
        instructions=instructions,
        content=content,
        schema=picks_schema(size),
        subjects=texts,
        max_tokens=PICK_TOKENS,
    )


def repair_request(request: Request, problem: str) -> Request:
    """The same once more, with what was wrong. What it answered is not repeated to it: an answer
    may hold a text's own instructions."""
    instructions, content = prompt(REPAIR).filled(
        {"instructions": request.instructions, "content": request.content, "problem": problem}
    )
    return replace(request, prompt=REPAIR, instructions=instructions, content=content)


def _task(task: TaskSpec) -> Mapping[str, str]:
    return {
        "labels": json.dumps(list(task.labels), ensure_ascii=False),
        "guidelines": task.guidelines or NO_GUIDELINES,
    }
