"""The pulls from public services, as assets: they land files on a schedule.

How a service is called belongs to `drug_assets.fetch`. A pull without a configured query lands
nothing, and logs that.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from drug_assets import sources
from drug_assets.defs import OWNERS
from drug_assets.defs.failures import may_pass
from drug_assets.defs.resources import Pulls
from drug_assets.errors import DrugAssetsError
from drug_assets.sources import PublicationSource
from drug_assets.storage.destination import landing_destination

GROUP = "pulls"
#: Days of changes that each pull asks for; more than one, so that late or failed pulls lose none.
_DAYS = 7
_RETRIES = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)


def _pull(source: PublicationSource) -> dg.AssetsDefinition:
    """The asset that pulls from the service of a source."""
    name = source.pulled_from

    @dg.asset(
        name=f"{source.name}_pull",
        group_name=GROUP,
        kinds={"api"},
        owners=OWNERS,
        description=f"Records that {name} changed in the last {_DAYS} days, landed as files.",
        pool=f"{source.name}_service",  # services limit their callers, so one pull at a time
        retry_policy=_RETRIES,
    )
    def pull(context: dg.AssetExecutionContext, pulls: Pulls) -> dg.MaterializeResult[None]:
        # Imported here, as every run loads the definitions, and few of them call a service.
        from drug_assets.fetch import FetchRequest, ServiceUnavailable, fetch

        query, service = pulls.queries.get(source.name), source.service()
        if not query:
            reason = f"no query: set DRUG_ASSETS_{source.name.upper()}_QUERY to pull from {name}"
            context.log.info(reason)
            return dg.MaterializeResult(metadata={"skipped": reason, "records": 0})
        today = datetime.now(tz=UTC).date()
        try:
            request = FetchRequest(
                service=service,
                query=query,
                since=today - timedelta(days=_DAYS),
                as_of=today,
                date_type=service.changed_date_type,
            )
            report = fetch(
                request,
                landing_destination(pulls.landing),
                api_key=pulls.api_key(),
                email=pulls.email,
                base_url=pulls.urls.get(source.name),
            )
        except DrugAssetsError as error:
            # A query that is refused now is refused in a minute, too.
            can_pass = isinstance(error, ServiceUnavailable) or may_pass(error)
            raise dg.Failure(str(error), allow_retries=can_pass) from error
        return dg.MaterializeResult(
            metadata={
                "records": report.records,
                "files": list(report.files),
                "requests": report.requests,
                "warnings": list(report.warnings),
            }
        )

    return pull


pulls = [_pull(source) for source in sources.PUBLICATIONS if source.pulled_from]
