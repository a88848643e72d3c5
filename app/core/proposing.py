"""What a file suggests for a project: its columns, its labels, and how large things should be.

Everything proposed comes with a sentence that says why, and can be overruled.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any

from app.core.errors import WrongInput
from app.core.importing import ID, SPLIT, SPLITS, hash_of

TEXT, LABEL = "text", "label"
SAMPLE = 2_000
"""Rows on which columns are told apart."""
MOST_LABELS = 500
NAMES: Mapping[str, Sequence[str]] = {
    ID: ("id", "uid", "uuid", "key"),
    SPLIT: ("split", "set", "fold", "subset", "partition"),
    LABEL: ("label", "class", "category", "intent", "target", "sentiment", "topic", "tag", "gold"),
    TEXT: ("text", "body", "content", "message", "document", "review", "comment", "sentence"),
}
"""Words by which columns go, those first that say it best."""
ALL_LABELLED = (
    "Every row has a label already: there is nothing to ask people. `rounds simulate` compares "
    "strategies on such data."
)
FEWEST_LABELLED = 60
MOST_HELD_OUT = 500
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in a file, counted."""

    rows: int
    distinct: int
    """Of the texts; equal ones are duplicates."""
    labelled: int
    seeds: int
    """Of the labelled rows, those that no split holds out."""
    labels: tuple[str, ...]
    held_out: int
    """Rows whose split is validation or test."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a project on these data could be."""

    columns: Mapping[str, str]
    """Our name of a column → its name in the file."""
    labels: tuple[str, ...]
    batch_size: int
    overlap: int
    max_labels: int
    held_out_share: float
    """Of the labelled rows without a split; these become the test split."""
    reasons: Sequence[str] = field(default_factory=tuple)


def guess_columns(rows: Iterable[Row], said: Mapping[str, str]) -> dict[str, str]:
    """Which column is the text, the label, the id, the split; an empty name says that there is
    none. WrongInput where no text is seen, or no column of the name that somebody said."""
    sample = list(islice(rows, SAMPLE))
    if not sample:
        raise WrongInput("The file has no rows.", field="data")
    names = list(dict.fromkeys(str(name) for row in sample for name in row))
    found = dict(said)
    _check_there(said, names)
    for ours in (ID, SPLIT, LABEL, TEXT):
        free = [name for name in names if name not in found.values()]
        if ours not in said and (theirs := _named(ours, free, sample)) is not None:
            found[ours] = theirs
    if not found.get(TEXT):
        found[TEXT] = _longest([name for name in names if name not in found.values()], sample)
    return {ours: theirs for ours, theirs in found.items() if theirs}


def _check_there(said: Mapping[str, str], names: Sequence[str]) -> None:
    for ours, theirs in said.items():
        if theirs and theirs not in names:
            raise WrongInput(
                f"The file has no column {theirs!r}. It has: {', '.join(names[:30])}.", field=ours
            )


def _named(ours: str, names: Sequence[str], sample: Sequence[Row]) -> str | None:
    fits = {ID: _any, SPLIT: _is_split, LABEL: _is_label, TEXT: _is_text}[ours]
    for word in NAMES[ours]:
        for name in names:
            if name.strip().lower() in (word, word + "s") and fits(name, sample):
                return name
    return None


def _any(name: str, sample: Sequence[Row]) -> bool:
    return any(row.get(name) not in (None, "") for row in sample)


def _is_text(name: str, sample: Sequence[Row]) -> bool:
    return any(isinstance(row.get(name), str) for row in sample)


def _is_split(name: str, sample: Sequence[Row]) -> bool:
    """Every value must be one: a column named `set` may be anything."""
    values = {str(row[name]).strip().lower() for row in sample if row.get(name) not in (None, "")}
    return bool(values) and values <= set(SPLITS)


def _is_label(name: str, sample: Sequence[Row]) -> bool:
    """Few distinct short values; a column in which each value is another is none."""
    values = [row[name] for row in sample if row.get(name) not in (None, "")]
    plain = all(isinstance(one, str | int) and not isinstance(one, bool) for one in values)
    if not values or not plain:
        return False
    kinds = {str(one) for one in values}
    return len(kinds) <= MOST_LABELS and (len(values) < 20 or len(kinds) <= len(values) / 2)


def _longest(names: Sequence[str], sample: Sequence[Row]) -> str:
    lengths = {
        name: sum(len(row[name]) for row in sample if isinstance(row.get(name), str))
        for name in names
    }
    best = max(lengths, key=lambda name: lengths[name], default=None)
    if best is None or not lengths[best]:
        raise WrongInput("No column holds text. Name it with --text COLUMN.", field="text")
    return best


def renamed(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names; columns that are not ours are kept beside."""
    ours = {name: row.get(theirs) for name, theirs in columns.items()}
    rest = {name: value for name, value in row.items() if name not in columns.values()}
    return {**rest, **ours}


def survey(rows: Iterable[Row], columns: Mapping[str, str]) -> Survey:
    """Count the whole file, a row at a time; 16 bytes a distinct text are kept."""
    total = labelled = seeds = held_out = 0
    texts: set[bytes] = set()
    labels: Counter[str] = Counter()
    for row in rows:
        ours = renamed(row, columns)
        total += 1
        if isinstance(ours.get(TEXT), str):
            texts.add(hash_of(ours, [TEXT]))
        held = SPLITS.get(str(ours.get(SPLIT)).strip().lower(), "pool") != "pool"
        held_out += held
        if (label := ours.get(LABEL)) not in (None, "") and LABEL in columns:
            labelled += 1
            seeds += not held
            labels[str(label)] += 1
    if len(labels) > MOST_LABELS:
        raise WrongInput(
            f"Column {columns[LABEL]!r} has {len(labels):,} distinct values; labels can be at most "
            f"{MOST_LABELS}. Name another with --label-column, or none with --label-column ''.",
            field="label-column",
        )
    names = tuple(sorted(name for name in labels if name == name.strip()))
    return Survey(total, len(texts), labelled, seeds, names, held_out)


def propose(
    seen: Survey,
    columns: Mapping[str, str],
    labels: Sequence[str] = (),
    said: Mapping[str, Any] | None = None,
) -> Proposal:
    """Sizes that suit the file. `labels`, and the sizes in `said`, are somebody's word."""
    names = tuple(labels) or seen.labels
    sizes = {"overlap": 1, "held_out_share": _share(seen), **(said or {})}
    free = max(1, seen.distinct - seen.held_out - seen.seeds)
    sizes.setdefault("batch_size", min(100, max(20, 2 * len(names)), free))
    # the bound counts labels that came with the file, too: as many as may stay in the pool, since
    # which are held out is drawn later, and a bound that is reached at once would let nobody begin
    sizes.setdefault("max_labels", seen.seeds + min(free, max(300, 30 * len(names))))
    reasons = _reasons(seen, columns, names, sizes, sizes["max_labels"] - seen.seeds)
    return Proposal(columns=columns, labels=names, reasons=reasons, **sizes)


def _share(seen: Survey) -> float:
    if seen.held_out or seen.labelled < FEWEST_LABELLED:
        return 0.0
    return round(min(MOST_HELD_OUT, seen.labelled // 3) / seen.labelled, 4)


def _reasons(
    seen: Survey,
    columns: Mapping[str, str],
    labels: Sequence[str],
    sizes: Mapping[str, Any],
    asked: int,
) -> Sequence[str]:
    named = ", ".join(f"{ours} = {theirs!r}" for ours, theirs in columns.items())
    copies = seen.rows - seen.distinct
    said = [
        f"{seen.rows:,} rows; columns: {named}.",
        f"{copies:,} rows repeat a text of another; they are set aside." if copies else "",
        f"{len(labels)} labels: {_few(labels)}." if labels else "",
        _held_out(seen, sizes["held_out_share"]),
        _rounds(sizes["batch_size"], sizes["overlap"], max(asked, 0)),
        ALL_LABELLED if seen.labelled == seen.rows else "",
    ]
    return [one for one in said if one]


def _rounds(batch: int, overlap: int, most: int) -> str:
    answers = "one answer" if overlap == 1 else f"{overlap} answers"
    rounds = math.ceil(most / batch)
    return (
        f"Batches of {batch}, {answers} an item; a bound of {most:,} new labels: {rounds} "
        f"{'round' if rounds == 1 else 'rounds'} or so."
    )


def _few(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:8])
    return shown if len(labels) <= 8 else f"{shown} … and {len(labels) - 8} more"


def _held_out(seen: Survey, share: float) -> str:
    if seen.held_out:
        return f"{seen.held_out:,} rows are held out by their split, to measure accuracy."
    if share:
        return (
            f"Of the {seen.labelled:,} labelled rows {share:.0%} are held out, to measure accuracy."
        )
    return (
        "Nothing can be held out to measure accuracy: that needs labelled rows (about 200 are "
        "enough for a first idea). The audit slice of each batch will do meanwhile."
    )


def with_split(row: dict[str, Any], share: float, seed: int) -> dict[str, Any]:
    """Hold a labelled row out, or not. Its text alone decides, so that copies stay together and a
    longer file of tomorrow decides the same."""
    free = row.get(SPLIT) in (None, "") and row.get(LABEL) not in (None, "")
    if not share or not free or not isinstance(row.get(TEXT), str):
        return row
    digest = blake2b(hash_of(row, [TEXT]), digest_size=8, salt=seed.to_bytes(8, "big")).digest()
    held = int.from_bytes(digest, "big") < share * 2**64
    return {**row, SPLIT: "test" if held else "train"}
