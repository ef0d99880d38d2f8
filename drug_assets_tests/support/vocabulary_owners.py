"""Owners of vocabularies on loopback: a page of links and the files behind it, faults included.

Listing, page and archives look like those of the NLM, FDA and the French database, and files are
served as their servers do (RFC 9110: Range, If-Range, conditions). All substances are made up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
import re
import zipfile
from email.utils import format_datetime, parsedate_to_datetime
from gzip import compress, decompress
from typing import TYPE_CHECKING

from drug_assets_tests.support.loopback_services import (
    Asked,
    LoopbackService,
    PatientClock,
    Reply,
)
from drug_assets_tests.support.mesh import Concept, Record, Term, to_mesh_xml

if TYPE_CHECKING:
    from collections.abc import Callable

#: Last-Modified of every file that says none.
CHANGED = dt.datetime(2026, 2, 3, 4, 5, 6, tzinfo=dt.UTC)


class Owner(LoopbackService):
    """A server of files, and of a page that links to them.

    Attributes:
        page: The page, by its path.
        files: The files, by their paths.
        changed: When each file last changed, if not at `CHANGED`.
        moved: Where a path has moved to.
        resumes: Whether it honours `Range`.
        versioned: Whether it says which version of a file it sends: `etag`, `modified`, or both.
    """

    def __init__(self, clock: PatientClock | None = None) -> None:
        super().__init__(clock or PatientClock("2026-03-10T12:00:00+00:00"))
        self.page: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.changed: dict[str, dt.datetime] = {}
        self.moved: dict[str, str] = {}
        self.resumes = True
        self.versioned = frozenset({"etag", "modified"})

    @property
    def asked_files(self) -> list[tuple[str, str | None]]:
        """The files that were asked for, each with its `Range`."""
        return [(a.path, a.headers.get("range")) for a in self.asked if a.path in self.files]

    def answer(self, asked: Asked) -> Reply:
        if asked.path in self.moved:
            return Reply(302, b"moved", {"Location": self.moved[asked.path]})
        if asked.path in self.page:
            return Reply(200, self.page[asked.path], {"Content-Type": "text/html"})
        if asked.path not in self.files:
            return Reply(404, b"<html><title>404 Not Found</title>Not Found</html>")
        assert asked.headers["accept-encoding"] == "identity"
        return self._file(asked)

    def _file(self, asked: Asked) -> Reply:
        body, sent = self.files[asked.path], asked.headers
        tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        modified = format_datetime(self.changed.get(asked.path, CHANGED), usegmt=True)
        headers = {"ETag": tag, "Last-Modified": modified}
        headers = {k: v for k, v in headers.items() if k[-3:].lower() in self._kinds()}
        if sent.get("if-none-match") == tag and "ETag" in headers:
            return Reply(304, b"", headers)
        since = sent.get("if-modified-since")
        is_dated = "ETag" not in headers and "Last-Modified" in headers
        if since and is_dated and parsedate_to_datetime(since) >= parsedate_to_datetime(modified):
            return Reply(304, b"", headers)
        asks = re.fullmatch(r"bytes=(\d+)-", sent.get("range", ""))
        same = sent.get("if-range") in {*headers.values()}
        if not asks or not same or not self.resumes:
            return Reply(200, body, headers)
        start = int(asks[1])
        if start >= len(body):
            return Reply(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Reply(206, body[start:], headers)

    def _kinds(self) -> set[str]:
        return {{"etag": "tag", "modified": "ied"}[kind] for kind in self.versioned}


def mesh_files(year: int, *names: str) -> dict[str, bytes]:
    """Descriptors and supplementary records of a year, with these names."""
    concepts = [Concept((Term(name),)) for name in names or ("Inventol",)]
    kinds = {"desc": "D99000{}", "supp": "C99000{}"}
    return {
        f"/{kind}{year}.gz": compress(
            to_mesh_xml(
                [Record(ui=ui.format(n), concepts=(c,)) for n, c in enumerate(concepts, 1)],
                supplementary=kind == "supp",
            ),
            mtime=0,
        )
        for kind, ui in kinds.items()
    }


def listing(*paths: str) -> bytes:
    """A folder, as Apache lists it."""
    rows = "".join(
        f'<img src="/icons/unknown.gif" alt="[   ]"> <a href="{path.strip("/")}">{path.strip("/")}'
        "</a>  2026-02-03 04:05   16M  \n"
        for path in paths
    )
    return (
        "<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 3.2 Final//EN'><html><head><title>Index of"
        ' /projects/mesh/MESH_FILES/xmlmesh</title></head><body><pre><a href="?C=N;O=D">Name</a>'
        f'<hr><a href="/projects/mesh/MESH_FILES/">Parent Directory</a>\n{rows}<hr></pre>'
        "</body></html>\n"
    ).encode()


def offer_mesh(owner: Owner, *years: int) -> None:
    """Offer these years, and what else lies in that folder."""
    owner.files = {}
    for year in years:
        owner.files |= mesh_files(year)
    others = [f"/{name}{years[0]}.xml" for name in ("desc", "supp", "qual", "pa")]
    owner.page = {"/": listing(*owner.files, *others, "/DTD/")}


def zipped(members: dict[str, bytes]) -> bytes:
    """An archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in members.items():
            file.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _tabbed(*rows: tuple[str, ...]) -> bytes:
    return "".join("\t".join(row) + "\r\n" for row in rows).encode("cp1252")


def offer_unii(owner: Owner, day: str = "26Feb2026") -> None:
    """Offer both archives under the addresses of the latest ones."""
    names = _tabbed(
        ("Name", "TYPE", "UNII", "Display Name"),
        ("ZORBAMINE [USAN]", "of", "AB12345678", "ZORBAMINE"),
        ("ZB-1234", "cd", "AB12345678", "ZORBAMINE"),
    )
    records = _tabbed(
        ("UNII", "DISPLAY_NAME", "RN", "INCHIKEY", "INGREDIENT_TYPE"),
        ("AB12345678", "ZORBAMINE", "50-00-0", "", "INGREDIENT SUBSTANCE"),
    )
    readme = b"What the columns mean.\r\n"
    owner.files = {
        "/UNIIs.zip": zipped({f"UNII_Names_{day}.txt": names, "READ ME UNII Lists.txt": readme}),
        "/UNII_Data.zip": zipped({f"UNII_Records_{day}.txt": records, "README.txt": readme}),
    }


def large_mesh(size: int) -> dict[str, bytes]:
    """Descriptors with a comment of so many bytes that cannot be packed, and few records beside."""
    files = mesh_files(2026)
    body = decompress(files["/desc2026.gz"])
    noise = random.Random(1).randbytes(size // 2).hex().encode()  # noqa: S311 - no secret
    large = body.replace(b"</DescriptorRecordSet>", b"<!--%b--></DescriptorRecordSet>" % noise)
    return files | {"/desc2026.gz": compress(large, 0, mtime=0)}


def rxnorm_archive(*extra: bytes) -> bytes:
    """The archive of a month: the tables that are read, and others."""
    conso = b"".join(
        (
            b"990001|ENG||||||9900011||990001||RXNORM|IN|990001|zorbamine||N|4096|\n",
            b"990002|ENG||||||9900021||990002||RXNORM|BN|990002|Zorbex||N|4096|\n",
            *extra,
        )
    )
    rel = b"990001||CUI|RO|990002||CUI|tradename_of|1||RXNORM|RXNORM||||4096|\n"
    return zipped(
        {
            "Readme_Full_Prescribe_03022026.txt": b"March 2, 2026\n",
            "rrf/RXNCONSO.RRF": conso,
            "rrf/RXNREL.RRF": rel,
            "rrf/RXNSAT.RRF": b"990001|||9900011|AUI|990001|||NDC|RXNORM|00000000000|N|4096|\n",
            "prescribe/rrf/old/RXNCONSO.RRF": b"",
        }
    )


def offer_rxnorm(owner: Owner, *days: str, md5: str | None = None) -> None:
    """Offer the archives of these days (MMDDYYYY), newest first, as the NLM's page does.

    Args:
        owner: The server.
        days: The days.
        md5: Another checksum than the right one.
    """
    archive = rxnorm_archive()
    owner.files = {f"/rxnorm/RxNorm_full_prescribe_{day}.zip": archive for day in days}
    checksum = md5 or hashlib.md5(archive, usedforsecurity=False).hexdigest()
    full = "0" * 32
    rows = "".join(
        f'<td><a href="https://download.nlm.nih.gov/umls/kss/rxnorm/RxNorm_full_{day}.zip">'
        f"RxNorm_full_{day}.zip</a><br>MD5 checksum: {full}</td>"
        f'<td><a href="{owner.url}/rxnorm/RxNorm_full_prescribe_{day}.zip">'
        f"RxNorm_full_prescribe_{day}.zip</a> (no license required)<br>\n<strong>MD5 checksum:"
        f"</strong> {checksum}</td>"
        for day in days
    )
    owner.page = {"/docs/rxnormfiles.html": f"<html><body>{rows}</body></html>".encode()}


def offer_bdpm(owner: Owner) -> None:
    """Offer the three tables, and others; its server says no version."""
    owner.versioned = frozenset()
    products = (
        *("60000001", "ZORBEX 5 mg, comprimé", "comprimé", "orale", "Autorisation active"),
        *("Procédure nationale", "Commercialisée", "01/02/2003", "", "", " LABO", "Non"),
    )
    owner.files = {
        "/download/file/CIS_bdpm.txt": _tabbed(products),
        "/download/file/CIS_COMPO_bdpm.txt": _tabbed(
            ("60000001", "comprimé", "01234", "ZORBAMINE", "5 mg", "un comprimé", "SA", "1", "")
        ),
        "/download/file/CIS_MITM.txt": _tabbed(
            ("60000001", "N02BA99", "ZORBEX 5 mg, comprimé", "https://example.org/60000001")
        ),
    }
    links = "".join(
        f'<li><a class="fr-link" href="{path}" target="_blank">Télécharger</a></li>'
        for path in ("/download/file/CIS_CIP_bdpm.txt", *owner.files)
    )
    owner.page = {"/telechargement": f"<!DOCTYPE html><html>{links}</html>".encode()}


#: By vocabulary: what offers it, and the path of its page or folder.
OFFERS: dict[str, tuple[Callable[[Owner], None], str]] = {
    "mesh": (lambda owner: offer_mesh(owner, 2026), "/"),
    "unii": (offer_unii, ""),
    "rxnorm": (lambda owner: offer_rxnorm(owner, "03022026", "02022026"), "/docs/rxnormfiles.html"),
    "bdpm": (offer_bdpm, "/telechargement"),
}
