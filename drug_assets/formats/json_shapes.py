"""The layouts of JSON that services and tools are known to write, as declared paths (SPEC 1).

A source declares a `JsonShape` for each layout that its flat keys do not describe: the paths at
which a record of this layout has the fields. The code for all shapes is here; a new one is a
declaration. Finding records in a file belongs to `json_records`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from drug_assets.terms import is_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from drug_assets.formats.record_shape import Members
    from drug_assets.terms import ReadIssue


class Step:
    """A step of a path that is not simply a key."""

    def take(self, value: object) -> Iterator[object]:
        """The values to which the step leads from a value; from a list, those of its items."""
        raise NotImplementedError


@dataclass(frozen=True)
class Having(Step):
    """Only objects that have a text under a key."""

    key: str
    text: str

    def take(self, value: object) -> Iterator[object]:
        """The object itself, if it has it."""
        for one in _list_items(value):
            if isinstance(one, tuple) and _member(one, self.key) == self.text:
                yield one


@dataclass(frozen=True)
class HavingNone(Step):
    """Only objects that have none of some texts under a key."""

    key: str
    texts: tuple[str, ...]

    def take(self, value: object) -> Iterator[object]:
        """The object itself, if it has none of them."""
        for one in _list_items(value):
            if isinstance(one, tuple) and _member(one, self.key) not in self.texts:
                yield one


@dataclass(frozen=True)
class Among(Step):
    """Only some texts, in any case."""

    texts: tuple[str, ...]

    def take(self, value: object) -> Iterator[object]:
        """The text, if it is one of them."""
        for one in _list_items(value):
            if isinstance(one, str) and one.strip().casefold() in self.texts:
                yield one


@dataclass(frozen=True)
class Within(Step):
    """What a regular expression finds in a text: its groups, if all of the text matches."""

    pattern: str
    #: What stands before each of the values in the field, such as the scheme of an identifier.
    prefix: str = ""

    def take(self, value: object) -> Iterator[object]:
        """The groups that hold something; what is no text stays as it is."""
        for one in _list_items(value):
            if not isinstance(one, str):
                yield one
            elif match := re.fullmatch(self.pattern, one.strip(), re.DOTALL):
                yield from (f"{self.prefix}{group.strip()}" for group in match.groups() if group)


@dataclass(frozen=True)
class IfTrue(Step):
    """A text that stands for `true`."""

    text: str

    def take(self, value: object) -> Iterator[object]:
        """The text, if the value is true."""
        if value is True:
            yield self.text


@dataclass(frozen=True)
class DateParts(Step):
    """A date given as a list of year, month and day, as CSL has it."""

    def take(self, value: object) -> Iterator[object]:
        """The first date, as YYYY-MM-DD, YYYY-MM or YYYY."""
        parts = value
        while isinstance(parts, list) and parts and isinstance(parts[0], list):
            parts = parts[0]
        texts = []
        for part in parts if isinstance(parts, list) else []:
            if not isinstance(part, str) or is_missing(part):
                break
            texts.append(part.strip().zfill(2))
        if texts:
            yield "-".join(texts)


@dataclass(frozen=True)
class Split(Step):
    """A text with several values, with codes or blanks around them."""

    #: Regular expressions of what separates the values, and of what is no part of them.
    separator: str
    no_part: str = r"\A\s+|\s+\Z"

    def take(self, value: object) -> Iterator[object]:
        """The values; what is no text stays as it is."""
        for one in _list_items(value):
            if not isinstance(one, str):
                yield one
                continue
            for text in re.split(self.separator, one):
                part = re.sub(self.no_part, "", text)
                if part:
                    yield part


@dataclass(frozen=True)
class First(Step):
    """The first item of a list."""

    def take(self, value: object) -> Iterator[object]:
        """The item; what is no list stays as it is."""
        items = _list_items(value)
        if items:
            yield items[0]


@dataclass(frozen=True)
class FirstLine(Step):
    """The first line of a text."""

    def take(self, value: object) -> Iterator[object]:
        """Its first line; what is no text stays as it is."""
        yield value.strip().partition("\n")[0] if isinstance(value, str) else value


#: Keys and other steps, from the record to a value. A key leads from a list to the members of all
#: its objects.
Path: TypeAlias = "tuple[str, *tuple[str | Step, ...]]"


@dataclass(frozen=True)
class JsonShape:
    """One layout of records."""

    #: The service or tool that writes it.
    name: str
    #: A record has this layout if it has something at one of these paths.
    marks: tuple[Path, ...]
    #: By field, the paths at which a record has it. A field takes what it finds at the first path
    #: that leads to something, a multi-valued field what it finds at all of them.
    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    #: The known members of its records that are no fields, even those with the name of one, between
    #: blanks: nobody is told that they are not read.
    no_fields: str = ""
    #: Whether a record of this layout is one of the source, whatever fields it has.
    certain: bool = False
    #: Whether the members that are no fields are kept in `extra`.
    keeps_others: bool = True
    #: Read issues of a record that has something at a path, if it keeps no others.
    issues: tuple[tuple[ReadIssue, Path], ...] = ()
    #: Read issues of a record that has nothing at a path, if it keeps no others.
    issues_without: tuple[tuple[ReadIssue, Path], ...] = ()
    #: Records of this layout are not read: what to do instead.
    cure: str | None = None

    def fits(self, members: Members) -> bool:
        """Whether a record has this layout."""
        return any(_find(members, path) for path in self.marks)

    def issues_of(self, members: Members) -> tuple[str, ...]:
        """The read issues of a record."""
        return (
            *(str(issue) for issue, path in self.issues if _find(members, path)),
            *(str(issue) for issue, path in self.issues_without if not _find(members, path)),
        )

    def read(
        self, members: Members, listed: Collection[str]
    ) -> tuple[dict[str, object], Collection[str]]:
        """The values of the fields that a record has at their paths.

        Args:
            members: The key-value pairs of a JSON object; objects in it are tuples of pairs too.
            listed: The multi-valued fields.

        Returns:
            The values, and the keys of the members that are nothing but these values.
        """
        found: list[list[object]] = [[] for _ in range(self._tree.count)]
        _collect(self._tree, members, found)
        fields: dict[str, object] = {}
        whole: set[str] = set()
        slot = 0
        for name, paths in self.paths.items():
            values: list[object] = []
            for path in paths:
                at_path = found[slot]
                slot += 1
                if at_path and (not values or name in listed):
                    if len(paths) > 1:
                        at_path = [value for value in at_path if not _is_nothing(value)]
                    values += at_path
                    if at_path and _is_whole(path):
                        whole.add(path[0])
            if values:
                fields[name] = values[0] if len(values) == 1 else values
        return fields, whole

    @cached_property
    def passed_over(self) -> frozenset[str]:
        """The names in `no_fields`."""
        return frozenset(self.no_fields.split())

    @cached_property
    def _tree(self) -> _Tree:
        """All paths, their common beginnings once, so that a record is looked through once."""
        tree = _Tree()
        for path in chain(*self.paths.values()):
            node = tree
            for step in path:
                node = node.branch(step)
            node.slots.append(tree.count)
            tree.count += 1
        return tree


@cache
def _is_whole(path: tuple[str, *tuple[str | Step, ...]]) -> bool:
    """Whether a path takes the whole member at its first key."""
    return not any(isinstance(step, (str, Having, First, FirstLine)) for step in path[1:])


class _Tree:
    """The steps that lead on from one point of some paths."""

    __slots__ = ("count", "keys", "slots", "steps")

    def __init__(self) -> None:
        self.keys: dict[str, _Tree] = {}
        self.steps: dict[Step, _Tree] = {}
        #: The numbers of the paths that end here.
        self.slots: list[int] = []
        #: Of the root: the number of paths.
        self.count = 0

    def branch(self, step: str | Step) -> _Tree:
        """The point to which a step leads."""
        if isinstance(step, str):
            return self.keys.setdefault(step, _Tree())
        return self.steps.setdefault(step, _Tree())


def _collect(tree: _Tree, value: object, found: list[list[object]]) -> None:
    """Add what a value has at the ends of the paths to the list of each."""
    for slot in tree.slots:
        if type(value) is list:
            found[slot] += [item for item in value if item is not None]
        else:
            found[slot].append(value)
    for step, branch in tree.steps.items():
        for taken in step.take(value):
            _collect(branch, taken, found)
    if tree.keys:
        if type(value) is tuple:
            _collect_members(tree.keys, value, found)
        elif type(value) is list:
            for item in value:
                if type(item) is tuple:
                    _collect_members(tree.keys, item, found)


def _collect_members(
    branches: Mapping[str, _Tree], members: Members, found: list[list[object]]
) -> None:
    taken = None
    for key, inner in members:
        branch = branches.get(key)
        # The first of duplicate keys counts.
        if branch is None or inner is None or (taken is not None and key in taken):
            continue
        _collect(branch, inner, found)
        if len(branches) == 1:
            break
        taken = taken or set()
        taken.add(key)


def _find(value: object, path: Path) -> list[object]:
    """What a value has at a path, without what is missing; the items of a list one by one."""
    values: Sequence[object] = [value]
    for step in path:
        values = [
            found
            for one in values
            for found in (_take_key(one, step) if isinstance(step, str) else step.take(one))
        ]
    return [item for one in values for item in _list_items(one) if not _is_nothing(item)]


def _take_key(value: object, key: str) -> Iterator[object]:
    for one in _list_items(value):
        if isinstance(one, tuple):
            found = _member(one, key)
            if found is not None:
                yield found


def _member(members: Members, key: str) -> object:
    return next((value for known, value in members if known == key), None)


def _list_items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else (value,)


def _is_nothing(value: object) -> bool:
    return value is None or value in ([], ()) or (isinstance(value, str) and is_missing(value))
