"""What a person chose: environment, landing zone, store (SPEC section 9).

Flags win over variables, variables over defaults. Nothing is read before it is asked for, and
nothing here opens anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENTS = ("local", "gcs", "bigquery")


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
        }
        chosen = {
            name: value
            for name, variable in names.items()
            if (value := (flags.get(name) or given.get(variable, "")).strip())
        }
        settings = cls(**chosen)
        settings._require_consistent()
        return settings

    def _require_consistent(self) -> None:
        if self.environment not in ENVIRONMENTS:
            raise SettingsError(
                f"DRUG_ASSETS_ENV is {self.environment!r}; it can be " + ", ".join(ENVIRONMENTS)
            )
        if self.environment == "gcs" and not any(
            place.startswith("gs://") for place in (self.landing, self.store)
        ):
            raise SettingsError(
                "DRUG_ASSETS_ENV is gcs, but neither DRUG_ASSETS_LANDING nor DRUG_ASSETS_STORE "
                "names a bucket: set one of them to gs://bucket/prefix"
            )
        if self.environment == "bigquery":
            for variable, value in (
                ("DRUG_ASSETS_BIGQUERY_PROJECT", self.bigquery_project),
                ("DRUG_ASSETS_BIGQUERY_DATASET", self.bigquery_dataset),
            ):
                if not value:
                    raise SettingsError(f"DRUG_ASSETS_ENV is bigquery: set {variable}")
