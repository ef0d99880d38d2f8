from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning.journals import add_journal_identifiers, add_journals, build_journals
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets_tests.support.raw import (
    Row,
    held_to,
    make_records,
    publication_tables,
    pubmed_rows,
)
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    import polars as pl


#: Identifiers in their canonical form.
SEVEN, EIGHT = "0000007", "0000008"
PRINT, ELECTRONIC, LINKING = "2345-6787", "2041-174X", "1234-5679"


def issn_of(number: int) -> str:
    """The ISSN of seven digits, with its check digit."""
    digits = f"{number:07}"
    check = -sum(int(d) * weight for d, weight in zip(digits, range(8, 1, -1), strict=True)) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if check == 10 else check}"


def records(*rows: Row) -> pl.LazyFrame:
    """The journals of the rows' records, as written."""
    return make_records(PUBMED, pubmed_rows(*rows)).select(GIVEN_JOURNAL)


def known(*rows: Row) -> list[Row]:
    """The journals that the rows name."""
    table = build_journals([records(*rows)])
    return held_to(contracts.Journals, table).to_dicts()


def named(*rows: Row) -> list[tuple[str | None, str | None]]:
    """The identity and the shown name of each row's journal."""
    given = records(*rows)
    of_rows = add_journals(add_journal_identifiers(given), build_journals([given])).collect()
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
            "The. journal of.. beta",
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
                {"journal": "Lancet", "nlm_id": " 2985213R "},
                {"journal": "The Lancet", "nlm_id": "2985213R", "issn": PRINT},
            )
            == [("2985213R", "Lancet")] * 2
        )

    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            *((form, "0255562") for form in ("0255562", "255562", "255562.0", "00255562")),
            *((form, "2984705R") for form in ("2984705R", "2984705r", "NLM ID: 2984705R")),
            *((form, "101086595") for form in ("101086595", "nlm 101086595", "101086595.0")),
            *((form, "0000007") for form in ("7", "0000007", "7.0")),
        ],
    )
    def test_an_nlm_id_is_one_whatever_case_and_zeros_it_has(
        self, written: str, canonical: str
    ) -> None:
        assert identities({"journal": "Lancet", "nlm_id": written}) == [canonical]

    @pytest.mark.parametrize("text", ["0", "0000000", "Lancet", "12345678901", "1.5", "7RR", "NA"])
    def test_what_has_not_the_form_of_an_nlm_id_is_none(self, text: str) -> None:
        assert identities({"journal": "Lancet", "nlm_id": text}) == ["lancet"]

    def test_else_the_issn_is(self) -> None:
        assert (
            identities(
                {"journal": "Lancet", "issn": "2041-174x"},
                {"journal": "The Lancet", "issn": "2041174X"},
            )
            == ["2041-174X"] * 2
        )

    @pytest.mark.parametrize(
        "issn",
        [
            *("2041-174X", "2041-174x", "2041174x", " 2041-174X "),
            *("ISSN 2041-174X", "ISSN:2041174X", "issn2041-174x", "eISSN 2041-174X"),
            *("E-ISSN: 2041-174X", "ISSN-L 2041-174X", "2041-174X (print)", "2041-174X.0"),
            *("2041-174X; 1234-5678", "n/a, 2041-174X", '["2041-174X"]', "2041-174X/2041-174X"),
        ],
    )
    def test_an_issn_is_found_in_any_form(self, issn: str) -> None:
        assert identities({"journal": "Lancet", "issn": issn}) == ["2041-174X"]

    @pytest.mark.parametrize(
        "issn",
        [
            *("none", "1234-56789", "123-45678", "1234 5679", "X234-5679", "1234-56X9"),
            *("1234-567Y", "1234--5679", "12345-679", "1234-567", "234-5679", "01234-5679"),
            *("1234-5679X", "1234-567\u0661", "0000-0000", "00000000"),
            # The check digit is wrong.
            *("1234-5678", "1234-567X", "20411749", "ISSN 2041-1720"),
        ],
    )
    def test_what_is_no_issn_is_no_identity(self, issn: str) -> None:
        assert identities({"journal": "Lancet", "issn": issn}) == ["lancet"]

    @pytest.mark.parametrize("number", ["284793", "284793.0", "0284793", "00284793"])
    def test_a_number_is_an_issn_that_lost_its_zeros_if_the_check_digit_is_right(
        self, number: str
    ) -> None:
        assert identities({"journal": "Lancet", "issn": number}) == ["0028-4793"]

    def test_one_name_of_two_identifiers_is_two_journals(self) -> None:
        rows = {"journal": "Lancet", "nlm_id": SEVEN}, {"journal": "Lancet", "nlm_id": EIGHT}
        assert named(*rows) == [(SEVEN, f"Lancet ({SEVEN})"), (EIGHT, f"Lancet ({EIGHT})")]

    def test_a_name_alone_means_the_one_journal_that_is_identified(self) -> None:
        rows = {"journal": "LANCET."}, {"journal": "Lancet", "nlm_id": SEVEN}
        assert identities(*rows) == [SEVEN, SEVEN]

    def test_a_name_alone_means_none_of_two_that_are_identified(self) -> None:
        rows = [
            {"journal": "Lancet"},
            *({"journal": "Lancet", "nlm_id": nlm_id} for nlm_id in (SEVEN, EIGHT)),
        ]
        assert identities(*rows) == ["lancet", SEVEN, EIGHT]

    def test_an_issn_alone_means_the_journal_that_has_it(self) -> None:
        rows = {"issn": PRINT}, {"journal": "Lancet", "nlm_id": SEVEN, "issn": PRINT}
        assert named(*rows) == [(SEVEN, "Lancet")] * 2

    def test_a_name_means_the_journal_through_an_issn(self) -> None:
        rows = (
            {"journal": "The Lancet"},
            {"journal": "The Lancet", "issn": PRINT},
            {"journal": "Lancet", "nlm_id": SEVEN, "issn": PRINT},
        )
        assert identities(*rows) == [SEVEN] * 3

    def test_a_journal_given_by_identifier_alone_is_shown_by_it(self) -> None:
        assert named({"nlm_id": SEVEN}, {"issn": PRINT}) == [(SEVEN, SEVEN), (PRINT, PRINT)]


class TestSeveralIssns:
    def test_every_issn_of_a_field_means_its_nlm_id(self) -> None:
        rows = (
            {"nlm_id": SEVEN, "issn": f"{PRINT}; {ELECTRONIC}"},
            {"journal": "Lancet", "issn": PRINT},
            {"journal": "The Lancet", "issn": ELECTRONIC},
        )
        assert identities(*rows) == [SEVEN] * 3

    def test_issns_that_rows_give_together_are_one_journal(self) -> None:
        rows = (
            {"journal": "Lancet", "issn": ELECTRONIC},
            {"journal": "The Lancet", "issn": f"{LINKING}|{ELECTRONIC}"},
            {"journal": "Lancet (London)", "issn": f"{PRINT}, {LINKING}"},
        )
        assert identities(*rows) == [min(PRINT, ELECTRONIC, LINKING)] * 3

    def test_they_mean_the_nlm_id_that_one_of_them_means(self) -> None:
        rows = (
            {"journal": "Lancet", "issn": ELECTRONIC},
            {"journal": "The Lancet", "issn": f"{PRINT} {ELECTRONIC}"},
            {"nlm_id": SEVEN, "issn": PRINT},
        )
        assert identities(*rows) == [SEVEN] * 3

    def test_an_issn_of_two_nlm_ids_means_neither(self) -> None:
        # A journal with a new title has a new NLM id, but can keep its linking ISSN.
        old = {"journal": "Old title", "nlm_id": SEVEN, "issn": f"{LINKING}|{PRINT}"}
        new = {"journal": "New title", "nlm_id": EIGHT, "issn": f"{LINKING}|{ELECTRONIC}"}
        rows = (
            *(old, new, {"issn": PRINT}, {"issn": ELECTRONIC}),
            *({"journal": name, "issn": LINKING} for name in ("New title", "Another")),
            *({"journal": "Third", "issn": f"{PRINT} {ELECTRONIC}"}, {"issn": LINKING}),
        )
        assert identities(*rows) == [
            *(SEVEN, EIGHT, SEVEN, EIGHT),
            *(EIGHT, "another"),
            *("third", LINKING),
        ]

    def test_an_issn_with_a_wrong_check_digit_means_the_nlm_id_that_it_is_given_with(self) -> None:
        wrong = "1234-5678"
        rows = (
            {"journal": "Lancet", "nlm_id": SEVEN, "issn": wrong},
            {"journal": "The Lancet", "issn": wrong},
            {"journal": "Heart", "issn": f"{wrong[::-1]} {PRINT}"},
            {"journal": "Heart (Oslo)", "issn": PRINT},
        )
        assert identities(*rows) == [SEVEN, SEVEN, PRINT, PRINT]


class TestAbbreviations:
    def test_an_abbreviation_means_the_journal_that_is_identified(self) -> None:
        rows = (
            {
                "journal": "The Imaginary journal",
                "nlm_id": SEVEN,
                "journal_abbreviations": "Imag. J.|Imag J Lond",
            },
            *({"journal": name} for name in ("Imag J", "IMAG. J.", "imag j lond.")),
        )
        assert named(*rows) == [(SEVEN, "The Imaginary journal")] * 4

    def test_an_abbreviation_of_two_journals_means_neither(self) -> None:
        of_two = [{"nlm_id": n, "journal_abbreviations": "Imag J"} for n in (SEVEN, EIGHT)]
        assert identities({"journal": "Imag J"}, *of_two) == ["imag j", SEVEN, EIGHT]

    def test_a_title_means_what_its_abbreviation_means(self) -> None:
        rows = (
            {"nlm_id": SEVEN, "journal": "Imag. Journal", "journal_abbreviations": "Imag J"},
            {"journal": "Imaginary Journal", "journal_abbreviations": "Imag J"},
            {"journal": "Imaginary journal"},
        )
        assert identities(*rows) == [SEVEN] * 3

    def test_without_identifiers_an_abbreviation_means_its_title(self) -> None:
        rows = (
            {"journal": "Imag J"},
            {"journal": "Imaginary Journal", "journal_abbreviations": "Imag J"},
        )
        assert named(*rows) == [("imaginary journal", "Imaginary Journal")] * 2

    def test_without_identifiers_an_abbreviation_of_two_titles_means_neither(self) -> None:
        titles = ("Imaginary Journal", "Imagined Journal")
        of_two = [{"journal": title, "journal_abbreviations": "Imag J"} for title in titles]
        assert identities({"journal": "Imag J"}, *of_two) == [
            "imag j",
            "imaginary journal",
            "imagined journal",
        ]

    def test_titles_that_abbreviate_each_other_stay_two(self) -> None:
        rows = (
            {"journal": "A", "journal_abbreviations": "B"},
            {"journal": "B", "journal_abbreviations": "A"},
        )
        assert identities(*rows) == ["a", "b"]

    def test_an_abbreviation_stands_in_for_a_missing_title(self) -> None:
        assert named({"journal_abbreviations": "NA| Imag J |Im J"}) == [("imag j", "Imag J")]

    def test_an_abbreviation_is_shown_only_where_there_is_no_title(self) -> None:
        rows = (
            *({"journal": "Imag J"} for _ in range(3)),
            {"journal": "Imaginary", "nlm_id": SEVEN, "journal_abbreviations": "Imag J"},
        )
        assert {name for _, name in named(*rows)} == {"Imaginary"}

    def test_a_title_that_is_its_own_abbreviation_is_shown(self) -> None:
        rows = (
            *({"journal": "Pain", "nlm_id": SEVEN, "journal_abbreviations": "Pain"},) * 2,
            {"journal": "Pain (Oslo)", "nlm_id": SEVEN},
        )
        assert {name for _, name in named(*rows)} == {"Pain"}


def test_the_table_says_what_is_known_of_each_journal() -> None:
    assert known(
        {
            "journal": "The Lancet.",
            "nlm_id": "7",
            "issn": "2345-6787",
            "journal_abbreviations": "Lanc.",
        },
        {"journal": "Lancet", "nlm_id": "7", "issn": "12345679"},
        {"journal": "lancet"},
        {"journal": "Nature"},
        {},
    ) == [
        {
            "journal_id": SEVEN,
            "journal": "Lancet",
            "folded_names": ["lanc", "lancet", "the lancet"],
            "issns": ["1234-5679", "2345-6787"],
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
    issns = [issn_of(n * 7919) for n in range(1, 11)]
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


NAMES = ("a", "b", "c", "d", "e")
#: The check digit of the last is wrong.
ISSNS = (*(issn_of(number) for number in (2, 3, 4)), "0000-0010")


def aliases() -> st.SearchStrategy[list[Row]]:
    """Records of few journals, most of them with several names and identifiers."""
    return st.lists(
        st.fixed_dictionaries(
            {
                "journal": st.sampled_from([None, *NAMES, *NAMES]),
                "journal_abbreviations": _joined(NAMES),
                "nlm_id": st.sampled_from([None, None, None, SEVEN, EIGHT]),
                "issn": _joined(ISSNS),
            }
        ),
        max_size=8,
    )


def _joined(values: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    """Up to two of these values, most often none."""
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2).map("|".join)
    return st.one_of(st.none(), st.none(), some)


def _only(found: set[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


class Oracle:
    """The rules of SPEC 2, "journal", applied record by record and name by name."""

    def __init__(self, identifiers: list[Row]) -> None:
        self.rows = [
            {
                "title": row["folded_journal"],
                "names": {row["folded_journal"], *row["folded_abbreviations"]} - {None},
                "nlm_id": row["nlm_id"],
                "issns": set(row["issns"]),
            }
            for row in identifiers
        ]
        for row in self.rows:
            row["given"] = row["nlm_id"] or _only(
                {meant for issn in row["issns"] if (meant := self.issn_means(issn))}
            )

    def nlm_ids_of(self, issn: str) -> set[str]:
        return {row["nlm_id"] for row in self.rows if issn in row["issns"] and row["nlm_id"]}

    def issn_means(self, issn: str) -> str | None:
        if known := self.nlm_ids_of(issn):
            return _only(known)
        group, meant, before = {issn}, set(), None
        while group != before:
            before = set(group)
            for row in self.rows:
                if row["nlm_id"] is None and row["issns"] & group:
                    ids = {issn: self.nlm_ids_of(issn) for issn in row["issns"]}
                    group |= {issn for issn, found in ids.items() if not found}
                    meant |= {only for found in ids.values() if (only := _only(found))}
        right = {issn for issn in group if issn == issn_of(int(issn.replace("-", "")[:7]))}
        return _only(meant) if meant else min(right, default=None)

    def given_with(self, name: str) -> set[str]:
        return {row["given"] for row in self.rows if name in row["names"] and row["given"]}

    def beside(self, name: str) -> str | None:
        others = {other for row in self.rows if name in row["names"] for other in row["names"]}
        return _only({only for other in others if (only := _only(self.given_with(other)))})

    def title_of(self, abbreviation: str) -> str | None:
        if self.given_with(abbreviation) or self.beside(abbreviation):
            return None
        return _only(
            {
                row["title"]
                for row in self.rows
                if abbreviation in row["names"] and row["title"] != abbreviation
            }
        )

    def name_means(self, name: str) -> str | None:
        if known := self.given_with(name):
            return _only(known)
        if beside := self.beside(name):
            return beside
        title = self.title_of(name)
        if title is None or self.title_of(title) is not None:
            return None
        return self.beside(title) or title

    def identity(self, row: Row) -> str | None:
        meant = self.name_means(row["title"]) if row["title"] else None
        return row["given"] or meant or row["title"] or min(row["issns"], default=None)


def agree_with_the_oracle(rows: list[Row]) -> None:
    oracle = Oracle(add_journal_identifiers(records(*rows)).collect().to_dicts())
    expected = [oracle.identity(row) for row in oracle.rows]
    found = named(*rows)
    assert [journal_id for journal_id, _ in found] == expected
    # The journals of the records are the journals of the table.
    table = known(*rows)
    assert {j["journal_id"]: j["records"] for j in table} == Counter(filter(None, expected))
    assert set(found) - {(None, None)} == {(j["journal_id"], j["journal"]) for j in table}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(aliases())
def test_aliases_are_resolved_as_a_plain_reading_of_the_rules_says(rows: list[Row]) -> None:
    agree_with_the_oracle(rows)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(publication_tables(PUBMED))
def test_identities_agree_with_a_plain_reference(rows: list[Row]) -> None:
    agree_with_the_oracle(rows)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.one_of(aliases(), publication_tables(PUBMED)), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Any) -> None:
    assert known(*random.sample(rows, len(rows))) == known(*rows)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(aliases())
def test_the_same_records_again_are_the_same_journals(rows: list[Row]) -> None:
    doubled = [{**journal, "records": 2 * journal["records"]} for journal in known(*rows)]
    assert known(*rows, *rows) == doubled


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(aliases())
def test_what_lands_again_as_it_is_shown_is_the_same_journal(rows: list[Row]) -> None:
    before = named(*rows)
    journals_of = Counter(name for journal in known(*rows) for name in journal["folded_names"])
    again, expected = [], []
    for row, (journal_id, shown) in zip(rows, before, strict=True):
        if shown is not None:
            again.append({**row, "journal": shown})
            # A name alone tells only if no other journal has it.
            again += [{"journal": shown}] * (journals_of[shown] == 1)
            expected += [journal_id] * (1 + (journals_of[shown] == 1))
    assert identities(*rows, *again) == [*(journal_id for journal_id, _ in before), *expected]


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(publication_tables(PUBMED))
def test_no_two_journals_are_shown_alike(rows: list[Row]) -> None:
    shown = [j["journal"] for j in known(*rows)]
    assert len(shown) == len({*shown})
