"""Whatever people, workers and accidents do in whatever order, rounds keep their promises.

Hypothesis makes up the order; Postgres is real, Argilla in memory. The model is what the annotators
see: their answers as they stand. Wherever the worker has caught up, the database must say the same.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.core.entities import RoundState
from app.core.errors import Conflict, NotFound, Refused, Unavailable
from app.rounds import collecting, commands, merging
from app.rounds.runner import Runner
from app.rounds.work import Parts
from tests.factories import all_rows, import_rows, make_project, make_store, sample_texts
from tests.fakes_argilla import FakeAnnotationTool

pytestmark = pytest.mark.postgres
EXAMPLES, STEPS = 12, 60
LABELS = ("delivery", "praise", "refund")
PEOPLE = ("annotator-1", "annotator-2")
NUMBER = count(1)
DEEDS = (
    ["start"] * 3 + ["work"] * 10 + ["answer"] * 4 + ["answer_everything"] * 6 + ["catch_up"] * 2
    + ["finish", "cancel", "resume", "resume", "kill", "kill", "fail", "take_back"]
)  # fmt: skip
STATUSES = ("submitted", "submitted", "submitted", "draft", "discarded")
CALLS = ("push", "last_activity", "look", "withdraw", "ensure_dataset")


class KilledError(BaseException):
    """The process is gone: nothing may catch this."""


class Drawn(NamedTuple):
    which: int
    label: str
    by: str
    status: str
    coin: bool


class Life(RuleBasedStateMachine):
    """One project from its import on."""

    def __init__(self, store, folder, seen):
        super().__init__()
        self.seen = seen
        self.store = store
        self.name = f"life-{next(NUMBER)}"
        self.tool = FakeAnnotationTool(PEOPLE)
        self.parts = Parts(store, self.tool, LocalFiles(folder / "files"),
                           LocalFeatureStore(folder / "features"), poll_seconds=0.0)  # fmt: skip
        self.runner = Runner(self.parts, name="test", lease_seconds=600, step_attempts=2)
        self.closed = {}

    @initialize(overlap=st.sampled_from([1, 2]), share=st.sampled_from([1.0, 0.5]))
    def create(self, overlap, share):
        self.project = make_project(
            self.store, self.name, labels=LABELS, batch_size=4, classifier="logistic",
            overlap=overlap, adjudication="none", closing={"share": share},
        )  # fmt: skip
        rows = sample_texts(30, seed=7, held_out=0.2)
        import_rows(self.store, [r if r["split"] == "test" else {**r, "label": None}
                                 for r in rows], self.name)  # fmt: skip

    # Hypothesis leaves out some rules of each run on purpose. Here most runs would come to nothing
    # without a worker or an annotator, so that there is one rule, and it chooses. All is drawn
    # before it is known what it will mean.
    @rule(
        do=st.sampled_from(DEEDS),
        which=st.integers(0, 99),
        label=st.sampled_from(LABELS),
        by=st.sampled_from(PEOPLE),
        status=st.sampled_from(STATUSES),
        coin=st.booleans(),
    )
    def happen(self, do, which, label, by, status, coin):
        getattr(self, do)(Drawn(which, label, by, status, coin))

    # --- what is there ---

    def rounds(self):
        with self.store.transaction() as tx:
            return tx.rounds.all(self.project.id)

    def last(self):
        return self.rounds()[-1]

    def records(self):
        found = [r for d in self.tool.datasets.values() for r in d.records.values()]
        return sorted(found, key=lambda r: r.fields["text"])

    def answers(self):
        return [(r.external_id, user) for r in self.records() for user in sorted(r.responses)]

    # --- what operators do ---

    def start(self, drawn):
        rounds = self.rounds()
        if rounds and not rounds[-1].state.is_over:
            with pytest.raises(Conflict):
                commands.start_round(self.store, self.name, actor="test")
            return
        try:
            commands.start_round(self.store, self.name, actor="test")
        except Conflict as refused:
            assert "no unlabelled item" in refused.message

    def finish(self, drawn):
        self._steer("finish", RoundState.CLOSED)

    def cancel(self, drawn):
        self._steer("cancel", RoundState.CANCELLED)

    def resume(self, drawn):
        self._steer("resume", None)

    def _steer(self, what, end):
        if not self.rounds():
            return
        round_ = self.last()
        state = round_.state
        allowed = not state.is_over or state == end
        allowed &= what != "resume" or state == RoundState.FAILED
        allowed &= what != "finish" or state != RoundState.FAILED
        command = getattr(commands, f"{what}_round")
        if allowed:
            command(self.store, self.name, round_.number, actor="test")
        else:
            with pytest.raises(Conflict):
                command(self.store, self.name, round_.number, actor="test")

    # --- what workers do, and what happens to them ---

    def _due(self):
        with self.store.transaction() as tx:
            tx.sql.run(
                "UPDATE rounds SET due_at = now() - interval '1 s', lease_until = NULL "
                "WHERE project_id = :project",
                project=self.project.id,
            )

    def work(self, drawn):
        for _ in range(3 + drawn.which % 8):
            self._tick()

    def _tick(self):
        self._due()
        self.runner.tick()

    def kill(self, drawn):
        """A worker dies having done a step's work, just before or just after it is committed."""
        commit = self.runner._commit

        def killed(*arguments):
            if drawn.coin:
                commit(*arguments)
            raise KilledError

        self.runner._commit = killed
        try:
            self._tick()
        except KilledError:
            pass
        finally:
            self.runner._commit = commit

    def fail(self, drawn):
        error = Unavailable("no answer") if drawn.which % 2 else Refused("not like this")
        self.tool.fail_next(CALLS[drawn.which % len(CALLS)], error, after_commit=drawn.coin)

    # --- what annotators do ---

    def answer(self, drawn):
        if records := self.records():
            name = records[drawn.which % len(records)].external_id
            self.tool.answer(name, drawn.label, by=drawn.by, status=drawn.status)

    def answer_everything(self, drawn):
        for dataset_id in self.tool.datasets:
            self.tool.answer_all(
                dataset_id, lambda r: LABELS[len(r.fields["text"]) % 3], by=drawn.by
            )

    def take_back(self, drawn):
        if answers := self.answers():
            name, user = answers[drawn.which % len(answers)]
            by = next(one for one, user_id in self.tool.users.items() if user_id == user)
            self.tool.delete_answer(name, by=by)

    # --- what must hold ---

    def catch_up(self, drawn=None):
        """Two workers collect and merge at once; then the database says what Argilla says."""
        self.tool._failures.clear()
        with ThreadPoolExecutor(2) as both:
            list(both.map(self._collect_and_merge, range(2)))
        try:
            collecting.collect_project(self.parts, self.project)
        except NotFound:
            return
        merging.merge_project(self.parts, self.project)
        self._check_answers()
        self._check_labels()

    def _collect_and_merge(self, _):
        collecting.collect_project(self.parts, self.project)
        merging.merge_project(self.parts, self.project)

    def _check_answers(self):
        query = ("SELECT response_id, status, \"values\" FROM newest_responses "
                 "WHERE project_id = :project AND status <> 'deleted'")  # fmt: skip
        stored = {row["response_id"]: (row["status"], row["values"])
                  for row in all_rows(self.store, query, project=self.project.id)}  # fmt: skip
        there = {one.response_id: (one.status, one.values)
                 for record in self.records() for one in record.responses.values()}  # fmt: skip
        assert stored == there

    def _check_labels(self):
        query = ("SELECT 'item-' || n.item_id AS name, n.value->>'label' AS label "
                 "FROM newest_labels n JOIN items i ON i.id = n.item_id "
                 "WHERE n.project_id = :project AND i.split = 'pool'")  # fmt: skip
        made = {row["name"]: row["label"]
                for row in all_rows(self.store, query, project=self.project.id)}  # fmt: skip
        waiting = self._waiting()
        for record in self.records():
            said = Counter(one.values["label"] for one in record.responses.values()
                           if one.status == "submitted")  # fmt: skip
            label = made.pop(record.external_id, None)
            if label is None and (record.external_id in waiting or len(said) != 1):
                continue
            assert label in (set(said) or {None}), record.external_id
        assert not any(made.values()), "a label of what nobody answers"

    def _waiting(self):
        """Items that may still lack a label: their round has not asked everybody yet."""
        round_ = self.last() if self.rounds() else None
        if round_ is None or round_.state.is_over:
            return set()
        with self.store.transaction() as tx:
            return {f"item-{one}" for one in tx.selections.unanswered(round_)}

    @invariant()
    def every_label_has_one_end(self):
        query = ("SELECT item_id, count(*) FROM newest_labels WHERE project_id = :project "
                 "GROUP BY item_id HAVING count(*) <> 1")  # fmt: skip
        assert all_rows(self.store, query, project=self.project.id) == []

    @invariant()
    def no_item_is_out_twice(self):
        query = (
            "SELECT item_id FROM pushes WHERE project_id = :project "
            "AND state IN ('planned', 'pushed') GROUP BY item_id HAVING count(*) > 1"
        )
        assert all_rows(self.store, query, project=self.project.id) == []
        names = [record.external_id for record in self.records()]
        assert len(names) == len(set(names))

    @invariant()
    def what_is_over_stays_as_it_was(self):
        query = (
            "SELECT r.id, r.state, r.closed_at, r.checkpoint, r.classifier_id, r.result_id, "
            "(SELECT count(*) FROM selections s WHERE s.round_id = r.id) AS batch, "
            "(SELECT array_agg(t.label_id ORDER BY t.label_id) FROM training_labels t "
            " WHERE t.classifier_id = r.result_id) AS learned FROM rounds r "
            "WHERE r.project_id = :project AND r.state IN ('closed', 'cancelled') ORDER BY r.id"
        )
        now = {row["id"]: row for row in all_rows(self.store, query, project=self.project.id)}
        assert {known: now.get(known) for known in self.closed} == self.closed
        self.closed = now

    @invariant()
    def rounds_are_numbered_and_only_the_last_is_open(self):
        rounds = self.rounds()
        assert [one.number for one in rounds] == list(range(1, len(rounds) + 1))
        assert all(one.state.is_over for one in rounds[:-1])

    def teardown(self):
        if hasattr(self, "project"):
            self.catch_up()
            self.seen.update(one.state.value for one in self.rounds())
            self._leave()

    def _leave(self):
        """The next run has the same database; its worker must not take up what is left of this."""
        with self.store.transaction() as tx:
            for statement in (
                "UPDATE rounds SET lease_until = 'infinity' WHERE project_id = :project",
                "UPDATE projects SET state = 'archived' WHERE id = :project",
            ):
                tx.sql.run(statement, project=self.project.id)


def test_rounds_and_labels_keep_their_promises_in_any_order(database_url, tmp_path):
    store, seen = make_store(database_url), Counter()
    try:
        run_state_machine_as_test(
            lambda: Life(store, tmp_path, seen),
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=True, deadline=None,
                database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    finally:
        store.engine.dispose()
    # the runs must have come to something, or nothing was tested
    assert seen["closed"] >= EXAMPLES // 2, seen
    assert seen["cancelled"]
