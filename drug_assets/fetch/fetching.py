"""`fetch`: one pull, from request to report.

Which service is asked, at which pace, and what is told afterwards. How each service is paged is
its own module's; when to pull, and where the key comes from, is the caller's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drug_assets.fetch import clinical_trials, pubmed
from drug_assets.fetch.ledger import Ledger
from drug_assets.fetch.service import Clock, Patience, Service

if TYPE_CHECKING:
    import datetime as dt

    from drug_assets.fetch.destination import Destination
    from drug_assets.fetch.request import FetchRequest


@dataclass(frozen=True)
class FetchReport:
    """What a pull did.

    Attributes:
        source: `pubmed` or `clinical_trials`.
        query: As it was sent.
        as_of: UTC date in the file names.
        files: Names of all landed files, in page order; none when nothing was found.
        records: Distinct records in them.
        pages_fetched: Pages fetched now.
        pages_resumed: Pages that an earlier, interrupted pull had landed, or all of them when
            this pull was finished before and there was nothing to do.
        requests: Requests sent now, retries included.
        retries: Of these, tries after a fault.
        missing: Ids found but not given by the service (PubMed).
        warnings: What a person should know, each one sentence.
        provenance: Name of the provenance file, in the hidden folder.
    """

    source: str
    query: str
    as_of: dt.date
    files: tuple[str, ...]
    records: int
    pages_fetched: int
    pages_resumed: int
    requests: int
    retries: int
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: str

    @property
    def resumed(self) -> bool:
        """Whether anything was there from an earlier pull."""
        return self.pages_resumed > 0

    def as_json(self) -> dict[str, Any]:
        """The report for `--json` and run metadata."""
        return {**asdict(self), "as_of": self.as_of.isoformat(), "resumed": self.resumed}


def fetch(
    request: FetchRequest,
    destination: Destination,
    *,
    api_key: str | None = None,
    email: str | None = None,
    tool: str = "drug_assets",
    base_url: str | None = None,
    patience: Patience | None = None,
    clock: Clock | None = None,
) -> FetchReport:
    """Land everything a request asks for, or the rest of it after an interruption.

    Interrupted anywhere, also by SIGKILL, the same call goes on behind the last landed page and
    leaves the same files as if nothing had happened. Called again after the end (same day, or same
    `as_of`), it sends no request.

    Two pulls of the same request at the same time into one place do each other's work twice, with
    the same files. The pace holds for one pull: run pulls of one service one after the other.

    Args:
        request: What to pull.
        destination: Where to.
        api_key: NCBI's; never logged, never in a name, a file or an error. PubMed only.
        email: Sent to NCBI, so that it can write before it blocks. PubMed only.
        tool: Sent to NCBI as the name of the program. PubMed only.
        base_url: Of the service; the real one by default.
        patience: Time-outs and retries.
        clock: Time; a test may give its own.

    Raises:
        ServiceRefused: The service says no to the query or the key.
        ServiceUnavailable: No whole answer after bounded retries.
        FetchError: Any other reason; `LedgerError` for a damaged record of an earlier pull.
    """
    clock = clock or Clock()
    api_key = (api_key or "").strip() or None
    ledger = Ledger(destination, request, clock.now())
    done = ledger.provenance()
    if done is not None:
        return _report(request, ledger, done, pages_fetched=0, requests=0, retries=0)
    service = _service(request, base_url, api_key, patience or Patience(), clock)
    with service:
        if request.source == "pubmed":
            identity = {"tool": tool, "email": email or "", "api_key": api_key or ""}
            sent = {key: value for key, value in identity.items() if value}
            pages, warnings = pubmed.EUtilities(request, service, sent).land_pages(ledger)
        else:
            pages, warnings = clinical_trials.land_pages(request, ledger, service)
    provenance = {
        "service": service.name,
        "url": service.base_url,
        "request": {**request.as_json(), "as_of": ledger.as_of.isoformat()},
        "started": ledger.started,
        "finished": clock.now().isoformat(timespec="seconds"),
        "records": len({record for page in pages for record in page.ids}),
        "counted_by_service": pages[0].total if pages else 0,
        "pages": len(pages),
        "files": [
            {"name": p.name, "sha256": p.sha256, "bytes": p.size, "records": len(p.ids)}
            for p in pages
            if p.name
        ],
        "missing": [record for page in pages for record in page.missing],
        "warnings": warnings,
    }
    ledger.finish(pages, provenance)
    return _report(
        request,
        ledger,
        provenance,
        pages_fetched=ledger.landings,
        requests=service.requests,
        retries=service.retries,
    )


def _service(
    request: FetchRequest,
    base_url: str | None,
    api_key: str | None,
    patience: Patience,
    clock: Clock,
) -> Service:
    if request.source == "clinical_trials":
        return Service(
            clinical_trials.NAME,
            base_url or clinical_trials.BASE_URL,
            interval=clinical_trials.INTERVAL,
            patience=patience,
            clock=clock,
        )
    return Service(
        pubmed.NAME,
        base_url or pubmed.BASE_URL,
        interval=pubmed.INTERVAL_WITH_KEY if api_key else pubmed.INTERVAL,
        patience=patience,
        clock=clock,
        secret=api_key,
        passing=pubmed.is_passing,
    )


def _report(
    request: FetchRequest,
    ledger: Ledger,
    provenance: dict[str, Any],
    *,
    pages_fetched: int,
    requests: int,
    retries: int,
) -> FetchReport:
    return FetchReport(
        source=request.source,
        query=request.term,
        as_of=ledger.as_of,
        files=tuple(file["name"] for file in provenance["files"]),
        records=provenance["records"],
        pages_fetched=pages_fetched,
        pages_resumed=provenance["pages"] - pages_fetched,
        requests=requests,
        retries=retries,
        missing=tuple(provenance["missing"]),
        warnings=tuple(provenance["warnings"]),
        provenance=ledger.provenance_name,
    )
