"""The whole house from outside: `rounds up`, a client with gold labels, `rounds down`, up again."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.demo.texts import generate
from app.embedded.ports import free_port
from app.embedded.running import postgres_url
from tests.acceptance.outside import OutsideClient

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [pytest.mark.postgres, pytest.mark.argilla, pytest.mark.timeout(1200)]


class Stack:
    def __init__(self, home):
        self.home = home
        self.environment = {
            **os.environ,
            "ROUNDS_HOME": str(home),
            "ROUNDS_PORT": str(free_port()),
            "ROUNDS_ARGILLA_PORT": str(free_port()),
        }

    def rounds(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr, self.logs())
        return done.stdout

    def logs(self):
        files = sorted(self.home.glob("logs/*.log"))
        return {one.name: one.read_text(errors="replace")[-1500:] for one in files}

    def access(self):
        file = self.home / "access.json"
        assert file.stat().st_mode & 0o777 == 0o600
        return json.loads(file.read_text())

    def counts(self, project):
        """Straight from Postgres."""
        engine = create_engine(postgres_url(self.home, "rounds"))
        with engine.connect() as connection:
            row = connection.execute(
                text(
                    """
                    SELECT (SELECT count(*) FROM annotations a WHERE a.project_id = p.id
                            AND a.status = 'submitted') AS annotations,
                           (SELECT count(*) FROM current_labels l WHERE l.project_id = p.id
                            AND l.source = 'human') AS labels,
                           (SELECT count(*) FROM pushes u WHERE u.project_id = p.id
                            AND u.state = 'pushed') AS pushed
                    FROM projects p WHERE p.name = :project
                    """
                ),
                {"project": project},
            ).one()
        engine.dispose()
        return tuple(row)


@pytest.fixture
def stack(tmp_path):
    stack = Stack(tmp_path / "home")
    stack.rounds("up", "--detach")
    yield stack
    stack.rounds("down")
    assert not (stack.home / "access.json").exists()


def sample(test_items=300, pool=1200):
    return _cut(list(generate(2500, 11)), test_items, pool)


def shared(name, test_items=1500, pool=4000):
    rows = [json.loads(line) for line in (SHARED / name / "data.jsonl").open(encoding="utf-8")]
    random.Random(7).shuffle(rows)
    return _cut(rows, test_items, pool)


def _cut(rows, test_items, pool):
    held_out = [row for row in rows if row["split"] == "test"][:test_items]
    return held_out + [row for row in rows if row["split"] == "train"][:pool]


def play(stack, rows, *, cold, batch, rounds):
    client = OutsideClient(stack.access())
    truth = {row["text"]: row["label"] for row in rows}
    played = client.set_up(rows, cold)
    client.play_round(played, truth)
    client.ask("PATCH", f"/projects/{played.project}", json={"batch_size": batch})
    for _ in range(rounds):
        client.play_round(played, truth)
    check_nothing_lost_or_doubled(stack, client, played, rows, cold + rounds * batch)
    check_provenance(client, played)
    return played


def check_nothing_lost_or_doubled(stack, client, played, rows, expected):
    normalised = [" ".join(one.casefold().split()) for one in played.pushed]
    assert len(played.pushed) == len(set(normalised)) == expected
    held_out = {" ".join(r["text"].casefold().split()) for r in rows if r["split"] == "test"}
    assert not held_out & set(normalised)
    records = client.records(played.rounds[0]["argilla"]["dataset_id"])
    in_argilla = sum(len(record["responses"]) for record in records)
    assert stack.counts(played.project) == (expected, expected, expected)
    assert len(records) == in_argilla == played.rounds[-1]["labelled"] == expected
    assert sum(one["counts"]["labelled"] for one in played.rounds) == expected


def check_provenance(client, played):
    text_of = {}
    for one in played.rounds:
        page = client.ask("GET", f"/projects/{played.project}/rounds/{one['number']}/selections")
        for chosen in page["items"]:
            text_of[chosen["item"]] = chosen["fields"]["text"]
    human = [one for one in client.labels(played.project) if one["source"] == "human"]
    for label in human:
        said, who = played.answered[text_of[label["item"]]]
        assert label["value"] == {"label": said}
        assert label["annotators"] == [who]
        assert label["reason"]
        assert label["score"] is not None
        assert (label["classifier_version"] is None) == (label["slice"] == "cold_start")
        assert (label["round"] == 1) == (label["slice"] == "cold_start")
    assert len(human) == len(played.answered)


def test_an_outside_client_gets_what_it_was_promised(stack):
    played = play(stack, sample(), cold=20, batch=20, rounds=1)
    if SHARED.is_dir():
        dbpedia = play(stack, shared("dbpedia14"), cold=28, batch=20, rounds=5)
        assert dbpedia.rounds[-1]["metrics"]["accuracy"] >= 0.85
        play(stack, shared("sms_spam", test_items=1114), cold=20, batch=20, rounds=2)
    # a second start is warm and finds everything as it was
    stack.rounds("down")
    stack.rounds("up", "--detach")
    client = OutsideClient(stack.access())
    assert len([x for x in client.labels(played.project) if x["source"] == "human"]) == 40
    check_provenance(client, played)
    client.play_round(played, {row["text"]: row["label"] for row in sample()})
    assert played.rounds[-1]["labelled"] == 60
