"""What of a pull is landed already: how it resumes after any interruption, once and no twice.

Each pull has a folder `.fetch/<stem>/` beside the landed files (hidden, so none of the landing
zone's business): `request.json` when it starts, a `plan.json` where the service is paged by a list
of ids, one `page_0001.json` after each landed page, `provenance.json` when it is done. A page
counts as landed when its file and its record are both there. The file goes first: a pull that dies
between the two writes the same name again, whole. Talking to a service is not done here.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from drug_assets.fetch.errors import LedgerError
from drug_assets.fetch.request import PREFIXES

if TYPE_CHECKING:
    from drug_assets.fetch.destination import Destination
    from drug_assets.fetch.request import FetchRequest

FOLDER: Final = ".fetch"
#: An unfinished pull older than this is left alone: its list of records is out of date.
RESUMED_WITHIN: Final = dt.timedelta(days=7)


@dataclass(frozen=True)
class PageRecord:
    """One landed page.

    Attributes:
        name: Its file; None when the page held no record, and so has none.
        sha256: Of the file as it lies there; None without a file.
        size: Bytes of the file.
        ids: Of its records, in the order of the page.
        missing: Ids asked for that the service did not give.
        token: What the page was asked by (ClinicalTrials.gov), None for the first.
        next_token: What the next page is asked by, None after the last.
        total: Records of the whole query, as the service counted when it gave this page.
    """

    name: str | None
    sha256: str | None
    size: int
    ids: tuple[str, ...]
    missing: tuple[str, ...] = ()
    token: str | None = None
    next_token: str | None = None
    total: int | None = None


class Ledger:
    """The record of one pull.

    Attributes:
        as_of: UTC date in the file names.
        stem: What the names of all landed files begin with.
        started: When the pull was first started, as ISO 8601.
        landings: Pages landed since this object was made, those cleared again left out.

    Args:
        destination: Where landed files and the record lie.
        request: What is asked for.
        now: Time in UTC; its date is used when neither the request nor an unfinished pull
            gives one.
    """

    def __init__(self, destination: Destination, request: FetchRequest, now: dt.datetime) -> None:
        today = now.date()
        self._destination = destination
        unfinished = None if request.as_of else _unfinished(destination, request, today)
        self.as_of = request.as_of or unfinished or today
        self.stem = request.stem(self.as_of)
        self._folder = f"{FOLDER}/{self.stem}"
        self._landed = set(destination.names(f"{self.stem}_"))
        self._pages = self._known_pages()
        self.landings = 0
        start = self._read_json("request.json")
        if start is None:
            start = {"request": request.as_json(), "started": now.isoformat(timespec="seconds")}
            self._write_json("request.json", start)
        self.started = str(start.get("started"))

    @property
    def provenance_name(self) -> str:
        """The file that tells of a finished pull."""
        return f"{self._folder}/provenance.json"

    def page(self, number: int) -> PageRecord | None:
        """The record of a page that is landed and still there; None when it must be fetched."""
        record = self._pages.get(number)
        return record if record and record.name in {None, *self._landed} else None

    def recorded(self, number: int) -> PageRecord | None:
        """The record of a page, also when somebody has taken its file away since."""
        return self._pages.get(number)

    def land(self, number: int, name: str, body: bytes, record: PageRecord) -> PageRecord:
        """Write a page's file, then its record; a page without records has only a record.

        Args:
            number: 1 for the first page.
            name: What follows the stem in the file name, such as `_p0001.json.gz`.
            body: The answer as it came; the same bytes give the same file.
            record: What is known of the page; its name, size and sum are filled in.
        """
        values = {**asdict(record), "name": None, "sha256": None, "size": 0}
        if record.ids:
            data = _gzipped(body)
            values["name"] = f"{self.stem}{name}"
            values["sha256"] = hashlib.sha256(data).hexdigest()
            values["size"] = len(data)
            self._destination.write(values["name"], data)
            self._landed.add(values["name"])
        landed = PageRecord(**values)
        self._write_json(f"page_{number:04d}.json", values)
        self._pages[number] = landed
        self.landings += 1
        return landed

    def clear(self) -> None:
        """Forget every page and remove its file: the pull starts over.

        From the last to the first and the file before its record, so that an interrupted clearing
        leaves no file that no record knows.
        """
        for number in sorted(self._pages, reverse=True):
            name = self._pages[number].name
            if name:
                self._destination.delete(name)
                self._landed.discard(name)
            self._destination.delete(f"{self._folder}/page_{number:04d}.json")
            del self._pages[number]
        self.landings = 0

    def plan(self) -> dict[str, Any] | None:
        """What `keep_plan` kept, or None."""
        return self._read_json("plan.json")

    def keep_plan(self, plan: dict[str, Any]) -> None:
        """Keep what the pages will be, before the first is fetched."""
        self._write_json("plan.json", plan)

    def provenance(self) -> dict[str, Any] | None:
        """That of a finished pull all of whose files are there; None if something is to do."""
        known = self._read_json("provenance.json")
        if known is None or not {file["name"] for file in known["files"]} <= self._landed:
            return None
        return known

    def finish(self, pages: list[PageRecord], provenance: dict[str, Any]) -> None:
        """Remove files of this pull that no page names, then write the provenance.

        Such a file is left where a pull died between a page and its record and then started over.
        """
        for name in sorted(self._landed - {page.name for page in pages}):
            self._destination.delete(name)
            self._landed.discard(name)
        self._write_json("provenance.json", provenance)

    def _known_pages(self) -> dict[int, PageRecord]:
        pages = {}
        for name in self._destination.names(f"{self._folder}/page_"):
            number = re.fullmatch(r"page_(\d+)\.json", name.rpartition("/")[2])
            values = self._read_json(name.rpartition("/")[2]) if number else None
            if number and values is not None:
                try:
                    lists = {key: tuple(values[key]) for key in ("ids", "missing")}
                    pages[int(number[1])] = PageRecord(**{**values, **lists})
                except (KeyError, TypeError) as exc:
                    raise self._unreadable(name, exc) from None
        return pages

    def _read_json(self, name: str) -> dict[str, Any] | None:
        path = f"{self._folder}/{name}"
        if not self._destination.exists(path):
            return None
        try:
            values = json.loads(self._destination.read(path))
        except ValueError as exc:
            raise self._unreadable(path, exc) from None
        if not isinstance(values, dict):
            raise self._unreadable(path, TypeError("not a JSON object"))
        return values

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        text = json.dumps(values, ensure_ascii=False, indent=1)
        self._destination.write(f"{self._folder}/{name}", text.encode() + b"\n")

    def _unreadable(self, path: str, exc: Exception) -> LedgerError:
        return LedgerError(
            f"{path} is not what a fetch writes ({exc}). Remove {self._folder}/ and the files"
            f" {self.stem}_* to fetch anew."
        )


def _unfinished(destination: Destination, request: FetchRequest, today: dt.date) -> dt.date | None:
    """The date of the latest pull of this request that started and did not finish."""
    prefix = PREFIXES[request.source]
    started: dict[str, set[str]] = {}
    for name in destination.names(f"{FOLDER}/{prefix}_"):
        _, folder, file = name.split("/", 2)
        if folder.endswith(f"_{request.label}"):
            day = folder.removeprefix(f"{prefix}_").removesuffix(f"_{request.label}")
            started.setdefault(day, set()).add(file)
    days = []
    for day, files in started.items():
        if "request.json" in files and "provenance.json" not in files:
            try:
                days.append(dt.date.fromisoformat(day))
            except ValueError:
                continue  # not a folder that a pull made
    recent = [day for day in days if today - RESUMED_WITHIN <= day <= today]
    return max(recent, default=None)


def _gzipped(body: bytes) -> bytes:
    """The body as gzip without time or name: the same bytes on every run and Python version."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        file.write(body)
    return buffer.getvalue()
