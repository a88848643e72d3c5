"""Every call of an LLM with its cost, what is set aside for those on their way, and the caps."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.postgres.engine import Sql
from app.adapters.postgres.figures import PostgresFigures
from app.core.errors import BudgetSpent
from app.core.llm.money import in_dollars
from app.ports.llm import Account, NewCall
from app.ports.store import RestsOn

# what is spent and what is set aside, over the project and over one round
SPENT = """
    SELECT coalesce(sum(amount), 0) AS project,
           coalesce(sum(amount) FILTER (WHERE round_id = :round), 0) AS round
    FROM (SELECT cost AS amount, round_id FROM llm_calls WHERE project_id = :project
          UNION ALL
          SELECT amount, round_id FROM llm_reservations WHERE project_id = :project) booked
"""


class PostgresLlmCalls:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def known(self, project_id: int, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]:
        found = self.sql.all(
            "SELECT fingerprint, answer FROM llm_calls WHERE project_id = :project "
            "AND outcome = 'answered' AND fingerprint = ANY(:prints)",
            project=project_id,
            prints=list(fingerprints),
        )
        return {bytes(row["fingerprint"]): row["answer"] for row in found}

    def reserve(self, account: Account, most: int, seconds: float) -> int:
        # one at a time, or two could both take what is left
        self._lock(account)
        self._book_lost(account.project_id)
        spent = self.sql.sure(SPENT, project=account.project_id, round=account.round_id)
        self._insist("project", int(spent["project"]), most, account.max_cost)
        if account.round_id is not None and account.max_cost_a_round is not None:
            self._insist("round", int(spent["round"]), most, account.max_cost_a_round)
        return int(
            self.sql.value(
                "INSERT INTO llm_reservations "
                "(project_id, round_id, purpose, provider, model, amount, expires_at) VALUES "
                "(:project, :round, :purpose, :provider, :model, :amount, "
                "now() + make_interval(secs => :seconds)) RETURNING id",
                amount=most,
                seconds=seconds,
                **_payer(account),
            )
        )

    def _lock(self, account: Account) -> None:
        self.sql.run(
            "SELECT pg_advisory_xact_lock(hashtext('llm'), cast(:id AS integer))",
            id=account.project_id,
        )

    def _book_lost(self, project_id: int) -> None:
        """Calls of processes that are gone: they may have been charged, at most for so much."""
        self.sql.run(
            """
            WITH gone AS (DELETE FROM llm_reservations
                          WHERE project_id = :project AND expires_at < now() RETURNING *)
            INSERT INTO llm_calls (project_id, round_id, purpose, provider, model, prompt,
                                   fingerprint, outcome, problem, cost, seconds)
            SELECT project_id, round_id, purpose, provider, model, 'unknown.v0',
                   decode(repeat('00', 32), 'hex'), 'lost',
                   'The process that asked was gone before the answer.', amount,
                   extract(epoch FROM expires_at - created_at)
            FROM gone
            """,
            project=project_id,
        )

    @staticmethod
    def _insist(what: str, spent: int, most: int, cap: int) -> None:
        if spent + most > cap:
            name = "llm.max_cost" if what == "project" else "llm.max_cost_a_round"
            raise BudgetSpent(
                f"The next call could cost ${in_dollars(most):.4f}, and of the {what}'s "
                f"${in_dollars(cap):.2f} ${in_dollars(spent):.4f} are spent or set aside. "
                f"Raise {name} to go on.",
                spent=in_dollars(spent),
                cap=in_dollars(cap),
            )

    def settle(self, reservation: int, account: Account, calls: Sequence[NewCall]) -> None:
        self._lock(account)
        self.sql.run("DELETE FROM llm_reservations WHERE id = :id", id=reservation)
        self.sql.many(
            """
            INSERT INTO llm_calls (project_id, round_id, purpose, provider, model, prompt,
                fingerprint, item_ids, outcome, answer, problem, tokens_in, tokens_out, characters,
                cost, seconds)
            VALUES (:project, :round, :purpose, :provider, :model, :prompt, :fingerprint, :items,
                :outcome, :answer, :problem, :tokens_in, :tokens_out, :characters, :cost, :seconds)
            """,
            [{**_payer(account), **self._call(account, one)} for one in calls],
        )

    def _call(self, account: Account, call: NewCall) -> Mapping[str, Any]:
        """Somebody else may have asked the same meanwhile: the first answer stands, this one is
        booked for what it cost."""
        twice = call.answer is not None and bool(self.known(account.project_id, [call.fingerprint]))
        return {
            "prompt": call.prompt,
            "fingerprint": call.fingerprint,
            "items": list(call.item_ids),
            "outcome": "malformed" if twice else call.outcome.value,
            "answer": None if twice else call.answer,
            "problem": "The same had been answered meanwhile." if twice else call.problem,
            "tokens_in": call.usage.tokens_in,
            "tokens_out": call.usage.tokens_out,
            "characters": call.characters,
            "cost": call.cost,
            "seconds": call.seconds,
        }

    # --- what it came to ---

    def costs(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        return PostgresFigures(self.sql).kept(
            project_id, "llm_costs", RestsOn.CALLS, lambda: self._added_up(project_id)
        )

    def _added_up(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT purpose, provider, model, count(*) AS calls,
                   count(*) FILTER (WHERE outcome = 'answered') AS answered,
                   count(*) FILTER (WHERE outcome = 'lost') AS lost,
                   sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out,
                   sum(cost)::bigint AS cost, sum(seconds) AS seconds
            FROM llm_calls WHERE project_id = :project
            GROUP BY purpose, provider, model ORDER BY purpose, provider, model
            """,
            project=project_id,
        )
        return [dict(row) for row in found]

    def spent(self, project_id: int, round_id: int | None) -> tuple[int, int]:
        found = self.sql.sure(SPENT, project=project_id, round=round_id)
        return int(found["project"]), int(found["round"])

    def lengths(self, project_id: int, provider: str, model: str, prompt: str) -> Sequence[Any]:
        return self.sql.all(
            "SELECT tokens_in, tokens_out, characters FROM llm_calls "
            "WHERE project_id = :project AND provider = :provider AND model = :model "
            "AND prompt = :prompt AND outcome = 'answered' AND characters > 0 "
            "ORDER BY id DESC LIMIT 500",
            project=project_id,
            provider=provider,
            model=model,
            prompt=prompt,
        )


def _payer(account: Account) -> Mapping[str, Any]:
    return {
        "project": account.project_id,
        "round": account.round_id,
        "purpose": account.purpose.value,
        "provider": account.provider,
        "model": account.model,
    }
