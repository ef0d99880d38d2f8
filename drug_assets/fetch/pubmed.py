"""PubMed through NCBI E-utilities: esearch lists the ids, efetch gives their records as XML.

https://www.ncbi.nlm.nih.gov/books/NBK25499/. The ids are listed once, kept, and fetched by id, a
page at a time. The history server (WebEnv) would not do for a pull that may be resumed: it forgets,
a search made anew may number its records otherwise, and slices of a large search may share records.
An id list makes every page the same whenever it is asked for, and each answer can be checked for
exactly the records it should hold. Everything is POSTed: NCBI asks so for long id lists, and the
key stays out of URLs.
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from drug_assets.fetch.ledger import Ledger
    from drug_assets.fetch.request import FetchRequest
    from drug_assets.fetch.service import Service

log = logging.getLogger(__name__)

NAME: Final = "PubMed"
BASE_URL: Final = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
#: Seconds between requests, a little above NCBI's 3 a second, 10 with a key (NBK25497).
INTERVAL: Final = 0.36
INTERVAL_WITH_KEY: Final = 0.11
#: The most ids a PubMed search lists; beyond, it is split by date.
LISTED: Final = 9_999

#: No record of PubMed is dated outside: its oldest is of the 18th century.
_FIRST_DAY, _LAST_DAY = dt.date(1700, 1, 1), dt.date(3000, 12, 31)
#: Searches of a whole split set, when records come or go meanwhile.
_PLANS = 3
#: Requests for records that an otherwise good answer leaves out, before they count as withdrawn.
_ASKED_FOR_MISSING = 3
#: Share of a page that may be withdrawn between search and fetch; above, the answer is faulty.
_WITHDRAWN_SHARE = 0.05


@dataclass(frozen=True)
class _Found:
    count: int
    ids: tuple[str, ...]
    translation: str
    warnings: tuple[str, ...]


def is_passing(words: str) -> bool:
    """Whether NCBI refuses for a reason of its own: such refusals pass by themselves."""
    return "Search Backend failed" in words or "rate limit exceeded" in words


class EUtilities:
    """Searches and fetches of one request.

    Args:
        request: What is asked for.
        service: Where to ask.
        identity: `tool`, and `email` and `api_key` where given: sent with every request.
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
        plan = ledger.plan()
        if plan is None:
            plan = self._plan()
            ledger.keep_plan(plan)
        ids, size = plan["ids"], self._request.records_a_page
        chunks = [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]
        pages = []
        for number, chunk in enumerate(chunks, start=1):
            page = ledger.page(number) or self._landed_page(ledger, number, chunk, len(ids))
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

    def _plan(self) -> dict[str, Any]:
        """The ids of all records, ascending, so that the same set has the same pages."""
        first, last = self._request.since, self._request.until
        whole = self._search(self._request.term, first, last)
        ids, plans = set(whole.ids), 0
        while len(ids) < whole.count:
            if plans == _PLANS:
                raise FetchError(
                    f"{NAME} counts {whole.count} records, but lists {len(ids)} of them by date,"
                    f" {_PLANS} times over. Narrow the query, or try another date_type."
                )
            if plans:  # a record may have gone since it was counted
                whole = self._search(self._request.term, first, last)
            ids = self._ids_by_date(first or _FIRST_DAY, last or _LAST_DAY)
            if len(ids) < whole.count and not (first or last):
                ids |= self._undated_ids()
            plans += 1
        log.info("%s: %d records found", NAME, len(ids))
        return {
            "ids": sorted(ids, key=int),
            "count": whole.count,
            "translation": whole.translation,
            "warnings": list(whole.warnings),
        }

    def _ids_by_date(self, first: dt.date, last: dt.date) -> set[str]:
        """The ids of all records dated within, both days included, by halving what is too much."""
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

    def _undated_ids(self) -> set[str]:
        """The ids of records without a date of the type that the search was split by."""
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
            # E-utilities take a range only with both ends.
            form["datetype"] = self._request.asked_date_type
            form["mindate"] = f"{first or _FIRST_DAY:%Y/%m/%d}"
            form["maxdate"] = f"{last or _LAST_DAY:%Y/%m/%d}"
            what = f"search of {form['mindate']} to {form['maxdate']}"
        return self._service.post("esearch.fcgi", form, _found, what).content

    def _landed_page(
        self, ledger: Ledger, number: int, ids: tuple[str, ...], total: int
    ) -> PageRecord:
        form = {**self._identity, "retmode": "xml", "id": ",".join(ids)}
        answer = self._service.post(
            "efetch.fcgi", form, _given_of(ids), f"page {number} ({len(ids)} records)"
        )
        given = set(answer.content)
        record = PageRecord(
            name=None,
            sha256=None,
            size=0,
            ids=answer.content,
            missing=tuple(pmid for pmid in ids if pmid not in given),
            total=total,
        )
        log.info("%s: page %d: %d records", NAME, number, len(answer.content))
        return ledger.land(number, f"_{number:04d}.xml.gz", answer.body, record)


def _found(body: bytes) -> _Found:
    """What a search found; `BrokenAnswer` when it is no whole answer, or a passing fault.

    Raises:
        RefusedAnswer: The query or the key is not accepted, with NCBI's words.
    """
    try:
        # NCBI's JSON may hold raw control characters, copied from the query.
        answer = json.loads(body, strict=False)
        result = answer.get("esearchresult", answer)
        error = result.get("ERROR") or result.get("error")
        if not error:
            count, ids = int(result["count"]), tuple(str(int(pmid)) for pmid in result["idlist"])
            translation = str(result.get("querytranslation", ""))
            warnings = tuple(_search_warnings(result))
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


def _search_warnings(result: dict[str, Any]) -> list[str]:
    """What NCBI did not understand and left out: a misspelt field searches something else."""
    told = {
        "phrasesnotfound": "not found by PubMed",
        "fieldsnotfound": "not a field of PubMed",
        "phrasesignored": "ignored by PubMed",
        "quotedphrasesnotfound": "not found by PubMed as a phrase",
    }
    lists = {**(result.get("errorlist") or {}), **(result.get("warninglist") or {})}
    return [
        f"{meaning}: {phrase}" for key, meaning in told.items() for phrase in lists.get(key) or []
    ]


def _given_of(asked: tuple[str, ...]) -> Callable[[bytes], tuple[str, ...]]:
    """A check of efetch answers: ids of the records given, when they are those asked for.

    A few records may be withdrawn between search and fetch. They are asked for again, as NCBI also
    leaves records out in passing, and accepted as missing at the last.
    """
    answers = 0

    def given(body: bytes) -> tuple[str, ...]:
        nonlocal answers
        ids = _pmids(body)
        answers += 1
        if len(set(ids)) != len(ids) or not set(ids) <= set(asked):
            raise BrokenAnswer("the answer holds records twice, or others than those asked for")
        missing = len(asked) - len(ids)
        allowed = max(1, int(len(asked) * _WITHDRAWN_SHARE))
        if missing > allowed or (missing and answers < _ASKED_FOR_MISSING):
            raise BrokenAnswer(f"the answer lacks {missing} of {len(asked)} records")
        return ids

    return given


def _pmids(body: bytes) -> tuple[str, ...]:
    try:
        # expat neither loads the DTD nor expands entities without bound.
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as exc:
        raise BrokenAnswer(f"the answer is not whole XML ({exc})") from None
    if root.tag != "PubmedArticleSet":
        words = " ".join("".join(root.itertext()).split())
        raise BrokenAnswer(f"the answer is {root.tag}, not PubmedArticleSet: {words}")
    paths = ("PubmedArticle/MedlineCitation/PMID", "PubmedBookArticle/BookDocument/PMID")
    return tuple((pmid.text or "").strip() for path in paths for pmid in root.iterfind(path))
