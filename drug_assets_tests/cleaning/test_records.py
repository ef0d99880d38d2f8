"""Raw rows -> records: each row by itself, so that a file's records depend on that file alone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets_tests.support.raw import (
    Row,
    drug_tables,
    held_to,
    publication_tables,
    pubmed_rows,
    raw_rows,
    trial_rows,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from drug_assets.sources import PublicationSource, Source

TABLES = st.one_of(
    st.tuples(st.just(DRUGS), drug_tables()),
    *(st.tuples(st.just(s), publication_tables(s)) for s in sources.PUBLICATIONS),
)


def records(source: Source, *rows: Row) -> list[Row]:
    """The records of rows; they keep their contract."""
    found = source.clean_records(raw_rows(source, *rows))
    return held_to(source.contracts().records, found).to_dicts()


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(TABLES)
def test_no_other_row_makes_a_difference(table: tuple[Source, list[Row]]) -> None:
    source, rows = table
    assert records(source, *rows) == [record for row in rows for record in records(source, row)]


@pytest.mark.parametrize("source", sources.ALL, ids=lambda source: source.name)
def test_no_rows_are_no_records(source: Source) -> None:
    assert records(source) == []


@pytest.mark.parametrize(
    ("written", "version"),
    [(None, 1), ("", 1), ("x", 1), ("1", 1), ("12", 12), ("-1", 1), ("0", 1), ("1000", 1000)],
)
def test_the_version_of_a_pubmed_record(written: str | None, version: int) -> None:
    (record,) = PUBMED.clean_records(pubmed_rows({"version": written})).collect().to_dicts()
    assert record["version"] == version


def test_trials_have_no_versions() -> None:
    (record,) = CLINICAL_TRIALS.clean_records(trial_rows({"title": "T"})).collect().to_dicts()
    assert record["version"] == 1


UNTIDY = " a\\xc3\\xb1  &amp;\tb "
TIDY = "a\u00f1 & b"
BLANK = ("", " \t", "&nbsp;", "\\xc3\\x28", None)


def record(source: Source, **row: str | None) -> Row:
    """The record of one row."""
    (found,) = records(source, row)
    return found


@pytest.mark.parametrize(
    ("source", "field", "column"),
    [
        (PUBMED, "id", "id_text"),
        (PUBMED, "title", "title"),
        (PUBMED, "date", "date_text"),
        (PUBMED, "vernacular_title", "vernacular_title"),
        (CLINICAL_TRIALS, "id", "id_text"),
        (CLINICAL_TRIALS, "scientific_title", "title"),
        (CLINICAL_TRIALS, "brief_title", "title"),
        (CLINICAL_TRIALS, "date", "date_text"),
        (CLINICAL_TRIALS, "status", "status"),
        (CLINICAL_TRIALS, "sponsor", "sponsor"),
    ],
)
def test_every_text_of_a_record_is_cleaned_and_null_where_it_is_blank(
    source: PublicationSource, field: str, column: str
) -> None:
    assert record(source, **{field: UNTIDY})[column] == TIDY
    assert [record(source, **{field: blank})[column] for blank in BLANK] == [None] * len(BLANK)


def test_a_brief_title_beside_another_is_cleaned_before_they_are_compared() -> None:
    def brief_title(written: str) -> str | None:
        title: str | None = record(CLINICAL_TRIALS, scientific_title="A & b", brief_title=written)[
            "brief_title"
        ]
        return title

    assert brief_title(UNTIDY) == TIDY
    assert [brief_title(" A  &amp; b"), brief_title(" "), brief_title("a & b")] == [
        None,
        None,
        "a & b",
    ]


def test_a_brief_title_of_blanks_stands_in_for_none() -> None:
    reasons = [record(CLINICAL_TRIALS, brief_title=blank)["reason"] for blank in BLANK]
    assert reasons == ["blank_title"] * len(BLANK)
    assert record(CLINICAL_TRIALS, brief_title=UNTIDY)["reason"] is None
    stands_in = record(CLINICAL_TRIALS, brief_title=UNTIDY)
    assert (stands_in["title"], stands_in["brief_title"]) == (TIDY, TIDY)


@pytest.mark.parametrize(
    ("written", "sponsor"),
    [
        ("Hospital", "Hospital"),
        (" Hospital &amp;  Sons | Another", "Hospital & Sons"),
        ("Hospital|Another|A third", "Hospital"),
        (" |Another", None),
        ("|", None),
    ],
)
def test_the_lead_sponsor_is_the_first(written: str, sponsor: str | None) -> None:
    assert record(CLINICAL_TRIALS, sponsor=written)["sponsor"] == sponsor


def test_references_stand_once_in_the_order_of_the_trial() -> None:
    pmids = [str(number * 7919 % 1000) for number in range(1, 21)]
    written = "|".join([*pmids, pmids[3], "", f" {pmids[0]} ", pmids[19], "PMID: 77", "none"])
    assert record(CLINICAL_TRIALS, reference_pmids=written)["reference_pmids"] == [*pmids, "77"]


@pytest.mark.parametrize(
    ("source", "field", "column"),
    [
        (PUBMED, "publication_types", "publication_types"),
        (CLINICAL_TRIALS, "phase", "phases"),
    ],
)
def test_lists_have_trimmed_values_in_their_order_and_no_blank_ones(
    source: PublicationSource, field: str, column: str
) -> None:
    assert record(source, **{field: " b|a c ||\t| B "})[column] == ["b", "a c", "B"]
    assert [record(source, **{field: blank})[column] for blank in ("", "|", None)] == [[]] * 3


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("[Not Available].", None),
        (" [Not  Available]. ", None),
        ("[Not Available]", None),
        ("Not Available.", None),
        ("[Not Available]. Beta", "[Not Available]. Beta"),
        ("[not available].", None),
    ],
)
def test_pubmeds_words_for_no_title_are_no_title(title: str, cleaned: str | None) -> None:
    found = record(PUBMED, title=title)
    assert (found["title"], found["reason"]) == (cleaned, None if cleaned else "blank_title")


@pytest.mark.parametrize("source", sources.ALL, ids=lambda source: source.name)
def test_a_word_for_missing_is_nothing_in_any_field(source: Source) -> None:
    fields = source.record_shape().fields
    words = record(source, **dict.fromkeys(fields, "NaN"))
    assert words == record(source) | {f"given_{f}": "NaN" for f in fields if f"given_{f}" in words}


def test_what_withdraws_is_no_record_whatever_its_title() -> None:
    withdrawn = [record(PUBMED, title=t, citation_status=DELETED) for t in ("Beta", None)]
    assert [r["reason"] for r in withdrawn] == ["deletion"] * 2
    assert record(PUBMED, title="Beta", citation_status="MEDLINE")["reason"] is None


def test_a_title_is_folded_to_be_compared() -> None:
    found = record(PUBMED, title=" B\u00c9TA  &amp; alpha")
    assert (found["title"], found["folded_title"]) == ("B\u00c9TA & alpha", "beta & alpha")


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ({"id": UNTIDY}, "id", TIDY),
        ({"drug": UNTIDY}, "drug", TIDY),
        ({"drug": "B\u00c9TA"}, "folded_name", "beta"),
        ({"atc_name": UNTIDY}, "drug", TIDY),
        ({"drug": " ", "atc_name": "Beta"}, "drug", "Beta"),
        ({"drug": "Alpha", "atc_name": "Beta"}, "drug", "Alpha"),
        ({"atccode": f"b|{UNTIDY}| |a|b"}, "codes", ["b", TIDY, "a", "b"]),
        ({"synonyms": f"b|{UNTIDY}| |a|b"}, "synonyms", ["b", TIDY, "a", "b"]),
        ({"atccode": None}, "codes", []),
        ({"synonyms": ""}, "synonyms", []),
        ({"atc_name": "Group", "atccode": "A04AD"}, "reason", "atc_group"),
        ({"atc_name": "Group", "atccode": "A"}, "reason", "atc_group"),
        ({"atc_name": "Substance", "atccode": "A04AD01"}, "reason", None),
        ({"atc_name": "Substance", "atccode": "A04ADX"}, "reason", None),
        ({"atc_name": "Substance", "atccode": None}, "reason", None),
        ({"drug": "Alpha", "atc_name": "Group", "atccode": "A04AD"}, "reason", None),
        ({"drug": " ", "atc_name": " ", "atccode": "A04AD"}, "reason", "blank_name"),
        ({"atc_name": UNTIDY, "atccode": " a04ad"}, "class_names", [f"A04AD {TIDY}"]),
        ({"atc_name": "Sub stance", "atccode": "A04AD01"}, "class_names", ["A04AD01 Sub stance"]),
        # A formulary names its drug, and may say what the class of its code is called.
        (
            {"drug": "Alpha", "atc_name": "Group", "atccode": "A04AD"},
            "class_names",
            ["A04AD Group"],
        ),
        ({"drug": "Alpha", "atccode": "A04AD01"}, "class_names", []),
        ({"atc_name": "-", "atccode": "A04AD"}, "class_names", []),
        ({"atc_name": "Group", "atccode": "A04ADX"}, "class_names", []),
        ({"atc_name": "Group", "atccode": "A04AD|A04AE"}, "class_names", []),
        ({"atc_name": "Group", "atccode": None}, "class_names", []),
        (
            {"class_names": f"A04A {UNTIDY}|x|A04|a04 y|B C D", "atccode": "A04A|B"},
            "class_names",
            [f"A04A {TIDY}", "B C D"],
        ),
        (
            {"class_names": "A Above", "atccode": "A04", "atc_name": "Group"},
            "class_names",
            ["A Above", "A04 Group"],
        ),
    ],
)
def test_the_record_of_a_row_of_a_drug_list(row: Row, column: str, value: Any) -> None:
    (found,) = records(DRUGS, row)
    assert found[column] == value


def test_what_a_row_says_of_its_journal_is_kept_as_written() -> None:
    written = {"journal": " Lancet. ", "nlm_id": "7 ", "issn": "1234567x"}
    (record,) = PUBMED.clean_records(pubmed_rows({"title": "T", **written})).collect().to_dicts()
    assert {field: record[f"given_{field}"] for field in written} == written


DATES = ("date", "date_precision", "date_text", "print_date", "electronic_date")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # The print date counts where its year can be read.
        (
            {"print_date": "2020 Mar", "electronic_date": "2019-12-20"},
            ("2020-03-01", "month", "2020 Mar", "2020-03-01", "2019-12-20", []),
        ),
        (
            {"print_date": "1978 Easter", "electronic_date": "2006-01-02"},
            ("1978-01-01", "year", "1978 Easter", "1978-01-01", "2006-01-02", ["partly_read_date"]),
        ),
        (
            {"print_date": "2019 13", "electronic_date": "2018-12-20"},
            ("2019-01-01", "year", "2019 13", "2019-01-01", "2018-12-20", ["partly_read_date"]),
        ),
        (
            {"print_date": "2019 Mar 5", "electronic_date": "soon", "date": "2018"},
            ("2019-03-05", "day", "2019 Mar 5", "2019-03-05", None, []),
        ),
        # Else the electronic one, else any other.
        (
            {"print_date": "0000-00-00", "electronic_date": "2019-03", "date": "2018"},
            ("2019-03-01", "month", "2019-03", None, "2019-03-01", []),
        ),
        (
            {"print_date": "soon", "electronic_date": "later", "date": "2018"},
            ("2018-01-01", "year", "2018", None, None, []),
        ),
        # What cannot be read at all is the first text.
        (
            {"print_date": " ", "electronic_date": "later", "date": "soon"},
            (None, None, "later", None, None, ["unreadable_date"]),
        ),
        ({"print_date": " "}, (None, None, None, None, None, ["missing_date"])),
    ],
)
def test_the_date_of_an_article(written: Row, expected: tuple[Any, ...]) -> None:
    found = record(PUBMED, title="T", **written)
    shown = [str(v) if isinstance(v, dt.date) else v for v in (found[column] for column in DATES)]
    issues = [] if found["date_issue"] is None else [found["date_issue"]]
    assert (*shown, issues) == expected


def test_each_date_of_an_article_has_its_own_precision() -> None:
    found = record(PUBMED, print_date="2020 Spring", electronic_date="2019-12-20")
    assert found["print_date_precision"] == "season"
    assert found["electronic_date_precision"] == "day"


@pytest.mark.parametrize(
    ("source", "field"), [(PUBMED, "date_revised"), (CLINICAL_TRIALS, "last_update")]
)
def test_the_day_of_the_last_revision(source: PublicationSource, field: str) -> None:
    written = {"2024-06-03": dt.date(2024, 6, 3), "June 3, 2024": dt.date(2024, 6, 3), "soon": None}
    assert {w: record(source, **{field: w})["revised"] for w in written} == written
    assert record(source)["revised"] is None
