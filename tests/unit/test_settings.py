"""`.env.example` and the page of settings name every setting, and nothing that is none."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import WrongInput
from app.settings import Settings, read_settings

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / ".env.example"
PAGE = REPOSITORY / "docs" / "settings.md"
RENEW = "Run `.venv/bin/python docs/write_settings.py`."
NOT_SETTINGS = {"ROUNDS_POSTGRES_PASSWORD", "ROUNDS_IMAGE_TAG"}
"""Variables of docker-compose.yml that begin like ours and never reach the program."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("ROUNDS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def variables() -> set[str]:
    return {f"ROUNDS_{name.upper()}" for name in Settings.model_fields}


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """Every `NAME=value`, commented out or not."""
    for found in re.finditer(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE):
        yield found[1], found[2]


def test_the_example_names_every_setting_and_no_other() -> None:
    named = {name for name, _ in assignments(EXAMPLE.read_text()) if name.startswith("ROUNDS_")}
    assert named - NOT_SETTINGS == variables()


def test_the_page_names_every_setting_and_no_other() -> None:
    assert set(re.findall(r"ROUNDS_[A-Z_]+", PAGE.read_text())) == variables()


def test_descriptions_and_defaults_are_those_of_the_program(tmp_path: Path) -> None:
    """The writer, run on a copy, changes nothing."""
    (tmp_path / "docs").mkdir()
    for name in (".env.example", "docs/settings.md", "docs/write_settings.py"):
        (tmp_path / name).write_text((REPOSITORY / name).read_text())
    (tmp_path / "app").symlink_to(REPOSITORY / "app")
    subprocess.run([sys.executable, tmp_path / "docs" / "write_settings.py"], check=True)
    assert (tmp_path / ".env.example").read_text() == EXAMPLE.read_text(), RENEW
    assert (tmp_path / "docs" / "settings.md").read_text() == PAGE.read_text(), RENEW


def test_every_setting_says_what_it_does() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_a_copy_of_the_example_changes_no_setting(tmp_path: Path) -> None:
    """Empty values above all: an empty key must be no key, not one that everybody knows."""
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    assert Settings() == Settings(_env_file=None)
    assert Settings().admin_api_key is None


def test_each_documented_default_can_be_set_as_it_is_written(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in assignments(EXAMPLE.read_text())]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert Settings() == Settings(_env_file=None)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ROUNDS_PORT=8001\nROUNDS_ARGILLA_PORT=6901\n")
    monkeypatch.setenv("ROUNDS_PORT", "8002")
    assert (Settings().port, Settings().argilla_port) == (8002, 6901)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROUNDS_PORT", "many"), ("ROUNDS_LEASE_SECONDS", "0"), ("ROUNDS_LOG_LEVEL", "loud")],
)
def test_a_value_that_will_not_do_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongInput) as wrong:
        read_settings()
    assert wrong.value.field == name


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "value-that-nobody-may-see"
    named = [name for name in variables() if name.endswith(("_KEY", "_SECRET", "DATABASE_URL"))]
    for name in named:
        monkeypatch.setenv(name, secret)
    assert len(named) >= 5
    assert secret not in repr(Settings())
    assert secret not in str(Settings().model_dump())
