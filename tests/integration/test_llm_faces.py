"""The same through the API and the command line."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.store import PostgresStore
from app.cli.program import program
from tests.llm_project import allowing, llm_project, simulated, texts, truth
from tests.serving import api

pytestmark = pytest.mark.postgres


def test_everything_over_rest(store: PostgresStore, tmp_path: Any) -> None:
    llm_project(store, [*texts(20), {"id": "g", "text": "gold", "label": "a"}])
    known = {**truth(20), "gold": "b"}
    given = {"it": simulated(tmp_path, known, error=0.0, price_in=1.0, price_out=4.0)}
    with api(store, providers=ConfiguredProviders(given)) as client:

        def post(what: str, code: int = 200, **body: Any) -> Any:
            answer = client.post(f"/api/v1/projects/shop/llm/{what}", json=body)
            assert answer.status_code == code, answer.text
            return answer.json()

        def get(what: str) -> Any:
            return client.get(f"/api/v1/projects/shop/llm/{what}").raise_for_status().json()

        expected = post("label", estimate=True)
        assert expected["calls"] == 20
        assert 0 < expected["low"] < expected["middle"] < expected["high"]
        done = post("label")
        assert (done["answered"], done["asked"]) == (20, 20)
        assert expected["low"] < done["cost"] < expected["high"]
        assert post("adopt", min_confidence=0.5, code=409)["code"] == "conflict"
        assert post("adopt")["labels"] == 20
        assert len(post("select", size=5, estimate=True)) == 5
        judged = post("judge")
        assert judged["judged"]["judge_and_person"] == {"items": 1, "agreement": 0.0}
        assert judged["disagreements"][0]["person"] == "a"
        assert get("judgements")["items"][0]["kind"] == "judged_disagreement"
        assert get("standing")["window"] == {
            "items": 0, "agreement": None, "interval": [0.0, 1.0]}  # fmt: skip
        assert "not suspended" in post("reopen", code=409)["detail"]
        assert get("trust")["as_it_says"]["may_route"] is False
        costs = get("costs")
        assert costs["spent"] == pytest.approx(sum(one["cost"] for one in costs["lines"]))
        assert {one["purpose"] for one in costs["lines"]} == {"label", "judge"}
        assert post("label", provider="http://evil", code=422)["field"] == "provider"
        assert post("label", base_url="http://evil", code=422)["field"] == "base_url"
        project = client.get("/api/v1/projects/shop").json()
        assert project["llm"]["allow"] == allowing()["allow"]
        changed = client.patch("/api/v1/projects/shop", json={"llm": {"allow": []}})
        assert changed.json()["llm"]["fields"] == ["text"]
        assert post("doubt", code=403)["code"] == "not-allowed"


@pytest.fixture
def rounds(database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    given = {"it": simulated(tmp_path, truth(30), error=0.1)}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROUNDS_LLM_PROVIDERS", json.dumps(given))
    runner = CliRunner()

    def run(*arguments: str, code: int = 0) -> Any:
        result = runner.invoke(program, ["llm", *arguments])
        assert result.exit_code == code, (arguments, result.output, result.stderr)
        return result

    return run


def test_everything_from_the_command_line(store: PostgresStore, rounds: Callable[..., Any]) -> None:
    llm_project(store, texts(30))
    assert rounds("providers").stdout == "it\n"
    assert "30 requests" in rounds("label", "shop", "--estimate").stdout
    assert "30 of 30 items answered, 30 asked now" in rounds("label", "shop").stdout
    assert json.loads(rounds("label", "shop", "--json").stdout)["asked"] == 0
    chosen = rounds("select", "shop", "--size", "4").stdout.split()
    assert len(set(chosen)) == 4
    assert "entropy" in rounds("doubt", "shop", "--limit", "3").stdout
    assert "100 more items" in rounds("trust", "shop").stdout
    rounds("label", "shop", "--weak")
    assert "became labels" in rounds("adopt", "shop", "--weak").stdout
    assert "may not decide" in rounds("adopt", "shop", "--min-confidence", "0.9", code=1).stderr
    assert "No label that it/simulated" in rounds("standing", "shop").stdout
    assert "not suspended" in rounds("reopen", "shop", code=1).stderr
    purposes = json.loads(rounds("costs", "shop", "--json").stdout)["lines"]
    assert [one["purpose"] for one in purposes] == ["label", "select", "uncertainty"]  # weak: known
    assert "No disagreement" in rounds("judge", "shop").stdout
    assert "Known: it" in rounds("label", "shop", "--provider", "other", code=2).stderr


def test_a_long_run_from_the_command_line(store: PostgresStore, rounds: Callable[..., Any]) -> None:
    llm_project(store, texts(30))
    assert "30 items, worked on by the workers" in rounds("label", "shop", "--background").stdout
    (shown,) = json.loads(rounds("jobs", "shop", "--json").stdout)["items"]
    assert (shown["state"], shown["items"]) == ("running", 30)
    assert "cancelled" in rounds("jobs", "shop", "--cancel", str(shown["id"])).stdout
