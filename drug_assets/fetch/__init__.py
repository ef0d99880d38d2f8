"""Pulls from public services, landed as files: ClinicalTrials.gov, PubMed, drug vocabularies.

    report = fetch(FetchRequest(service=pubmed.SERVICE, query="aspirin"), destination)
    report = fetch_vocabulary(VOCABULARIES["mesh"], destination)

This package holds all code that calls those services: paging, downloads, rate limits, faults. It
does not read the landed files (`formats`), apply the rules of the landing zone (`sources`,
`storage`), find the API key, or start pulls (`cli`, `defs`). No Dagster, no environment variables,
no set-up of logging.

| module | holds |
| --- | --- |
| `request` | the request: service, query, dates, page size |
| `fetching` | `fetch`: one pull from request to report |
| `public_service` | the interface of a service |
| `clinical_trials`, `pubmed` | how each service is paged, and when an answer of it is whole |
| `service` | the HTTP client: pace, retries, time-outs, no secret in any message |
| `ledger` | the record of landed pages, in the hidden folder `.fetch/`, from which a pull resumes |
| `vocabulary_pull` | `fetch_vocabulary`: one pull of a vocabulary, the record of what landed |
| `vocabularies` | where the vocabularies are offered, and what is read of their files |
| `kept_file` | a file that is being downloaded, kept in parts, so that it resumes |
| `unpacking` | an owner's file, zip or gzip -> the files that land, looked at |
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
from drug_assets.fetch.vocabularies import VOCABULARIES, Vocabulary
from drug_assets.fetch.vocabulary_pull import VocabularyReport, fetch_vocabulary

__all__ = [
    "VOCABULARIES",
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
    "Vocabulary",
    "VocabularyReport",
    "fetch",
    "fetch_vocabulary",
]
