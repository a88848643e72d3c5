"""A dispute on a real Argilla: shown in a dataset of its own, decided there, and gone from it."""

import pytest

from app.core.entities import RoundState
from tests.factories import all_rows, sample_texts
from tests.faults.nursery import Nursery
from tests.faults.site import site_on
from tests.serving import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.argilla]


@pytest.fixture
def site(postgres, _migrated_template, argilla, tmp_path_factory):
    folder = tmp_path_factory.mktemp("disputes")
    settings = {"overlap": 2, "batch_size": 4, "audit_fraction": 0}
    with (
        Nursery(folder) as nursery,
        site_on(postgres, _migrated_template, argilla, folder / "site", nursery, **settings) as it,
    ):
        yield it


def datasets(site):
    rows = all_rows(site.store, "SELECT purpose, dataset_id FROM datasets")
    return {row["purpose"]: row["dataset_id"] for row in rows}


def label_of(site, item):
    rows = all_rows(site.store, "SELECT value->>'label' AS label FROM current_labels "
                    "WHERE 'item-' || item_id = :item", item=item)  # fmt: skip
    return rows[0]["label"] if rows else None


def test_somebody_decides_among_the_disputed_ones(site, argilla):
    first, second = argilla.annotators[:2]
    number = site.start()
    worker = site.worker()
    wait_until(lambda: site.round(number).state == RoundState.ANNOTATING, 60)
    batch = site.crowd.records(datasets(site)["annotation"])
    for place, record in enumerate(batch):
        site.crowd.answer(record, first)
        site.crowd.answer(record, second, "wrong" if place == 0 else "right")
    wait_until(lambda: "disputes" in datasets(site), 60)
    wait_until(lambda: site.crowd.records(datasets(site)["disputes"]), 60)
    (shown,) = site.crowd.records(datasets(site)["disputes"])
    assert shown["external_id"] == batch[0]["external_id"]
    assert shown["fields"] == batch[0]["fields"]
    assert shown["suggestions"] == []
    assert site.round(number).state == RoundState.ANNOTATING
    assert label_of(site, shown["external_id"]) is None
    site.crowd.answer(shown, second)
    wait_until(lambda: site.round(number).state == RoundState.CLOSED, 60)
    worker.kill()
    truth = {row["text"]: row["label"] for row in sample_texts(240, seed=5)}
    assert label_of(site, shown["external_id"]) == truth[shown["fields"]["text"]]
    outcome = all_rows(site.store, "SELECT outcome FROM disputes")
    assert [one["outcome"] for one in outcome] == ["decided"]
