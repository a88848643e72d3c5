"""What encoders promise: the address over real HTTP, the local model where it is installed."""

import importlib.util
import os

import numpy as np
import pytest

from app.adapters.embeddings.address import AddressModel, Pause, _pause_after, _wanted_pause
from app.adapters.embeddings.cached import CachedEncoder
from app.adapters.embeddings.local import LocalModel
from app.core.errors import LeaseLost, Refused, Unavailable, WrongInput
from tests import embedding_server as bad
from tests.embedding_server import DIMENSIONS, KEY, embedding_server

TEXTS = ["money back please", "where is my parcel", "lovely service", "", "  ", "money lost"]


def alive():
    return None


@pytest.fixture
def server():
    with embedding_server() as server:
        yield server


def model(server, **changes):
    given = {"timeout": 10.0, "attempts": 3, **changes}
    return AddressModel(server.url, "some/Embedder v3", KEY, **given)


@pytest.fixture
def encoder(server, tmp_path):
    return CachedEncoder(model(server), tmp_path / "kept", batch=2)


def local_model():
    """The folder of a model that can be loaded without a network."""
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed: rounds[embeddings]")
    folder = os.environ.get("ROUNDS_TEST_LOCAL_MODEL")
    if not folder:
        pytest.skip("ROUNDS_TEST_LOCAL_MODEL names no folder of a sentence-transformers model")
    return LocalModel(folder)


# what holds for every encoder


@pytest.fixture(params=["address", "local"])
def any_encoder(request, tmp_path, server):
    made = model(server) if request.param == "address" else local_model()
    return CachedEncoder(made, tmp_path / "kept", batch=4)


def test_rows_have_length_one_and_blank_texts_have_none(any_encoder):
    rows = any_encoder.encode(TEXTS, alive)
    assert rows.dtype == np.float32
    assert rows.shape == (6, any_encoder.dimensions)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0, 0, 1], atol=1e-6)
    assert any_encoder.encode([], alive).shape == (0, any_encoder.dimensions)
    assert any_encoder.encode([" "], alive).shape == (1, any_encoder.dimensions)


def test_a_text_has_the_same_row_whatever_it_comes_with(any_encoder):
    rows = any_encoder.encode(TEXTS, alive)
    again = any_encoder.encode([*TEXTS[::-1], "a new one"], alive)
    assert rows[::-1].tobytes() == again[:-1].tobytes()


def test_meaning_is_nearer_than_words(tmp_path):
    encoder = CachedEncoder(local_model(), tmp_path)
    money, cash, parcel = encoder.encode(
        ["I want my money back", "please reimburse me", "the parcel is late"], alive
    )
    assert money @ cash > money @ parcel
    assert encoder.sends_to is None


# what is kept


def test_each_text_is_asked_once_in_bounded_batches(encoder, server):
    encoder.encode([*TEXTS, *TEXTS], alive)
    assert [len(one) for one in server.asked] == [2, 2]
    assert sorted(server.texts) == sorted(one for one in TEXTS if one.strip())
    encoder.encode([*TEXTS, "one more"], alive)
    assert server.asked[2:] == [["one more"]]


def test_after_a_death_only_what_is_missing_is_asked(encoder, server, tmp_path):
    calls = iter([None, LeaseLost("gone")])

    def dying():
        if (problem := next(calls)) is not None:
            raise problem

    with pytest.raises(LeaseLost):
        encoder.encode(TEXTS, dying)
    assert len(server.asked) == 1
    fresh = CachedEncoder(model(server), tmp_path / "kept", batch=2)
    fresh.encode(TEXTS, alive)
    assert len(server.texts) == len(set(server.texts)) == 4


def test_only_the_beginning_of_a_long_text_is_sent(server, tmp_path):
    encoder = CachedEncoder(model(server), tmp_path, most_chars=10)
    encoder.encode(["x" * 10_000, "x" * 20], alive)
    assert server.texts == ["x" * 10]


def test_models_keep_apart_what_they_said(server, tmp_path):
    one = CachedEncoder(model(server), tmp_path)
    other = CachedEncoder(AddressModel(server.url, "other/Embedder v3", KEY), tmp_path)
    assert one.name != other.name
    for encoder in (one, other):
        encoder.encode(TEXTS, alive)
    assert len(server.asked) == 2
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_a_model_that_has_changed_is_noticed(encoder, server, tmp_path):
    encoder.encode(TEXTS[:1], alive)
    server.faults = [bad.change(lambda rows: [row["embedding"].pop() for row in rows])]
    with pytest.raises(Unavailable, match=r"7 and 8 dimensions.*Remove"):
        encoder.encode(TEXTS[:2], alive)


def test_a_damaged_file_says_what_to_do(encoder, tmp_path):
    encoder.encode(TEXTS, alive)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(b"not a database, " * 1000)
    with pytest.raises(Unavailable, match="remove it"):
        encoder.encode(TEXTS, alive)


def test_names_can_stand_in_names_of_folders(server):
    assert model(server).name.startswith("embedder-v3.")
    assert LocalModel("/models/mine/").name.startswith("mine.")
    assert LocalModel("/a/mine").name != LocalModel("/b/mine").name


# an address that misbehaves


PASSING = [
    bad.status(429, Retry_After="0"),
    bad.status(500),
    bad.status(503),
    bad.hang_up,
    bad.no_json,
    bad.change(bad.one_short),
    bad.change(bad.not_a_number),
    bad.change(bad.all_zero),
    bad.change(bad.shorter_row),
    bad.change(bad.same_index),
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_asked_again(server, fault):
    server.faults = [fault, fault]
    rows = model(server).embed(TEXTS[:3])
    expected = np.array([bad.vector_of(text) for text in TEXTS[:3]], dtype=np.float32)
    assert np.array_equal(rows, expected)
    assert len(server.asked) == 3


@pytest.mark.parametrize("fault", PASSING)
def test_what_does_not_pass_is_said_without_texts_and_key(server, fault):
    server.faults = [fault] * 3
    with pytest.raises(Unavailable) as caught:
        model(server).embed(TEXTS[:3])
    assert not isinstance(caught.value, Refused)
    assert "127.0.0.1" in caught.value.message
    assert_keeps_quiet(caught.value)


def assert_keeps_quiet(problem):
    said = f"{problem} {problem!r} {problem.__cause__!r} {getattr(problem, 'evidence', '')}"
    assert KEY not in said
    assert not any(text in said for text in TEXTS if text.strip())


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 307])
def test_what_will_never_pass_is_refused_at_once(server, code):
    server.faults = [bad.status(code, {"code": "bad_thing", "message": f"{KEY} {TEXTS[0]}"})]
    with pytest.raises(
        Refused, match=rf"answered {code} \(bad_thing\).*ROUNDS_EMBEDDINGS"
    ) as caught:
        model(server).embed(TEXTS[:3])
    assert len(server.asked) == 1
    assert_keeps_quiet(caught.value)


def test_a_spent_quota_is_refused_though_it_comes_as_429(server):
    server.faults = [bad.status(429, {"code": "insufficient_quota"})]
    with pytest.raises(Refused, match="insufficient_quota"):
        model(server).embed(TEXTS[:1])


def test_a_wrong_key_is_named_by_its_setting(server):
    with pytest.raises(Refused, match="ROUNDS_EMBEDDINGS_API_KEY") as caught:
        AddressModel(server.url, "m", "sk-wrong").embed(["x"])
    assert "sk-wrong" not in str(caught.value)


def test_a_slow_answer_is_given_up(server):
    server.faults = [bad.slow(1.0)] * 2
    with pytest.raises(Unavailable, match="ReadTimeout"):
        model(server, timeout=0.1, attempts=2).embed(["x"])


def test_the_pause_that_was_asked_for_is_kept():
    assert _pause_after(Pause("busy", 7.5)) == 7.5
    assert _pause_after(Pause("broken")) is True
    assert _pause_after(Refused("no")) is False


def test_a_long_pause_is_left_to_the_next_attempt_of_the_step(server):
    server.faults = [bad.status(429, Retry_After="3600")]
    with pytest.raises(Unavailable, match="429"):
        model(server).embed(["x"])
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("-3", 0.0),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
    ],
)
def test_pauses_are_read_as_seconds_or_as_a_date(header, seconds):
    assert _wanted_pause(header) == seconds


@pytest.mark.parametrize("url", ["", "ftp://x/v1", "api.openai.com/v1", "https://me:pw@host/v1"])
def test_an_address_must_be_one(url):
    with pytest.raises(WrongInput) as caught:
        AddressModel(url, "m")
    assert caught.value.field == "ROUNDS_EMBEDDINGS_URL"
    assert "pw" not in caught.value.message


def test_a_local_model_that_is_not_there_says_which_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        Refused, match=r"ROUNDS_EMBEDDINGS_LOCAL_MODEL|argilla-rounds\[embeddings\]"
    ):
        CachedEncoder(LocalModel(str(tmp_path / "nothing")), tmp_path).encode(["x"], alive)


def test_dimensions_are_learnt_from_one_sentence(encoder, server):
    assert encoder.dimensions == DIMENSIONS
    assert encoder.dimensions == DIMENSIONS
    assert len(server.asked) == 1
