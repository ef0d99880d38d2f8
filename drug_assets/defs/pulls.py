"""Pulls from the public services as assets, with a schedule: what lands by itself.

How a service is asked belongs to `drug_assets.fetch`. A pull without a configured query does
nothing and says so.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from drug_assets.defs.resources import Pulls
from drug_assets.fetch import FetchError, FetchRequest, fetch
from drug_assets.storage.destination import landing_destination

GROUP = "pulls"
#: What an interrupted or late schedule may have missed is asked for again.
_DAYS = 7
_AGAIN = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)


def _pull(source: str, service: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{source}_pull",
        group_name=GROUP,
        kinds={"api"},
        owners=["team:drug-assets"],
        tags={"layer": GROUP},
        description=f"Records that {service} changed in the last {_DAYS} days, landed as files.",
        pool=f"{source}_service",  # the services limit their callers, so one pull at a time
        retry_policy=_AGAIN,
    )
    def pull(context: dg.AssetExecutionContext, pulls: Pulls) -> dg.MaterializeResult[None]:
        query = pulls.queries.get(source)
        if not query:
            nothing = f"no query: set DRUG_ASSETS_{source.upper()}_QUERY to pull from {service}"
            context.log.info(nothing)
            return dg.MaterializeResult(metadata={"skipped": nothing, "records": 0})
        today = datetime.now(tz=UTC).date()
        request = FetchRequest(
            source=source,
            query=query,
            since=today - timedelta(days=_DAYS),
            as_of=today,
            date_type="mdat" if source == "pubmed" else None,
        )
        try:
            report = fetch(
                request,
                landing_destination(pulls.landing),
                api_key=pulls.api_key(),
                email=pulls.email,
                base_url=pulls.urls.get(source),
            )
        except FetchError as error:
            raise dg.Failure(str(error)) from error
        return dg.MaterializeResult(
            metadata={
                "records": report.records,
                "files": list(report.files),
                "requests": report.requests,
                "warnings": list(report.warnings),
            }
        )

    return pull


pubmed_pull = _pull("pubmed", "PubMed")
clinical_trials_pull = _pull("clinical_trials", "ClinicalTrials.gov")

pulls_job = dg.define_asset_job(
    "pulls",
    selection=dg.AssetSelection.groups(GROUP),
    description="Land what the public services changed lately; the sensor then starts a run.",
)

nightly_pulls = dg.ScheduleDefinition(
    name="nightly_pulls",
    job=pulls_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    description="Before the daily run.",
)
