"""Chat models: one request a call, in OpenAI's form or in Anthropic's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.adapters.llm.wire import Wire
from app.core.llm.entities import Completion, Request, Usage
from app.core.llm.money import Price
from app.ports.llm import AnswerLost

ANTHROPIC_VERSION = "2023-06-01"
TOOL = "answer"
REFUSAL = "The model declined."
CUT = "The answer was longer than allowed and was cut off."


@dataclass(frozen=True, slots=True)
class OpenAiCompatible:
    """OpenAI, Azure, vLLM, Ollama, llama.cpp, LM Studio: whatever speaks `chat/completions`."""

    name: str
    model: str
    price: Price
    concurrency: int
    wire: Wire
    structured: bool = True
    """Whether the server knows `response_format` with a JSON schema."""
    together: int = 1

    @property
    def seconds(self) -> float:
        return self.wire.longest

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Completion:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": request.instructions},
                {"role": "user", "content": request.content},
            ],
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
        }
        if self.structured:
            schema = {"name": TOOL, "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.sample:
            body["seed"] = request.sample
        return _of_openai(self.wire.post("chat/completions", body), self.wire.service)


def _of_openai(body: Any, service: str) -> Completion:
    try:
        choice, used = body["choices"][0], body.get("usage") or {}
        usage = Usage(int(used.get("prompt_tokens", 0)), int(used.get("completion_tokens", 0)))
        message = choice["message"]
        said, declined = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise AnswerLost(f"{service} answered in a form that is not OpenAI's.") from None
    if declined or choice.get("finish_reason") == "content_filter":
        return Completion(None, usage, REFUSAL)
    if not isinstance(said, str):
        return Completion(None, usage, "The model gave no text.")
    cut = choice.get("finish_reason") == "length"
    return Completion(said, usage, CUT if cut else None)


@dataclass(frozen=True, slots=True)
class Anthropic:
    """Anthropic's messages; the answer is asked for as the input of a tool, which has a schema."""

    name: str
    model: str
    price: Price
    concurrency: int
    wire: Wire
    together: int = 1

    @property
    def seconds(self) -> float:
        return self.wire.longest

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Completion:
        tool = {
            "name": TOOL,
            "description": "Give the answer.",
            "input_schema": request.schema,
        }
        body = {
            "model": self.model,
            "system": request.instructions,
            "messages": [{"role": "user", "content": request.content}],
            "temperature": min(1.0, request.temperature),
            "max_tokens": request.max_tokens,
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": TOOL},
        }
        return _of_anthropic(self.wire.post("v1/messages", body), self.wire.service)


def _of_anthropic(body: Any, service: str) -> Completion:
    try:
        used = body.get("usage") or {}
        usage = Usage(int(used.get("input_tokens", 0)), int(used.get("output_tokens", 0)))
        said = [_text_of(part) for part in body["content"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AnswerLost(f"{service} answered in a form that is not Anthropic's.") from None
    if body.get("stop_reason") == "refusal":
        return Completion(None, usage, REFUSAL)
    found = next((one for one in said if one is not None), None)
    if found is None:
        return Completion(None, usage, "The model gave no text.")
    return Completion(found, usage, CUT if body.get("stop_reason") == "max_tokens" else None)


def _text_of(part: Mapping[str, Any]) -> str | None:
    """A tool's input as the JSON that it is, or plain text."""
    if part["type"] == "tool_use":
        return json.dumps(part["input"], ensure_ascii=False)
    return str(part["text"]) if part["type"] == "text" else None
