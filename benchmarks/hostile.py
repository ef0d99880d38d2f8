"""How time and memory of each reader grow with hostile input: `python -m benchmarks.hostile`.

Each pattern is read at a size and at four times that size. The exponents are those of the size in
the processor time and in the peak of memory: 1 is linear. A refusal is an answer, too.
"""

from __future__ import annotations

import argparse
import gzip
import math
import time
import tracemalloc
from typing import TYPE_CHECKING

from drug_assets import formats, sources

if TYPE_CHECKING:
    from collections.abc import Callable

_FACTOR = 4
_HEADER = b"id,title,date,journal\n"
_ARTICLE = (
    b"<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>a</ArticleTitle>"
    b"</Article></MedlineCitation></PubmedArticle>"
)


def _in_set(records: bytes) -> bytes:
    return b"<PubmedArticleSet>" + records + b"</PubmedArticleSet>"


#: By the name of a file and that of a pattern: about n bytes of it.
PATTERNS: dict[tuple[str, str], Callable[[int], bytes]] = {
    ("pubmed.csv", "quotes that open on each line"): lambda n: (
        _HEADER + b'1,"a,2020,J\n' * (n // 12)
    ),
    ("pubmed.csv", "one quote that never closes"): lambda n: (
        _HEADER + b'1,"a' + b"1,b,2020,J\n" * (n // 11)
    ),
    ("pubmed.csv", "long rows"): lambda n: _HEADER + b"1,a,b,c,d,e,f,2020,J\n" * (n // 21),
    ("pubmed.csv", "one row of separators"): lambda n: _HEADER + b"1" + b"," * n + b"\n",
    ("pubmed.csv", "blank rows"): lambda n: _HEADER + b"\n" * n,
    ("pubmed.csv", "blank rows under many columns"): lambda n: (
        _HEADER.strip() + b"," * (n // 2) + b"\n" * (n // 2)
    ),
    ("pubmed.csv", "rows under a long name"): lambda n: (
        b"title," + b"a" * (n // 2) + b"\n" + b"b,c\n" * (n // 8)
    ),
    ("pubmed.csv", "backslashes and quotes"): lambda n: (
        _HEADER + b'1,"a\\"b\\\\",2020,J\n' * (n // 18)
    ),
    ("pubmed.csv", "escaped line ends"): lambda n: (
        _HEADER + b"1,a\\,b,2020,J\n" + b"\\\n" * (n // 2)
    ),
    ("pubmed.json", "damaged records"): lambda n: (
        b"[" + b'{"id":"1","title":"a" x},\n' * (n // 26) + b'{"title":"b"}]'
    ),
    ("pubmed.json", "a string that never closes"): lambda n: (
        b'[{"title":"a"},{"title":"' + b"a" * n
    ),
    ("pubmed.json", "brackets in brackets"): lambda n: b"[" * n,
    ("pubmed.json", "wrappers in wrappers"): lambda n: b'{"a":' * (n // 5) + b"1" + b"}" * (n // 5),
    ("pubmed.json", "records of different keys"): lambda n: b"".join(
        b'{"title":"a","k%d":1}\n' % i for i in range(n // 24)
    ),
    ("pubmed.json", "rows under a long name"): lambda n: (
        b'{"columns":["title","'
        + b"a" * (n // 2)
        + b'"],"data":[["b","c"]'
        + b',["b","c"]' * (n // 20)
        + b"]}"
    ),
    ("pubmed.json", "trailing commas"): lambda n: b'[{"title":"a"' + b"," * n + b"}]",
    ("pubmed.xml", "damaged records"): lambda n: _in_set(
        _ARTICLE.replace(b">a<", b">&<") * (n // len(_ARTICLE)) + _ARTICLE
    ),
    ("pubmed.xml", "one record without an end"): lambda n: _in_set(
        _ARTICLE[:-20] + b"<i>a</i>" * (n // 8)
    ),
    ("pubmed.xml", "elements in elements"): lambda n: _in_set(b"<a>" * (n // 3)),
    ("pubmed.xml", "many documents"): lambda n: _in_set(_ARTICLE) * (n // (len(_ARTICLE) + 37)),
    ("pubmed.nbib", "stray lines"): lambda n: b"PMID- 1\nTI  - a\n" + b"?\n" * (n // 2),
    ("pubmed.nbib", "a title of many lines"): lambda n: (
        b"PMID- 1\nTI  - a\n" + b"      a\n" * (n // 8)
    ),
    ("pubmed.nbib", "many ids"): lambda n: b"PMID- 1\n" * (n // 8) + b"TI  - a\n",
    ("pubmed.csv.gz", "blank rows, packed"): lambda n: gzip.compress(_HEADER + b"\n" * (2 * n)),
    ("pubmed.csv.gz", "many members"): lambda n: (
        gzip.compress(_HEADER) + gzip.compress(b"1,a,2020,J\n") * (n // 31)
    ),
}


def _read(name: str, data: bytes) -> str:
    """Read a file; returns how it ended."""
    (shape,) = (each.record_shape() for each in sources.ALL if each.name == "pubmed")
    rows = 0
    try:
        for batch in formats.read(shape, name, data, len(data)):
            rows += batch.height
    except formats.FormatError:
        return "refused"
    return f"{rows} rows"


def _measure(name: str, data: bytes) -> tuple[float, str]:
    started = time.process_time()
    ended = _read(name, data)
    return max(time.process_time() - started, 1e-4), ended


def _peak(name: str, data: bytes) -> int:
    """The most bytes that Python held while reading."""
    tracemalloc.start()
    try:
        _read(name, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _exponent(small: float, large: float, factor: float) -> float:
    """The exponent of the size in a figure that grows from small to large with that factor."""
    return math.log(large / small) / math.log(factor)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=250_000, help="the smaller size")
    size = parser.parse_args().bytes
    _measure("pubmed.csv", _HEADER)
    print("| file | pattern | bytes | CPU s | exponent | peak / bytes | exponent | end |")
    print("| --- | --- | --: | --: | --: | --: | --: | --- |")
    for (name, pattern), make in PATTERNS.items():
        small, large = make(size), make(_FACTOR * size)
        factor = len(large) / len(small)
        before, (after, ended) = _measure(name, small)[0], _measure(name, large)
        held, held_after = _peak(name, small), _peak(name, large)
        print(
            f"| {name} | {pattern} | {len(large)} | {after:.2f} | "
            f"{_exponent(before, after, factor):.1f} | {held_after / len(large):.0f} | "
            f"{_exponent(held, held_after, factor):.1f} | {ended} |"
        )


if __name__ == "__main__":
    main()
