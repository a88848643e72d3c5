"""A project from nothing but a file: by command, by project file, by form."""

import csv
import json

import pytest
from typer.testing import CliRunner

from app.cli.program import program
from app.main import create_app
from tests.browsing import browsing, log_in, token_in
from tests.factories import all_rows, sample_texts
from tests.serving import make_parts

pytestmark = pytest.mark.postgres


@pytest.fixture
def file(tmp_path):
    """Tickets with columns of other names; two of three rows are labelled, one is a copy."""
    path = tmp_path / "Our tickets.csv"
    rows = sample_texts(300, seed=5)
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["ID", "Body", "Category"])
        for n, row in enumerate(rows):
            writer.writerow([n, row["text"], row["label"] if n % 3 else ""])
        writer.writerow([999, rows[0]["text"].upper(), ""])
    return path


@pytest.fixture
def rounds(database_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "home"))

    def run(*arguments, code=0, **more):
        result = CliRunner().invoke(program, [str(one) for one in arguments], **more)
        assert result.exit_code == code, (arguments, result.output, result.stderr)
        return result

    return run


def test_a_file_is_enough(rounds, file, store, tmp_path):
    made = json.loads(rounds("init", "--data", file, "--yes", "--json").stdout)
    assert made["name"] == "our-tickets"
    assert made["task"]["labels"] == ["delivery", "praise", "refund"]
    assert (made["batch_size"], made["stopping"]["max_labels"]) == (20, 300)
    assert (made["import"]["received"], made["import"]["duplicates"]) == (301, 1)
    assert made["round"] == 1
    splits = all_rows(store, "SELECT split, count(*) AS n FROM items GROUP BY split ORDER BY split")
    counted = {row["split"]: row["n"] for row in splits}
    assert 40 < counted["test"] < 95  # about a third of the 200 labelled
    held = "SELECT count(*) AS n FROM items i LEFT JOIN labels l ON l.item_id = i.id "
    assert all_rows(store, held + "WHERE i.split = 'test' AND l.id IS NULL") == [{"n": 0}]
    assert (tmp_path / "our-tickets.toml").exists()


def test_a_project_file_repeats_it_under_another_name(rounds, file, store, tmp_path):
    rounds("init", "first", "--data", file, "--yes", "--no-start", "--batch-size", 7)
    path = tmp_path / "first.toml"
    path.write_text(path.read_text().replace('name = "first"', 'name = "second"'))
    assert "Created" not in rounds("init", "--from", path).stdout
    items = (
        "SELECT p.name, count(*) AS n, count(*) FILTER (WHERE split = 'test') AS held FROM items i "
        "JOIN projects p ON p.id = i.project_id GROUP BY p.name ORDER BY p.name"
    )
    first, second = all_rows(store, items)
    assert (first["n"], first["held"]) == (second["n"], second["held"])
    sizes = all_rows(store, "SELECT settings->'batch_size' AS size FROM projects")
    assert [row["size"] for row in sizes] == [7, 7]
    assert "a project named 'second' already" in rounds("init", "--from", path, code=1).stderr


def test_what_cannot_be_found_is_asked_for_by_its_option(rounds, tmp_path):
    path = tmp_path / "bare.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    assert "--labels a,b,c" in rounds("init", "--data", path, "--yes", code=2).stderr.replace(
        "\n", ""
    )
    assert "--data FILE" in rounds("init", "--yes", code=2).stderr
    made = rounds("init", "--data", path, "--yes", "--labels", "a,b", "--json")
    assert json.loads(made.stdout)["round"] == 1
    assert "no column 'Words'" in rounds(
        "init", "x", "--data", path, "--yes", "--text", "Words", code=2
    ).stderr  # fmt: skip


def test_on_a_terminal_only_the_minimum_is_asked(rounds, file, store, monkeypatch):
    monkeypatch.setattr("app.cli.starting._on_terminal", lambda: True)
    shown = rounds("init", "--data", file, input="\nn\n")
    assert "Nothing was done" in shown.stdout
    assert "columns: id = 'ID', label = 'Category', text = 'Body'" in shown.stdout.replace(
        "\n", " "
    )
    assert all_rows(store, "SELECT 1 FROM projects") == []
    shown = rounds("init", "--data", file, input="tickets\ny\n")
    assert "Round 1 is open: 20 items." in shown.stdout
    assert all_rows(store, "SELECT name FROM projects") == [{"name": "tickets"}]


def test_a_file_whose_every_row_is_labelled_says_so(rounds, tmp_path, store):
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, sample_texts(80, seed=1))))
    shown = rounds("init", "gold", "--data", path, "--yes")
    assert "Nothing in the pool lacks a label." in shown.stdout
    assert all_rows(store, "SELECT 1 FROM rounds") == []


# --- the form ---


def send(browser, token, file, **more):
    data = {"csrf": token, "name": "tickets", **more}
    return browser.post("/new", data=data, files={"file": ("t.csv", file)})


def test_the_form_makes_a_project_and_shows_the_report(browser, store, file):
    log_in(browser, store)
    assert 'href="/new"' in browser.get("/").text
    token = token_in(browser.get("/new"))
    body = file.read_bytes() + b"7,,\n"
    sent = send(browser, token, body, batch_size="9")
    assert sent.headers["location"] == "/projects/tickets/imported"
    page = browser.get("/projects/tickets/imported").text
    assert "301 of 302 rows became items; 1 was rejected" in page
    assert "The text is empty." in page
    assert "Batches of 9." in page
    assert "Start round 1" in page
    browser.post("/projects/tickets/rounds", data={"csrf": token})
    assert "Start round 1" not in browser.get("/projects/tickets/imported").text


@pytest.mark.parametrize(
    ("given", "body", "words"),
    [
        ({"name": "Not A Name"}, b"text\nx\n", "must be 1 to 60"),
        ({"batch_size": "many"}, b"text\nx\n", "batch_size must be a whole number"),
        ({}, b"", "no rows"),
        ({}, b"PK\x03\x04 something", "zip archive"),
        ({"labels": "a,b", "text": "Words"}, b"text\nx\n", "no column"),
        ({}, b"text\nx\n", "0 given"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why_and_keeps_what_was_typed(
    browser, store, given, body, words
):
    log_in(browser, store)
    answer = send(browser, token_in(browser.get("/new")), body, max_labels="77", **given)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="77"' in answer.text
    assert all_rows(store, "SELECT 1 FROM projects") == []


def test_a_form_without_its_token_or_role_makes_nothing(browser, store, file):
    token = log_in(browser, store)
    assert send(browser, "wrong", file.read_bytes()).status_code == 403
    assert browser.post("/new", data={"csrf": token, "name": "x"}).status_code == 422
    browser.cookies.clear()
    log_in(browser, store, "viewer")
    assert browser.get("/new").status_code == 403
    assert 'href="/new"' not in browser.get("/").text
    assert send(browser, token, file.read_bytes()).status_code == 403
    assert all_rows(store, "SELECT 1 FROM projects") == []


def test_a_form_is_bounded_and_not_taken_twice(store, file):
    parts = make_parts(store, max_upload_bytes=20_000, max_json_bytes=1000)
    with browsing(create_app(parts)) as browser:
        token = log_in(browser, store)
        assert send(browser, token, b"text\n" + b"x" * 30_000).status_code == 413
        assert send(browser, token, b"text\nx\ny\n", labels="a,b").status_code == 303
        again = send(browser, token, b"text\nx\ny\n", labels="a,b")
        assert again.status_code == 409
        assert "named &#39;tickets&#39; already" in again.text
