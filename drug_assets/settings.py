"""What a person chose: environment, landing zone, store (SPEC section 9).

Flags win over variables, variables over defaults. Nothing is read before it is asked for, and
nothing here opens anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENTS = ("local", "gcs", "bigquery")
LOG_FORMATS = ("text", "json")


class SettingsError(Exception):
    """A variable or flag that cannot be used, with what would be right."""


@dataclass(frozen=True)
class Settings:
    """One deployment's choices."""

    environment: str = "local"
    landing: str = "data"
    store: str = "output"
    bigquery_project: str | None = None
    bigquery_dataset: str | None = None
    bigquery_location: str | None = None
    #: CSV of names that are not searched for, a path or `gs://`; the project's own if not given.
    stop_list: str | None = None
    #: Lifts NCBI's limit from 3 to 10 requests a second; never shown.
    ncbi_api_key: str | None = field(default=None, repr=False)
    ncbi_email: str | None = None
    #: What the scheduled pulls ask for.
    clinical_trials_query: str | None = None
    pubmed_query: str | None = None
    #: Other addresses of the two services, such as a mirror.
    clinical_trials_url: str | None = None
    pubmed_url: str | None = None
    #: `json` for Cloud Logging, `text` for people.
    log_format: str = "text"
    #: Where failed runs are posted; holds a token, so it is never shown.
    failure_webhook: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, variables: Mapping[str, str] | None = None, **flags: str | None) -> Settings:
        """The settings that environment variables and flags give; blank counts as not given.

        Raises:
            SettingsError: a value that is not allowed, or one that is missing.
        """
        given = os.environ if variables is None else variables
        names = {
            "environment": "DRUG_ASSETS_ENV",
            "landing": "DRUG_ASSETS_LANDING",
            "store": "DRUG_ASSETS_STORE",
            "bigquery_project": "DRUG_ASSETS_BIGQUERY_PROJECT",
            "bigquery_dataset": "DRUG_ASSETS_BIGQUERY_DATASET",
            "bigquery_location": "DRUG_ASSETS_BIGQUERY_LOCATION",
            "stop_list": "DRUG_ASSETS_STOP_LIST",
            "ncbi_api_key": "NCBI_API_KEY",
            "ncbi_email": "NCBI_EMAIL",
            "clinical_trials_query": "DRUG_ASSETS_CLINICAL_TRIALS_QUERY",
            "pubmed_query": "DRUG_ASSETS_PUBMED_QUERY",
            "clinical_trials_url": "DRUG_ASSETS_CLINICAL_TRIALS_URL",
            "pubmed_url": "DRUG_ASSETS_PUBMED_URL",
            "log_format": "DRUG_ASSETS_LOG_FORMAT",
            "failure_webhook": "DRUG_ASSETS_FAILURE_WEBHOOK",
        }
        chosen = {
            name: value
            for name, variable in names.items()
            if (value := (flags.get(name) or given.get(variable, "")).strip())
        }
        if "CLOUD_RUN_JOB" in given or "K_SERVICE" in given:
            chosen.setdefault("log_format", "json")
        settings = cls(**chosen)
        settings._require_consistent()
        return settings

    def service_url(self, source: str) -> str | None:
        """Where a service is asked, if not at its own address."""
        return self.pubmed_url if source == "pubmed" else self.clinical_trials_url

    def _require_consistent(self) -> None:
        if self.environment not in ENVIRONMENTS:
            raise SettingsError(
                f"DRUG_ASSETS_ENV is {self.environment!r}; it can be " + ", ".join(ENVIRONMENTS)
            )
        if self.log_format not in LOG_FORMATS:
            raise SettingsError(
                f"DRUG_ASSETS_LOG_FORMAT is {self.log_format!r}; it can be "
                + ", ".join(LOG_FORMATS)
            )
        if self.environment == "gcs" and not any(
            place.startswith("gs://") for place in (self.landing, self.store)
        ):
            raise SettingsError(
                "DRUG_ASSETS_ENV is gcs, but neither DRUG_ASSETS_LANDING nor DRUG_ASSETS_STORE "
                "names a bucket: set one of them to gs://bucket/prefix"
            )
        if _lies_in(self.store, self.landing):
            raise SettingsError(
                f"the store {self.store} lies in the landing zone {self.landing}, where outputs "
                "would be read as landed files: set DRUG_ASSETS_STORE or --store to another place"
            )
        if self.environment == "bigquery":
            for variable, value in (
                ("DRUG_ASSETS_BIGQUERY_PROJECT", self.bigquery_project),
                ("DRUG_ASSETS_BIGQUERY_DATASET", self.bigquery_dataset),
            ):
                if not value:
                    raise SettingsError(f"DRUG_ASSETS_ENV is bigquery: set {variable}")


def _lies_in(place: str, zone: str) -> bool:
    """Whether a location is another one or below it."""
    if "://" in place or "://" in zone:
        return f"{place.rstrip('/')}/".startswith(f"{zone.rstrip('/')}/")
    return Path(place).expanduser().resolve().is_relative_to(Path(zone).expanduser().resolve())
