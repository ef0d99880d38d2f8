"""ClinicalTrials.gov API v2: pages of studies, one token leading to the next.

`GET /studies` (https://clinicaltrials.gov/data-api/api): `pageSize` up to 1,000, `pageToken` from
the answer before, `totalCount` on the first page alone when asked. The service publishes no rate
limit; its robots.txt asks for a second between requests. It knows no key.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drug_assets.fetch.errors import BrokenAnswer, FetchError, ServiceRefused
from drug_assets.fetch.ledger import PageRecord

if TYPE_CHECKING:
    from drug_assets.fetch.ledger import Ledger
    from drug_assets.fetch.request import FetchRequest
    from drug_assets.fetch.service import Service

log = logging.getLogger(__name__)

NAME: Final = "ClinicalTrials.gov"
BASE_URL: Final = "https://clinicaltrials.gov/api/v2"
#: Seconds between requests: `Crawl-delay` of its robots.txt.
INTERVAL: Final = 1.0


class _RegistryChanged(Exception):  # noqa: N818 - an event, not an error
    """What was landed and what the service has now do not belong to one reading of it."""


@dataclass(frozen=True)
class _Page:
    ids: tuple[str, ...]
    next_token: str | None
    total: int | None


def land_pages(
    request: FetchRequest, ledger: Ledger, service: Service
) -> tuple[list[PageRecord], list[str]]:
    """Land every page that is not landed yet.

    Tokens belong to one state of the registry. When one is refused, or fewer studies came than the
    first page counted, everything is fetched again from the first page, once.

    Returns:
        The records of all pages, in order, and warnings for the report.

    Raises:
        FetchError: Also when the second reading is not whole either.
    """
    try:
        return _one_pass(request, ledger, service)
    except _RegistryChanged as changed:
        log.warning("%s: %s; starting over from the first page", NAME, changed)
        ledger.clear()
    try:
        return _one_pass(request, ledger, service)
    except _RegistryChanged as changed:
        ledger.clear()
        raise FetchError(
            f"{NAME}: {changed}, twice in a row. The next run starts over from the first page; it"
            " is most likely to succeed when the registry rests."
        ) from None


def _one_pass(
    request: FetchRequest, ledger: Ledger, service: Service
) -> tuple[list[PageRecord], list[str]]:
    pages: list[PageRecord] = []
    tokens: set[str] = set()
    token: str | None = None
    while not pages or token:
        number = len(pages) + 1
        page = ledger.page(number)
        if page is None:
            page = _landed_page(request, ledger, service, number, token)
            log.info("%s: page %d: %d studies", NAME, number, len(page.ids))
        pages.append(page)
        token = page.next_token
        if token in tokens:
            raise FetchError(f"{NAME}: page {number} leads back to an earlier page")
        if token:
            tokens.add(token)
    return pages, _warnings(pages)


def _landed_page(
    request: FetchRequest, ledger: Ledger, service: Service, number: int, token: str | None
) -> PageRecord:
    params = {
        "format": "json",
        "query.term": request.term,
        "pageSize": str(request.records_a_page),
        "countTotal": "true",
    }
    if request.since or request.until:
        first, last = request.since or "MIN", request.until or "MAX"
        params["filter.advanced"] = f"AREA[LastUpdatePostDate]RANGE[{first},{last}]"
    if token:
        params["pageToken"] = token
    try:
        answer = service.get("studies", params, _page, f"page {number}")
    except ServiceRefused as refused:
        if token is None:
            raise
        raise _RegistryChanged(
            f"the token of page {number} is no longer good ({refused})"
        ) from None
    page = answer.content
    before = ledger.recorded(number)
    if before is not None and set(before.ids) != set(page.ids):
        raise _RegistryChanged(f"page {number}, fetched again, holds other studies")
    record = PageRecord(
        name=None,
        sha256=None,
        size=0,
        ids=page.ids,
        token=token,
        next_token=page.next_token,
        total=page.total,
    )
    return ledger.land(number, f"_p{number:04d}.json.gz", answer.body, record)


def _page(body: bytes) -> _Page:
    """What a page of studies holds; `BrokenAnswer` when it is not a whole one."""
    try:
        answer = json.loads(body)
        ids = tuple(
            str(study["protocolSection"]["identificationModule"]["nctId"])
            for study in answer["studies"]
        )
        token, total = answer.get("nextPageToken"), answer.get("totalCount")
        return _Page(ids, str(token) if token else None, int(total) if total is not None else None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise BrokenAnswer(
            f"the answer is not a whole page of studies ({type(exc).__name__}: {exc})"
        ) from None


def _warnings(pages: list[PageRecord]) -> list[str]:
    ids = [study for page in pages for study in page.ids]
    distinct, total = len(set(ids)), pages[0].total
    if total is not None and distinct < total:
        raise _RegistryChanged(f"{distinct} studies came of the {total} it counted")
    if distinct < len(ids):
        return [f"{len(ids) - distinct} studies came on two pages: the registry changed meanwhile"]
    return []
