"""What the feature store promises."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from app.adapters.features import LocalFeatureStore, stored
from app.adapters.features.arrays import GrowingCsr, csr_paths, mapped, mapped_csr
from app.adapters.features.texts import BLOCK, recut
from app.core.errors import ArtefactDamaged, NotFound, Unavailable, WrongInput
from app.core.types import FeatureMatrix
from app.ports.feature_store import FeatureInfo, FeatureStore, Origin, TextBatches

ROOT = Path(__file__).resolve().parents[2]
Batch = tuple[Sequence[int], Sequence[str]]


def texts_of(items: int, seed: int = 0) -> list[str]:
    generator = random.Random(seed)
    words = [f"word{n}" for n in range(200)]
    return [" ".join(generator.choices(words, k=8)) for _ in range(items)]


def batches_of(texts: Sequence[str], size: int = 100, first: int = 10) -> TextBatches:
    """Item ids first, first + 3, …"""

    def batches() -> Iterator[Batch]:
        for at in range(0, len(texts), size):
            part = texts[at : at + size]
            yield [first + 3 * (at + n) for n in range(len(part))], part

    return batches


def quiet(_: int) -> None:
    return None


@pytest.fixture
def store(tmp_path: Path) -> LocalFeatureStore:
    return LocalFeatureStore(tmp_path / "features")


def same(one: FeatureMatrix, other: FeatureMatrix) -> None:
    for a, b in ((one.words, other.words), (one.counts, other.counts)):
        assert a.shape == b.shape
        assert np.array_equal(a.indptr, b.indptr)
        assert np.array_equal(a.indices, b.indices)
        assert a.data.tobytes() == b.data.tobytes()
    assert one.dense.tobytes() == other.dense.tobytes()


def test_what_is_opened_is_what_the_texts_became(store: LocalFeatureStore) -> None:
    texts = texts_of(500)
    info = store.build("demo", batches_of(texts), seed=1, progress=quiet)
    features = store.open(info)
    assert features.version == info.version
    assert (info.items, len(features.matrix)) == (500, 500)
    assert features.item_ids.tolist() == [10 + 3 * n for n in range(500)]
    same(features.matrix, store.featuriser(info).transform(texts))


def test_features_are_mapped_and_cannot_be_written(store: LocalFeatureStore) -> None:
    matrix = store.open(
        store.build("demo", batches_of(texts_of(50)), seed=1, progress=quiet)
    ).matrix
    for array in (matrix.dense, matrix.words.data, matrix.words.indices, matrix.counts.indptr):
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable
    assert matrix.words.indices.dtype == matrix.words.indptr.dtype == np.int32
    rows = np.array([40, 3, 3])
    same(matrix.take(rows).take(np.array([1])), matrix.take(np.array([3])))
    assert matrix.words[10:20].sum() == pytest.approx(matrix.words.toarray()[10:20].sum())


def test_rows_of_items(store: LocalFeatureStore) -> None:
    features = store.open(store.build("demo", batches_of(texts_of(50)), seed=1, progress=quiet))
    assert features.rows_of(np.array([13, 10, 157])).tolist() == [1, 0, 49]
    assert features.rows_of(np.array([], dtype=np.int64)).tolist() == []
    for missing in (11, 9, 158, 10**12):
        with pytest.raises(NotFound, match=f"Item {missing} has no features") as caught:
            features.rows_of(np.array([10, missing]))
        assert caught.value.evidence["missing"] == 1


def test_the_same_texts_give_the_same_version_however_they_come(tmp_path: Path) -> None:
    texts = texts_of(BLOCK + 300)
    infos = [
        LocalFeatureStore(tmp_path / str(size)).build(
            "demo", batches_of(texts, size), seed=1, progress=quiet
        )
        for size in (1000, 7777)
    ]
    assert infos[0] == infos[1]


def test_another_seed_text_or_item_is_another_version(store: LocalFeatureStore) -> None:
    texts = texts_of(100)
    changed = [*texts[:-1], "something else entirely"]
    infos = [
        store.build("demo", batches_of(texts), seed=1, progress=quiet),
        store.build("demo", batches_of(texts), seed=2, progress=quiet),
        store.build("demo", batches_of(changed), seed=1, progress=quiet),
        store.build("demo", batches_of(texts, first=11), seed=1, progress=quiet),
    ]
    assert len({info.version for info in infos}) == 4
    for info in infos:  # all of them stay
        store.verify(info)


def test_building_again_changes_nothing(store: LocalFeatureStore, tmp_path: Path) -> None:
    info = store.build("demo", batches_of(texts_of(100)), seed=1, progress=quiet)
    place = tmp_path / "features" / info.path
    before = place.stat().st_ino
    assert store.build("demo", batches_of(texts_of(100)), seed=1, progress=quiet) == info
    assert place.stat().st_ino == before
    assert sorted(p.name for p in (tmp_path / "features").iterdir()) == ["demo"]


@pytest.mark.parametrize(
    "texts", [[], ["one"], ["", " ", ""], ["same"] * 30, ["日本語のテキスト", "العربية"]]
)
def test_odd_pools(store: LocalFeatureStore, texts: list[str]) -> None:
    info = store.build("demo", batches_of(texts), seed=1, progress=quiet)
    matrix = store.open(info).matrix
    assert len(matrix) == matrix.words.shape[0] == matrix.counts.shape[0] == len(texts)
    same(matrix, store.featuriser(info).transform(texts))


def test_progress_shows_life_while_fitting_then_what_is_done(store: FeatureStore) -> None:
    seen: list[int] = []
    store.build("demo", batches_of(texts_of(BLOCK + 1)), seed=1, progress=seen.append)
    stored = [n for n in seen if n]
    assert seen == [0] * (len(seen) - len(stored)) + stored
    assert 0 in seen
    assert stored == [BLOCK, BLOCK + 1]


def test_items_that_change_meanwhile_are_noticed(store: FeatureStore) -> None:
    texts = texts_of(100)

    def growing() -> Iterator[Batch]:
        texts.append("one more")
        yield from batches_of(texts)()

    with pytest.raises(Unavailable, match="changed while features were built"):
        store.build("demo", growing, seed=1, progress=quiet)


def test_item_ids_have_to_ascend(store: FeatureStore, tmp_path: Path) -> None:
    def disordered() -> Iterator[Batch]:
        yield [1, 2], ["a", "b"]
        yield [2], ["c"]

    with pytest.raises(ValueError, match="ascend"):
        store.build("demo", disordered, seed=1, progress=quiet)
    assert list((tmp_path / "features").iterdir()) == []


# damage


def build_small(store: LocalFeatureStore) -> FeatureInfo:
    return store.build("demo", batches_of(texts_of(60)), seed=1, progress=quiet)


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [remove, cut])
@pytest.mark.parametrize(
    "name", ["dense.npy", "words.indptr.npy", "manifest.json", "featuriser/idf.npy"]
)
def test_missing_and_short_files_are_noticed_on_opening(
    store: LocalFeatureStore, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    info = build_small(store)
    damage(tmp_path / "features" / info.path / name)
    for use in (store.open, store.featuriser, store.verify):
        with pytest.raises(ArtefactDamaged, match="build them again") as caught:
            use(info)
    assert name in caught.value.message


def test_one_changed_bit_is_noticed_by_verify(store: LocalFeatureStore, tmp_path: Path) -> None:
    info = build_small(store)
    store.verify(info)
    flip(tmp_path / "features" / info.path / "dense.npy")
    with pytest.raises(ArtefactDamaged, match=r"dense.npy does not hold what was recorded"):
        store.verify(info)


@pytest.mark.parametrize("damage", [remove, cut, flip])
def test_building_again_mends_the_damage(
    store: LocalFeatureStore, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    info = build_small(store)
    damage(tmp_path / "features" / info.path / "dense.npy")
    assert build_small(store) == info
    store.verify(info)
    assert sorted(p.name for p in (tmp_path / "features").iterdir()) == ["demo"]


def test_another_manifest_than_the_recorded_one_is_refused(store: LocalFeatureStore) -> None:
    info = build_small(store)
    with pytest.raises(ArtefactDamaged):
        store.open(replace(info, sha256="0" * 64))
    with pytest.raises(WrongInput):
        store.open(replace(info, path="../elsewhere"))


# kill -9, and builders at once

BUILDER = """
import sys
from pathlib import Path
from app.adapters.features import LocalFeatureStore, stored
from tests.contract.test_feature_store import batches_of, texts_of

def progress(done):
    if bool(done) == (sys.argv[2] == "storing"):
        print("here", flush=True)
        sys.stdin.read()

LocalFeatureStore(Path(sys.argv[1])).build(
    "demo", batches_of(texts_of(60)), seed=1, progress=progress)
"""


@pytest.mark.parametrize("phase", ["fitting", "storing"])
def test_a_builder_that_is_killed_leaves_nothing_in_the_way(tmp_path: Path, phase: str) -> None:
    root = tmp_path / "features"
    process = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(root), phase],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert bool(list(root.glob(".scratch-*"))) == (phase == "storing")
    info = build_small(LocalFeatureStore(root))
    assert info == build_small(LocalFeatureStore(tmp_path / "undisturbed"))
    assert sorted(p.name for p in root.iterdir()) == ["demo"]
    LocalFeatureStore(root).verify(info)


def test_two_builders_at_once_end_in_one_version(tmp_path: Path) -> None:
    root, both = tmp_path / "features", threading.Barrier(2, timeout=60)

    def build(_: int) -> FeatureInfo:
        def progress(done: int) -> None:
            if done:
                both.wait()

        store = LocalFeatureStore(root)
        return store.build("demo", batches_of(texts_of(60)), seed=1, progress=progress)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(build, range(2))
    assert one == other
    LocalFeatureStore(root).verify(one)
    assert [p.name for p in root.rglob("*.json")] == ["manifest.json"]
    assert sorted(p.name for p in root.iterdir()) == ["demo"]


# items that come later


def test_later_items_are_added_under_the_same_fit(store: LocalFeatureStore) -> None:
    texts, later = texts_of(60), texts_of(25, seed=9)
    old = store.build("demo", batches_of(texts), seed=1, progress=quiet)
    new = store.append(old, batches_of(later, first=1000), progress=quiet)
    assert (new.items, new.recipe) == (85, old.recipe)
    assert new.version != old.version
    features = store.open(new)
    same(features.matrix, store.featuriser(old).transform([*texts, *later]))
    assert features.rows_of(np.array([10, 1000])).tolist() == [0, 60]
    store.verify(new)
    store.verify(old)  # as it was
    assert len(store.open(old).matrix) == 60


def test_adding_again_changes_nothing_and_adding_nothing_is_the_same(
    store: LocalFeatureStore,
) -> None:
    old = build_small(store)
    later = batches_of(texts_of(5), first=1000)
    new = store.append(old, later, progress=quiet)
    assert store.append(old, later, progress=quiet) == new
    assert store.append(old, batches_of([]), progress=quiet) == old
    twice = store.append(new, batches_of(["more"], first=5000), progress=quiet)
    assert twice.items == 66


def test_what_features_were_made_of_is_kept_with_them(store: LocalFeatureStore) -> None:
    old = store.build("demo", batches_of(texts_of(60)), seed=1, progress=quiet, source="sixty")
    assert store.origin(old) == Origin(
        fitted_on=60, last_item=10 + 3 * 59, source="sixty", dimensions=128
    )
    later = batches_of(texts_of(5), first=1000)
    new = store.append(old, later, progress=quiet, source="more")
    assert store.origin(new) == Origin(fitted_on=60, last_item=1012, source="more", dimensions=128)
    assert store.origin(build_small(store)).source is None
    nothing = store.build("none", batches_of([]), seed=1, progress=quiet)
    assert store.origin(nothing) == Origin(fitted_on=0, last_item=0, source=None, dimensions=128)


def test_manifests_without_a_source_keep_the_hashes_they_had(
    store: LocalFeatureStore, tmp_path: Path
) -> None:
    info = build_small(store)
    assert b"source" not in (tmp_path / "features" / info.path / "manifest.json").read_bytes()


def test_only_later_items_can_be_added(store: LocalFeatureStore) -> None:
    old = build_small(store)
    with pytest.raises(ValueError, match="ascend"):
        store.append(old, batches_of(["x"], first=20), progress=quiet)
    store.verify(old)


# the arrays themselves


@pytest.mark.parametrize(("most", "width"), [(10**6, np.int32), (3, np.int64)])
def test_a_matrix_of_too_many_entries_for_32_bits_gets_64(
    tmp_path: Path, most: int, width: type
) -> None:
    whole = sparse.csr_matrix(np.array([[1, 0, 2], [0, 0, 0], [0, 3, 4]], dtype=np.float32))
    writer = GrowingCsr(tmp_path, "words", whole[:0])
    writer.append(whole[:1])
    writer.append(whole[1:])
    writer.close(most)
    writer = GrowingCsr.extending(tmp_path, "words")
    writer.append(whole)
    writer.close(most)
    read = mapped_csr(tmp_path, "words", 3)
    assert read.indices.dtype == read.indptr.dtype == width
    assert np.array_equal(read.toarray(), np.vstack([whole.toarray()] * 2))
    assert (read @ np.eye(3)).shape == (6, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        p.name for p in csr_paths(tmp_path, "words").values()
    )
    assert all(len(mapped(p)) for p in csr_paths(tmp_path, "words").values())


def test_recutting_keeps_order_and_loses_nothing() -> None:
    items = list(range(2 * BLOCK + 5))
    texts = [str(n) for n in items]
    batches = [(items[at : at + 999], texts[at : at + 999]) for at in range(0, len(items), 999)]
    blocks = list(recut(batches))
    assert [len(ids) for ids, _ in blocks] == [BLOCK, BLOCK, 5]
    assert [n for ids, _ in blocks for n in ids] == items
    assert [text for _, part in blocks for text in part] == texts


def test_texts_that_are_not_fitted_on_teach_nothing(store):
    pool, held_out = texts_of(80), [f"secretword{n} only here" for n in range(40)]
    both = store.build(
        "demo", batches_of(pool + held_out), fit_on=batches_of(pool), seed=1, progress=quiet
    )
    alone = store.build("demo", batches_of(pool), seed=1, progress=quiet)
    learnt, expected = (store.featuriser(one).to_arrays() for one in (both, alone))
    assert learnt.keys() == expected.keys()
    assert all(np.array_equal(learnt[name], expected[name]) for name in learnt)
    assert both.items == 120


@pytest.mark.parametrize("large", [0, stored.LARGE])
def test_rows_far_apart_are_copied_alike_from_small_features_and_large(
    store: LocalFeatureStore, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(stored, "LARGE", large)
    features = store.open(store.build("demo", batches_of(texts_of(6_000)), seed=1, progress=quiet))
    rows = np.random.default_rng(0).permutation(6_000)[:5_000]
    same(features.take(rows), features.matrix.take(rows))
    none = np.zeros(0, np.int64)
    same(features.take(none), features.matrix.take(none))


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="tells what is mapped: Linux")
def test_what_was_read_of_large_features_can_be_let_go_and_read_again(
    store: LocalFeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = store.open(store.build("demo", batches_of(texts_of(6_000)), seed=1, progress=quiet))
    before = features.matrix.dense.sum(), features.matrix.words.sum()
    assert mapped_kilobytes("dense.npy") > 1_000
    features.release()
    assert mapped_kilobytes("dense.npy") > 1_000
    monkeypatch.setattr(stored, "LARGE", 0)
    features.release()
    assert mapped_kilobytes("dense.npy") == 0
    assert (features.matrix.dense.sum(), features.matrix.words.sum()) == before


def test_what_was_opened_last_stays_mapped_until_its_files_change(
    store: LocalFeatureStore, tmp_path: Path
) -> None:
    info = store.build("demo", batches_of(texts_of(500)), seed=1, progress=quiet)
    other = store.build("other", batches_of(texts_of(600)), seed=1, progress=quiet)
    first = store.open(info)
    assert store.open(info) is first
    assert len(store.open(other).item_ids) == 600
    again = store.open(info)
    same(again.matrix, first.matrix)
    dense = next(tmp_path.rglob(f"{info.path}/dense.npy"))
    fresh = dense.with_name("copy")
    fresh.write_bytes(dense.read_bytes())
    fresh.replace(dense)
    assert store.open(info) is not again
    store.remove("demo")
    with pytest.raises(ArtefactDamaged):
        store.open(info)


def mapped_kilobytes(name: str) -> int:
    """How much of a mapped file counts as memory of this process."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    places = [at for at, line in enumerate(lines) if line.endswith(f"/{name}")]
    sizes = [
        next(line for line in lines[at:] if line.startswith("Rss:")).split()[1] for at in places
    ]
    return sum(map(int, sizes))


def test_texts_that_come_later_get_the_same_features(store: LocalFeatureStore) -> None:
    texts = texts_of(300)
    info = store.build("p", batches_of(texts), seed=1, progress=quiet)
    same(store.transformer(info)(texts[:20]), store.open(info).matrix.take(np.arange(20)))


def test_a_featuriser_from_elsewhere_reads_texts_as_it_did_there(
    store: LocalFeatureStore, tmp_path: Path
) -> None:
    texts = texts_of(300)
    info = store.build("p", batches_of(texts), seed=1, progress=quiet)
    elsewhere = LocalFeatureStore(tmp_path / "elsewhere")
    adopted = elsewhere.adopt("q", store.featuriser(info), recipe=info.recipe)
    assert (adopted.items, adopted.recipe) == (0, info.recipe)
    same(elsewhere.transformer(adopted)(texts[:20]), store.transformer(info)(texts[:20]))
    assert len(elsewhere.open(adopted).item_ids) == 0
