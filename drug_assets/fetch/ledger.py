"""The record of the pages that a pull has landed, so that it resumes and lands none twice.

Each pull has a folder `.fetch/<stem>/` beside the landed files; it is hidden, so the landing zone
ignores it. It holds `request.json`, written at the start; `plan.json`, if the service is paged by a
list of ids; one `page_0001.json` per landed page; and `provenance.json`, written at the end. A page
counts as landed if both its file and its record exist. The file is written first: a pull that dies
between the two writes the same file again. No service is called here.
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

if TYPE_CHECKING:
    from drug_assets.fetch.destination import Destination
    from drug_assets.fetch.request import FetchRequest

FOLDER: Final = ".fetch"
#: An unfinished pull older than this is not resumed: its list of records is out of date.
RESUMED_WITHIN: Final = dt.timedelta(days=7)


@dataclass(frozen=True)
class PageRecord:
    """One landed page.

    Attributes:
        name: Name of its file; None if the page held no record and so has no file.
        sha256: Hash of the file, as it is stored; None without a file.
        size: Bytes of the file.
        ids: Ids of its records, in the order of the page.
        missing: Requested ids whose records the service did not return.
        token: Token that the page was requested with (ClinicalTrials.gov), None for the first.
        next_token: Token of the next page, None after the last.
        total: Records of the whole query, as the service counted them when it returned this page.
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
        stem: Prefix of the names of all landed files.
        started: When the pull was first started, as ISO 8601.
        landings: Pages landed since this object was made, without those cleared again.

    Args:
        destination: The place of landed files and of this record.
        request: The request of the pull.
        now: Time in UTC; its date is used if neither the request nor an unfinished pull has one.
    """

    def __init__(self, destination: Destination, request: FetchRequest, now: dt.datetime) -> None:
        today = now.date()
        self._destination = destination
        unfinished = None if request.as_of else _find_unfinished(destination, request, today)
        self.as_of = request.as_of or unfinished or today
        self.stem = request.stem(self.as_of)
        self._folder = f"{FOLDER}/{self.stem}"
        self._landed = set(destination.names(f"{self.stem}_"))
        self._pages = self._read_pages()
        self.landings = 0
        start = self._read_json("request.json")
        if start is None:
            start = {"request": request.as_json(), "started": now.isoformat(timespec="seconds")}
            self._write_json("request.json", start)
        self.started = str(start.get("started"))

    @property
    def provenance_name(self) -> str:
        """The name of the file that a finished pull has."""
        return f"{self._folder}/provenance.json"

    def find_page(self, number: int) -> PageRecord | None:
        """The record of a page whose file still exists; None if the page must be fetched."""
        record = self._pages.get(number)
        return record if record and record.name in {None, *self._landed} else None

    def find_record(self, number: int) -> PageRecord | None:
        """The record of a page, even if its file has been removed since."""
        return self._pages.get(number)

    def land(self, number: int, name: str, body: bytes, record: PageRecord) -> PageRecord:
        """Write the file of a page, then the record of the page here; an empty page has no file.

        Args:
            number: Number of the page, 1 for the first.
            name: The file name after the stem, such as `_p0001.json.gz`.
            body: The answer as received; the same bytes give the same file.
            record: The page; its name, size and hash are filled in here.
        """
        values = {**asdict(record), "name": None, "sha256": None, "size": 0}
        if record.ids:
            data = _gzip(body)
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
        """Remove the file and the record of every page, so that the pull starts over.

        From the last page to the first, and each file before its record, so that an interruption
        leaves no file without a record.
        """
        for number in sorted(self._pages, reverse=True):
            name = self._pages[number].name
            if name:
                self._destination.delete(name)
                self._landed.discard(name)
            self._destination.delete(f"{self._folder}/page_{number:04d}.json")
            del self._pages[number]
        self.landings = 0

    def read_plan(self) -> dict[str, Any] | None:
        """The plan that `keep_plan` wrote, or None."""
        return self._read_json("plan.json")

    def keep_plan(self, plan: dict[str, Any]) -> None:
        """Write the plan of the pages, before the first page is fetched."""
        self._write_json("plan.json", plan)

    def find_provenance(self) -> dict[str, Any] | None:
        """The provenance of a finished pull whose files all exist; None if work is left to do."""
        provenance = self._read_json("provenance.json")
        if provenance is None or not {file["name"] for file in provenance["files"]} <= self._landed:
            return None
        return provenance

    def finish(self, pages: list[PageRecord], provenance: dict[str, Any]) -> None:
        """Remove files of this pull that belong to no page, then write the provenance.

        Such a file is left if a pull died between a file and its record and then started over.
        """
        for name in sorted(self._landed - {page.name for page in pages}):
            self._destination.delete(name)
            self._landed.discard(name)
        self._write_json("provenance.json", provenance)

    def _read_pages(self) -> dict[int, PageRecord]:
        pages = {}
        for name in self._destination.names(f"{self._folder}/page_"):
            number = re.fullmatch(r"page_(\d+)\.json", name.rpartition("/")[2])
            values = self._read_json(name.rpartition("/")[2]) if number else None
            if number and values is not None:
                try:
                    lists = {key: tuple(values[key]) for key in ("ids", "missing")}
                    pages[int(number[1])] = PageRecord(**{**values, **lists})
                except (KeyError, TypeError) as exc:
                    raise self._unreadable_error(name, exc) from None
        return pages

    def _read_json(self, name: str) -> dict[str, Any] | None:
        path = f"{self._folder}/{name}"
        try:
            values = json.loads(self._destination.read(path))
        except FileNotFoundError:
            return None
        except ValueError as exc:
            raise self._unreadable_error(path, exc) from None
        if not isinstance(values, dict):
            raise self._unreadable_error(path, TypeError("not a JSON object"))
        return values

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        text = json.dumps(values, ensure_ascii=False, indent=1)
        self._destination.write(f"{self._folder}/{name}", text.encode() + b"\n")

    def _unreadable_error(self, path: str, exc: Exception) -> LedgerError:
        return LedgerError(
            f"{path} is not what a fetch writes ({exc}). Remove {self._folder}/ and the files"
            f" {self.stem}_* to fetch anew."
        )


def _find_unfinished(
    destination: Destination, request: FetchRequest, today: dt.date
) -> dt.date | None:
    """The date of the latest pull of this request that started but did not finish."""
    prefix = request.service.file_prefix
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
                continue  # not the folder of a pull
    recent = [day for day in days if today - RESUMED_WITHIN <= day <= today]
    return max(recent, default=None)


def _gzip(body: bytes) -> bytes:
    """Compress without a time or name, so that equal bodies give equal files on every run."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        file.write(body)
    return buffer.getvalue()
