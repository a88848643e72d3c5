"""Rounds whose batches an LLM labels: what it may, what people get, and what is known of it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.store import PostgresStore
from app.core.entities import RoundState
from app.core.errors import Conflict, NotAllowed, WrongInput
from app.core.llm.entities import Completion, Request
from app.llm import labelling, standing
from app.llm.desk import Desk
from app.main import create_app
from app.ports.llm import Provider
from app.rounds import commands, projects, replaying, sentences
from app.rounds.relabelling import edit_labels
from app.shown.rounds import RoundOut
from tests.browsing import browsing, log_in
from tests.factories import WORDS, all_rows, sample_texts
from tests.llm_project import allowing, simulated
from tests.llm_server import KEY, LlmServer, configuration, llm_server
from tests.played import PlayedProject
from tests.serving import make_parts

pytestmark = pytest.mark.postgres
COUNT = 120
LLM = "llm:it/simulated"


@pytest.fixture
def play(store: PostgresStore, tmp_path: Path) -> Callable[..., PlayedProject]:
    """A project labelled by a simulated LLM, which knows all texts."""

    def make(labelled_by: str = "llm", *, count: int = COUNT, **more: Any) -> PlayedProject:
        llm, error = more.pop("llm", {}), more.pop("error", 0.0)
        known = more.pop("known", truth_of(count))
        given = simulated(tmp_path, known, error=error, **more.pop("provider", {}))
        return PlayedProject(
            store,
            tmp_path,
            count=count,
            providers=ConfiguredProviders({"it": given}),
            llm=allowing(**{"labelled_by": labelled_by, "audit_share": 0.0, **llm}),
            **more,
        )

    return make


def truth_of(count: int) -> dict[str, str]:
    return {row["text"]: row["label"] for row in sample_texts(count, seed=3)}


def shown(played: PlayedProject, number: int) -> RoundOut:
    with played.store.transaction() as tx:
        return RoundOut.of(tx.views.round(played.project.id, number))


def sources(store: PostgresStore) -> dict[str, int]:
    """Labels of the pool by who gave them."""
    found = all_rows(
        store,
        "SELECT l.source, count(*) AS n FROM current_labels l JOIN items i ON i.id = l.item_id "
        "WHERE i.split = 'pool' GROUP BY 1",
    )
    return {row["source"]: row["n"] for row in found}


def in_argilla(played: PlayedProject) -> dict[str, Any]:
    return {
        name: record
        for dataset in played.tool.datasets.values()
        for name, record in dataset.records.items()
    }


def events(store: PostgresStore, kind: str) -> list[dict[str, Any]]:
    return all_rows(store, "SELECT * FROM events WHERE kind = :kind", kind=kind)


def problems(played: PlayedProject) -> list[Any]:
    """What the project shows as something to look at."""
    with played.store.transaction() as tx:
        return list(tx.views.problems(played.project.id))


# --- who labels ---


def test_a_round_that_the_llm_labels_waits_for_nobody(play: Callable[..., PlayedProject]) -> None:
    played = play(provider={"price_in": 1.0, "price_out": 4.0})
    number = played.start()
    played.run_until(number, RoundState.CLOSED)
    assert not in_argilla(played)
    assert sources(played.store) == {LLM: 12}
    found = shown(played, number)
    assert (found.counts.by_llm, found.counts.withdrawn, found.counts.labelled) == (12, 0, 12)
    assert found.closed_by == "all_answered"
    assert found.llm is not None
    assert (found.llm.labelled, found.llm.why, found.llm.calls) == (12, {"answered": 12}, 12)
    assert found.llm.cost > 0
    assert found.llm.message == f"{LLM} labelled 12 of 12 items, for ${found.llm.cost:.4f}."
    labels = all_rows(played.store, "SELECT * FROM labels WHERE source LIKE 'llm:%'")
    assert {one["round_id"] for one in labels} == {played.round(number).id}
    assert found.metrics["accuracy"] > 0.5  # on what people labelled, as ever


def test_the_audit_slice_stays_with_people_and_is_not_suggested_anything(
    play: Callable[..., PlayedProject],
) -> None:
    played = play()
    played.run_until(played.start(), RoundState.CLOSED)
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    out = in_argilla(played)
    assert len(out) == 2
    assert all(record.suggestion is None for record in out.values())
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"answered": 10, "audit_slice": 2}
    assert sentences.of_round(found.model_dump()).endswith("waiting for 2 of 2 answers.")
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)
    assert sources(played.store) == {LLM: 22, "human": 2}


def test_a_share_of_what_it_could_label_goes_to_people_without_any_suggestion(
    play: Callable[..., PlayedProject],
) -> None:
    played = play(llm={"audit_share": 0.25}, audit_fraction=0.0)
    first = played.start()
    played.play(first)
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    assert len(played.out(number)) == 3
    assert all(in_argilla(played)[f"item-{one.item.id}"].suggestion is None
               for one in played.out(number))  # fmt: skip
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)
    assert sources(played.store) == {LLM: 18, "human": 6}
    found = standing.standing(Desk(played.store, played.parts.providers), "shop")
    assert (found.audit.window.n, found.audit.window.agreed) == (6, 6)
    assert found.suspension is None


def test_people_get_what_it_does_not_know(play: Callable[..., PlayedProject]) -> None:
    known = {text: label for text, label in truth_of(COUNT).items() if label != "praise"}
    played = play(known=known)
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why["unanswered"] == len(played.out(number)) > 0
    assert f"People get {len(played.out(number))}: " in found.llm.message
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)
    assert sum(sources(played.store).values()) == 12


def test_both_means_that_people_label_and_it_is_compared(
    play: Callable[..., PlayedProject],
) -> None:
    played = play("both", error=0.2)
    number = played.start()
    played.play(number)
    assert sources(played.store) == {"human": 12}
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"comparison": 12}
    both = all_rows(played.store, "SELECT * FROM llm_answers")
    assert len(both) == 12


def test_by_default_nobody_is_asked(play: Callable[..., PlayedProject]) -> None:
    played = play("humans")
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    assert len(in_argilla(played)) == 12
    assert shown(played, number).llm is None
    assert not all_rows(played.store, "SELECT * FROM llm_calls")


def test_the_page_of_the_round_tells_who_labelled_what_and_why(
    play: Callable[..., PlayedProject],
) -> None:
    played = play(llm={"audit_share": 0.25}, audit_fraction=0.0)
    played.run_until(played.start(), RoundState.ANNOTATING)
    app = create_app(make_parts(played.store))
    with browsing(app) as browser:
        log_in(browser, played.store)
        page = browser.get("/projects/shop/rounds/1").text
        one = browser.get("/projects/shop/rounds/1/selections/1").text
    assert "What the LLM did" in page
    assert f"{LLM} labelled 9 of 12 items" in page
    assert "audited: do people agree with it?" in page
    assert f"<dt>{LLM}</dt>" in one
    assert "Simulated." in one
    assert page.count('<span class="tag">LLM</span>') == 9
    assert '<span class="tag">withdrawn</span>' not in page


# --- trust ---


def test_below_a_confidence_to_people_only_once_that_was_measured(
    play: Callable[..., PlayedProject],
) -> None:
    played = play("llm_then_humans", count=560, error=0.08, llm={"min_confidence": 0.9})
    first = played.start()
    played.play(first)
    found = shown(played, first)
    assert found.llm is not None
    assert found.llm.why == {"untrusted": 12}
    assert "more items with an answer of both are needed" in found.llm.message
    assert sources(played.store) == {"human": 12}
    desk = Desk(played.store, played.parts.providers)
    labelling.label(desk, "shop", gold=True)
    second = played.start()
    played.play(second)
    found = shown(played, second)
    assert found.llm is not None
    assert found.llm.why["sure"] > 0
    assert found.llm.why["unsure"] > 0
    least = all_rows(played.store, "SELECT min(confidence) AS least FROM labels "
                                   "WHERE source LIKE 'llm:%'")  # fmt: skip
    assert least[0]["least"] >= 0.9


def test_one_that_boasts_labels_nothing_unless_it_is_corrected(
    play: Callable[..., PlayedProject],
) -> None:
    boastful = {"confidence": "overconfident"}
    played = play("llm_then_humans", count=700, error=0.15, provider=boastful,
                  llm={"min_confidence": 0.7})  # fmt: skip
    labelling.label(Desk(played.store, played.parts.providers), "shop", gold=True)
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"untrusted": 12}
    commands.cancel_round(played.store, "shop", number, actor="test")
    played.run_until(number, RoundState.CANCELLED)
    projects.change_project(played.store, "shop", {"llm": {"recalibrate": True}}, actor="test")
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why["sure"] > 0
    routes = all_rows(played.store, "SELECT r.confidence, a.confidence AS said FROM llm_routes r "
                                    "JOIN llm_answers a ON a.id = r.answer_id "
                                    "WHERE r.why = 'sure'")  # fmt: skip
    assert all(one["said"] > 0.92 and one["confidence"] < 0.9 for one in routes)


def test_where_people_disagree_it_is_suspended_until_somebody_reopens(
    play: Callable[..., PlayedProject],
) -> None:
    played = play(
        llm={"audit_share": 0.5}, audit_fraction=0.0, error=0.9,
        provider={"confidence": "overconfident"},
    )  # fmt: skip
    desk = Desk(played.store, played.parts.providers)
    for _ in range(4):
        played.play(played.start())
        if standing.standing(desk, "shop").audit.drift:
            break
    else:
        pytest.fail("four rounds of a bad LLM and no drift was seen")
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"suspended": 12}
    assert found.llm.calls == 0
    assert "is suspended: People agreed with" in found.llm.message
    assert len(events(played.store, "llm.suspended")) == 1
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)
    played.play(played.start())
    assert len(events(played.store, "llm.suspended")) == 1
    assert "labels nothing any more: People agreed with" in problems(played)[0]["message"]
    with pytest.raises(Conflict, match="is suspended"):
        labelling.adopt(desk, "shop", actor="test")  # nor by hand
    again = standing.reopen(desk, "shop", actor="anna")
    assert problems(played) == []
    assert again.suspension is None
    assert again.audit.window.n == 0
    with pytest.raises(Conflict, match="not suspended"):
        standing.reopen(desk, "shop", actor="anna")
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"answered": 6, "standing_audit": 6}


# --- money, permission, weak labels ---


def test_what_is_beyond_the_cap_goes_to_people(play: Callable[..., PlayedProject]) -> None:
    price = {"price_in": 100.0, "price_out": 100.0, "concurrency": 1}
    played = play(provider=price, llm={"max_cost": 1.0, "max_cost_a_round": 0.35})
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert 0 < found.llm.why["answered"] < 12
    assert found.llm.why["answered"] + found.llm.why["budget"] == 12
    assert found.llm.cost <= 0.35
    assert "beyond what it may cost" in found.llm.message


def test_a_permission_that_is_taken_back_holds_at_once(play: Callable[..., PlayedProject]) -> None:
    played = play()
    number = played.start()
    played.run_until(number, RoundState.PUSHING)
    change = {"llm": {"allow": [], "labelled_by": "humans"}}
    projects.change_project(played.store, "shop", change, actor="test")
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why == {"not_allowed": 12}
    assert not all_rows(played.store, "SELECT * FROM llm_calls")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"allow": []}, "llm.allow"),
        ({"fields": []}, "llm.fields"),
        ({"provider": None}, "llm.provider"),
        ({"labelled_by": "robots"}, "llm.labelled_by"),
        ({"audit_share": 2}, "llm.audit_share"),
        ({"audit_window": 3}, "llm.audit_window"),
        ({"recalibrate": 1}, "llm.recalibrate"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    play: Callable[..., PlayedProject], given: dict[str, Any], field: str
) -> None:
    played = play()
    with pytest.raises(WrongInput) as refused:
        projects.change_project(played.store, "shop", {"llm": given}, actor="test")
    assert refused.value.field == field


def test_a_cold_start_by_weak_labels_leaves_the_rest_to_people(
    play: Callable[..., PlayedProject],
) -> None:
    played = play("humans", error=0.15, batch_size=30, llm={"weak_start": True})
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    found = shown(played, number)
    assert found.llm is not None
    assert found.llm.why["weak"] > 0
    assert found.llm.why["unsure"] > 0
    assert found.llm.why["weak"] + found.llm.why["unsure"] == 30
    purposes = all_rows(played.store, "SELECT DISTINCT purpose FROM llm_calls")
    assert [one["purpose"] for one in purposes] == ["weak_labels"]
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)
    second = played.start()
    played.run_until(second, RoundState.ANNOTATING)
    assert shown(played, second).llm is not None
    assert len(played.out(second)) == 30  # people label from then on
    assert played.round(second).settings.llm.label_weight == 0.5


# --- resuming, cancelling, following each other ---


class Dying:
    """A provider whose process dies with an answer on its way."""

    def __init__(self, inner: Provider, after: int) -> None:
        self.inner, self.left, self.asked = inner, after, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        self.asked += 1
        if self.asked == self.left:
            raise KeyboardInterrupt
        return self.inner.complete(requests)


class Only:
    def __init__(self, provider: Any) -> None:
        self.provider = provider

    def names(self) -> Sequence[str]:
        return ["it"]

    def get(self, name: str) -> Any:
        del name
        return self.provider


def test_a_step_that_dies_asks_only_for_what_is_missing(play: Callable[..., PlayedProject]) -> None:
    played = play(provider={"concurrency": 1})
    dying = Dying(played.parts.providers.get("it"), after=8)
    object.__setattr__(played.parts, "providers", Only(dying))
    number = played.start()
    played.run_until(number, RoundState.PUSHING)
    with pytest.raises(KeyboardInterrupt):
        played.tick()
    assert len(all_rows(played.store, "SELECT * FROM llm_answers")) == 7
    assert sources(played.store) == {}
    with played.store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET lease_until = now() - interval '1 s'")
    played.run_until(number, RoundState.CLOSED)
    assert dying.asked == 13  # the one on its way is asked again, no other
    assert sources(played.store) == {LLM: 12}


@contextmanager
def slow_server(played: PlayedProject, seconds: float) -> Iterator[LlmServer]:
    with llm_server(played.truth) as (server, url):
        server.seconds = seconds
        given = {"it": configuration("openai-compatible", url, concurrency=1)}
        providers = ConfiguredProviders(given, {"LLM_TEST_KEY": KEY})
        object.__setattr__(played.parts, "providers", providers)
        yield server


def test_cancelling_does_not_wait_for_the_whole_batch(play: Callable[..., PlayedProject]) -> None:
    played = play(batch_size=60)
    number = played.start()
    played.run_until(number, RoundState.PUSHING)
    with slow_server(played, 0.1) as server:
        step = threading.Thread(target=played.tick)
        step.start()
        while len(server.asked) < 3:
            assert step.is_alive()
        commands.cancel_round(played.store, "shop", number, actor="test")
        step.join(30)
        assert not step.is_alive()
        played.run_until(number, RoundState.CANCELLED)
        assert len(server.asked) < 60
    answers = all_rows(played.store, "SELECT * FROM llm_answers")
    assert len(answers) == len(server.asked)  # what arrived is kept, and paid for once
    assert sources(played.store) == {}


def test_a_wrong_key_fails_the_round_at_once_and_the_right_one_takes_it_up(
    play: Callable[..., PlayedProject],
) -> None:
    played = play()
    number = played.start()
    played.run_until(number, RoundState.PUSHING)
    with llm_server(played.truth) as (server, url):
        given = {"it": configuration("openai-compatible", url, concurrency=1)}
        wrong = ConfiguredProviders(given, {"LLM_TEST_KEY": "sk-not-the-key"})
        object.__setattr__(played.parts, "providers", wrong)
        played.run_until(number, RoundState.FAILED)
        error = shown(played, number).error
        assert error is not None
        assert error["code"] == "refused"
        assert "sk-not-the-key" not in str(error)
        assert not server.asked
        right = ConfiguredProviders(given, {"LLM_TEST_KEY": KEY})
        object.__setattr__(played.parts, "providers", right)
        commands.resume_round(played.store, "shop", number, actor="test")
        played.run_until(number, RoundState.CLOSED)
    assert sources(played.store) == {"llm:it/test-model": 12}


def test_its_progress_is_seen_while_it_is_asked(play: Callable[..., PlayedProject]) -> None:
    played = play(batch_size=40)
    number = played.start()
    played.run_until(number, RoundState.PUSHING)
    with slow_server(played, 0.05) as server:
        step = threading.Thread(target=played.tick)
        step.start()
        while len(server.asked) < 5:
            assert step.is_alive()
        found = shown(played, number)
        step.join(60)
    assert found.llm is not None
    assert 3 <= found.llm.answered < 40
    assert sentences.of_round(found.model_dump()).startswith(
        f"Round {number} is at work. The LLM has answered about "
    )


def test_rounds_that_it_labels_follow_each_other(play: Callable[..., PlayedProject]) -> None:
    played = play(audit_fraction=0.0, stopping={"max_rounds": 3})
    commands.start_round(played.store, "shop", actor="test", auto=True)
    for number in (1, 2, 3):
        played.run_until(number, RoundState.CLOSED)
    assert sources(played.store) == {LLM: 36}
    assert not in_argilla(played)
    with played.store.transaction() as tx:
        stopped = tx.projects.get(played.project.id).stopped
    assert stopped is not None
    assert "max_rounds" in str(stopped)


def test_a_round_that_it_labelled_is_replayed(play: Callable[..., PlayedProject]) -> None:
    played = play()
    played.run_until(played.start(), RoundState.CLOSED)
    number = played.start()
    played.play(number)
    assert replaying.replay(played.parts, "shop", number).same


# --- advice before a choice ---


def test_a_first_batch_that_the_llm_chose(play: Callable[..., PlayedProject]) -> None:
    played = play("humans", strategy_options={"cold_start": "llm"}, provider={"skill": 1.0})
    number = played.start()
    played.play(number)
    found = shown(played, number)
    assert (found.strategy, found.findings) == ("llm.v1", [])
    assert all("chosen by an LLM" in one.chosen.reason for one in played.out(number))
    classes = [played.truth[one.item.fields["text"]] for one in played.out(number)]
    assert {classes.count(one) for one in set(classes)} == {4}  # it knows what it is doing
    purposes = all_rows(played.store, "SELECT purpose, round_id FROM llm_calls")
    assert [one["purpose"] for one in purposes] == ["select"]
    assert purposes[0]["round_id"] == played.round(number).id
    assert replaying.replay(played.parts, "shop", number).same


def test_without_money_the_first_batch_is_of_clusters_and_it_is_said(
    play: Callable[..., PlayedProject],
) -> None:
    price = {"price_in": 100.0, "price_out": 100.0}
    played = play("humans", strategy_options={"cold_start": "llm"}, provider=price,
                  llm={"max_cost": 0.001})  # fmt: skip
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    (finding,) = shown(played, number).findings
    assert finding["code"] == "fallback_used"
    assert finding["evidence"] == {"wanted": "llm.v1", "used": "typiclust.v1"}
    assert "llm.max_cost" in finding["message"]
    assert len(played.out(number)) == 12


def test_the_classifier_shortlists_and_the_llm_ranks_anew(
    play: Callable[..., PlayedProject],
) -> None:
    played = play("humans", strategy="doubt", error=0.3, llm={"doubt_samples": 3})
    played.play(played.start())
    assert not all_rows(played.store, "SELECT * FROM llm_calls")  # not in a cold start
    number = played.start()
    played.play(number)
    asked = all_rows(played.store, "SELECT * FROM llm_calls")
    assert {one["purpose"] for one in asked} == {"uncertainty"}
    assert len(asked) == 36 * 3  # three times the batch, three times each
    found = shown(played, number)
    assert found.strategy == "doubt.v1"
    chosen = [one.chosen for one in played.out(number) if one.chosen.slice == "active"]
    scores = [one.score for one in sorted(chosen, key=lambda one: one.rank)]
    assert scores == sorted(scores, reverse=True)
    assert all("an LLM doubts it: " in one.reason for one in chosen)
    assert replaying.replay(played.parts, "shop", number).same


@pytest.mark.parametrize(
    "given",
    [{"strategy": "doubt"}, {"strategy": "llm"}, {"strategy_options": {"cold_start": "llm"}}],
)
def test_advice_must_be_allowed(play: Callable[..., PlayedProject], given: dict[str, Any]) -> None:
    played = play("humans", llm={"allow": ["label"]})
    with pytest.raises(NotAllowed, match=r"llm\.allow"):
        projects.change_project(played.store, "shop", given, actor="test")


# --- disputes ---


@pytest.mark.parametrize("adjudication", ["adjudicator", "extra"])
def test_whoever_decides_sees_what_the_llm_says_under_its_name(
    play: Callable[..., PlayedProject], adjudication: str
) -> None:
    played = play("humans", overlap=2, adjudication=adjudication, adjudicators=["head"],
                  batch_size=4, llm={"judge_disputes": True})  # fmt: skip
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    played.answer(number)
    disputed, *rest = played.out(number)
    truth = played.truth[disputed.item.fields["text"]]
    wrong = next(one for one in WORDS if one != truth)
    played.tool.answer(f"item-{disputed.item.id}", wrong, by="annotator-2")
    for one in rest:
        right = played.truth[one.item.fields["text"]]
        played.tool.answer(f"item-{one.item.id}", right, by="annotator-2")
    played.tick()
    (shown_,) = [r for d in played.tool.datasets.values() if "disputed" in d.spec.name
                 for r in d.records.values()]  # fmt: skip
    assert shown_.suggestion is not None
    assert (shown_.suggestion.value, shown_.suggestion.agent) == (truth, LLM)
    assert shown_.metadata["judge"] == f"{LLM}: {truth}. Simulated."
    assert {one["purpose"] for one in all_rows(played.store, "SELECT * FROM llm_calls")} == {
        "judge"
    }
    assert sources(played.store) == {}  # it decides nothing


# --- labels that are edited ---


def test_its_answers_are_read_in_the_labels_of_now(play: Callable[..., PlayedProject]) -> None:
    played = play("both")
    played.play(played.start())
    desk = Desk(played.store, played.parts.providers)
    labelling.label(desk, "shop")
    labels = ["money" if one == "refund" else one for one in sorted(WORDS)]
    edit_labels(played.store, "shop", labels, {"refund": "money"}, actor="test")
    labelling.adopt(desk, "shop", actor="test")
    given = all_rows(
        played.store,
        "SELECT DISTINCT value->>'label' AS label FROM current_labels l "
        "JOIN items i ON i.id = l.item_id WHERE i.split = 'pool'",
    )
    assert {one["label"] for one in given} == set(labels)
    answers = all_rows(played.store, "SELECT count(*) AS n FROM llm_answers_now")
    assert answers[0]["n"] > 12
