"""What the file store promises."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from app.adapters.files import LocalFiles
from app.adapters.folders import scratch
from app.core.errors import ArtefactDamaged, Unavailable, WrongInput
from app.core.types import Floats
from app.ports.files import Files, Table


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return LocalFiles(tmp_path / "store")


@pytest.mark.parametrize("data", [b"", b"some bytes", bytes(range(256)) * 5000])
def test_what_was_put_is_got(files: Files, data: bytes) -> None:
    artefact = files.put("demo/classifiers/1.npz", data)
    assert artefact.path == "demo/classifiers/1.npz"
    assert artefact.sha256 == sha256(data).hexdigest()
    assert files.get(artefact) == data


def test_putting_again_changes_nothing_and_putting_anew_replaces(files: Files) -> None:
    first = files.put("a", b"one")
    assert files.put("a", b"one") == first
    second = files.put("a", b"two")
    assert files.get(second) == b"two"
    with pytest.raises(ArtefactDamaged, match="not the one recorded"):
        files.get(first)


def test_a_missing_file_says_what_to_do(files: Files) -> None:
    artefact = files.put("a", b"one")
    with pytest.raises(ArtefactDamaged, match=r"cannot be read.*Restore it"):
        files.get(replace(artefact, path="b"))


def test_one_changed_bit_is_noticed(files: Files, tmp_path: Path) -> None:
    artefact = files.put("demo/a", b"some bytes")
    (tmp_path / "store" / "demo" / "a").write_bytes(b"some bytez")
    with pytest.raises(ArtefactDamaged) as caught:
        files.get(artefact)
    assert caught.value.evidence["recorded"] == artefact.sha256


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", "", ".", "a/..", "a\x00b"])
def test_no_path_leaves_the_store(files: Files, tmp_path: Path, path: str) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(WrongInput):
        files.put(path, b"x")
    artefact = files.put("fine", b"x")
    with pytest.raises(WrongInput):
        files.get(replace(artefact, path=path))
    assert not (tmp_path / "out").exists()


def test_no_link_leads_out_of_the_store(files: Files, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WrongInput):
        files.put("link/a", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_nothing_else_is_left_in_the_folder(files: Files, tmp_path: Path) -> None:
    files.put("demo/a", b"x")
    assert sorted(p.name for p in (tmp_path / "store").rglob("*")) == ["a", "demo"]


def test_writers_at_once_leave_one_whole_file(files: Files) -> None:
    contents = [bytes([n]) * 200_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        artefacts = list(pool.map(lambda data: files.put("same", data), contents))
    whole = []
    for artefact in artefacts:
        try:
            whole.append(files.get(artefact))
        except ArtefactDamaged:
            continue
    assert len(whole) == 1


def test_a_disk_that_says_no_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="Cannot write to"):
        LocalFiles(tmp_path / "store").put("a", b"x")


KILLED = """
import sys
from pathlib import Path
from app.adapters.folders import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "half").write_bytes(b"x" * 1000)
    print(folder.name, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_is_removed_and_the_living_left_alone(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    left = tmp_path / process.stdout.readline().strip()
    with scratch(tmp_path) as mine:
        assert (left / "half").exists()  # its process lives
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with scratch(tmp_path):
            assert not left.exists()
            assert mine.exists()  # ours lives
    assert list(tmp_path.iterdir()) == []


# --- tables ---


def filled(files: Files, rows: int = 1_000) -> tuple[Table, Floats]:
    wanted = np.random.default_rng(rows).random((rows, 3), np.float32)
    table = files.new_table(rows, 3)
    for begin in range(0, rows, 300):
        table.write(begin, wanted[begin : begin + 300])
    return table, wanted


@pytest.mark.parametrize("rows", [0, 1, 299, 1_000])
def test_a_table_holds_what_was_written(files: Files, rows: int) -> None:
    table, wanted = filled(files, rows)
    artefact = files.keep_table("scores/1.npy", table)
    for values in (table.values, files.table(artefact).values):
        assert np.array_equal(values, wanted)
        assert values.shape == (rows, 3)
        assert values.T.flags.c_contiguous
    assert files.keep_table("scores/2.npy", filled(files, rows)[0]).sha256 == artefact.sha256


def test_what_was_let_go_is_read_again(files: Files) -> None:
    table, wanted = filled(files)
    assert np.array_equal(table.values, wanted)
    table.release()
    assert np.array_equal(table.values, wanted)


def test_a_table_goes_with_the_last_who_refers_to_it(files: Files, tmp_path: Path) -> None:
    table, wanted = filled(files)
    values = table.values
    del table
    assert np.array_equal(values, wanted)  # its pages stay as long as they are mapped
    assert list((tmp_path / "store").rglob("*")) == []


def test_a_kept_table_is_all_that_is_left(files: Files, tmp_path: Path) -> None:
    table, _ = filled(files)
    files.keep_table("demo/a", table)
    del table
    assert sorted(p.name for p in (tmp_path / "store").rglob("*")) == ["a", "demo"]


def test_a_table_that_changed_or_went_is_noticed(files: Files, tmp_path: Path) -> None:
    artefact = files.keep_table("a", filled(files)[0])
    with (tmp_path / "store" / "a").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(ArtefactDamaged, match="not the one recorded"):
        files.table(artefact)
    with pytest.raises(ArtefactDamaged, match=r"cannot be read"):
        files.table(replace(artefact, path="b"))
