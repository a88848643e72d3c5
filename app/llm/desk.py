"""Where every use of an LLM begins: what the project allows, who is asked, who pays."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.entities import Item, Project
from app.core.errors import WrongInput
from app.core.llm.entities import Purpose, Request
from app.core.llm.money import MICRO, Estimate, Ratio, estimate
from app.llm.asking import Asker, Check, Progress, Read, unhurried
from app.llm.ledgers import StoreLedger
from app.ports.llm import Account, Provider, Providers
from app.ports.store import Store

ENOUGH_CALLS = 20
"""Answered calls from which an estimate is made of what they took."""


class NoProviders:
    """Where the server's settings name none."""

    def names(self) -> Sequence[str]:
        return ()

    def get(self, name: str) -> Provider:
        raise WrongInput(
            f"There is no LLM provider {name[:60]!r}; none is set up on this server.",
            field="provider",
        )


def silent(done: int, total: int) -> None:
    del done, total


@dataclass(frozen=True, slots=True)
class Desk:
    """The outside, wired once by bootstrap."""

    store: Store
    providers: Providers

    def begin(
        self, name: str, purpose: Purpose, provider: str | None, round_number: int | None = None
    ) -> "Sitting":
        """NotAllowed unless the project allows the purpose."""
        with self.store.transaction() as tx:
            project = tx.projects.by_name(name)
            project.settings.llm.insist(purpose)
            round_ = tx.rounds.by_number(project.id, round_number) if round_number else None
        return Sitting(
            self.store, self.provider(project, provider), project, purpose,
            round_.id if round_ else None,
        )  # fmt: skip

    def provider(self, project: Project, name: str | None) -> Provider:
        """The one named, or the project's own."""
        chosen = name or project.settings.llm.provider
        if chosen is None:
            known = ", ".join(self.providers.names()) or "none; ROUNDS_LLM_PROVIDERS names them"
            raise WrongInput(
                f"Which LLM? Name a provider, or set llm.provider. Known: {known}.",
                field="provider",
            )
        return self.providers.get(chosen)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One project asking one provider for one purpose."""

    store: Store
    provider: Provider
    project: Project
    purpose: Purpose
    round_id: int | None

    @property
    def source(self) -> str:
        """How its labels are signed; never as a person's."""
        return f"llm:{self.provider.name}/{self.provider.model}"

    @property
    def account(self) -> Account:
        settings = self.project.settings.llm
        a_round = settings.max_cost_a_round
        return Account(
            project_id=self.project.id,
            round_id=self.round_id,
            purpose=self.purpose,
            provider=self.provider.name,
            model=self.provider.model,
            max_cost=round(settings.max_cost * MICRO),
            max_cost_a_round=None if a_round is None else round(a_round * MICRO),
            schema_version=self.project.schema_version,
        )

    def asker(self, read: Read, progress: Progress = silent, check: Check = unhurried) -> Asker:
        return Asker(StoreLedger(self.store), self.provider, self.account, read, progress, check)

    def items(self, item_ids: Sequence[int]) -> Sequence[Item]:
        """In the order given."""
        with self.store.transaction() as tx:
            found = {item.id: item for item in tx.items.get(item_ids)}
        return [found[one] for one in item_ids if one in found]

    def estimate(self, requests: Sequence[Request]) -> Estimate:
        """What these would cost, if none were known already."""
        if not requests:
            return estimate([], self.provider.price)
        with self.store.transaction() as tx:
            past = tx.llm_calls.lengths(
                self.project.id, self.provider.name, self.provider.model, requests[0].prompt
            )
        if len(past) < ENOUGH_CALLS:
            return estimate(requests, self.provider.price)
        shown = Ratio(
            _spread([one["tokens_in"] / one["characters"] for one in past]),
            _spread([float(one["tokens_out"]) for one in past]),
        )
        return estimate(requests, self.provider.price, shown, known_from=len(past))


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Lowest, mean and highest that were seen."""
    return min(values), sum(values) / len(values), max(values)
