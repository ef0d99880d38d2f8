"""Where the records are in a JSON object that is none itself (SPEC 1).

Services wrap the records of a page: `{"count": 2, "results": [...]}`, `{"data": {"items": [...]}}`,
`{"result": {"1": {...}, "2": {...}}}`. A wrapper is recognized by what it holds, not by the names
of its members: somewhere below it is a list of objects, or an object of objects, that have a field
without which there is no record of the source. This module finds the way to them, in a value or in
the beginning of a text; `json_document` goes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, IntFlag, auto
from typing import TYPE_CHECKING

from drug_assets.formats.record_shape import normalize_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.formats.record_shape import Members, RecordShape

#: Wrappers are looked for down to this depth; records are decoded again for each level.
MAX_DEPTH = 24
#: The members of pandas' `orient="split"`.
COLUMNS, ROWS = "columns", "data"

#: An empty list under one of these names is a page without records.
_PAGE_LISTS = frozenset(
    {
        *("results", "result", "studies", "items", "data", "records", "hits", "docs", "works"),
        *("articles", "publications", "trials", "drugs", "entries", "rows", "list", "uids"),
    }
)
_MAX_CACHED_KEYS = 10_000
#: Deeper text is not looked through.
_MAX_TEXT_DEPTH = 500
_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:"((?:[^"\\]++|\\.)*+)"|([{}\[\],:])|([^\s"{}\[\],:]++))', re.DOTALL
)


class KeyKind(IntFlag):
    """What a key says of the object that has it."""

    NONE = 0
    #: It names a field of the source.
    FIELD = auto()
    #: It names the id.
    ID = auto()
    #: It names a field without which there is no record.
    REQUIRED = auto()
    #: Only a record of the source has it.
    CERTAIN = auto()


#: Kinds of keys that only records have, and those that records in lists are recognized by.
RECORD = KeyKind.ID | KeyKind.REQUIRED | KeyKind.CERTAIN
_EVIDENT = KeyKind.REQUIRED | KeyKind.CERTAIN


class Keys:
    """The kinds of the keys of a file."""

    def __init__(self, shape: RecordShape) -> None:
        self._shape = shape
        self._certain = {
            mark[0] for each in shape.json_shapes if each.certain for mark in each.marks
        }
        self._kinds: dict[str, KeyKind] = {}

    def kind(self, key: str) -> KeyKind:
        """The kind of a key."""
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MAX_CACHED_KEYS:
                self._kinds.clear()
            kind = self._kinds[key] = self._learn(key)
        return kind

    def kinds(self, keys: Iterable[str]) -> KeyKind:
        """The kinds of all keys of an object."""
        kinds = KeyKind.NONE
        for key in keys:
            kinds |= self.kind(key)
        return kinds

    def _learn(self, key: str) -> KeyKind:
        if key in self._certain:
            return KeyKind.CERTAIN
        field = self._shape.field_of(key)
        if field is None:
            return KeyKind.NONE
        kind = KeyKind.FIELD
        if field == "id":
            kind |= KeyKind.ID
        if field in self._shape.required:
            kind |= KeyKind.REQUIRED
        return kind


class Holds(Enum):
    """How a container holds its records."""

    LIST = auto()
    #: As members of an object, by id or number.
    MEMBERS = auto()
    #: As lists of values, with the keys once: pandas' `orient="split"`.
    SPLIT = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The way to the records of an object."""

    #: The keys from the object to the container of the records.
    path: tuple[str, ...]
    holds: Holds
    #: Other containers that may be meant as well.
    others: tuple[tuple[str, ...], ...] = ()


def find_in_value(value: object, keys: Keys) -> Wrapper | None:
    """Find the records in an object or list that is no record; None if it holds none.

    The shallowest container of records is the one that is meant. A record that stands alone, and
    has no id, is meant only if there is no other.
    """
    empty, has_objects = False, False
    # Containers of one depth, each with its path, and whether that ends at a list around it.
    level: list[tuple[object, tuple[str, ...], bool]] = [(value, (), False)]
    for _ in range(MAX_DEPTH):
        found: dict[tuple[str, ...], Holds] = {}
        below: list[tuple[object, tuple[str, ...], bool]] = []
        for container, path, in_list in level:
            holds = _holds(container, keys)
            if holds is not None:
                found.setdefault(path, Holds.LIST if in_list else holds)
            elif isinstance(container, list):
                below += [(item, path, True) for item in container if _is_container(item)]
                has_objects = has_objects or any(isinstance(item, tuple) for item in container)
            elif isinstance(container, tuple):
                for key, inner in container:
                    if not _is_container(inner) or keys.kind(key):
                        continue
                    below.append((inner, path if in_list else (*path, key), in_list))
                    empty = empty or (inner == [] and normalize_header(key) in _PAGE_LISTS)
        if found:
            (path, holds), *others = found.items()
            return Wrapper(path, holds, tuple(other for other, _ in others))
        level = below
    if empty and not has_objects:
        return Wrapper((), Holds.NOTHING)
    return _find_alone(value, keys)


def _find_alone(value: object, keys: Keys) -> Wrapper | None:
    """The shallowest record that is a member of an object, without an id; None if there is none."""
    level: list[tuple[object, tuple[str, ...]]] = [(value, ())]
    for _ in range(MAX_DEPTH):
        below: list[tuple[object, tuple[str, ...]]] = []
        for container, path in level:
            for key, inner in container if isinstance(container, tuple) else ():
                if keys.kind(key):
                    continue
                if _is_likely(inner, keys):
                    return Wrapper(path, Holds.MEMBERS)
                below.append((inner, (*path, key)))
        level = below
    return None


def holds_others(value: object, keys: Keys) -> bool:
    """Whether a member beside records is one, or holds some: they must not be passed over.

    An object that stands in no list must have an id and a required field. So must one in a list
    that is not the value itself, or another field: a list of columns has objects with names, too.
    """
    if isinstance(value, tuple) and _is_sure(_kinds(value, keys)):
        return True
    pending = [value]
    while pending:
        container = pending.pop()
        if isinstance(container, list):
            if (container is value and _holds(value, keys) is Holds.LIST) or any(
                _is_likely(item, keys) for item in container
            ):
                return True
            pending += filter(_is_container, container)
        elif isinstance(container, tuple):
            pending += [
                inner for key, inner in container if _is_container(inner) and not keys.kind(key)
            ]
    return False


def _is_likely(value: object, keys: Keys) -> bool:
    """Whether a value is an object with a required field and another one."""
    if not isinstance(value, tuple):
        return False
    known = [kind for key, _ in value if (kind := keys.kind(key))]
    return len(known) > 1 and any(kind & KeyKind.REQUIRED for kind in known)


def _is_container(value: object) -> bool:
    return isinstance(value, (tuple, list))


def _holds(container: object, keys: Keys) -> Holds | None:
    """How a container itself holds records."""
    if isinstance(container, list):
        evident = any(
            isinstance(item, tuple) and _kinds(item, keys) & _EVIDENT for item in container
        )
        return Holds.LIST if evident else None
    if isinstance(container, tuple):
        if _is_split(container, keys):
            return Holds.SPLIT
        for key, inner in container:
            if isinstance(inner, tuple) and not keys.kind(key) and _is_sure(_kinds(inner, keys)):
                return Holds.MEMBERS
    return None


def _kinds(members: Members, keys: Keys) -> KeyKind:
    return keys.kinds(key for key, _ in members)


def _is_sure(kinds: KeyKind) -> bool:
    """Whether keys are enough for a record that stands in no list."""
    return bool(kinds & KeyKind.CERTAIN) or bool(kinds & KeyKind.ID and kinds & KeyKind.REQUIRED)


def _is_split(members: Members, keys: Keys) -> bool:
    found = dict(members)
    columns, rows = found.get(COLUMNS), found.get(ROWS)
    return (
        isinstance(columns, list)
        and isinstance(rows, list)
        and all(isinstance(row, list) for row in rows[:1])
        and bool(keys.kinds(name for name in columns if isinstance(name, str)) & _EVIDENT)
    )


@dataclass(slots=True)
class _Open:
    """A container that is open in a text."""

    is_list: bool
    #: The key under which it stands in its object.
    name: str | None
    #: Whether it stands under a field, where no records are looked for.
    hidden: bool
    #: The key whose value comes next, and whether its colon was read.
    key: str | None = None
    colon: bool = False
    kinds: KeyKind = KeyKind.NONE


def find_in_text(text: str, start: int, end: int, keys: Keys) -> Wrapper | None:
    """Find the records in the beginning of an object, in one pass; None if it is no wrapper.

    The first record that is found decides. If the object turns out later to be a record itself, or
    to hold others, `json_document` refuses the file.

    Args:
        text: A text.
        start: Where the object begins.
        end: Where to stop.
        keys: The kinds of keys.
    """
    search = _Search(keys)
    position = start
    while token := _TOKEN.match(text, position, end):
        position = token.end()
        string, sign, _ = token.groups()
        goes_on = search.read_plain(string) if sign is None else search.read_sign(sign)
        if not goes_on:
            return search.found
    return None


class _Search:
    """A search for records in the tokens of a text; it ends where they are no valid JSON."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._stack: list[_Open] = []
        self.found: Wrapper | None = None

    def read_sign(self, sign: str) -> bool:
        """Read a bracket, comma or colon; False if the search is at its end."""
        top = self._stack[-1] if self._stack else None
        if sign in "{[":
            return self._open(sign, top)
        if top is None:
            return False
        if sign in "}]":
            self._stack.pop()
            return bool(self._stack) and top.is_list is (sign == "]")
        if sign == ":":
            valid = top.key is not None and not top.colon
            top.colon = True
            return valid
        return True

    def _open(self, sign: str, top: _Open | None) -> bool:
        if len(self._stack) > _MAX_TEXT_DEPTH:
            return False
        name, hidden = None, False
        if top is not None:
            if not top.is_list and not top.colon:
                return False
            name = top.key
            hidden = top.hidden or bool(name is not None and self._keys.kind(name))
            top.key, top.colon = None, False
        self._stack.append(_Open(sign == "[", name, hidden))
        return True

    def read_plain(self, string: str | None) -> bool:
        """Read a key or value that is no container; `string` is None if it is no string."""
        top = self._stack[-1] if self._stack else None
        if top is None:
            return False
        if top.is_list:
            return not (string and self._is_column(string))
        if top.key is None:
            return string is not None and self._read_key(top, _unescape(string))
        valid = top.colon
        top.key, top.colon = None, False
        return valid

    def _read_key(self, top: _Open, key: str) -> bool:
        top.key = key
        top.kinds |= self._keys.kind(key)
        if len(self._stack) == 1:
            return not top.kinds & RECORD
        if top.hidden or len(self._stack) > MAX_DEPTH:
            return True
        if top.kinds & _EVIDENT if self._stack[-2].is_list else _is_sure(top.kinds):
            self.found = self._path_to_record()
            return False
        return True

    def _is_column(self, string: str) -> bool:
        """Whether a text is the name of a column of records that come as lists of values."""
        names = [container.name or "" for container in self._stack[1:]]
        if not names or names[-1] != COLUMNS or any(each.is_list for each in self._stack[:-1]):
            return False
        if self._keys.kind(string) & _EVIDENT:
            self.found = Wrapper(tuple(names[:-1]), Holds.SPLIT)
        return self.found is not None

    def _path_to_record(self) -> Wrapper:
        """The way to the outermost list around a record, or to the object around it."""
        path: list[str] = []
        for depth, container in enumerate(self._stack[:-1]):
            if depth:
                path.append(container.name or "")
            if container.is_list:
                return Wrapper(tuple(path), Holds.LIST)
        return Wrapper(tuple(path), Holds.MEMBERS)


def _unescape(string: str) -> str:
    if "\\" not in string:
        return string
    try:
        return str(json.loads(f'"{string}"', strict=False))
    except ValueError:
        return string
