"""Classifiers that the server's configuration offers."""

from pathlib import Path

import pytest

from app.bootstrap import build
from app.core.errors import WrongInput
from app.core.models import registry, resolve_classifier
from app.settings import Settings, read_settings

FOREST = '{"forest": {"path": "sklearn.ensemble.RandomForestClassifier", "n_estimators": 7}}'


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "CLASSIFIERS", dict(registry.CLASSIFIERS))
    monkeypatch.setattr(registry, "_NEWEST", dict(registry._NEWEST))


def built(monkeypatch: pytest.MonkeyPatch, given: str) -> Settings:
    monkeypatch.setenv("ROUNDS_CLASSIFIERS", given)
    return build(read_settings()).settings


def test_projects_may_choose_what_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongInput):
        resolve_classifier("forest")
    built(monkeypatch, FOREST)
    name = resolve_classifier("forest")
    assert name.startswith("forest.")
    built(monkeypatch, FOREST.replace("7", "8"))
    assert resolve_classifier("forest") != name
    assert resolve_classifier(name) == name


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('{"forest": {"path": "os.system"}}', "forest: 'os.system' is not a class"),
        ('{"forest": {}}', "forest: '' is not a class"),
        ('{"default": {"path": "sklearn.naive_bayes.GaussianNB"}}', "taken"),
    ],
)
def test_what_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, given: str, says: str) -> None:
    with pytest.raises(WrongInput, match=says) as caught:
        built(monkeypatch, given)
    assert caught.value.field == "ROUNDS_CLASSIFIERS"
