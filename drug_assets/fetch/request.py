"""The request of a pull: service, query, dates, page size.

A request contains no secret, because it is written beside the landed files. Nothing here calls a
service or touches a disk.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from drug_assets.fetch.errors import FetchRequestError

if TYPE_CHECKING:
    from drug_assets.fetch.public_service import PublicService

_LONGEST_SLUG = 40
_LONGEST_QUERY = 20_000


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """One pull from one service.

    Attributes:
        service: the service to pull from.
        query: in the service's own language: `query.term` of ClinicalTrials.gov, a PubMed term.
        page_size: records per file, at most the service's `largest_page_size`.
        since: only records from this day on, by `date_type`.
        until: only records up to this day, inclusive.
        date_type: one of the service's `date_types`, if it has any; the first if not given.
        as_of: UTC date in the file names. By default that of an unfinished pull of the same
            request, else today. A schedule sets it, so that a retry writes the same names.

    Raises:
        FetchRequestError: Lists every fault, each with the field and its valid values.
    """

    service: PublicService
    query: str
    page_size: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    date_type: str | None = None
    as_of: dt.date | None = None

    def __post_init__(self) -> None:
        faults = [*self._query_faults(), *self._option_faults()]
        if faults:
            raise FetchRequestError("not a fetch request: " + "; ".join(faults))

    def _query_faults(self) -> list[str]:
        faults = []
        if not isinstance(self.query, str) or not self.query.strip():
            faults.append("query must be a text that is not blank")
        elif len(self.query) > _LONGEST_QUERY:
            faults.append(f"query has {len(self.query)} characters, at most {_LONGEST_QUERY} fit")
        elif any(unicodedata.category(c) in {"Cc", "Cs"} for c in self.term):
            faults.append("query holds a control character or half a surrogate pair")
        return faults

    def _option_faults(self) -> list[str]:
        faults = []
        largest = self.service.largest_page_size
        if self.page_size is not None and (
            not isinstance(self.page_size, int)
            or isinstance(self.page_size, bool)
            or not 1 <= self.page_size <= largest
        ):
            faults.append(f"page_size is {self.page_size!r}, it must be 1 to {largest}")
        dates = {name: getattr(self, name) for name in ("since", "until", "as_of")}
        wrong = [n for n, d in dates.items() if d is not None and type(d) is not dt.date]
        faults += [f"{name} is {dates[name]!r}, it must be a date" for name in wrong]
        if not wrong and self.since and self.until and self.since > self.until:
            faults.append(f"since {self.since} is after until {self.until}")
        known = self.service.date_types
        if self.date_type is not None and not known:
            faults.append(f"date_type: {self.service.name} has one kind of date, leave it out")
        elif self.date_type is not None and self.date_type not in known:
            faults.append(f"date_type is {self.date_type!r}, it must be one of {', '.join(known)}")
        return faults

    @property
    def source(self) -> str:
        """Name of the source that the requested records belong to."""
        return self.service.source

    @property
    def term(self) -> str:
        """The query as it is sent: each run of white space, line ends included, is one blank."""
        return " ".join(self.query.split())

    @property
    def records_per_page(self) -> int:
        """The page size in effect: the request's, else the service's default."""
        return self.page_size or self.service.default_page_size

    @property
    def asked_date_type(self) -> str | None:
        """The date type that `since` and `until` apply to; None if the service has no choice."""
        return self.date_type or next(iter(self.service.date_types), None)

    @property
    def label(self) -> str:
        """A readable start of the query, and a hash of everything that decides the result.

        Equal requests have equal labels, on any day and machine; letters, digits, `-` only.
        """
        decisive = [
            self.source,
            self.term,
            self.records_per_page,
            str(self.since),
            str(self.until),
            self.asked_date_type,
        ]
        digest = hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:8]
        plain = unicodedata.normalize("NFKD", self.query).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
        return f"{slug or 'query'}-{digest}"

    def stem(self, as_of: dt.date) -> str:
        """The prefix of the names of all files of this pull."""
        return f"{self.service.file_prefix}_{as_of.isoformat()}_{self.label}"

    def as_json(self) -> dict[str, object]:
        """The request as JSON values, written beside the landed files."""
        values = {"source": self.source}
        values |= {f.name: getattr(self, f.name) for f in fields(self) if f.name != "service"}
        return {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in values.items()
            if value is not None
        }
