"""Records of XML in the usual form -> rows, straight from their bytes (SPEC 1).

libxml2 takes most of its time to build trees of what nobody reads: abstracts, authors, references.
Here it builds none, and only decides whether a document is well-formed. In a well-formed one
without comments, CDATA sections and processing instructions, each `<` begins a tag. So the elements
that an outline names are found by where tags stand and how deep, for all records of the document
at once. A record that is not as its outline says, such as one with several of an element, is left
to its tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from lxml import etree

from drug_assets.formats.xml_kind import PARSER_OPTIONS
from drug_assets.formats.xml_outline import Leaf

if TYPE_CHECKING:
    import numpy.typing as npt

    from drug_assets.formats.xml_kind import Row
    from drug_assets.formats.xml_outline import Node, Outline

    #: Places in a document, or numbers of tags or records.
    _Numbers: TypeAlias = "npt.NDArray[np.int64]"
    _Words: TypeAlias = "npt.NDArray[np.uint64]"
    _Bytes: TypeAlias = "npt.NDArray[np.uint8]"

#: A longer document is left to its tree: libxml2 refuses some huge texts only there.
_MOST_BYTES = 4 * 1024**2
#: So is a deeper one, for the same reason.
_MOST_LEVELS = 0xC0
#: As many values of an element are remembered by its content.
_REMEMBERED = 4096

_OPEN, _SLASH, _CLOSE = b"</>"
#: What follows a `<` that begins no tag.
_OF_NO_TAG = b"!?"
#: Whether a byte ends the name of a tag.
_ENDS_NAME = np.isin(np.arange(0x100), [*b" \t\r\n/>"])
#: Attributes of names that begin so change what the names of elements mean, or follow rules.
_OF_XML = b"xml"
#: The first two bytes and the last two, as numbers.
_PAIRS_OF_XML = np.frombuffer(_OF_XML[:2] + _OF_XML[1:], "<u2")
#: Attributes up to the end of their tag, where the tag is well-formed.
_ATTRIBUTES = re.compile(rb"""(?:\s*[^\s="'<>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?""")
_TAG = re.compile(rb"""<[^\s="'<>]+""" + _ATTRIBUTES.pattern)
#: As many bytes of names are compared at once.
_WORD_BYTES = 8


class UsualRecords:
    """Reads the records of a set that are in the usual form.

    Args:
        outline: What is read of a record.
        around: The element that each record stands in; None if it stands in the set itself.
    """

    def __init__(self, outline: Outline, around: str | None) -> None:
        self._outline = outline
        self._outer = _Name(around or outline.name)
        self._inner = None if around is None else _Name(outline.name)
        self._branch = _BranchBytes(outline.root)
        #: Behind the document, so that no name is compared with what is beyond its end.
        self._blanks = b"\n" * (_longest_name(outline.root, around or "") + _WORD_BYTES)
        # The stubs want methods that would be called for each element and text.
        target: Any = _NoTree()
        self._parser = etree.XMLParser(target=target, **PARSER_OPTIONS)

    def read(
        self, opening: bytes, piece: memoryview, closing: bytes, *, last: bool
    ) -> list[Row | bytes] | None:
        """Read the records of a piece of a set.

        Args:
            opening: What stands before the first record of the set.
            piece: The piece, of whole records.
            closing: The end tag of the set.
            last: Whether that tag stands in the piece, and what follows it.

        Returns:
            Of each record its row; or its bytes, up to the next record, if it is not usual. None if
            the piece is not usual, so that its tree decides.
        """
        document = b"".join((opening, piece, b"" if last else closing, self._blanks))
        start, end = len(opening), document.rfind(closing)
        if end <= start or not self._is_well_formed(document):
            return None
        tags = _Tags.of(document, start, end)
        if tags is None:
            return None
        outer = tags.records()
        begins = [*tags.opens[outer.first].tolist(), end]
        ends = [start, *(document.index(b">", at) + 1 for at in tags.opens[outer.last].tolist())]
        if any(document[at:to].strip() for at, to in zip(ends, begins, strict=True) if at < to):
            return None
        found = _Found.nothing(len(outer.records), self._outline.root.end)
        inner = outer.take(self._outer.find(tags, outer))
        if self._inner is not None:
            children = tags.children(inner)
            inner = children.take(self._inner.find(tags, children))
        found.require_one(inner)
        of_xml = _find_of_xml(document, tags.codes, start, end)
        found.forbid(np.searchsorted(begins, of_xml, side="right") - 1)
        self._branch.read(tags, inner, found)
        columns = zip(*found.columns, strict=True)
        rows: list[Row | bytes] = [*map(self._outline.make_row, columns)]
        if not all(found.usual):
            for record in [at for at, usual in enumerate(found.usual) if not usual]:
                rows[record] = document[begins[record] : begins[record + 1]]
        return rows

    def _is_well_formed(self, document: bytes) -> bool:
        """Whether libxml2 would build a tree of a document without a single message."""
        if len(document) > _MOST_BYTES:
            return False
        try:
            etree.fromstring(document, self._parser)
        except etree.XMLSyntaxError:
            return False
        # It goes on where the prefix of a name is not declared, for example.
        return not len(self._parser.error_log)


class _NoTree:
    """Makes a parser look at a document and keep nothing of it."""

    def close(self) -> None:
        """Called at the end of the document."""


@dataclass(frozen=True)
class _Elements:
    """Elements of one level, in the order in which they stand."""

    #: As many elements are around each, up to that of its record.
    level: int
    #: The numbers of their start tags, and of their end tags; an empty element has one tag.
    first: _Numbers
    last: _Numbers
    #: The words that their names begin with.
    words: _Words
    #: The numbers of the records that they are of.
    records: _Numbers

    def take(self, which: _Numbers) -> _Elements:
        """Some of them."""
        return _Elements(
            self.level, self.first[which], self.last[which], self.words[which], self.records[which]
        )


@dataclass(frozen=True)
class _Tags:
    """The tags of a part of a document."""

    document: bytes
    codes: _Bytes
    #: The bytes from each place on, as many as are compared at once.
    words: _Words
    #: Where they begin.
    opens: _Numbers
    is_end: npt.NDArray[np.bool_]
    #: The numbers of those that are whole elements.
    empty: _Numbers
    #: How many elements are around that which each begins or ends.
    levels: _Bytes
    _of_level: dict[int, _Numbers] = field(default_factory=dict)

    @classmethod
    def of(cls, document: bytes, start: int, end: int) -> _Tags | None:
        """Find the tags of a well-formed document between two places.

        Returns:
            None if something else begins like a tag, elements are too deep, or not all end.
        """
        codes = np.frombuffer(document, np.uint8)
        opens = (codes[start:end] == _OPEN).nonzero()[0] + start
        behind = codes[opens + 1]
        if any((behind == code).any() for code in _OF_NO_TAG):
            return None
        is_end = behind == _SLASH
        steps = 1 - 2 * is_end.astype(np.int8)
        empty = np.array([], np.int64)
        # Of an empty element, no tag is the end.
        if steps.sum():
            slashes = (codes[start:end] == _SLASH).nonzero()[0] + start
            slashes = _keep_places(codes, slashes, b"/>")
            empty = opens.searchsorted(slashes) - 1
            # Else it stands in a text, or in the value of an attribute.
            tags = map(document.__getitem__, map(slice, opens[empty].tolist(), slashes.tolist()))
            empty = empty[np.array([_TAG.fullmatch(tag) is not None for tag in tags], np.bool_)]
            steps[empty] = 0
        depths = steps.cumsum() - (steps > 0)
        # Not all elements end where another end of a set is taken for that of the set itself.
        if steps.sum() or depths.max(initial=0) > _MOST_LEVELS:
            return None
        levels = depths.astype(np.uint8)
        words = np.ndarray(len(document) - _WORD_BYTES + 1, "<u8", document, strides=(1,))
        return cls(document, codes, words, opens, is_end, empty, levels)

    def records(self) -> _Elements:
        """The elements that stand in no other one."""
        of_level = self._list_level(0)
        at = (~self.is_end[of_level[:-1]]).nonzero()[0]
        return self._elements(0, at, np.arange(len(at)))

    def children(self, parents: _Elements) -> _Elements:
        """The elements that stand directly in others."""
        level = parents.level + 1
        of_level = self._list_level(level)
        start = of_level.searchsorted(parents.first)
        counts = of_level.searchsorted(parents.last) - start
        before = counts.cumsum() - counts
        at = np.arange(counts.sum()) + (start - before).repeat(counts)
        begin = (~self.is_end[of_level[at]]).nonzero()[0]
        return self._elements(level, at[begin], parents.records.repeat(counts)[begin])

    def _list_level(self, level: int) -> _Numbers:
        """The numbers of the tags of a level, and behind them that which a further tag had."""
        if level not in self._of_level:
            numbers = (self.levels == level).nonzero()[0]
            self._of_level[level] = np.append(numbers, len(self.levels))
        return self._of_level[level]

    def _elements(self, level: int, at: _Numbers, records: _Numbers) -> _Elements:
        """The elements whose tags begin at these places of the list of a level."""
        of_level = self._list_level(level)
        first = of_level[at]
        # Whatever stands between the two tags of an element is of a deeper level.
        last = of_level[at + 1]
        if len(self.empty):
            last = np.where(np.isin(first, self.empty), first, last)
        return _Elements(level, first, last, self.words[self.opens[first] + 1], records)

    def attributes(self, elements: _Elements, name: _Name) -> list[bytes] | None:
        """What stands between the names of start tags and the next `>`; None if nothing does."""
        at = self.opens[elements.first] + 1 + name.size
        if (self.codes[at] == _CLOSE).all():
            return None
        return [self.document[each : self.document.index(b">", each)] for each in at.tolist()]

    def contents(self, elements: _Elements, name: _Name, behind: list[int]) -> list[bytes]:
        """What stands in elements; `behind` their names are so many bytes of their tags."""
        begins = self.opens[elements.first] + name.size + len(b"<>")
        if behind:
            begins += behind
        ends = self.opens[elements.last].tolist()
        document = self.document
        # The end of an empty element stands before it.
        return [document[at:to] for at, to in zip(begins.tolist(), ends, strict=True)]


def _keep_places(codes: _Bytes, places: _Numbers, text: bytes) -> _Numbers:
    """Those of some places at which a text stands."""
    for at, code in enumerate(text):
        places = places[codes[places + at] == code]
    return places


def _find_of_xml(document: bytes, codes: _Bytes, start: int, end: int) -> _Numbers:
    """The places of `xml` from an end of a tag on to the begin of one."""
    # Two of its bytes are a pair at an even place. Fewer pairs than bytes are compared, and of each
    # byte alone some texts are full.
    base = start & ~1
    pairs = np.frombuffer(document, "<u2", (end - base) // 2, base)
    of_xml = (pairs == _PAIRS_OF_XML[0]) | (pairs == _PAIRS_OF_XML[1])
    places: _Numbers = 2 * of_xml.nonzero()[0] + base
    places -= codes[places] != _OF_XML[0]
    return _keep_places(codes, places, _OF_XML)


class _Name:
    """The name of an element, which is found among others at once."""

    def __init__(self, name: str) -> None:
        encoded = name.encode()
        self.size = len(encoded)
        head = encoded[:_WORD_BYTES]
        self._head = np.uint64(int.from_bytes(head, "little"))
        self._of_head = np.uint64(2 ** (8 * len(head)) - 1)
        starts = range(_WORD_BYTES, self.size, _WORD_BYTES)
        #: The words behind the head by their place; the last one overlaps the one before.
        self._words = {
            at: np.uint64(int.from_bytes(encoded[at : at + _WORD_BYTES], "little"))
            for at in (min(start, self.size - _WORD_BYTES) for start in starts)
        }

    def find(self, tags: _Tags, elements: _Elements) -> _Numbers:
        """Which of these elements have the name."""
        found: _Numbers = ((elements.words & self._of_head) == self._head).nonzero()[0]
        if len(found):
            names = tags.opens[elements.first[found]] + 1
            is_it = _ENDS_NAME[tags.codes[names + self.size]]
            for at, word in self._words.items():
                is_it &= tags.words[names + at] == word
            found = found[is_it]
        return found


@dataclass(frozen=True)
class _Found:
    """What is found of the records of a document."""

    #: Whether each of them is usual.
    usual: list[bool]
    #: By value of the outline, that of each record.
    columns: list[list[str | None]]

    @classmethod
    def nothing(cls, records: int, values: int) -> _Found:
        """Nothing of any record."""
        return cls([True] * records, [[None] * records for _ in range(values)])

    def require_one(self, elements: _Elements) -> None:
        """A record is not usual if none of these elements is of it."""
        for record in {*range(len(self.usual))}.difference(elements.records.tolist()):
            self.usual[record] = False

    def take_one(self, elements: _Elements) -> _Elements:
        """One element of each record; a record is not usual if several are of it."""
        records = elements.records
        goes_on = records[1:] == records[:-1]
        if not goes_on.any():
            return elements
        self.forbid(records[1:][goes_on])
        return elements.take(np.append([0], (~goes_on).nonzero()[0] + 1))

    def forbid(self, records: _Numbers) -> None:
        """These records are not usual."""
        for record in records.tolist():
            self.usual[record] = False

    def set(self, value: int, records: _Numbers, of_records: list[str | None]) -> None:
        """Set a value of some records, each of which is there once."""
        if len(of_records) == len(self.usual):
            self.columns[value] = of_records
            return
        column = self.columns[value]
        for record, of_record in zip(records.tolist(), of_records, strict=True):
            column[record] = of_record


class _PartBytes:
    """Reads a part of the outline, of all records at once."""

    def __init__(self, node: Node) -> None:
        self.name = _Name(node.name)
        # The value of an attribute precedes those of a branch, and follows that of a leaf.
        self._at_attribute = node.start + isinstance(node.part, Leaf)
        attribute = node.part.attribute
        self._attribute = None if attribute is None else _Attributes(attribute)

    def read(self, tags: _Tags, elements: _Elements, found: _Found) -> None:
        """Read the values of some elements of this part.

        Args:
            tags: The tags of the document.
            elements: The elements; a record with several is not usual.
            found: Gets the values.
        """
        elements = found.take_one(elements)
        attributes = tags.attributes(elements, self.name)
        if attributes is not None and not all(map(_are_whole, {*attributes})):
            whole = np.array([*map(_are_whole, attributes)])
            found.forbid(elements.records[~whole])
            elements = elements.take(whole.nonzero()[0])
            attributes = [each for each in attributes if _are_whole(each)]
        if self._attribute is not None:
            of_each = attributes or [b""] * len(elements.records)
            of_attribute = [self._attribute[each] for each in of_each]
            found.set(self._at_attribute, elements.records, of_attribute)
        self._read(tags, elements, [*map(len, attributes or ())], found)

    def _read(self, tags: _Tags, elements: _Elements, behind: list[int], found: _Found) -> None:
        """Read the values besides that of the attribute.

        Args:
            tags: The tags of the document.
            elements: The elements.
            behind: By element, how many bytes are between its name and the `>`; empty if none are.
            found: Gets the values.
        """
        raise NotImplementedError


class _BranchBytes(_PartBytes):
    """Reads a branch."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._children = [
            _LeafBytes(child, child.part) if isinstance(child.part, Leaf) else _BranchBytes(child)
            for child in node.children.values()
        ]

    def _read(self, tags: _Tags, elements: _Elements, behind: list[int], found: _Found) -> None:
        del behind
        children = tags.children(elements)
        for child in self._children:
            of_child = children.take(child.name.find(tags, children))
            if len(of_child.records):
                child.read(tags, of_child, found)


class _LeafBytes(_PartBytes):
    """Reads a leaf."""

    def __init__(self, node: Node, leaf: Leaf) -> None:
        super().__init__(node)
        self._start = node.start
        self._is_text = leaf.is_text
        self._of_content = _Contents(node.name, leaf)

    def _read(self, tags: _Tags, elements: _Elements, behind: list[int], found: _Found) -> None:
        contents = tags.contents(elements, self.name, behind)
        of_content = self._of_content
        values: list[str | None]
        if not self._is_text:
            values = [of_content[content] for content in contents]
        elif all(contents) and not _is_marked_up(b"".join(contents)):
            # To remember plain texts takes longer than to make them.
            values = [content.decode() for content in contents]
        else:
            values = [
                of_content[content] if not content or _is_marked_up(content) else content.decode()
                for content in contents
            ]
        found.set(self._start, elements.records, values)


@lru_cache(_REMEMBERED)
def _are_whole(attributes: bytes) -> bool:
    """Whether what stands before a `>` is all attributes, which no value goes on behind."""
    return _ATTRIBUTES.fullmatch(attributes) is not None


def _is_marked_up(content: bytes) -> bool:
    """Whether the text of an element may be another one than is written."""
    return b"<" in content or b"&" in content or b"\r" in content


def _longest_name(node: Node, *others: str) -> int:
    """The length of the longest name of an element."""
    return max(len(node.name), *map(len, others), *map(_longest_name, node.children.values()), 0)


class _Remembered(dict[bytes, "str | None"]):
    """Values by the bytes that they are read from."""

    def __missing__(self, markup: bytes) -> str | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[markup] = value = self.read(markup)
        return value

    def read(self, markup: bytes) -> str | None:
        raise NotImplementedError


class _Contents(_Remembered):
    """The values of a leaf, by its content."""

    def __init__(self, name: str, leaf: Leaf) -> None:
        super().__init__()
        self._name = name.encode()
        self._leaf = leaf

    def read(self, markup: bytes) -> str | None:
        element = b"<%s>%s</%s>" % (self._name, markup, self._name)
        return self._leaf.read(etree.fromstring(element, _PARSER))


class _Attributes(_Remembered):
    """The values of an attribute, by the attributes of its element."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def read(self, markup: bytes) -> str | None:
        value: str | None = etree.fromstring(b"<a%s/>" % markup, _PARSER).get(self._name)
        return value


_PARSER = etree.XMLParser(**PARSER_OPTIONS)
