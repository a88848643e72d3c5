"""What is told while everything starts, and how settings reach the processes that are started."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from app.core.errors import Unavailable
from app.embedded.access import Access, show
from app.embedded.argilla_environment import ArgillaEnvironment
from app.embedded.own_processes import as_variables
from app.embedded.processes import clean_environment
from app.embedded.progress import ConsoleProgress, PipeProgress, relay, step
from app.embedded.secrets_file import ArgillaUser
from app.settings import Settings


def test_steps_are_told_in_lines_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO(), width=200)
    progress = ConsoleProgress(console)
    with step(progress, "Postgres"):
        pass
    with pytest.raises(Unavailable), step(progress, "Argilla"):
        raise Unavailable("no")
    progress.say("done [for now]")
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert said.splitlines()[0].startswith("  ✓ Postgres 0.")
    assert "Argilla" not in said
    assert said.endswith("done [for now]\n")


def test_a_spinner_leaves_no_trace_on_a_terminal() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    progress = ConsoleProgress(console)
    with step(progress, "Postgres"):
        pass
    progress.begin("stopping")
    progress.clear()
    progress.clear()
    assert "✓" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_goes_through_the_pipe_arrives_and_the_last_word_is_returned() -> None:
    pipe = io.StringIO()
    sender = PipeProgress(pipe)
    with step(sender, "Postgres"):
        sender.say("a word")
    sender.send(ready={"api_url": "http://a"})
    console = Console(file=io.StringIO(), width=200)
    pipe.seek(0)
    assert relay(pipe, ConsoleProgress(console)) == {"ready": {"api_url": "http://a"}}
    assert "a word" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "✓ Postgres" in console.file.getvalue()  # type: ignore[attr-defined]


def test_when_nobody_listens_any_more_words_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sender = PipeProgress(io.StringIO())
    sender.close()
    sender.say("the API ended")
    assert "the API ended" in capsys.readouterr().err


def test_people_are_shown_all_they_need_to_begin(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=40)
    annotators = [ArgillaUser("annotator-1", "pass[word]", "key")]
    access = Access("http://a", "rk", "http://d", "http://argilla", "ak", annotators)
    show(access, tmp_path, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for word in (
        "http://d",
        "http://a/api/v1",
        "rk",
        "http://argilla",
        "annotator-1",
        "pass[word]",
    ):
        assert word in said


def test_a_child_reads_the_settings_that_we_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ours = Settings(port=8123, webhook_secret=SecretStr("s3cret"), home=Path("here"))  # type: ignore[call-arg]
    for name, value in as_variables(ours, database_url="postgresql://x").items():
        monkeypatch.setenv(name, value)
    theirs = Settings()  # type: ignore[call-arg]
    assert theirs.port == 8123
    assert theirs.webhook_secret == SecretStr("s3cret")
    assert theirs.database_url == SecretStr("postgresql://x")
    assert theirs.argilla_url is None


def test_other_programs_are_not_bent_by_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "ARGILLA_DATABASE_URL", "PGHOST", "ROUNDS_PORT", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("NO_PROXY", "example.org")
    environment = clean_environment(TZ="UTC")
    assert "elsewhere" not in environment.values()
    assert environment["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert environment["TZ"] == "UTC"


@pytest.fixture
def lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with nothing in it needs no network."""
    file = tmp_path / "empty.lock"
    file.write_text("# nothing\n")
    monkeypatch.setattr("app.embedded.argilla_environment.LOCK_FILE", file)
    return file


def test_an_environment_is_built_once_for_each_state_of_the_lock_file(
    tmp_path: Path, lock_file: Path
) -> None:
    environment = ArgillaEnvironment(tmp_path / "env")
    assert not environment.ready
    environment.ensure()
    assert environment.ready
    untouched = environment.python.lstat().st_mtime_ns
    environment.ensure()
    assert environment.python.lstat().st_mtime_ns == untouched
    lock_file.write_text("# nothing, said otherwise\n")
    assert not environment.ready
    environment.ensure()
    assert environment.ready


def test_an_environment_whose_building_was_cut_short_is_built_anew(
    tmp_path: Path, lock_file: Path
) -> None:
    environment = ArgillaEnvironment(tmp_path / "env")
    (environment.folder / "bin").mkdir(parents=True)
    environment.python.write_text("not an interpreter")
    environment.ensure()
    assert environment.ready
    assert environment.python.is_symlink()


def test_two_who_need_an_environment_at_once_share_one(tmp_path: Path, lock_file: Path) -> None:
    environments = [ArgillaEnvironment(tmp_path / "env") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ArgillaEnvironment.ensure, environments))
    assert all(environment.ready for environment in environments)


def test_an_installation_that_fails_is_told_and_not_taken_for_done(
    tmp_path: Path, lock_file: Path
) -> None:
    lock_file.write_text("no-such-package @ file:///nowhere/package.whl --hash=sha256:00\n")
    environment = ArgillaEnvironment(tmp_path / "env")
    with pytest.raises(Unavailable, match="could not be installed"):
        environment.ensure()
    assert not environment.ready
