"""The documents say only what is there: links, paths, commands, routes, states and error codes."""

import re
from pathlib import Path

import pytest
import typer

from app.api.problems import CODES
from app.core import errors
from app.core.entities import RoundState

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *REPOSITORY.glob("*.md")])
IDS = [str(page.relative_to(REPOSITORY)) for page in PAGES]


def anchors(page: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}


def code_of(page: Path) -> str:
    """What stands in backticks or fences: what people copy."""
    text = page.read_text()
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert file.is_relative_to(REPOSITORY), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^|&& |\n)make (?:[A-Z]+=\S+ )*([a-z]+)", code_of(page)))
    assert named <= targets


def commands() -> set[str]:
    from app.cli.program import program

    group = typer.main.get_command(program)
    found = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found.add(name)
        found |= {f"{name} {inner}" for inner in getattr(command, "commands", {})}
    return found


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_exist(page: Path) -> None:
    known = commands()
    assert {"up", "import", "keys create"} <= known
    for words in re.findall(r"(?:`|\n|bin/)rounds ([a-z]+(?: [a-z]+)?)", code_of(page)):
        assert words in known or words.split()[0] in known - {"keys"}, words


def test_paths_in_the_table_of_contributing_exist() -> None:
    table = [
        line for line in (REPOSITORY / "CONTRIBUTING.md").read_text().splitlines() if "|" in line
    ]
    paths = [one for line in table for one in re.findall(r"`([\w./-]+/[\w./-]*)`", line)]
    assert len(paths) > 20
    for path in paths:
        assert (REPOSITORY / path).exists(), path


def test_every_part_of_the_program_is_in_the_table_of_contributing() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    parts = [one for one in (REPOSITORY / "app").iterdir() if (one / "__init__.py").exists()]
    for part in parts:
        assert f"app/{part.name}/" in text, part.name


def test_the_page_of_the_api_names_every_route_and_no_other() -> None:
    from fastapi import FastAPI

    from app.api.routes import api_router

    app = FastAPI()
    app.include_router(api_router())
    routes = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    named = re.findall(r"^\| `([A-Z]+) (\S+)` \|", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert set(named) == routes
    assert len(named) == len(set(named))


def test_the_roles_on_the_page_of_the_api_are_those_that_routes_need() -> None:
    from fastapi.routing import APIRoute

    from app.api import annotators, events, items, keys, llm, projects, results, rounds

    page = (DOCS / "api.md").read_text()
    said = re.findall(r"^\| `([A-Z]+ \S+)` \| (\w+) \|", page, re.MULTILINE)
    needed = {
        f"{method} {route.path}": one.call.role.value
        for module in (llm, projects, items, rounds, results, annotators, events, keys)
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
        for one in route.dependant.dependencies
        if hasattr(one.call, "role")
    }
    assert len(needed) > 15
    assert dict(said).items() >= needed.items()


def test_every_state_of_a_round_is_explained() -> None:
    text = (DOCS / "how-a-round-works.md").read_text()
    for state in RoundState:
        assert f"`{state.value}`" in text, state


def test_every_error_code_is_explained() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.code for one in kinds if issubclass(one, errors.RoundsError)} - {"error"}
    explained = set(re.findall(r"^\| `([a-z-]+)` \| (?:\d|–)", text, re.MULTILINE))
    assert explained == codes | set(CODES.values())


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name


def test_the_changelog_begins_with_what_is_not_released() -> None:
    sections = re.findall(r"^## \[(.+?)\]", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == "Unreleased"


def test_the_page_on_choosing_names_every_strategy_option_and_classifier_and_no_other() -> None:
    from app.core.models import CLASSIFIERS
    from app.core.strategies import STRATEGIES
    from app.core.strategies.options import OPTIONS

    tables = (DOCS / "choosing.md").read_text().split("\n## ")
    strategies, classifiers = (
        set(re.findall(r"^\| `([\w.]+)`", part, re.MULTILINE)) for part in (tables[1], tables[3])
    )
    assert strategies == {*STRATEGIES, *OPTIONS} - {"expert_rows"}
    ours = re.compile(r"\w+\.v\d+")  # servers may offer others, in tests too
    assert classifiers == {one for one in CLASSIFIERS if ours.fullmatch(one)}
