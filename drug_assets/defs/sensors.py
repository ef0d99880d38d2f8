"""What starts a run by itself: new, changed or removed files in the landing zone."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self

import dagster as dg

from drug_assets import sources
from drug_assets.defs.checks import counted
from drug_assets.defs.jobs import drug_mentions
from drug_assets.storage.io_managers import Place
from drug_assets.storage.landing import landed_objects
from drug_assets.storage.objects import StorageError, StoredObject

_NAMED = 5
_DIGEST_BYTES = 16
_DIGESTS = 1 << 8 * _DIGEST_BYTES


@dataclass(frozen=True)
class Seen:
    """What a tick saw of the landing zone, the same size however much lies there.

    The digest is a sum over names and versions, so that what is above the watermark can be told
    apart from what is below without keeping a name.
    """

    #: Ticks that asked for a run, this one included.
    number: int = 0
    files: int = 0
    digest: int = 0
    #: (written at, name, version) of the file that was written last; ties go by name and version.
    watermark: tuple[str, str, str] = ("", "", "")

    @classmethod
    def of_cursor(cls, cursor: str | None) -> Self:
        """What the last tick that asked for a run left; nothing if it was another release's."""
        try:
            kept = json.loads(cursor or "{}")
            return cls(
                kept["number"], kept["files"], int(kept["digest"], 16), (*kept["watermark"],)
            )
        except (ValueError, TypeError, KeyError):
            return cls()

    def next(self, found: list[StoredObject]) -> Self:
        """What a tick sees that finds these files."""
        watermark = max((_mark(o) for o in found), default=("", "", ""))
        return type(self)(self.number + 1, len(found), _sum_of_digests(found), watermark)

    def cursor(self) -> str:
        """As the cursor keeps it."""
        return json.dumps(asdict(self) | {"digest": f"{self.digest:x}"})

    def run_key(self) -> str:
        """The same for the same step from one set of names and versions to another.

        The number lets a zone that returns to an earlier set (a file removed again) start a run.
        """
        return f"{self.number}-{self.files}-{self.digest:032x}"


def landing_zone_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor of the landing zone, a folder or a bucket, running or stopped by default."""

    @dg.sensor(
        job=drug_mentions,
        name="landing_zone_sensor",
        minimum_interval_seconds=30,
        default_status=status,
        description="Asks for one run when files of the landing zone are new, changed or gone.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, landing_zone: Place
    ) -> dg.SensorResult | dg.SkipReason:
        """At most one run a tick, of everything that changed since the last one that asked.

        A tick that is evaluated again with the same cursor (a replay, a daemon that died before it
        kept the new one) asks for the same run key, which Dagster starts once.
        """
        try:
            objects = landed_objects(landing_zone.open())
        except StorageError as error:
            return dg.SkipReason(f"the landing zone cannot be listed: {error}")
        found = [o for o in objects if sources.source_of(o.name)]
        ignored = [o.name for o in objects if sources.source_of(o.name) is None]
        without = f"; ignored, of no source: {_listed(ignored)}" if ignored else ""
        before = Seen.of_cursor(context.cursor)
        now = before.next(found)
        if now.digest == before.digest and now.files == before.files:
            state = f"{counted(now.files, 'file')} as before" if found else "there are no files"
            return dg.SkipReason(f"nothing changed: {state}{without}")
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=now.run_key(), tags=_tags(before, found, ignored))],
            cursor=now.cursor(),
        )

    return sensor


def _tags(before: Seen, found: list[StoredObject], ignored: list[str]) -> dict[str, str]:
    """Why a run is asked for, as far as the cursor tells."""
    tags = {"drug_assets/files": str(len(found))}
    new = [o for o in found if _mark(o) > before.watermark]
    if new:
        tags["drug_assets/new_or_changed"] = _listed([o.name for o in new])
    old = [o for o in found if _mark(o) <= before.watermark]
    if _sum_of_digests(old) != before.digest:
        # An overwritten file is new above the watermark and gone below it.
        gone = before.files - len(old)
        tags["drug_assets/earlier_files"] = (
            f"{gone} of {before.files} removed or replaced" if gone > 0 else "landed late"
        )
    if ignored:
        tags["drug_assets/ignored"] = _listed(ignored)
    return tags


def _mark(found: StoredObject) -> tuple[str, str, str]:
    return found.written_at.isoformat(timespec="microseconds"), found.name, found.version


def _sum_of_digests(found: list[StoredObject]) -> int:
    total = 0
    for item in found:
        key = f"{item.name}\0{item.version}".encode()
        total += int.from_bytes(hashlib.blake2b(key, digest_size=_DIGEST_BYTES).digest())
    return total % _DIGESTS


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
