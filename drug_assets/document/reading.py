"""Read a document: its drugs, one at a time; an error gives the number of the invalid line.

Memory holds one line at a time. Polars is not imported, since `questions` uses this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

#: A document to read: a local file, or a function that opens the document at each call and returns
#: a binary stream or other lines of bytes. The stream is closed after reading if it has `close`.
Graph: TypeAlias = "Path | Callable[[], Iterable[bytes]]"

_Drug = TypeVar("_Drug", bound=msgspec.Struct)

#: Lines are long: with the default buffer, each would be joined from many pieces.
_BUFFER_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: The first and the last line of a document as it is written, and what follows all but the last
#: drug.
_BEGINNING, _END, _BETWEEN = b"[\n", b"]\n", b",\n"

#: The kinds of lines, as error messages name them.
_OPENING = "[ on a line of its own"
_DRUG = "a drug"
_CLOSING = "] on a line of its own"
_NOTHING = "nothing more"

#: The member of a drug that is most of its line, and the one after it. Within a text of JSON, the
#: quotes of these keys would be escaped.
_LONGEST, _NEXT = b'"mentions":', b'"journals":'
#: In a line of fewer bytes, to look for them takes longer than to decode them.
_LONG = 2000


class NotAGraphError(DrugAssetsError):
    """The input is not such a document; the message names the line and what it should contain."""


def read_drugs(graph: Graph, drug: type[_Drug]) -> Iterator[_Drug]:
    """The drugs of a graph document, or of a document of names, in its order.

    Args:
        graph: the document.
        drug: the type to decode each line to: `schema.Drug` or, for a document of names,
            `schema.ListedDrug`, which check the whole line; or a type with fewer members. One
            without `mentions` passes over that part of a line, even if it is damaged: what it
            declares is read in a third of the time.

    Raises:
        NotAGraphError: a line is not valid, or the file cannot be opened.
    """
    members = drug.__struct_fields__
    is_graph = not {"mentions", "journals"}.isdisjoint(members)
    kind = "graph document" if is_graph else "document of names"
    name = str(graph) if isinstance(graph, Path) else f"the {kind}"
    try:
        opened = graph.open("rb", _BUFFER_BYTES) if isinstance(graph, Path) else graph()
    except OSError as error:
        raise NotAGraphError(f"{name} cannot be read: {error.strerror}") from error
    try:
        whole = "mentions" in members or "journals" not in members
        yield from _read(opened, name, kind, msgspec.json.Decoder(drug), whole=whole)
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()


@dataclass(frozen=True)
class Section:
    """Some lines of a document, which are read like a document of these drugs."""

    document: Path
    #: Where the first of these lines begins, and the last one ends, in bytes.
    start: int
    end: int
    #: Whether another section follows.
    is_followed: bool

    def __call__(self) -> Iterator[bytes]:
        """The lines, as `read_drugs` takes them."""
        yield _BEGINNING
        left = self.end - self.start
        with self.document.open("rb", _BUFFER_BYTES) as file:
            file.seek(self.start)
            while left > 0:
                line = file.readline()
                left -= len(line)
                yield line if left or not self.is_followed else line.removesuffix(_BETWEEN)
        yield _END


def divide(document: Path, section_bytes: int) -> list[Section]:
    """Divide a document into sections, which can be read at the same time.

    Args:
        document: the document.
        section_bytes: about the size of a section; a line is never divided.

    Returns:
        The sections in their order; none if the document is short, or is not as it is written.
    """
    start, end = len(_BEGINNING), document.stat().st_size - len(_END)
    if end - start <= section_bytes:
        return []
    sections = []
    with document.open("rb", _BUFFER_BYTES) as file:
        if _read_at(file, 0, start) != _BEGINNING or _read_at(file, end, len(_END)) != _END:
            return []
        while start < end:
            file.seek(min(start + section_bytes, end) - 1)
            file.readline()
            next_start = file.tell()
            is_followed = next_start < end
            if (
                is_followed
                and _read_at(file, next_start - len(_BETWEEN), len(_BETWEEN)) != _BETWEEN
            ):
                return []
            sections.append(Section(document, start, next_start, is_followed))
            start = next_start
    return sections


def _read_at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _read(
    lines: Iterable[bytes],
    name: str,
    kind: str,
    decoder: msgspec.json.Decoder[_Drug],
    *,
    whole: bool,
) -> Iterator[_Drug]:
    # After each line, `expected` names the kinds of lines that may follow.
    expected, number = _OPENING, 0
    for number, line in enumerate(lines, start=1):
        text = (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).strip()
        if not text:
            continue
        # A lookup by the text alone would hash the whole of every line.
        found = {b"[": _OPENING, b"]": _CLOSING}.get(text, _DRUG) if len(text) == 1 else _DRUG
        if found not in expected:
            raise _not_a_document(name, kind, number, expected)
        if found is _OPENING:
            expected = f"{_DRUG}, or {_CLOSING}"
        elif found is _CLOSING:
            expected = _NOTHING
        else:
            element = text.removesuffix(b",")
            try:
                read = element if whole or len(element) < _LONG else _pass_over_mentions(element)
                yield decoder.decode(read)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                what = f"a drug of the {kind} ({error})"
                raise _not_a_document(name, kind, number, what) from error
            expected = _CLOSING if element == text else _DRUG
    if expected != _NOTHING:
        ends = f"{expected}, but the document ends"
        raise _not_a_document(name, kind, max(number, 1), ends)


def _pass_over_mentions(element: bytes) -> bytes:
    """The line of a drug without its mentions, if they stand where they are written."""
    start = element.find(_LONGEST)
    end = element.find(_NEXT, start)
    return element[:start] + element[end:] if 0 <= start < end else element


def _not_a_document(name: str, kind: str, line: int, expected: str) -> NotAGraphError:
    return NotAGraphError(
        f"{name} is not a {kind}: line {line}: expected {expected}; "
        "`drug-assets run` writes a new one"
    )
