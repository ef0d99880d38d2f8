"""Data made from a seed: names, titles, PubMed files, landing zones. The same on every machine.

Every random number depends only on its position (seed, stream, row), not on the numbers drawn
before it. So row 7 of a million titles equals row 7 of ten, and batches can be made in any order.
The measurements use these data; nothing is run here.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
import multiprocessing
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Increase it when the same seed gives other data, so that files on disk are made again.
VERSION = 1
SEED = 20_261_122
#: Rows made at once.
BATCH_ROWS = 250_000
#: Articles that are made and written at once.
XML_RECORDS_PER_CHUNK = 500

_MAX_WORDS = 18
_MIN_WORDS = 7
_WORDS = 40_000
#: Function words, most frequent first; they have the first ranks of Zipf's law.
_SMALL_WORDS = ("of", "in", "the", "and", "a", "with", "for", "to", "on", "by", "an", "from", "2")
#: One in this many words begins a name of several words ("acid", "human", "vitamin").
_NAME_WORD_EVERY = 12

_ONSETS = ("b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "tr", "pl", "st")
_NUCLEI = ("a", "e", "i", "o", "u", "ia", "eo")
_CODAS = ("", "", "", "n", "l", "r", "s", "x", "ct", "m")
_SUFFIXES = ("ine", "ol", "ate", "amide", "ide", "mab", "one", "azole", "cillin", "statin")
_SALTS = ("sodium", "hydrochloride", "acid", "human", "phosphate", "vitamin", "extract")


@dataclass(frozen=True)
class Planting:
    """One way of putting a name into a title."""

    kind: str
    #: Percentage of titles.
    share: int
    #: The text in the title, made from the column `name`.
    text: pl.Expr


def _plantings() -> tuple[Planting, ...]:
    name = pl.col("name")
    first = name.str.slice(0, 1).str.to_uppercase()
    return (
        # True names, in a fifth of the titles.
        Planting("as_listed", 9, name),
        Planting("capitalised", 5, first + name.str.slice(1)),
        Planting("upper_case", 2, name.str.to_uppercase()),
        Planting("hyphenated", 2, name + "-induced"),
        Planting("two_names", 2, pl.format("{}/{}", name, pl.col("other_name"))),
        # Near-misses that are mentions nevertheless.
        Planting("accented", 1, name.str.replace("e", "é", literal=True)),
        Planting("underscore", 1, name + "_2"),
        # Near-misses that are no mentions.
        Planting("plural", 2, name + "s"),
        Planting("glued_before", 1, "anti" + name),
        Planting("glued_after", 1, name + "ic"),
        Planting("cut", 2, name.str.head(-1)),
        Planting("digit", 1, name + "2"),
        Planting("letter_beyond_ascii", 1, name + "é"),
        Planting("greek_letter", 1, "β" + name),
    )


#: The ways of planting a name that make a mention of it by SPEC 4.
TRUE_KINDS = frozenset({"as_listed", "capitalised", "upper_case", "hyphenated", "two_names"})


def drug_names(count: int) -> tuple[str, ...]:
    """This many different names, in lower case and without accents.

    A shorter list is a prefix of every longer one. If drug-named-entity-recognition is installed,
    its names come first: drugs, then brands and synonyms, without its few names of under four
    characters. Further names are built from syllables.
    """
    names = list(_package_names())[:count]
    if len(names) < count:
        known = set(names)
        names += [n for n in _built_names(count) if n not in known][: count - len(names)]
    return tuple(names)


def names_come_from_package() -> bool:
    """Whether real names are available."""
    return bool(_package_names())


@cache
def _package_names() -> tuple[str, ...]:
    # Reads its data without importing its code, which takes seconds to build an index of its own.
    found = importlib.util.find_spec("drug_named_entity_recognition")
    if found is None or found.origin is None:
        return ()
    import bz2

    from drug_assets.cleaning.text import fold_string

    packed = Path(found.origin).with_name("drug_ner_dictionary.pkl.bz2")
    with bz2.open(packed) as file:
        data = pickle.load(file)
    spellings = [*data["drug_canonical_to_data"], *data["drug_variant_to_canonical"]]
    folded = (" ".join(fold_string(name).split()) for name in spellings)
    shuffler = random.Random(SEED)
    drugs = len(data["drug_canonical_to_data"])
    known = list(dict.fromkeys(name for name in folded if len(name) >= 4 and name[0].isalnum()))
    # Shuffled, because the first names in alphabetical order would be unusually similar.
    head, tail = known[:drugs], known[drugs:]
    shuffler.shuffle(head)
    shuffler.shuffle(tail)
    return (*head, *tail)


@cache
def _built_names(count: int) -> tuple[str, ...]:
    made: dict[str, None] = {}
    chance = random.Random(SEED + 1)
    while len(made) < count:
        name = _syllables(chance, 2, 4) + chance.choice(_SUFFIXES)
        kind = chance.random()
        if kind < 0.3:
            name = f"{name} {chance.choice(_SALTS)}"
        elif kind < 0.4:
            name = f"{chance.choice(_SALTS)} {name}"
        elif kind < 0.45:
            name = f"{chance.randrange(1, 10)}-{name}"
        made[name] = None
    return tuple(made)


def _syllables(chance: random.Random, least: int, most: int) -> str:
    return "".join(
        chance.choice(_ONSETS) + chance.choice(_NUCLEI) + chance.choice(_CODAS)
        for _ in range(chance.randint(least, most))
    )


@cache
def title_words(names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of titles, most frequent first; none is a name, but some begin a name."""
    taken = set(names)
    chance = random.Random(SEED + 2)
    starts = dict.fromkeys(n.split()[0] for n in names if " " in n)
    name_words = iter([word for word in starts if word not in taken])
    words: dict[str, None] = dict.fromkeys(w for w in _SMALL_WORDS if w not in taken)
    while len(words) < _WORDS:
        if len(words) % _NAME_WORD_EVERY == 0 and (word := next(name_words, None)):
            words[word] = None
        word = _syllables(chance, 1, 2 if len(words) < _WORDS // 50 else 4)
        if word not in taken:
            words[word] = None
    return tuple(words)


def titles(names: tuple[str, ...], rows: range) -> pl.DataFrame:
    """The titles of some rows: columns row, title, and kind (how a name was planted, null if none).

    Words and names follow Zipf's law. A fifth of the titles has a true name, a tenth a near-miss.
    """
    words = pl.Series(title_words(names))
    name_list = pl.Series(names)
    row = pl.int_range(rows.start, rows.stop, dtype=pl.UInt64, eager=True)
    frame = pl.DataFrame(
        {
            "row": row.cast(pl.Int64),
            "words": _MIN_WORDS + (uniform(row, 0) * (_MAX_WORDS + 1 - _MIN_WORDS)).cast(pl.Int64),
            "hundredth": (uniform(row, 1) * 100).cast(pl.Int64),
            "where": (uniform(row, 2) * 3).cast(pl.Int64),
            "name": name_list.gather(zipf(row, 3, len(name_list))),
            "other_name": name_list.gather(zipf(row, 4, len(name_list))),
            **{f"w{n}": words.gather(zipf(row, 10 + n, len(words))) for n in range(_MAX_WORDS)},
        }
    )
    kind, planted = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
    upto = 0
    for planting in _plantings():
        drawn = pl.col("hundredth").is_between(upto, upto + planting.share, closed="left")
        kind = pl.when(drawn).then(pl.lit(planting.kind)).otherwise(kind)
        planted = pl.when(drawn).then(planting.text).otherwise(planted)
        upto += planting.share
    parts = [pl.when(n < pl.col("words")).then(f"w{n}") for n in range(_MAX_WORDS)]
    at = [pl.when(pl.col("where") == n).then("planted") for n in range(3)]
    text = pl.concat_str(
        [at[0], *parts[:4], at[1], *parts[4:], at[2]], separator=" ", ignore_nulls=True
    )
    title = text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1) + "."
    return (
        frame.with_columns(kind=kind, planted=planted)
        .with_columns(title=title)
        .select("row", "title", "kind")
    )


def _mixed(row: pl.Series, stream: int) -> pl.Series:
    """64 random bits per row, by SplitMix64; multiplication wraps around, as intended."""
    start = (SEED * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) % 2**64
    z = row * _word(0x9E3779B97F4A7C15) + _word(start)
    for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z // 2**bits)) * _word(factor)
    last: pl.Series = z // 2**31
    mixed: pl.Series = z ^ last
    return mixed


def _word(value: int) -> pl.Series:
    return pl.Series([value], dtype=pl.UInt64)


def uniform(row: pl.Series, stream: int) -> pl.Series:
    """One number per row, from 0 to under 1."""
    bits: pl.Series = _mixed(row, stream) // 2**11
    fraction: pl.Series = bits.cast(pl.Float64) * 2.0**-53
    return fraction


def zipf(row: pl.Series, stream: int, count: int) -> pl.Series:
    """One rank from 0 per row; rank n is about 1 / (n + 1) times as frequent as rank 0."""
    powers = (uniform(row, stream) * math.log(count + 1)).exp()
    return (powers.floor() - 1).clip(0, count - 1).cast(pl.UInt32)


def title_files(folder: Path, names: tuple[str, ...], count: int) -> list[Path]:
    """Write this many titles as Parquet files of `BATCH_ROWS` rows (row, title), if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for start in range(0, count, BATCH_ROWS):
        rows = range(start, min(start + BATCH_ROWS, count))
        path = folder / f"titles-{rows.start:09}-{rows.stop:09}.parquet"
        if not path.exists():
            scratch = path.with_suffix(".tmp")
            titles(names, rows).select("row", "title").write_parquet(scratch)
            scratch.rename(path)
        paths.append(path)
    return paths


# PubMed files. A current citation has about 4 KB, of which the title is 2 %.

_DOCTYPE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
    '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n<PubmedArticleSet>\n'
)
_JOURNALS = 5_000
_POOL = 400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class _Ballast:
    """The parts of citations besides titles, made once; articles draw from them."""

    journals: list[tuple[str, str]]
    journal_titles: list[str]
    abstracts: list[str]
    authors: list[str]
    headings: list[str]
    references: list[str]


@cache
def _ballast(names: tuple[str, ...]) -> _Ballast:
    chance = random.Random(SEED + 3)
    words = title_words(names)[:4000]

    def text(count: int) -> str:
        return " ".join(chance.choices(words, k=count)).capitalize()

    journals, journal_titles = [], []
    for n in range(_JOURNALS):
        journal_title = f"Journal of {text(chance.randint(1, 4))}"
        issn = f"{1000 + n}-000X"
        journal_titles.append(journal_title)
        info = (
            f"<MedlineJournalInfo><Country>United States</Country><MedlineTA>J {n}</MedlineTA>"
            f"<NlmUniqueID>{100_000 + n}</NlmUniqueID></MedlineJournalInfo>"
        )
        journals.append((f'<ISSN IssnType="Electronic">{issn}</ISSN>', info))
    abstracts = [
        "<Abstract>"
        + "".join(
            f'<AbstractText Label="{label}" NlmCategory="{label}">{text(chance.randint(40, 75))}.'
            "</AbstractText>"
            for label in ("BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS")
        )
        + "</Abstract>"
        for _ in range(_POOL)
    ]
    authors = [
        '<AuthorList CompleteYN="Y">'
        + "".join(
            f'<Author ValidYN="Y"><LastName>{text(1)}</LastName><ForeName>{text(1)}</ForeName>'
            f"<Initials>A</Initials><AffiliationInfo><Affiliation>{text(7)}.</Affiliation>"
            "</AffiliationInfo></Author>"
            for _ in range(chance.randint(2, 7))
        )
        + "</AuthorList>"
        for _ in range(_POOL)
    ]
    headings = [
        "<MeshHeadingList>"
        + "".join(
            f'<MeshHeading><DescriptorName UI="D{chance.randrange(10**6):06}" MajorTopicYN="N">'
            f"{text(2)}</DescriptorName></MeshHeading>"
            for _ in range(chance.randint(4, 14))
        )
        + "</MeshHeadingList>"
        for _ in range(_POOL)
    ]
    references = [
        "<ReferenceList>"
        + "".join(
            f"<Reference><Citation>{text(9)}. 2001;1(2):3-4.</Citation><ArticleIdList>"
            f'<ArticleId IdType="pubmed">{chance.randrange(10**8)}</ArticleId></ArticleIdList>'
            "</Reference>"
            for _ in range(chance.randint(0, 8))
        )
        + "</ReferenceList>"
        for _ in range(_POOL)
    ]
    return _Ballast(journals, journal_titles, abstracts, authors, headings, references)


def pubmed_xml(names: tuple[str, ...], rows: range) -> Iterator[bytes]:
    """A PubMed file in chunks, with one article per row: id from the row, title from `titles`."""
    ballast = _ballast(names)
    yield _DOCTYPE.encode()
    for start in range(rows.start, rows.stop, XML_RECORDS_PER_CHUNK):
        chunk = range(start, min(start + XML_RECORDS_PER_CHUNK, rows.stop))
        of_rows = titles(names, chunk)["title"]
        articles = (
            _article(ballast, row, title) for row, title in zip(chunk, of_rows, strict=True)
        )
        yield "".join(articles).encode()
    yield b"</PubmedArticleSet>\n"


def _article(ballast: _Ballast, row: int, title: str) -> str:
    chance = random.Random(SEED * 1_000_003 + row)
    drawn = int(chance.random() ** 2 * _JOURNALS)
    issn, info = ballast.journals[drawn]
    text = escape(title)
    if row % 40 == 0:
        # Inline markup, as about one title in forty has.
        first, _, rest = text.partition(" ")
        text = f"<i>{first}</i> {rest}"
    month = _MONTHS[row % 12]
    year = 1975 + int(50 * chance.random())
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">{row + 1}'
        "</PMID><DateRevised><Year>2024</Year><Month>01</Month><Day>11</Day></DateRevised>"
        f'<Article PubModel="Print"><Journal>{issn}<JournalIssue CitedMedium="Internet"><Volume>'
        f"{row % 90}</Volume><PubDate><Year>{year}</Year><Month>{month}</Month></PubDate>"
        f"</JournalIssue><Title>{ballast.journal_titles[drawn]}</Title></Journal>"
        f"<ArticleTitle>{text}</ArticleTitle><Pagination><MedlinePgn>1-9</MedlinePgn></Pagination>"
        f"{chance.choice(ballast.abstracts)}{chance.choice(ballast.authors)}"
        "<Language>eng</Language><PublicationTypeList>"
        '<PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>'
        f"</Article>{info}<CitationSubset>IM</CitationSubset>{chance.choice(ballast.headings)}"
        "</MedlineCitation><PubmedData><PublicationStatus>ppublish</PublicationStatus>"
        f'<ArticleIdList><ArticleId IdType="pubmed">{row + 1}</ArticleId></ArticleIdList>'
        f"{chance.choice(ballast.references)}</PubmedData></PubmedArticle>\n"
    )


# Landing zones.


@dataclass(frozen=True)
class Zone:
    """The size and contents of a landing zone: publications, in files, and a drug list."""

    #: Number of publications.
    records: int
    files: int
    #: Names of the drug list.
    names: tuple[str, ...]
    #: `xml` (packed, as PubMed delivers it) or `csv`.
    format: str

    def rows_of(self, file: int) -> range:
        """The rows of a file, by its number from 0; number `files` is a file to be added later."""
        per_file = self.records // self.files
        return range(file * per_file, (file + 1) * per_file)


def landing_zone(folder: Path, zone: Zone) -> Path:
    """Write the files of a zone; the last but one holds clinical trials instead of articles.

    Uses all cores. Files that exist already are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drug_list = pl.DataFrame({"atccode": "A01AD05", "drug": zone.names})
    drug_list.write_csv(folder / "drugs.csv")
    missing = [n for n in range(zone.files) if not (folder / zone_file(zone, n)).exists()]
    if len(missing) < 4:
        for n in missing:
            write_zone_file(folder, zone, n)
    else:
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            for done in [pool.submit(write_zone_file, folder, zone, n) for n in missing]:
                done.result()
    return folder


def _of_trials(zone: Zone, file: int) -> bool:
    return zone.files > 1 and file == zone.files - 2


def zone_file(zone: Zone, file: int) -> str:
    """The name of a file of a zone, by its number."""
    if _of_trials(zone, file):
        return "clinical_trials.csv"
    ending = "xml.gz" if zone.format == "xml" else "csv"
    return f"pubmed26n{file + 1:04}.{ending}"


def write_zone_file(folder: Path, zone: Zone, file: int) -> Path:
    """Write one file of a zone, atomically."""
    rows = zone.rows_of(file)
    path = folder / zone_file(zone, file)
    scratch = path.with_name(f".{path.name}.tmp")
    if zone.format == "xml" and not _of_trials(zone, file):
        with gzip.GzipFile(scratch, "wb", compresslevel=1, mtime=0) as packed:
            for chunk in pubmed_xml(zone.names, rows):
                packed.write(chunk)
    else:
        _table(zone.names, rows, trials=_of_trials(zone, file)).write_csv(scratch)
    scratch.rename(path)
    return path


def _table(names: tuple[str, ...], rows: range, *, trials: bool) -> pl.DataFrame:
    journal_titles = pl.Series(_ballast(names).journal_titles)
    row = pl.int_range(rows.start, rows.stop, dtype=pl.UInt64, eager=True)
    number = pl.col("row") + 1
    return titles(names, rows).select(
        id=pl.format("NCT{}", number) if trials else number.cast(pl.String),
        **{"scientific_title" if trials else "title": "title"},
        date=(uniform(row, 40) * 18_000).cast(pl.Int32).cast(pl.Date),  # days since 1970
        journal=journal_titles.gather((uniform(row, 41) ** 2 * _JOURNALS).cast(pl.UInt32)),
    )
