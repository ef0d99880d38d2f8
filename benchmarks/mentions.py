"""Finding mentions: the package beside FlashText, pyahocorasick and drug-named-entity-recognition.

All search the same titles for the same names, folded. Two times are taken of each: `seconds`, of
the search alone, with titles in memory and names prepared (an index, an automaton); and
`whole_seconds`, from Parquet files and a file of names to what was found. Each runs as in normal
use: the other libraries on one core, the package on all; processor time compares them per core.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from benchmarks.measuring import Figures, Stopwatch, peer, timed
from drug_assets import mentions as package
from drug_assets.cleaning.text import fold_string
from drug_assets.mentions import Vocabulary, find_mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: A span in a title: row of the title, first character, one past the last.
RowSpan: TypeAlias = tuple[int, int, int]


def names_of(names_file: str, count: int) -> list[str]:
    """The first names of a file with one name per line."""
    with Path(names_file).open(encoding="utf-8") as file:
        return [line.removesuffix("\n") for line in islice(file, count)]


def titles_of(title_files: Sequence[str], count: int) -> list[str]:
    """The first titles of some Parquet files."""
    return pl.scan_parquet(list(title_files)).head(count).collect()["title"].to_list()


def drug_assets(title_files: Sequence[str], titles: int, names_file: str, names: int) -> Figures:
    """`find_mentions`, to a frame of mentions."""
    _warm_up()
    with timed() as whole:
        scanned = pl.scan_parquet(list(title_files)).head(titles)
        found = find_mentions(scanned, Vocabulary.of(_listed(names_file, names))).height
    in_memory = scanned.collect()
    vocabulary = Vocabulary.of(_listed(names_file, names))
    with timed() as search_alone:
        find_mentions(in_memory.lazy(), vocabulary)
    return _figures(search_alone, whole, found)


def drug_assets_by_batch(
    title_files: Sequence[str], titles: int, names_file: str, names: int
) -> Figures:
    """`search`, from Parquet files to batches of mentions, of which none is kept.

    Where the measured checkout has no `search`, `find_mentions`, whose batch is all there is.
    """
    _warm_up()
    search = getattr(package, "search", lambda *searched: [find_mentions(*searched)])
    with timed() as watch:
        scanned = pl.scan_parquet(list(title_files)).head(titles)
        batches = search(scanned, Vocabulary.of(_listed(names_file, names)))
        found = sum(batch.height for batch in batches)
    return watch.figures() | {"found": found, "titles": titles, "names": names}


def _warm_up() -> None:
    """A process pays the cost of the first call only once."""
    listed = pl.DataFrame({"drug_id": "x", "name": "warm"})
    find_mentions(pl.LazyFrame({"title": ["warm"]}), Vocabulary.of(listed))


def _listed(names_file: str, count: int) -> pl.DataFrame:
    return pl.DataFrame({"name": names_of(names_file, count)}).with_columns(drug_id="name")


def _figures(search_alone: Stopwatch, whole: Stopwatch, found: int) -> Figures:
    of_whole = {f"whole_{name}": seconds for name, seconds in whole.figures().items()}
    return search_alone.figures() | of_whole | {"found": found}


def flashtext(title_files: Sequence[str], titles: int, names_file: str, names: int) -> Figures:
    """FlashText's `extract_keywords` with spans, one title at a time."""
    peer("flashtext")
    with timed() as whole:
        searched = titles_of(title_files, titles)
        processor = _keyword_processor(names_of(names_file, names))
        with timed() as search_alone:
            found = list(_by_flashtext(processor, searched))
    return _figures(search_alone, whole, len(found))


def _keyword_processor(names: Iterable[str]) -> Any:
    processor = peer("flashtext").KeywordProcessor()
    for name in names:
        processor.add_keyword(name, name)
    return processor


def _by_flashtext(processor: Any, titles: Iterable[str]) -> Iterator[RowSpan]:
    for row, title in enumerate(titles):
        for _, start, end in processor.extract_keywords(title, span_info=True):
            yield row, start, end


def pyahocorasick(title_files: Sequence[str], titles: int, names_file: str, names: int) -> Figures:
    """Pyahocorasick's automaton on lower-cased titles, then the rules of SPEC 4."""
    library = peer("ahocorasick")
    with timed() as whole:
        searched = titles_of(title_files, titles)
        automaton = library.Automaton()
        for name in names_of(names_file, names):
            automaton.add_word(name, len(name))
        automaton.make_automaton()
        with timed() as search_alone:
            found = list(_by_automaton(automaton, searched))
    return _figures(search_alone, whole, len(found))


def _by_automaton(automaton: Any, titles: Iterable[str]) -> Iterator[RowSpan]:
    for row, title in enumerate(titles):
        lower = title.lower()
        hits = [
            (start, last + 1)
            for last, length in automaton.iter(lower)
            if not (
                ((start := last + 1 - length) and lower[start - 1].isalnum())
                or lower[last + 1 : last + 2].isalnum()
            )
        ]
        if not hits:
            continue
        if len(hits) > 1:
            hits.sort(key=lambda hit: (hit[0], -hit[1]))
        upto = 0
        for start, end in hits:
            if start >= upto:
                upto = end
                yield row, start, end


def drug_named_entity_recognition(
    title_files: Sequence[str], titles: int, names_file: str, names: int
) -> Figures:
    """`find_drugs` on titles split at blanks; it only knows names of one or two words."""
    finder = peer("drug_named_entity_recognition.drugs_finder")
    searched = titles_of(title_files, titles)
    for known in (
        finder.drug_variant_to_canonical,
        finder.drug_canonical_to_data,
        finder.drug_variant_to_variant_data,
    ):
        known.clear()
    for name in names_of(names_file, names):
        finder.drug_variant_to_canonical[name] = [name]
        finder.drug_canonical_to_data[name] = {"name": name}
    with timed() as watch:
        found = sum(len(finder.find_drugs(title.split())) for title in searched)
    return watch.figures() | {"found": found}


# Agreement with FlashText.

ACCENT = "the title spells the name with an accent (SPEC 2: compared folded)"
UNDERSCORE = "an underscore is next to the name; it is neither letter nor digit (SPEC 4)"
BEYOND_ASCII = "a letter beyond ASCII is next to the name, so it is no mention (SPEC 4: any script)"
NO_LOOK_LEFT = "a letter or digit is before a name that begins with a sign (SPEC 4)"
NO_GOING_BACK = (
    "FlashText misses the name: it had begun to match a longer one and does not go back (SPEC 4: "
    "every occurrence is a span)"
)
OVERLAP = "it overlaps a span that differs for one of the reasons above (SPEC 4: leftmost longest)"
UNEXPLAINED = "unexplained"
REASONS = (
    ACCENT,
    UNDERSCORE,
    BEYOND_ASCII,
    NO_LOOK_LEFT,
    NO_GOING_BACK,
    OVERLAP,
    UNEXPLAINED,
)


def agreement(title_files: Sequence[str], titles: int, names_file: str, names: int) -> Figures:
    """Count the spans that only the package or only FlashText finds, by reason."""
    listed = names_of(names_file, names)
    searched = titles_of(title_files, titles)
    vocabulary = Vocabulary.of(pl.DataFrame({"drug_id": listed, "name": listed}))
    found = find_mentions(pl.LazyFrame({"title": searched}).with_row_index("row"), vocabulary)
    spans = found.select("row", span="spans").explode("span", empty_as_null=False).unnest("span")
    ours = set(spans.select("row", "start", "end").iter_rows())
    theirs = set(_by_flashtext(_keyword_processor(listed), searched))
    beginnings = {name[:end] for name in listed for end in range(1, len(name) + 1)}
    counts = {
        "only_drug_assets": dict.fromkeys(REASONS, 0),
        "only_flashtext": dict.fromkeys(REASONS, 0),
    }
    examples: dict[str, str] = {}
    different = ours ^ theirs
    by_row: dict[int, list[RowSpan]] = {}
    for span in sorted(different):
        by_row.setdefault(span[0], []).append(span)
    for row, of_row in by_row.items():
        reasons = {
            span: reason_of(searched[row], span, span in ours, beginnings) for span in of_row
        }
        for span in of_row:
            reason = reasons[span] or (
                OVERLAP if _overlaps_explained(span, reasons) else UNEXPLAINED
            )
            side = "only_drug_assets" if span in ours else "only_flashtext"
            counts[side][reason] += 1
            if reason == UNEXPLAINED:
                examples.setdefault(searched[row], searched[row][span[1] : span[2]])
    return {
        "titles": len(searched),
        "both": len(ours & theirs),
        **counts,
        "unexplained": [f"{text!r} in {title!r}" for title, text in islice(examples.items(), 5)],
    }


def reason_of(title: str, span: RowSpan, is_ours: bool, beginnings: set[str]) -> str | None:
    """The reason why only one of the two finds a span, if the title alone shows it.

    Args:
        title: the title.
        span: the span that only one of the two finds.
        is_ours: whether the package finds it; otherwise FlashText does.
        beginnings: all prefixes of all names.
    """
    _, start, end = span
    before, after = title[start - 1 : start] if start else "", title[end : end + 1]
    if not is_ours:
        if any(c.isalnum() and not c.isascii() for c in (before, after)):
            return BEYOND_ASCII
        if before.isalnum() and not title[start].isalnum():
            return NO_LOOK_LEFT
        return None
    folded = fold_string(title)
    if title[start:end].lower() != folded[start:end]:
        return ACCENT
    if "_" in (before, after):
        return UNDERSCORE
    lower = title.lower()
    begun = (
        lower[at : start + 1] in beginnings
        for at in range(start)
        if not lower[max(at - 1, 0) : at].isalnum()
    )
    goes_on = lower[start : end + 1] in beginnings
    return NO_GOING_BACK if any(begun) or goes_on else None


def _overlaps_explained(span: RowSpan, reasons: dict[RowSpan, str | None]) -> bool:
    _, start, end = span
    return any(reason and start < other[2] and other[1] < end for other, reason in reasons.items())
