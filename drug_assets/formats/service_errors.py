"""Errors of a service that landed in place of its records, or among them (SPEC 1).

A service that refuses a request often answers with an object of its own, which a script saves like
any page. This module recognizes such an object by its keys, and makes its words fit for a message.
Nothing else of it is told: it may repeat the key or the address that the service was asked with.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from drug_assets.formats.record_shape import normalize_header
from drug_assets.wording import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from drug_assets.formats.record_shape import Members

#: Keys, as `normalize_header` returns them, that only an error has.
_ERROR_KEYS = frozenset(
    {
        *("error", "errors", "errorlist", "errormessage", "errormsg", "errordescription"),
        *("errordetails", "fault", "faultstring", "exception", "errmsg", "serviceerror"),
        "errorresponse",
    }
)
#: Keys of the words of an error that other objects have, too.
_WORD_KEYS = frozenset({"message", "msg", "detail"})
#: The same, within the value of an error.
_INNER_WORD_KEYS = (
    _ERROR_KEYS
    | _WORD_KEYS
    | {
        *("details", "reason", "description", "title", "statustext", "status"),
    }
)
#: Members by which an object says that a request failed, with what they then hold.
_FAILURES = {
    **dict.fromkeys(
        ("status", "state", "result"), frozenset({"error", "err", "fail", "failed", "failure"})
    ),
    **dict.fromkeys(("success", "succeeded", "ok"), frozenset({"false", "0", "no"})),
}
#: Texts by which a member says that there was no error.
_NO_ERROR = frozenset({"", "0", "none", "no", "false", "null", "ok", "success", "200"})
#: Keys of an object that reports a problem of HTTP (RFC 9457), beside its `title`.
_STATUS_KEYS = frozenset({"status", "statuscode"})
_HTTP_ERROR = re.compile(r"[45][0-9][0-9]")

#: What NCBI writes in XML in place of records.
_ELEMENT = re.compile(r"<error\b[^<>]*>([^<]*)", re.IGNORECASE)

_MAX_WORDS_CHARS = 200
#: More texts of an error, and more characters of each, are not looked at.
_MAX_TEXTS = 20
_MAX_TEXT_CHARS = 2000
#: What may be a key, an address or a user: whatever follows `=`, long words with a digit, and
#: addresses of pages, people and machines.
_SECRET = re.compile(
    r"(?<==)[^\s,;&]++|[a-z][a-z0-9+.-]*+://\S++|[^\s@]++@\S++"
    r"|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}\b"
    r"|\b(?=[a-z_-]*+[0-9])[\w-]{12,}",
    re.IGNORECASE,
)


def find_error(members: Members) -> str | None:
    """The words of the error that an object tells of under a key of its own; None if it does not.

    Args:
        members: The key-value pairs of a JSON object; objects in it are tuples of pairs too.
    """
    return _tell(_list_texts(members, _ERROR_KEYS), members)


def find_failure(members: Members) -> str | None:
    """The same for an object that says that a request failed, in whatever words."""
    for key, value in members:
        text = str(value) if isinstance(value, bool) else value
        if isinstance(text, str) and text.strip().casefold() in _FAILURES.get(
            normalize_header(key), ()
        ):
            words = _list_texts(members, _INNER_WORD_KEYS)
            return _tell(words, members) or redact(f"{key}: {text}")
    return None


def find_words(members: Members) -> str | None:
    """The same for an object that has no field of a source: then a message alone is an error."""
    return _tell(_list_texts(members, _ERROR_KEYS | _WORD_KEYS), members)


def find_in_markup(text: str) -> str | None:
    """The words of an error that an element of a text holds; None if none does."""
    found = _ELEMENT.search(text)
    return redact(found[1]) if found else None


def find_in_line(line: str) -> str | None:
    """The words of an error that stands alone in a line of a text; None if none does."""
    bare = line.strip()
    if bare.startswith("<"):
        return find_in_markup(bare)
    if not bare.startswith("{"):
        return None
    try:
        value = json.loads(bare, object_pairs_hook=tuple, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return find_error(value) or find_failure(value)


def may_be_problem(keys: Collection[str]) -> bool:
    """Whether an object with these keys may report a problem of HTTP, beside its title."""
    names = {normalize_header(key) for key in keys}
    return "title" in names and bool(names & _STATUS_KEYS) and bool(names & {"detail", "type"})


def find_problem(members: Members) -> str | None:
    """The words of a problem of HTTP that an object reports; None if it reports none."""
    told = {normalize_header(key): value for key, value in members}
    codes = [told[key] for key in _STATUS_KEYS if isinstance(told.get(key), str)]
    if any(_HTTP_ERROR.fullmatch(str(code).strip()) for code in codes):
        return _tell(_list_texts(members, _WORD_KEYS | {"title"}), members)
    return None


def _list_texts(members: Members, keys: Collection[str]) -> list[str]:
    return [
        text
        for key, value in members
        if normalize_header(key) in keys
        for text in _find_texts(value)
    ]


def _find_texts(value: object) -> list[str]:
    """The texts in the value of an error, at most some; none if there was no error."""
    texts: list[str] = []
    pending = [value]
    while pending and len(texts) < _MAX_TEXTS:
        one = pending.pop()
        if isinstance(one, str):
            if one.strip().casefold() not in _NO_ERROR:
                texts.append(one[:_MAX_TEXT_CHARS])
        elif isinstance(one, tuple):
            named = [inner for key, inner in one if normalize_header(key) in _INNER_WORD_KEYS]
            pending += reversed(named or [inner for _, inner in one])
        elif isinstance(one, list):
            pending += reversed(one[:_MAX_TEXTS])
        elif one is True:
            texts.append("true")
    return texts


def _tell(texts: Iterable[str], members: Members) -> str | None:
    """Words for a message: one short line, without what may be a secret; None if there are none."""
    words = "; ".join(dict.fromkeys(" ".join(text.split()) for text in texts))
    for secret in _list_secrets(members):
        words = words.replace(secret, "***")
    return redact(words) or None


def redact(text: str) -> str:
    """A text of a file as one short line for a message, without what may be a secret."""
    words = printable(_SECRET.sub("***", " ".join(text[: _MAX_TEXTS * _MAX_TEXT_CHARS].split())))
    return words if len(words) <= _MAX_WORDS_CHARS else words[:_MAX_WORDS_CHARS] + "…"


def _list_secrets(members: Members) -> Iterator[str]:
    """The texts of members that are no words, such as a key; a service may repeat them in these."""
    for key, value in members[:_MAX_TEXTS]:
        if normalize_header(key) in _INNER_WORD_KEYS or not isinstance(value, str):
            continue
        if 4 <= len(value) <= _MAX_TEXT_CHARS and re.search("[0-9]", value):
            yield value
