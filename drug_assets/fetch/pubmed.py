"""PubMed through NCBI E-utilities: esearch lists the ids, efetch returns their records as XML.

https://www.ncbi.nlm.nih.gov/books/NBK25499/. The ids are listed once and stored; then their records
are fetched by id, one page at a time. The history server (WebEnv) does not suit a pull that may be
resumed: its results expire, a repeated search may number its records differently, and slices of a
large search may share records. With a list of ids a page is the same whenever it is requested, and
each answer can be checked for exactly the records that it should hold. All requests are POSTs: NCBI
asks for that with long lists of ids, and it keeps the key out of URLs.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from drug_assets.fetch.errors import BrokenAnswer, FetchError, RefusedAnswer
from drug_assets.fetch.ledger import PageRecord
from drug_assets.fetch.public_service import Caller, PublicService
from drug_assets.fetch.service import Clock, Patience, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from drug_assets.fetch.ledger import Ledger
    from drug_assets.fetch.request import FetchRequest

log = logging.getLogger(__name__)

NAME: Final = "PubMed"
#: Seconds between requests: slightly below NCBI's limit of 3 requests a second, 10 with a key
#: (NBK25497).
INTERVAL: Final = 0.36
INTERVAL_WITH_KEY: Final = 0.11
#: The most ids that a PubMed search lists; a larger search is split by date.
LISTED: Final = 9_999

#: All dates of PubMed records are in this range: the oldest record is of the 18th century.
_FIRST_DAY, _LAST_DAY = dt.date(1700, 1, 1), dt.date(3000, 12, 31)
#: How often a split search is repeated, because records appear or disappear meanwhile.
_PLANS = 3
#: How often a page with a few records missing is requested before they count as withdrawn.
_TRIES_WITH_MISSING = 3
#: Share of a page that may be withdrawn between search and fetch; above it, the answer is faulty.
_WITHDRAWN_SHARE = 0.05


@dataclass(frozen=True)
class _Found:
    count: int
    ids: tuple[str, ...]
    translation: str
    warnings: tuple[str, ...]


def is_passing(words: str) -> bool:
    """Whether a refusal by NCBI is temporary, for a reason on its own side."""
    return "Search Backend failed" in words or "rate limit exceeded" in words


class PubMed(PublicService):
    """NCBI's E-utilities."""

    source = "pubmed"
    name = NAME
    base_url = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    file_prefix = "pubmed_efetch"
    default_page_size = 500
    largest_page_size = 5000
    #: Entry (each record has one and keeps it), publication, last change.
    date_types = ("edat", "pdat", "mdat")
    changed_date_type = "mdat"

    def interval(self, caller: Caller) -> float:
        """Seconds between requests: NCBI allows more to callers with a key."""
        return INTERVAL_WITH_KEY if caller.api_key else INTERVAL

    def open(
        self, caller: Caller, base_url: str | None, patience: Patience, clock: Clock
    ) -> Service:
        """A client whose messages never contain the key; see `PublicService`."""
        return Service(
            self.name,
            base_url or self.base_url,
            interval=self.interval(caller),
            patience=patience,
            clock=clock,
            secret=caller.api_key,
            passing=is_passing,
        )

    def land_pages(
        self, request: FetchRequest, ledger: Ledger, service: Service, caller: Caller
    ) -> tuple[list[PageRecord], list[str]]:
        """Land every page that is not landed yet; see `PublicService`."""
        fields = {"tool": caller.tool, "email": caller.email, "api_key": caller.api_key}
        identity = {key: value for key, value in fields.items() if value}
        return EUtilities(request, service, identity).land_pages(ledger)


SERVICE = PubMed()


class EUtilities:
    """The searches and fetches of one request.

    Args:
        request: The request of the pull.
        service: The HTTP client.
        identity: `tool`, and `email` and `api_key` if given; sent with every request.
    """

    def __init__(self, request: FetchRequest, service: Service, identity: dict[str, str]) -> None:
        self._request = request
        self._service = service
        self._identity = {"db": "pubmed", **identity}

    def land_pages(self, ledger: Ledger) -> tuple[list[PageRecord], list[str]]:
        """Land every page that is not landed yet.

        Returns:
            The records of all pages, in order, and warnings for the report.
        """
        plan = ledger.read_plan()
        if plan is None:
            plan = self._make_plan()
            ledger.keep_plan(plan)
        ids, size = plan["ids"], self._request.records_per_page
        chunks = [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]
        pages = []
        for number, chunk in enumerate(chunks, start=1):
            page = ledger.find_page(number) or self._land_page(ledger, number, chunk, len(ids))
            pages.append(page)
        missing = [pmid for page in pages for pmid in page.missing]
        warnings = list(plan["warnings"])
        if missing:
            warnings.append(
                f"{len(missing)} records were found but not given, most likely withdrawn: "
                + ", ".join(missing[:20])
                + (", …" if len(missing) > 20 else "")
            )
        return pages, warnings

    def _make_plan(self) -> dict[str, Any]:
        """The ids of all records, ascending, so that an equal set gives equal pages."""
        first, last = self._request.since, self._request.until
        whole = self._search(self._request.term, first, last)
        ids, plans = set(whole.ids), 0
        while len(ids) < whole.count:
            if plans == _PLANS:
                raise FetchError(
                    f"{NAME} counts {whole.count} records, but lists {len(ids)} of them by date,"
                    f" {_PLANS} times over. Narrow the query, or try another date_type."
                )
            if plans:  # a record may have disappeared since the count
                whole = self._search(self._request.term, first, last)
            ids = self._find_ids_by_date(first or _FIRST_DAY, last or _LAST_DAY)
            if len(ids) < whole.count and not (first or last):
                ids |= self._find_undated_ids()
            plans += 1
        log.info("%s: %d records found", NAME, len(ids))
        return {
            "ids": sorted(ids, key=int),
            "count": whole.count,
            "translation": whole.translation,
            "warnings": list(whole.warnings),
        }

    def _find_ids_by_date(self, first: dt.date, last: dt.date) -> set[str]:
        """The ids of all records between two days, inclusive; halves a range that has too many."""
        ids: set[str] = set()
        ranges = [(first, last)]
        while ranges:
            start, end = ranges.pop()
            found = self._search(self._request.term, start, end)
            if found.count <= LISTED:
                ids.update(found.ids)
                continue
            if start == end:
                raise FetchError(
                    f"{NAME} has {found.count} records of {start} for this query and lists at most"
                    f" {LISTED} of one day: narrow the query, or try another date_type"
                )
            middle = start + (end - start) // 2
            ranges += [(middle + dt.timedelta(days=1), end), (start, middle)]
        return ids

    def _find_undated_ids(self) -> set[str]:
        """The ids of the records without a date of the type that the search is split by."""
        days = f"{_FIRST_DAY:%Y/%m/%d}:{_LAST_DAY:%Y/%m/%d}[{self._request.asked_date_type}]"
        return set(self._search(f"({self._request.term}) NOT {days}", None, None).ids)

    def _search(self, term: str, first: dt.date | None, last: dt.date | None) -> _Found:
        form = {
            **self._identity,
            "term": term,
            "retmode": "json",
            "retstart": "0",
            "retmax": str(LISTED),
        }
        what = "search"
        if first or last:
            # E-utilities accept a range only with both ends.
            form["datetype"] = self._request.asked_date_type or ""
            form["mindate"] = f"{first or _FIRST_DAY:%Y/%m/%d}"
            form["maxdate"] = f"{last or _LAST_DAY:%Y/%m/%d}"
            what = f"search of {form['mindate']} to {form['maxdate']}"
        return self._service.post("esearch.fcgi", form, _read_search, what).content

    def _land_page(
        self, ledger: Ledger, number: int, ids: tuple[str, ...], total: int
    ) -> PageRecord:
        form = {**self._identity, "retmode": "xml", "id": ",".join(ids)}
        answer = self._service.post(
            "efetch.fcgi", form, _expect_records(ids), f"page {number} ({len(ids)} records)"
        )
        received = set(answer.content)
        record = PageRecord(
            name=None,
            sha256=None,
            size=0,
            ids=answer.content,
            missing=tuple(pmid for pmid in ids if pmid not in received),
            total=total,
        )
        log.info("%s: page %d: %d records", NAME, number, len(answer.content))
        return ledger.land(number, f"_{number:04d}.xml.gz", answer.body, record)


def _read_search(body: bytes) -> _Found:
    """Read the answer to a search.

    Raises:
        BrokenAnswer: The answer is not whole, or reports a temporary fault.
        RefusedAnswer: NCBI does not accept the query or the key; with its own message.
    """
    try:
        # NCBI's JSON may contain raw control characters, copied from the query.
        answer = json.loads(body, strict=False)
        result = answer.get("esearchresult", answer)
        error = result.get("ERROR") or result.get("error")
        if not error:
            count, ids = int(result["count"]), tuple(str(int(pmid)) for pmid in result["idlist"])
            translation = str(result.get("querytranslation", ""))
            warnings = tuple(_collect_warnings(result))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise BrokenAnswer(
            f"the answer is not a whole search result ({type(exc).__name__}: {exc})"
        ) from None
    if error and is_passing(str(error)):
        raise BrokenAnswer(f"it answered: {error}")
    if error:
        raise RefusedAnswer(f"it answered: {error}")
    if count <= LISTED and not count == len(ids) == len(set(ids)):
        raise BrokenAnswer(f"the search lists {len(ids)} ids of {count}")
    return _Found(count, ids, translation, warnings)


def _collect_warnings(result: dict[str, Any]) -> list[str]:
    """Warnings on parts of the query that NCBI ignored, such as a misspelt field."""
    meanings = {
        "phrasesnotfound": "not found by PubMed",
        "fieldsnotfound": "not a field of PubMed",
        "phrasesignored": "ignored by PubMed",
        "quotedphrasesnotfound": "not found by PubMed as a phrase",
    }
    lists = {**(result.get("errorlist") or {}), **(result.get("warninglist") or {})}
    return [
        f"{meaning}: {phrase}"
        for key, meaning in meanings.items()
        for phrase in lists.get(key) or []
    ]


def _expect_records(requested: tuple[str, ...]) -> Callable[[bytes], tuple[str, ...]]:
    """A function that checks efetch answers and returns the ids of their records.

    A few records may be withdrawn between search and fetch. NCBI also leaves records out
    temporarily, so an answer without them is accepted only after `_TRIES_WITH_MISSING` tries.
    """
    answers = 0

    def read_ids(body: bytes) -> tuple[str, ...]:
        nonlocal answers
        ids = _read_pmids(body)
        answers += 1
        if len(set(ids)) != len(ids) or not set(ids) <= set(requested):
            raise BrokenAnswer("the answer holds records twice, or others than those asked for")
        missing = len(requested) - len(ids)
        allowed = max(1, int(len(requested) * _WITHDRAWN_SHARE))
        if missing > allowed or (missing and answers < _TRIES_WITH_MISSING):
            raise BrokenAnswer(f"the answer lacks {missing} of {len(requested)} records")
        return ids

    return read_ids


def _read_pmids(body: bytes) -> tuple[str, ...]:
    try:
        # expat does not load the DTD, and limits the expansion of entities.
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as exc:
        raise BrokenAnswer(f"the answer is not whole XML ({exc})") from None
    if root.tag != "PubmedArticleSet":
        words = " ".join("".join(root.itertext()).split())
        raise BrokenAnswer(f"the answer is {root.tag}, not PubmedArticleSet: {words}")
    paths = ("PubmedArticle/MedlineCitation/PMID", "PubmedBookArticle/BookDocument/PMID")
    return tuple((pmid.text or "").strip() for path in paths for pmid in root.iterfind(path))
