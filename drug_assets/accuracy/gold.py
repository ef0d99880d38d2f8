"""The bytes of a file -> titles in which people have marked every drug, as spans.

Two formats are read. JSON lines: an object with `title` and `spans` per line; a span is a pair
`[start, end]` or an object with `start` and `end`, as in the table `mentions`. PubTator, in which
corpora such as BC5CDR come: `ID|t|TITLE`, `ID|a|ABSTRACT`, and a line per annotation with its
type; only those in titles count, and only those of chemicals or drugs. Offsets count characters
from 0, the end is excluded. Either may be packed with gzip. Scoring belongs to `scores`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from drug_assets.errors import DrugAssetsError
from drug_assets.formats.decoding import unpack
from drug_assets.wording import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

#: Start and end in a title, in characters, the end excluded.
Span: TypeAlias = tuple[int, int]
#: The spans of each title.
Spans: TypeAlias = list[set[Span]]

#: The types of annotations that count where none are named: Chemical, CHEMICAL, Drug, drug_n, …
_CHEMICAL = re.compile(r"chem|drug", re.IGNORECASE)
_PUBTATOR = re.compile(r"\s*[^\s|]+\|t\|")
_TEXT_OF_PUBTATOR = re.compile(r"([^\s|]+)\|([ta])\|(.*)")
#: id, start, end, text, type and more; id, type of the relation, and what it relates.
_COLUMNS_OF_ANNOTATION, _COLUMNS_OF_RELATION = 5, 4
_FORMS = (
    'JSON lines, {"title": "…", "spans": [[start, end], …]}, or PubTator (ID|t|title, then '
    "annotations separated by tabs)"
)


class GoldError(DrugAssetsError):
    """A file of titles with marked spans that cannot be used; names file, line and remedy."""


@dataclass(frozen=True)
class Gold:
    """Titles in which people have marked every drug."""

    titles: list[str]
    #: The marked spans of each title.
    spans: Spans

    def __len__(self) -> int:
        """The number of titles."""
        return len(self.titles)

    def count_spans(self) -> int:
        """The number of marked spans."""
        return sum(map(len, self.spans))


def read_gold(data: bytes, name: str, types: Collection[str] = ()) -> Gold:
    """Read titles and marked spans.

    Args:
        data: the bytes of the file, UTF-8, packed with gzip or not.
        name: name of the file, for messages.
        types: types of annotations that count, where the format has types; if empty, those whose
            name says chemical or drug.

    Raises:
        GoldError: the file is of no known format, a line cannot be read, a span is outside its
            title or not the text that it claims to be, or nothing is marked.
        FormatError: the gzip is damaged.
    """
    text = _decode(b"".join(unpack(name, data)), name)
    reader = _read_pubtator if _PUBTATOR.match(text) else _read_json_lines
    gold = reader(list(_number_lines(text)), name, types)
    if not gold.titles:
        raise GoldError(f"{name} holds no title: write {_FORMS}")
    if not gold.count_spans():
        raise GoldError(f"{name} marks no span in any title, so there is nothing to find")
    return gold


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GoldError(f"{name}: line {line} is not UTF-8: save the file as UTF-8") from error


def _number_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    # `splitlines` would also end a line at U+2028, which JSON allows within a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _read_json_lines(lines: Iterable[tuple[int, str]], name: str, _types: Collection[str]) -> Gold:
    gold = Gold([], [])
    for number, line in lines:
        try:
            title, spans = _parse_record(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            told = printable(str(error))[:80]
            raise GoldError(
                f"{name}: line {number} is no title with spans ({type(error).__name__}: {told}): "
                f"write {_FORMS}"
            ) from error
        _require_within(spans, title, name, number)
        gold.titles.append(title)
        gold.spans.append(spans)
    return gold


def _parse_record(record: Any) -> tuple[str, set[Span]]:
    """The title and the spans of an object.

    Raises:
        KeyError, TypeError, ValueError: it has none, or they are of another type.
    """
    title = record["title"]
    if not isinstance(title, str):
        raise TypeError("the title is no text")
    return title, {_parse_span(given) for given in record["spans"]}


def _parse_span(given: Any) -> Span:
    start, end = (given["start"], given["end"]) if isinstance(given, dict) else given
    if not type(start) is type(end) is int:
        raise TypeError("start and end are not whole numbers")
    return start, end


def _require_within(spans: Iterable[Span], title: str, name: str, line: int) -> None:
    for start, end in spans:
        if not 0 <= start < end <= len(title):
            raise GoldError(
                f"{name}: line {line} has the span {start}–{end} outside its title of {len(title)} "
                "characters: offsets count characters from 0, the end is excluded"
            )


def _read_pubtator(lines: Iterable[tuple[int, str]], name: str, types: Collection[str]) -> Gold:
    wanted = {each.casefold() for each in types}
    gold = Gold([], [])
    row_of: dict[str, int] = {}
    other_types: dict[str, None] = {}
    for number, line in lines:
        if text := _TEXT_OF_PUBTATOR.fullmatch(line):
            if text[2] == "t":
                if text[1] in row_of:
                    raise GoldError(
                        f"{name}: line {number} is a second title of {printable(text[1])}: leave "
                        "one of them out"
                    )
                row_of[text[1]] = len(gold.titles)
                gold.titles.append(text[3])
                gold.spans.append(set())
        elif annotation := _parse_annotation(line, name, number):
            if annotation.id not in row_of:
                raise GoldError(f"{name}: line {number} annotates a title that is not above it")
            row = row_of[annotation.id]
            if annotation.span[0] >= len(gold.titles[row]):
                continue  # in the abstract
            kind = annotation.kind
            if kind.casefold() in wanted if wanted else _CHEMICAL.search(kind):
                _require_text(annotation, gold.titles[row], name, number)
                gold.spans[row].add(annotation.span)
            else:
                other_types[printable(kind)] = None
    if other_types and not gold.count_spans():
        raise GoldError(
            f"{name} marks no {' or '.join(types) or 'chemical or drug'} in a title, but "
            f"{shorten(list(other_types))}: name the types that count with --type"
        )
    return gold


class _Annotation(NamedTuple):
    """A line of PubTator that marks a span of a title or its abstract."""

    id: str
    span: Span
    text: str
    kind: str


def _parse_annotation(line: str, name: str, number: int) -> _Annotation | None:
    """The annotation of a line; None if it relates annotations to each other.

    Raises:
        GoldError: it does neither.
    """
    parts = [part.strip() for part in line.split("\t")]
    if len(parts) < _COLUMNS_OF_ANNOTATION:
        if len(parts) == _COLUMNS_OF_RELATION:
            return None
        raise GoldError(f"{name}: line {number} is no line of PubTator: write {_FORMS}")
    identifier, start, end, text, kind, *_ = parts
    if not (start.isdecimal() and end.isdecimal()):
        raise GoldError(
            f"{name}: line {number} has {printable(start)!r} and {printable(end)!r} as start and "
            "end: write whole numbers"
        )
    return _Annotation(identifier, (int(start), int(end)), text, kind)


def _require_text(annotation: _Annotation, title: str, name: str, line: int) -> None:
    _require_within([annotation.span], title, name, line)
    start, end = annotation.span
    if title[start:end].strip() != annotation.text:
        raise GoldError(
            f"{name}: line {line} marks {printable(annotation.text)!r}, but its title has "
            f"{printable(title[start:end])!r} there: offsets count characters from 0, the end is "
            "excluded"
        )
