"""Records of XML in the usual form -> rows, straight from their bytes (SPEC 1).

libxml2 takes most of its time for what nobody reads: abstracts, authors, references. Here a record
is matched by regular expressions that follow from its outline. They pass over what is not read, and
prove as they go that the record is well-formed: tags that match each other, attributes that differ,
no comment, no declaration. So a record that matches has the row that libxml2 would give, and any
other one, or one of odd characters, is left to libxml2, which alone decides what is damaged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from drug_assets.formats.xml_kind import PARSER_OPTIONS
from drug_assets.formats.xml_outline import Branch, Leaf, read_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drug_assets.formats.xml_kind import Row
    from drug_assets.formats.xml_outline import Node, Outline, Values

#: A longer piece is left to libxml2, which refuses some huge texts.
_MOST_BYTES = 1024**2
#: Elements that are not read may be as deep in a record. Each level costs groups, and these time.
_DEPTH = 6
#: As many values of an element are remembered by its content.
_REMEMBERED = 4096

# Possessive, so that nothing is looked at twice. What a group holds that did not match in the end
# may stay (python/cpython#101955): no group is relied on where a failure does not fail the record.
_TEXT = rb"[^<]*+"
_NAME = rb"[A-Za-z_][A-Za-z0-9_.-]{0,99}+"
#: None begins with an x, as `xmlns` does, which declares a namespace.
_ATTRIBUTE_NAME = rb"[A-WYZa-wyz_][A-Za-z0-9_.-]{0,99}+"
_VALUE = rb'="[^"<]*+"'
_BLANK = rb"[ \t\n]*+"

_REFERENCES = (b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;")
#: The control characters that XML forbids, and the one that libxml2 reads as the end of a line.
_FORBIDDEN = tuple(bytes([code]) for code in range(0x20) if code not in (0x9, 0xA))


def is_plain(piece: bytes, ascii_only: bool) -> bool:
    """Whether all bytes are characters that XML allows, and all references are plain.

    Args:
        piece: The bytes; it does not matter what stands where.
        ascii_only: Whether other characters than ASCII are not allowed.
    """
    if len(piece) > _MOST_BYTES or any(map(piece.__contains__, _FORBIDDEN)):
        return False
    if not piece.isascii():
        try:
            piece.decode("ascii" if ascii_only else "utf-8")
        except UnicodeDecodeError:
            return False
        # One byte is found many times as fast as three.
        if b"\xef" in piece and (b"\xef\xbf\xbe" in piece or b"\xef\xbf\xbf" in piece):
            return False
    if not all(piece.startswith(_REFERENCES, at) for at in _find_all(piece, b"&")):
        return False
    # The end of a CDATA section must stand in no text.
    return not any(piece.startswith(b"]]>", at) for at in _find_all(piece, b"]"))


def _find_all(piece: bytes, byte: bytes) -> Iterator[int]:
    """The places of a byte: faster than to count it or to split there, where it is rare."""
    at = piece.find(byte)
    while at >= 0:
        yield at
        at = piece.find(byte, at + 1)


class UsualRecords:
    """Reads the records of a set that are in the usual form.

    Args:
        outline: What is read of a record.
        around: The element that each record stands in; None if it stands in the set itself.
    """

    def __init__(self, outline: Outline, around: str | None) -> None:
        self._outline = outline
        groups = _Groups()
        before = b"" if around is None else b"<%s>%s" % (around.encode(), _TEXT)
        attributes, start = groups.start_tag(outline.name)
        self._start = re.compile(_BLANK + before + start)
        self._attributes = attributes
        after = b""
        if around is not None:
            passed = _Groups().element_but([outline.name], _DEPTH)
            after = b"%s(?:<%s%s)*+</%s>" % (_TEXT, passed, _TEXT, around.encode())
        self._end = re.compile(after)
        self._branch = _BranchBytes(outline.root, outline.branch, _DEPTH)

    def read(self, piece: bytes, at: int, rows: list[Row]) -> int:
        """Read as many usual records as follow each other.

        Args:
            piece: Bytes that are plain (`is_plain`).
            at: A place between two records.
            rows: Gets the rows of the records.

        Returns:
            The place behind the last of them.
        """
        while (started := self._start.match(piece, at)) is not None:
            values: Values = [None] * self._outline.root.end
            end = self._branch.read(piece, started.end(), started[self._attributes], values)
            ended = None if end is None else self._end.match(piece, end)
            if ended is None:
                break
            rows.append(self._outline.make_row(values))
            at = ended.end()
        return at


class _BranchBytes:
    """Reads a branch from bytes: by one match up to each branch in it, and one up to its end.

    A branch in it that holds only leaves is read in the same match, as part of it.

    Args:
        node: The node of the branch.
        branch: The branch.
        depth: Elements in it that are not read may be as deep.
    """

    def __init__(self, node: Node, branch: Branch, depth: int) -> None:
        self._start = node.start
        self._forgotten: Values = [] if branch.adds else [None] * (node.end - node.start)
        self._attribute = None if branch.attribute is None else _Attributes(branch.attribute)
        groups = _Groups()
        leaves = _list_leaves(node)
        small = [child for child in node.children.values() if _is_small(child)]
        large = [
            (child, child.part)
            for child in node.children.values()
            if isinstance(child.part, Branch) and child not in small
        ]
        # Behind `<`: a leaf, a small branch, or what is not read.
        self._leaves: list[_LeafBytes] = []
        children = [self._compose_leaf(*leaf, groups) for leaf in leaves]
        self._by_name = {leaf.name: leaf for leaf in self._leaves}
        self._small: list[int] = []
        children += [self._compose_small(child, groups) for child in small]
        children.append(groups.element_but(node.children, depth))
        self._end = groups.take()
        stops = [b"(</%s>)" % node.name.encode()]
        # Not taken if there is none.
        self._leaf = groups.take()
        stops.append(b"<(%s)(?=[ />])" % (b"|".join(self._by_name) or b"(?!)"))
        self._large: dict[int, tuple[int, _BranchBytes]] = {}
        for child, part in large:
            opened = groups.take()
            attributes, tag = groups.start_tag(child.name)
            self._large[opened] = attributes, _BranchBytes(child, part, depth - 1)
            stops.append(b"(%s)" % tag)
        self._pattern = re.compile(
            b"%s(?:<(?:%s)%s)*+(?:%s)" % (_TEXT, b"|".join(children), _TEXT, b"|".join(stops))
        )
        # The end twice, so that there are several, and all are taken in one call.
        self._contents = [*(leaf.content for leaf in self._leaves), self._end, self._end]

    def _compose_leaf(self, node: Node, leaf: Leaf, groups: _Groups) -> bytes:
        """What matches a leaf behind `<`, if it stands once and is flat."""
        attributes, content = groups.take(), groups.take()
        self._leaves.append(_LeafBytes(node, leaf, attributes, content))
        return b"%s(?(%d)(?!))((?: %s%s)?+)>(%s(?:<(?!/)%s%s)*+)</%s>" % (
            *(node.name.encode(), content, _ATTRIBUTE_NAME, _VALUE),
            *(_TEXT, groups.flat_element(), _TEXT, node.name.encode()),
        )

    def _compose_small(self, node: Node, groups: _Groups) -> bytes:
        """What matches a small branch behind `<`, if it stands once."""
        attributes = groups.take()
        self._small.append(attributes)
        leaves = [self._compose_leaf(*leaf, groups) for leaf in _list_leaves(node)]
        children = b"|".join([*leaves, _except(node.children) + groups.flat_element()])
        return b"%s(?(%d)(?!))((?: %s%s)?+)>%s(?:<(?:%s)%s)*+</%s>" % (
            *(node.name.encode(), attributes, _ATTRIBUTE_NAME, _VALUE),
            *(_TEXT, children, _TEXT, node.name.encode()),
        )

    def read(self, piece: bytes, at: int, attributes: bytes, values: Values) -> int | None:
        """Read the branch.

        Args:
            piece: Bytes that are plain.
            at: The place behind its start tag.
            attributes: Its attributes, as they are written.
            values: Gets the values.

        Returns:
            The place behind its end tag; None if it is not in the usual form.
        """
        start = self._start
        values[start : start + len(self._forgotten)] = self._forgotten
        if self._attribute is not None:
            values[start] = self._attribute[attributes]
        end: int | None = at
        small: set[int] = set()
        while end is not None and (found := self._pattern.match(piece, end)) is not None:
            stop = found.lastindex or 0
            stopped = found.start(stop) if stop == self._leaf else None
            if not self._take_leaves(found, stopped, values):
                return None
            for group in self._small:
                if found.start(group) >= 0:
                    if group in small:
                        return None
                    small.add(group)
            if stop == self._end:
                return found.end()
            if stopped is not None:
                end = self._read_leaf(found[stop], piece, stopped - 1, values)
            else:
                group, branch = self._large[stop]
                end = branch.read(piece, found.end(), found[group], values)
        return None

    def _take_leaves(self, found: re.Match[bytes], stopped: int | None, values: Values) -> bool:
        """Read the leaves of a match; False if there are several of a kind.

        Args:
            found: The match.
            stopped: The place of the leaf that it stopped at, as that did not match itself; but its
                groups may be there.
            values: Gets the values.
        """
        contents = found.group(*self._contents)
        for leaf, content in zip(self._leaves, contents, strict=False):
            if content is None or (stopped is not None and found.start(leaf.content) > stopped):
                continue
            start = leaf.start
            if values[start] is not None:
                return False
            # To remember plain texts takes longer than to make them.
            if leaf.is_text and content and b"<" not in content and b"&" not in content:
                values[start] = content.decode()
            else:
                values[start] = leaf.of_contents[content]
            if leaf.attribute is not None:
                values[start + 1] = leaf.attribute[found[leaf.attributes]]
        return True

    def _read_leaf(self, name: bytes, piece: bytes, at: int, values: Values) -> int | None:
        """Read the values of the leaf that stands at a place, of any form.

        Returns:
            The place behind it; None if there are several, or it is not in the usual form.
        """
        leaf = self._by_name[name]
        found = _ELEMENT.match(piece, at)
        if found is None or values[leaf.start] is not None:
            return None
        read_leaf(leaf.node, leaf.leaf, etree.fromstring(found[0], _PARSER), values)
        return found.end()


def _list_leaves(node: Node) -> list[tuple[Node, Leaf]]:
    return [(c, c.part) for c in node.children.values() if isinstance(c.part, Leaf)]


def _is_small(node: Node) -> bool:
    """Whether a part is a branch of leaves alone."""
    is_branch = isinstance(node.part, Branch) and node.part.attribute is None
    return is_branch and len(_list_leaves(node)) == len(node.children)


class _LeafBytes:
    """A leaf, and the groups of its attributes and of its content."""

    def __init__(self, node: Node, leaf: Leaf, attributes: int, content: int) -> None:
        self.node = node
        self.leaf = leaf
        self.name = node.name.encode()
        self.start = node.start
        self.attributes = attributes
        self.content = content
        self.is_text = leaf.is_text
        self.of_contents = _Contents(self.name, leaf)
        self.attribute = None if leaf.attribute is None else _Attributes(leaf.attribute)


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

    def __init__(self, name: bytes, leaf: Leaf) -> None:
        super().__init__()
        self._name = name
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


class _Groups:
    """Composes a regular expression, and numbers its groups in the order in which they stand."""

    def __init__(self) -> None:
        self._taken = 0

    def take(self) -> int:
        """The number of the next group."""
        self._taken += 1
        return self._taken

    def start_tag(self, name: str) -> tuple[int, bytes]:
        """What matches a start tag, behind the number of the group of its attributes."""
        number, one, two = self.take(), self.take(), self.take()
        third = b"(?: %s%s%s)?+" % (_but(one, two), _ATTRIBUTE_NAME, _VALUE)
        second = b"(?: %s%s%s%s)?+" % (_but(one), _group(two, _ATTRIBUTE_NAME), _VALUE, third)
        first = b"(?: %s%s%s)?+" % (_group(one, _ATTRIBUTE_NAME), _VALUE, second)
        return number, b"<%s(%s)>" % (name.encode(), first)

    def element(self, depth: int) -> bytes:
        """What matches an element behind `<`."""
        name, one, two = self.take(), self.take(), self.take()
        third = b" %s%s%s/?+>" % (_but(one, two), _ATTRIBUTE_NAME, _VALUE)
        second = b" %s%s%s(?:>|/>|%s)" % (_but(one), _group(two, _ATTRIBUTE_NAME), _VALUE, third)
        first = b" %s%s(?:>|/>|%s)" % (_group(one, _ATTRIBUTE_NAME), _VALUE, second)
        end = b"</(?P=g%d)>" % name
        if depth > 1:
            end = b"(?:%s|(?:<(?!/)%s%s)*+%s)" % (end, self.element(depth - 1), _TEXT, end)
        return b"%s(?:>|/>|%s)(?:(?<=/>)|%s%s)" % (_group(name, _NAME), first, _TEXT, end)

    def flat_element(self) -> bytes:
        """What matches an element behind `<` that has one attribute at most, and only a text."""
        name = self.take()
        whole = (_group(name, _NAME), _ATTRIBUTE_NAME, _VALUE, _TEXT, name)
        return b"%s(?: %s%s)?+(?:>%s</(?P=g%d)>|/>)" % whole

    def element_but(self, names: Iterable[str], depth: int) -> bytes:
        """What matches an element of another name behind `<`."""
        return _except(names) + self.element(depth)


def _group(number: int, expression: bytes) -> bytes:
    return b"(?P<g%d>%s)" % (number, expression)


def _except(names: Iterable[str]) -> bytes:
    """What matches behind `<` if none of these elements begins, and none ends."""
    return b"(?!/|(?:%s)[ />])" % b"|".join(name.encode() for name in names)


def _but(*numbers: int) -> bytes:
    """What matches if the name of an attribute does not stand in any of these groups."""
    return b"(?!%s)" % b"|".join(b"(?P=g%d)=" % number for number in numbers)


_PARSER = etree.XMLParser(**PARSER_OPTIONS)
_ELEMENT = re.compile(b"<" + _Groups().element(_DEPTH))
