"""`fetch_vocabulary`: one pull of a vocabulary, from what its owner offers to what has landed.

Nothing of an edition lands before all its files have come and were looked at. Then the new files
are written, and after the last of them those of the former edition are removed: of two editions
side by side, both would be read. Only files that an earlier pull landed are ever removed, by the
record in the hidden folder `.fetch/vocabulary_NAME/`, where files that are still coming are kept,
too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drug_assets.fetch.errors import BrokenAnswer, FetchError, LedgerError
from drug_assets.fetch.kept_file import FileVersion, KeptFile, read_http_date
from drug_assets.fetch.ledger import FOLDER
from drug_assets.fetch.service import Clock, Patience, Service
from drug_assets.fetch.unpacking import Unpacked, unpack
from drug_assets.fetch.vocabularies import Offer, join_address, read_checksum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drug_assets.fetch.destination import Destination
    from drug_assets.fetch.vocabularies import Vocabulary

#: The folder of the landing zone that vocabularies land in; its name says which source they are of.
LANDED_IN: Final = "drugs"
#: Least seconds between two requests to an owner.
_INTERVAL: Final = 1.0
#: Removed files that the record remembers.
_REMEMBERED: Final = 100


@dataclass(frozen=True)
class LandedFile:
    """A file of the landing zone: its name there, its size and hash."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PulledFile:
    """An owner's file whose contents have landed.

    Attributes:
        name: Its name, as the owner gives it.
        url: Its address.
        edition: Day of its edition: as its name or the server says, else that of the pull.
        version: What the server said of its version.
        size: Its bytes, as they came.
        sha256: Their hash.
        md5: Their MD5, which an owner's checksum is compared with.
        is_verified: Whether the owner gave a checksum.
        pulled: When it came, as ISO 8601.
        landed: The files that were made of it.
    """

    name: str
    url: str
    edition: dt.date
    version: FileVersion
    size: int
    sha256: str
    md5: str
    is_verified: bool
    pulled: str
    landed: tuple[LandedFile, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "edition": self.edition.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PulledFile:
        """The file of what `as_json` returned."""
        return cls(
            **{
                **values,
                "edition": dt.date.fromisoformat(values["edition"]),
                "version": FileVersion(**values["version"]),
                "landed": tuple(LandedFile(**each) for each in values["landed"]),
            }
        )


@dataclass(frozen=True)
class VocabularyReport:
    """The result of a pull of a vocabulary.

    Attributes:
        vocabulary: Its name.
        title: Its name for people.
        files: The owner's files that its landed ones are of.
        landed: Names of the files that this call landed.
        kept: Names of those that were there already, in the same edition.
        removed: Names of those of a former edition, removed.
        requests: Requests that this call sent, retries and redirects included.
        retries: How many of these were tries after a fault.
        bytes_resumed: Bytes that an earlier, interrupted call had brought.
        warnings: Warnings for people, each one sentence.
        provenance: Name of the record, in the hidden folder.
    """

    vocabulary: str
    title: str
    files: tuple[PulledFile, ...]
    landed: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    requests: int
    retries: int
    bytes_resumed: int
    warnings: tuple[str, ...]
    provenance: str

    @property
    def editions(self) -> str:
        """The owner's files with the days of their editions, for people."""
        return ", ".join(f"{file.name} of {file.edition}" for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, for `--json`."""
        return {**asdict(self), "files": [file.as_json() for file in self.files]}


def fetch_vocabulary(
    vocabulary: Vocabulary,
    destination: Destination,
    *,
    base_url: str | None = None,
    patience: Patience | None = None,
    clock: Clock | None = None,
) -> VocabularyReport:
    """Land the newest edition of a vocabulary, unless it has landed already.

    If a pull is interrupted anywhere, even by SIGKILL, the same call goes on behind the last part
    of a file that came, if the owner's server can. Two simultaneous pulls of one vocabulary into
    one place do the work twice, and leave the same files.

    Args:
        vocabulary: One of `VOCABULARIES`.
        destination: The landing zone.
        base_url: Another address of the page or folder that offers it, such as a mirror.
        patience: Time-outs and retries.
        clock: Source of time; a test may pass its own.

    Raises:
        ServiceRefused: The owner's server refuses.
        ServiceUnavailable: No whole file after the last retry.
        FetchError: Any other failure; `LedgerError` for a damaged record of earlier pulls.
    """
    clock, patience = clock or Clock(), patience or Patience()
    address = base_url or vocabulary.address
    record = _Record.read(destination, vocabulary)
    service = Service(vocabulary.title, address, interval=_INTERVAL, patience=patience, clock=clock)
    with service, tempfile.TemporaryDirectory(prefix="drug_assets_fetch_") as folder:
        pull = _Pull(vocabulary, destination, service, patience, clock, Path(folder), record)
        arrivals = [pull.fetch(offer) for offer in _find_offers(vocabulary, service, address)]
        landed, removed = pull.land(arrivals)
    files = tuple(arrival.file for arrival in arrivals)
    return VocabularyReport(
        vocabulary=vocabulary.name,
        title=vocabulary.title,
        files=files,
        landed=tuple(landed),
        kept=tuple(each.name for file in files for each in file.landed if each.name not in landed),
        removed=tuple(removed),
        requests=service.requests,
        retries=service.retries,
        bytes_resumed=pull.bytes_resumed,
        warnings=tuple(pull.warnings(files)),
        provenance=record.name,
    )


def _find_offers(vocabulary: Vocabulary, service: Service, address: str) -> list[Offer]:
    """What the owner offers, with whole addresses and with checksums, if there are any."""
    if vocabulary.fixed:
        return vocabulary.fixed_offers(address)
    page = service.read_page(address, vocabulary.find_offers, "the page of its files")
    try:
        offers = [
            replace(
                offer,
                url=join_address(page.url, offer.url),
                md5_url=offer.md5_url and join_address(page.url, offer.md5_url),
            )
            for offer in page.content
        ]
    except BrokenAnswer as exc:
        raise FetchError(f"{vocabulary.title}: {exc}") from None
    return [
        replace(
            offer,
            md5=service.read_page(offer.md5_url, read_checksum, f"{offer.name}.md5").content,
        )
        if offer.md5_url
        else offer
        for offer in offers
    ]


@dataclass(frozen=True)
class _Arrival:
    """A file that came, and what of it is ready to land; nothing of one that is known."""

    file: PulledFile
    ready: tuple[Unpacked, ...] = ()


@dataclass
class _Pull:
    """One pull."""

    vocabulary: Vocabulary
    destination: Destination
    service: Service
    patience: Patience
    clock: Clock
    folder: Path
    record: _Record
    bytes_resumed: int = 0

    def fetch(self, offer: Offer) -> _Arrival:
        """Download a file and prepare what is read of it, unless it has landed already."""
        known = self._find_known(offer)
        if known is not None and offer.md5 is not None and known.md5 == offer.md5:
            return _Arrival(known)
        kept = KeptFile(
            self.destination,
            f"{self.record.folder}/{offer.name}",
            offer.url,
            part=self.patience.part,
            known=known.version if known is not None and known.url == offer.url else None,
        )
        self.bytes_resumed += kept.resumed
        arrival = self.service.download(
            offer.url, kept, lambda: self._prepare(offer, kept), offer.name
        )
        if known is not None and (arrival is None or known.sha256 == arrival.file.sha256):
            # The server may not say which version it sends, or give the same one a new name.
            version = kept.version if arrival is not None else known.version
            return _Arrival(replace(known, url=offer.url, version=version))
        if arrival is None:
            raise FetchError(f"{self.vocabulary.title}: {offer.name} was not sent")
        return arrival

    def _find_known(self, offer: Offer) -> PulledFile | None:
        """The file of an earlier pull that stands for this offer, if all of it is still there."""
        there = set(self.destination.names(f"{LANDED_IN}/{self.vocabulary.name}_"))
        for file in self.record.files:
            if file.name == offer.name and {landed.name for landed in file.landed} <= there:
                return file
        return None

    def _prepare(self, offer: Offer, kept: KeptFile) -> _Arrival:
        """Put a file together, verify it, and unpack what is read of it.

        Raises:
            BrokenAnswer: It is not the file that was offered.
        """
        own = self.folder / offer.name
        shutil.rmtree(own, ignore_errors=True)  # what a try before this one left
        target = own / "unpacked"
        target.mkdir(parents=True)
        file = own / "owners"
        digests = kept.write_to(file)
        if offer.md5 is not None and digests.md5 != offer.md5:
            raise BrokenAnswer(f"its MD5 is {digests.md5}, the owner says {offer.md5}")
        ready = unpack(file, offer.name, offer.file.contents, target)
        file.unlink()
        modified = read_http_date(kept.version.modified)
        edition = offer.day or (modified or self.clock.now()).date()
        ready = [
            replace(each, name=f"{LANDED_IN}/{self.vocabulary.name}_{edition}_{each.name}")
            for each in ready
        ]
        pulled = PulledFile(
            name=offer.name,
            url=offer.url,
            edition=edition,
            version=kept.version,
            size=digests.size,
            sha256=digests.sha256,
            md5=digests.md5,
            is_verified=offer.md5 is not None,
            pulled=self.clock.now().isoformat(timespec="seconds"),
            landed=tuple(_measure(each) for each in ready),
        )
        return _Arrival(pulled, tuple(ready))

    def land(self, arrivals: Sequence[_Arrival]) -> tuple[list[str], list[str]]:
        """Write what is ready, then remove what earlier pulls landed and no arrival is made of.

        Returns:
            The names that were written, and those that were removed.
        """
        ready = [each for arrival in arrivals for each in arrival.ready]
        # A pull that dies from here on has said which names it may have written.
        self.record.pending = sorted({*self.record.pending, *(each.name for each in ready)})
        if ready:
            self.record.write(self.destination)
        for each in ready:
            self.destination.write_file(each.name, each.path)
        files = [arrival.file for arrival in arrivals]
        current = {landed.name for file in files for landed in file.landed}
        former = {landed.name for file in self.record.files for landed in file.landed}
        there = set(self.destination.names(f"{LANDED_IN}/{self.vocabulary.name}_"))
        removed = sorted(({*former, *self.record.pending} - current) & there)
        for name in removed:
            self.destination.delete(name)
        now = self.clock.now().isoformat(timespec="seconds")
        self.record.removed += [{"name": name, "removed": now} for name in removed]
        self.record.files, self.record.pending = files, []
        self.record.write(self.destination)
        for name in self.destination.names(f"{self.record.folder}/"):
            if name != self.record.name:
                self.destination.delete(name)
        return [each.name for each in ready], removed

    def warnings(self, files: Sequence[PulledFile]) -> Iterator[str]:
        """What a person should know of what lies beside the landed files."""
        ours = {landed.name for file in files for landed in file.landed}
        contents = [content for file in self.vocabulary.files for content in file.contents]
        for name in self.destination.names(""):
            bare = name.rpartition("/")[2].removesuffix(".gz")
            spellings = {bare, f"{bare}.gz", f"{bare.removesuffix('.xml')}.gz"}
            is_hidden = any(part.startswith(".") for part in name.split("/"))
            if is_hidden or name in ours:
                continue
            if any(c.name.fullmatch(s) for c in contents for s in spellings):
                yield (
                    f"{name} was not landed by a pull, and is read beside this edition: remove it"
                    " if it is another one"
                )


@dataclass
class _Record:
    """What pulls of a vocabulary have landed.

    Attributes:
        folder: The hidden folder of the vocabulary.
        title: Its name for people.
        files: The owner's files of the current edition.
        pending: Names that an unfinished pull may have written.
        removed: Names of former editions, and when they were removed; the last hundred.
    """

    folder: str
    title: str
    files: list[PulledFile] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    removed: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.folder}/provenance.json"

    @classmethod
    def read(cls, destination: Destination, vocabulary: Vocabulary) -> _Record:
        """The record of a vocabulary, empty before the first pull.

        Raises:
            LedgerError: It is not what `write` writes.
        """
        record = cls(f"{FOLDER}/vocabulary_{vocabulary.name}", vocabulary.title)
        try:
            values = json.loads(destination.read(record.name))
            record.files = [PulledFile.from_json(file) for file in values["files"]]
            record.pending = [str(name) for name in values["pending"]]
            record.removed = [dict(each) for each in values["removed"]]
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError) as exc:
            raise LedgerError(
                f"{record.name} is not what a fetch writes ({exc}). Remove it and the files"
                f" {LANDED_IN}/{vocabulary.name}_* to fetch anew."
            ) from None
        return record

    def write(self, destination: Destination) -> None:
        """Write it, replacing the former one."""
        values = {
            "vocabulary": self.title,
            "files": [file.as_json() for file in self.files],
            "pending": self.pending,
            "removed": self.removed[-_REMEMBERED:],
        }
        text = json.dumps(values, ensure_ascii=False, indent=1)
        destination.write(self.name, text.encode() + b"\n")


def _measure(ready: Unpacked) -> LandedFile:
    with ready.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return LandedFile(ready.name, ready.path.stat().st_size, sha256)
