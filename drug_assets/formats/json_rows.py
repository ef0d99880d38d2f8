"""The values of JSON records -> raw rows: which member holds which field (SPEC 1).

Finding the values in a text belongs to `json_document`; the layouts of known services are the
`JsonShape`s of a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from drug_assets.formats import json_wrappers, raw_rows, service_errors
from drug_assets.formats.decoding import FormatError, repair, replace_surrogates
from drug_assets.formats.json_values import (
    DECODER,
    TEXTS,
    Invalid,
    to_json,
    to_json_object,
    values_in_objects,
)
from drug_assets.formats.json_wrappers import KeyKind, Keys
from drug_assets.terms import SEPARATOR, ReadIssue, is_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from drug_assets.formats.json_document import Document
    from drug_assets.formats.json_shapes import JsonShape
    from drug_assets.formats.record_shape import Members, RecordShape

#: Layouts of keys that are cached; the records of a file usually have few different ones.
_MAX_LAYOUTS = 1000


@dataclass(frozen=True, slots=True)
class _Layout:
    """The assignment of values to fields and `extra`, for objects with the same keys in order."""

    #: From the values of an object, followed by a null, to the values of the fields.
    fields: Callable[[tuple[object, ...]], tuple[str | None, ...]]
    #: Whether each field is one value at most: no synonyms, no parts.
    simple: bool
    #: By field, the indexes of the values that it may have, and whether these are its parts.
    sources: list[tuple[tuple[int, ...], bool]]
    #: For each value of an unknown or repeated key: its key in `extra` and its index.
    beyond: list[tuple[str, int]]
    #: Whether a key is repeated.
    duplicates: bool
    #: Indexes of the values that a required field may have.
    required: tuple[int, ...]
    #: Whether a key shows that it is a record of the source.
    record: bool
    #: Whether a key names a field of the source.
    known: bool
    #: Whether it may report a problem of a service.
    problem: bool
    #: The shapes that a record with these keys may have.
    shapes: tuple[JsonShape, ...]
    #: Whether nothing but its values decides what becomes of such an object.
    plain: bool


#: What becomes of a record: the texts of its fields, the JSON of all other members, read issues.
_Taken: TypeAlias = tuple[tuple[str | None, ...], str | None, tuple[str, ...]]

#: The value of a field that is no text.
_NOT_TEXT = object()


class Rows:
    """Collects raw rows for a batch."""

    def __init__(self, shape: RecordShape, name: str, keys: Keys) -> None:
        self._shape = shape
        self._name = name
        self._keys = keys
        self._fields = shape.fields
        self._blank: tuple[str | None, ...] = (None,) * len(self._fields)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._named: dict[str, str | None] = {}
        self._first_row = 1
        #: Whether a record has a required field; the keys that were found as long as none has.
        self._any_record = False
        self._found_keys: dict[str, None] = {}
        self._clear()

    def _clear(self) -> None:
        # One flat list of all values: a list per row would slow down the garbage collector.
        self._values: list[str | None] = []
        self.height = 0
        self._extra: dict[int, str] = {}
        self._issues: dict[int, tuple[str, ...]] = {}
        self._chars = 0

    def full(self) -> bool:
        """Whether the batch is complete."""
        return self.height >= raw_rows.BATCH_RECORDS or self._chars >= raw_rows.BATCH_CHARS

    def check_any_record(self) -> None:
        """Check that a record of the file has a required field, if it has records.

        Raises:
            FormatError: None has.
        """
        if not self._any_record and (self.height or self._first_row > 1):
            raise raw_rows.no_record_error(self._shape, self._name, self._found_keys)

    def add(self, value: object, document: Document) -> None:
        """Add the row of the current value of the document, unless that is a wrapper of records.

        Raises:
            FormatError: It is an error of a service, or in a layout that is not read.
        """
        issues = document.issues
        extra: str | None = None
        try:
            if isinstance(value, tuple):
                taken = self._take_object(value, document)
                if taken is None:
                    return
                row, extra, added = taken
                if added:
                    issues = (*issues, *added)
            elif value.__class__ is Invalid:
                row, extra = self._blank, to_json_object([("raw", str(value))])
            elif isinstance(value, list) and document.enter(value):
                return
            else:
                row, extra = self._blank, to_json_object([("value", value)])
                issues = (*issues, ReadIssue.NOT_AN_OBJECT)
        except RecursionError:
            row, extra = self._blank, to_json_object([("raw", repair(document.text())[0])])
            issues = (*issues, ReadIssue.INVALID_JSON)
        if extra is not None:
            self._extra[self.height] = extra
        if issues:
            self._issues[self.height] = issues
        self._values += row
        self.height += 1
        self._chars += document.length

    def _take_object(self, members: Members, document: Document) -> _Taken | None:
        """The texts of the fields, the JSON of all other members, and read issues.

        None if the object is a wrapper, into which the document goes.
        """
        if not members:
            return self._blank, None, ()
        keys, values = zip(*members, strict=True)
        layout = self._layouts.get(keys) or self._learn_layout(keys)
        if not layout.plain:
            shape = next((each for each in layout.shapes if each.fits(members)), None)
            if shape is not None:
                return self._take_shaped(shape, members)
            if (layout.problem or not layout.record) and self._is_answer(layout, members, document):
                return None
            if not layout.simple:
                return self._take_each(layout, keys, values)
        row = layout.fields((*values, None))
        if not TEXTS.issuperset(map(type, row)):
            return self._take_each(layout, keys, values)
        if layout.required:
            self._any_record = True
        if not layout.beyond:
            return row, None, ()
        issues = (ReadIssue.DUPLICATE_KEY,) if layout.duplicates else ()
        return (row, to_json_object([(k, values[i]) for k, i in layout.beyond]), issues)

    def _is_answer(self, layout: _Layout, members: Members, document: Document) -> bool:
        """Whether an object is no record, but a wrapper, into which the document goes.

        Raises:
            FormatError: It is an error of a service.
        """
        told = service_errors.find_problem(members) if layout.problem else None
        if not layout.record:
            told = (
                told or service_errors.find_error(members) or service_errors.find_failure(members)
            )
            if not told and document.enter(members):
                return True
            if not told and not layout.known:
                told = service_errors.find_words(members)
        if told:
            raise document.service_error([key for key, _ in members], told)
        return False

    def _learn_layout(self, keys: tuple[str, ...]) -> _Layout:
        """The layout of objects with these keys, also added to the cache."""
        assigned = self._shape.assign(keys)
        beyond: dict[str, int] = {}
        for index in assigned.beyond:
            beyond[raw_rows.make_extra_key(beyond, keys[index], index + 1)] = index
        sources = [
            (assigned.synonyms.get(field) or assigned.parts.get(field, ()), field in assigned.parts)
            for field in self._fields
        ]
        kinds = self._keys.kinds(keys)
        present = set(keys)
        simple = all(len(found) <= 1 for found, _ in sources)
        record = bool(kinds & json_wrappers.RECORD)
        problem = not kinds & KeyKind.ID and service_errors.may_be_problem(keys)
        shapes = tuple(
            shape
            for shape in self._shape.json_shapes
            if any(mark[0] in present for mark in shape.marks)
        )
        layout = _Layout(
            # Absent fields get the null that `_take_object` adds after the last value.
            fields=itemgetter(*(found[0] if found else len(keys) for found, _ in sources)),
            simple=simple,
            sources=sources,
            beyond=list(beyond.items()),
            duplicates=len(present) < len(keys)
            or any(self._shape.field_of(keys[index]) for index in assigned.beyond),
            required=tuple(
                index
                for field in self._shape.required
                for index in assigned.synonyms.get(field, ())
            ),
            record=record,
            known=bool(kinds),
            problem=problem,
            shapes=shapes,
            plain=simple and record and not problem and not shapes,
        )
        if not self._any_record:
            for key in keys[: raw_rows.MAX_FOUND_KEYS]:
                if len(self._found_keys) < raw_rows.MAX_FOUND_KEYS:
                    self._found_keys[key] = None
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        self._layouts[keys] = layout
        return layout

    def _take_each(
        self, layout: _Layout, keys: tuple[str, ...], values: tuple[object, ...]
    ) -> _Taken:
        """The same, of an object with synonyms, parts, or values that are no text."""
        row: list[str | None] = []
        beyond = [(key, values[index]) for key, index in layout.beyond]
        taken = {key for key, _ in beyond}
        issues: set[str] = {ReadIssue.DUPLICATE_KEY} if layout.duplicates else set()
        for field, (indexes, are_parts) in zip(self._fields, layout.sources, strict=True):
            texts = {index: self._to_field_text(field, values[index]) for index in indexes}
            if not self._any_record and any(
                index in layout.required and text is not _NOT_TEXT for index, text in texts.items()
            ):
                self._any_record = True
            found = [index for index, text in texts.items() if not _is_nothing(text)]
            if are_parts:
                known = indexes[: next((n for n, i in enumerate(indexes) if i not in found), None)]
                row.append("-".join(str(texts[index]).strip() for index in known) or None)
                used = set(known)
            else:
                chosen = found[0] if found else next(iter(indexes), None)
                text = None if chosen is None else texts[chosen]
                row.append(text if isinstance(text, str) else None)
                used = set()
                if chosen is not None and text is not _NOT_TEXT:
                    value = values[chosen]
                    if isinstance(value, str) or not _has_keys(value):
                        used = {chosen}
            for index in indexes:
                if texts[index] is _NOT_TEXT:
                    issues.add(ReadIssue.NOT_TEXT)
                if index not in used and values[index] is not None:
                    key = raw_rows.make_extra_key(taken, keys[index], index + 1)
                    taken.add(key)
                    beyond.append((key, values[index]))
        extra = to_json_object(beyond) if beyond else None
        return tuple(row), extra, tuple(issues)

    def _take_shaped(self, shape: JsonShape, members: Members) -> _Taken:
        """The same, of a record in a declared layout."""
        if shape.cure:
            found = ", ".join(repr(key[:60]) for key, _ in members[:5])
            raise FormatError(self._name, f"{shape.cure} Found {found}.")
        fields, whole = shape.read(members, self._shape.listed)
        self._any_record = self._any_record or shape.certain
        if not shape.keeps_others:
            texts = [self._to_field_text(field, fields.get(field)) for field in self._fields]
            odd = [
                field for field, text in zip(self._fields, texts, strict=True) if text is _NOT_TEXT
            ]
            known = tuple([text if isinstance(text, str) else None for text in texts])
            issues = shape.issues_of(members)
            if not odd:
                return known, None, issues
            kept = to_json_object([(field, fields[field]) for field in odd])
            return known, kept, (*issues, ReadIssue.NOT_TEXT)
        others: list[tuple[str, object]] = []
        hidden: list[tuple[str, object]] = []
        for key, value in members:
            if key not in whole:
                named = self._find_named(key)
                is_hidden = named in fields or (named is not None and key in shape.passed_over)
                (hidden if is_hidden else others).append((key, value))
        flat = (*fields.items(), *others)
        keys = tuple([key for key, _ in flat])
        values = tuple([value for _, value in flat])
        layout = self._layouts.get(keys) or self._learn_layout(keys)
        row, extra, issues = self._take_each(layout, keys, values)
        return row, self._add_hidden(extra, hidden) if hidden else extra, issues

    def _find_named(self, key: str) -> str | None:
        """The field that a key names, or None; cached, since it takes long to normalize a key."""
        if key not in self._named:
            if len(self._named) >= _MAX_LAYOUTS:
                self._named.clear()
            self._named[key] = self._shape.field_of(key)
        return self._named[key]

    @staticmethod
    def _add_hidden(extra: str | None, hidden: list[tuple[str, object]]) -> str:
        """Add members to the JSON of others."""
        members: list[tuple[str, object]] = [*DECODER.decode(extra)] if extra else []
        taken = {key for key, _ in members}
        for index, (key, value) in enumerate(hidden):
            unique = raw_rows.make_extra_key(taken, key, index + 1)
            taken.add(unique)
            members.append((unique, value))
        return to_json_object(members)

    def _to_field_text(self, field: str, value: object) -> object:
        """The text of a field, null, or `_NOT_TEXT`.

        A list of one is its value, an empty list null, an object of MongoDB's the value under its
        one key (`$oid`, `$date`). If the field is multi-valued, the values of a list, or in the
        objects of a list (`values_in_objects`), are joined.
        """
        if value is None or isinstance(value, str):
            return value
        while _is_wrapped(value):
            value = value[0][1] if isinstance(value, tuple) else value[0]
        if value is None or isinstance(value, str):
            return value
        if value == []:
            return None
        if isinstance(value, bool):
            return to_json(value)
        if field in self._shape.listed:
            items = value if isinstance(value, list) else [value]
            texts = [item for item in items if item is not None]
            if not all(isinstance(item, str) for item in texts):
                texts = [*values_in_objects(texts, self._shape.forms.get(field))]
                return SEPARATOR.join(map(str, texts)) if texts else _NOT_TEXT
            return SEPARATOR.join(map(str, texts)) if texts else None
        return _NOT_TEXT

    def take_frame(self) -> pl.DataFrame:
        """Return the rows collected so far, and forget them."""
        width = len(self._fields)
        batch = raw_rows.make_frame(
            self._shape,
            self._name,
            self._first_row,
            self.height,
            {field: self._values[i::width] for i, field in enumerate(self._fields)},
            self._extra,
            self._issues,
            replace_surrogates,
        )
        self._first_row += self.height
        self._clear()
        return batch


def _is_wrapped(value: object) -> TypeGuard[list[object] | Members]:
    """Whether a value is a list of one, or an object that only names the type of its one value."""
    if isinstance(value, tuple):
        return len(value) == 1 and str(value[0][0]).startswith("$")
    return isinstance(value, list) and len(value) == 1


def _has_keys(value: object) -> bool:
    """Whether a value is, or lists, objects with keys that its text does not have."""
    items = value if isinstance(value, list) else (value,)
    return any(isinstance(item, tuple) and not _is_wrapped(item) for item in items)


def _is_nothing(text: object) -> bool:
    return not isinstance(text, str) or is_missing(text)
