"""MEDLINE text (PubMed's own export: `.nbib`, "PubMed" format) -> raw rows (SPEC 1).

A field is a tag of up to four letters, `- `, and its value, which may go on in indented lines. A
record begins with its PMID. The columns are those of `pubmed_xml`, so that one article is one row
in either format; the other fields (abstract, authors, headings: most of a record) are not kept.

Read issues: `stray_line` (a line that belongs to no field); from decoding: `not_utf8`.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from drug_assets.formats import nlm, raw_rows
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repair
from drug_assets.formats.service_errors import find_in_line
from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape

_PMID = "PMID"
_FIELD = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}-(?: +(.*)|$)")
_EVIDENT = re.compile(r"^PMID- +[0-9]+ *\r?$", re.MULTILINE)
_LINE_END = re.compile(r"\r\n?|\n")

#: Fields that a record has once. After a blank line, the second one begins another record.
_SINGLE = frozenset({"OWN", "STAT", "TI", "DP", "TA", "JT", "JID"})
#: The tags of corrections and comments, and what they are called in XML.
_CORRECTIONS = {
    "CIN": "CommentIn",
    "CON": "CommentOn",
    "CRF": "CorrectedandRepublishedFrom",
    "CRI": "CorrectedandRepublishedIn",
    "DDIN": "DatasetDescribedIn",
    "DRIN": "DatasetUseReportedIn",
    "ECF": "ExpressionOfConcernFor",
    "ECI": "ExpressionOfConcernIn",
    "EFR": "ErratumFor",
    "EIN": "ErratumIn",
    "ORI": "OriginalReportIn",
    "PRIN": "PartialRetractionIn",
    "PROF": "PartialRetractionOf",
    "ROF": "RetractionOf",
    "RIN": "RetractionIn",
    "RPF": "RepublishedFrom",
    "RPI": "RepublishedIn",
    "RRF": "RetractedandRepublishedFrom",
    "RRI": "RetractedandRepublishedIn",
    "SPIN": "SummaryForPatientsIn",
    "UIN": "UpdateIn",
    "UOF": "UpdateOf",
}
_KEPT = frozenset(
    {
        *(_PMID, "STAT", "TI", "BTI", "TT", "DP", "DEP", "LR", "JT", "TA", "JID", "IS", "PT", "SI"),
        *_CORRECTIONS,
    }
)
_TITLES = frozenset({"TI", "BTI", "TT"})
_NUMERIC_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})$")
_CITED_PMID = re.compile(r"\bPMID: ?([0-9]+)")


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly MEDLINE text."""
    return bool(_EVIDENT.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file with its extension can be MEDLINE text."""
    return any(line.startswith(_PMID) and _FIELD.match(line) for line in _LINE_END.split(head))


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of raw rows; one empty batch if it has no records.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: A record does not end, no record has a title, or a service tells of an error
            in place of a record.
    """
    records = _Records(name)
    batch = _Batch(shape, name)
    for line in _split_lines(name, Text(name, chunks)):
        record = records.add_line(line)
        if record is not None:
            batch.add(record)
            if batch.full():
                yield batch.take_frame()
    last = records.take()
    if last is not None:
        batch.add(last)
    if not batch.is_empty() and _TITLES.isdisjoint(records.tags):
        raise raw_rows.no_record_error(shape, name, sorted(records.tags))
    if batch.height or batch.is_empty():
        yield batch.take_frame()


class _Record:
    """The fields of one record that are kept, and its stray lines."""

    __slots__ = ("chars", "fields", "strays", "tags")

    def __init__(self) -> None:
        #: The values of each tag; a value is a list of its lines.
        self.fields: dict[str, list[list[str]]] = {}
        self.strays: list[str] = []
        self.tags: set[str] = set()
        self.chars = 0

    def first(self, tag: str) -> str | None:
        """The first value of a field; None if there is none."""
        values = self.fields.get(tag)
        return " ".join(values[0]) if values else None

    def all(self, tag: str) -> list[str]:
        """All values of a field."""
        return [" ".join(lines) for lines in self.fields.get(tag, [])]


class _Records:
    """Collects the lines of a file to records."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0
        self._began = 0
        self._record = _Record()
        self._value: list[str] | None = None
        self._after_blank = True
        #: All tags seen so far.
        self.tags: set[str] = set()

    def add_line(self, line: str) -> _Record | None:
        """Add a line to the current record; returns the record before it if a new one begins."""
        self._line += 1
        found = _FIELD.match(line)
        if found is None:
            self._add_other(line)
            return None
        tag, value = found[1], found[2] or ""
        done = None
        seen = self._record.tags
        if (tag == _PMID and seen) or (self._after_blank and tag in _SINGLE and tag in seen):
            done = self.take()
        if not self._record.chars:
            self._began = self._line
        self._after_blank = False
        self._record.tags.add(tag)
        self.tags.add(tag)
        self._value = [value.strip()] if tag in _KEPT else []
        if tag in _KEPT:
            self._record.fields.setdefault(tag, []).append(self._value)
        self._count(line)
        return done

    def _add_other(self, line: str) -> None:
        """Add a line that begins no field: blank, the rest of a value, or stray."""
        text = line.strip()
        if not text:
            self._after_blank = True
        elif line[0] in " \t" and self._value is not None:
            self._value.append(text)
        else:
            self._refuse_error(line)
            self._record.strays.append(line)
        self._count(line)

    def _refuse_error(self, line: str) -> None:
        told = find_in_line(repair(line)[0])
        if told:
            raise FormatError(
                self._name,
                f"line {self._line} is an error of the service that it is from: {told!r}. Ask the "
                "service again, and land what it answers then.",
            )

    def _count(self, line: str) -> None:
        self._record.chars += len(line) + 1
        if self._record.chars > MAX_RECORD_CHARS:
            raise FormatError(
                self._name,
                f"the record that begins on line {self._began or 1} is longer than "
                f"{MAX_RECORD_CHARS} characters. Land the file again, whole.",
            )

    def take(self) -> _Record | None:
        """The current record, None if it holds nothing; a new one begins."""
        record, self._record, self._value = self._record, _Record(), None
        return record if record.tags or record.strays else None


def _split_lines(name: str, blocks: Iterable[str]) -> Iterator[str]:
    """The lines of a text, without their ends."""
    tail = ""
    for block in blocks:
        text = tail + block
        # A CR at the end of the block may be the first half of a CRLF.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
        yield from _LINE_END.split(text[:cut])[:-1]
        tail = text[cut:]
        if len(tail) > MAX_RECORD_CHARS:
            raise FormatError(
                name,
                f"a line is longer than {MAX_RECORD_CHARS} characters: not the MEDLINE text it "
                "claims. Land it as the format it is.",
            )
    if tail:
        yield from _LINE_END.split(tail)


class _Batch:
    """The rows of one batch after the other."""

    def __init__(self, shape: RecordShape, name: str) -> None:
        self._shape = shape
        self._name = name
        self._first_row = 1
        self._clear()

    def _clear(self) -> None:
        self.height = 0
        self._chars = 0
        # One list per column: keeping a tuple per row would slow down the garbage collector.
        self._fields: dict[str, list[str | None]] = {field: [] for field in nlm.FIELDS}
        self._strays: dict[int, list[str]] = {}

    def is_empty(self) -> bool:
        """Whether the file had no record so far."""
        return self._first_row == 1 and not self.height

    def full(self) -> bool:
        """Whether the batch is complete."""
        return self.height >= raw_rows.BATCH_RECORDS or self._chars >= raw_rows.BATCH_CHARS

    def add(self, record: _Record) -> None:
        """Add the row of a record."""
        for values, value in zip(self._fields.values(), _read_row(record), strict=True):
            values.append(value)
        if record.strays:
            self._strays[self.height] = record.strays
        self._chars += record.chars
        self.height += 1

    def take_frame(self) -> pl.DataFrame:
        """Return the rows collected so far, and forget them."""
        extra = {
            row: raw_rows.to_json_object([("raw", encode_basestring("\n".join(lines)))])
            for row, lines in self._strays.items()
        }
        issues = dict.fromkeys(self._strays, (ReadIssue.STRAY_LINE,))
        frame = raw_rows.make_frame(
            self._shape,
            self._name,
            self._first_row,
            self.height,
            self._fields,
            extra,
            issues,
            repair,
        )
        self._first_row += self.height
        self._clear()
        return frame


def _read_row(record: _Record) -> tuple[str | None, ...]:
    """The fields of a record, in the order of `nlm.FIELDS`."""
    first = record.first
    dates = (first("DP"), _read_date(first("DEP")), _read_date(first("LR")))
    title = first("TI")
    return (
        *(first(_PMID), None, first("STAT")),
        *(first("BTI") if title is None else title, first("TT"), *dates),
        *(first("JT"), nlm.join(record.all("TA")), first("JID"), _read_issns(record.all("IS"))),
        *(nlm.join(record.all("PT")), _read_corrections(record), _read_trial_ids(record)),
    )


def _read_date(text: str | None) -> str | None:
    """`20200115` as XML's parts are joined: `2020-01-15`; any other text as written."""
    return None if text is None else _NUMERIC_DATE.sub(r"\1-\2-\3", text)


def _read_issns(values: list[str]) -> str | None:
    """All, the linking ISSN first, which covers the others. Each is followed by its kind."""
    parts = [(kind, issn) for issn, _, kind in (value.partition(" ") for value in values)]
    parts.sort(key=lambda part: "Linking" not in part[0])
    return nlm.join(issn for _, issn in parts)


def _read_corrections(record: _Record) -> str | None:
    """Each kind, as XML calls it, with the PubMed id of the other article if it is given."""
    found = []
    for tag in filter(_CORRECTIONS.__contains__, record.fields):
        for reference in record.all(tag):
            cited = _CITED_PMID.search(reference)
            kind = _CORRECTIONS[tag]
            found.append(f"{kind} {cited[1]}" if cited else kind)
    return nlm.join(found)


def _read_trial_ids(record: _Record) -> str | None:
    """The ids of trials among the secondary ids, such as `ClinicalTrials.gov/NCT00000001`."""
    pairs = (value.partition("/") for value in record.all("SI"))
    return nlm.join(number for bank, _, number in pairs if number and nlm.registers_trials(bank))
