from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning.journals import add_journal_identifiers, add_journals, build_journals
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets_tests.support.raw import Row, held_to, publication_tables, pubmed_rows
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    import polars as pl


def records(*rows: Row) -> pl.LazyFrame:
    """The journals of the rows' records, as written."""
    return PUBMED.clean_records(pubmed_rows(*rows)).select(GIVEN_JOURNAL)


def known(*rows: Row) -> list[Row]:
    """The journals that the rows name."""
    table = build_journals([records(*rows)])
    return held_to(contracts.Journals, table).to_dicts()


def named(*rows: Row) -> list[tuple[str | None, str | None]]:
    """The identity and the shown name of each row's journal."""
    identifiers = add_journal_identifiers(records(*rows))
    of_rows = add_journals(identifiers, build_journals([records(*rows)])).collect()
    return list(of_rows.select("journal_id", "journal").iter_rows())


def identities(*rows: Row) -> list[str | None]:
    return [journal_id for journal_id, _ in named(*rows)]


class TestNames:
    @pytest.mark.parametrize(
        "variant",
        [
            "THE JOURNAL OF BÊTA",
            "the  journal\u00a0of beta ",
            "The Journal of Béta.",
            "The journal of beta, ",
            "The journal of beta -",
            "The journal of b\\xc3\\xaata;",
            "The journal of beta / ...",
            *(f"The journal of beta{sign}" for sign in " .,;:!?/&-–—*"),
            "The journal of beta .,;:!?/&-–—*",
        ],
    )
    def test_case_accents_spacing_and_trailing_punctuation_do_not_matter(
        self, variant: str
    ) -> None:
        assert identities({"journal": "The journal of beta"}, {"journal": variant}) == [
            "the journal of beta",
            "the journal of beta",
        ]

    def test_other_differences_do(self) -> None:
        names = ["Beta", "Beta A", "Beta: A", "Bet-a", "The Beta", "Beta (A)", "(Beta"]
        names += ["*Beta", ". Beta", "Beta)", "Beta+", "Beta_", 'Beta"', "Beta'"]
        assert len({*identities(*({"journal": n} for n in names))}) == len(names)

    def test_a_name_of_punctuation_alone_is_a_name(self) -> None:
        assert named({"journal": "?!"}, {"journal": "&"}) == [("?!", "?!"), ("&", "&")]

    def test_the_most_frequent_spelling_is_shown(self) -> None:
        rows = [{"journal": n} for n in ("LANCET", "lancet.", "lancet.", "Lancet")]
        assert {name for _, name in named(*rows)} == {"lancet."}

    def test_of_spellings_as_frequent_the_alphabetically_first(self) -> None:
        rows = [{"journal": n} for n in ("lancet", "LANCET", "Lancet")]
        assert {name for _, name in named(*rows)} == {"LANCET"}

    @pytest.mark.parametrize("blank", [None, "", " \t", "\\xc3\\x28"])
    def test_a_missing_journal_is_null(self, blank: str | None) -> None:
        assert named({"journal": blank}) == [(None, None)]
        assert known({"journal": blank}) == []


class TestIdentifiers:
    def test_an_nlm_id_is_the_identity_whatever_the_name(self) -> None:
        assert (
            named(
                {"journal": "Lancet", "nlm_id": " 7 "},
                {"journal": "The Lancet", "nlm_id": "7", "issn": "1234-5678"},
            )
            == [("7", "Lancet")] * 2
        )

    def test_else_the_issn_is(self) -> None:
        assert (
            identities(
                {"journal": "Lancet", "issn": "1234-567x"},
                {"journal": "The Lancet", "issn": "1234567X"},
            )
            == ["1234-567X"] * 2
        )

    @pytest.mark.parametrize("issn", ["0000-0000", "9999-999X", "1234567x", " 1234-567x "])
    def test_the_shape_of_an_issn(self, issn: str) -> None:
        digits = issn.strip().replace("-", "").upper()
        assert identities({"journal": "Lancet", "issn": issn}) == [f"{digits[:4]}-{digits[4:]}"]

    @pytest.mark.parametrize(
        "issn",
        [
            *(
                "none",
                "1234-56789",
                "123-45678",
                "1234 5678",
                "X234-5678",
                "1234-56X8",
                "1234-567Y",
            ),
            *("1234--5678", "12345-678", "1234-567", "234-5678", "01234-5678", "1234-5678X"),
            *("ISSN 1234-5678", "1234-5678 (print)", "1234-567\u0661"),
        ],
    )
    def test_what_has_not_the_shape_of_an_issn_is_none(self, issn: str) -> None:
        assert identities({"journal": "Lancet", "issn": issn}) == ["lancet"]

    def test_one_name_of_two_identifiers_is_two_journals(self) -> None:
        rows = {"journal": "Lancet", "nlm_id": "7"}, {"journal": "Lancet", "nlm_id": "8"}
        assert named(*rows) == [("7", "Lancet (7)"), ("8", "Lancet (8)")]

    def test_a_name_alone_means_the_one_journal_that_is_identified(self) -> None:
        rows = {"journal": "LANCET."}, {"journal": "Lancet", "nlm_id": "7"}
        assert identities(*rows) == ["7", "7"]

    def test_a_name_alone_means_none_of_two_that_are_identified(self) -> None:
        rows = [{"journal": "Lancet"}, *({"journal": "Lancet", "nlm_id": n} for n in "78")]
        assert identities(*rows) == ["lancet", "7", "8"]

    def test_an_issn_alone_means_the_journal_that_has_it(self) -> None:
        rows = {"issn": "1234-5678"}, {"journal": "Lancet", "nlm_id": "7", "issn": "1234-5678"}
        assert named(*rows) == [("7", "Lancet")] * 2

    def test_a_name_means_the_journal_through_an_issn(self) -> None:
        rows = (
            {"journal": "The Lancet"},
            {"journal": "The Lancet", "issn": "1234-5678"},
            {"journal": "Lancet", "nlm_id": "7", "issn": "1234-5678"},
        )
        assert identities(*rows) == ["7"] * 3

    def test_a_journal_given_by_identifier_alone_is_shown_by_it(self) -> None:
        assert named({"nlm_id": "7"}, {"issn": "12345678"}) == [("7", "7"), ("1234-5678",) * 2]


def test_the_table_says_what_is_known_of_each_journal() -> None:
    assert known(
        {"journal": "The Lancet.", "nlm_id": "7", "issn": "2345-6789"},
        {"journal": "Lancet", "nlm_id": "7", "issn": "12345678"},
        {"journal": "lancet"},
        {"journal": "Nature"},
        {},
    ) == [
        {
            "journal_id": "7",
            "journal": "Lancet",
            "folded_names": ["lancet", "the lancet"],
            "issns": ["1234-5678", "2345-6789"],
            "records": 3,
        },
        {
            "journal_id": "nature",
            "journal": "Nature",
            "folded_names": ["nature"],
            "issns": [],
            "records": 1,
        },
    ]


def test_every_list_of_a_journal_is_sorted_and_has_each_value_once() -> None:
    names = [f"journal {letter}" for letter in "kbxaczdyew"]
    issns = [f"{n * 7919 % 10000:04}-1234" for n in range(1, 11)]
    rows = [{"journal": n, "nlm_id": "7", "issn": i} for n, i in zip(names, issns, strict=True)]
    (journal,) = known(*rows, *rows[:3], {"nlm_id": "7"})
    assert journal["folded_names"] == sorted(names)
    assert journal["issns"] == sorted(issns)
    assert (journal["journal"], journal["records"]) == ("journal b", 14)


def test_journals_are_those_of_all_sources() -> None:
    of_sources = [records({"journal": name}) for name in ("Lancet", "LANCET", "b")]
    assert build_journals(of_sources).select("journal_id", "records").collect().rows() == [
        ("b", 1),
        ("lancet", 2),
    ]


# --- properties ------------------------------------------------------------------------------


def identity_reference(identifiers: list[Row]) -> list[str | None]:
    """The identity of each record's journal, computed record by record."""
    ids_of_issn: dict[str, set[str]] = defaultdict(set)
    nlm_ids_or_issns_of_name: dict[str, set[str]] = defaultdict(set)
    for row in identifiers:
        if row["issn"] and row["nlm_id"]:
            ids_of_issn[row["issn"]].add(row["nlm_id"])

    def only(found: set[str]) -> str | None:
        return next(iter(found)) if len(found) == 1 else None

    def nlm_id_or_issn(row: Row) -> str | None:
        identity: str | None = row["nlm_id"] or only(ids_of_issn[row["issn"]]) or row["issn"]
        return identity

    for row in identifiers:
        if row["folded_journal"] and (identity := nlm_id_or_issn(row)):
            nlm_ids_or_issns_of_name[row["folded_journal"]].add(identity)
    return [
        nlm_id_or_issn(row)
        or only(nlm_ids_or_issns_of_name[row["folded_journal"]])
        or row["folded_journal"]
        for row in identifiers
    ]


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(publication_tables(PUBMED))
def test_identities_agree_with_a_plain_reference(rows: list[Row]) -> None:
    identifiers = add_journal_identifiers(records(*rows)).collect().to_dicts()
    expected = identity_reference(identifiers)
    found = named(*rows)
    assert [journal_id for journal_id, _ in found] == expected
    # The journals of the records are the journals of the table.
    table = known(*rows)
    assert {j["journal_id"]: j["records"] for j in table} == Counter(filter(None, expected))
    assert set(found) - {(None, None)} == {(j["journal_id"], j["journal"]) for j in table}


@settings(max_examples=8, deadline=None)
@given(publication_tables(PUBMED), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Any) -> None:
    assert known(*random.sample(rows, len(rows))) == known(*rows)


@settings(max_examples=8, deadline=None)
@given(publication_tables(PUBMED))
def test_no_two_journals_are_shown_alike(rows: list[Row]) -> None:
    shown = [j["journal"] for j in known(*rows)]
    assert len(shown) == len({*shown})
