"""`rounds simulate` as people and programs use it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest

from tests.unit.simulate_factory import write_texts

ROUNDS = [sys.executable, "-m", "app.cli"]
SMALL = ["--classifier", "logistic", "--iterations", "2", "--query-size", "5", "--seed-size", "6"]


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_texts(tmp_path / "texts.jsonl", split=True))


def rounds(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ROUNDS, *arguments], capture_output=True, text=True, check=False, cwd=cwd, timeout=300
    )


def answer(*arguments: str) -> dict[str, Any]:
    done = rounds(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_json_is_one_object_with_runs_and_table_and_nothing_else(data: str) -> None:
    found = answer(
        "simulate", "--data", data, "--data", "digits", "--strategy", "default,random",
        "--oracle", "truth,simulated", "--repeats", "2", "--jobs", "1", *SMALL,
    )  # fmt: skip
    assert set(found) == {"runs", "table"}
    assert len(found["runs"]) == 2 * 2 * 2 * 2
    first = found["runs"][0]
    assert (first["strategy"], first["classifier"], first["repeat"]) == ("default", "logistic", 0)
    assert [point["labels"] for point in first["curve"]] == [6, 11, 16]
    assert {"accuracy", "macro_f1"} <= set(first["curve"][0])
    assert len(found["table"]) == 8
    assert {
        "strategy", "classifier", "labels_to_target", "saved_vs_random", "auc", "final_accuracy",
    } <= set(found["table"][0])  # fmt: skip


def test_the_number_of_jobs_changes_no_byte(tmp_path: Path, data: str) -> None:
    for jobs in ("1", "2"):
        done = rounds(
            "simulate", "--data", data, "--strategy", "default,random", "--repeats", "3", "--jobs",
            jobs, "--output-dir", str(tmp_path), "--version", jobs, "--no-plots", *SMALL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    kinds = ("results-{}.json", "curves-{}.csv", "table-{}.csv")
    for kind in kinds:
        one, two = (tmp_path / kind.format(jobs) for jobs in "12")
        assert one.read_bytes() == two.read_bytes()


@pytest.fixture
def killed(tmp_path: Path, data: str) -> Iterator[tuple[list[str], Path, list[psutil.Process]]]:
    """An experiment killed after some runs: its arguments, what it left, its workers."""
    arguments = [
        "simulate", "--data", data, "--strategy", "default,random", "--repeats", "20", *SMALL,
    ]  # fmt: skip
    process = subprocess.Popen(
        [*ROUNDS, *arguments, "--jobs", "2", "--output-dir", str(tmp_path), "--version", "cut"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    partial = tmp_path / "results-cut.partial.jsonl"
    try:
        wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 4)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        yield arguments, partial, workers
    finally:
        process.kill()
        process.wait()


def wait_until(true: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_killed_experiment_goes_on_where_it_was(
    tmp_path: Path, killed: tuple[list[str], Path, list[psutil.Process]]
) -> None:
    """No finished run is repeated, the result is that of an undisturbed one, no worker is left."""
    arguments, partial, workers = killed
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive

    lines = partial.read_bytes().splitlines(keepends=True)
    finished = [line for line in lines[1:] if line.endswith(b"\n")]
    assert 3 <= len(finished) < 40
    # a finished run that were made again would lose this mark
    marked = json.loads(finished[0])
    marked["stopped"] = "marked"
    partial.write_bytes(lines[0] + json.dumps(marked).encode() + b"\n" + b"".join(lines[2:]))
    again = rounds("simulate", "--resume", str(partial), "--jobs", "2", "--no-plots")
    assert again.returncode == 0, again.stderr
    assert not partial.exists()

    whole = rounds(
        *arguments, "--jobs", "2", "--output-dir", str(tmp_path), "--version", "w", "--no-plots"
    )
    assert whole.returncode == 0, whole.stderr
    resumed = json.loads((tmp_path / "results-cut.json").read_bytes())
    undisturbed = json.loads((tmp_path / "results-w.json").read_bytes())
    assert sum(run["stopped"] == "marked" for run in resumed["runs"]) == 1
    for run in resumed["runs"]:
        run["stopped"] = None if run["stopped"] == "marked" else run["stopped"]
    assert json.dumps(resumed) == json.dumps(undisturbed)


def test_interrupted_by_hand_it_keeps_what_is_finished(tmp_path: Path, data: str) -> None:
    process = subprocess.Popen(
        [
            *ROUNDS, "simulate", "--data", data, "--repeats", "500", "--jobs", "2", "--resume",
            str(tmp_path / "results-mine.json"), *SMALL,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # who runs the tests in the background may have had SIGINT ignored, and that is inherited
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    partial = tmp_path / "results-mine.partial.jsonl"
    try:
        wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 3)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in told
    assert partial.read_bytes().count(b"\n") >= 3


def test_a_config_file_gives_the_same_options_and_the_command_line_wins(
    tmp_path: Path, data: str
) -> None:
    config = tmp_path / "experiment.json"
    given = {"data": data, "strategy": "random", "classifier": ["logistic"], "repeats": 3,
             "batch": 5, "rounds": 1, "seed_size": 6}  # fmt: skip
    config.write_text(json.dumps(given))
    by_file = answer("simulate", "--config", str(config), "--jobs", "1")
    assert len(by_file["runs"]) == 3
    by_both = answer("simulate", "--config", str(config), "--repeats", "1", "--jobs", "1")
    assert by_both["runs"] == by_file["runs"][:1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--strategy", "telepathy"], "telepathy"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--resume", "nothing.json"], "nothing.json"),
        (["--version", "v7"], "--output-dir"),
        (["--query-size", "0"], "query_size"),
        (["--config", "config.json"], "'colour', 'shape'"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "config.json").write_text('{"colour": "red", "shape": "round"}')
    done = rounds("simulate", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_plots_are_drawn_and_the_same_results_give_the_same_drawing(
    tmp_path: Path, data: str
) -> None:
    results = tmp_path / "results-v1.json"
    drawn = []
    for _ in range(2):
        done = rounds(
            "simulate", "--resume", str(results), "--data", data, "--repeats", "5", "--strategy",
            "default,random", "--plots", "--jobs", "2", *SMALL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        drawn.append((tmp_path / "curves-v1.svg").read_bytes())
    assert drawn[0] == drawn[1]
    assert ElementTree.fromstring(drawn[0]).tag.endswith("svg")
    assert (tmp_path / "curves-v1.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "curves-v1.csv").read_text().startswith("data,strategy,classifier,oracle,")


def test_bench_prints_the_table_on_digits_and_on_text() -> None:
    found = answer("bench", "--strategy", "margin,random", "--classifier", "logistic", "--repeats",
                   "1", "--rounds", "1", "--target-acc", "0.5", "--jobs", "1")  # fmt: skip
    assert {(row["data"], row["strategy"]) for row in found["table"]} == {
        (data, strategy) for data in ("digits", "sample") for strategy in ("margin", "random")
    }
    assert {row["target"] for row in found["table"]} == {0.5}
