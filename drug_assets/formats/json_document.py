"""The text of a JSON file -> the values of its records, one after the other (SPEC 1).

Only a part of the text is in memory, whatever the file holds: a list of records, records one after
the other, or wrappers around them (`json_wrappers`). A damaged record is passed over, so that the
next one is read. What becomes of a value belongs to `json_rows`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drug_assets.formats import json_wrappers, raw_rows, service_errors
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, has_surrogates, repair
from drug_assets.formats.json_values import (
    DECODER,
    Invalid,
    find_element_end,
    find_sound_end,
    is_unclosed,
    remove_trailing_commas,
)
from drug_assets.formats.json_wrappers import Holds, KeyKind, Keys, Wrapper
from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: An object that is longer is not held in memory to find out whether it is a wrapper: the records
#: in its beginning decide.
_DECIDING_CHARS = 256 * 1024
#: A file is refused if more than this, and many times its length, was read in vain: damaged records
#: that can only be told from sound ones by reading on and on.
_MAX_VAIN_CHARS = 4 * MAX_RECORD_CHARS
_MAX_VAIN_FACTOR = 16

#: Each error of `json` counts the lines up to its place, so that where records are damaged, little
#: is kept before them.
_MOST_BEFORE_DAMAGE_CHARS = 4096

#: Concatenated files may have byte order marks between records.
_BETWEEN_RECORDS = re.compile(r"[ \t\n\r,\ufeff]*+")
_KEY = re.compile(r'("(?:[^"\\]++|\\.)*+")[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)
#: An error this close to the end of the buffer may disappear with more text: `-Infinity`, an
#: escaped surrogate pair.
_UNDECIDED_CHARS = 16
#: A number with this behind it may go on in more text, so that it would be another one.
_NUMBER_GOES_ON = re.compile(r"\.|[eE][-+]?")

#: In place of a value: the reader went into it.
_ENTERED = object()


@dataclass(slots=True)
class _Level:
    """An array or object that the reader is in; the records are its items or members."""

    is_array: bool
    #: In a wrapper: the keys to the container of its records; that is the wrapper itself if there
    #: are none.
    path: tuple[str, ...] = ()
    holds: Holds = Holds.LIST
    #: The keys of records that come as lists of values, once they are known.
    columns: tuple[str, ...] | None = None
    #: Whether its records are the items of an array, as they are.
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        """Note how its records are read."""
        self.plain = self.is_array and self.columns is None


class Document:
    """The records of a JSON text, one after the other, with only a part of the text in memory.

    The reader can be asked to go into the current value, if it is a wrapper of records.
    """

    def __init__(self, name: str, text: Text, keys: Keys) -> None:
        self._name = name
        self._text = text
        self._blocks = iter(text)
        self._keys = keys
        self._buffer = ""
        self._ended = False
        self._stray = False  # whether bytes that are not UTF-8 may stand in the buffer
        self._levels: list[_Level] = []
        self.issues: tuple[str, ...] = ()
        # Start and end of the record in the buffer; line and byte of the file where the buffer
        # begins.
        self._start = self._end = 0
        self._line, self._byte = 1, text.start
        self._within_line = False  # whether the buffer does not begin with a line
        # Characters that were read so far, and those that were read without finding an end.
        self._chars = self._vain_chars = 0

    def read_values(self) -> Iterator[object]:
        """The value of each record; `text()`, `length` and `issues` describe the current record.

        Raises:
            FormatError: The file ends inside an array or a record, or a record does not end.
        """
        while True:
            match = _BETWEEN_RECORDS.match(self._buffer, self._end)
            self._start = self._end = match.end() if match else self._end
            level = self._levels[-1] if self._levels else None
            if self._start == len(self._buffer):
                if self._read_more():
                    continue
                if level:
                    raise self._cut_error(
                        "inside an array that is never closed"
                        if level.is_array
                        else "inside a page of records that is never closed"
                    )
                return
            opening = self._buffer[self._start]
            plain = level is None or level.plain
            if not (plain and opening == "{") and self._passes_bracket(level, opening):
                continue
            self.issues = ()
            value = self._read_value()
            if value is _ENTERED:
                continue
            if plain:
                yield value
            elif level and not self._is_side_value(level, value):
                yield self._as_record(level, value)

    def _passes_bracket(self, level: _Level | None, opening: str) -> bool:
        """Go over what stands before a record, if something does."""
        if level is None:
            if opening != "[":
                return False
            self._levels.append(_Level(is_array=True))
        elif opening == ("]" if level.is_array else "}"):
            self._levels.pop()
        else:
            return not level.is_array and not self._go_to_value(level)
        self._end += 1
        return True

    def enter(self, value: object) -> bool:
        """Go into the current value if it is a wrapper; its records are the next values.

        Args:
            value: the current value, an object or a list that is no record.

        Raises:
            FormatError: It holds records in several places.
        """
        if len(self._levels) > json_wrappers.MAX_DEPTH:
            return False
        wrapper = json_wrappers.find_in_value(value, self._keys)
        if wrapper is None:
            return False
        level = self._levels[-1] if self._levels else None
        if wrapper.holds is Holds.LIST and level and level.holds is Holds.MEMBERS:
            raise self._several_error(level.path or ("",), wrapper.path)
        if wrapper.holds is not Holds.NOTHING:
            self._go_into(wrapper)
        return True

    def _go_into(self, wrapper: Wrapper) -> None:
        if wrapper.others:
            raise self._several_error(wrapper.path, wrapper.others[0])
        is_array = self._buffer[self._start] == "["
        self._levels.append(_Level(is_array, wrapper.path, wrapper.holds))
        self._end = self._start + 1

    def _go_to_value(self, level: _Level) -> bool:
        """Read the key of a member of a wrapper, and go to its value, or pass over it.

        Returns:
            Whether a record follows.
        """
        key = self._read_key()
        opening = self._buffer[self._start]
        on_path = bool(level.path) and level.path[0] == key
        rest = level.path[1:]
        if level.holds is Holds.MEMBERS and not level.path:
            if opening == "{" and not self._keys.kind(key):
                return True
        elif on_path and rest and opening == "{":
            self._levels.append(_Level(False, rest, level.holds))
            self._end = self._start + 1
            return False
        elif on_path and not rest and opening == ("[" if level.holds is Holds.LIST else "{"):
            self._levels.append(_Level(opening == "[", (), level.holds))
            self._end = self._start + 1
            return False
        elif level.holds is Holds.SPLIT and not level.path and key == json_wrappers.ROWS:
            if level.columns is None or opening != "[":
                raise self._damage_error(
                    f"the rows of {key!r} come before the names of their columns. Land one object "
                    "per record (pandas: orient='records')."
                )
            self._levels.append(_Level(True, (), Holds.SPLIT, level.columns))
            self._end = self._start + 1
            return False
        self._pass_over(level, key)
        return False

    def _read_key(self) -> str:
        """The key of the member at the start, which moves on to its value."""
        while True:
            match = _KEY.match(self._buffer, self._start)
            if match and match.end() < len(self._buffer):
                self._start = match.end()
                try:
                    return str(DECODER.decode(match[1]))
                except json.JSONDecodeError:
                    break
            if self._buffer[self._start] != '"':
                break
            # A key that is not closed is read on for, up to the limit of a record.
            end = self._buffer.find('"', self._start + 1)
            ended = end >= 0 and self._buffer[end + 1 :].strip(" \t\n\r")[:1] not in ("", ":")
            if ended and not match and "\\" not in self._buffer[self._start : end]:
                break
            if not self._read_more():
                raise self._cut_error("inside a page of records that is never closed")
        raise self._damage_error("a page of records is damaged. Land it again.")

    def _pass_over(self, level: _Level, key: str) -> None:
        """Pass over a member beside the records of a wrapper.

        Raises:
            FormatError: It is an error of the service, a field of a record, or holds records, too.
        """
        if level.holds is not Holds.MEMBERS and self._keys.kind(key) & KeyKind.REQUIRED:
            raise self._damage_error(
                f"{key!r} stands beside a list of records, so that the object around both may be a "
                "record itself. Land the records in a list of their own."
            )
        value = self._read_side_value()
        if level.holds is Holds.SPLIT and key == json_wrappers.COLUMNS and isinstance(value, list):
            level.columns = tuple(str(name)[: raw_rows.MAX_NAME_CHARS] for name in value)
        member = ((key, value),)
        told = service_errors.find_error(member) or service_errors.find_failure(member)
        if told:
            raise self.service_error([key], told)
        if level.holds is not Holds.SPLIT and json_wrappers.holds_others(value, self._keys):
            raise self._several_error(level.path or ("",), (key,))

    def _read_side_value(self) -> object:
        while True:
            try:
                value, end = DECODER.raw_decode(self._buffer, self._start)
            except json.JSONDecodeError:
                found = self._find_end_in_array()
                if found is None:
                    if not self._ended:
                        self._read_more()
                        continue
                    raise self._cut_error("inside a page of records that is never closed") from None
                text = remove_trailing_commas(self._buffer[self._start : found])
                try:
                    value, end = DECODER.decode(text), found
                except (json.JSONDecodeError, RecursionError):
                    raise self._damage_error(
                        "a page of records is damaged. Land it again."
                    ) from None
            except RecursionError:
                raise self._damage_error(
                    "a member of a page of records is nested too deeply. Land the records in a "
                    "list of their own."
                ) from None
            if self._may_go_on(end) and self._read_more():
                continue
            self._end = end
            return value

    def _may_go_on(self, end: int) -> bool:
        """Whether a value that ends there may go on in more text: `12` or `12e` in `12e3`."""
        return end == len(self._buffer) or bool(_NUMBER_GOES_ON.fullmatch(self._buffer, end))

    def _is_side_value(self, level: _Level, value: object) -> bool:
        """Whether a value is a member beside records that has no field of a record."""
        if level.is_array or not isinstance(value, tuple):
            return False
        if self._keys.kinds(key for key, _ in value):
            return False
        wrapper = json_wrappers.find_in_value(value, self._keys)
        return wrapper is None and service_errors.find_error(value) is None

    @staticmethod
    def _as_record(level: _Level, value: object) -> object:
        """The object that a list of values is, if the columns of the list are known."""
        if level.columns and isinstance(value, list) and len(value) == len(level.columns):
            return tuple(zip(level.columns, value, strict=True))
        return value

    def text(self) -> str:
        """The text of the current record, as written."""
        return self._buffer[self._start : self._end]

    @property
    def length(self) -> int:
        """The number of characters of the current record."""
        return self._end - self._start

    @property
    def place(self) -> str:
        """Line and byte at which the current record begins."""
        before = self._buffer[: self._start]
        line = self._line + before.count("\n")
        return f"line {line}, byte {self._byte + self._text.size(before)}"

    @property
    def _is_inside(self) -> bool:
        """Whether the records are items of an array or members of an object."""
        return bool(self._levels)

    def _read_value(self) -> object:
        undecided = True
        while True:
            try:
                value, self._end = DECODER.raw_decode(self._buffer, self._start)
            except json.JSONDecodeError as error:
                self._count_vain(error.pos)
                unclosed = is_unclosed(error, self._buffer)
                sound_chars = find_sound_end(error, self._buffer) - self._start
                if undecided and sound_chars > _DECIDING_CHARS:
                    if self._enters_long():
                        return _ENTERED
                    undecided = False
                may_go_on = unclosed or error.pos >= len(self._buffer) - _UNDECIDED_CHARS
                if may_go_on and self._read_more():
                    continue
                return self._skip_damaged(unclosed=unclosed)
            except RecursionError:
                self._count_vain(len(self._buffer))
                return self._skip_damaged(unclosed=False)
            near = len(self._buffer) - self._end < 3
            if near and self._may_go_on(self._end) and self._read_more():
                continue
            if self._end - self._start > _DECIDING_CHARS and undecided and self._enters_long():
                return _ENTERED
            return self._finish_value(value)

    def _finish_value(self, value: object) -> object:
        if isinstance(value, str) and not self._is_inside and "\n" in value:
            # A quote that a line leaves open takes in the beginning of the next record.
            return self._skip_damaged(unclosed=False)
        if self._stray and has_surrogates(self.text()):
            text, issues = repair(self.text())
            self.issues = tuple(issues)
            return DECODER.raw_decode(text)[0]
        return value

    def _enters_long(self) -> bool:
        """Go into the object at the start, if its beginning shows that it is a wrapper."""
        return self._enters(self._start + _DECIDING_CHARS)

    def _enters(self, end: int) -> bool:
        if len(self._levels) > json_wrappers.MAX_DEPTH:
            return False
        if self._buffer[self._start] != "{":
            return False
        wrapper = json_wrappers.find_in_text(self._buffer, self._start, end, self._keys)
        if wrapper:
            self._go_into(wrapper)
        return wrapper is not None

    def _count_vain(self, position: int) -> None:
        """Count what was read without finding an end."""
        self._vain_chars += position - self._start
        if self._vain_chars > _MAX_VAIN_CHARS + _MAX_VAIN_FACTOR * self._chars:
            raise self._damage_error(
                "too many damaged records, none of which ends where it should. Land it again."
            )

    def _skip_damaged(self, *, unclosed: bool) -> object:
        """Return the damaged record, repaired if possible, and move to the next one."""
        if self._start > _MOST_BEFORE_DAMAGE_CHARS:
            self._forget_read()
        find_end = self._find_end_in_array if self._is_inside else self._find_end_in_stream
        end = find_end()
        if self._buffer[self._start] == "{":
            while (
                end is None
                and not self._ended
                and len(self._buffer) - self._start < _DECIDING_CHARS
            ):
                self._read_more()
                end = find_end()
            seen = len(self._buffer) if end is None else end
            if self._enters(min(seen, self._start + _DECIDING_CHARS)):
                return _ENTERED
        if unclosed and self._is_inside:
            raise self._cut_error("inside a string")
        while end is None and not self._ended:
            self._read_more()
            end = find_end()
        if end is None:
            self._check_not_cut(unclosed=unclosed)
            end = len(self._buffer)
        self._end = end
        text, issues = repair(self.text().rstrip(" \t\n\r,"))
        try:
            value = DECODER.decode(remove_trailing_commas(text))
        except (json.JSONDecodeError, RecursionError):
            issues.append(ReadIssue.INVALID_JSON)
            value = Invalid(text)
        self.issues = tuple(issues)
        return value

    def _find_end_in_array(self) -> int | None:
        return find_element_end(self._buffer, self._start, whole=self._ended)

    def _find_end_in_stream(self) -> int | None:
        """The start of the next record: a line that neither continues nor closes this one."""
        next_line = re.compile(rf"[\n\r](?=[ \t]{{0,{self._indent()}}}[^ \t\n\r}}\]])")
        match = next_line.search(self._buffer, self._start)
        return match.end() if match else None

    def _indent(self) -> int:
        """The number of blanks before the record, if it is the first text of its line."""
        line_start = max(self._buffer.rfind(end, 0, self._start) for end in "\n\r") + 1
        if not line_start and self._within_line:
            return 0
        margin = self._buffer[line_start : self._start]
        return len(margin) if margin.isspace() else 0

    def _check_not_cut(self, *, unclosed: bool) -> None:
        """Raise if the last record of a stream is incomplete; it may be invalid."""
        if self._is_inside:
            raise self._cut_error("inside an array that is never closed")
        rest = self._buffer[self._start :]
        still_open = unclosed or find_element_end(rest, 0, whole=True) is None
        ended_line = rest.endswith(("\n", "\r")) and not re.search(r"[\n\r]", rest.rstrip())
        if still_open and (not ended_line or rest.strip() == "{"):
            raise self._cut_error("inside a record")

    def _read_more(self) -> bool:
        """Read at least as much text as the buffer has of the current record; False at the end."""
        if self._ended:
            return False
        self._forget_read()
        kept = self._buffer
        if len(kept) > MAX_RECORD_CHARS:
            raise FormatError(
                self._name,
                f"the record at line {self._line}, byte {self._byte} is longer than "
                f"{MAX_RECORD_CHARS} characters. Correct it, or land it in smaller records.",
            )
        parts, added = [kept], 0
        while added == 0 or added < len(kept):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            parts.append(block)
            added += len(block)
        self._buffer = "".join(parts)
        self._chars += added
        self._stray = has_surrogates(self._buffer)
        return added > 0

    def _forget_read(self) -> None:
        """Drop what stands before the current record and its indent."""
        begin = self._start - self._indent()
        done, self._buffer = self._buffer[:begin], self._buffer[begin:]
        self._line += done.count("\n")
        self._byte += self._text.size(done)
        if done:
            # What is kept of the line before a record is its indent.
            self._within_line = done[-1] not in "\n\r"
        self._start, self._end = self._start - begin, self._end - begin

    def _cut_error(self, where: str) -> FormatError:
        line = self._line + self._buffer.count("\n")
        byte = self._byte + self._text.size(self._buffer)
        return FormatError(
            self._name,
            f"cut: ends at line {line}, byte {byte} of its text, {where}. Land it again, whole.",
        )

    def _damage_error(self, what: str) -> FormatError:
        return FormatError(self._name, f"{self.place} of its text: {what}")

    def _several_error(self, one: Sequence[str], other: Sequence[str]) -> FormatError:
        names = " and ".join(
            repr(".".join(path)[:100]) if any(path) else "the page itself" for path in (one, other)
        )
        return self._damage_error(
            f"a page with records in several places, such as {names}. Land those of each place in "
            "a file of its own."
        )

    def service_error(self, keys: Iterable[str], told: str) -> FormatError:
        """The error of a file in which a service tells of an error in place of records.

        Args:
            keys: the keys of the object that tells of it.
            told: its words, fit for a message.
        """
        shown = ", ".join(repr(key[:60]) for key in list(keys)[:20])
        return self._damage_error(
            f"an error of the service that it is from, in place of records: {told!r} (found "
            f"{shown}). Ask the service again, and land what it answers then."
        )
