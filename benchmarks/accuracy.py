"""Compares this project with other libraries that find names: precision, recall and F1.

    python -m benchmarks.accuracy titles.jsonl list.csv [list.csv ...]

The titles and the lists are those of `drug-assets accuracy`, which also shows the intervals, the
mistakes, and what each list and rule adds. Other libraries search for the same names as this
project; the report lists those that are not installed. `docs/accuracy.md` discusses the figures.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from drug_assets.accuracy.gold import Gold, Spans, read_gold
from drug_assets.accuracy.measuring import as_listed, find_spans, list_names
from drug_assets.accuracy.scores import Scores, count_titles, score
from drug_assets.cleaning.stop_list import read_stop_list
from drug_assets.cleaning.text import fold_text
from drug_assets.cli.accuracy_report import read_lists
from drug_assets.errors import DrugAssetsError
from drug_assets.storage.places import read_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Finder: TypeAlias = "Callable[[Sequence[str], pl.DataFrame], Spans]"


def found_by_flashtext(titles: Sequence[str], names: pl.DataFrame) -> Spans:
    """The spans that FlashText finds, case ignored."""
    processor: Any = import_module("flashtext").KeywordProcessor(case_sensitive=False)
    for name in names["name"].unique(maintain_order=True):
        processor.add_keyword(name)
    return [
        {(start, end) for _, start, end in processor.extract_keywords(title, span_info=True)}
        for title in titles
    ]


def found_by_dner(titles: Sequence[str], names: pl.DataFrame) -> Spans:
    """The spans that drug-named-entity-recognition finds with these names instead of its own.

    It takes a list of words, and combines at most two: hyphens stay within words, which gives its
    best results.
    """
    drugs_finder: Any = import_module("drug_named_entity_recognition.drugs_finder")
    for known in (
        drugs_finder.drug_variant_to_canonical,
        drugs_finder.drug_canonical_to_data,
        drugs_finder.drug_variant_to_variant_data,
    ):
        known.clear()
    for name in names["name"].unique(maintain_order=True):
        drugs_finder.drug_variant_to_canonical[name.lower()] = [name]
    spans: Spans = []
    for title in titles:
        words = [match.span() for match in re.finditer(r"[^\W_]+(?:-[^\W_]+)*", title)]
        found = drugs_finder.find_drugs([title[start:end] for start, end in words])
        spans.append({(words[first][0], words[end - 1][1]) for _, first, end in found})
    return spans


#: Module and finder of each library to compare with.
PEERS: dict[str, tuple[str, Finder]] = {
    "FlashText": ("flashtext", found_by_flashtext),
    "drug-named-entity-recognition": ("drug_named_entity_recognition", found_by_dner),
}


#: What typesetting puts in the place of the characters that people type.
_TYPESET = str.maketrans({"-": "\u2010", "'": "\u2019"})
_LOWERED = {ord(str(digit)): chr(0x2080 + digit) for digit in range(10)}


def typeset(gold: Gold) -> Gold:
    """The titles with typographic hyphens and apostrophes, and lowered digits after letters.

    Each character takes the place of one, so the spans stay.
    """
    titles = [
        re.sub(
            r"(?<=[A-Za-z])[0-9]+(?![0-9A-Za-z])",
            lambda digits: digits.group().translate(_LOWERED),
            title.translate(_TYPESET),
        )
        for title in gold.titles
    ]
    return Gold(titles, gold.spans)


_HEADER = (
    "| method | names | P | R | F1 | P exact | R exact | F1 exact | closed list | s |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def scores_of(gold: Gold, found: Spans, names: pl.DataFrame) -> Scores:
    """The comparison of found with marked spans.

    Args:
        gold: titles and marked spans.
        found: the spans found in each title.
        names: column name, the names that were searched for.
    """
    folded = set(names.select(fold_text(pl.col("name")).unique()).to_series())
    return score({"all": count_titles(gold, found, folded)}, against="all")["all"][0]


def _measured(method: str, finder: Finder, gold: Gold, names: pl.DataFrame) -> str:
    start = time.perf_counter()
    found = finder(gold.titles, names)
    seconds = time.perf_counter() - start
    s = scores_of(gold, found, names)
    figures = (s.precision, s.recall, s.f1, s.exact_precision, s.exact_recall, s.exact_f1)
    shown = " | ".join(f"{each.value or 0:.4f}" for each in (*figures, s.closed_list))
    return f"| {method} | {names['name'].n_unique()} | {shown} | {seconds:.1f} |"


def report(gold: Gold, listed: pl.DataFrame, searched: pl.DataFrame) -> Iterator[str]:
    """A Markdown table of this project and the other libraries, line by line."""
    yield _HEADER
    yield _measured("drug_assets", find_spans, gold, searched)
    yield _measured("drug_assets, names only as listed", find_spans, gold, listed)
    yield _measured("drug_assets, titles typeset", find_spans, typeset(gold), searched)
    missing = []
    for peer, (module, finder) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            missing.append(peer)
            continue
        yield _measured(f"{peer}, same names", finder, gold, searched)
        yield _measured(f"{peer}, names only as listed", finder, gold, listed)
    if missing:
        yield (
            f"\nNot installed here, so not measured: {', '.join(missing)}. `make accuracy` installs"
            " them."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; return 2 if an input cannot be used."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    parser.add_argument("file", type=Path, help="titles with marked spans")
    parser.add_argument("lists", nargs="+", help="drug lists")
    options = parser.parse_args(arguments)
    try:
        gold = read_gold(options.file.read_bytes(), str(options.file))
        records = dict(read_lists(options.lists))
        names = list_names(records.values(), read_stop_list(None, read_location))
        print(f"{len(gold)} titles, {gold.count_spans()} marked spans\n")
        for line in report(gold, as_listed(names), names.filter("searched")):
            print(line)
    except (DrugAssetsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
