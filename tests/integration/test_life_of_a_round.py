"""Whatever people and programs do in whatever order: rounds move along their states only, one is
open at a time, and every label is what its annotator said last."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.entities import RoundState
from app.rounds import collecting, commands, merging
from tests.factories import LABELS, all_rows, make_store
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres
PATH = [state.value for state in RoundState][:9]


def life(postgres, template: str, folder: Path) -> type[RuleBasedStateMachine]:
    class Life(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.database = postgres.database(template=template)
            self.shop = PlayedProject(
                make_store(self.database.__enter__()), folder, count=60, batch_size=3
            )
            self.said: dict[str, str | None] = {}
            """What stands in the annotation tool: a label, or None for a discard or a draft."""
            self.seen: dict[int, str] = {}

        def teardown(self):
            try:
                self.everything_is_as_people_said()
            finally:
                self.shop.store.engine.dispose()
                self.database.__exit__(None, None, None)

        # --- what programs do ---

        @precondition(lambda self: self.opened() is None)
        @rule()
        def start(self):
            self.shop.start()

        @rule(times=st.integers(1, 8))
        def work(self, times):
            for _ in range(times):
                self.shop.tick()

        @precondition(lambda self: self.opened() is not None)
        @rule(what=st.sampled_from([commands.finish_round, commands.cancel_round]))
        def end_early(self, what):
            what(self.shop.store, "shop", self.opened(), actor="test")

        @rule()
        def repair(self):
            commands.repair_project(self.shop.store, "shop", actor="test")

        # --- what people do ---

        @precondition(lambda self: self.records())
        @rule(data=st.data(), label=st.sampled_from([*LABELS, "draft", "discard"]))
        def answer(self, data, label):
            name = data.draw(st.sampled_from(self.records()))
            tool = self.shop.tool
            if label in LABELS:
                tool.answer(name, label)
                self.said[name] = label
            else:
                {
                    "draft": lambda: tool.draft(name, "refund"),
                    "discard": lambda: tool.discard(name),
                }[label]()
                self.said[name] = None

        @precondition(lambda self: self.records())
        @rule(label=st.sampled_from(LABELS))
        def answer_everything(self, label):
            for name in self.records():
                self.shop.tool.answer(name, label)
                self.said[name] = label

        @precondition(lambda self: self.answered())
        @rule(data=st.data())
        def take_back(self, data):
            name = data.draw(st.sampled_from(self.answered()))
            self.shop.tool.delete_answer(name)
            self.said[name] = None

        @precondition(lambda self: self.records())
        @rule(data=st.data())
        def delete_a_record(self, data):
            """What was said of it and not looked at yet is gone; the rest stands."""
            self.look()
            self.shop.tool.delete_record(data.draw(st.sampled_from(self.records())))

        # --- what must hold ---

        @invariant()
        def rounds_go_forward_one_at_a_time(self):
            rounds = all_rows(self.shop.store, "SELECT number, state FROM rounds ORDER BY number")
            for one in rounds:
                before = self.seen.get(one["number"], "planned")
                if one["state"] in PATH and before in PATH:
                    assert PATH.index(one["state"]) >= PATH.index(before)
                else:
                    assert before != "closed"
                self.seen[one["number"]] = one["state"]
            assert all(one["state"] in ("closed", "cancelled") for one in rounds[:-1])

        def everything_is_as_people_said(self):
            self.look()
            found = all_rows(
                self.shop.store,
                "SELECT 'item-' || item_id AS item, value->>'label' AS label FROM current_labels "
                "WHERE source = 'human'",
            )
            expected = {name: label for name, label in self.said.items() if label is not None}
            assert {one["item"]: one["label"] for one in found} == expected

        # --- small words ---

        def look(self):
            parts, project = self.shop.runner.parts, self.shop.project
            with self.shop.store.transaction() as tx:
                tx.annotations.look_at_all(project.id)
            collecting.collect_project(parts, project)
            merging.merge_project(parts, project, overlap=1)

        def opened(self):
            with self.shop.store.transaction() as tx:
                now = tx.rounds.open(self.shop.project.id)
            return now.number if now else None

        def records(self):
            return sorted(name for one in self.shop.tool.datasets.values() for name in one.records)

        def answered(self):
            return sorted(
                name
                for one in self.shop.tool.datasets.values()
                for name, record in one.records.items()
                if record.responses
            )

    return Life


def test_whatever_happens_in_whatever_order(postgres, _migrated_template, tmp_path):
    run_state_machine_as_test(
        life(postgres, _migrated_template, tmp_path),
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
