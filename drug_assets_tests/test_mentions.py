from __future__ import annotations

import pickle
import unicodedata
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts, mentions, word_keys
from drug_assets.cleaning.text import clean_text, fold_string
from drug_assets.mentions import (
    Vocabulary,
    find_drugs_named,
    find_mentions,
    join_mentions,
    list_searched_names,
    search,
)
from drug_assets.sources import PUBLICATIONS
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.raw import Row, held_to, listed_drug, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Spans = dict[tuple[str, str], list[tuple[int, int, str]]]


def titled(titles: Sequence[str | None]) -> pl.LazyFrame:
    ids = [str(row) for row in range(len(titles))]
    schema = {"publication_id": pl.String, "title": pl.String}
    return pl.LazyFrame({"publication_id": ids, "title": list(titles)}, schema=schema)


def named(names: Mapping[str, Sequence[str]]) -> Vocabulary:
    rows = [(drug, name) for drug, spellings in names.items() for name in spellings]
    schema = {"drug_id": pl.String, "name": pl.String}
    return Vocabulary.of(pl.DataFrame(rows, schema=schema, orient="row"))


def found(
    titles: Sequence[str | None], names: Mapping[str, Sequence[str]], **how: Any
) -> pl.DataFrame:
    return find_mentions(titled(titles), named(names), **how)


def spans_of(table: pl.DataFrame) -> Spans:
    return {
        (row["drug_id"], row["publication_id"]): [
            (span["start"], span["end"], span["text"]) for span in row["spans"]
        ]
        for row in table.iter_rows(named=True)
    }


def texts(title: str, *names: str) -> list[str]:
    """The names found in a title, left to right, each name being a drug of its own."""
    spans = spans_of(found([title], {name: [name] for name in names}))
    return [text for _, _, text in sorted(span for drug in spans.values() for span in drug)]


def is_raised(character: str) -> bool:
    return unicodedata.decomposition(character).startswith("<super>") and character.isalnum()


def reference(titles: Sequence[str], names: Mapping[str, Sequence[str]]) -> Spans:
    """A literal implementation of SPEC 4."""
    owners: dict[str, set[str]] = {}
    for drug, spellings in names.items():
        for name in map(fold_string, spellings):
            if any(character.isalnum() for character in name):
                owners.setdefault(name, set()).add(drug)
    spans: Spans = {}
    for publication, title in enumerate(titles):
        # Raised characters can be read as plain ones, or as signs.
        signs = ["\x01" if is_raised(c) else c for c in title]
        standing = {
            (start, -len(name), name)
            for text in {fold_string(title), fold_string("".join(signs))}
            for name in owners
            for start in range(len(text))
            if text.startswith(name, start)
            and not text[max(start - 1, 0) : start].isalnum()
            and not text[start + len(name) :][:1].isalnum()
        }
        reached = 0
        for start, _, name in sorted(standing):
            end = start + len(name)
            if start >= reached:
                reached = end
                for drug in owners[name]:
                    key = (drug, str(publication))
                    spans.setdefault(key, []).append((start, end, title[start:end]))
    return spans


class TestTypography:
    @pytest.mark.parametrize(
        ("title", "name", "text"),
        [
            ("5‐Fluorouracil", "5-fluorouracil", "5‐Fluorouracil"),
            ("beta–1a", "beta−1a", "beta–1a"),
            ("St John’s wort", "St John's wort", "St John’s wort"),
            ("2′-beta", "2'-beta", "2′-beta"),
            ("vitamin B₁₂ and so on", "Vitamin B12", "vitamin B₁₂"),
            ("ＡＬＰＨＡ", "alpha", "ＡＬＰＨＡ"),
            ("𝐚𝐥𝐩𝐡𝐚 in bold", "alpha", "𝐚𝐥𝐩𝐡𝐚"),
            ("on ¹⁷⁷Lu-alpha", "177Lu-alpha", "¹⁷⁷Lu-alpha"),
            ("on ⁶⁸Ga-alpha²", "alpha", "alpha"),
            ("é² alpha¹", "alpha", "alpha"),
        ],
    )
    def test_makes_no_difference(self, title: str, name: str, text: str) -> None:
        assert texts(title, name) == [text]

    def test_the_longer_name_is_found_where_both_readings_have_one(self) -> None:
        assert texts("Ca²⁺ and ca²", "Ca2+", "Ca") == ["Ca²⁺", "ca"]

    def test_a_lowered_digit_belongs_to_its_word(self) -> None:
        assert texts("B₁₂ and B₁", "B", "B1") == ["B₁"]


class TestWhereANameStands:
    @pytest.mark.parametrize(
        "title",
        [
            "Ethanol",
            "ethanol-induced injury",
            "Effects of ETHANOL.",
            "(ethanol)",
            "water/ethanol",
            "ethanol_and_water",
            "“ethanol”",
            "–ethanol™",
            "\U0001f600ethanol\U0001f600",
            "Éthanol, or éthanol",
            "ethanol²",
            "¹ethanolᵃ",
            "ethanolʼs",
        ],
    )
    def test_between_neighbours_that_are_no_letters_or_digits(self, title: str) -> None:
        assert fold_string(texts(title, "Ethanol")[0]) == "ethanol"

    @pytest.mark.parametrize(
        "title",
        [
            "methanol",
            "ethanolic extract",
            "ethanol2",
            "2ethanol",
            "βethanol",
            "ethanolα",
            "ethanol٣",
            "ethanol₂",
            "中ethanol",
            "ethan ol",
            "ethan-ol",
            "",
        ],
    )
    def test_nowhere_else(self, title: str) -> None:
        assert texts(title, "ethanol") == []

    def test_the_plural_is_another_word(self) -> None:
        assert texts("Tetracyclines", "tetracycline") == []

    @pytest.mark.parametrize(
        ("name", "title"),
        [
            ("sodium chloride", "Sodium chloride, 0.9%"),
            ("sodium  chloride", "sodium  chloride"),
            ("(+)-catechin", "of (+)-Catechin."),
            ("interferon beta-1a (rDNA)", "On interferon beta-1a (rDNA)"),
            ("interferon-", "interferon- and"),
            ("[18F]FDG", "PET with [18F]FDG"),
            ("5-FU", "low-dose 5-FU"),
            ("2,4-D", "2,4-D exposure"),
            ("4", "phase 4"),
            ("a, b", "a, b"),
            ("a - - b", "a - - b"),
            ("L'Hôpital", "L'HÔPITAL"),
            ("naïve α-synuclein", "Naive Α-synuclein"),
            ("ΛΌΓΟΣ", "λόγος"),
            ("İnsülin", "insulin"),
            ("Ångström", "angstrom"),
        ],
    )
    def test_names_may_hold_anything(self, name: str, title: str) -> None:
        (text,) = texts(title, name)
        assert fold_string(text) == fold_string(name)

    @pytest.mark.parametrize(
        ("name", "title"),
        [
            ("sodium chloride", "sodium-chloride"),
            ("sodium chloride", "sodium chlorides"),
            ("sodium chloride", "sodium"),
            ("(+)-catechin", "x(+)-catechin"),
            ("(+)-catechin", "(-)-catechin"),
            ("(+)-catechin", "-catechin"),
            ("interferon-", "interferon-alpha"),
            ("a, b", "a b"),
        ],
    )
    def test_what_separates_the_words_of_a_name_counts(self, name: str, title: str) -> None:
        assert texts(title, name) == []

    def test_a_name_does_not_reach_into_the_next_title(self) -> None:
        names = {"sodium chloride": ["sodium chloride"], "a -": ["a -"]}
        assert found(["sodium", "chloride", "a", "-"], names).is_empty()

    def test_a_name_that_would_reach_into_the_next_title_rules_out_nothing_there(self) -> None:
        spans = spans_of(found(["b", "c"], {"b": ["b"], "c": ["c"], "b c": ["b c"]}))
        assert spans == {("b", "0"): [(0, 1, "b")], ("c", "1"): [(0, 1, "c")]}

    def test_a_shorter_name_is_not_found_by_the_length_of_a_longer_one(self) -> None:
        spans = spans_of(found(["vitamin b"], {"b": ["vitamin b"], "b 12": ["vitamin b 12"]}))
        assert spans == {("b", "0"): [(0, 9, "vitamin b")]}

    def test_names_without_letter_or_digit_are_ignored(self) -> None:
        assert texts("- and ( ) and +", "-", "( )", " ", "", "+") == []

    def test_a_title_that_is_null_names_nothing(self) -> None:
        assert spans_of(found([None, "a"], {"a": ["a"]})) == {("a", "1"): [(0, 1, "a")]}


class TestOverlaps:
    def test_the_longest_of_the_leftmost_wins(self) -> None:
        title = "Ethinyl estradiol and estradiol"
        assert texts(title, "estradiol", "ethinyl estradiol") == ["Ethinyl estradiol", "estradiol"]
        assert texts("vitamin B 12", "vitamin B", "vitamin B 12") == ["vitamin B 12"]

    def test_the_leftmost_wins_over_the_longest(self) -> None:
        assert texts("a b c d e", "a b", "b c d e") == ["a b"]

    def test_a_name_that_does_not_stand_there_rules_out_nothing(self) -> None:
        assert texts("ethinyl estradiols", "ethinyl", "ethinyl estradiol") == ["ethinyl"]
        assert texts("xethinyl estradiol", "estradiol", "ethinyl estradiol") == ["estradiol"]

    def test_what_was_ruled_out_rules_out_nothing(self) -> None:
        assert texts("a b c d", "a b", "b c", "c d") == ["a b", "c d"]

    def test_a_name_may_begin_where_another_ends(self) -> None:
        assert texts("a--b", "a-", "-b") == ["a-", "-b"]
        assert texts("x a--b", "x a-", "a--b", "-b") == ["x a-", "-b"]
        assert texts("x a--b-", "x a-", "a--b", "-b-", "b-") == ["x a-", "-b-"]
        assert texts("(a)(b)", "(a)", "a)(b", "(b)") == ["(a)", "(b)"]

    def test_a_name_may_not_begin_before_another_ends(self) -> None:
        assert texts("x a- -b", "x a- ", "a- -b", " -b", "-b") == ["x a- ", "-b"]
        assert texts("a b c", "a b", "b c", "b") == ["a b"]

    def test_a_name_of_two_drugs_is_a_mention_of_each(self) -> None:
        spans = spans_of(found(["On acid."], {"x": ["Acid"], "y": ["acid", "ácid"]}))
        assert spans == {("x", "0"): [(3, 7, "acid")], ("y", "0"): [(3, 7, "acid")]}

    @pytest.mark.parametrize(
        ("title", "ambiguous"),
        [
            ("On ACID", {"x": True, "y": True}),
            ("On acid and beta", {"x": False, "y": True}),
            ("On acid and gamma, acid", {"x": True, "y": False}),
            ("On beta", {"x": False}),
        ],
    )
    def test_a_mention_by_names_of_several_drugs_alone_is_ambiguous(
        self, title: str, ambiguous: dict[str, bool]
    ) -> None:
        table = found([title], {"x": ["Acid", "beta"], "y": ["acid", "ácid", "gamma"]})
        assert dict(table.select("drug_id", "ambiguous").rows()) == ambiguous

    def test_all_names_of_a_drug_give_spans(self) -> None:
        names = {"ethanol": ["ethanol", "alcohol", "ethyl alcohol"]}
        spans = spans_of(found(["Ethyl alcohol, alcohol or ethanol ethanol"], names))
        assert [text for _, _, text in spans["ethanol", "0"]] == [
            "Ethyl alcohol",
            "alcohol",
            "ethanol",
            "ethanol",
        ]


class TestSpans:
    @pytest.mark.parametrize(
        "before", ["é", "中文 – ", "\U0001f600\U0001f600", "İİß", "ǆ²x\u0302-"]
    )
    def test_are_in_characters(self, before: str) -> None:
        title = f"{before} Ethanol and éthanol"
        (spans,) = spans_of(found([title], {"e": ["ethanol"]})).values()
        assert spans == [
            (len(before) + 1, len(before) + 8, "Ethanol"),
            (len(before) + 13, len(before) + 20, "éthanol"),
        ]


class TestScale:
    TITLES = ("a b", "a-b", "", "é A", "c", "b b b a b", "ab", "a b c") * 5
    NAMES: ClassVar = {"1": ["a"], "2": ["a b", "b"], "3": ["É", "c", "b c"], "4": ["b b"]}

    @pytest.mark.slow
    @pytest.mark.parametrize("batch_rows", [1, 3, 7, 40, 1000])
    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_neither_batches_nor_threads_matter(self, batch_rows: int, threads: int) -> None:
        table = found(self.TITLES, self.NAMES, batch_rows=batch_rows, threads=threads)
        assert table.equals(found(self.TITLES, self.NAMES))
        assert spans_of(table) == reference(self.TITLES, self.NAMES)

    @pytest.mark.parametrize("different", [1, 4])
    def test_hashes_and_keys_that_coincide_do_not_matter(
        self, different: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed = pl.Expr.hash
        monkeypatch.setattr(pl.Expr, "hash", lambda expr: hashed(expr) % different)
        for factor in ("_BY_HEAD", "_BY_TAIL", "_BY_FIRST"):
            monkeypatch.setattr(word_keys, factor, np.uint64(0))
        assert spans_of(found(self.TITLES, self.NAMES)) == reference(self.TITLES, self.NAMES)

    def test_one_vocabulary_searches_any_titles_and_can_be_sent_to_a_worker(self) -> None:
        vocabulary = pickle.loads(pickle.dumps(named(self.NAMES)))  # noqa: S301
        for titles in (self.TITLES[:3], self.TITLES[3:], ()):
            spans = spans_of(find_mentions(titled(titles), vocabulary))
            assert spans == reference(titles, self.NAMES)

    def test_mentions_may_be_taken_batch_by_batch(self) -> None:
        batches = list(search(titled(self.TITLES), named(self.NAMES), batch_rows=7))
        assert len(batches) == 6
        assert pl.concat(batches).equals(found(self.TITLES, self.NAMES))

    def test_many_names_are_found_as_a_few_are(self) -> None:
        many = self.NAMES | {f"other {n}": [f"other {n}"] for n in range(mentions._FEW_NAMES)}
        assert named(self.NAMES).parts is not None
        assert named(many).parts is None
        assert found(self.TITLES, many).equals(found(self.TITLES, self.NAMES))

    @pytest.mark.parametrize("title", ["st John`s Wort", "ST JOHN'S WORT", "St John’s wort", "´S"])
    def test_a_few_names_are_found_whatever_the_apostrophe(self, title: str) -> None:
        names = {"wort": ["St John's wort", "'s", "é'"]}
        assert named(names).parts is not None
        spans = spans_of(found([title], names))
        assert spans == reference([title], names)
        assert len(spans) == 1

    def test_titles_may_come_from_a_file(self, tmp_path: Path) -> None:
        titled(self.TITLES).sink_parquet(tmp_path / "titles.parquet", row_group_size=6)
        titles = pl.scan_parquet(tmp_path / "titles.parquet")
        table = find_mentions(titles, named(self.NAMES), batch_rows=5)
        assert table.equals(found(self.TITLES, self.NAMES))

    @pytest.mark.slow
    def test_titles_may_still_have_to_be_cleaned(self) -> None:
        titles = titled(self.TITLES).with_columns(pl.col("title") + r" \xc3\xa9 &amp; b")
        cleaned_titles = titles.with_columns(clean_text(pl.col("title")))
        table = find_mentions(cleaned_titles, named(self.NAMES), batch_rows=4)
        assert table.equals(found([f"{t} é & b".strip() for t in self.TITLES], self.NAMES))

    def test_rows_are_in_order_of_titles_then_drugs(self) -> None:
        table = found(self.TITLES, self.NAMES, batch_rows=3)
        keys = [(int(row), drug) for row, drug in table["publication_id", "drug_id"].iter_rows()]
        assert len(keys) == 50
        assert all(a < b for a, b in pairwise(keys))

    def test_what_else_is_known_of_a_title_is_kept(self) -> None:
        titles = titled(["water", "a"]).with_columns(journal=pl.lit("J"), row=pl.lit(1))
        assert find_mentions(titles, named(self.NAMES)).rows(named=True) == [
            {
                "publication_id": "1",
                "title": "a",
                "journal": "J",
                "row": 1,
                "drug_id": "1",
                "spans": [{"start": 0, "end": 1, "text": "a", "by": "name"}],
                "ambiguous": False,
            }
        ]

    def test_nothing_gives_an_empty_table(self) -> None:
        schema = found(["a"], {"a": ["a"]}).schema
        for empty in (found([], self.NAMES), found(self.TITLES, {}), found([], {})):
            assert empty.is_empty()
            assert empty.schema == schema


#: Few characters, so that titles contain names: some of each kind that the rules distinguish.
ALPHABET = "aaab  -éÉA1²_(),ΣςσİßΩ–α٣中\u0302𝒜"
WORDS = st.text(ALPHABET, min_size=1, max_size=7)
VOCABULARIES = st.dictionaries(st.sampled_from("xyz"), st.lists(WORDS, max_size=4))
TITLES = st.lists(st.text(ALPHABET, max_size=15), max_size=4)
#: Titles that consist mostly of names, with many overlaps.
DENSE_VOCABULARIES = st.dictionaries(
    st.sampled_from("vwxyz"), st.lists(st.text("ab -", min_size=1, max_size=6), max_size=4)
)
DENSE_TITLES = st.lists(st.text("ab   -", max_size=25), max_size=4)


#: Alphabets of any characters but the signs that stand for raised ones during a search.
ALPHABETS = st.lists(
    st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\x01§†\U00010100")
    | st.sampled_from("aA b-'`²éßİΣ\n\U0001f600"),
    min_size=1,
    max_size=6,
)


@st.composite
def titles_and_names(draw: st.DrawFn) -> tuple[list[str], dict[str, list[str]]]:
    """Titles and names of a random alphabet; names can be parts of titles, and longer than them."""
    alphabet = draw(ALPHABETS)
    titles = draw(st.lists(st.text(alphabet, max_size=12), max_size=4))
    name = st.text(alphabet, min_size=1, max_size=5) | st.text(alphabet, min_size=13, max_size=14)
    if any(titles):
        name |= st.sampled_from([title for title in titles if title])
    return titles, draw(st.dictionaries(st.sampled_from("xyz"), st.lists(name, max_size=4)))


def searched(titles: Sequence[str], names: Mapping[str, Sequence[str]], batch_rows: int) -> Spans:
    """The spans found, the same whether the names count as few or as many."""
    few = named(names)
    many = replace(few, parts=None)
    tables = [find_mentions(titled(titles), v, batch_rows=batch_rows) for v in (few, many)]
    assert tables[0].equals(tables[1])
    return spans_of(tables[0])


class TestAgreement:
    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(TITLES, VOCABULARIES)
    def test_with_the_reference(self, titles: list[str], names: dict[str, list[str]]) -> None:
        assert searched(titles, names, 2) == reference(titles, names)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(DENSE_TITLES, DENSE_VOCABULARIES)
    def test_with_the_reference_where_names_overlap(
        self, titles: list[str], names: dict[str, list[str]]
    ) -> None:
        assert searched(titles, names, 3) == reference(titles, names)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(titles_and_names())
    def test_with_the_reference_in_any_alphabet(
        self, drawn: tuple[list[str], dict[str, list[str]]]
    ) -> None:
        titles, names = drawn
        assert searched(titles, names, 3) == reference(titles, names)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(st.characters(exclude_categories=["Cs", "Cn"]), min_size=2, max_size=2),
        st.text(st.characters(exclude_categories=["Cs", "Cn"]), min_size=1, max_size=4),
    )
    def test_with_the_reference_on_any_characters(self, around: list[str], name: str) -> None:
        titles = [f"{around[0]}{name}{around[1]}", f"{name.upper()} {around[0]}{name.lower()}"]
        assert spans_of(found(titles, {"x": [name]})) == reference(titles, {"x": [name]})


#: By source, the columns that hold a title.
TITLE_COLUMNS = {source.name: source.titles for source in PUBLICATIONS}
DRUGS = (
    listed_drug("Ethanol", names=["Ethanol", "alcohol"]),
    listed_drug("ACID"),
    listed_drug("Unnamed", names=[]),
)


def publications(source: str, rows: list[dict[str, Any]]) -> pl.LazyFrame:
    contract = TABLES[source].contract
    known = {"source_file": f"{source}.csv", "issues": []}
    numbered = [known | {"source_row": n} | row for n, row in enumerate(rows, start=1)]
    return pl.LazyFrame(numbered, schema=contracts.polars_schema(contract))


def listed(drugs: Sequence[Row] = DRUGS) -> pl.LazyFrame:
    return table("drugs", *drugs)


def named_in(source: str, records: pl.LazyFrame, drugs: Sequence[Row] = DRUGS) -> pl.LazyFrame:
    vocabulary = Vocabulary.of(list_searched_names(listed(drugs)).collect())
    found = find_drugs_named(records, vocabulary, TITLE_COLUMNS[source])
    return held_to(contracts.DrugsNamed, found).lazy()


def merged(*rows: dict[str, Any]) -> dict[str, pl.LazyFrame]:
    """The rows merged into PubMed publications; none into trials."""
    schema = contracts.polars_schema(contracts.MergedRecords)
    return {
        "pubmed": pl.LazyFrame([*rows], schema=schema),
        "clinical_trials": pl.LazyFrame(schema=schema),
    }


def mentioned(tables: Mapping[str, pl.LazyFrame], drugs: Sequence[Row]) -> pl.LazyFrame:
    found = {source: named_in(source, table, drugs) for source, table in tables.items()}
    return join_mentions(tables, found, listed(drugs), TITLE_COLUMNS, merged())


class TestTable:
    def table(self) -> pl.LazyFrame:
        articles: list[dict[str, Any]] = [
            {"publication_id": "9", "title": "Alcohol and acid", "journal": "J", "journal_id": "j"},
            {
                "publication_id": "10",
                "title": "Ethanol",
                "date": date(2020, 1, 1),
                "date_precision": "day",
            },
            {"publication_id": "11", "title": "Water"},
        ]
        trials: list[dict[str, Any]] = [{"publication_id": "9", "title": "Acid, acid"}]
        return mentioned(
            {
                "pubmed": publications("pubmed", articles),
                "clinical_trials": publications("clinical_trials", trials),
            },
            DRUGS,
        )

    def test_keeps_its_contract(self) -> None:
        held_to(TABLES["mentions"].contract, self.table())
        assert self.table().collect_schema() == contracts.polars_schema(contracts.Mentions)

    def test_is_sorted_by_drug_source_and_publication(self) -> None:
        keys = self.table().select("drug_id", "source", "publication_id").collect().rows()
        assert keys == [
            ("acid", "clinical_trials", "9"),
            ("acid", "pubmed", "9"),
            ("ethanol", "pubmed", "10"),
            ("ethanol", "pubmed", "9"),
        ]

    def test_tells_what_is_known_of_drug_and_publication(self) -> None:
        trial, article, dated, _ = self.table().collect().rows(named=True)
        assert (trial["drug"], trial["title"], trial["journal_id"]) == ("ACID", "Acid, acid", None)
        assert [span["start"] for span in trial["spans"]] == [0, 6]
        assert (article["journal"], article["journal_id"]) == ("J", "j")
        assert (dated["date"], dated["date_precision"]) == (date(2020, 1, 1), "day")
        assert dated["spans"] == [{"start": 0, "end": 7, "text": "Ethanol", "by": "name"}]

    def test_a_brief_title_counts_where_the_title_does_not(self) -> None:
        trials: list[dict[str, Any]] = [
            {"publication_id": "1", "title": "On acid", "brief_title": "Acid and ethanol"},
            {"publication_id": "2", "title": "On nothing", "brief_title": "Of ethanol, ethanol"},
            {"publication_id": "3", "title": "On ethanol", "brief_title": None},
        ]
        table = mentioned({"clinical_trials": publications("clinical_trials", trials)}, DRUGS)
        held_to(contracts.Mentions, table)
        found = table.select("drug_id", "publication_id", "title", pl.col("spans").list.len())
        assert found.collect().rows() == [
            ("acid", "1", "On acid", 1),
            ("ethanol", "1", "Acid and ethanol", 1),
            ("ethanol", "2", "Of ethanol, ethanol", 2),
            ("ethanol", "3", "On ethanol", 1),
        ]

    @pytest.mark.parametrize("drugs", [DRUGS, ()])
    def test_nothing_gives_an_empty_table(self, drugs: Sequence[Row]) -> None:
        for sources in ({}, {"pubmed": publications("pubmed", [])}):
            table = mentioned(sources, drugs).collect()
            assert table.is_empty()
            assert table.schema == contracts.polars_schema(contracts.Mentions)

    def test_what_is_joined_some_files_at_a_time_is_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [
            {"source_file": file, "publication_id": f"{file}{n}", "title": title}
            for file in ("c.csv", "a.csv", "b.csv", "d.csv")
            for n, title in enumerate(["Acid and ethanol", "Nothing", "On acid"])
        ]
        tables = {"pubmed": publications("pubmed", rows)}
        drugs = DRUGS[:2]
        whole = mentioned(tables, drugs).collect()
        assert whole.height == 12
        # Each file has three publications and three drugs named.
        monkeypatch.setattr(mentions, "_JOINED_ROWS", 11)
        monkeypatch.setattr(mentions, "_SORTED_ROWS", 1)
        in_parts = mentioned(tables, drugs)
        assert "PYTHON" in in_parts.explain()
        assert in_parts.collect().equals(whole)
        assert in_parts.head(4).collect().equals(whole.head(4))
        of_acid = pl.col("drug_id") == "acid"
        selected = in_parts.filter(of_acid).select("title", "publication_id").head(3)
        assert selected.collect().equals(
            whole.filter(of_acid).select("title", "publication_id").head(3)
        )
        named = named_in("pubmed", tables["pubmed"], drugs)
        joined = mentions._join_in_parts(tables["pubmed"], named)
        assert [part.collect().height for part in joined] == [6, 6]

    def test_rows_of_a_file_need_not_be_adjacent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [
            {"source_file": file, "publication_id": f"{n}{file}", "title": "Acid and ethanol"}
            for n in range(3)
            for file in ("c.csv", "a.csv", "b.csv")
        ]
        tables = {"pubmed": publications("pubmed", rows)}
        whole = mentioned(tables, DRUGS).collect()
        monkeypatch.setattr(mentions, "_JOINED_ROWS", 1)
        assert mentioned(tables, DRUGS).collect().equals(whole)
        assert whole.height == 18

    def test_what_is_named_is_no_drug_of_the_table(self) -> None:
        tables = {"pubmed": publications("pubmed", [{"publication_id": "1", "title": "Acid"}])}
        named = {"pubmed": named_in("pubmed", tables["pubmed"])}
        found = join_mentions(tables, named, listed(DRUGS[:1]), TITLE_COLUMNS, merged())
        assert found.collect().is_empty()

    def test_records_that_are_no_publication_mention_nothing(self) -> None:
        rows = [
            {"publication_id": "1", "title": "On acid"},
            {"publication_id": "2", "title": "Acid"},
        ]
        records = publications("pubmed", rows)
        kept = records.filter(pl.col("source_row") == 2)
        named = {"pubmed": named_in("pubmed", records)}
        table = join_mentions({"pubmed": kept}, named, listed(), TITLE_COLUMNS, merged()).collect()
        assert table.select("publication_id", "title").rows() == [("2", "Acid")]

    @pytest.mark.parametrize(
        ("rule", "drugs"), [("same_content", ["acid"]), ("merged_duplicate", ["ethanol"])]
    )
    def test_a_title_that_came_from_another_record_is_searched(
        self, rule: str, drugs: list[str]
    ) -> None:
        record = publications("pubmed", [{"publication_id": "1", "title": "On acid"}])
        kept = record.with_columns(title=pl.lit("On ethanol")) if "ethanol" in drugs else record
        named = {"pubmed": named_in("pubmed", record)}
        row = {"source_file": "a.csv", "source_row": 1, "merged_into": "1", "rule": rule}
        table = join_mentions({"pubmed": kept}, named, listed(), TITLE_COLUMNS, merged(row))
        assert table.collect()["drug_id"].to_list() == drugs


def test_what_is_named_in_a_file_stands_together() -> None:
    rows = [
        {"source_file": file, "publication_id": f"{file}{n}", "title": title, "brief_title": brief}
        for file in ("b.csv", "a.csv")
        for n, (title, brief) in enumerate([("On acid", "Ethanol"), ("Nothing", "Acid")])
    ]
    found = named_in("clinical_trials", publications("clinical_trials", rows)).collect()
    assert found.height == 6
    assert len(found["source_file"].rle()) == 2


def test_what_one_title_names_stays_in_the_order_of_records() -> None:
    rows = [
        {"source_file": file, "publication_id": file, "title": "Acid and ethanol"}
        for file in ("b.csv", "a.csv")
    ]
    found = named_in("pubmed", publications("pubmed", rows)).collect()
    assert found.select("source_file", "drug_id").rows() == [
        *(("b.csv", "acid"), ("b.csv", "ethanol")),
        *(("a.csv", "acid"), ("a.csv", "ethanol")),
    ]


def test_each_drug_is_named_in_the_first_title_that_names_it() -> None:
    rows = [{"publication_id": "1", "title": "On acid", "brief_title": "Acid and ethanol"}]
    found = named_in("clinical_trials", publications("clinical_trials", rows)).collect()
    assert found.select("drug_id", "named_in", pl.col("spans").list.len()).rows() == [
        ("acid", "title", 1),
        ("ethanol", "brief_title", 1),
    ]


def test_the_first_title_is_that_which_is_given_first() -> None:
    rows = [{"publication_id": "1", "title": "On acid", "brief_title": "Acid and ethanol"}]
    records = publications("clinical_trials", rows)
    vocabulary = Vocabulary.of(list_searched_names(listed()).collect())
    found = find_drugs_named(records, vocabulary, ("brief_title", "title")).collect()
    assert found["named_in"].to_list() == ["brief_title", "brief_title"]


def test_names_are_searched_in_one_order_whatever_the_order_of_drugs() -> None:
    names = list_searched_names(listed()).collect()
    assert names.rows() == [("acid", "ACID"), ("ethanol", "Ethanol"), ("ethanol", "alcohol")]
    assert list_searched_names(listed().reverse()).collect().equals(names)
    assert list_searched_names(listed([])).collect().is_empty()
