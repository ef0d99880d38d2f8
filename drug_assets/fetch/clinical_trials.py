"""ClinicalTrials.gov API v2: pages of studies, each with the token of the next one.

`GET /studies` (https://clinicaltrials.gov/data-api/api): `pageSize` up to 1,000, `pageToken` from
the answer before, `totalCount` on the first page only, if requested. The service publishes no rate
limit; its robots.txt asks for a second between requests. It has no API keys.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drug_assets.fetch.errors import BrokenAnswer, FetchError, ServiceRefused
from drug_assets.fetch.ledger import PageRecord
from drug_assets.fetch.public_service import Caller, PublicService

if TYPE_CHECKING:
    from drug_assets.fetch.ledger import Ledger
    from drug_assets.fetch.request import FetchRequest
    from drug_assets.fetch.service import Service

log = logging.getLogger(__name__)

NAME: Final = "ClinicalTrials.gov"
#: Seconds between requests: `Crawl-delay` of its robots.txt.
INTERVAL: Final = 1.0


class _RegistryChanged(Exception):  # noqa: N818 - an event, not an error
    """The registry changed during the pull: landed pages and new ones do not fit together."""


@dataclass(frozen=True)
class _Page:
    ids: tuple[str, ...]
    next_token: str | None
    total: int | None


class ClinicalTrialsGov(PublicService):
    """The API v2."""

    source = "clinical_trials"
    name = NAME
    base_url = "https://clinicaltrials.gov/api/v2"
    file_prefix = "clinical_trials_api_v2"
    default_page_size = 1000
    largest_page_size = 1000

    def interval(self, caller: Caller) -> float:  # noqa: ARG002 - the same for every caller
        """Seconds between requests: `Crawl-delay` of its robots.txt."""
        return INTERVAL

    def land_pages(
        self,
        request: FetchRequest,
        ledger: Ledger,
        service: Service,
        caller: Caller,  # noqa: ARG002 - as above
    ) -> tuple[list[PageRecord], list[str]]:
        """Land every page that is not landed yet; see `PublicService`.

        Tokens are valid for one state of the registry. If the service refuses one, or returns fewer
        studies than it counted on the first page, all pages are fetched again, once.

        Raises:
            FetchError: also if the second attempt is incomplete too.
        """
        try:
            return _land_once(request, ledger, service)
        except _RegistryChanged as changed:
            log.warning("%s: %s; starting over from the first page", NAME, changed)
            ledger.clear()
        try:
            return _land_once(request, ledger, service)
        except _RegistryChanged as changed:
            ledger.clear()
            raise FetchError(
                f"{NAME}: {changed}, twice in a row. The next run starts over from the first page;"
                " it is most likely to succeed when the registry rests."
            ) from None


SERVICE = ClinicalTrialsGov()


def _land_once(
    request: FetchRequest, ledger: Ledger, service: Service
) -> tuple[list[PageRecord], list[str]]:
    pages: list[PageRecord] = []
    tokens: set[str] = set()
    token: str | None = None
    while not pages or token:
        number = len(pages) + 1
        page = ledger.find_page(number)
        if page is None:
            page = _land_page(request, ledger, service, number, token)
            log.info("%s: page %d: %d studies", NAME, number, len(page.ids))
        pages.append(page)
        token = page.next_token
        if token in tokens:
            raise FetchError(f"{NAME}: page {number} leads back to an earlier page")
        if token:
            tokens.add(token)
    return pages, _collect_warnings(pages)


def _land_page(
    request: FetchRequest, ledger: Ledger, service: Service, number: int, token: str | None
) -> PageRecord:
    params = {
        "format": "json",
        "query.term": request.term,
        "pageSize": str(request.records_per_page),
        "countTotal": "true",
    }
    if request.since or request.until:
        first, last = request.since or "MIN", request.until or "MAX"
        params["filter.advanced"] = f"AREA[LastUpdatePostDate]RANGE[{first},{last}]"
    if token:
        params["pageToken"] = token
    try:
        answer = service.get("studies", params, _read_page, f"page {number}")
    except ServiceRefused as refused:
        if token is None:
            raise
        raise _RegistryChanged(
            f"the token of page {number} is no longer good ({refused})"
        ) from None
    page = answer.content
    before = ledger.find_record(number)
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


def _read_page(body: bytes) -> _Page:
    """Read a page of studies; raise `BrokenAnswer` if it is not a whole one."""
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


def _collect_warnings(pages: list[PageRecord]) -> list[str]:
    ids = [study for page in pages for study in page.ids]
    distinct, total = len(set(ids)), pages[0].total
    if total is not None and distinct < total:
        raise _RegistryChanged(f"{distinct} studies came of the {total} it counted")
    if distinct < len(ids):
        return [f"{len(ids) - distinct} studies came on two pages: the registry changed meanwhile"]
    return []
