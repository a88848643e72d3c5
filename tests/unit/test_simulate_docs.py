"""The page on experiments names every option and every column."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from app.cli.program import program
from app.simulate import Experiment, Row
from app.simulate.experiment import KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "experiments.md").read_text()


def options_of(command: str) -> set[str]:
    group = typer.main.get_command(program)
    found = group.commands[command]  # type: ignore[attr-defined]
    return {
        one for parameter in found.params for one in (*parameter.opts, *parameter.secondary_opts)
    }


def test_every_option_of_simulate_is_described_and_no_other() -> None:
    table = re.findall(r"^\| (`--[^|]+) \|", PAGE, re.MULTILINE)
    described = {one for cell in table for one in re.findall(r"`(--[a-z-]+)`", cell)}
    assert described == options_of("simulate") - {"--help"}


def test_every_key_of_an_experiment_is_an_option() -> None:
    assert {f"--{key.replace('_', '-')}" for key in KEYS} <= options_of("simulate")


@pytest.mark.parametrize(
    "option",
    ["seed_size", "query_size", "iterations", "repeats", "random_state", "target_acc", "metric"],
)
def test_the_defaults_described_are_those_that_hold(option: str) -> None:
    name = f"--{option.replace('_', '-')}"
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    assert line.split("|")[2].strip(" `") == str(getattr(Experiment(), option))


def test_every_figure_of_the_table_is_explained() -> None:
    known = {"data", "strategy", "classifier", "oracle", "metric", "target", "repeats"}
    for one in fields(Row):
        name = one.name.removesuffix("_interval")
        assert name in known or f"`{name}`" in PAGE, name
