"""Artefacts as files under one folder."""

from contextlib import ExitStack
from hashlib import file_digest, sha256
from pathlib import Path

from app.adapters.folders import flush, inside, remove_folder, scratch, writing_to
from app.adapters.tables import LocalTable
from app.core.errors import ArtefactDamaged
from app.ports.files import Artefact, Table


class LocalFiles:
    """The file store on a local or mounted disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> Artefact:
        """Whoever looks finds the old file or the new one, never a part; also after a power cut."""
        target = inside(self._root, path)
        with scratch(self._root) as folder, writing_to(target):
            fresh = folder / "data"
            fresh.write_bytes(data)
            flush(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
            flush(target.parent)
        return Artefact(path, sha256(data).hexdigest())

    def remove(self, folder: str) -> None:
        remove_folder(self._root, folder)

    def get(self, artefact: Artefact) -> bytes:
        try:
            data = inside(self._root, artefact.path).read_bytes()
        except OSError as error:
            raise _unreadable(artefact, error) from error
        _check(artefact, sha256(data).hexdigest())
        return data

    def new_table(self, rows: int, columns: int) -> LocalTable:
        with ExitStack() as stack:
            folder = stack.enter_context(scratch(self._root))
            return LocalTable.new(folder / "table", rows, columns, stack.pop_all().close)

    def keep_table(self, path: str, table: Table) -> Artefact:
        """Not brought to the disk at once: whoever reads it checks its hash."""
        if not isinstance(table, LocalTable):
            raise TypeError("only a table of this store can be kept in it")
        target = inside(self._root, path)
        digest = _digest(table.path)
        with writing_to(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            table.path = table.path.replace(target)
        return Artefact(path, digest)

    def table(self, artefact: Artefact) -> LocalTable:
        target = inside(self._root, artefact.path)
        try:
            found = _digest(target)
        except OSError as error:
            raise _unreadable(artefact, error) from error
        _check(artefact, found)
        return LocalTable(target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _unreadable(artefact: Artefact, error: OSError) -> ArtefactDamaged:
    return ArtefactDamaged(
        f"The file {artefact.path} cannot be read ({error.strerror}). Restore it from a "
        "backup, or start the round again to make it anew.",
        path=artefact.path,
    )


def _check(artefact: Artefact, found: str) -> None:
    if found != artefact.sha256:
        raise ArtefactDamaged(
            f"The file {artefact.path} is not the one recorded. Restore it from a backup, or "
            "start the round again to make it anew.",
            path=artefact.path,
            recorded=artefact.sha256,
            found=found,
        )
