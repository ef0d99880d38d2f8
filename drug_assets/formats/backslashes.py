r"""Backslash escapes in quoted fields of delimited text, as Spark and MySQL write them (SPEC 1).

RFC 4180 doubles a quote within a quoted field. In a file that escapes, `\"` is a quote and `\\` a
backslash there, while any other backslash is an ordinary one. Which of both a file does is decided
once, by its lines: by those that are sound rows in the one reading but not in the other. Until some
line decides, both readings are the same but for `\\`.

The characters that an escape stands for are marked before `csv` reads the lines, so that no other
code needs to know of escapes, and put in place when the values are known.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many characters are read ahead, from the first backslash that matters, to decide.
LOOK_AHEAD_CHARS = 4 * 1024**2

# Surrogates that `decoding` never leaves in a text stand for escapes: in a field that is known to
# be quoted, and elsewhere.
_QUOTED = {'\\"': "\ud801", "\\\\": "\ud802"}
_ELSEWHERE = {'\\"': "\ud803", "\\\\": "\ud804"}
_WRITTEN = {mark: escape for marks in (_QUOTED, _ELSEWHERE) for escape, mark in marks.items()}
_MARK = re.compile("[\ud801-\ud804]")
_ESCAPE = re.compile(r'\\["\\]')


class Backslashes:
    """The backslashes of one file.

    Args:
        separator: the separator of the file.
        width: the number of its columns.
    """

    def __init__(self, separator: str, width: int) -> None:
        apart = re.escape(separator)
        unquoted = f'[^"{apart}][^{apart}]*+|'
        doubled = rf'(?:"(?:[^"]++|"")*+"|{unquoted})'
        escaped = rf'(?:"(?:[^"\\]++|\\.)*+"|{unquoted})'
        rest = f"{{{width - 1}}}"
        self._doubled = re.compile(f"{doubled}(?:{apart}{doubled}){rest}", re.DOTALL)
        self._escaped = re.compile(f"{escaped}(?:{apart}{escaped}){rest}", re.DOTALL)
        # A quote that an escape explains, but that ends a value nowhere in RFC 4180.
        self._violated = re.compile(
            rf'(?:{doubled}{apart})*+"(?:[^"]++|"")*+(?<=\\)"(?!{apart}|\Z)', re.DOTALL
        )
        self._quoted = re.compile(
            rf'(?:^|(?<=[{apart}\n\r]))"(?:[^"\\]++|\\.|"")*+"(?=[{apart}\n\r]|\Z)', re.DOTALL
        )
        #: Whether backslashes escape; None until it is decided.
        self.escape: bool | None = None

    def mark(self, blocks: Iterable[str]) -> Iterator[str]:
        """The same blocks of whole lines, with marks where a backslash escapes.

        Reads at most `LOOK_AHEAD_CHARS` ahead, each line once.
        """
        blocks = iter(blocks)
        for block in blocks:
            window = [block]
            # One character is found many times as fast as two.
            if self.escape is None and "\\" in block and _ESCAPE.search(block):
                chars = len(block)
                while chars < LOOK_AHEAD_CHARS and (ahead := next(blocks, None)) is not None:
                    window.append(ahead)
                    chars += len(ahead)
                votes = sum(map(self._vote, chain(*(each.splitlines() for each in window))))
                self.escape = votes > 0 if votes else None
            yield from map(self._mark_block, window) if self.escape else window

    def _vote(self, line: str) -> int:
        """1 for a line that shows that backslashes escape, -1 for one that shows the contrary."""
        if '\\"' not in line and '""' not in line:
            return 0
        escaped = bool(self._escaped.fullmatch(line) or self._violated.match(line))
        return escaped - bool(self._doubled.fullmatch(line))

    def _mark_block(self, block: str) -> str:
        if "\\" not in block:
            return block
        marked = self._quoted.sub(
            lambda field: _ESCAPE.sub(lambda escape: _QUOTED[escape[0]], field[0]), block
        )
        return _ESCAPE.sub(lambda escape: _ELSEWHERE[escape[0]], marked)

    def read(self, value: str) -> str:
        """What a value means; an escape is ordinary characters if it was not quoted."""
        if not self.escape or not _MARK.search(value):
            return value
        # A block may have ended within a quoted value. Only such a value has several lines.
        is_quoted = "\n" in value or "\r" in value

        def find_meaning(mark: re.Match[str]) -> str:
            escape = _WRITTEN[mark[0]]
            return escape[-1] if is_quoted or mark[0] == _QUOTED[escape] else escape

        return _MARK.sub(find_meaning, value)

    def restore(self, text: str) -> str:
        """A piece of the file as it is written there."""
        return _MARK.sub(lambda mark: _WRITTEN[mark[0]], text) if self.escape else text
