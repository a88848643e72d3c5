"""An LLM that chooses what people shall label (ActiveLLM): 200 texts a prompt, 32 picks, step by
step. Needs no label and no classifier."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from app.core.llm.answers import read_picks
from app.core.llm.entities import Purpose, Request
from app.core.llm.money import Estimate
from app.core.tasks import TaskSpec
from app.llm.asking import Check, Question, unhurried
from app.llm.desk import Desk, Sitting
from app.llm.prompting import select_request, sent_text
from app.ports.llm import NewAnswer
from app.ports.store import ItemIds

TEXTS_A_PROMPT = 200
PICKS_A_PROMPT = 32
Ask = Callable[[Sequence[int], Request], str | None]
"""From the items of a prompt and the request to the answer, None if there is none."""
Fill = Callable[[Sequence[int], int], Sequence[int]]
"""So many of these, for the places that the LLM left empty."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Items in the order chosen. The last `filled` of them are not the LLM's choice."""

    items: tuple[int, ...]
    filled: int
    unknown: int
    """Ids that it made up."""
    repeated: int
    prompts: int


def choose(
    ask: Ask, texts: Mapping[int, str], size: int, task: TaskSpec, *, seed: int, fill: Fill
) -> Chosen:
    """Prompt after prompt, each of other texts as long as there are any, until there are enough
    picks or as many prompts were tried as could have done twice over."""
    waiting = [int(one) for one in np.random.default_rng(seed).permutation(list(texts))]
    picks: list[int] = []
    unknown = repeated = prompts = 0
    size = min(size, len(texts))
    while len(picks) < size and prompts < 2 * ceil(size / PICKS_A_PROMPT):
        part, waiting = waiting[:TEXTS_A_PROMPT], waiting[TEXTS_A_PROMPT:]
        keys = {f"t{n}": item for n, item in enumerate(part, start=1)}
        wanted = min(PICKS_A_PROMPT, size - len(picks), len(part))
        said = ask(part, select_request({k: texts[i] for k, i in keys.items()}, wanted, task))
        prompts += 1
        if said is not None:
            found = read_picks(said, keys, wanted)
            unknown, repeated = unknown + found.unknown, repeated + found.repeated
            picks += [keys[key] for key in found.ids]
        taken = set(picks)
        waiting += [item for item in part if item not in taken]
    taken = set(picks)
    rest = fill([item for item in waiting if item not in taken], size - len(picks))
    return Chosen((*picks, *rest), len(rest), unknown, repeated, prompts)


def select(
    desk: Desk, name: str, size: int, *, provider: str | None = None
) -> tuple[Chosen, Sequence[str]]:
    """Which unlabelled items to label next, and their names in the project. Places that the LLM
    leaves empty are drawn at random."""
    sitting = desk.begin(name, Purpose.SELECT, provider)
    chosen = choose_items(
        sitting,
        _pool(sitting),
        size,
        seed=sitting.project.settings.seed,
        fill=lambda rest, count: rest[:count],  # they come in an order that was drawn
    )
    return chosen, [item.external_id for item in sitting.items(chosen.items)]


def nothing(rest: Sequence[int], count: int) -> Sequence[int]:
    """Places that stay empty."""
    del rest, count
    return ()


def choose_items(
    sitting: Sitting,
    pool: ItemIds,
    size: int,
    *,
    seed: int,
    fill: Fill = nothing,
    check: Check = unhurried,
) -> Chosen:
    """Items of the pool that it would label first."""
    texts, task = _texts(sitting, pool, size, seed), sitting.project.task
    return choose(_asking(sitting, check), texts, size, task, seed=seed, fill=fill)


def estimate_select(desk: Desk, name: str, size: int, *, provider: str | None = None) -> Estimate:
    """What `select` would cost, without asking anything."""
    sitting = desk.begin(name, Purpose.SELECT, provider)
    requests: list[Request] = []

    def note(part: Sequence[int], request: Request) -> str:
        del part
        requests.append(request)
        ids = list(request.subjects)[: int(request.schema["properties"]["ids"]["maxItems"])]
        return f'{{"ids": {ids}}}'.replace("'", '"')

    texts = _texts(sitting, _pool(sitting), size, sitting.project.settings.seed)
    choose(note, texts, size, sitting.project.task, seed=0, fill=nothing)
    return sitting.estimate(requests)


def _pool(sitting: Sitting) -> ItemIds:
    with sitting.store.transaction() as tx:
        return tx.items.candidates(sitting.project.id)


def _texts(sitting: Sitting, pool: ItemIds, size: int, seed: int) -> Mapping[int, str]:
    """As many unlabelled items as all prompts could need, drawn from the pool."""
    most = 2 * ceil(size / PICKS_A_PROMPT) * TEXTS_A_PROMPT
    drawn = np.random.default_rng(seed).permutation(pool)[:most].tolist()
    allowed = sitting.project.settings.llm.fields
    return {item.id: sent_text(item.fields, allowed) for item in sitting.items(drawn)}


def _asking(sitting: Sitting, check: Check) -> Ask:
    def read(question: Question, text: str) -> Sequence[NewAnswer]:
        request = question.request
        read_picks(text, request.subjects, int(request.schema["properties"]["ids"]["maxItems"]))
        return ()

    def ask(part: Sequence[int], request: Request) -> str | None:
        asker = sitting.asker(read, check=check)
        return asker.ask([Question(request, tuple(part))]).answers.get(0)

    return ask
