"""The command `accuracy`: reads the titles and the drug lists, and shows what was measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from drug_assets.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from drug_assets.accuracy.measuring import Accuracy, Part
    from drug_assets.accuracy.mistakes import Mistakes
    from drug_assets.accuracy.scores import Figure
    from drug_assets.settings import Settings
    from drug_assets.storage.objects import ObjectStore

_CHUNK_BYTES = 1024**2
#: Texts that are shown of a kind of mistake.
_EXAMPLES = 5


def measure_accuracy(
    file: str, lists: Sequence[str], types: Sequence[str], settings: Settings
) -> Accuracy:
    """Measure how well drug lists find what is marked in the titles of a file.

    Args:
        file: path or URI of the titles with marked spans.
        lists: paths or URIs of drug lists; if empty, those of the landing zone count.
        types: the types of annotations that count, where the file has types.
        settings: they name the landing zone, the stop list, the trees of MeSH and the rules.

    Raises:
        FileNotFoundError: the file or a list is not there; the message says where.
        StorageError: a place cannot be used, or has no drug list.
        DrugAssetsError: a file cannot be read, or the stop list cannot be used.
    """
    from drug_assets.accuracy.gold import read_gold
    from drug_assets.accuracy.measuring import measure
    from drug_assets.cleaning.mesh_trees import MeshTrees
    from drug_assets.cleaning.stop_list import read_stop_list
    from drug_assets.storage.places import open_object, read_location
    from drug_assets.terms import SpanOrigin

    stop_list = read_stop_list(settings.stop_list, read_location)
    place, name = open_object(file)
    gold = read_gold(_copy(place, name).read_bytes(), file, types)
    read = read_lists(lists) if lists else _read_landed_lists(settings.landing)
    rules = [rule for rule in SpanOrigin if rule in settings.mention_rules.split()]
    return measure(gold, dict(read), stop_list, MeshTrees.of(settings.mesh_trees), rules)


def _copy(place: ObjectStore, name: str) -> Path:
    """A local file with the bytes of an object."""
    try:
        return place.local_copy(name)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileNotFoundError(f"there is no file {place.uri(name)}") from error


def read_lists(locations: Iterable[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Read the drug lists at paths or URIs: each with its records (`contracts.DrugRecords`).

    Raises:
        FileNotFoundError: a list is not there; the message says where.
        DrugAssetsError: a list cannot be read, or its place cannot be used.
    """
    from drug_assets.storage.places import open_object

    for location in dict.fromkeys(locations):
        yield location, _read_list(*open_object(location), location)


def _read_landed_lists(landing: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """The drug lists of a landing zone, as `read_lists` returns them."""
    from drug_assets import formats, sources
    from drug_assets.storage.landed_files import list_landed_objects
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store

    zone = open_store(landing, must_exist=True)
    shape = sources.DRUGS.record_shape()
    landed = [o.name for o in list_landed_objects(zone)]
    names = [name for name in landed if sources.source_of_file(name) is sources.DRUGS]
    if not names:
        raise StorageError(
            f"{zone.uri()} has no drug list: land one, or name lists with --list PATH"
        )
    for name in names:
        # A run reports a file without names, or of another format, and goes on.
        if shape.unread_file(name):
            continue
        if formats.detect_format(shape, name, _chunks(_copy(zone, name))):
            yield name, _read_list(zone, name, name)


def _read_list(place: ObjectStore, name: str, shown: str) -> pl.DataFrame:
    """The records of a drug list (`contracts.DrugRecords`)."""
    import polars as pl

    from drug_assets import formats, sources

    path = _copy(place, name)
    shape, size_bytes = sources.DRUGS.record_shape(), path.stat().st_size
    batches = formats.read(shape, shown, _chunks(path), size_bytes)
    return pl.concat(sources.DRUGS.clean_records(batch.lazy()).collect() for batch in batches)


def _chunks(path: Path) -> Callable[[], Iterator[bytes]]:
    """A function that opens the bytes of a file, in chunks."""

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    return chunks


def as_object(accuracy: Accuracy) -> dict[str, object]:
    """What was measured, as an object of JSON."""
    mistakes = [
        {
            "mistake": _group(each),
            "kind": each.kind.value,
            "meaning": each.kind.meaning,
            "count": each.count,
            "texts": dict(each.texts),
        }
        for each in accuracy.mistakes
    ]
    return {**asdict(accuracy), "mistakes": mistakes}


def as_lines(accuracy: Accuracy) -> Iterator[str]:
    """What was measured, as text."""
    scores = accuracy.scores
    yield (
        f"{count_of(accuracy.titles, 'title')} with {count_of(accuracy.spans, 'marked span')}; "
        f"{count_of(accuracy.names, 'name')} of {count_of(accuracy.drugs, 'drug')}, "
        f"{accuracy.listed_names:,} of them as listed"
    )
    yield ""
    yield from _table(
        ["", "precision", "recall", "F1"],
        [
            ["by overlap", *map(_with_interval, (scores.precision, scores.recall, scores.f1))],
            [
                "exact",
                *map(
                    _with_interval,
                    (scores.exact_precision, scores.exact_recall, scores.exact_f1),
                ),
            ],
        ],
    )
    yield (
        f"closed list: {_digits(scores.closed_list.value)}, {scores.closed_hit:,} of "
        f"{count_of(scores.closed, 'marked span')} spelt as a name that is searched for"
    )
    yield "In brackets: 95 of 100 draws of as many titles lie between these."
    yield ""
    header = ["", "names", "P", "R", "F1", "exact F1", "F1 without", "it adds to F1"]
    if accuracy.lists:
        yield "Each list alone, and the others without it:"
        yield from _table(header, [_row(part) for part in accuracy.lists])
        yield ""
    yield "The stop list without rules, then each rule with it, and all the others without it:"
    listed = accuracy.as_listed
    figures = (listed.precision, listed.recall, listed.f1, listed.exact_f1)
    of_listed = [f"{accuracy.listed_names:,}", *(_digits(each.value) for each in figures), "", ""]
    yield from _table(header, [["names as listed", *of_listed], *map(_row, accuracy.rules)])
    yield ""
    yield "All names, and beside them one of the rules of DRUG_ASSETS_MENTION_RULES:"
    yield from _table(header, [_row(part) for part in accuracy.mention_rules])
    for group, heading in (
        ("missed", "Marked spans that were not found"),
        ("wrong", "Found spans where nothing is marked"),
        ("inexact", "Found spans with other ends than the marked ones"),
    ):
        of_group = [each for each in accuracy.mistakes if _group(each) == group]
        if of_group:
            yield ""
            yield f"{heading}, {sum(each.count for each in of_group):,}:"
            yield from map(_line, of_group)


def _group(mistakes: Mistakes) -> str:
    return type(mistakes.kind).__name__.lower()


def _line(mistakes: Mistakes) -> str:
    shown = [
        f"{text} ({count})" if count > 1 else text
        for text, count in list(mistakes.texts.items())[:_EXAMPLES]
    ]
    more = ", …" if len(mistakes.texts) > _EXAMPLES else ""
    kind = mistakes.kind
    return f"  {mistakes.count:>5,}  {kind.value} ({kind.meaning}): {', '.join(shown)}{more}"


def _row(part: Part) -> list[str]:
    alone = part.alone
    figures = (alone.precision, alone.recall, alone.f1, alone.exact_f1, part.without.f1)
    gain = _with_interval(part.gain, signed=True)
    return [part.name, f"{part.names:,}", *(_digits(each.value) for each in figures), gain]


def _with_interval(figure: Figure, *, signed: bool = False) -> str:
    low, high = (_digits(each, signed=signed) for each in (figure.low, figure.high))
    return f"{_digits(figure.value, signed=signed)} ({low} to {high})"


def _digits(value: float | None, *, signed: bool = False) -> str:
    """Three digits behind the point; nothing in front of it if that is a zero."""
    if value is None:
        return "–"
    return f"{value:{'+' if signed else ''}.3f}".replace("0.", ".", 1)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns of equal width, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = row
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        yield "  ".join(("", *cells)).rstrip()
