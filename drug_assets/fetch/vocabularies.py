"""The vocabularies that are pulled: where their owners offer them, and what is read of them.

An owner offers files by links on a page (a folder's listing is one), whose newest edition counts,
or under addresses that never change. docs/data.md says what each vocabulary is good for; the tables
within are the readers' affair (`formats`). No request is sent here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from drug_assets.fetch.errors import BrokenAnswer
from drug_assets.fetch.unpacking import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Characters between the name of a file and its checksum on a page.
_NEAR = 200
_CHECKSUM = re.compile(r"(?i)\b[0-9a-f]{32}\b")


@dataclass(frozen=True)
class OwnersFile:
    """A file that an owner offers.

    Attributes:
        name: Its whole name. Groups `year`, `month`, `day` say which edition it is of, if it does.
        contents: What is read of it.
    """

    name: re.Pattern[str]
    contents: tuple[Content, ...]

    def edition(self, name: str) -> tuple[int, ...] | None:
        """The edition that a name gives, () without any; None if it is not a name of this file."""
        found = self.name.fullmatch(name)
        if found is None:
            return None
        groups = found.groupdict()
        return tuple(int(groups[part]) for part in ("year", "month", "day") if part in groups)


@dataclass(frozen=True)
class Offer:
    """A file as it is offered now.

    Attributes:
        file: What is read of it.
        name: Its name.
        url: Its address.
        day: The day of its edition, if its name has one.
        md5: Its checksum, if the page has one.
        md5_url: The address of its checksum, if that is a file of its own.
    """

    file: OwnersFile
    name: str
    url: str
    day: dt.date | None = None
    md5: str | None = None
    md5_url: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """A vocabulary.

    Attributes:
        name: Its name in commands and in the names of landed files.
        title: Its name for people.
        address: The page that offers its files, or the folder that holds them.
        files: Its files.
        fixed: The names of its files below `address`, if there is no page.
    """

    name: str
    title: str
    address: str
    files: tuple[OwnersFile, ...]
    fixed: tuple[str, ...] = ()

    def fixed_offers(self, address: str) -> list[Offer]:
        """What is offered if there is no page."""
        base = address.rstrip("/")
        return [
            Offer(file, name, f"{base}/{name}")
            for file, name in zip(self.files, self.fixed, strict=True)
        ]

    def find_offers(self, page: bytes) -> list[Offer]:
        """The newest edition that a page offers all files of; addresses as the page has them.

        Raises:
            BrokenAnswer: It does not offer all of them.
        """
        links = _Links.of(page)
        editions: dict[tuple[int, ...], dict[OwnersFile, str]] = {}
        for link in links.targets:
            for file in self.files:
                edition = file.edition(_name_of(link))
                if edition is not None:
                    editions.setdefault(edition, {}).setdefault(file, link)
        whole = [edition for edition, of in editions.items() if len(of) == len(self.files)]
        if not whole:
            wanted = ", ".join(file.name.pattern for file in self.files)
            raise BrokenAnswer(f"the page offers no {wanted} of one edition")
        newest = max(whole)
        offered = editions[newest]
        return [self._offer(file, offered[file], _day_of(newest), links) for file in self.files]

    def _offer(self, file: OwnersFile, link: str, day: dt.date | None, links: _Links) -> Offer:
        name = _name_of(link)
        beside = next((each for each in links.targets if _name_of(each) == f"{name}.md5"), None)
        return Offer(file, name, link, day, links.checksum(name), beside)


def join_address(page: str, offer: str) -> str:
    """The whole address of a link on a page; one without encryption only if the page has none.

    Raises:
        BrokenAnswer: The link leads elsewhere.
    """
    url = urljoin(page, offer)
    scheme = urlsplit(url).scheme
    if scheme != "https" and scheme != urlsplit(page).scheme:
        raise BrokenAnswer(f"the page links to {url}, which is not followed")
    return url


def read_checksum(body: bytes) -> str:
    """The MD5 of a file that holds nothing else, in any usual form.

    Raises:
        BrokenAnswer: It holds none, or several.
    """
    found = _CHECKSUM.findall(body[:_NEAR].decode("utf-8", "replace"))
    if len(found) != 1:
        raise BrokenAnswer("it is no checksum")
    return str(found[0]).lower()


def _day_of(edition: tuple[int, ...]) -> dt.date | None:
    try:
        year, month, day = edition
        return dt.date(year, month, day)
    except ValueError:
        return None


def _name_of(link: str) -> str:
    """The name of the file that a link leads to: the end of its path, or the value of a field."""
    parts = urlsplit(link)
    return re.split("[/=]", unquote(f"{parts.path}?{parts.query}".rstrip("?")))[-1]


class _Links(HTMLParser):
    """The links of a page, in order, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self._text: list[str] = []

    @classmethod
    def of(cls, page: bytes) -> _Links:
        links = cls()
        links.feed(page.decode("utf-8", "replace"))
        links.close()
        return links

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        target: Mapping[str, str | None] = dict(attrs)
        if tag == "a" and (link := target.get("href")):
            self.targets.append(link.strip())

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def checksum(self, name: str) -> str | None:
        """The checksum that the text gives a file, before it names the next archive."""
        text = " ".join(" ".join(self._text).split())
        for found in re.finditer(re.escape(name), text):
            near, *_ = re.split(r"(?i)\.(?:zip|gz)\b", text[found.end() :][:_NEAR])
            checksum = _CHECKSUM.search(near)
            if checksum and "md5" in near.casefold():
                return checksum[0].lower()
        return None


def _record_set(name: str, kind: str) -> OwnersFile:
    return OwnersFile(
        re.compile(rf"{name}(?P<year>[0-9]{{4}})\.gz"),
        (
            Content(
                re.compile(rf"{name}[0-9]{{4}}\.gz"),
                re.compile(rf"(?s)(?:\xef\xbb\xbf)?\s*<\?xml\b.*<{kind}\b".encode("latin-1")),
                re.compile(rf"</{kind}>\s*\Z".encode()),
                extension=".xml",
            ),
        ),
    )


def _rows(name: str, separator: str, fields: int, start: str) -> Content:
    """A table without a header, each row of which begins with a number and has so many fields.

    Args:
        name: Pattern of the whole name.
        separator: What stands between two fields.
        fields: Least number of separators of a row.
        start: Pattern of the first field.
    """
    field = rf"{re.escape(separator)}[^{re.escape(separator)}\r\n]*+"
    row = rf"{start}(?:{field}){{{fields},}}+"
    return Content(
        re.compile(name),
        re.compile(rf"(?:\xef\xbb\xbf)?\s*{row}".encode("latin-1")),
        re.compile(rf"(?:\A|\n){row}[\r\n]*+\Z".encode()),
    )


def _unii(what: str, archive: str) -> OwnersFile:
    """A table of FDA's with a header, which also the last row is no shorter than."""
    return OwnersFile(
        re.compile(re.escape(archive)),
        (
            Content(
                re.compile(rf"(?i)unii[ _]{what}[ _]?[0-9A-Za-z]*\.txt"),
                re.compile(rb"(?:\xef\xbb\xbf)?[^\r\n]*(?i:\bunii\b)[^\r\n]*\t[^\r\n]*\r?\n"),
                re.compile(rb"\n[^\t\r\n]*+\t[^\r\n]*+[\r\n]*+\Z"),
            ),
        ),
    )


def _bdpm(name: str, fields: int) -> OwnersFile:
    return OwnersFile(re.compile(name), (_rows(name, "\t", fields, "[0-9]{8}"),))


def _vocabularies() -> Iterator[Vocabulary]:
    yield Vocabulary(
        "mesh",
        "MeSH",
        "https://nlmpubs.nlm.nih.gov/projects/mesh/MESH_FILES/xmlmesh/",
        (_record_set("desc", "DescriptorRecordSet"), _record_set("supp", "SupplementalRecordSet")),
    )
    yield Vocabulary(
        "unii",
        "UNII",
        "https://precision.fda.gov/uniisearch/archive/latest",
        (_unii("names", "UNIIs.zip"), _unii("records", "UNII_Data.zip")),
        fixed=("UNIIs.zip", "UNII_Data.zip"),
    )
    # Current prescribable content, which needs no licence.
    yield Vocabulary(
        "rxnorm",
        "RxNorm",
        "https://www.nlm.nih.gov/research/umls/rxnorm/docs/rxnormfiles.html",
        (
            OwnersFile(
                re.compile(
                    r"RxNorm_full_prescribe_(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<year>[0-9]{4})\.zip"
                ),
                (
                    _rows(r"RXNCONSO\.RRF", "|", 18, "[0-9]+"),
                    _rows(r"RXNREL\.RRF", "|", 16, "[0-9]*"),
                ),
            ),
        ),
    )
    yield Vocabulary(
        "bdpm",
        "BDPM",
        "https://base-donnees-publique.medicaments.gouv.fr/telechargement",
        (
            _bdpm(r"CIS_bdpm\.txt", 10),
            _bdpm(r"CIS_COMPO_bdpm\.txt", 7),
            _bdpm(r"CIS_MITM\.txt", 3),
        ),
    )


#: By name.
VOCABULARIES: Final = {vocabulary.name: vocabulary for vocabulary in _vocabularies()}
