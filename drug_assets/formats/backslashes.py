r"""Backslash escapes in delimited text, as Spark and MySQL write them (SPEC 1).

RFC 4180 doubles a quote within a quoted field. In a file that escapes, `\"` is a quote and `\\` a
backslash there, while any other backslash is an ordinary one. Which of both a file does is decided
once, by its lines: by those that are sound rows in the one reading but not in the other. Until some
line decides, both readings are the same but for `\\`.

A file without quotes can escape its separators, line ends and backslashes (MySQL's `INTO OUTFILE`).
It does if more of its lines have the right number of values with these escapes than without.

The characters that an escape stands for are marked before `csv` reads the lines, so that no other
code needs to know of escapes, and put in place when the values are known.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from drug_assets.formats.decoding import MAX_RECORD_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many characters are read ahead, from the first backslash that matters, to decide.
LOOK_AHEAD_CHARS = 4 * 1024**2

# Surrogates that `decoding` never leaves in a text stand for escapes: in a field that is known to
# be quoted, and elsewhere.
_QUOTED = {'\\"': "\ud801", "\\\\": "\ud802"}
_ELSEWHERE = {'\\"': "\ud803", "\\\\": "\ud804"}
_WRITTEN = {mark: escape for marks in (_QUOTED, _ELSEWHERE) for escape, mark in marks.items()}
#: The same for a character that is escaped in a file without quotes.
_BACKSLASH, _LINE_END, _SEPARATOR = "\ud805", "\ud806", "\ud807"
_MARK = re.compile("[\ud801-\ud807]")
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
        self._separator = separator
        self._width = width
        self._apart = re.compile(rf"\\.|{apart}", re.DOTALL)
        self._unquoted = re.compile(rf"\\([\\\n{apart}])")
        #: Whether backslashes escape; None until it is decided.
        self.escape: bool | None = None
        #: Whether they do without quotes.
        self.bare = False
        self._marks = {"\\": _BACKSLASH, "\n": _LINE_END, separator: _SEPARATOR}
        self._meanings = {mark: text for text, mark in self._marks.items()}

    def mark(self, blocks: Iterable[str]) -> Iterator[str]:
        """The same blocks of whole lines, with marks where a backslash escapes.

        Reads at most `LOOK_AHEAD_CHARS` ahead, each line once.
        """
        blocks = iter(blocks)
        for block in blocks:
            window = [block]
            # One character is found many times as fast as two.
            if self.escape is None and "\\" in block and self._matters(block):
                chars = len(block)
                while chars < LOOK_AHEAD_CHARS and (ahead := next(blocks, None)) is not None:
                    window.append(ahead)
                    chars += len(ahead)
                votes = sum(map(self._vote, chain(*(each.splitlines() for each in window))))
                self.escape = votes > 0 if votes else None
                if self.escape is None and sum(map(self._vote_bare, self._whole_lines(window))) > 0:
                    self.escape = self.bare = True
            if self.bare:
                yield from self._mark_bare(chain(window, blocks))
            else:
                yield from map(self._mark_block, window) if self.escape else window

    def _vote(self, line: str) -> int:
        """1 for a line that shows that backslashes escape, -1 for one that shows the contrary."""
        if '\\"' not in line and '""' not in line:
            return 0
        escaped = bool(self._escaped.fullmatch(line) or self._violated.match(line))
        return escaped - bool(self._doubled.fullmatch(line))

    def _matters(self, block: str) -> bool:
        return bool(_ESCAPE.search(block) or ('"' not in block and self._unquoted.search(block)))

    @staticmethod
    def _whole_lines(window: Iterable[str]) -> Iterator[str]:
        """The lines of a text, each with those that it goes on in after an escape."""
        pieces: list[str] = []
        for line in "".join(window).split("\n"):
            pieces.append(line)
            if not _ends_escaped(line, len(line)):
                yield "\n".join(pieces)
                pieces = []

    def _vote_bare(self, line: str) -> int:
        """The same for a line without quotes."""
        if "\\" not in line or '"' in line or not self._unquoted.search(line):
            return 0
        escaped = sum(match[0] == self._separator for match in self._apart.finditer(line))
        usual = line.count(self._separator) if "\n" not in line else -1
        return (escaped == self._width - 1) - (usual == self._width - 1)

    def _mark_bare(self, blocks: Iterable[str]) -> Iterator[str]:
        """The same blocks with marks; a line that goes on behind its block is in the next one."""
        tail = ""
        for block in blocks:
            text = tail + block
            cut = len(text)
            while (end := text.rfind("\n", 0, cut)) >= 0 and _ends_escaped(text, end):
                cut = end
            # What goes on for longer is no record, and is read as it stands.
            cut = end + 1 if len(text) <= MAX_RECORD_CHARS else len(text)
            tail = text[cut:]
            if cut:
                yield self._mark_unquoted(text[:cut])
        if tail:
            yield self._mark_unquoted(tail)

    def _mark_unquoted(self, text: str) -> str:
        return self._unquoted.sub(lambda found: self._marks[found[1]], text)

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
            if mark[0] in self._meanings:
                return self._meanings[mark[0]]
            escape = _WRITTEN[mark[0]]
            return escape[-1] if is_quoted or mark[0] == _QUOTED[escape] else escape

        return _MARK.sub(find_meaning, value)

    def restore(self, text: str) -> str:
        """A piece of the file as it is written there."""
        if not self.escape:
            return text
        return _MARK.sub(lambda mark: _WRITTEN.get(mark[0]) or "\\" + self._meanings[mark[0]], text)


def _ends_escaped(text: str, end: int) -> bool:
    """Whether an odd number of backslashes stands before a place."""
    start = end
    while start and text[start - 1] == "\\":
        start -= 1
    return (end - start) % 2 == 1
