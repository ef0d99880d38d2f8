"""The sensor that starts a run when files of the landing zone are new, changed or removed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self

import dagster as dg

from drug_assets import sources
from drug_assets.defs.jobs import drug_mentions
from drug_assets.defs.places import Place
from drug_assets.defs.workplace import Workplace
from drug_assets.storage.landed_files import list_landed_objects
from drug_assets.storage.objects import StorageError, StoredObject
from drug_assets.wording import count_of, printable, shorten

#: File names that a tag or message lists before it counts the rest.
_NAMES_SHOWN = 5
_DIGEST_BYTES = 16
_DIGESTS = 1 << 8 * _DIGEST_BYTES


@dataclass(frozen=True)
class Seen:
    """A summary of the landing zone at one tick, of constant size whatever the number of files.

    The digest is a sum over names and versions. So the digest of the files up to the watermark can
    be computed again at the next tick and compared, without keeping any name.
    """

    #: Number of ticks that asked for a run, this one included.
    number: int = 0
    files: int = 0
    digest: int = 0
    #: (written at, name, version) of the file that was written last; name, then version break ties.
    watermark: tuple[str, str, str] = ("", "", "")

    @classmethod
    def of_cursor(cls, cursor: str | None) -> Self:
        """The summary in a sensor's cursor; an empty one if there is none or another version's."""
        try:
            values = json.loads(cursor or "{}")
            return cls(
                values["number"],
                values["files"],
                int(values["digest"], 16),
                (*values["watermark"],),
            )
        except (ValueError, TypeError, KeyError):
            return cls()

    def next(self, found: list[StoredObject]) -> Self:
        """The summary of a tick that finds these files, as the successor of this one."""
        watermark = max((_watermark_of(o) for o in found), default=("", "", ""))
        return type(self)(self.number + 1, len(found), _sum_of_digests(found), watermark)

    def cursor(self) -> str:
        """The summary as a text for the sensor's cursor."""
        return json.dumps(asdict(self) | {"digest": f"{self.digest:x}"})

    def run_key(self) -> str:
        """A key that is equal for equal sets of names and versions at the same tick number.

        The number lets a zone that returns to an earlier set (a file removed again) start a run.
        """
        return f"{self.number}-{self.files}-{self.digest:032x}"


def make_landing_zone_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor of the landing zone, a folder or a bucket, running or stopped by default."""

    @dg.sensor(
        job=drug_mentions,
        name="landing_zone_sensor",
        minimum_interval_seconds=30,
        default_status=status,
        description="Asks for one run when files of the landing zone are new, changed or gone.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, landing_zone: Place, workplace: Workplace
    ) -> dg.SensorResult | dg.SkipReason:
        """Ask for at most one run per tick, for all changes since the last tick that asked for one.

        A tick that is evaluated again with the same cursor (a replay, or a daemon that died before
        it stored the new cursor) asks for the same run key, and Dagster starts a run key once. The
        first tick of all asks for none if what it finds was released already.
        """
        try:
            objects = list_landed_objects(landing_zone.open())
        except StorageError as error:
            return dg.SkipReason(f"the landing zone cannot be listed: {error}")
        found = [o for o in objects if sources.source_of_file(o.name)]
        ignored = [o.name for o in objects if sources.source_of_file(o.name) is None]
        ignored_note = f"; ignored, of no source: {_join_names(ignored)}" if ignored else ""
        before = Seen.of_cursor(context.cursor)
        now = before.next(found)
        if now.digest == before.digest and now.files == before.files:
            state = f"{count_of(now.files, 'file')} as before" if found else "there are no files"
            return dg.SkipReason(f"nothing changed: {state}{ignored_note}")
        if not before.number and workplace.is_released():
            return dg.SensorResult(
                skip_reason=f"{count_of(now.files, 'file')}, released already{ignored_note}",
                cursor=now.cursor(),
            )
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=now.run_key(), tags=_tags(before, found, ignored))],
            cursor=now.cursor(),
        )

    return sensor


def _tags(before: Seen, found: list[StoredObject], ignored: list[str]) -> dict[str, str]:
    """The tags of a requested run: the reason for it, as far as the cursor shows it."""
    tags = {"drug_assets/files": str(len(found))}
    new = [o for o in found if _watermark_of(o) > before.watermark]
    if new:
        tags["drug_assets/new_or_changed"] = _join_names([o.name for o in new])
    old = [o for o in found if _watermark_of(o) <= before.watermark]
    if _sum_of_digests(old) != before.digest:
        # An overwritten file is above the watermark now, and missing below it.
        gone = before.files - len(old)
        tags["drug_assets/earlier_files"] = (
            f"{gone} of {before.files} removed or replaced" if gone > 0 else "landed late"
        )
    if ignored:
        tags["drug_assets/ignored"] = _join_names(ignored)
    return tags


def _watermark_of(found: StoredObject) -> tuple[str, str, str]:
    return found.written_at.isoformat(timespec="microseconds"), found.name, found.version


def _sum_of_digests(found: list[StoredObject]) -> int:
    total = 0
    for item in found:
        key = f"{item.name}\0{item.version}".encode()
        total += int.from_bytes(hashlib.blake2b(key, digest_size=_DIGEST_BYTES).digest())
    return total % _DIGESTS


def _join_names(names: list[str]) -> str:
    return printable(shorten(names, most=_NAMES_SHOWN))
