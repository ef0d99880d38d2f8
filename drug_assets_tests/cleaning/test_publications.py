from __future__ import annotations

import hashlib
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from drug_assets.cleaning import publications
from drug_assets.cleaning.duplicates import merge_in_order
from drug_assets.cleaning.publications import (
    clean_publications,
    collect_journals,
    mark_withdrawn,
)
from drug_assets.delivery import natural_key
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets.sources import tables
from drug_assets.terms import Issue
from drug_assets_tests.support.raw import (
    Row,
    held_to,
    key,
    make_records,
    publication_tables,
    pubmed_rows,
    raw_rows,
    trial_rows,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

if TYPE_CHECKING:
    from drug_assets.sources import PublicationSource


def cleaned(raw: pl.LazyFrame, source: PublicationSource = PUBMED) -> tuple[list[Row], list[Row]]:
    """The publications kept and the rows merged, with the journals of this source alone."""
    by_itself = make_records(source, raw)
    known = collect_journals([by_itself]).collect().lazy()
    kept, merged = clean_publications(source, by_itself, known)
    return (
        held_to(tables.TABLES[source.name].contract, kept).to_dicts(),
        held_to(tables.TABLES[f"merged_{source.name}"].contract, merged).to_dicts(),
    )


def kept_by_id(raw: pl.LazyFrame, source: PublicationSource = PUBMED) -> dict[str, Row]:
    return {row["publication_id"]: row for row in cleaned(raw, source)[0]}


def reasons(source: PublicationSource, raw: pl.LazyFrame) -> list[str | None]:
    return mark_withdrawn(source.clean_records(raw)).collect()["reason"].to_list()


def surrogate(source: str, *parts: str) -> str:
    return f"{source}:{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


#: Rows without duplicates, and columns of their publications, by id or surrogate.
ALONE: dict[str, tuple[Row, Row]] = {
    "101": (
        {"id": "101", "title": "Beta", "date": "2020-01-31", "journal": "Lancet"},
        {
            "title": "Beta",
            "journal": "Lancet",
            "journal_id": "lancet",
            "date": date(2020, 1, 31),
            "date_precision": "day",
            "date_text": "2020-01-31",
            "source_file": "pubmed.csv",
            "source_row": 1,
            "issues": [],
        },
    ),
    "102": ({"id": " 102\t", "title": "T", "date": "2020", "journal": "J"}, {"issues": []}),
    "103": (
        {"id": "103", "title": " Ni\\xc3\\xb1o\\xc3\\x28 &amp;  beta\x07"},
        {"title": "Niño & beta"},
    ),
    "104": (
        {"id": "104", "title": "D", "date": "02/01/2020", "journal": "J"},
        {"date": date(2020, 1, 2), "date_text": "02/01/2020", "issues": []},
    ),
    "105": (
        {"id": "105", "title": "D", "date": "01/13/2020", "journal": "J"},
        {"date": date(2020, 1, 13), "date_precision": "day", "issues": ["month_first_date"]},
    ),
    "106": (
        {"id": "106", "title": "D", "date": " mars  2020", "journal": "J"},
        {"date": date(2020, 3, 1), "date_precision": "month", "date_text": "mars 2020"},
    ),
    "107": (
        {"id": "107", "title": "D", "date": "2000 Spring", "journal": "J"},
        {"date": date(2000, 4, 1), "date_precision": "season", "issues": []},
    ),
    "108": (
        {"id": "108", "title": "D", "date": "31/02/2020", "journal": "J"},
        {
            "date": date(2020, 1, 1),
            "date_precision": "year",
            "date_text": "31/02/2020",
            "issues": ["partly_read_date"],
        },
    ),
    "109": (
        {"id": "109", "title": "D", "date": " ", "journal": "J"},
        {"date": None, "date_precision": None, "date_text": None, "issues": ["missing_date"]},
    ),
    "110": (
        {"id": "110", "title": "D", "date": "2020", "journal": ""},
        {"journal": None, "journal_id": None, "issues": ["missing_journal"]},
    ),
    "111": (
        {"id": "111", "title": "N", "date": "2020", "nlm_id": "7"},
        {"journal": "0000007", "journal_id": "0000007", "issues": []},
    ),
    surrogate("pubmed", "beta bis", "2020-03-01", "cafe"): (
        {"title": "Bêta BIS", "date": "March 2020", "journal": "CAFÉ."},
        {"date_precision": "month", "journal_id": "cafe", "issues": ["missing_id"]},
    ),
    surrogate("pubmed", "alone", "", ""): (
        {"id": " ", "title": "Alone"},
        {"issues": ["missing_date", "missing_id", "missing_journal"]},
    ),
}


@pytest.fixture(scope="module")
def alone() -> dict[str, Row]:
    return kept_by_id(pubmed_rows(*(row for row, _ in ALONE.values())))


@pytest.mark.parametrize("publication_id", ALONE)
def test_a_row_alone(alone: dict[str, Row], publication_id: str) -> None:
    expected = ALONE[publication_id][1]
    found = alone[publication_id]
    assert {name: found[name] for name in expected} == expected


def test_all_that_are_alone_are_kept(alone: dict[str, Row]) -> None:
    assert list(alone) == sorted(ALONE)


def test_a_clinical_trial_has_its_title_and_its_own_surrogate() -> None:
    kept = kept_by_id(trial_rows({"title": "Beta"}), CLINICAL_TRIALS)
    assert list(kept) == [surrogate("clinical_trials", "beta", "", "")]


class TestRejection:
    @pytest.mark.parametrize("title", [None, "", " \t", "\\xc3\\x28", "&#32;"])
    def test_a_blank_title_is_rejected(self, title: str | None) -> None:
        for source, make in ((PUBMED, pubmed_rows), (CLINICAL_TRIALS, trial_rows)):
            assert reasons(source, make({"title": title, "id": "1"})) == ["blank_title"]

    def test_nothing_else_is(self) -> None:
        assert reasons(PUBMED, pubmed_rows({"title": "!"})) == [None]

    def test_what_pubmed_writes_for_a_missing_title_is_blank(self) -> None:
        rows = pubmed_rows({"title": "[Not  Available]. "}, {"title": "[Not Available] yet."})
        assert reasons(PUBMED, rows) == ["blank_title", None]

    def test_a_trial_without_official_title_has_its_brief_one(self) -> None:
        row = {"title": " ", "brief_title": "Beta", "id": "1"}
        kept = kept_by_id(trial_rows(row), CLINICAL_TRIALS)
        assert (kept["1"]["title"], kept["1"]["brief_title"]) == ("Beta", "Beta")

    def test_pubmed_withdraws_what_it_delivered_before(self) -> None:
        raw = pubmed_rows(
            {"id": "1", "title": "Again", "source_file": "p_10.xml"},
            {"id": "1", "citation_status": DELETED, "source_file": "p_9.xml"},
            {"id": " 1", "title": "Old", "source_file": "p_2.xml"},
            {"id": "2", "title": "Other", "source_file": "p_2.xml"},
            {"title": "Nameless", "source_file": "p_2.xml"},
            {"citation_status": DELETED, "source_file": "p_9.xml"},
        )
        expected = [None, "deletion", "deleted", None, None, "deletion"]
        assert reasons(PUBMED, raw) == expected
        assert [row["title"] for row in cleaned(raw)[0]] == ["Again", "Other", "Nameless"]

    def test_the_last_of_several_deletions_withdraws(self) -> None:
        deletion = {"id": "1", "citation_status": DELETED}
        title = {"id": "1", "title": "Beta"}
        raw = pubmed_rows(title, deletion, title, {**title, "title": " "}, deletion, title)
        expected = ["deleted", "deletion", "deleted", "deleted", "deletion", None]
        assert reasons(PUBMED, raw) == expected

    @pytest.mark.parametrize(
        ("deleted_in", "revised", "reason"),
        [
            # The names of files do not matter where records say when they were revised.
            ("a.xml", "2024-01-02", "deleted"),
            ("z.xml", "2024-01-02", "deleted"),
            ("a.xml", "2024-07-01", None),
            ("z.xml", "2024-07-01", None),
            # A record without a date is the oldest.
            ("a.xml", None, "deleted"),
            # Of one day, the order of delivery decides.
            ("a.xml", "2024-06-03", None),
            ("z.xml", "2024-06-03", "deleted"),
        ],
    )
    def test_a_deletion_is_as_new_as_its_file(
        self, deleted_in: str, revised: str | None, reason: str | None
    ) -> None:
        raw = pubmed_rows(
            {"id": "1", "title": "Ours", "date_revised": revised, "source_file": "m.xml"},
            {"id": "1", "citation_status": DELETED, "source_file": deleted_in},
            {"id": "2", "title": "B", "date_revised": "2024-06-03", "source_file": deleted_in},
            {"id": "3", "title": "C", "date_revised": "2023-01-01", "source_file": deleted_in},
        )
        assert reasons(PUBMED, raw) == [reason, "deletion", None, None]

    def test_a_deletion_in_a_file_without_a_revision_goes_by_delivery(self) -> None:
        row = {"id": "1", "title": "T", "date_revised": "2024-01-02"}
        raw = pubmed_rows(
            *({**row, "source_file": file} for file in ("a.xml", "z.xml")),
            {"id": "1", "citation_status": DELETED, "source_file": "m.xml"},
        )
        assert reasons(PUBMED, raw) == ["deleted", None, "deletion"]

    def test_a_deletion_withdraws_every_version(self) -> None:
        row = {"id": "1", "title": "T", "version": "2"}
        raw = pubmed_rows(row, {"id": "1", "citation_status": DELETED, "version": "1"})
        assert reasons(PUBMED, raw) == ["deleted", "deletion"]

    @pytest.mark.parametrize("status", [None, DELETED])
    def test_what_is_withdrawn_is_marked_and_nothing_else_is_added(
        self, status: str | None
    ) -> None:
        rows = [{"id": "1", "title": "T", "source_file": f"p_{n}.csv"} for n in (10, 9)]
        records = make_records(PUBMED, pubmed_rows(*rows, {"id": "1", "citation_status": status}))
        marked = mark_withdrawn(records).collect()
        withdrawn, last = ("deleted", "deletion") if status else (None, "blank_title")
        assert marked["reason"].to_list() == [withdrawn, withdrawn, last]
        assert marked.drop("position", "reason").equals(records.drop("reason").collect())
        assert marked.columns == [*records.collect_schema().names(), "position"]
        assert marked["position"].to_list() == [2, 1, 3]

    def test_it_is_not_kept_and_its_journal_is_none_of_ours(self) -> None:
        raw = pubmed_rows({"title": " ", "id": "1", "journal": "Lancet"})
        assert cleaned(raw) == ([], [])
        assert collect_journals([PUBMED.clean_records(raw)]).collect().is_empty()


class TestDuplicates:
    def test_gaps_are_filled_and_no_longer_flagged(self) -> None:
        kept, merged = cleaned(
            pubmed_rows(
                {"title": "Beta", "date": "2020-01-01", "journal": "LANCET"},
                {"id": "1", "title": "BETA", "date": "01/01/2020"},
            )
        )
        assert [(row["publication_id"], row["journal"]) for row in kept] == [("1", "LANCET")]
        assert kept[0]["issues"] == ["merged_duplicate"]
        assert [(*key(m), m["merged_into"], m["rule"]) for m in merged] == [
            ("pubmed.csv", 1, "1", "merged_duplicate")
        ]

    def test_journals_that_are_spelt_differently_are_equal(self) -> None:
        row = {"id": "1", "title": "Beta", "date": "2020"}
        kept, merged = cleaned(
            pubmed_rows({**row, "journal": "Lancet."}, {**row, "journal": " lancet"})
        )
        assert (len(kept), kept[0]["issues"]) == (1, [])
        assert [m["rule"] for m in merged] == ["same_content"]

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [("u_2.csv", "u_10.csv"), ("U_9.xml", "u_10.xml"), ("a/9.csv", "b/1.csv")],
    )
    def test_the_later_file_in_natural_order_wins(self, earlier: str, later: str) -> None:
        # The row of the earlier file is the later row: files count before rows.
        rows = pubmed_rows(
            {"id": "1", "title": "New", "source_file": later, "source_row": 1},
            {"id": "1", "title": "Old", "source_file": earlier, "source_row": 9},
        )
        kept, merged = cleaned(rows)
        assert [row["title"] for row in kept] == ["New"]
        assert "conflicting_duplicate" in kept[0]["issues"]
        assert [(*key(m), m["rule"]) for m in merged] == [(earlier, 9, "conflicting_duplicate")]

    def test_in_one_file_an_id_with_two_titles_is_none(self) -> None:
        kept, merged = cleaned(pubmed_rows({"id": "1", "title": "A"}, {"id": "1", "title": "B"}))
        assert [(row["title"], row["id_text"], row["issues"]) for row in kept] == [
            (title, "1", ["missing_date", "missing_journal", "shared_id"]) for title in "AB"
        ]
        assert {row["publication_id"] for row in kept} == {
            surrogate("pubmed", title, "", "") for title in "ab"
        }
        assert merged == []

    def test_a_later_version_wins_whatever_was_delivered_later(self) -> None:
        rows = [{"id": "1", "title": f"Version {v}", "version": v} for v in ("2", "10", "1")]
        kept, _ = cleaned(pubmed_rows(*rows))
        assert [row["title"] for row in kept] == ["Version 10"]

    @pytest.mark.parametrize("versions", [("1", "1"), (None, "1"), ("1", None)])
    @pytest.mark.parametrize("newest", ["a.xml", "z.xml"])
    def test_of_one_version_the_last_revision_wins_whatever_was_delivered_later(
        self, newest: str, versions: tuple[str | None, str | None]
    ) -> None:
        older = "z.xml" if newest == "a.xml" else "a.xml"
        new = {"title": "New", "date_revised": "2024 Jun 03", "version": versions[0]}
        old = {"title": "Old", "date_revised": "2024-01-02", "version": versions[1]}
        rows = ({**new, "source_file": newest}, {**old, "source_file": older})
        kept, _ = cleaned(pubmed_rows(*({**row, "id": "1"} for row in rows)))
        assert [row["title"] for row in kept] == ["New"]

    def test_a_record_without_a_revision_is_older_than_one_with(self) -> None:
        dated = {"id": "1", "title": "Dated", "date_revised": "1999-01-01", "source_file": "a.xml"}
        kept, _ = cleaned(pubmed_rows(dated, {"id": "1", "title": "Undated"}))
        assert [row["title"] for row in kept] == ["Dated"]

    def test_a_version_alone_makes_no_other_content(self) -> None:
        row = {"id": "1", "title": "Beta", "date": "2020", "journal": "Lancet"}
        kept, merged = cleaned(pubmed_rows(*({**row, "version": v} for v in ("2", "1"))))
        assert [(r["source_row"], r["issues"]) for r in kept] == [(1, [])]
        assert [(m["source_row"], m["rule"]) for m in merged] == [(2, "same_content")]

    @pytest.mark.parametrize(
        "later",
        [
            {"sponsor": "Hospital"},
            {"status": "COMPLETED"},
            {"phase": "PHASE1"},
            {"reference_pmids": "12"},
            {"brief_title": "Other"},
            {"date": "01/01/2020"},
            {"title": "BETA"},
        ],
        ids=lambda later: next(iter(later)),
    )
    def test_every_field_of_a_trial_is_content(self, later: Row) -> None:
        row = {"id": "1", "title": "Beta", "date": "2020-01-01"}
        kept, merged = cleaned(trial_rows(row, {**row, **later}), CLINICAL_TRIALS)
        assert [r["issues"] for r in kept] == [["merged_duplicate", "missing_journal"]]
        assert [(m["source_row"], m["rule"]) for m in merged] == [(1, "merged_duplicate")]

    def test_a_retraction_reaches_a_record_that_is_otherwise_the_same(self) -> None:
        row = {"id": "1", "title": "Beta", "date": "2020", "journal": "Lancet"}
        types = "Journal Article| Retracted Publication|"
        kept, _ = cleaned(pubmed_rows(row, {**row, "publication_types": types}))
        assert kept[0]["publication_types"] == ["Journal Article", "Retracted Publication"]
        assert kept[0]["retracted"]

    def test_a_retraction_follows_from_types_and_corrections_of_any_record(self) -> None:
        row = {"id": "1", "title": "Beta", "publication_types": "Journal Article"}
        kept, _ = cleaned(pubmed_rows({**row, "corrections": "RetractionIn 2"}, row))
        assert kept[0]["corrections"] == ["RetractionIn 2"]
        assert kept[0]["retracted"]

    def test_a_surrogate_is_that_of_the_filled_record(self) -> None:
        bare = {"title": "Beta", "date": "2020"}
        kept = kept_by_id(pubmed_rows(bare, {**bare, "journal": "Lancet"}))
        assert list(kept) == [surrogate("pubmed", "beta", "2020-01-01", "lancet")]

    def test_sources_are_not_compared(self) -> None:
        row = {"id": "1", "title": "Beta", "date": "2020", "journal": "Lancet"}
        raw = {PUBMED: pubmed_rows(row), CLINICAL_TRIALS: trial_rows(row)}
        by_itself = {source: make_records(source, rows) for source, rows in raw.items()}
        known = collect_journals(by_itself.values())
        assert known.select("records").collect().item() == 2
        for source, rows in by_itself.items():
            kept, merged = clean_publications(source, rows, known)
            assert kept.collect()["publication_id"].to_list() == ["1"]
            assert merged.collect().is_empty()

    def test_no_rows_give_no_publications(self) -> None:
        assert cleaned(pubmed_rows()) == ([], [])


@pytest.mark.parametrize(("most", "order"), [(5, "1234"), (4, "1234"), (3, "3142"), (0, "3142")])
def test_publications_are_sorted_by_key_unless_they_are_too_many(
    most: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publications, "SORTED_ROWS", most)
    rows = [
        *({"id": digit, "title": digit, "source_file": "p_10.csv"} for digit in "42"),
        *({"id": digit, "title": digit, "source_file": "p_9.csv"} for digit in "31"),
    ]
    kept, _ = cleaned(pubmed_rows(*rows, {"title": " "}))
    assert [row["publication_id"] for row in kept] == [*order]


def test_merged_rows_are_sorted_by_file_and_row() -> None:
    files = ["k.csv", "b.csv", "x.csv", "a.csv"]
    _, merged = cleaned(pubmed_rows(*({"title": "T", "source_file": file} for file in files * 3)))
    assert len(merged) == 11
    assert [key(m) for m in merged] == sorted(key(m) for m in merged)


# --- properties ------------------------------------------------------------------------------

SOURCES = st.sampled_from([PUBMED, CLINICAL_TRIALS])
TABLES = SOURCES.flatmap(lambda s: st.tuples(st.just(s), publication_tables(s)))


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(TABLES)
def test_nothing_is_lost(table: tuple[PublicationSource, list[Row]]) -> None:
    source, rows = table
    raw = raw_rows(source, *rows)
    kept, merged = cleaned(raw, source)
    reason = pl.col("reason")
    rejected = (
        mark_withdrawn(source.clean_records(raw)).filter(reason.is_not_null()).collect().to_dicts()
    )
    assert sorted(key(r) for r in [*kept, *merged, *rejected]) == sorted(key(r) for r in rows)
    assert {m["merged_into"] for m in merged} <= {r["publication_id"] for r in kept}


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(TABLES)
def test_flags_say_what_is_so(table: tuple[PublicationSource, list[Row]]) -> None:
    source, rows = table
    kept, merged = cleaned(raw_rows(source, *rows), source)
    for row in kept:
        assert row["issues"] == sorted({*row["issues"]} & {*Issue})
        own = row["publication_id"].startswith(f"{source.name}:")
        without_id = {"missing_id", "invalid_id", "shared_id"} & {*row["issues"]}
        assert len(without_id) == own
        assert ("missing_id" in without_id) == (own and row["id_text"] is None)
        assert ("missing_journal" in row["issues"]) == (row["journal_id"] is None)
        undated = {"missing_date", "unreadable_date"} & {*row["issues"]}
        assert bool(undated) == (row["date"] is None)
        assert ("missing_date" in undated) == (row["date_text"] is None)
        rules = {m["rule"] for m in merged if m["merged_into"] == row["publication_id"]}
        assert ("conflicting_duplicate" in row["issues"]) == ("conflicting_duplicate" in rules)
        assert ("merged_duplicate" in row["issues"]) == ("merged_duplicate" in rules)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_files_does_not_matter(
    table: tuple[PublicationSource, list[Row]], random: Any
) -> None:
    source, rows = table
    shuffled = random.sample(rows, len(rows))
    assert cleaned(raw_rows(source, *shuffled), source) == cleaned(raw_rows(source, *rows), source)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(TABLES)
def test_too_many_to_sort_come_in_the_order_of_delivery_however_the_records_come(
    table: tuple[PublicationSource, list[Row]],
) -> None:
    source, rows = table
    delivered = sorted(rows, key=lambda row: (natural_key(row["source_file"]), row["source_row"]))
    sorted_by_key = cleaned(raw_rows(source, *rows), source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publications, "SORTED_ROWS", 0)
        in_order = cleaned(raw_rows(source, *delivered), source)
        assert cleaned(raw_rows(source, *reversed(delivered)), source) == in_order
    assert sorted(in_order[0], key=itemgetter("publication_id")) == sorted_by_key[0]
    places = [(natural_key(row["source_file"]), row["source_row"]) for row in in_order[0]]
    assert places == sorted(places)


# --- pieces ----------------------------------------------------------------------------------


def divided(*rows: Row, piece_rows: int = 1) -> tuple[list[publications.Piece], list[list[Row]]]:
    """The pieces of PubMed's publications, and the rows of each, made as of very many records."""
    delivered = sorted(rows, key=lambda row: natural_key(row["source_file"]))
    records = PUBMED.clean_records(pubmed_rows(*delivered)).collect().lazy()
    known = collect_journals([records]).collect().lazy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publications, "SORTED_ROWS", 0)
        patch.setattr(publications, "PIECE_ROWS", piece_rows)
        decisions = publications.Decisions.of(PUBMED, records, known)
        pieces = decisions.divide()
        of_pieces = [
            piece.make(records.filter(pl.col("source_file").is_in(piece.files))).collect()
            for piece in pieces
        ]
        assert_frame_equal(pl.concat(of_pieces), decisions.clean().kept.collect())
    return list(pieces), [rows.to_dicts() for rows in of_pieces]


def of_file(number: int, *rows: Row) -> list[Row]:
    return [{**row, "source_file": f"p_{number}.csv"} for row in rows]


def test_a_piece_has_whole_files_of_so_many_records() -> None:
    files = [of_file(n, *({"id": f"{n}{i}", "title": "T"} for i in range(3))) for n in range(1, 8)]
    pieces, rows = divided(*(row for file in files for row in file), piece_rows=4)
    assert [len(piece.files) for piece in pieces] == [2, 2, 2, 1]
    assert [len(of_piece) for of_piece in rows] == [6, 6, 6, 3]


def decided_with(*further: Row) -> list[str]:
    """What is decided about each of three files of two records, if further rows land, too."""
    three = [
        *of_file(
            1,
            {"id": "1", "title": "One", "date": "2020", "journal": "A", "issn": "0000-0019"},
            {"title": "Two", "date": "2020", "journal": "B"},
        ),
        *of_file(2, {"id": "3", "title": "Three", "journal": "B"}, {"id": "4", "title": "Four"}),
        *of_file(3, {"id": "5", "title": "Five", "journal": "A"}, {"id": "6", "title": "Six"}),
    ]
    pieces, _ = divided(*three, *further)
    return [piece.decided for piece in pieces][:3]


@pytest.mark.parametrize(
    ("further", "differing"),
    [
        ({"id": "9", "title": "Nine", "journal": "A", "date": "2020"}, []),
        ({"id": "1", "title": "One, revised", "date_revised": "2024-01-01"}, [1]),
        ({"id": "1", "title": "One", "date": "2020", "date_revised": "2000-01-01"}, [1]),
        ({"id": "8", "title": "Two", "date": "2020", "journal": "B"}, [1]),
        ({"id": "4", "citation_status": DELETED}, [2]),
        ({"id": "9", "title": "Nine", "journal": "Aa", "issn": "0000-0019"}, []),
        ({"id": "9", "title": "Nine", "journal": "B", "issn": "0000-0027"}, [1, 2]),
    ],
)
def test_pieces_depend_on_further_files_where_these_decide_about_them(
    further: Row, differing: list[int]
) -> None:
    before, after = decided_with(), decided_with(*of_file(4, further))
    assert [n for n in (1, 2, 3) if before[n - 1] != after[n - 1]] == differing


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(publication_tables(PUBMED).filter(bool), st.integers(1, 9))
def test_pieces_one_after_the_other_are_all_publications(rows: list[Row], size: int) -> None:
    divided(*rows, piece_rows=size)


def test_few_publications_are_in_no_pieces() -> None:
    records = PUBMED.clean_records(pubmed_rows({"id": "1", "title": "T"}))
    decisions = publications.Decisions.of(PUBMED, records, collect_journals([records]))
    assert decisions.divide() == ()


@pytest.mark.parametrize("few", [[], [1], [4, 9], [0, 11], [10, 11, 12, 13]])
@pytest.mark.parametrize("many", [[], [5], [2, 3, 6, 7, 8]])
def test_few_rows_are_merged_into_many_in_order(many: list[int], few: list[int]) -> None:
    frames = [
        pl.DataFrame({"position": rows, "of": of}, schema={"position": pl.Int64, "of": pl.String})
        for rows, of in ((many, "many"), (few, "few"))
    ]
    merged = merge_in_order(frames[0].lazy(), frames[1])
    assert_frame_equal(merged.collect(), pl.concat(frames).sort("position"))
    assert_frame_equal(merged.select("of").collect(), pl.concat(frames).sort("position")[["of"]])


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_merged_rows_can_be_asked_for_in_part(engine: Literal["in-memory", "streaming"]) -> None:
    many, few = pl.DataFrame({"position": [2, 3, 6, 7]}), pl.DataFrame({"position": [1, 4, 9]})
    merged = merge_in_order(many.with_columns(of=1).lazy(), few.with_columns(of=2))
    is_few = pl.col("of") == 2

    def positions(rows: pl.LazyFrame) -> list[int]:
        return rows.select("position").collect(engine=engine)["position"].to_list()

    assert positions(merged.filter(is_few)) == [1, 4, 9]
    assert positions(merged.head(4)) == [1, 2, 3, 4]
    assert positions(merged.head(4).filter(is_few)) == [1, 4]
    assert positions(merged.filter(is_few).head(2)) == [1, 4]


def test_journals_whose_hashes_are_equal_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pubmed_rows(*({"id": n, "title": n, "journal": j} for n, j in (("1", "A"), ("2", "B"))))
    expected = cleaned(rows)
    monkeypatch.setattr(pl.Expr, "hash", lambda *_: pl.lit(0, pl.UInt64))
    assert cleaned(rows) == expected
