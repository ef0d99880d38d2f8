"""Values of JSON: decoded as written, written again, and found in text that is damaged.

Members of an object are kept in their order, with repeated keys; numbers keep their text.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from drug_assets.formats import raw_rows
from drug_assets.terms import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A string that is not closed is kept to its end, so that it is looked through once only.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_COMMAS = r",[ \t\n\r,]*+"
_KEPT_OR_TRAILING_COMMA = re.compile(rf"({_STRING}|{_COMMAS}(?![}}\]]))|{_COMMAS}", re.DOTALL)
_QUOTE_OR_SIGN = re.compile(r'["{}\[\],:]')
_SIGN = re.compile(r"[{}\[\],:]")
_STRING_ON_ITS_LINE = re.compile(r'"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+')
_STRUCTURE_FOLLOWS = re.compile(r'"[ \t\n\r]*+(?:[,:}\]]|\Z)')
#: Where what follows the text decides whether a string ends.
_UNDECIDED = re.compile(r'\\?\Z|"[ \t\n\r]*+\Z')


class Number(str):
    """The text of a number, as written."""

    __slots__ = ()


#: The types of values that are texts of fields as they are.
TEXTS = frozenset({str, Number, type(None)})

_WORDS = r"(?s)(?=.*[^\W\d_])[^0-9]+"

#: Decodes objects to tuples of their members.
DECODER = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=Number,
    parse_int=Number,
    parse_constant=lambda _: None,  # NaN and Infinity hold nothing
    strict=False,  # control characters such as tabs are allowed in strings
)


class Invalid(str):
    """The text of a record that is not valid JSON."""

    __slots__ = ()


def to_json(value: object) -> str:
    """A value as JSON text without blanks, numbers as written."""
    if type(value) is str:
        return encode_basestring(value)
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, tuple):
        inner = [f"{encode_basestring(key)}:{to_json(member)}" for key, member in value]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join([to_json(item) for item in value]) + "]"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def to_json_object(members: Sequence[tuple[str, object]]) -> str:
    """An object as JSON text without blanks, sorted by key."""
    return raw_rows.to_json_object([(key, to_json(value)) for key, value in members])


def values_in_objects(items: Sequence[object], form: str | None) -> list[str]:
    """The values of a multi-valued field that is given as objects: `[{"UI": "…", "name": "…"}]`.

    An object is one value: its only text, else its only text of the form. Texts of what were
    attributes in XML (`@language`) do not count.

    Args:
        items: Texts and objects.
        form: The regular expression that values of the field match; None if it has none. Then it
            is that of words: with a letter, and without a digit, as ids and dates have one.

    Returns:
        One text per item; empty if that of one cannot be told.
    """
    pattern = re.compile(form or _WORDS)
    values: list[str] = []
    for item in items:
        texts = [item]
        if isinstance(item, tuple):
            texts = [text for key, text in item if key[:1] != "@" and not isinstance(text, bool)]
            # If a text is missing, it may be the one that is meant.
            known = [text for text in texts if isinstance(text, str) and not is_missing(text)]
            if len(known) < len(texts):
                return []
            if form or len(known) > 1:
                texts = [text for text in known if pattern.fullmatch(text.strip())]
        if len(texts) != 1 or not isinstance(texts[0], str):
            return []
        values.append(texts[0])
    return values


def is_unclosed(error: json.JSONDecodeError, text: str) -> bool:
    """Whether the text ends inside a string, or inside an escape of one."""
    in_escape = error.msg.startswith("Invalid") and '"' not in text[error.pos :]
    return in_escape or error.msg.startswith("Unterminated string")


def find_sound_end(error: json.JSONDecodeError, text: str) -> int:
    """Up to where the text is sound: to its end if it ends inside a string."""
    return len(text) if error.msg.startswith("Unterminated string") else error.pos


def remove_trailing_commas(text: str) -> str:
    """A text of JSON without the commas before closing brackets."""
    return _KEPT_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def find_element_end(text: str, start: int, *, whole: bool) -> int | None:
    """The end of a damaged element of an array: its closing bracket, or the start of the next one.

    An object inside an object that follows neither a colon nor an opening bracket cannot be a part
    of it: it is the next record.

    Args:
        text: A text.
        start: Where the element begins.
        whole: Whether nothing follows the text.

    Returns:
        None if the text ends before, or if what follows it can still change the end.
    """
    enclosing: list[str] = []
    depth = {"{": 0, "[": 0}
    before = ""
    for sign, position in _find_signs(text, start, whole=whole):
        if sign in depth:
            misplaced = enclosing[-1] == "{" and before != ":" if enclosing else position > start
            if sign == "{" and misplaced and position > start:
                return position
            enclosing.append(sign)
            depth[sign] += 1
        elif sign in "}]":
            opening = "{" if sign == "}" else "["
            while depth[opening] and enclosing:
                closed = enclosing.pop()
                depth[closed] -= 1
                if closed == opening:
                    break
            else:
                if sign == "]" and position > start:
                    return position
                before = sign
                continue
            if not enclosing:
                return position + 1
        elif sign == "," and not enclosing and position > start:
            return position
        before = sign
    return None


def _find_signs(text: str, start: int, *, whole: bool) -> Iterator[tuple[str, int]]:
    """The brackets, commas, colons and strings (as a quote) of a damaged record, with their place.

    A string counts only if it ends on its line and a sign follows. Otherwise a string whose quote
    is missing would hide the next record. What was looked through once for the end of a string is
    not looked through again: no string that begins within it ends elsewhere. A string that can go
    on behind the text is the end, unless the text is whole.
    """
    position = start
    while match := _QUOTE_OR_SIGN.search(text, position):
        place = match.start()
        position = match.end()
        if match[0] != '"':
            yield match[0], place
            continue
        string = _STRING_ON_ITS_LINE.match(text, place)
        position = string.end() if string else position
        if not whole and _UNDECIDED.match(text, position):
            return
        if _STRUCTURE_FOLLOWS.match(text, position):
            yield '"', place
            position += 1
            continue
        for sign in _SIGN.finditer(text, place + 1, position):
            yield sign[0], sign.start()
