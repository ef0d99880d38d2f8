"""What owners offer: links, editions and checksums on pages, versions in headers, ends of files."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest

from drug_assets.fetch.errors import BrokenAnswer
from drug_assets.fetch.kept_file import FileVersion
from drug_assets.fetch.unpacking import unpack
from drug_assets.fetch.vocabularies import VOCABULARIES, join_address, read_checksum
from drug_assets_tests.support.vocabulary_owners import mesh_files, rxnorm_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MD5 = "0123456789abcdef0123456789ABCDEF"


def rxnorm_page(*cells: str) -> bytes:
    return f"<table><tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr></table>".encode()


@pytest.mark.parametrize(
    ("cell", "md5"),
    [
        ("<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a> MD5 checksum: {md5}", MD5.lower()),
        (
            "<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a> (none)<b>MD5</b>\n{md5}",
            MD5.lower(),
        ),
        ("<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a>", None),
        ("<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a> Key: {md5}", None),
        ("<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a> a.zip MD5: {md5}", None),
        ("<a href='u/RxNorm_full_prescribe_03022026.zip'>{}</a> MD5: {md5}0", None),
    ],
)
def test_the_checksum_beside_the_name_counts(cell: str, md5: str | None) -> None:
    name = "RxNorm_full_prescribe_03022026.zip"
    page = rxnorm_page(f"RxNorm_full_03022026.zip MD5: {'9' * 32}", cell.format(name, md5=MD5))
    (offer,) = VOCABULARIES["rxnorm"].find_offers(page)
    assert (offer.md5, offer.day) == (md5, dt.date(2026, 3, 2))


def test_weekly_and_licensed_archives_are_not_offered() -> None:
    page = rxnorm_page(
        "<a href='/RxNorm_full_03022026.zip'>a</a>",
        "<a href='/RxNorm_weekly_prescribe_03112026.zip'>b</a>",
    )
    with pytest.raises(BrokenAnswer, match="offers no RxNorm_full_prescribe_"):
        VOCABULARIES["rxnorm"].find_offers(page)


@pytest.mark.parametrize(
    "link",
    [
        "/download/file/{}",
        "telechargement.php?fichier={}",
        "https://files.example.org/a/{}?v=1#top",
        "/download/file/{}?fbclid=",
    ],
)
def test_a_link_is_known_by_the_name_at_its_end(link: str) -> None:
    names = ["CIS_bdpm.txt", "CIS_COMPO_bdpm.txt", "CIS_MITM.txt"]
    page = "".join(f'<a href="{link.format(name)}">x</a>' for name in names)
    if "?v=" in link or "fbclid" in link:
        with pytest.raises(BrokenAnswer, match="offers no"):
            VOCABULARIES["bdpm"].find_offers(page.encode())
        return
    offers = VOCABULARIES["bdpm"].find_offers(page.encode())
    assert [offer.name for offer in offers] == names


@pytest.mark.parametrize(
    ("page", "link", "url"),
    [
        ("https://a.org/x/", "f.gz", "https://a.org/x/f.gz"),
        ("https://a.org/x", "/f.gz", "https://a.org/f.gz"),
        ("http://a.org/x", "https://b.org/f.gz", "https://b.org/f.gz"),
        ("http://a.org/x", "http://b.org/f.gz", "http://b.org/f.gz"),
    ],
)
def test_links_are_joined_to_their_page(page: str, link: str, url: str) -> None:
    assert join_address(page, link) == url


@pytest.mark.parametrize("link", ["http://b.org/f.gz", "ftp://a.org/f.gz", "file:///f.gz"])
def test_a_link_that_is_less_safe_than_its_page_is_not_followed(link: str) -> None:
    with pytest.raises(BrokenAnswer, match="is not followed"):
        join_address("https://a.org/", link)


@pytest.mark.parametrize(
    "body", [f"{MD5}", f"{MD5}  desc2026.gz\n", f"MD5(desc2026.gz)= {MD5}\n", f"{MD5} *a"]
)
def test_a_file_of_a_checksum_is_read_in_any_form(body: str) -> None:
    assert read_checksum(body.encode()) == MD5.lower()


@pytest.mark.parametrize("body", ["", "<html>Not Found</html>", f"{MD5} {MD5[::-1]}"])
def test_another_file_is_no_checksum(body: str) -> None:
    with pytest.raises(BrokenAnswer, match="no checksum"):
        read_checksum(body.encode())


SENT = {"date": "Tue, 03 Feb 2026 05:00:00 GMT"}
EARLIER, JUST_NOW = "Tue, 03 Feb 2026 04:00:00 GMT", "Tue, 03 Feb 2026 04:59:59 GMT"


@pytest.mark.parametrize(
    ("headers", "tag"),
    [
        ({"etag": '"1"', "last-modified": EARLIER}, '"1"'),
        ({"etag": 'W/"1"', "last-modified": EARLIER}, EARLIER),
        ({"etag": 'W/"1"'}, None),
        ({"last-modified": JUST_NOW}, None),
        ({"last-modified": "yesterday"}, None),
        ({"last-modified": "Fri, 31 Dec 9999 23:59:59 -2300"}, None),
        ({}, None),
    ],
)
def test_a_file_is_resumed_only_by_what_no_two_versions_share(
    headers: dict[str, str], tag: str | None
) -> None:
    assert FileVersion.of(SENT | headers).tag == tag


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"etag": '"1"'}, {"etag": 'W/"1"'}, True),
        ({"etag": '"1"', "modified": EARLIER}, {"etag": '"2"', "modified": EARLIER}, False),
        ({"modified": EARLIER}, {"etag": '"2"', "modified": EARLIER}, True),
        ({"modified": EARLIER}, {"modified": JUST_NOW}, False),
        ({"modified": EARLIER}, {"etag": '"2"'}, None),
        ({}, {}, None),
    ],
)
def test_versions_are_compared_by_what_both_have(
    one: dict[str, str], other: dict[str, str], is_same: bool | None
) -> None:
    a, b = FileVersion(**one), FileVersion(**other)  # type: ignore[arg-type]
    assert (a.is_same(b), a.differs(b)) == (is_same is True, is_same is False)


def _unpacked(folder: Path, name: str, vocabulary: str, file: int, body: bytes) -> dict[str, bytes]:
    target = folder / "unpacked"
    target.mkdir()
    (folder / "file").write_bytes(body)
    contents = VOCABULARIES[vocabulary].files[file].contents
    found = unpack(folder / "file", name, contents, target)
    return {each.name: gzip.decompress(each.path.read_bytes()) for each in found}


def test_a_file_that_came_unpacked_or_packed_on_the_way_lands_packed_once(tmp_path: Path) -> None:
    packed = mesh_files(2026)["/desc2026.gz"]
    plain = gzip.decompress(packed)
    for number, body in enumerate((packed, plain)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert _unpacked(folder, "desc2026.gz", "mesh", 0, body) == {"desc2026.xml.gz": plain}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda file: gzip.compress(gzip.decompress(file)[:-9]), "does not end as it should"),
        (lambda file: file[:-9], "damaged"),
        (lambda file: file[:-8] + bytes(8), "damaged"),
        (lambda _: mesh_files(2026)["/supp2026.gz"], "desc2026.gz does not begin as it should"),
        (lambda _: b"", "does not begin"),
        (lambda _: b"<html><body>", "a web page came in place of the file$"),
    ],
)
def test_half_a_file_or_another_one_is_refused(
    tmp_path: Path, body: Callable[[bytes], bytes], told: str
) -> None:
    with pytest.raises(BrokenAnswer, match=told):
        _unpacked(tmp_path, "desc2026.gz", "mesh", 0, body(mesh_files(2026)["/desc2026.gz"]))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    body = bytearray(rxnorm_archive())
    for number, start in enumerate((b"PK\x03\x04", b"PK\x01\x02")):
        at = body.find(start)
        while at >= 0:
            body[at + 6 + 2 * number] |= 1
            at = body.find(start, at + 1)
    with pytest.raises(BrokenAnswer, match=r"rrf/RXNCONSO\.RRF is encrypted"):
        _unpacked(tmp_path, "a.zip", "rxnorm", 0, bytes(body))


def test_a_member_never_lands_outside_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../RXNCONSO.RRF", "1" + "|" * 18 + "\n")
        archive.writestr("/RXNREL.RRF", "1" + "|" * 16 + "\n")
    body = (tmp_path / "a.zip").read_bytes()
    found = _unpacked(tmp_path, "a.zip", "rxnorm", 0, body)
    assert sorted(found) == ["RXNCONSO.RRF.gz", "RXNREL.RRF.gz"]
    assert sorted(p.name for p in (tmp_path / "unpacked").iterdir()) == sorted(found)
