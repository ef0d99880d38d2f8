"""Pulls from public services, landed as files: ClinicalTrials.gov and PubMed.

    report = fetch(FetchRequest(service=pubmed.SERVICE, query="aspirin"), destination)

This package holds all code that calls those services: paging, rate limits, faults. It does not
read the landed files (`formats`), apply the rules of the landing zone (`sources`, `storage`), find
the API key, or start pulls (`cli`, `defs`). No Dagster, no environment variables, no set-up of
logging.

| module | holds |
| --- | --- |
| `request` | the request: service, query, dates, page size |
| `fetching` | `fetch`: one pull from request to report |
| `public_service` | the interface of a service |
| `clinical_trials`, `pubmed` | how each service is paged, and when an answer of it is whole |
| `service` | the HTTP client: pace, retries, time-outs, no secret in any message |
| `ledger` | the record of landed pages, in the hidden folder `.fetch/`, from which a pull resumes |
| `destination` | the interface of the place that files are written to |
"""

from drug_assets.fetch.destination import Destination
from drug_assets.fetch.errors import (
    FetchError,
    FetchRequestError,
    LedgerError,
    ServiceRefused,
    ServiceUnavailable,
)
from drug_assets.fetch.fetching import FetchReport, fetch
from drug_assets.fetch.public_service import Caller, PublicService
from drug_assets.fetch.request import FetchRequest
from drug_assets.fetch.service import Clock, Patience

__all__ = [
    "Caller",
    "Clock",
    "Destination",
    "FetchError",
    "FetchReport",
    "FetchRequest",
    "FetchRequestError",
    "LedgerError",
    "Patience",
    "PublicService",
    "ServiceRefused",
    "ServiceUnavailable",
    "fetch",
]
