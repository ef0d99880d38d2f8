"""Hostile files: the time that reading takes grows as the file does, no faster."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from drug_assets import sources
from drug_assets.formats import FormatError, read
from drug_assets_tests.support.articles import Article, to_medline, to_xml
from drug_assets_tests.support.drugbank import Drug, to_drugbank_xml
from drug_assets_tests.support.mesh import Concept, Record, Term, to_mesh_xml

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

#: Files of other kinds of XML; `@` stands for what is repeated in them.
MESH = to_mesh_xml([Record(concepts=(Concept((Term("x"),)),))]).replace(
    b"</TermList>", b"@</TermList>"
)
NUMBERS = to_mesh_xml([Record(concepts=(Concept(related=("@ y",)),))])
DRUGBANK = to_drugbank_xml([Drug(mixtures=(("x", "y"),))]).replace(b"</pathway>", b"@</pathway>")
PRODUCT = (
    "</pathway></pathways><mixtures><mixture><name>x</name></mixture></mixtures><pathways><pathway>"
)


def _repeated(data: bytes, repeated: str) -> Callable[[int], bytes]:
    return lambda count: data.replace(b"@", repeated.encode() * count)


#: By kind: the name of the file, its content by the number of repetitions, and the smaller number.
HOSTILE: dict[str, tuple[str, Callable[[int], bytes], int]] = {
    "tiny records": (
        "pubmed.xml",
        _within(b"", b"<PubmedArticle/>"),
        80_000,  # less is a single piece, which is read in another way
    ),
    "tiny records, one damaged": (
        "pubmed.xml",
        _within(b"<PubmedArticle>&</PubmedArticle>", b"<PubmedArticle/>"),
        3_000,
    ),
    "tiny sets": ("pubmed.xml", _behind(XML, b"<PubmedArticleSet/>"), 10_000),
    "documents": ("pubmed.xml", _behind(XML, XML), 500),
    "comments": ("pubmed.xml", _behind(XML, b"<!-- -->\n"), 30_000),
    "comments without end": ("pubmed.xml", _within(b"", b"<!-- "), 50_000),
    "records without end": ("pubmed.xml", _within(b"", b"<PubmedArticle><x>"), 30_000),
    "unknown elements": ("pubmed.xml", _within(b"", b"<X/>"), 30_000),
    "depth": ("pubmed.xml", _within(RECORD, b"<i>", RECORD_END), 50_000),
    "attributes": ("pubmed.xml", _within(b"<PubmedArticle ", b'a="" ', b"/>"), 20_000),
    "forbidden references": ("pubmed.xml", _within(RECORD, b"&#0;", RECORD_END), 50_000),
    "bad bytes": ("pubmed.xml", _within(RECORD, b"\xe9", RECORD_END), 200_000),
    "blank lines": ("pubmed.xml", _behind(XML, b"\n"), 500_000),
    "empty members": ("pubmed.xml.gz", _behind(gzip.compress(XML), gzip.compress(b"")), 5_000),
    "PMIDs": ("pubmed.nbib", _behind(MEDLINE, b"PMID- 1\n"), 5_000),
    "stray lines": ("pubmed.nbib", _behind(MEDLINE, b"x\n"), 30_000),
    "one folded value": ("pubmed.nbib", _behind(MEDLINE, b" x\n"), 30_000),
    "carriage returns": ("pubmed.nbib", _behind(MEDLINE, b"\r"), 50_000),
    "drugs within drugs": (
        "drugs.xml",
        _repeated(DRUGBANK, "<drug><name>x</name></drug>\n"),
        5_000,
    ),
    "ends of drugs": ("drugs.xml", _repeated(DRUGBANK, "</drug>\n "), 20_000),
    "starts of drugs": ("drugs.xml", _repeated(DRUGBANK, "<drug x='"), 20_000),
    "products of mixtures": ("drugs.xml", _repeated(DRUGBANK, PRODUCT), 2_000),
    "terms": ("drugs.xml", _repeated(MESH, "<Term><String>&amp;</String></Term>"), 5_000),
    "damage and terms": ("drugs.xml", _repeated(MESH, "<Term><String>&x;</String></Term>"), 5_000),
    "open brackets": ("drugs.xml", _repeated(NUMBERS, "x( "), 20_000),
    "brackets without blanks": ("drugs.xml", _repeated(NUMBERS, "x("), 50_000),
    "tiny descriptors": (
        "drugs.xml",
        _repeated(b"<DescriptorRecordSet>@</DescriptorRecordSet>", "<DescriptorRecord/>"),
        80_000,  # less fits into the processor's caches
    ),
    "one long line": ("pubmed.nbib", _behind(MEDLINE + b"AB  - ", b"x"), 2_000_000),
}


def _measure(name: str, data: bytes) -> float:
    """Processor seconds that reading or refusing a file takes, the least of three."""
    source = sources.source_of_file(name)
    assert source is not None
    seconds = []
    for _ in range(3):
        start = time.process_time()
        try:
            for _batch in read(source.record_shape(), name, data):
                pass
        except FormatError:
            pass
        seconds.append(time.process_time() - start)
    return min(seconds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_as_the_file_does(kind: str) -> None:
    name, content, few = HOSTILE[kind]
    # Eight times the size; quadratic growth would take 64 times as long, however often it is tried.
    # Other processes, which empty the caches of the processor, disturb some of the tries.
    for _ in range(5):
        before, after = (_measure(name, content(count)) for count in (few, 8 * few))
        if after < 24 * before + 0.05:
            return
    pytest.fail(f"{few} take {before:.3f} s, eight times as many {after:.3f} s")
