"""Hostile files of PubMed: the time that reading takes grows as the file does, no faster."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from drug_assets.formats import FormatError, read
from drug_assets_tests.support.articles import Article, to_medline, to_xml
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable

XML = to_xml([Article()])
MEDLINE = to_medline([Article()])
END = b"</PubmedArticleSet>"


def _within(head: bytes, repeated: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    """Bytes that are repeated before the end of a set."""
    return lambda count: XML.replace(END, head + repeated * count + tail + END)


def _behind(start: bytes, repeated: bytes) -> Callable[[int], bytes]:
    return lambda count: start + repeated * count


RECORD, RECORD_END = b"<PubmedArticle><MedlineCitation>", b"</MedlineCitation></PubmedArticle>"
#: By kind: the name of the file, its content by the number of repetitions, and how many are few.
HOSTILE: dict[str, tuple[str, Callable[[int], bytes], int]] = {
    "tiny records": ("p.xml", _within(b"", b"<PubmedArticle/>"), 10_000),
    "tiny records, one damaged": (
        "p.xml",
        _within(b"<PubmedArticle>&</PubmedArticle>", b"<PubmedArticle/>"),
        3_000,
    ),
    "tiny sets": ("p.xml", _behind(XML, b"<PubmedArticleSet/>"), 10_000),
    "documents": ("p.xml", _behind(XML, XML), 500),
    "comments": ("p.xml", _behind(XML, b"<!-- -->\n"), 30_000),
    "comments without end": ("p.xml", _within(b"", b"<!-- "), 50_000),
    "records without end": ("p.xml", _within(b"", b"<PubmedArticle><x>"), 30_000),
    "unknown elements": ("p.xml", _within(b"", b"<X/>"), 30_000),
    "depth": ("p.xml", _within(RECORD, b"<i>", RECORD_END), 50_000),
    "attributes": ("p.xml", _within(b"<PubmedArticle ", b'a="" ', b"/>"), 20_000),
    "forbidden references": ("p.xml", _within(RECORD, b"&#0;", RECORD_END), 50_000),
    "bad bytes": ("p.xml", _within(RECORD, b"\xe9", RECORD_END), 200_000),
    "blank lines": ("p.xml", _behind(XML, b"\n"), 500_000),
    "empty members": ("p.xml.gz", _behind(gzip.compress(XML), gzip.compress(b"")), 5_000),
    "PMIDs": ("p.nbib", _behind(MEDLINE, b"PMID- 1\n"), 5_000),
    "stray lines": ("p.nbib", _behind(MEDLINE, b"x\n"), 30_000),
    "one folded value": ("p.nbib", _behind(MEDLINE, b" x\n"), 30_000),
    "carriage returns": ("p.nbib", _behind(MEDLINE, b"\r"), 50_000),
    "one long line": ("p.nbib", _behind(MEDLINE + b"AB  - ", b"x"), 2_000_000),
}


def _measure(name: str, data: bytes) -> float:
    """Seconds of this process, the least of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        try:
            for _batch in read(PUBMED.record_shape(), name, data):
                pass
        except FormatError:
            pass
        seconds.append(time.process_time() - start)
    return min(seconds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_as_the_file_does(kind: str) -> None:
    name, content, few = HOSTILE[kind]
    before, after = (_measure(name, content(count)) for count in (few, 8 * few))
    # Eight times the size; quadratic growth would take 64 times as long.
    assert after < 24 * before + 0.05
