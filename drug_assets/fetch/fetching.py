"""`fetch`: one pull, from request to report.

It opens the client of the service, lands the pages, and writes the provenance. How a service is
paged belongs to its own module; when to pull, and where the key comes from, to the caller.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drug_assets.fetch.ledger import Ledger
from drug_assets.fetch.public_service import Caller
from drug_assets.fetch.service import Clock, Patience

if TYPE_CHECKING:
    import datetime as dt

    from drug_assets.fetch.destination import Destination
    from drug_assets.fetch.request import FetchRequest


@dataclass(frozen=True)
class FetchReport:
    """The result of a pull.

    Attributes:
        source: Name of the source whose records were pulled.
        query: The query, as it was sent.
        as_of: UTC date in the file names.
        files: Names of all landed files, in page order; empty if nothing was found.
        records: Number of distinct records in them.
        pages_fetched: Pages that this call fetched.
        pages_resumed: Pages that an earlier, interrupted pull had landed, or all pages if that
            pull was finished and there was nothing to do.
        requests: Requests that this call sent, retries included.
        retries: How many of these were tries after a fault.
        missing: Ids that the service listed but whose records it did not return (PubMed).
        warnings: Warnings for people, each one sentence.
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
        """Whether an earlier pull had landed any page."""
        return self.pages_resumed > 0

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, for `--json` and run metadata."""
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
    """Land all records that a request asks for, or the rest of them after an interruption.

    If a pull is interrupted anywhere, even by SIGKILL, the same call continues after the last
    landed page and leaves the same files as an uninterrupted pull. A call after a finished pull
    (same day, or same `as_of`) sends no request.

    Two simultaneous pulls of the same request into one place do the work twice, and leave the same
    files. The pace applies within one pull: run pulls of one service one after the other.

    Args:
        request: the service, the query and its options.
        destination: the place to land files in.
        api_key: the caller's API key; never logged, never in a name, a file or an error.
        email: the caller's address, which a service can write to before it blocks the caller.
        tool: name of the program, for services that ask for it.
        base_url: another address of the service.
        patience: time-outs and retries.
        clock: source of time; a test may pass its own.

    Raises:
        ServiceRefused: The service rejects the query or the key.
        ServiceUnavailable: No whole answer after the last retry.
        FetchError: Any other failure; `LedgerError` for a damaged record of an earlier pull.
    """
    clock = clock or Clock()
    caller = Caller(tool, (email or "").strip() or None, (api_key or "").strip() or None)
    ledger = Ledger(destination, request, clock.now())
    done = ledger.find_provenance()
    if done is not None:
        return _make_report(request, ledger, done, pages_fetched=0, requests=0, retries=0)
    service = request.service.open(caller, base_url, patience or Patience(), clock)
    with service:
        pages, warnings = request.service.land_pages(request, ledger, service, caller)
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
    return _make_report(
        request,
        ledger,
        provenance,
        pages_fetched=ledger.landings,
        requests=service.requests,
        retries=service.retries,
    )


def _make_report(
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
