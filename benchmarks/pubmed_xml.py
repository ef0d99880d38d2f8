"""Reading PubMed's XML: the package beside bare `lxml.iterparse` and pubmed_parser, on one file.

Bare lxml only counts articles and frees them, while the package extracts titles, journals and
dates. What no reader can be faster than is measured, too: reading the file from the system's cache,
unpacking it, and searching its bytes once.
"""

from __future__ import annotations

import gzip
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from benchmarks.measuring import Figures, peer, timed
from drug_assets.engines.local import LocalMachine
from drug_assets.formats import pubmed_xml
from drug_assets.formats.decoding import unpack
from drug_assets.sources.pubmed import SOURCE
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 2**20
#: Reading from the cache is repeated as often: once takes too short to be measured.
_REPEATS = 20


def drug_assets(packed_file: str) -> Figures:
    """`formats.pubmed_xml.read_batches`: frames of raw rows, each freed before the next."""
    return _read(packed_file, _batches)


def lxml_iterparse(packed_file: str) -> Figures:
    """`lxml.etree.iterparse` with an event for the end of every element, its default."""
    return _read(packed_file, _iterparse)


def lxml_iterparse_articles(packed_file: str) -> Figures:
    """`lxml.etree.iterparse` with events for the end of articles only: lxml's fastest way."""
    return _read(packed_file, lambda data: _iterparse(data, tag="PubmedArticle"))


def pubmed_parser(packed_file: str) -> Figures:
    """pubmed_parser's `parse_medline_xml`, which also unpacks the file."""
    parse = peer("pubmed_parser").parse_medline_xml
    size = len(gzip.decompress(Path(packed_file).read_bytes()))
    with timed() as watch:
        articles = sum(1 for _ in parse(packed_file))
    return watch.figures() | _rates(size, articles, watch.cpu_seconds)


def page_cache(packed_file: str) -> Figures:
    """Read the packed file, which is in the system's cache, and do nothing with it."""
    size = len(gzip.decompress(Path(packed_file).read_bytes()))
    with timed() as watch:
        for _ in range(_REPEATS):
            with Path(packed_file).open("rb") as file:
                while file.read(_CHUNK):
                    pass
    return watch.figures() | _rates(_REPEATS * size, 0, watch.cpu_seconds)


def gunzip(packed_file: str) -> Figures:
    """Unpack the file as the package does, and do nothing with it."""
    packed = Path(packed_file).read_bytes()
    with timed() as watch:
        size = sum(map(len, unpack(packed_file, packed)))
    return watch.figures() | _rates(size, 0, watch.cpu_seconds)


def byte_search(packed_file: str) -> Figures:
    """Search the unpacked file, in memory, for the ends of its articles."""
    return _read(packed_file, lambda data: data.count(b"</PubmedArticle>"))


def _read(packed_file: str, read: Callable[[bytes], int]) -> Figures:
    data = gzip.decompress(Path(packed_file).read_bytes())
    with timed() as watch:
        articles = read(data)
    return watch.figures() | _rates(len(data), articles, watch.cpu_seconds)


def _rates(size: int, articles: int, seconds: float) -> Figures:
    return {
        "megabytes": size / 1e6,
        "articles": articles,
        "mb_per_core_second": size / 1e6 / seconds,
    }


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK))


def _batches(data: bytes) -> int:
    frames = pubmed_xml.read_batches(SOURCE.record_shape(), "pubmed.xml", _chunks(data))
    return sum(frame.height for frame in frames)


def _iterparse(data: bytes, **filtered: Any) -> int:
    articles = 0
    for _, element in etree.iterparse(io.BytesIO(data), **filtered):
        if element.tag == "PubmedArticle":
            articles += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return articles


def landing(zone: str, store: str) -> Figures:
    """Read all files of a landing zone into parts of raw rows in a new store, on all cores.

    `peak_mib_per_process` is the peak of the largest process: a worker or the main process.
    """
    folder = Path(zone)
    shutil.rmtree(store, ignore_errors=True)
    size = sum(_unpacked_size(path) for path in sorted(folder.glob("*.xml.gz")))
    with timed() as watch:
        landed = read_landing_zone(LocalFolder(folder), LocalFolder(Path(store)), LocalMachine())
    articles = int(landed.files["raw_rows"].sum())
    return watch.figures() | {
        "megabytes": size / 1e6,
        "articles": articles,
        "mb_per_second": size / 1e6 / watch.seconds,
    }


def _unpacked_size(path: Path) -> int:
    with gzip.open(path) as file:
        return sum(len(chunk) for chunk in iter(lambda: file.read(_CHUNK), b""))


def streaming_memory(packed_file: str, times: int) -> Figures:
    """Read the articles of a file repeatedly as one long document that never is in memory whole."""
    data = gzip.decompress(Path(packed_file).read_bytes())
    start = data.index(b"<PubmedArticle>")
    end = data.rindex(b"</PubmedArticle>") + len(b"</PubmedArticle>")
    head, body, tail = data[:start], data[start:end], data[end:]
    del data

    def document() -> Iterator[bytes]:
        yield head
        for _ in range(times):
            yield from _chunks(body)
        yield tail

    with timed() as watch:
        frames = pubmed_xml.read_batches(SOURCE.record_shape(), "pubmed.xml", document())
        articles = sum(frame.height for frame in frames)
    megabytes = (len(head) + times * len(body) + len(tail)) / 1e6
    return watch.figures() | {"megabytes": megabytes, "articles": articles}
