"""Folders on disk: paths that cannot leave their root, work that appears whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from app.core.errors import Unavailable, WrongInput

_SCRATCH = ".scratch-"
_LOCK = ".lock"


def inside(root: Path, path: str) -> Path:
    """`path` under `root`; WrongInput if it would lie anywhere else, also by a link."""
    place = root / path
    if not path or "\x00" in path or not place.resolve().is_relative_to(root.resolve()):
        raise WrongInput(f"The path {path[:80]!r} leaves its folder.", field="path")
    if place.resolve() == root.resolve():
        raise WrongInput(f"The path {path[:80]!r} names no file.", field="path")
    return place


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A folder to work in, on the same disk as `root`, gone at the end.

    What is finished is renamed out of it. Whoever comes next removes the folders of processes that
    were killed; a lock that dies with its process tells those from the living.
    """
    with writing_to(root):
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        lock, folder = _claim(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _lock_of(folder).unlink(missing_ok=True)
        os.close(lock)


def remove_folder(root: Path, path: str) -> None:
    """A folder under `root` with all that is in it, if it is there."""
    place = inside(root, path)
    with writing_to(place), suppress(FileNotFoundError):
        shutil.rmtree(place)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Name the place where the disk says no."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"Cannot write to {place}: {error.strerror or error}. Free space or mend the "
            "permissions; the step is tried again.",
            path=str(place),
        ) from error


def flush(path: Path) -> None:
    """Bring a file or a folder's list of names to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _claim(root: Path) -> tuple[int, Path]:
    while True:
        folder = root / f"{_SCRATCH}{uuid4().hex}"
        lock = os.open(_lock_of(folder), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:  # else somebody took it for abandoned before it was locked
            folder.mkdir()
            return lock, folder
        os.close(lock)


def _remove_abandoned(root: Path) -> None:
    for path in root.glob(f"{_SCRATCH}*{_LOCK}"):
        with suppress(FileNotFoundError, BlockingIOError):
            lock = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink()
            finally:
                os.close(lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)
