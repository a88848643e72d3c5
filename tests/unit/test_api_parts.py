"""The parts of API and pages that need no server."""

import gc
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.api.announcing import dataset_of
from app.api.documentation import add_documentation
from app.api.events import resume_point
from app.api.parameters import LARGEST_ID
from app.api.problems import public_reason
from app.api.routes import api_router
from app.core.errors import RoundsError, Unavailable
from app.main import settle
from app.web.curve import MOST_POINTS, curve_of, interval
from app.web.rendering import ago, clipped, count, prose
from app.web.sessions import safe_path

DATASET = UUID("6f0b8f0c-6f53-4b9c-8a53-0a5a6e0f3b11")
IN_DATASET = {"id": str(DATASET), "name": "shop"}


def measured(round_, labels, accuracy, n=200):
    return {"round": round_, "labels": labels, "accuracy": accuracy, "macro_f1": accuracy, "n": n}


def test_there_is_no_curve_before_a_measurement():
    assert curve_of([]) is None


def test_the_axis_of_the_curve_is_honest():
    curve = curve_of([measured(1, 20, 0.9), measured(2, 40, 0.95)])
    assert [tick.text for tick in curve.y_ticks] == ["0%", "25%", "50%", "75%", "100%"]
    assert curve.x_ticks[0].text == "0"
    assert curve.x_ticks[0].at == curve.left
    assert [point.x for point in curve.drawn] == sorted(point.x for point in curve.drawn)
    half = (curve.top + curve.bottom) / 2
    assert curve_of([measured(1, 20, 0.5)]).drawn[0].y == pytest.approx(half)


@pytest.mark.parametrize("labels", [0, 1, 2, 5, 9, 28, 128, 977, 1000, 123_456])
def test_every_axis_ends_at_or_beyond_the_last_point(labels):
    curve = curve_of([measured(1, labels, 0.8)])
    assert curve.left <= curve.drawn[0].x <= curve.right
    assert 2 <= len(curve.x_ticks) <= 6
    assert all(curve.left <= tick.at <= curve.right + 0.01 for tick in curve.x_ticks)


def test_the_title_of_the_curve_is_its_finding():
    up = curve_of([measured(1, 20, 0.701), measured(2, 40, 0.843)])
    assert up.title == "Accuracy is 84.3% with 40 labels, 14.2 points up since round 1"
    down = curve_of([measured(3, 20, 0.9), measured(4, 40, 0.8)])
    assert down.title.endswith("10.0 points down since round 3")
    one = curve_of([measured(1, 1000, 0.5, n=1500)])
    assert one.title == "Accuracy is 50.0% with 1,000 labels, measured on 1,500 held-out items"


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    curve = curve_of([measured(n, n, 0.5) for n in range(1, 10_001)])
    assert len(curve.points) == 10_000
    assert len(curve.drawn) == MOST_POINTS
    assert (curve.drawn[0].round, curve.drawn[-1].round) == (1, 10_000)


def test_the_interval_is_wilsons():
    low, high = interval(0.8, 100)
    assert (low, high) == (pytest.approx(0.7112, abs=1e-4), pytest.approx(0.8666, abs=1e-4))
    assert interval(1.0, 50)[1] == 1.0
    assert interval(0.0, 50)[0] == 0.0
    assert interval(0.5, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"type": "response.created", "data": {"record": {"dataset": IN_DATASET}}}, DATASET),
        ({"type": "record.updated", "data": {"dataset": IN_DATASET}}, DATASET),
        ({"type": "dataset.published", "data": {"id": str(DATASET)}}, DATASET),
        ({"type": "response.created", "data": {"id": str(DATASET)}}, None),
        ({"type": "response.created", "data": {"record": "odd"}}, None),
        ({"type": "response.created"}, None),
        ("odd", None),
    ],
)  # fmt: skip
def test_the_dataset_of_a_webhook_is_found_wherever_its_kind_has_it(payload, expected):
    assert dataset_of(payload) == expected


@pytest.mark.parametrize(
    ("header", "after", "expected"),
    [
        (None, 5, 5),
        ("", 5, 5),
        ("7", 5, 7),
        ("x", 5, 5),
        ("²", 5, 5),
        ("9" * 40, 5, LARGEST_ID),
        ("-1", 5, 5),
    ],
)
def test_a_stream_resumes_where_the_client_was(header, after, expected):
    assert resume_point(header, after) == expected


def test_reasons_of_the_outside_do_not_name_hosts():
    assert public_reason(Unavailable("The database does not answer: at 10.0.0.1")) == (
        "The database does not answer"
    )
    assert public_reason(RoundsError("Round 1: is open")) == "Round 1: is open"


def test_prose_marks_names_and_escapes_the_rest():
    assert prose("torn between *<b>a</b>* and `x<y`") == (
        "torn between <em>&lt;b&gt;a&lt;/b&gt;</em> and <code>x&lt;y</code>"
    )


@pytest.mark.parametrize("wanted", ["/", "/projects/a?before=3", "/projects/ä"])
def test_addresses_of_ours_are_gone_back_to(wanted):
    assert safe_path(wanted) == wanted


@pytest.mark.parametrize("wanted", ["", "x", "//x", "/\\x", "https://x", "/a\r\nb", "/\tx"])
def test_others_are_not(wanted):
    assert safe_path(wanted) == "/"


def test_figures_are_written_for_people():
    assert re.fullmatch(r"1\u202f234\u202f567", count(1_234_567))
    assert count(None) == "–"
    assert clipped("a" * 400) == "a" * 299 + "…"
    now = datetime.now(tz=UTC)
    assert ago(now - timedelta(seconds=5)) == "just now"
    assert ago(now - timedelta(minutes=1, seconds=5)) == "1 minute ago"
    assert ago(now - timedelta(days=3)) == "3 days ago"


def test_what_is_there_before_the_first_request_is_not_looked_through_again():
    kept = [[] for _ in range(1000)]
    settle()
    try:
        assert gc.get_freeze_count() >= len(kept)
        assert not any(one is kept for one in gc.get_objects())
    finally:
        gc.unfreeze()


def test_every_shape_has_a_name_of_its_own():
    """Two of one name would be told apart by their modules, or one would hide the other."""
    app = FastAPI()
    app.include_router(api_router())
    add_documentation(app)
    shapes = app.openapi()["components"]["schemas"]
    assert [name for name in shapes if "__" in name] == []
    of_project = shapes["ProjectOut"]["properties"]["problems"]["items"]["$ref"].split("/")[-1]
    assert set(shapes[of_project]["properties"]) == {"kind", "message", "since"}
