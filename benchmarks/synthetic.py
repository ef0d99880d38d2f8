"""Data made from a seed: names, titles, PubMed files, landing zones. The same on every machine.

Every number is drawn by its place (seed, stream, row), not by its turn, so that row 7 of a million
titles is row 7 of ten, and batches can be made in any order. Running anything on them belongs to
the measurements.
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

#: To be raised when the same seed gives other data: what lies on disk is then made again.
VERSION = 1
SEED = 20_261_122
#: Rows made at once.
BATCH_ROWS = 250_000
#: A PubMed update file has some 30,000; a landing zone here as many as its size asks for.
XML_RECORDS_A_CHUNK = 500

_MAX_WORDS = 18
_MIN_WORDS = 7
_WORDS = 40_000
#: Words that stand between others, most frequent first; they take the first places of Zipf's law.
_SMALL_WORDS = ("of", "in", "the", "and", "a", "with", "for", "to", "on", "by", "an", "from", "2")
#: Every so many words is the first word of a name of several ("acid", "human", "vitamin").
_NAME_WORD_EVERY = 12

_ONSETS = ("b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "tr", "pl", "st")
_NUCLEI = ("a", "e", "i", "o", "u", "ia", "eo")
_CODAS = ("", "", "", "n", "l", "r", "s", "x", "ct", "m")
_SUFFIXES = ("ine", "ol", "ate", "amide", "ide", "mab", "one", "azole", "cillin", "statin")
_SALTS = ("sodium", "hydrochloride", "acid", "human", "phosphate", "vitamin", "extract")


@dataclass(frozen=True)
class Planting:
    """One way in which a name is put into a title."""

    kind: str
    #: Of a hundred titles, so many.
    share: int
    #: What stands in the title, made of the column `name`.
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
        # Near-misses that are mentions all the same.
        Planting("accented", 1, name.str.replace("e", "é", literal=True)),
        Planting("underscore", 1, name + "_2"),
        # Near-misses that are none.
        Planting("plural", 2, name + "s"),
        Planting("glued_before", 1, "anti" + name),
        Planting("glued_after", 1, name + "ic"),
        Planting("cut", 2, name.str.head(-1)),
        Planting("digit", 1, name + "2"),
        Planting("letter_beyond_ascii", 1, name + "é"),
        Planting("greek_letter", 1, "β" + name),
    )


#: The ways of planting a name that make a mention of it by SPEC section 4.
TRUE_KINDS = frozenset({"as_listed", "capitalised", "upper_case", "hyphenated", "two_names"})


def drug_names(count: int) -> tuple[str, ...]:
    """So many different names, lower case and without accents, each list the start of the longer.

    Those that the package drug-named-entity-recognition ships where it is installed, drugs before
    brands and synonyms, without its few names of under four characters; and built from syllables
    beyond them.
    """
    names = list(_package_names())[:count]
    if len(names) < count:
        known = set(names)
        names += [n for n in _built_names(count) if n not in known][: count - len(names)]
    return tuple(names)


def names_come_from_package() -> bool:
    """Whether real names are at hand."""
    return bool(_package_names())


@cache
def _package_names() -> tuple[str, ...]:
    # Its data, not its code: importing that takes seconds and builds an index of its own.
    found = importlib.util.find_spec("drug_named_entity_recognition")
    if found is None or found.origin is None:
        return ()
    import bz2

    from drug_assets.cleaning.text import fold_text

    packed = Path(found.origin).with_name("drug_ner_dictionary.pkl.bz2")
    with bz2.open(packed) as file:
        data = pickle.load(file)
    spellings = [*data["drug_canonical_to_data"], *data["drug_variant_to_canonical"]]
    folded = (" ".join(fold_text(name).split()) for name in spellings)
    shuffler = random.Random(SEED)
    drugs = len(data["drug_canonical_to_data"])
    known = list(dict.fromkeys(name for name in folded if len(name) >= 4 and name[0].isalnum()))
    # In no alphabet's order: the first names are no more alike than any.
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
    """The words of titles, the most frequent first; none is a name, some begin names."""
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
    """Titles of these rows: columns row, title, and kind (how a name was planted, null if none).

    Words follow Zipf's law. A fifth of the titles holds a true name, a tenth a near-miss; names
    follow Zipf's law, too.
    """
    words = pl.Series(title_words(names))
    name_list = pl.Series(names)
    place = pl.int_range(rows.start, rows.stop, dtype=pl.UInt64, eager=True)
    frame = pl.DataFrame(
        {
            "row": place.cast(pl.Int64),
            "words": _MIN_WORDS
            + (_uniform(place, 0) * (_MAX_WORDS + 1 - _MIN_WORDS)).cast(pl.Int64),
            "hundredth": (_uniform(place, 1) * 100).cast(pl.Int64),
            "where": (_uniform(place, 2) * 3).cast(pl.Int64),
            "name": name_list.gather(_zipf(place, 3, len(name_list))),
            "other_name": name_list.gather(_zipf(place, 4, len(name_list))),
            **{f"w{n}": words.gather(_zipf(place, 10 + n, len(words))) for n in range(_MAX_WORDS)},
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


def _mixed(place: pl.Series, stream: int) -> pl.Series:
    """64 bits for each place, by SplitMix64: multiplication wraps around, as it is meant to."""
    start = (SEED * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) % 2**64
    z = place * _word(0x9E3779B97F4A7C15) + _word(start)
    for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z // 2**bits)) * _word(factor)
    last: pl.Series = z // 2**31
    mixed: pl.Series = z ^ last
    return mixed


def _word(value: int) -> pl.Series:
    return pl.Series([value], dtype=pl.UInt64)


def _uniform(place: pl.Series, stream: int) -> pl.Series:
    """Numbers from 0 to under 1."""
    bits: pl.Series = _mixed(place, stream) // 2**11
    fraction: pl.Series = bits.cast(pl.Float64) * 2.0**-53
    return fraction


def _zipf(place: pl.Series, stream: int, count: int) -> pl.Series:
    """Ranks from 0, rank n about 1 / (n + 1) times as frequent as the first."""
    powers = (_uniform(place, stream) * math.log(count + 1)).exp()
    return (powers.floor() - 1).clip(0, count - 1).cast(pl.UInt32)


def title_files(folder: Path, names: tuple[str, ...], count: int) -> list[Path]:
    """So many titles as Parquet files of `BATCH_ROWS` rows (row, title), made where missing."""
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


# PubMed files. A citation of today has some 4 KB, of which a title is 2 %.

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
    """What a citation holds besides its title, made once and drawn from."""

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
    """A PubMed file with an article a row: its id is the row, its title that of `titles`."""
    ballast = _ballast(names)
    yield _DOCTYPE.encode()
    for start in range(rows.start, rows.stop, XML_RECORDS_A_CHUNK):
        chunk = range(start, min(start + XML_RECORDS_A_CHUNK, rows.stop))
        made = titles(names, chunk)["title"]
        articles = (_article(ballast, row, title) for row, title in zip(chunk, made, strict=True))
        yield "".join(articles).encode()
    yield b"</PubmedArticleSet>\n"


def _article(ballast: _Ballast, row: int, title: str) -> str:
    chance = random.Random(SEED * 1_000_003 + row)
    drawn = int(chance.random() ** 2 * _JOURNALS)
    issn, info = ballast.journals[drawn]
    text = escape(title)
    if row % 40 == 0:
        # Inline markup, as one title in forty or so has it.
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
    """A landing zone of so many publications in so many files, and a list of these names."""

    records: int
    files: int
    names: tuple[str, ...]
    #: `xml` (packed, as PubMed delivers it) or `csv`.
    format: str

    def rows_of(self, file: int) -> range:
        """The rows of the file of that number, from 0; one past the last is to be added."""
        a_file = self.records // self.files
        return range(file * a_file, (file + 1) * a_file)


def landing_zone(folder: Path, zone: Zone) -> Path:
    """A folder with the zone's files; the last but one of ten holds clinical trials, not articles.

    Made by all cores, and only once: what lies there already is kept.
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
    """The name of one file of a zone."""
    if _of_trials(zone, file):
        return "clinical_trials.csv"
    ending = "xml.gz" if zone.format == "xml" else "csv"
    return f"pubmed26n{file + 1:04}.{ending}"


def write_zone_file(folder: Path, zone: Zone, file: int) -> Path:
    """Write one file of a zone, whole."""
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
    place = pl.int_range(rows.start, rows.stop, dtype=pl.UInt64, eager=True)
    row = pl.col("row") + 1
    return titles(names, rows).select(
        id=pl.format("NCT{}", row) if trials else row.cast(pl.String),
        **{"scientific_title" if trials else "title": "title"},
        date=(_uniform(place, 40) * 18_000).cast(pl.Int32).cast(pl.Date),  # days since 1970
        journal=journal_titles.gather((_uniform(place, 41) ** 2 * _JOURNALS).cast(pl.UInt32)),
    )
