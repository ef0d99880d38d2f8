"""Pulls from the two public services, landed as files: ClinicalTrials.gov and PubMed.

    report = fetch(FetchRequest(source="pubmed", query="aspirin"), LocalDestination(Path("data")))

Here belongs whatever talks to those services: their paging, limits and faults. Not here: reading
the landed files (`formats`), the landing zone's own rules (`sources`, `storage`), where an API key
comes from, and what starts a pull (`cli`, `defs`). No Dagster, no environment variables, no logging
set-up.

| module | holds |
| --- | --- |
| `request` | what is asked for, also as the JSON of a Pub/Sub message |
| `fetching` | `fetch`: one pull from request to report |
| `clinical_trials`, `pubmed` | how each service is paged and what a whole answer is |
| `service` | one polite HTTP conversation: pace, retries, time-outs, no secret in any message |
| `ledger` | what is landed already, in the hidden folder `.fetch/`: how a pull resumes |
| `destination` | where files go: a folder here, or anything with the same five methods |
"""

from drug_assets.fetch.destination import Destination, LocalDestination
from drug_assets.fetch.errors import (
    FetchError,
    FetchRequestError,
    LedgerError,
    ServiceRefused,
    ServiceUnavailable,
)
from drug_assets.fetch.fetching import FetchReport, fetch
from drug_assets.fetch.request import FetchRequest, parse_request
from drug_assets.fetch.service import Clock, Patience

__all__ = [
    "Clock",
    "Destination",
    "FetchError",
    "FetchReport",
    "FetchRequest",
    "FetchRequestError",
    "LedgerError",
    "LocalDestination",
    "Patience",
    "ServiceRefused",
    "ServiceUnavailable",
    "fetch",
    "parse_request",
]
