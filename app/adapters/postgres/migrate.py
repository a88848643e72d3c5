"""Brings a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, text

import app
from app.core.errors import WrongInput

MIGRATING = 0x526F756E6473  # "Rounds": the advisory lock that lets one process migrate at a time


def script_location() -> Path:
    """In a wheel the migrations lie inside the package, in a checkout beside it."""
    package = Path(app.__file__).parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    return config


def newest_revision() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, revision: str = "head") -> tuple[str | None, str | None]:
    """Up to `head` (or the named revision, downwards too); what it was and what it is now."""
    before = current_revision(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
        config = _config()
        config.attributes["connection"] = connection
        down = revision == "base" or (before is not None and revision < before)
        try:
            (command.downgrade if down else command.upgrade)(config, revision)
        except CommandError as problem:
            raise WrongInput(f"{problem}. Name head, base or a revision.") from None
    return before, current_revision(engine)
