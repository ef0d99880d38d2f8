"""What is read of a record of XML: its outline, declared once (SPEC 1).

An outline names the elements that are read, where they stand, and what reads each. All others are
passed over. Records are read by their outline from the tree of libxml2 here, and from their bytes
by `xml_usual`. What the values mean belongs to the module of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drug_assets.formats.xml_kind import Row

#: The values of an outline, in the order in which it names them.
Values: TypeAlias = "list[str | None]"
#: A part of an outline.
Part: TypeAlias = Union["Leaf", "Branch"]


@dataclass(frozen=True)
class Leaf:
    """An element that gives a value. Of several, the last counts."""

    #: Reads the value of the element. It may look at all that is in the element, but at none of the
    #: attributes of the element itself.
    read: Callable[[Any], str | None]
    #: An attribute of the element that is read, too: the next value.
    attribute: str | None = None
    #: Whether an element that holds only a text has it as its value.
    is_text: bool = True
    #: Whether, of several, the first with a value counts instead.
    first: bool = False


@dataclass(frozen=True)
class Branch:
    """An element whose children are read by their names. Of several, the last counts."""

    children: Mapping[str, Part]
    #: An attribute of the element that is read, too: the first value.
    attribute: str | None = None
    #: Whether, of several, the values of earlier ones stay where a later one gives none.
    adds: bool = False


@dataclass(frozen=True)
class Node:
    """A part of an outline, and where its values stand."""

    name: str
    part: Part
    #: Its values are those from `start` to before `end`.
    start: int
    end: int
    #: The nodes of the children, by their names; none of a leaf.
    children: Mapping[str, Node]


@dataclass(frozen=True)
class Outline:
    """What is read of a record."""

    #: The element of the record.
    name: str
    branch: Branch
    #: Makes the row of the values.
    make_row: Callable[[Sequence[str | None]], Row]

    @cached_property
    def root(self) -> Node:
        """The node of the record."""
        return _number(self.name, self.branch, 0)

    def read(self, record: Any) -> list[Row]:
        """The row of a record, from its element."""
        values: Values = [None] * self.root.end
        _read_branch(self.root, self.branch, record, values)
        return [self.make_row(values)]


def _number(name: str, part: Part, start: int) -> Node:
    """The node of a part whose first value has this number."""
    end = start + (part.attribute is not None) + isinstance(part, Leaf)
    children = {}
    for child, below in part.children.items() if isinstance(part, Branch) else ():
        children[child] = _number(child, below, end)
        end = children[child].end
    return Node(name, part, start, end, children)


def _read_branch(node: Node, branch: Branch, element: Any, values: Values) -> None:
    """Speed matters here: to iterate over all children is faster than searches by lxml."""
    if branch.attribute is not None:
        values[node.start] = element.get(branch.attribute)
    children = node.children
    for part in element:
        child = children.get(part.tag)
        if child is None:
            continue
        below = child.part
        if isinstance(below, Leaf):
            read_leaf(child, below, part, values)
        else:
            if not below.adds:
                values[child.start : child.end] = [None] * (child.end - child.start)
            _read_branch(child, below, part, values)


def read_leaf(node: Node, leaf: Leaf, element: Any, values: Values) -> None:
    """Read the values of a leaf from its element.

    Args:
        node: The node of the leaf.
        leaf: The leaf.
        element: The element.
        values: Gets the values.
    """
    if leaf.first and values[node.start]:
        return
    values[node.start] = leaf.read(element)
    if leaf.attribute is not None:
        values[node.start + 1] = element.get(leaf.attribute)
