"""What a kind of XML is: its sets and records, and what makes rows of a record (SPEC 1).

Each format of XML declares one. Following the structure of a file belongs to `xml_records` and
`xml_documents`, the meaning of its elements to the module of the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drug_assets.formats.xml_outline import Outline

#: The values of a row, one for each of `XmlKind.fields`.
Row: TypeAlias = "tuple[str | None, ...]"
#: The rows of an element. The stubs of lxml are of no help, so it is typed as Any.
Reader: TypeAlias = "Callable[[Any], list[Row]]"

#: The last of `XmlKind.fields`, if its readers know rows with a read issue: no column.
READ_ISSUE = "read_issue"

_ELEMENT = re.compile(r"<[^\W\d]")

#: Options of all parsers. lxml's other defaults are safe.
PARSER_OPTIONS: Any = {"remove_comments": True, "remove_pis": True, "no_network": True}


# Each is one of its own: what follows from it is kept.
@dataclass(frozen=True, eq=False)
class XmlKind:
    """A kind of XML: elements that are records, mostly children of the element of a set."""

    #: Who delivers it, for messages.
    owner: str
    #: The fields of a row, in their order.
    fields: tuple[str, ...]
    #: The elements that hold records, the usual one first.
    sets: tuple[str, ...]
    #: The elements that are records, with what reads their rows.
    records: Mapping[str, Reader]
    #: Whether a row has what its source needs: a file of which no row has it is refused.
    is_named: Callable[[Row], bool]
    #: By set, a mark at which a file can be cut between two records, and how many bytes of the mark
    #: belong to the record before.
    cuts: Mapping[str, tuple[bytes, int]]
    #: By record, another one that stands within it.
    within: Mapping[str, str] = field(default_factory=dict)
    #: The records whose element stands also within them, and only there without attributes.
    nested: frozenset[str] = frozenset()
    #: The namespaces that its elements are in; the empty one is none.
    namespaces: tuple[str, ...] = ("",)
    #: By record, or by what stands within one (`within`), what is read of it. Such records are read
    #: without their tree if they are in the usual form.
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    #: By other roots that its owner delivers, why they are not read, and the cure.
    refused: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def readers(self) -> Mapping[str, Reader]:
        """What reads a record, by its tag as lxml has it."""
        return {
            tag: read for record, read in self.records.items() for tag in self._list_tags(record)
        }

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of sets and records, as lxml has them."""
        return tuple(tag for name in (*self.sets, *self.records) for tag in self._list_tags(name))

    def _list_tags(self, name: str) -> list[str]:
        return [f"{{{space}}}{name}" if space else name for space in self.namespaces]

    @cached_property
    def root(self) -> re.Pattern[str]:
        """Matches the start of the tag of a set or record, or of what is refused."""
        names = (*self.sets, *self.records, *self.refused)
        return re.compile(rf"<(?:{'|'.join(names)})(?=[\s/>])")

    def may_begin(self, head: str) -> bool:
        """Whether the beginning of a text can be that of a file of this kind.

        It can if its root is one, or is not seen yet, as behind long comments.
        """
        if not head.lstrip("\ufeff \t\r\n").startswith("<"):
            return False
        return bool(self.root.search(head)) or not _ELEMENT.search(head)

    @cached_property
    def opening(self) -> re.Pattern[bytes]:
        """Matches the usual start of a file, up to the first record.

        It has balanced quotes and declares no entity, so it can be put before each piece.
        """
        return re.compile(
            rb"""(?:\xef\xbb\xbf|\s)*(?P<opening>
            (?:<\?xml\ version="1\.0"(?:\ encoding="(?i:utf-8|us-ascii)")?\s*\?>\s*)?
            (?:<!DOCTYPE\s+\w+(?:\s+(?:PUBLIC\s+"[^"<>]*"|SYSTEM)\s+"[^"<>]*")?\s*>\s*)?
            <(?P<set>%s)(?:\s+[\w:.-]+\s*=\s*"[^"<>]*")*\s*>)"""
            % "|".join(self.cuts).encode(),
            re.VERBOSE,
        )

    @cached_property
    def set_names(self) -> frozenset[bytes]:
        """The elements that hold records, as they are written."""
        return frozenset(name.encode() for name in self.sets)

    @cached_property
    def record_ends(self) -> Mapping[bytes, re.Pattern[bytes]]:
        """By element of a record, what matches its end tag (group `end`), or what can stand before.

        That is the start tag of one within it (group `nested`), or one that cannot stand there.
        """
        return {record.encode(): self._compile_end(record) for record in self.records}

    def _compile_end(self, record: str) -> re.Pattern[bytes]:
        sets = "|".join(self.sets)
        starts = "|".join(
            rf"{other}\s+(?=[^\s>/])" if other in self.nested else rf"{other}(?=[\s/>])"
            for other in self.records
            if other != self.within.get(record)
        )
        nested = rf"|(?P<nested><{record}\s*>)" if record in self.nested else ""
        return re.compile(
            rf"(?P<end></{record}\s*>){nested}"
            rf"|<\?xml\s|</?(?:{sets})(?=[\s/>])|<(?:{starts})".encode()
        )
