"""Several annotators an item: what their answers come to, and who is asked when they differ."""

import pytest

from app.cli.projects import rounds_of
from app.core.entities import RoundState
from app.rounds import projects
from app.rounds.merging import merge_project
from tests.factories import all_rows, import_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres
ONE, TWO, THREE = "annotator-1", "annotator-2", "annotator-3"


@pytest.fixture
def project(store, tmp_path):
    def make(**settings):
        settings = {"batch_size": 6, "overlap": 2, "audit_fraction": 0.0, **settings}
        return PlayedProject(store, tmp_path, count=60, **settings)

    return make


def begin(played):
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    return number, [one.item for one in played.out(number)]


def answer(played, item, by, *, wrong=False, dataset_id=None):
    label = played.truth[item.fields["text"]]
    if wrong:
        label = next(one for one in played.project.task.labels if one != label)
    played.tool.answer(f"item-{item.id}", label, by=by, dataset_id=dataset_id)
    return label


def begin_dispute(played):
    """A round whose items two people answered, of one mind but for the first; it is looked at until
    somebody else is asked about that one."""
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE)
        answer(played, item, TWO, wrong=item == batch[0])
    look(played, 4)
    return number, batch[0]


def look(played, times=2):
    for _ in range(times):
        played.tick()


def disputed_dataset(played):
    return next(d for d in played.tool.datasets.values() if d.spec.name.endswith("-disputed"))


def labels(played):
    rows = all_rows(played.store, "SELECT * FROM current_labels l JOIN items i ON i.id = l.item_id "
                                  "WHERE i.split = 'pool' ORDER BY item_id")  # fmt: skip
    return {row["item_id"]: row for row in rows}


def shown(played):
    return rounds_of(played.store, "shop")[-1]


def test_an_item_needs_as_many_answers_as_the_overlap_says(project):
    played = project()
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE)
    look(played)
    assert played.round(number).state == RoundState.ANNOTATING
    assert labels(played) == {}
    for item in batch:
        answer(played, item, TWO)
    played.run_until(number, RoundState.CLOSED)
    made = labels(played)
    assert len(made) == 6
    assert all(set(one["annotators"]) == {ONE, TWO} for one in made.values())
    assert all(one["confidence"] == 1.0 for one in made.values())
    assert shown(played).closed_by == "all_answered"


def test_a_tie_goes_to_an_extra_annotator_whose_answer_decides(project):
    played = project()
    number, disputed = begin_dispute(played)
    assert played.round(number).state == RoundState.ANNOTATING
    view = shown(played)
    assert (view.counts.answered, view.counts.disputed) == (6, 1)
    queue = disputed_dataset(played)
    assert list(queue.records) == [f"item-{disputed.id}"]
    assert queue.spec.min_submitted == 1
    record = queue.records[f"item-{disputed.id}"]
    assert record.suggestion is None
    assert "answers" not in record.metadata
    right = answer(played, disputed, THREE, dataset_id=queue.dataset_id)
    played.run_until(number, RoundState.CLOSED)
    made = labels(played)[disputed.id]
    assert made["value"]["label"] == right
    assert made["confidence"] == pytest.approx(2 / 3)
    assert set(made["annotators"]) == {ONE, TWO, THREE}
    assert shown(played).counts.disputed == 0


def test_labels_that_are_less_sure_count_less_in_training(project):
    played = project()
    number, disputed = begin_dispute(played)
    answer(played, disputed, THREE, dataset_id=disputed_dataset(played).dataset_id)
    played.run_until(number, RoundState.CLOSED)
    (report,) = [r["report"] for r in all_rows(played.store, "SELECT * FROM classifier_versions")]
    assert report["weights"] == {"lowest": 0.6667, "mean": 0.9444, "below_one": 1}


def test_an_adjudicators_answer_decides_and_sees_what_the_others_said(project):
    played = project(adjudication="adjudicator", adjudicators=["lead"])
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE, wrong=item == batch[0])
        answer(played, item, TWO, wrong=item == batch[0])
    played.tool.answer(f"item-{batch[0].id}", played.truth[batch[0].fields["text"]], by=TWO)
    look(played, 4)
    queue = disputed_dataset(played)
    told = queue.records[f"item-{batch[0].id}"].metadata["answers"]
    assert sorted(one.split()[1] for one in told.split(", ")) == ["1", "1"]
    answer(played, batch[0], THREE, wrong=True, dataset_id=queue.dataset_id)
    look(played, 3)
    # two of three, so no longer a dispute; without that third answer the lead would decide
    played.run_until(number, RoundState.CLOSED)
    answer(played, batch[0], "lead", dataset_id=queue.dataset_id)
    played.run_until(played.start(), RoundState.ANNOTATING)
    made = labels(played)[batch[0].id]
    assert made["value"]["label"] == played.truth[batch[0].fields["text"]]
    assert made["confidence"] == 1.0


def test_a_dispute_is_over_when_the_two_agree_after_all(project):
    played = project()
    number, disputed = begin_dispute(played)
    main = next(d for d in played.tool.datasets.values() if d is not disputed_dataset(played))
    answer(played, disputed, TWO, dataset_id=main.dataset_id)
    played.run_until(number, RoundState.CLOSED)
    assert disputed_dataset(played).records == {}
    assert labels(played)[disputed.id]["confidence"] == 1.0


def test_no_dispute_waits_for_an_annotator_who_cannot_come(project):
    played = project()
    number, disputed = begin_dispute(played)
    # who has answered already is asked again and says the same
    answer(played, disputed, ONE, dataset_id=disputed_dataset(played).dataset_id)
    played.run_until(number, RoundState.CLOSED)
    assert len(labels(played)) == 5
    outcomes = all_rows(played.store, "SELECT outcome FROM disputes")
    assert outcomes == [{"outcome": "undecided"}]


def test_a_deleted_dataset_of_disputes_is_made_anew(project):
    played = project()
    number, disputed = begin_dispute(played)
    played.tool.delete_dataset(disputed_dataset(played).dataset_id)
    look(played, 2)
    answer(played, disputed, THREE, dataset_id=disputed_dataset(played).dataset_id)
    played.run_until(number, RoundState.CLOSED)
    assert len(labels(played)) == 6


def test_without_adjudication_a_tie_makes_no_label(project):
    played = project(adjudication="none")
    number, _ = begin_dispute(played)
    played.run_until(number, RoundState.CLOSED)
    assert len(labels(played)) == 5
    assert len(played.tool.datasets) == 1


def test_agreement_below_the_least_is_disputed_up_to_the_most_annotators(project):
    played = project(overlap=3, max_overlap=4, min_agreement=0.7)
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE)
        answer(played, item, TWO)
        answer(played, item, THREE, wrong=item in batch[:2])
    look(played, 4)
    queue = disputed_dataset(played).dataset_id
    answer(played, batch[0], "annotator-4", dataset_id=queue)
    answer(played, batch[1], "annotator-4", wrong=True, dataset_id=queue)
    played.run_until(number, RoundState.CLOSED)
    made = labels(played)
    assert made[batch[0].id]["confidence"] == pytest.approx(0.75)
    assert batch[1].id not in made


def test_items_drawn_at_random_can_need_more_answers(project):
    played = project(overlap=1, audit_overlap=2, audit_fraction=0.5)
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE)
    played.run_until(number, RoundState.CLOSED)
    number, batch = begin(played)
    (dataset,) = played.tool.datasets.values()
    assert dataset.spec.min_submitted == 2
    audit = [one.item for one in played.out(number) if one.chosen.slice == "audit"]
    assert len(audit) == 3
    for item in batch:
        answer(played, item, ONE)
    look(played)
    assert shown(played).counts.answered == 3
    for item in audit:
        answer(played, item, TWO)
    played.run_until(number, RoundState.CLOSED)
    assert {len(labels(played)[item.id]["annotators"]) for item in audit} == {2}


def test_the_more_reliable_annotator_prevails(project):
    played = project(consensus="weighted", adjudication="none", batch_size=20, overlap=3)
    number, batch = begin(played)
    for n, item in enumerate(batch):
        answer(played, item, ONE)
        answer(played, item, TWO, wrong=n % 3 == 0 and n > 0)
        answer(played, item, THREE, wrong=n % 3 == 1)
    played.tool.answer(f"item-{batch[0].id}", None, by=THREE, status="discarded")
    answer(played, batch[0], TWO, wrong=True)
    played.run_until(number, RoundState.CLOSED)
    made = labels(played)[batch[0].id]
    # one against one: the one who is nearly always with the others is believed
    assert made["value"]["label"] == played.truth[batch[0].fields["text"]]
    assert 0.5 < made["confidence"] < 1.0


def test_dawid_skene_is_surer_where_annotators_agree(project):
    played = project(consensus="dawid_skene", batch_size=20, overlap=3)
    number, batch = begin(played)
    for n, item in enumerate(batch):
        answer(played, item, ONE)
        answer(played, item, TWO)
        answer(played, item, THREE, wrong=n % 4 == 0)
    played.run_until(number, RoundState.CLOSED)
    made = labels(played)
    sure = [made[item.id]["confidence"] for n, item in enumerate(batch) if n % 4]
    unsure = [made[item.id]["confidence"] for item in batch[::4]]
    assert min(sure) > 0.9
    assert max(unsure) < 1.0
    assert sum(unsure) / len(unsure) < sum(sure) / len(sure)
    assert all(made[i.id]["value"]["label"] == played.truth[i.fields["text"]] for i in batch)


def test_a_late_disagreement_keeps_the_label_but_not_its_confidence(project):
    played = project(overlap=1)
    number, batch = begin(played)
    for item in batch:
        right = answer(played, item, ONE)
    played.run_until(number, RoundState.CLOSED)
    answer(played, batch[-1], TWO, wrong=True)
    played.run_until(played.start(), RoundState.ANNOTATING)
    made = labels(played)[batch[-1].id]
    assert (made["value"]["label"], made["confidence"]) == (right, 0.5)
    assert made["supersedes"] is not None


def test_two_mergers_at_once_make_each_label_once(project):
    from concurrent.futures import ThreadPoolExecutor

    from app.rounds import collecting, merging

    played = project()
    number, batch = begin(played)
    for item in batch:
        answer(played, item, ONE)
        answer(played, item, TWO)
    played.run_until(number, RoundState.CLOSED)
    for item in batch:
        answer(played, item, ONE, wrong=True)
        answer(played, item, TWO, wrong=True)
    collecting.collect_project(played.runner.parts, played.project)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: merging.merge_project(played.runner.parts, played.project), "ab"))
    chains = all_rows(played.store, "SELECT item_id, count(*) AS links FROM labels "
                                    "WHERE source = 'human' GROUP BY item_id")  # fmt: skip
    assert {row["links"] for row in chains} == {2}


def test_settings_that_contradict_each_other_are_refused(project):
    from app.core.errors import WrongInput

    played = project()
    for wrong, field in (
        ({"overlap": 5, "max_overlap": 4}, "max_overlap"),
        ({"adjudication": "adjudicator"}, "adjudicators"),
        ({"adjudicators": ["a", "a"]}, "adjudicators"),
        ({"consensus": "loudest"}, "consensus"),
        ({"closing": {"share": 0}}, "closing.share"),
        ({"closing": {"days": 2}}, "closing.days"),
    ):
        with pytest.raises(WrongInput) as refused:
            projects.change_project(played.store, "shop", wrong, actor="test")
        assert refused.value.field == field


def test_an_imported_label_answers_nothing_that_annotators_are_asked(project):
    """The item is out: it still needs two answers, and they come to one label that supersedes."""
    played = project()
    number, batch = begin(played)
    first = batch[0]
    import_rows(played.store, [{"id": first.external_id, "text": first.fields["text"],
                                "label": played.truth[first.fields["text"]]}])  # fmt: skip
    answer(played, first, ONE, wrong=True)
    look(played)
    merge_project(played.parts, played.project)
    assert labels(played)[first.id]["source"] == "import"
    for item in batch:
        answer(played, item, ONE)
        answer(played, item, TWO)
    played.run_until(number, RoundState.CLOSED)
    assert labels(played)[first.id]["source"] == "human"
    assert labels(played)[first.id]["annotators"] == [ONE, TWO]
