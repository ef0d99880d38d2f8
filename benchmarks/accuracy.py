"""Measures the accuracy of finding names: precision, recall and F1 on titles with gold spans.

    python -m benchmarks.accuracy titles.jsonl vocabulary.csv

The titles are JSON lines with `title` and `spans` ([start, end) in characters); the vocabulary is
any drug list that can land as `drugs*`. Other libraries search for the same names as this project;
the report lists those that are not installed. `docs/accuracy.md` explains and discusses the
figures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from drug_assets import formats, sources
from drug_assets.cleaning import drugs as drug_cleaning
from drug_assets.cleaning import name_variants
from drug_assets.cleaning.stop_list import OWN as STOP_LIST
from drug_assets.cleaning.stop_list import StopList, StopListError
from drug_assets.cleaning.text import fold_string
from drug_assets.formats import FormatError
from drug_assets.mentions import Vocabulary, find_mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: Start and end in a title, in characters, the end excluded.
Span: TypeAlias = tuple[int, int]
#: The spans of each title.
Spans: TypeAlias = list[set[Span]]
Finder: TypeAlias = "Callable[[Sequence[str], pl.DataFrame], Spans]"

_EXPECTED = "expected a list with the columns " + ", ".join(sources.DRUGS.record_shape().fields)


class AccuracyError(Exception):
    """An input cannot be used; the message names the file, the line and the expected form."""


@dataclass(frozen=True)
class Gold:
    """Titles in which people have marked every chemical and drug, as spans."""

    titles: list[str]
    spans: Spans


@dataclass(frozen=True)
class Scores:
    """The comparison of found spans with gold spans."""

    precision: float
    recall: float
    exact_precision: float
    exact_recall: float
    #: Share found of the gold spans that are spelt exactly as a name that is searched for.
    closed_list_recall: float
    #: Number of spans found.
    found: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall by overlap."""
        return _f1(self.precision, self.recall)

    @property
    def exact_f1(self) -> float:
        """The same for spans that agree in both ends."""
        return _f1(self.exact_precision, self.exact_recall)


def read_gold(path: Path) -> Gold:
    """Read the titles and gold spans of a file of JSON lines.

    Raises:
        AccuracyError: a line is no such record, or a span is outside its title.
    """
    titles: list[str] = []
    spans: Spans = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            title, found = record["title"], {(int(a), int(b)) for a, b in record["spans"]}
        except (ValueError, KeyError, TypeError) as error:
            raise AccuracyError(
                f'{path}: line {number} is no {{"title": …, "spans": [[start, end], …]}}: {error!r}'
            ) from error
        if any(not 0 <= start < end <= len(title) for start, end in found):
            raise AccuracyError(f"{path}: line {number} has a span outside its title")
        titles.append(title)
        spans.append(found)
    return Gold(titles, spans)


def listed_names(path: Path) -> pl.DataFrame:
    """The names as a drug list spells them, without stop list and variants: drug_id and name.

    Raises:
        AccuracyError: the file is no drug list.
    """
    kept = _cleaned(path, StopList(), with_variants=False)
    return kept.select("drug_id", name="names").explode("name").drop_nulls()


def searched_names(path: Path, stop_list: Path = STOP_LIST) -> pl.DataFrame:
    """The names that titles are searched for: drug_id and name.

    Raises:
        AccuracyError: the file is no drug list, or the stop list cannot be used.
    """
    kept = _cleaned(path, _stop_list(stop_list), with_variants=True)
    return kept.select("drug_id", name="names").explode("name").drop_nulls()


def _stop_list(path: Path) -> StopList:
    try:
        return StopList.of(_bytes(path), str(path))
    except StopListError as error:
        raise AccuracyError(str(error)) from error


def _cleaned(path: Path, stop_list: StopList, *, with_variants: bool) -> pl.DataFrame:
    try:
        rows = pl.concat(list(formats.read(sources.DRUGS.record_shape(), path.name, _bytes(path))))
    except FormatError as error:
        raise AccuracyError(f"the vocabulary {error}") from error
    rules = name_variants.RULES if with_variants else {}
    records = sources.DRUGS.clean_records(rows.lazy())
    kept = drug_cleaning.clean_drugs(records, stop_list, rules).kept.collect()
    if kept.is_empty():
        raise AccuracyError(f"the vocabulary {path} names no drug; {_EXPECTED}")
    return kept


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AccuracyError(f"{path} cannot be read: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AccuracyError(f"{path} is not UTF-8, from byte {error.start} on") from error


def found_here(titles: Sequence[str], names: pl.DataFrame) -> Spans:
    """The spans that this project finds."""
    frame = pl.LazyFrame({"row": range(len(titles)), "title": titles})
    spans: Spans = [set() for _ in titles]
    for row, of_row in find_mentions(frame, Vocabulary.of(names)).select("row", "spans").rows():
        spans[row] |= {(span["start"], span["end"]) for span in of_row}
    return spans


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


def scores(gold: Gold, found: Spans, names: Iterable[str]) -> Scores:
    """Compute precision and recall, by overlap and exact.

    By overlap, a found span is right if it shares a character with a gold span, and a gold span is
    found if it shares one with a found span.

    Args:
        gold: titles and gold spans.
        found: the spans found in each title.
        names: the names that were searched for.
    """
    spelt = {fold_string(name) for name in names}
    right = hit = exact = closed = closed_hit = 0
    for title, of_gold, of_found in zip(gold.titles, gold.spans, found, strict=True):
        right += sum(_overlaps(span, of_gold) for span in of_found)
        exact += len(of_gold & of_found)
        for start, end in of_gold:
            is_hit = _overlaps((start, end), of_found)
            is_closed = fold_string(title[start:end]) in spelt
            hit += is_hit
            closed += is_closed
            closed_hit += is_closed and is_hit
    gold_count, found_count = sum(map(len, gold.spans)), sum(map(len, found))
    return Scores(
        precision=_share(right, found_count),
        recall=_share(hit, gold_count),
        exact_precision=_share(exact, found_count),
        exact_recall=_share(exact, gold_count),
        closed_list_recall=_share(closed_hit, closed),
        found=found_count,
    )


def _overlaps(span: Span, others: set[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def mistakes(gold: Gold, found: Spans) -> tuple[Counter[str], Counter[str]]:
    """The texts of found spans that are wrong, and of gold spans that were not found."""
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for title, of_gold, of_found in zip(gold.titles, gold.spans, found, strict=True):
        wrong.update(title[a:b] for a, b in of_found if not _overlaps((a, b), of_gold))
        missed.update(title[a:b] for a, b in of_gold if not _overlaps((a, b), of_found))
    return wrong, missed


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


def _measured(method: str, finder: Finder, gold: Gold, names: pl.DataFrame) -> tuple[str, Spans]:
    start = time.perf_counter()
    found = finder(gold.titles, names)
    seconds = time.perf_counter() - start
    s = scores(gold, found, names["name"])
    figures = (s.precision, s.recall, s.f1, s.exact_precision, s.exact_recall, s.exact_f1)
    shown = " | ".join(f"{figure:.4f}" for figure in (*figures, s.closed_list_recall))
    return f"| {method} | {names.height} | {shown} | {seconds:.1f} |", found


def report(gold: Gold, listed: pl.DataFrame, searched: pl.DataFrame) -> Iterator[str]:
    """A Markdown table of this project and the other libraries, line by line."""
    yield _HEADER
    yield _measured("drug_assets", found_here, gold, searched)[0]
    yield _measured("drug_assets, names only as listed", found_here, gold, listed)[0]
    yield _measured("drug_assets, titles typeset", found_here, typeset(gold), searched)[0]
    missing = []
    for peer, (module, finder) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            missing.append(peer)
            continue
        yield _measured(f"{peer}, same names", finder, gold, searched)[0]
        yield _measured(f"{peer}, names only as listed", finder, gold, listed)[0]
    if missing:
        yield (
            f"\nNot installed here, so not measured: {', '.join(missing)}. `make accuracy` installs"
            " them, or: pip install -r benchmarks/constraints-benchmarks.txt"
        )


def report_of_rules(gold: Gold, listed: pl.DataFrame, stop_list: StopList) -> Iterator[str]:
    """A Markdown table of the effect of the stop list, and of each rule for variants alone."""
    yield _HEADER
    yield _measured("names as listed", found_here, gold, listed)[0]
    safe = listed.filter(~stop_list.stops(pl.col("name")))
    yield _measured("stop list", found_here, gold, safe)[0]
    every = {name: {name: rule} for name, rule in name_variants.RULES.items()}
    for name, rules in {**every, "all rules": name_variants.RULES}.items():
        made = name_variants.make_variants(listed, rules).filter(~stop_list.stops(pl.col("name")))
        yield _measured(f"stop list, {name}", found_here, gold, pl.concat([safe, made]))[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; return 2 if an input cannot be used."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    parser.add_argument("file", type=Path, help="titles with gold spans, JSON lines")
    parser.add_argument("vocabulary", type=Path, help="a drug list")
    parser.add_argument(
        "--stop-list", type=Path, default=STOP_LIST, help="instead of the package's"
    )
    parser.add_argument("--rules", action="store_true", help="what each rule is worth")
    parser.add_argument("--mistakes", action="store_true", help="also what was wrong and missed")
    options = parser.parse_args(arguments)
    try:
        gold = read_gold(options.file)
        listed = listed_names(options.vocabulary)
        if options.rules:
            lines = report_of_rules(gold, listed, _stop_list(options.stop_list))
        else:
            lines = report(gold, listed, searched_names(options.vocabulary, options.stop_list))
        print(f"{len(gold.titles)} titles, {sum(map(len, gold.spans))} gold spans\n")
        for line in lines:
            print(line)
        if options.mistakes:
            names = searched_names(options.vocabulary, options.stop_list)
            wrong, missed = mistakes(gold, found_here(gold.titles, names))
            print("\nwrong:", *(f"\n  {n} {text}" for text, n in wrong.most_common()))
            print("\nmissed:", *(f"\n  {n} {text}" for text, n in missed.most_common()))
    except AccuracyError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
