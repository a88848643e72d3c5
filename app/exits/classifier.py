"""A classifier as a folder: itself, what it reads texts with, and a card; nothing is pickled."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.core.entities import ClassifierVersion, Project
from app.core.errors import ArtefactDamaged, WrongInput
from app.core.features import Featuriser
from app.core.models import load_classifier
from app.core.models.packing import pack, unpack
from app.exits.bundle import Places
from app.exits.files import OutFile
from app.exits.notes import safe
from app.exits.predicting import Predictor, has_embeddings, info_of, version_of
from app.exits.rounds import rounds_of
from app.ports.files import Artefact

FORMAT, VERSION = "rounds-classifier", 1
HEAD, CLASSIFIER, FEATURISER = "classifier.json", "classifier.bin", "featuriser.bin"
CARD = """# {agent} of {project}

A text classifier trained with Rounds on {labels:,} labels. Classes: {classes}.

{measured}

The labelled texts were chosen by a strategy, so figures on them would flatter; those above are from
items that could never be chosen. Probabilities are calibrated on folds of the labelled texts.
It knows no class but these, and gives each text one of them.

## Use

```sh
rounds predict THIS_FOLDER texts.jsonl --to predictions.csv
```

```python
from pathlib import Path
from app.exits.classifier import load_folder

predictor = load_folder(Path("THIS_FOLDER"))
print(predictor.classes, predictor([{{{example}}}]))
```

Both need the package `argilla-rounds` and no database. The two `.bin` files are arrays and JSON in
a zip; loading them executes nothing. `{head}` holds their SHA-256, which are checked.
"""


def classifier_files(places: Places, name: str, number: int | None) -> Iterator[OutFile]:
    with places.store.snapshot() as tx:
        project = tx.projects.by_name(name)
        chosen = version_of(tx, name, number)
        features = tx.classifiers.feature_version(chosen.feature_version_id)
        metrics = _metrics(list(rounds_of(tx, project)), chosen)
    if has_embeddings(features):
        raise WrongInput(
            f"{chosen.agent} reads texts with {features.recipe}, and embeddings cannot be taken "
            f"along. `rounds predict {name} FILE` works where they are offered.",
            field="classifier",
        )
    parts = {
        CLASSIFIER: places.files.get(Artefact(chosen.path, chosen.sha256)),
        FEATURISER: pack({}, places.features.featuriser(info_of(features)).to_arrays()),
    }
    head = {**_head(project, chosen), "sha256": {n: _digest(data) for n, data in parts.items()}}
    yield OutFile(HEAD, [json.dumps(head, indent=1, ensure_ascii=False).encode() + b"\n"])
    yield OutFile("README.md", [_card(project, chosen, metrics).encode()])
    for path, data in parts.items():
        yield OutFile(path, [data])


def _head(project: Project, chosen: ClassifierVersion) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "project": project.name,
        "classifier": chosen.agent,
        "fields": list(project.settings.fields),
        "labels": chosen.labels,
        "fingerprint": chosen.fingerprint,
    }


def _metrics(views: list[Mapping[str, Any]], chosen: ClassifierVersion) -> Mapping[str, Any]:
    measured = [one["metrics"] for one in views if one["classifier_version"] == chosen.agent]
    return next((one for one in measured if one), {})


def _card(project: Project, chosen: ClassifierVersion, metrics: Mapping[str, Any]) -> str:
    measured = (
        f"Accuracy {metrics['accuracy']:.1%}, macro F1 {metrics['macro_f1']:.1%}, calibration "
        f"error {metrics['ece']:.3f}, on {metrics['n']:,} held-out items."
        if metrics
        else "It was not measured: there were no held-out items with labels."
    )
    return CARD.format(
        agent=chosen.agent,
        project=project.name,
        labels=chosen.labels,
        classes=", ".join(safe(label) for label in project.task.labels),
        measured=measured,
        example=", ".join(f'"{name}": "…"' for name in project.settings.fields),
        head=HEAD,
    )


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def is_folder(path: Path) -> bool:
    return (path / HEAD).is_file()


def load_folder(folder: Path) -> Predictor:
    """The classifier of an exported folder. ArtefactDamaged if a file is not the one recorded."""
    try:
        head = json.loads((folder / HEAD).read_bytes())
        if head["format"] != FORMAT or head["version"] != VERSION:
            raise ArtefactDamaged(f"{folder} is no classifier that this program reads.")
        parts = {name: (folder / name).read_bytes() for name in (CLASSIFIER, FEATURISER)}
        recorded = {name: head["sha256"][name] for name in parts}
        agent, fields = str(head["classifier"]), tuple(map(str, head["fields"]))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ArtefactDamaged(f"{folder} is not whole: {problem}. Export it again.") from None
    for name, data in parts.items():
        if _digest(data) != recorded[name]:
            raise ArtefactDamaged(f"{name} is not the file that was exported. Export it again.")
    featuriser = Featuriser.from_arrays(unpack(parts[FEATURISER])[1])
    return Predictor(agent, fields, load_classifier(parts[CLASSIFIER]), featuriser.transform)
