"""Rows of delimited text with more cells than columns: which cells make up which column (SPEC 1).

A value with separators that are not quoted takes several cells, and all columns after it slip. The
cells are put together again if that is possible in exactly one way:

- A cell that begins with a blank goes on with the one before it ("Aspirin, ibuprofen and sleep"),
  unless the header has blanks after its separators, too. This alone settles most rows.
- A column whose field has a form (`RecordShape.forms`: dates, ids, codes) holds that or nothing,
  and no separator, except within a date. Other columns take any number of cells.
- What remains after the last column is surplus: blank cells, whatever follows a column that has a
  form, and whatever follows a last column that the source does not require. So nothing is added to
  a journal that stands last, but a title or the name of a drug is never cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from drug_assets.terms import is_missing

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

#: A row with more cells beyond its columns, blank ones at its end aside, is not put together.
MAX_SURPLUS = 32
#: No value that has a form has more characters.
_MAX_FORM_CHARS = 100
#: In how many ways the columns up to one can end somewhere, and where that one begins.
_End: TypeAlias = tuple[int, int]
#: A date can have its year or its weekday behind a comma.
_MAX_FORM_CELLS = 3


class Joined(NamedTuple):
    """The values of the columns, the cells beyond them, and whether any cells were joined."""

    values: list[str]
    surplus: list[str]
    is_joined: bool


@dataclass(frozen=True)
class Columns:
    """The columns of a file, as far as rows are put together by them."""

    separator: str
    #: By column, the form of its values; None if any text can stand there.
    forms: Sequence[re.Pattern[str] | None]
    #: Whether blanks follow the separators, so that they prove nothing.
    is_spaced: bool
    #: Whether the last column is one that the source requires.
    ends_required: bool

    def join(self, row: Sequence[str]) -> Joined | None:
        """Put the cells of a long row together; None if there is no way to, or more than one."""
        glued = list(row) if self.is_spaced else self._glue(row)
        if len(self.forms) <= len(glued) < len(row):
            joined = self._join(glued)
            if joined is not None:
                return joined._replace(is_joined=True)
        joined = self._join(list(row))
        if (
            joined is None
            and len(glued) == len(row)
            and not any(map(str.strip, row[len(self.forms) :]))
        ):
            # Nothing but blanks follows the last column: nothing slipped.
            width = len(self.forms)
            return Joined(list(row[:width]), list(row[width:]), is_joined=False)
        return joined

    def _join(self, cells: list[str]) -> Joined | None:
        width, end = len(self.forms), len(cells)
        while end > width and not cells[end - 1].strip():
            end -= 1
        if end - width > MAX_SURPLUS:
            return None
        # One blank cell at the end may be the last column, so it is looked at.
        cells, blank = cells[: end + 1], cells[end + 1 :]
        ends = self._find_ends(cells)
        if ends is None:
            return None
        spans = list(pairwise([0, *ends]))
        if self.forms[-1] is None and not self.ends_required:
            spans[-1] = spans[-1][0], spans[-1][0] + 1
        values = [self.separator.join(cells[start:end]) for start, end in spans]
        is_joined = any(end - start > 1 for start, end in spans)
        return Joined(values, cells[spans[-1][1] :] + blank, is_joined)

    def _glue(self, row: Sequence[str]) -> list[str]:
        """The cells, with those that begin with a blank added to the one before them."""
        starts = [
            number
            for number, cell in enumerate(row)
            if not (number and cell[:1].isspace() and cell.strip() and row[number - 1].strip())
        ]
        if len(starts) == len(row):
            return list(row)
        return [self.separator.join(row[i:j]) for i, j in pairwise([*starts, len(row)])]

    def _find_ends(self, cells: list[str]) -> list[int] | None:
        """The number of cells up to the end of each column; None if it is not certain."""
        width, spare = len(self.forms), len(cells) - len(self.forms)
        filled = [bool(cell.strip()) for cell in cells]
        # How the columns so far can end, by the number of cells beyond one for each of them: in
        # how many ways (2 stands for more), and where the last column begins.
        ends = [(1, 0)] + [(0, 0)] * spare
        steps = []
        for column, form in enumerate(self.forms):
            if form is None:
                ends = _take_any(filled, column, ends)
            else:
                ends = self._take_form(form, cells, column, ends)
            steps.append(ends)
        is_open = self.forms[-1] is None
        possible = [
            spared
            for spared, (ways, _) in enumerate(ends)
            if ways and not (is_open and any(filled[width + spared :]))
        ]
        if len(possible) != 1 or ends[possible[0]][0] != 1:
            return None
        found = [width + possible[0]]
        for column in range(width - 1, 0, -1):
            found.append(steps[column][found[-1] - column - 1][1])
        return found[::-1]

    def _take_form(
        self, form: re.Pattern[str], cells: list[str], column: int, before: list[_End]
    ) -> list[_End]:
        """How a column that has a form can end, if those before it end as `before` says."""
        ends = [(0, 0)] * len(before)
        for spared, (ways, _) in enumerate(before):
            start = column + spared
            if not ways:
                continue
            for more in range(min(_MAX_FORM_CELLS, len(before) - spared)):
                text = self.separator.join(cells[start : start + more + 1])
                if _has_form(form, text):
                    ends[spared + more] = min(2, ends[spared + more][0] + ways), start
        return ends


def _take_any(filled: list[bool], column: int, before: list[_End]) -> list[_End]:
    """How a column of any text can end, if those before it end as `before` says.

    It takes one cell, or more if the first and the last of them are not blank.
    """
    ends: list[_End] = []
    open_ways, open_start = 0, 0
    for spared, (ways, _) in enumerate(before):
        start = column + spared
        if not filled[start]:
            ends.append((ways, start))
            continue
        ends.append((min(2, ways + open_ways), start if ways else open_start))
        if ways:
            open_ways, open_start = min(2, open_ways + ways), start
    return ends


def _has_form(form: re.Pattern[str], text: str) -> bool:
    return len(text) <= _MAX_FORM_CHARS and (is_missing(text) or bool(form.fullmatch(text.strip())))
