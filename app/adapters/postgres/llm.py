"""The ledger of LLM calls in Postgres, what they answered about items, and what they judged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.adapters.postgres.engine import Sql
from app.adapters.postgres.figures import PostgresFigures
from app.core.errors import BudgetSpent
from app.core.llm.entities import Purpose
from app.core.llm.money import in_dollars
from app.ports.llm import (
    Account,
    Both,
    NewAnswer,
    NewCall,
    NewJudgement,
    NewRoute,
    Opinion,
    Said,
    Suspension,
)
from app.ports.store import RestsOn

# what is spent and what is set aside, over the project and over one round
SPENT = """
    SELECT coalesce(sum(amount), 0) AS project,
           coalesce(sum(amount) FILTER (WHERE round_id = :round), 0) AS round
    FROM (SELECT cost AS amount, round_id FROM llm_calls WHERE project_id = :project
          UNION ALL
          SELECT amount, round_id FROM llm_reservations WHERE project_id = :project) booked
"""


class PostgresLlm:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    # --- the ledger ---

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

    def settle(
        self,
        reservation: int,
        account: Account,
        calls: Sequence[NewCall],
        answers: Sequence[NewAnswer],
    ) -> None:
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
        self.record(account, answers)

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

    def record(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        self.sql.many(
            """
            INSERT INTO llm_answers (project_id, item_id, call_id, purpose, value, confidence,
                                     rationale, as_spelled, schema_version)
            SELECT :project, :item, c.id, :purpose, cast(:value AS jsonb), :confidence, :rationale,
                   :as_spelled, :schema
            FROM llm_calls c WHERE c.project_id = :project AND c.fingerprint = :fingerprint
                AND c.outcome = 'answered'
            ON CONFLICT (item_id, call_id, purpose) DO NOTHING
            """,
            [
                {
                    "project": account.project_id,
                    "purpose": account.purpose.value,
                    "item": one.item_id,
                    "fingerprint": one.fingerprint,
                    "value": json.dumps(one.value),
                    "confidence": one.confidence,
                    "rationale": one.rationale,
                    "as_spelled": one.as_spelled,
                    "schema": account.schema_version,
                }
                for one in answers
            ],
        )

    # --- what came of it ---

    def opinions(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Opinion]:
        found = self.sql.all(
            """
            SELECT DISTINCT ON (a.item_id) a.item_id, a.value, a.confidence, a.rationale
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            WHERE a.project_id = :project AND a.purpose = :purpose
              AND c.provider = :provider AND c.model = :model
            ORDER BY a.item_id, a.id DESC
            """,
            project=project_id,
            purpose=purpose.value,
            provider=provider,
            model=model,
        )
        return [Opinion(**row) for row in found]

    def both(self, project_id: int, purpose: Purpose, provider: str, model: str) -> Sequence[Both]:
        found = self.sql.all(
            """
            SELECT DISTINCT ON (a.item_id) a.item_id, l.value AS person, a.value AS llm,
                   a.confidence, a.as_spelled
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            JOIN current_labels l ON l.item_id = a.item_id AND l.source NOT LIKE 'llm:%'
            WHERE a.project_id = :project AND a.purpose = :purpose
              AND c.provider = :provider AND c.model = :model
            ORDER BY a.item_id, a.id DESC
            """,
            project=project_id,
            purpose=purpose.value,
            provider=provider,
            model=model,
        )
        return [Both(**row) for row in found]

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

    def add_judgement(self, project_id: int, one: NewJudgement) -> None:
        self.sql.run(
            "INSERT INTO llm_judgements (project_id, kind, provider, model, prompt, items, figures)"
            " VALUES (:project, :kind, :provider, :model, :prompt, :items,"
            " cast(:figures AS jsonb))",
            project=project_id,
            kind=one.kind,
            provider=one.provider,
            model=one.model,
            prompt=one.prompt,
            items=one.items,
            figures=json.dumps(one.figures),
        )

    def judgements(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT id, kind, provider, model, prompt, items, figures, created_at "
            "FROM llm_judgements WHERE project_id = :project ORDER BY id DESC LIMIT 200",
            project=project_id,
        )
        return [dict(row) for row in found]

    # --- which items ---

    def round_items(self, round_id: int) -> Sequence[int]:
        found = self.sql.all(
            "SELECT item_id FROM selections WHERE round_id = :round ORDER BY rank", round=round_id
        )
        return [row["item_id"] for row in found]

    def unlabelled(self, project_id: int, item_ids: Sequence[int]) -> Mapping[int, int | None]:
        found = self.sql.all(
            "SELECT i.id, l.id AS label_id FROM items i "
            "LEFT JOIN newest_labels l ON l.item_id = i.id "
            "WHERE i.project_id = :project AND i.id = ANY(:ids) AND i.split = 'pool' "
            "AND i.duplicate_of IS NULL AND l.value IS NULL AND NOT EXISTS "
            "(SELECT FROM selections s WHERE s.item_id = i.id AND s.slice = 'audit')",
            project=project_id,
            ids=list(item_ids),
        )
        return {row["id"]: row["label_id"] for row in found}

    def predictions(self, round_id: int) -> Mapping[int, Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT item_id, prediction FROM selections "
            "WHERE round_id = :round AND prediction IS NOT NULL",
            round=round_id,
        )
        return {row["item_id"]: row["prediction"] for row in found}

    def labelled_by_people(self, project_id: int) -> Sequence[int]:
        found = self.sql.all(
            "SELECT l.item_id FROM current_labels l WHERE l.project_id = :project "
            "AND l.source NOT LIKE 'llm:%' ORDER BY l.item_id",
            project=project_id,
        )
        return [row["item_id"] for row in found]

    # --- within rounds ---

    def said(
        self, project_id: int, purpose: Purpose, fingerprints: Sequence[bytes]
    ) -> Sequence[Said]:
        found = self.sql.all(
            """
            SELECT a.item_id, a.id AS answer_id, a.value, a.confidence, a.rationale
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            WHERE c.project_id = :project AND c.outcome = 'answered'
              AND c.fingerprint = ANY(:prints) AND a.purpose = :purpose ORDER BY a.id
            """,
            project=project_id,
            purpose=purpose.value,
            prints=list(fingerprints),
        )
        return [Said(**row) for row in found]

    def add_routes(
        self, project_id: int, round_id: int, provider: str, model: str, routes: Sequence[NewRoute]
    ) -> None:
        self.sql.many(
            """
            INSERT INTO llm_routes (project_id, round_id, item_id, provider, model, labelled_by,
                                    why, able, answer_id, confidence, threshold)
            VALUES (:project, :round, :item_id, :provider, :model, :labelled_by, :why, :able,
                    :answer_id, :confidence, :threshold)
            """,
            [
                {
                    **asdict(one),
                    "project": project_id,
                    "round": round_id,
                    "provider": provider,
                    "model": model,
                }
                for one in routes
            ],
        )

    def audited(
        self, project_id: int, provider: str, model: str
    ) -> Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        found = self.sql.all(
            """
            SELECT a.value AS llm, l.value AS person
            FROM llm_routes r JOIN llm_answers_now a ON a.id = r.answer_id
            JOIN current_labels l ON l.item_id = r.item_id AND l.source NOT LIKE 'llm:%'
            WHERE r.project_id = :project AND r.provider = :provider AND r.model = :model
              AND r.able AND r.labelled_by = 'people' AND r.created_at > coalesce(
                  (SELECT max(s.reopened_at) FROM llm_suspensions s
                   WHERE s.project_id = :project AND s.provider = :provider AND s.model = :model),
                  '-infinity')
            ORDER BY r.id
            """,
            project=project_id,
            provider=provider,
            model=model,
        )
        return [(row["llm"], row["person"]) for row in found]

    def suspension(self, project_id: int, provider: str, model: str) -> Suspension | None:
        row = self.sql.one(
            "SELECT id, reason, figures, created_at FROM llm_suspensions "
            "WHERE project_id = :project AND provider = :provider AND model = :model "
            "AND reopened_at IS NULL",
            project=project_id,
            provider=provider,
            model=model,
        )
        return Suspension(**row) if row else None

    def suspend(
        self, project_id: int, provider: str, model: str, reason: str, figures: Mapping[str, Any]
    ) -> bool:
        return bool(
            self.sql.run(
                "INSERT INTO llm_suspensions (project_id, provider, model, reason, figures) "
                "VALUES (:project, :provider, :model, :reason, cast(:figures AS jsonb)) "
                "ON CONFLICT (project_id, provider, model) WHERE reopened_at IS NULL DO NOTHING",
                project=project_id,
                provider=provider,
                model=model,
                reason=reason,
                figures=json.dumps(figures),
            )
        )

    def reopen(self, project_id: int, provider: str, model: str, actor: str) -> bool:
        return bool(
            self.sql.run(
                "UPDATE llm_suspensions SET reopened_at = now(), reopened_by = :actor "
                "WHERE project_id = :project AND provider = :provider AND model = :model "
                "AND reopened_at IS NULL",
                project=project_id,
                provider=provider,
                model=model,
                actor=actor,
            )
        )


def _payer(account: Account) -> Mapping[str, Any]:
    return {
        "project": account.project_id,
        "round": account.round_id,
        "purpose": account.purpose.value,
        "provider": account.provider,
        "model": account.model,
    }
