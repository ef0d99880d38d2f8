"""The jobs: everything that lies between the landing zone and the answers."""

import dagster as dg

from drug_assets.defs.pulls import GROUP

drug_mentions = dg.define_asset_job(
    "drug_mentions",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(GROUP),
    description="Read the landing zone, clean, find mentions, check, and release.",
    tags={"drug_assets/writes": "store"},
    # Named here so that the logger of `definitions` is taken, not Dagster's own.
    config={"loggers": {"console": {}}},
)

daily = dg.ScheduleDefinition(
    name="daily",
    job=drug_mentions,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    description="For landing zones that no sensor can watch.",
)
