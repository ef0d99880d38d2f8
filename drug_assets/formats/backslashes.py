r"""Backslash escapes in delimited text, as Spark and MySQL write them (SPEC 1).

RFC 4180 doubles a quote within a quoted field. In a file that escapes, `\"` is a quote and `\\` a
backslash there, while any other backslash is an ordinary one. Which of both a file does is decided
once, by its lines: by those that are sound rows in the one reading but not in the other. Until some
line decides, both readings are the same but for `\\`.

A file that quotes no separators can escape them, line ends and backslashes (MySQL's `INTO
OUTFILE`). It does if more of its lines have the right number of values with these escapes than
without.

The lines that decide are those from the first escape on, up to a number of characters: the same
lines however the file comes in blocks.

The characters that an escape stands for are marked before `csv` reads the lines, so that no other
code needs to know of escapes, and put in place when the values are known.
"""

from __future__ import annotations

import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from drug_assets.formats.decoding import MAX_RECORD_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many characters are read ahead, from the first line with an escape on, to decide.
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
_END_OF_LINE = re.compile(r"\r\n?|\n")


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
        # On one line: a value of several lines is known to be quoted.
        self._quoted = re.compile(
            rf'(?:^|(?<=[{apart}\n\r]))"(?:[^"\\\n\r]++|\\[^\n\r]|"")*+"(?=[{apart}\n\r]|\Z)'
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
        """The same text in blocks of whole lines, with marks where a backslash escapes.

        Reads little more than `LOOK_AHEAD_CHARS` ahead, each line once.
        """
        blocks = iter(blocks)
        ahead = ""
        while block := ahead or next(blocks, ""):
            ahead = ""
            # One character is found many times as fast as two.
            start = self._find_escape(block) if self.escape is None and "\\" in block else None
            if start is not None:
                if start:
                    yield block[:start]
                block, ahead = _take_window(block[start:], blocks)
                self._decide(block)
            if self.bare:
                yield from self._mark_bare(chain([block, ahead], blocks))
                return
            yield self._mark_block(block) if self.escape else block

    def _find_escape(self, block: str) -> int | None:
        """The start of the first line with what may be an escape; None if there is none."""
        first = _ESCAPE.search(block)
        end = first.start() if first else len(block)
        position = 0
        while found := self._unquoted.search(block, position, end):
            start = _find_line_start(block, position, found.start())
            line_end = _END_OF_LINE.search(block, found.start())
            position = line_end.end() if line_end else len(block)
            if position > end or block.find('"', start, position) < 0:
                return start
        return _find_line_start(block, position, end) if first else None

    def _decide(self, window: str) -> None:
        """Decide by the lines of a text whether backslashes escape."""
        lines = [line.rstrip("\r\n") for line in io.StringIO(window, newline="")]
        votes = sum(map(self._vote, lines))
        if votes:
            self.escape = votes > 0
        elif (bare := sum(map(self._vote_bare, self._whole_lines(window)))) > 0:
            # A line of quotes that hold separators shows the contrary.
            quoting = (line for line in lines if '"' in line and self._doubled.fullmatch(line))
            if bare > sum(line.count(self._separator) != self._width - 1 for line in quoting):
                self.escape = self.bare = True

    def _vote(self, line: str) -> int:
        """1 for a line that shows that backslashes escape, -1 for one that shows the contrary."""
        if '\\"' not in line and '""' not in line:
            return 0
        escaped = bool(self._escaped.fullmatch(line) or self._violated.match(line))
        return escaped - bool(self._doubled.fullmatch(line))

    @staticmethod
    def _whole_lines(window: str) -> Iterator[str]:
        """The lines of a text, each with those that it goes on in after an escape."""
        pieces: list[str] = []
        for line in window.split("\n"):
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
        # Only a quoted value has several lines.
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


def _take_window(text: str, blocks: Iterator[str]) -> tuple[str, str]:
    """The lines that decide, and what was read behind them.

    Args:
        text: whole lines.
        blocks: those that follow, in blocks.
    """
    pieces, chars = [text], len(text)
    while chars < LOOK_AHEAD_CHARS and (block := next(blocks, None)) is not None:
        pieces.append(block)
        chars += len(block)
    text = "".join(pieces)
    line_end = _END_OF_LINE.search(text, LOOK_AHEAD_CHARS - 1)
    cut = line_end.end() if line_end else len(text)
    return text[:cut], text[cut:]


def _find_line_start(text: str, start: int, position: int) -> int:
    """The start of the line of a place, not before `start`."""
    start = max(start, text.rfind("\n", start, position) + 1)
    return max(start, text.rfind("\r", start, position) + 1)


def _ends_escaped(text: str, end: int) -> bool:
    """Whether an odd number of backslashes stands before a place."""
    start = end
    while start and text[start - 1] == "\\":
        start -= 1
    return (end - start) % 2 == 1
