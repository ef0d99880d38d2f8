"""What starts a run by itself: new, changed or removed files in the landing zone."""

import json
from typing import Any

import dagster as dg

from drug_assets.defs.jobs import drug_mentions
from drug_assets.storage.io_managers import Place
from drug_assets.storage.landing import landed_objects
from drug_assets.storage.objects import StorageError

_NAMED = 5


@dg.sensor(
    job=drug_mentions,
    minimum_interval_seconds=30,
    description="Asks for one run when files of the landing zone are new, changed or gone.",
)
def landing_zone_sensor(
    context: dg.SensorEvaluationContext, landing_zone: Place
) -> dg.SensorResult | dg.SkipReason:
    """One run for all that changed since the last tick.

    The cursor holds what the last tick saw, and its number. The run key is made of both sides of
    the change, so that a tick that is evaluated again asks for nothing new, while a zone that
    returns to an earlier state does start a run.
    """
    try:
        found = {o.name: f"{o.version}:{o.size_bytes}" for o in landed_objects(landing_zone.open())}
    except StorageError as error:
        return dg.SkipReason(f"the landing zone cannot be listed: {error}")
    cursor: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
    seen: dict[str, str] = cursor.get("files", {})
    if not found and not seen:
        return dg.SkipReason("the landing zone is empty")
    changes = {
        "new": sorted(found.keys() - seen.keys()),
        "changed": sorted(name for name in found.keys() & seen.keys() if found[name] != seen[name]),
        "gone": sorted(seen.keys() - found.keys()),
    }
    if not any(changes.values()):
        return dg.SkipReason(f"nothing changed: {len(found)} files as they were")
    number = cursor.get("tick", 0) + 1
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"{number}-{_digest(seen)}-{_digest(found)}",
                tags={
                    f"drug_assets/{kind}": _listed(names)
                    for kind, names in changes.items()
                    if names
                },
            )
        ],
        cursor=json.dumps({"tick": number, "files": found}),
    )


def _digest(files: dict[str, str]) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
