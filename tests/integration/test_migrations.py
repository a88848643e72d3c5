"""Migrations on a real Postgres: up, down to nothing, up again, and from an installed wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from app.adapters.postgres.engine import make_engine
from app.adapters.postgres.migrate import (
    current_revision,
    migrate,
    newest_revision,
    script_location,
)
from app.adapters.postgres.store import PostgresStore
from app.core.errors import Unavailable, WrongInput

pytestmark = pytest.mark.postgres
REPOSITORY = Path(__file__).resolve().parents[2]

Schema = dict[str, list[str]]

# everything that a migration can make, in words that do not depend on when it was made
CATALOGUE = {
    "columns": """
        SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
               || coalesce(column_default, '-') || ' ' || is_identity || ' ' || ordinal_position
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "views": "SELECT viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'",
    "functions": """
        SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    "triggers": """
        SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
    "types": """
        SELECT typname || ' ' || typtype::text FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')""",
    "sequences": "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'",
}


def schema_of(engine: Engine) -> Schema:
    with engine.connect() as connection:
        found = {
            kind: sorted(connection.execute(text(query)).scalars())
            for kind, query in CATALOGUE.items()
        }
    return {
        kind: [one for one in all_ if "alembic_version" not in one] for kind, all_ in found.items()
    }


def revisions() -> list[str]:
    """From the first to the newest."""
    walk = ScriptDirectory(str(script_location())).walk_revisions()
    return [script.revision for script in walk][::-1]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(empty_database_url, pool_size=2)
    yield made
    made.dispose()


def test_an_empty_database_comes_to_the_newest_schema(engine: Engine) -> None:
    assert current_revision(engine) is None
    assert migrate(engine) == (None, newest_revision())
    tables = " ".join(schema_of(engine)["columns"])
    for table in ("projects", "items", "rounds", "selections", "annotations", "labels", "api_keys"):
        assert f"{table}.id " in tables


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    before = schema_of(engine)
    assert migrate(engine) == (newest_revision(), newest_revision())
    assert schema_of(engine) == before


def test_every_step_down_undoes_its_step_up_and_up_again_is_the_same(engine: Engine) -> None:
    on_the_way_up: list[tuple[str, Schema]] = [("base", schema_of(engine))]
    for revision in revisions():
        migrate(engine, revision)
        on_the_way_up.append((revision, schema_of(engine)))
    assert not any(on_the_way_up[0][1].values()), "the database was not empty"

    for revision, schema in on_the_way_up[-2::-1]:
        migrate(engine, revision)
        assert schema_of(engine) == schema, f"stepping down to {revision} left something behind"

    migrate(engine)
    assert schema_of(engine) == on_the_way_up[-1][1]


def test_two_that_migrate_at_once_do_not_meet(empty_database_url: str) -> None:
    def one(_: int) -> str | None:
        engine = create_engine(empty_database_url)
        try:
            return migrate(engine)[1]
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(4))) == {newest_revision()}


def test_a_migration_that_breaks_leaves_the_database_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE workers (mine integer)"))  # in the way
    before = schema_of(engine)
    with pytest.raises(Exception, match="already exists"):
        migrate(engine)
    assert schema_of(engine) == before
    assert current_revision(engine) is None


def test_a_revision_that_is_none_is_refused_in_words(engine: Engine) -> None:
    with pytest.raises(WrongInput, match="9999"):
        migrate(engine, "9999")
    assert current_revision(engine) is None


def test_a_program_before_its_migration_says_what_to_do(engine: Engine) -> None:
    with (
        pytest.raises(Unavailable, match="rounds migrate"),
        PostgresStore(engine).transaction() as tx,
    ):
        tx.projects.all()
    with pytest.raises(Unavailable, match="rounds migrate"):
        PostgresStore(engine).check()


def test_an_installed_wheel_finds_its_own_migrations(
    tmp_path: Path, empty_database_url: str, engine: Engine
) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    installed = tmp_path / "site-packages"
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)

    program = (
        "import os, app\n"
        "from app.adapters.postgres.engine import make_engine\n"
        "from app.adapters.postgres.migrate import migrate, script_location\n"
        "print(script_location())\n"
        "migrate(make_engine(os.environ['URL']))\n"
    )
    # -P and the folder: the checkout must not be what is imported
    answer = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "URL": empty_database_url},
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(answer.stdout.strip()) == installed / "app" / "migrations"
    assert current_revision(engine) == newest_revision()
