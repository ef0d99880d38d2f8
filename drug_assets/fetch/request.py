"""What a pull asks for, and the JSON message that can ask for it.

No secret belongs in a request: it is written beside the landed files and travels through queues.
Nothing here talks to a service or touches a disk.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Final

from drug_assets.fetch.errors import FetchRequestError

#: Start of the names of landed files: the service and its version, and `sources` knows the source.
PREFIXES: Final = {"clinical_trials": "clinical_trials_api_v2", "pubmed": "pubmed_efetch"}
#: Records a page when the request does not say; and the most a service (or good sense) allows.
DEFAULT_PAGE_SIZES: Final = {"clinical_trials": 1000, "pubmed": 500}
LARGEST_PAGE_SIZES: Final = {"clinical_trials": 1000, "pubmed": 5000}
#: PubMed's dates: entry (each record has one and keeps it), publication, last change.
DATE_TYPES: Final = ("edat", "pdat", "mdat")

_LONGEST_SLUG = 40
_LONGEST_QUERY = 20_000


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """One pull from one service.

    Attributes:
        source: `pubmed` or `clinical_trials`.
        query: In the service's own language: `query.term` of ClinicalTrials.gov, a PubMed term.
        page_size: Records a file; at most 1,000 for trials, 5,000 for PubMed.
        since: Only records from this day on: PubMed's `date_type`, a trial's last update posted.
        until: Only records up to this day, included.
        date_type: PubMed only: `edat` (default), `pdat` or `mdat`.
        as_of: UTC date in the file names. By default that of an unfinished pull of the same
            request, else today. A schedule gives it, so that a retry writes the same names.

    Raises:
        FetchRequestError: With every fault, each naming the field and what would be right.
    """

    source: str
    query: str
    page_size: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    date_type: str | None = None
    as_of: dt.date | None = None

    def __post_init__(self) -> None:
        faults = [*self._source_and_query_faults(), *self._option_faults()]
        if faults:
            raise FetchRequestError("not a fetch request: " + "; ".join(faults))

    def _source_and_query_faults(self) -> list[str]:
        faults = []
        if not isinstance(self.source, str) or self.source not in PREFIXES:
            faults.append(f"source is {self.source!r}, it must be one of {', '.join(PREFIXES)}")
        if not isinstance(self.query, str) or not self.query.strip():
            faults.append("query must be a text that is not blank")
        elif len(self.query) > _LONGEST_QUERY:
            faults.append(f"query has {len(self.query)} characters, at most {_LONGEST_QUERY} fit")
        elif any(unicodedata.category(c) in {"Cc", "Cs"} for c in self.term):
            faults.append("query holds a control character or half a surrogate pair")
        return faults

    def _option_faults(self) -> list[str]:
        faults = []
        largest = LARGEST_PAGE_SIZES.get(str(self.source), max(LARGEST_PAGE_SIZES.values()))
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
        if self.date_type is not None and self.source == "clinical_trials":
            faults.append("date_type is PubMed's alone: leave it out for clinical_trials")
        elif self.date_type is not None and self.date_type not in DATE_TYPES:
            faults.append(
                f"date_type is {self.date_type!r}, it must be one of {', '.join(DATE_TYPES)}"
            )
        return faults

    @property
    def term(self) -> str:
        """The query as it is sent: white space, line ends among it, counts as one blank."""
        return " ".join(self.query.split())

    @property
    def records_a_page(self) -> int:
        """The page size that holds: the request's, else the source's default."""
        return self.page_size or DEFAULT_PAGE_SIZES[self.source]

    @property
    def asked_date_type(self) -> str:
        """The PubMed date that `since`, `until` and splitting go by."""
        return self.date_type or "edat"

    @property
    def label(self) -> str:
        """Readable start of the query and a hash of all that decides what comes back.

        Equal requests have equal labels, on any day and machine; letters, digits, `-` only.
        """
        decisive = [
            self.source,
            self.term,
            self.records_a_page,
            str(self.since),
            str(self.until),
            self.asked_date_type if self.source == "pubmed" else None,
        ]
        digest = hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:8]
        plain = unicodedata.normalize("NFKD", self.query).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
        return f"{slug or 'query'}-{digest}"

    def stem(self, as_of: dt.date) -> str:
        """What the names of all files of this pull begin with."""
        return f"{PREFIXES[self.source]}_{as_of.isoformat()}_{self.label}"

    def as_json(self) -> dict[str, object]:
        """The message that asks for this: `parse_request` reads it back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in values.items()
            if value is not None
        }


def parse_request(message: Mapping[str, object] | bytes | str) -> FetchRequest:
    """The request a message asks for.

    Args:
        message: `{"source": "pubmed", "query": "…", …}` with the fields of `FetchRequest`, dates
            as `YYYY-MM-DD`: as JSON text or bytes (the data of a pulled Pub/Sub message), decoded,
            or inside the envelope of a push subscription (`{"message": {"data": base64}}`).

    Raises:
        FetchRequestError: With every fault. An unknown field is a fault: a misspelt `since`
            would otherwise pull everything. Values of unknown fields are not repeated.
    """
    body = _body(message)
    known = [f.name for f in fields(FetchRequest)]
    faults = []
    for name in body:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f", perhaps {near[0]}" if near else f"; known are {', '.join(known)}"
            faults.append(f"unknown field {str(name)[:40]!r}{hint}")
    faults += [f"{name} is missing" for name in ("source", "query") if body.get(name) is None]
    values: dict[str, object] = {name: body[name] for name in known if body.get(name) is not None}
    for name in ("since", "until", "as_of"):
        if name in values:
            try:
                values[name] = _date(values[name])
            except ValueError:
                faults.append(f"{name} is {values[name]!r}, it must be a date like 2026-01-31")
    if faults:
        raise FetchRequestError("not a fetch request: " + "; ".join(faults))
    return FetchRequest(**values)  # type: ignore[arg-type]  # the class checks what it is given


def _date(value: object) -> dt.date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError
    return dt.date.fromisoformat(value)


def _body(message: Mapping[str, object] | bytes | str) -> Mapping[str, object]:
    if not isinstance(message, Mapping):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError) as exc:
            raise FetchRequestError(f"not a fetch request: not JSON in UTF-8 ({exc})") from None
    if not isinstance(message, Mapping):
        raise FetchRequestError(
            'not a fetch request: a JSON object like {"source": "pubmed", "query": "aspirin"} is'
            f" wanted, not {type(message).__name__}"
        )
    envelope = message.get("message")
    if not isinstance(envelope, Mapping):
        return message
    try:
        data = base64.b64decode(str(envelope.get("data", "")), validate=True)
    except ValueError:
        raise FetchRequestError(
            "not a fetch request: the data of the Pub/Sub message is not base64"
        ) from None
    return _body(data)
