"""Sources and services by name, for tests of a particular one."""

from __future__ import annotations

from drug_assets.fetch.clinical_trials import SERVICE as CLINICAL_TRIALS_GOV
from drug_assets.fetch.pubmed import SERVICE as PUBMED_SERVICE
from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS
from drug_assets.sources.drugs import SOURCE as DRUGS
from drug_assets.sources.pubmed import SOURCE as PUBMED

__all__ = ["CLINICAL_TRIALS", "CLINICAL_TRIALS_GOV", "DRUGS", "PUBMED", "PUBMED_SERVICE"]
