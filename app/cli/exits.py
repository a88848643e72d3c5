"""What leaves a project: labels, rounds, datasets."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.readers import FileRows
from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json
from app.cli.projects import Name, project_of
from app.core.errors import WrongInput
from app.core.importing import RowLimits
from app.exits import predictions
from app.exits.bundle import bundle
from app.exits.classifier import classifier_files, is_folder, load_folder
from app.exits.files import OutFile, write_to, zipped
from app.exits.forms import FORMS, MEDIA_TYPES
from app.exits.forms import export as files_of
from app.exits.predicting import Predictor, Predictors
from app.exits.restoring import restore
from app.settings import read_settings

To = Annotated[Path | None, typer.Option(help="A folder to write to; made if there is none.")]
Version = Annotated[
    int | None, typer.Option(min=1, help="Number of the classifier; the newest if left out.")
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        help=f"{', '.join(FORMS)}. Repeatable with --to. Without it jsonl; with --to all of the "
        "rounds, and the labels as jsonl.",
    ),
]


@friendly
def export(
    name: Name,
    formats: Formats = None,
    to: To = None,
    push_to_hub: Annotated[
        str | None,
        typer.Option(help="OWNER/NAME: send the Hugging Face folder there, with HF_TOKEN."),
    ] = None,
    classifier: Annotated[
        Path | None, typer.Option(help="A folder for the classifier, its card and its hashes.")
    ] = None,
    version: Version = None,
    as_json: bool = AsJson,
) -> None:
    """Write labels to standard output, or labels, rounds, a dataset, a classifier to a folder."""
    if classifier is not None:
        written = write_to(
            classifier, classifier_files(build(read_settings()).places, name, version)
        )
        _say(written, classifier, as_json=as_json)
        return
    store = build(read_settings()).store
    if to is None:
        _check_one_file(formats, push_to_hub)
        for file in files_of(store, name, formats or ["jsonl"]):
            sys.stdout.buffer.writelines(file.pieces)
        return
    written = write_to(to, files_of(store, name, formats or ["rounds", "jsonl"]))
    if push_to_hub is not None:
        _push(to, push_to_hub)
    _say(written, to, as_json=as_json)


def _say(written: list[Path], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"files": [str(path) for path in written]})
    else:
        console.print(f"Wrote {len(written)} files to {folder}.")


@friendly
def predict(
    classifier: Annotated[str, typer.Argument(help="A project, or a folder of its classifier.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The texts.")],
    to: Annotated[Path | None, typer.Option(help="A file: .jsonl, .csv or .parquet.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="jsonl, csv or parquet; jsonl if not said.")
    ] = None,
    version: Version = None,
) -> None:
    """Label the texts of a file, with probabilities. Nothing is stored."""
    settings = read_settings()
    predictor = _predictor(classifier, version)
    wanted = form or (to.suffix.lstrip(".") if to else "jsonl")
    if wanted not in predictions.FORMS:
        raise WrongInput("--format must be jsonl, csv or parquet.", field="format")
    with file.open("rb") as source:
        rows = FileRows().read(source, name=file.name, required=predictor.fields)
        limits = RowLimits(max_text_chars=settings.max_text_chars)
        blocks = predictions.predicted(predictor, rows, limits)
        pieces = predictions.FORMS[wanted](blocks, predictor.classes)
        if to is None:
            sys.stdout.buffer.writelines(pieces)
        else:
            write_to(to.parent, [OutFile(to.name, pieces)])
            console.print(f"Wrote {to}, labelled by {predictor.agent}.")


def _predictor(classifier: str, version: int | None) -> Predictor:
    if is_folder(Path(classifier)):
        return load_folder(Path(classifier))
    container = build(read_settings())
    return Predictors(container.places, container.encoders)(classifier, version)


@friendly
def export_bundle(
    name: Name,
    to: Annotated[Path, typer.Argument(help="The file to write, such as tickets.zip.")],
) -> None:
    """Write a whole project to one file, for `import-bundle` elsewhere. No keys, no secrets."""
    files = zipped(bundle(build(read_settings()).places, name))
    write_to(to.parent, [OutFile(to.name, files)])
    console.print(f"Wrote {to} ({to.stat().st_size / 2**20:.1f} MB).")


@friendly
def import_bundle(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="From export-bundle.")],
    name: Annotated[
        str | None, typer.Option(help="Another name than the project had there.")
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Bring a whole project back, here or elsewhere, with its rounds, labels and classifiers."""
    places = build(read_settings()).places
    with file.open("rb") as source:
        project = restore(places, source, name=name, actor=actor())
    if as_json:
        print_json(project_of(places.store, project.name))
    else:
        console.print(f"{project.name} is here. Next: rounds status {project.name}")


def _check_one_file(formats: list[str] | None, push_to_hub: str | None) -> None:
    if push_to_hub is not None:
        raise WrongInput("Give --to DIR: the folder is made there, then sent.", field="to")
    if formats and (len(formats) > 1 or formats[0] in set(FORMS) - set(MEDIA_TYPES)):
        raise WrongInput("These are several files: give --to DIR.", field="to")


def _push(folder: Path, repository: str) -> None:
    """Only ever where somebody asked for it and has set a token."""
    import os

    token = os.environ.get("HF_TOKEN")
    if not token:
        raise WrongInput(
            f"The folder {folder} is written. To send it, set HF_TOKEN to a token that may write.",
            field="HF_TOKEN",
        )
    from huggingface_hub import HfApi

    hub = HfApi(token=token)
    hub.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
    hub.upload_folder(
        folder_path=folder,
        repo_id=repository,
        repo_type="dataset",
        allow_patterns=["README.md", "data/*.parquet"],
    )
    console.print(f"Sent to {repository} (private).")
