"""The jobs and their schedules: the pulls, and the main job from landing zone to release."""

import dagster as dg

from drug_assets.defs.pulls import GROUP

#: Name of the main job.
JOB = "drug_mentions"

drug_mentions = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(GROUP),
    description="Read the landing zone, clean, find mentions, check, and release.",
    tags={"drug_assets/writes": "store"},
    # Named here so that Dagster uses the logger of `definitions` instead of its own.
    config={"loggers": {"console": {}}},
)

daily = dg.ScheduleDefinition(
    name="daily",
    job=drug_mentions,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    description="For landing zones that no sensor can watch.",
)

pulls = dg.define_asset_job(
    "pulls",
    selection=dg.AssetSelection.groups(GROUP),
    description="Land what the public services changed lately; the sensor then starts a run.",
)

nightly_pulls = dg.ScheduleDefinition(
    name="nightly_pulls",
    job=pulls,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    description="Before the daily run.",
)
