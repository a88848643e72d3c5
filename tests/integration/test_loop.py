"""The loop on a real Postgres with an annotation tool in memory, from cold start to the end."""

import pytest

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.cli.projects import rounds_of
from app.core.entities import RoundState
from app.core.errors import Conflict, Refused, Unavailable
from app.rounds import collecting, commands, projects
from app.rounds.runner import Runner
from app.rounds.work import Parts
from tests.factories import all_rows, import_rows, make_project, make_store, sample_texts
from tests.fakes_argilla import FakeAnnotationTool

pytestmark = pytest.mark.postgres


class Loop:
    """A project with its pool, a fake Argilla, and a worker that is moved by hand."""

    def __init__(self, database_url, folder, count=300, **settings):
        self.store = make_store(database_url)
        self.tool = FakeAnnotationTool()
        self.parts = Parts(
            self.store, self.tool, LocalFiles(folder / "files"),
            LocalFeatureStore(folder / "features"), poll_seconds=0.0,
        )  # fmt: skip
        self.runner = Runner(self.parts, name="test", lease_seconds=30)
        rows = sample_texts(count, seed=3)
        self.truth = {row["text"]: row["label"] for row in rows}
        labels = sorted(set(self.truth.values()))
        settings = {"batch_size": 12, **settings}
        self.project = make_project(self.store, labels=labels, **settings)
        pool = [{k: v for k, v in r.items() if k != "label"} for r in rows if r["split"] != "test"]
        import_rows(self.store, [*pool, *(r for r in rows if r["split"] == "test")])

    def round(self, number):
        with self.store.transaction() as tx:
            return tx.rounds.by_number(self.project.id, number)

    def start(self, **more):
        return commands.start_round(self.store, "shop", actor="test", **more).number

    def run_until(self, number, *states, ticks=200):
        for _ in range(ticks):
            now = self.round(number)
            if now.state in states:
                return now
            self.due_now()
            self.runner.tick()
        raise AssertionError(f"round {number} is {now.state}, {now.error}; wanted {states}")

    def due_now(self):
        with self.store.transaction() as tx:
            tx.sql.run("UPDATE rounds SET due_at = now() - interval '1 s'")

    def out(self, number):
        with self.store.transaction() as tx:
            return tx.selections.of_round(self.round(number).id, "pushed")

    def answer(self, number, skip=0):
        for one in self.out(number)[skip:]:
            label = self.truth[one.item.fields["text"]]
            self.tool.answer(f"item-{one.item.id}", label)

    def play(self, number):
        self.run_until(number, RoundState.ANNOTATING)
        self.answer(number)
        return self.run_until(number, RoundState.CLOSED)


@pytest.fixture
def loop(database_url, tmp_path):
    loop = Loop(database_url, tmp_path)
    yield loop
    loop.store.engine.dispose()


def test_rounds_go_from_a_cold_start_to_a_measured_classifier(loop):
    for _ in range(3):
        loop.play(loop.start())
    shown = [one.model_dump() for one in rounds_of(loop.store, "shop")]
    assert [one["labelled"] for one in shown] == [12, 24, 36]
    assert shown[0]["chosen_by"] is None
    assert shown[1]["chosen_by"] == shown[0]["classifier_version"]
    assert all(0 < one["metrics"]["accuracy"] <= 1 for one in shown)
    # cold start without suggestions or audit; later 20 % audit, drawn at random, not suggested
    assert [one["counts"]["audit"] for one in shown] == [0, 2, 2]
    records = [r for d in loop.tool.datasets.values() for r in d.records.values()]
    suggested = {n: sum(r.suggestion is not None for r in records if r.metadata["round"] == n)
                 for n in (1, 2, 3)}  # fmt: skip
    assert suggested == {1: 0, 2: 10, 3: 10}
    assert all("prediction" not in r.metadata for r in records if r.metadata["slice"] == "audit")


def test_every_label_tells_where_it_came_from(loop):
    loop.play(loop.start())
    loop.play(loop.start())
    with loop.store.transaction() as tx:
        rows = [r for r in tx.views.labels(loop.project.id, 0, 1000).items if r["round"] == 2]
    assert len(rows) == 12
    for row in rows:
        assert row["annotators"] == ["annotator-1"]
        assert row["reason"]
        assert row["classifier_version"].endswith("/1")
        assert row["slice"] in ("active", "audit")
    drawn = {row["draw_probability"] for row in rows if row["slice"] == "audit"}
    assert len(drawn) == 1
    assert 0 < drawn.pop() < 1


def test_the_same_labels_are_fitted_once(loop):
    loop.play(loop.start())
    loop.run_until(loop.start(), RoundState.ANNOTATING)
    assert len(all_rows(loop.store, "SELECT id FROM classifier_versions")) == 1


def test_no_item_and_no_duplicate_goes_out_twice_and_nothing_held_out_ever(loop):
    for _ in range(3):
        loop.play(loop.start())
    texts = [" ".join(r.fields["text"].lower().split())
             for d in loop.tool.datasets.values() for r in d.records.values()]  # fmt: skip
    assert len(texts) == len(set(texts)) == 36
    held_out = all_rows(loop.store, "SELECT fields->>'text' AS t FROM items WHERE split = 'test'")
    assert not set(texts) & {" ".join(row["t"].lower().split()) for row in held_out}


def test_one_round_is_open_at_a_time(loop):
    number = loop.start()
    with pytest.raises(Conflict, match=f"Round {number} is still open"):
        loop.start()


def test_finish_closes_with_the_answers_there_are_and_gives_the_rest_back(loop):
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    loop.answer(number, skip=5)
    commands.finish_round(loop.store, "shop", number, actor="test")
    loop.run_until(number, RoundState.CLOSED)
    with loop.store.transaction() as tx:
        counts = tx.rounds.counts(loop.round(number).id)
        assert (
            len(tx.items.candidates(loop.project.id)) == tx.items.counts(loop.project.id).pool - 7
        )
    assert (counts.withdrawn, counts.labelled) == (5, 7)
    assert sum(len(d.records) for d in loop.tool.datasets.values()) == 7


def test_cancel_keeps_answers_already_given(loop):
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    loop.answer(number, skip=9)
    commands.cancel_round(loop.store, "shop", number, actor="test")
    loop.run_until(number, RoundState.CANCELLED)
    with loop.store.transaction() as tx:
        assert len(tx.labels.current(loop.project.id)) == 3
    loop.play(loop.start())


def test_a_round_whose_dataset_was_deleted_fails_loudly_and_can_be_cancelled(loop):
    loop.play(loop.start())
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    for dataset_id in list(loop.tool.datasets):
        loop.tool.delete_dataset(dataset_id)
    assert loop.run_until(number, RoundState.FAILED).failed_in == RoundState.ANNOTATING
    commands.cancel_round(loop.store, "shop", number, actor="test")
    loop.run_until(number, RoundState.CANCELLED)
    with loop.store.transaction() as tx:
        assert len(tx.labels.current(loop.project.id)) == 12
    # the next one makes the dataset anew
    loop.run_until(loop.start(), RoundState.ANNOTATING)
    assert len(loop.tool.datasets) == 1


def test_a_later_edit_supersedes_the_label_and_reaches_the_next_classifier(loop):
    loop.play(loop.start())
    one = loop.out(1)[0]
    wrong = next(label for label in loop.project.task.labels
                 if label != loop.truth[one.item.fields["text"]])  # fmt: skip
    loop.tool.answer(f"item-{one.item.id}", wrong)
    loop.play(loop.start())
    chain = all_rows(
        loop.store, "SELECT value, supersedes FROM labels WHERE item_id = :i ORDER BY id",
        i=one.item.id,
    )  # fmt: skip
    assert [link["value"]["label"] for link in chain] == [
        loop.truth[one.item.fields["text"]],
        wrong,
    ]
    assert chain[1]["supersedes"] is not None


def test_a_deleted_answer_retracts_its_label(loop):
    loop.play(loop.start())
    one = loop.out(1)[0]
    loop.tool.delete_answer(f"item-{one.item.id}")
    loop.run_until(loop.start(), RoundState.ANNOTATING)
    newest = all_rows(
        loop.store, "SELECT value FROM newest_labels WHERE item_id = :i", i=one.item.id
    )
    assert newest == [{"value": None}]


def test_a_discarded_item_settles_without_a_label(loop):
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    first = loop.out(number)[0]
    loop.tool.answer(f"item-{first.item.id}", None, status="discarded")
    loop.answer(number, skip=1)
    closed = loop.run_until(number, RoundState.CLOSED)
    assert closed.checkpoint["labelled"] == 11


def test_drafts_are_never_labels(loop):
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    loop.answer(number, skip=1)
    first = loop.out(number)[0]
    label = loop.truth[first.item.fields["text"]]
    loop.tool.answer(f"item-{first.item.id}", label, status="draft")
    for _ in range(3):
        loop.due_now()
        loop.runner.tick()
    assert loop.round(number).state == RoundState.ANNOTATING
    loop.tool.answer(f"item-{first.item.id}", label)
    loop.run_until(number, RoundState.CLOSED)


def test_one_refused_item_is_set_aside_with_its_reason(loop):
    number = loop.start()
    loop.run_until(number, RoundState.PUSHING)
    with loop.store.transaction() as tx:
        first = tx.selections.of_round(loop.round(number).id)[0]
    loop.tool.refuse(f"item-{first.item.id}", "it will not have this")
    closed = loop.play(number)
    assert closed.checkpoint["labelled"] == 11
    assert all_rows(loop.store, "SELECT problem FROM pushes WHERE state = 'quarantined'") == [
        {"problem": "it will not have this"}
    ]


def test_what_passes_is_tried_again_and_what_was_taken_is_not_doubled(loop):
    number = loop.start()
    loop.run_until(number, RoundState.PUSHING)
    loop.tool.fail_next("push", Unavailable("no answer"), after_commit=True)
    loop.tool.fail_next("push", Unavailable("no answer"))
    loop.play(number)
    assert sum(len(d.records) for d in loop.tool.datasets.values()) == 12


def test_what_will_not_pass_fails_the_round_loudly_and_it_can_be_resumed(loop):
    number = loop.start()
    loop.run_until(number, RoundState.PUSHING)
    loop.tool.fail_next("push", Refused("the key is not good"))
    failed = loop.run_until(number, RoundState.FAILED)
    assert failed.failed_in == RoundState.PUSHING
    assert failed.error["title"] == "the key is not good"
    commands.resume_round(loop.store, "shop", number, actor="test")
    assert loop.play(number).error is None


def test_without_held_out_items_the_round_says_so_instead_of_a_number(database_url, tmp_path):
    loop = Loop(database_url, tmp_path)
    with loop.store.transaction() as tx:
        tx.sql.run("UPDATE items SET split = 'pool' WHERE split = 'test'")
        tx.sql.run("UPDATE projects SET items_changed_at = now()")
    closed = loop.play(loop.start())
    assert "held-out" in closed.checkpoint["notes"][0]
    assert all_rows(loop.store, "SELECT * FROM evaluations WHERE kind = 'held_out'") == []
    loop.store.engine.dispose()


def test_imported_labels_are_seeds_for_the_first_round(database_url, tmp_path):
    loop = Loop(database_url, tmp_path)
    known = [{"id": f"seed{n}", "text": f"{text} indeed", "label": label}
             for n, (text, label) in enumerate(list(loop.truth.items())[:40])]  # fmt: skip
    import_rows(loop.store, known)
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    assert loop.round(number).classifier_id is not None
    loop.store.engine.dispose()


def test_the_bound_on_rounds_holds_and_says_how_to_raise_it(database_url, tmp_path):
    loop = Loop(database_url, tmp_path, stopping={"max_rounds": 1})
    loop.play(loop.start())
    with pytest.raises(Conflict, match=r"stopping\.max_rounds"):
        loop.start()
    projects.change_project(loop.store, "shop", {"stopping": {"max_rounds": 2}}, actor="test")
    loop.start()
    loop.store.engine.dispose()


def test_a_round_that_waits_for_people_waits_for_an_argilla_that_is_away_too(loop):
    number = loop.start()
    loop.run_until(number, RoundState.ANNOTATING)
    away = loop.runner.step_attempts + 3
    for _ in range(away):
        loop.tool.fail_next("last_activity", Unavailable("Argilla does not answer"))
    for _ in range(away):
        loop.due_now()
        loop.runner.tick()
    now = loop.round(number)
    assert (now.state, now.attempts) == (RoundState.ANNOTATING, away)
    assert now.error["title"] == "Argilla does not answer"
    loop.answer(number)
    assert loop.run_until(number, RoundState.CLOSED).error is None


def test_a_lost_classifier_is_fitted_again_to_the_same_bytes(loop, tmp_path):
    loop.play(loop.start())
    (kept,) = [one for one in (tmp_path / "files" / "classifiers").rglob("*") if one.is_file()]
    before = kept.read_bytes()
    kept.unlink()
    loop.run_until(loop.start(), RoundState.ANNOTATING)
    assert kept.read_bytes() == before
    assert len(all_rows(loop.store, "SELECT id FROM classifier_versions")) == 1


def test_what_leaves_no_trace_in_the_activity_is_found_by_looking_regardless(loop):
    loop.play(loop.start())
    (dataset,) = loop.tool.datasets.values()
    record = next(iter(dataset.records.values()))
    record.responses.clear()  # as when a user is deleted: Argilla's activity does not move
    collecting.collect_project(loop.parts, loop.project)
    assert all_rows(loop.store, "SELECT id FROM annotations WHERE status = 'deleted'") == []
    with loop.store.transaction() as tx:
        tx.sql.run("UPDATE datasets SET collected_at = now() - interval '2 hours'")
    collecting.collect_project(loop.parts, loop.project)
    assert len(all_rows(loop.store, "SELECT id FROM annotations WHERE status = 'deleted'")) == 1
