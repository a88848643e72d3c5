"""What every annotation tool promises: the fake and a real Argilla are held to the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import numpy as np
import pytest

from app.adapters.argilla import ArgillaTool
from app.core.errors import NotFound, Refused
from app.core.tasks import Question
from app.ports.annotation_tool import (
    AnnotationTool,
    DatasetSpec,
    MetadataProperty,
    RecordOut,
    ResponseIn,
    Suggestion,
)
from tests.argilla_hands import ArgillaHands
from tests.fakes_argilla import FakeAnnotationTool

PROPERTIES = (
    MetadataProperty("round", "integer", "Round"),
    MetadataProperty("rank", "integer", "Rank"),
    MetadataProperty("score", "float", "Score", visible=False),
    MetadataProperty("reason", "terms", "Reason"),
)


class Hands(Protocol):
    """What people do in the tool."""

    def answer(
        self, dataset_id: UUID, external_id: str, value: Any, *, by: int = 0, status: str = ...
    ) -> None: ...
    def delete_answer(self, dataset_id: UUID, external_id: str, *, by: int = 0) -> None: ...
    def delete_record(self, dataset_id: UUID, external_id: str) -> None: ...
    def delete_dataset(self, dataset_id: UUID) -> None: ...
    def shown(self, dataset_id: UUID) -> Mapping[str, "Shown"]: ...


@dataclass(frozen=True)
class Shown:
    """A record as the tool has it."""

    record_id: UUID
    fields: Mapping[str, str]
    metadata: Mapping[str, Any]
    suggestion: tuple[Any, float, str] | None


class FakeHands:
    def __init__(self, tool: FakeAnnotationTool) -> None:
        self.tool = tool
        self.users = list(tool.users)

    def answer(
        self,
        dataset_id: UUID,
        external_id: str,
        value: Any,
        *,
        by: int = 0,
        status: str = "submitted",
    ) -> None:
        self.tool.answer(
            external_id, value, by=self.users[by], status=status, dataset_id=dataset_id
        )

    def delete_answer(self, dataset_id: UUID, external_id: str, *, by: int = 0) -> None:
        self.tool.delete_answer(external_id, by=self.users[by], dataset_id=dataset_id)

    def delete_record(self, dataset_id: UUID, external_id: str) -> None:
        self.tool.delete_record(external_id, dataset_id=dataset_id)

    def delete_dataset(self, dataset_id: UUID) -> None:
        self.tool.delete_dataset(dataset_id)

    def shown(self, dataset_id: UUID) -> Mapping[str, Shown]:
        return {
            name: Shown(
                one.record_id,
                one.fields,
                one.metadata,
                one.suggestion
                and (one.suggestion.value, one.suggestion.score, one.suggestion.agent),
            )
            for name, one in self.tool.datasets[dataset_id].records.items()
        }


class RealHands(ArgillaHands):
    def shown(self, dataset_id: UUID) -> Mapping[str, Shown]:
        return {one["external_id"]: _shown(one) for one in self.records(dataset_id)}


def _shown(record: Mapping[str, Any]) -> Shown:
    given = [(one["value"], one["score"], one["agent"]) for one in record["suggestions"]]
    return Shown(
        UUID(record["id"]), record["fields"], record["metadata"], given[0] if given else None
    )


@dataclass
class Setting:
    tool: AnnotationTool
    hands: Hands
    spec: DatasetSpec
    usernames: set[str]

    def dataset(self) -> UUID:
        return self.tool.ensure_dataset(self.spec).dataset_id

    def responses(self, dataset_id: UUID) -> dict[str, ResponseIn]:
        """By external id, for tests with one answer a record."""
        return {one.external_id: one for one in self.tool.look(dataset_id).responses}


def _spec() -> DatasetSpec:
    return DatasetSpec(
        name=f"contract-{uuid4().hex}",
        fields=("text",),
        question=Question("label", "label", "Label", ("refund", "delivery", "praise")),
        guidelines="Choose what fits best.",
        min_submitted=1,
        properties=PROPERTIES,
    )


@pytest.fixture(params=["fake", pytest.param("argilla", marks=pytest.mark.argilla)])
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    if request.param == "fake":
        fake = FakeAnnotationTool()
        yield Setting(fake, FakeHands(fake), _spec(), set(fake.users))
        return
    service = request.getfixturevalue("argilla")
    tool = ArgillaTool(service.url, service.owner.api_key, service.workspace)
    setting = Setting(tool, RealHands(service), _spec(), {a.username for a in service.annotators})
    yield setting
    _clean_up(setting)


def _clean_up(setting: Setting) -> None:
    hands = setting.hands
    assert isinstance(hands, RealHands)
    for dataset in hands.call("GET", "me/datasets", params={"name": setting.spec.name})["items"]:
        hands.delete_dataset(dataset["id"])


def record(number: int, **more: Any) -> RecordOut:
    given = {
        "external_id": f"item-{number}",
        "fields": {"text": f"text {number}"},
        "metadata": {"round": 1, "rank": number, "score": 0.5, "reason": "torn"},
        **more,
    }
    return RecordOut(**given)


def records(count: int) -> list[RecordOut]:
    return [record(number) for number in range(1, count + 1)]


# --- datasets ---


def test_a_dataset_is_made_once_however_often_it_is_asked_for(setting: Setting) -> None:
    first = setting.tool.ensure_dataset(setting.spec)
    again = setting.tool.ensure_dataset(setting.spec)
    assert first == again
    assert str(first.dataset_id) in first.annotate_url


def test_other_labels_are_refused_and_named(setting: Setting) -> None:
    setting.dataset()
    question = replace(setting.spec.question, options=("refund", "delivery", "billing"))
    with pytest.raises(Refused, match="other options"):
        setting.tool.ensure_dataset(replace(setting.spec, question=question))


def test_guidelines_overlap_and_new_metadata_may_change(setting: Setting) -> None:
    dataset_id = setting.dataset()
    more = (*PROPERTIES, MetadataProperty("strategy", "terms", "Strategy"))
    changed = replace(setting.spec, guidelines="Otherwise.", min_submitted=2, properties=more)
    assert setting.tool.ensure_dataset(changed).dataset_id == dataset_id
    report = setting.tool.push(dataset_id, [record(1, metadata={"strategy": "margin.v1"})])
    assert set(report.accepted) == {"item-1"}


# --- push ---


def test_push_brings_text_metadata_and_suggestion(setting: Setting) -> None:
    dataset_id = setting.dataset()
    suggestion = Suggestion("refund", 0.75, "svc.v1/3")
    report = setting.tool.push(dataset_id, [record(1, suggestion=suggestion), record(2)])
    shown = setting.hands.shown(dataset_id)
    assert {name: one.record_id for name, one in shown.items()} == report.accepted
    assert shown["item-1"].fields == {"text": "text 1"}
    assert shown["item-1"].metadata == {"round": 1, "rank": 1, "score": 0.5, "reason": "torn"}
    assert shown["item-1"].suggestion == ("refund", 0.75, "svc.v1/3")
    assert shown["item-2"].suggestion is None


def test_pushing_again_changes_nothing_and_wipes_no_answer(setting: Setting) -> None:
    dataset_id = setting.dataset()
    first = setting.tool.push(dataset_id, records(3))
    setting.hands.answer(dataset_id, "item-2", "refund")
    before = setting.responses(dataset_id)
    again = setting.tool.push(dataset_id, records(3))
    assert again.accepted == first.accepted
    assert setting.responses(dataset_id) == before
    assert len(setting.hands.shown(dataset_id)) == 3


def test_a_push_leaves_records_outside_the_batch_alone(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1, suggestion=Suggestion("praise", 0.5, "a/1"))])
    before = setting.hands.shown(dataset_id)["item-1"]
    setting.tool.push(dataset_id, [record(2)])
    assert setting.hands.shown(dataset_id)["item-1"] == before


def test_a_repeat_brings_new_metadata_and_suggestion(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1, suggestion=Suggestion("praise", 0.5, "a/1"))])
    newer = record(1, metadata={"rank": 9}, suggestion=Suggestion("refund", 0.9, "a/2"))
    setting.tool.push(dataset_id, [newer])
    shown = setting.hands.shown(dataset_id)["item-1"]
    assert shown.metadata == {"rank": 9}
    assert shown.suggestion == ("refund", 0.9, "a/2")


def test_bad_records_are_refused_one_by_one_with_a_reason(setting: Setting) -> None:
    dataset_id = setting.dataset()
    bad = {
        3: {"suggestion": Suggestion("no such label", 0.5, "a/1")},
        5: {"fields": {"text": "nul \x00 inside"}},
        7: {"suggestion": Suggestion("refund", 1.5, "a/1")},
        8: {"fields": {"text": "one", "other": "two"}},
    }
    batch = [record(number, **bad.get(number, {})) for number in range(1, 11)]
    report = setting.tool.push(dataset_id, batch)
    assert set(report.refused) == {f"item-{number}" for number in bad}
    assert all(report.refused.values())
    assert set(report.accepted) == {one.external_id for one in batch} - set(report.refused)
    assert set(setting.hands.shown(dataset_id)) == set(report.accepted)


def test_numpy_values_are_taken(setting: Setting) -> None:
    dataset_id = setting.dataset()
    metadata: Any = {"round": np.int64(1), "rank": np.int32(2), "score": np.float32(0.5)}
    suggestion = Suggestion(np.str_("refund"), np.float32(0.25), "a/1")  # type: ignore[arg-type]
    report = setting.tool.push(dataset_id, [record(1, metadata=metadata, suggestion=suggestion)])
    assert not report.refused
    assert setting.hands.shown(dataset_id)["item-1"].metadata["score"] == 0.5


def test_more_than_one_batch_is_pushed_whole(setting: Setting) -> None:
    dataset_id = setting.dataset()
    report = setting.tool.push(dataset_id, records(230))
    assert set(report.accepted) == {one.external_id for one in records(230)}
    assert set(setting.hands.shown(dataset_id)) == set(report.accepted)


def test_nothing_to_push_is_nothing_done(setting: Setting) -> None:
    dataset_id = setting.dataset()
    assert setting.tool.push(dataset_id, []).accepted == {}


def test_a_dataset_that_is_gone_is_not_found(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1)])
    setting.hands.delete_dataset(dataset_id)
    with pytest.raises(NotFound):
        setting.tool.push(dataset_id, [record(1)])
    with pytest.raises(NotFound):
        setting.tool.last_activity(dataset_id)
    with pytest.raises(NotFound):
        setting.tool.look(dataset_id)
    with pytest.raises(NotFound):
        setting.tool.withdraw(dataset_id, ["item-1"])


# --- collection ---


def test_answers_are_read_as_given(setting: Setting) -> None:
    dataset_id = setting.dataset()
    report = setting.tool.push(dataset_id, records(4))
    setting.hands.answer(dataset_id, "item-1", "refund")
    setting.hands.answer(dataset_id, "item-2", "praise", status="draft")
    setting.hands.answer(dataset_id, "item-3", None, status="discarded")
    found = setting.responses(dataset_id)
    assert {name: (one.status, one.values) for name, one in found.items()} == {
        "item-1": ("submitted", {"label": "refund"}),
        "item-2": ("draft", {"label": "praise"}),
        "item-3": ("discarded", None),
    }
    assert all(one.record_id == report.accepted[name] for name, one in found.items())
    assert all(_is_utc(one.updated_at) and _is_utc(one.inserted_at) for one in found.values())


def _is_utc(moment: datetime) -> bool:
    offset = moment.utcoffset()
    return offset is not None and not offset


def test_an_edit_keeps_the_response_and_moves_its_time(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1)])
    setting.hands.answer(dataset_id, "item-1", "refund")
    before = setting.responses(dataset_id)["item-1"]
    setting.hands.answer(dataset_id, "item-1", "praise")
    after = setting.responses(dataset_id)["item-1"]
    assert after.response_id == before.response_id
    assert after.updated_at > before.updated_at
    assert after.values == {"label": "praise"}


def test_two_annotators_give_two_responses(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1)])
    setting.hands.answer(dataset_id, "item-1", "refund", by=0)
    setting.hands.answer(dataset_id, "item-1", "praise", by=1)
    found = setting.tool.look(dataset_id).responses
    names = setting.tool.usernames()
    assert {names[one.user_id] for one in found} == setting.usernames
    assert len({one.response_id for one in found}) == 2


def test_deleted_answers_and_records_are_absent(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, records(3))
    for name in ("item-1", "item-2", "item-3"):
        setting.hands.answer(dataset_id, name, "refund")
    setting.hands.delete_answer(dataset_id, "item-1")
    setting.hands.delete_record(dataset_id, "item-2")
    assert set(setting.responses(dataset_id)) == {"item-3"}


def test_the_newest_records_are_those_that_were_brought_last(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, records(30))
    latest = setting.tool.push(dataset_id, [record(number) for number in (101, 102)])
    setting.hands.answer(dataset_id, "item-102", "refund")
    look = setting.tool.look_at_newest(dataset_id, 2)
    assert set(latest.accepted.values()) <= look.records.keys()
    assert len(look.records) < 30
    assert [one.external_id for one in look.responses] == ["item-102"]
    assert len(setting.tool.look(dataset_id).records) == 32


def test_every_move_of_an_annotator_opens_the_gate(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1)])
    quiet = setting.tool.last_activity(dataset_id)
    assert setting.tool.last_activity(dataset_id) == quiet
    seen = [quiet]
    setting.hands.answer(dataset_id, "item-1", "refund", status="draft")
    seen.append(setting.tool.last_activity(dataset_id))
    setting.hands.answer(dataset_id, "item-1", "refund")
    seen.append(setting.tool.last_activity(dataset_id))
    setting.hands.answer(dataset_id, "item-1", "praise")
    seen.append(setting.tool.last_activity(dataset_id))
    setting.hands.delete_answer(dataset_id, "item-1")
    seen.append(setting.tool.last_activity(dataset_id))
    moments = [one for one in seen if one is not None]
    assert moments == sorted(set(moments))
    assert len(moments) == 5


# --- withdrawal ---


def test_suggestions_of_records_that_nobody_touched_are_renewed_and_none_is_made(
    setting: Setting,
) -> None:
    dataset_id = setting.dataset()
    old, new = Suggestion("refund", 0.5, "linear.v1/1"), Suggestion("praise", 0.75, "linear.v1/2")
    taken = setting.tool.push(dataset_id, [record(n, suggestion=old) for n in range(1, 6)])
    setting.hands.answer(dataset_id, "item-1", "refund")
    setting.hands.answer(dataset_id, "item-2", "refund", status="draft")
    setting.hands.answer(dataset_id, "item-3", None, status="discarded")
    setting.hands.delete_record(dataset_id, "item-4")
    metadata = {"round": 1, "rank": 5, "score": 0.5, "reason": "still torn"}
    asked = {
        taken.accepted[f"item-{n}"]: record(n, suggestion=new, metadata=metadata)
        for n in range(1, 6)
    }
    for _ in range(2):
        report = setting.tool.refresh(dataset_id, asked)
        assert set(report.refreshed) == {"item-5"}
        assert set(report.at_work) == {"item-1", "item-2", "item-3"}
    shown = setting.hands.shown(dataset_id)
    assert set(shown) == {"item-1", "item-2", "item-3", "item-5"}
    assert shown["item-5"].suggestion == ("praise", 0.75, "linear.v1/2")
    assert shown["item-5"].metadata["reason"] == "still torn"
    assert shown["item-5"].fields == {"text": "text 5"}
    for name in ("item-1", "item-2", "item-3"):
        assert shown[name].suggestion == ("refund", 0.5, "linear.v1/1")
        assert shown[name].metadata["reason"] == "torn"


def test_only_records_that_nobody_touched_are_withdrawn(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, records(5))
    setting.hands.answer(dataset_id, "item-1", "refund")
    setting.hands.answer(dataset_id, "item-2", "refund", status="draft")
    setting.hands.answer(dataset_id, "item-3", None, status="discarded")
    report = setting.tool.withdraw(dataset_id, [f"item-{number}" for number in range(1, 5)])
    assert set(report.kept) == {"item-1", "item-2", "item-3"}
    assert set(report.withdrawn) == {"item-4"}
    assert set(setting.hands.shown(dataset_id)) == {"item-1", "item-2", "item-3", "item-5"}


def test_discarded_records_can_be_withdrawn_and_no_others(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, records(3))
    setting.hands.answer(dataset_id, "item-1", None, status="discarded")
    setting.hands.answer(dataset_id, "item-2", None, status="discarded", by=0)
    setting.hands.answer(dataset_id, "item-2", "refund", status="draft", by=1)
    report = setting.tool.withdraw(dataset_id, ["item-1", "item-2"], kept_by=("submitted", "draft"))
    assert (list(report.withdrawn), list(report.kept)) == (["item-1"], ["item-2"])
    assert set(setting.hands.shown(dataset_id)) == {"item-2", "item-3"}


def test_withdrawing_again_or_what_was_never_there_is_harmless(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, records(120))
    names = [one.external_id for one in records(120)]
    assert set(setting.tool.withdraw(dataset_id, names).withdrawn) == set(names)
    again = setting.tool.withdraw(dataset_id, [*names, "item-999"])
    assert set(again.withdrawn) == {*names, "item-999"}
    assert setting.hands.shown(dataset_id) == {}
    assert setting.tool.withdraw(dataset_id, []).withdrawn == []


def test_what_was_withdrawn_can_be_pushed_again(setting: Setting) -> None:
    dataset_id = setting.dataset()
    setting.tool.push(dataset_id, [record(1)])
    setting.tool.withdraw(dataset_id, ["item-1"])
    assert set(setting.tool.push(dataset_id, [record(1)]).accepted) == {"item-1"}


# --- the rest ---


def test_a_webhook_is_made_once_and_keeps_its_secret(setting: Setting) -> None:
    url = f"http://127.0.0.1:9/{uuid4().hex}"
    try:
        secret = setting.tool.ensure_webhook(url)
        assert secret
        assert setting.tool.ensure_webhook(url) == secret
    finally:
        _forget_webhook(setting, url)


def _forget_webhook(setting: Setting, url: str) -> None:
    if isinstance(setting.hands, RealHands):
        for one in setting.hands.call("GET", "webhooks")["items"]:
            if one["url"] == url:
                setting.hands.call("DELETE", f"webhooks/{one['id']}")


def test_a_tool_that_is_there_answers_the_ping(setting: Setting) -> None:
    setting.tool.ping()


def test_a_deleted_dataset_is_gone_and_deleting_it_again_says_so(setting: Setting) -> None:
    dataset = setting.dataset()
    setting.tool.delete_dataset(dataset)
    with pytest.raises(NotFound):
        setting.tool.last_activity(dataset)
    with pytest.raises(NotFound):
        setting.tool.delete_dataset(dataset)
