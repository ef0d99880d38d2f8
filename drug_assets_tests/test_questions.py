"""Questions: the answers, how a drug is found, and what is told of a file that is no graph."""

from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.document.questions import (
    Evidence,
    Index,
    LeftOut,
    RelatedDrugs,
    UnknownDrugError,
    related_drugs,
    top_journals,
)
from drug_assets.document.reading import NotAGraphError, read_drugs
from drug_assets.document.schema import DrugInBrief
from drug_assets.periods import COUNTED, Period, Placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from drug_assets.document.reading import Graph

Document: TypeAlias = list[dict[str, Any]]


def drug(
    name: str,
    *,
    pubmed: tuple[str, ...] = (),
    trials: tuple[str, ...] = (),
    synonyms: tuple[str, ...] = (),
    drug_id: str | None = None,
    retracted: bool | None = False,
) -> dict[str, Any]:
    """One drug of a graph document, with the journals whose publications of each type name it.

    Args:
        name: its name.
        pubmed: per PubMed mention, the journal.
        trials: per mention by a clinical trial, the journal.
        synonyms: its other names.
        drug_id: its id; the folded name if not given.
        retracted: whether its PubMed publications were retracted.
    """
    typed = [("pubmed", j) for j in pubmed] + [("clinical_trial", j) for j in trials]
    mentions = [
        {
            "type": kind,
            "id": str(number),
            "title": name,
            "journal": journal,
            "journal_id": journal.casefold(),
            "date": "2020-01-01",
            "date_precision": "day",
            "retracted": retracted if kind == "pubmed" else None,
            "spans": [[0, len(name)]],
            "publications": [],
            "trials": [],
        }
        for number, (kind, journal) in enumerate(typed)
    ]
    journals = [
        {
            "journal": journal,
            "journal_id": journal.casefold(),
            "mentions": [
                {member: mention[member] for member in ("date", "type", "id", "retracted")}
                for mention in mentions
                if mention["journal"] == journal
            ],
        }
        for journal in sorted({*pubmed, *trials})
    ]
    return {
        "drug_id": drug_id or name.casefold(),
        "drug": name,
        "names": sorted([name, *synonyms]),
        "atc_codes": [],
        "mentions": mentions,
        "journals": journals,
    }


def line_per_drug(document: Document) -> bytes:
    lines = ",\n".join(json.dumps(drug, ensure_ascii=False) for drug in document)
    return f"[\n{lines}\n]\n".encode() if document else b"[\n]\n"


LAYOUTS: dict[str, Callable[[Document], bytes]] = {
    "a line a drug": line_per_drug,
    "with byte order mark and CRLF": lambda document: (
        b"\xef\xbb\xbf" + line_per_drug(document).replace(b"\n", b"\r\n")
    ),
    "with blank lines": lambda document: b"\n" + line_per_drug(document).replace(b"\n", b"\n \r\n"),
    "without an end of the last line": lambda document: line_per_drug(document).rstrip(),
}


def graph(*document: dict[str, Any]) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO(line_per_drug(list(document)))


ASPIRIN = drug(
    "ASPIRIN",
    pubmed=("Heart", "Pain"),
    trials=("Pain",),
    synonyms=("acétylsalicylic acid", "ASA"),
)
IBUPROFEN = drug("IBUPROFEN", pubmed=("Pain",))
WARFARIN = drug("WARFARIN", pubmed=("Heart", "Pain", "Blood"))
HEPARIN = drug("HEPARIN", trials=("Heart", "Blood"))
UNNAMED = drug("ZINC")
DRUGS = graph(ASPIRIN, HEPARIN, IBUPROFEN, WARFARIN, UNNAMED)


def tops(document: Graph, **options: Any) -> list[tuple[str, int, list[str]]]:
    """The top journals: name, number of drugs, and the drugs."""
    return [(top.journal, top.drug_count, top.drugs) for top in top_journals(document, **options)]


def linked(document: Graph, name: str, **options: Any) -> list[tuple[str, list[str]]]:
    """The drugs related to a drug, each with the journals that link them."""
    return [(r.drug, r.journals) for r in related_drugs(document, name, **options).related]


def test_one_reading_answers_every_question() -> None:
    index = Index(DRUGS)
    assert index.top_journals() == top_journals(DRUGS)
    assert index.related_drugs("ASPIRIN") == related_drugs(DRUGS, "ASPIRIN")
    assert index.related_drugs("zinc") == RelatedDrugs("ZINC", [], Evidence(0, 0, 0))


def test_a_journal_that_stands_twice_is_one() -> None:
    one, other = (drug(name, pubmed=("Pain",), trials=("Pain",)) for name in ("A", "B"))
    one["journals"] *= 2
    assert tops(graph(one, other)) == [("Pain", 2, ["A", "B"])]
    assert linked(graph(one, other), "B") == [("A", ["Pain"])]


def test_journals_of_one_name_and_other_identities_are_several() -> None:
    one, other, third = (drug(name, pubmed=("Pain",)) for name in ("A", "B", "C"))
    other["journals"][0]["journal_id"] = "another"
    document = graph(one, other, third)
    assert tops(document) == [("Pain", 2, ["A", "C"])]
    assert linked(document, "A") == [("C", ["Pain"])]
    assert linked(document, "B") == []


def test_journals_of_one_name_that_both_link_are_both_named() -> None:
    drugs = [drug(name, pubmed=("Pain", "Pains")) for name in ("A", "B")]
    for one in drugs:
        one["journals"][1]["journal"] = "Pain"
    assert tops(graph(*drugs)) == [("Pain", 2, ["A", "B"])] * 2
    assert linked(graph(*drugs), "A") == [("B", ["Pain", "Pain"])]


def test_drugs_of_one_name_are_several() -> None:
    drugs = [drug("A", pubmed=("Pain",), drug_id=drug_id) for drug_id in "12"]
    other = drug("B", pubmed=("Pain",))
    assert tops(graph(*drugs, other)) == [("Pain", 3, ["A", "A", "B"])]
    assert linked(graph(*drugs, other), "B") == [("A", ["Pain"])] * 2


def test_top_journals_count_drugs_of_both_sources_and_tie_by_name() -> None:
    assert tops(DRUGS) == [
        ("Heart", 3, ["ASPIRIN", "HEPARIN", "WARFARIN"]),
        ("Pain", 3, ["ASPIRIN", "IBUPROFEN", "WARFARIN"]),
    ]


def test_a_journal_counts_a_drug_once() -> None:
    often = drug("A", pubmed=("Often", "Often"), trials=("Often",))
    others = [drug(name, pubmed=("Twice",)) for name in ("B", "C")]
    assert tops(graph(often, *others)) == [("Twice", 2, ["B", "C"])]


@pytest.mark.parametrize("document", [[], [UNNAMED]], ids=["no drugs", "no journals"])
def test_no_journal_is_top_where_none_mentions_a_drug(document: Document) -> None:
    assert tops(graph(*document)) == []


def test_related_drugs_share_a_journal_in_pubmed() -> None:
    assert linked(DRUGS, "ASPIRIN") == [("WARFARIN", ["Heart", "Pain"]), ("IBUPROFEN", ["Pain"])]


def test_journals_with_a_trial_of_the_drug_can_be_left_out() -> None:
    assert linked(DRUGS, "ASPIRIN", exclude_trial_journals=True) == [("WARFARIN", ["Heart"])]


def test_a_trial_of_another_drug_leaves_no_journal_out() -> None:
    kept = related_drugs(DRUGS, "WARFARIN", exclude_trial_journals=True)
    assert kept == related_drugs(DRUGS, "WARFARIN")
    assert [(r.drug, r.journals) for r in kept.related] == [
        ("ASPIRIN", ["Heart", "Pain"]),
        ("IBUPROFEN", ["Pain"]),
    ]


@pytest.mark.parametrize("name", ["ZINC", "HEPARIN"], ids=["no mention", "only in trials"])
def test_a_drug_that_pubmed_does_not_mention_is_related_to_none(name: str) -> None:
    assert linked(DRUGS, name) == []


@pytest.mark.parametrize(
    "name",
    [
        "aspirin",
        "  Aspirin ",
        "asa",
        "acétylsalicylic acid",
        "ACETYLSALICYLIC  ACID",
        "ácetylsalicylic acid",
    ],
)
def test_a_drug_is_found_by_any_name_in_any_spelling(name: str) -> None:
    assert related_drugs(DRUGS, name) == related_drugs(DRUGS, "ASPIRIN")


def test_a_drug_is_found_by_its_name_where_that_is_not_searched_for() -> None:
    stopped = {**ASPIRIN, "names": []}
    assert related_drugs(graph(stopped, IBUPROFEN), "aspirin").drug == "ASPIRIN"


def test_a_name_goes_before_a_synonym_of_another_drug() -> None:
    other = drug("OTHER", pubmed=("Blood",), synonyms=("Aspirin",))
    assert linked(graph(ASPIRIN, IBUPROFEN, other, WARFARIN), "aspirin") == [
        ("WARFARIN", ["Heart", "Pain"]),
        ("IBUPROFEN", ["Pain"]),
    ]


def test_drugs_that_share_a_synonym_are_asked_for_together() -> None:
    one = drug("ONE", pubmed=("Pain",), trials=("Heart",), synonyms=("shared",))
    two = drug("TWO", pubmed=("Heart",), synonyms=("Shared",))
    shared = graph(ASPIRIN, one, two)
    assert linked(shared, "shared") == [("ASPIRIN", ["Heart", "Pain"])]
    assert linked(shared, "shared", exclude_trial_journals=True) == [("ASPIRIN", ["Pain"])]


def test_retracted_mentions_count_and_are_told_unless_they_are_left_out() -> None:
    document = graph(
        drug("A", pubmed=("Pain", "Pain"), retracted=True),
        drug("B", pubmed=("Pain", "Heart"), trials=("Heart",)),
        drug("C", pubmed=("Pain",), retracted=None),
    )
    (top,) = top_journals(document)
    assert (top.drugs, top.evidence) == (["A", "B", "C"], Evidence(4, 2, 1))
    (top,) = top_journals(document, exclude_retracted=True)
    assert (top.drugs, top.evidence) == (["B", "C"], Evidence(2, 0, 1))
    assert linked(document, "B") == [("A", ["Pain"]), ("C", ["Pain"])]
    answer = related_drugs(document, "B", exclude_retracted=True)
    assert [(r.drug, r.mentions, r.unknown_mentions) for r in answer.related] == [("C", 2, 1)]
    assert answer.evidence == Evidence(2, 0, 1)
    # All that is known of A is retracted.
    assert related_drugs(document, "A").evidence == Evidence(4, 2, 1)
    assert linked(document, "A", exclude_retracted=True) == []


def result(
    number: int, journal: str | None, *, kind: str = "result", retracted: bool | None = False
) -> dict[str, Any]:
    """A publication that belongs to a trial."""
    return {
        "type": "pubmed",
        "id": f"result {number}",
        "kind": kind,
        "journal": journal,
        "journal_id": journal and journal.casefold(),
        "date": None,
        "retracted": retracted,
    }


def with_trial(made: dict[str, Any], trial_id: str, *results: dict[str, Any]) -> dict[str, Any]:
    """A drug that a trial without journal names, too, with publications of the trial."""
    trial = {
        **drug(made["drug"], trials=("Registry",))["mentions"][0],
        "id": trial_id,
        "journal": None,
        "journal_id": None,
        "publications": [*results],
    }
    return {**made, "mentions": [*made["mentions"], trial]}


class TestTrialResults:
    TRIALLED = with_trial(drug("A", pubmed=("Pain",)), "NCT1", result(1, "Heart"))
    OTHER = drug("B", pubmed=("Heart",))

    def test_results_count_where_it_is_asked_for_and_name_their_trial(self) -> None:
        document = graph(self.TRIALLED, self.OTHER)
        assert {(top.journal, top.via) for top in top_journals(document)} == {
            ("Heart", None),
            ("Pain", None),
        }
        (top,) = top_journals(document, with_trial_results=True)
        assert (top.journal, top.drugs, top.via) == ("Heart", ["A", "B"], {"A": ["NCT1"]})
        assert top.evidence == Evidence(2, 0, 0)
        assert linked(document, "A") == linked(document, "B") == []
        for asked, other in ("AB", "BA"):
            (related,) = related_drugs(document, asked, with_trial_results=True).related
            assert (related.drug, related.journals) == (other, ["Heart"])
            assert related.via == {"Heart": ["NCT1"]}

    def test_a_title_that_names_the_drug_needs_no_trial(self) -> None:
        document = graph(
            with_trial(drug("A", pubmed=("Heart",)), "NCT1", result(1, "Heart")), self.OTHER
        )
        (top,) = top_journals(document, with_trial_results=True)
        assert (top.via, top.evidence) == ({}, Evidence(3, 0, 0))
        (related,) = related_drugs(document, "A", with_trial_results=True).related
        assert related.via == {}

    def test_a_publication_counts_once_whatever_names_the_drug(self) -> None:
        results = result(1, "Heart")
        twice = with_trial(with_trial(drug("A"), "NCT2", results), "NCT1", results)
        (top,) = top_journals(graph(twice), with_trial_results=True)
        assert (top.evidence, top.via) == (Evidence(1, 0, 0), {"A": ["NCT1", "NCT2"]})
        mentioned = drug("A", pubmed=("Heart",))
        mentioned["mentions"][0]["id"] = "result 1"
        (top,) = top_journals(
            graph(with_trial(mentioned, "NCT1", results)), with_trial_results=True
        )
        assert (top.evidence, top.via) == (Evidence(1, 0, 0), {})

    @pytest.mark.parametrize(
        "publication",
        [
            *(result(1, "Heart", kind=kind) for kind in ("derived", "background", "named")),
            result(1, None),
        ],
    )
    def test_other_publications_of_a_trial_do_not_count(self, publication: dict[str, Any]) -> None:
        document = graph(with_trial(drug("A"), "NCT1", publication))
        assert top_journals(document, with_trial_results=True) == []

    def test_retracted_results_are_told_or_left_out(self) -> None:
        document = graph(with_trial(drug("A"), "NCT1", result(1, "Heart", retracted=True)))
        (top,) = top_journals(document, with_trial_results=True)
        assert top.evidence == Evidence(1, 1, 0)
        assert top_journals(document, with_trial_results=True, exclude_retracted=True) == []

    def test_journals_of_one_name_that_differ_only_by_their_trials_are_sorted_by_id(self) -> None:
        trialled = drug("A")
        for number, journal_id in enumerate(("2", "1"), start=1):
            reported = {**result(number, "Heart"), "journal_id": journal_id}
            trialled = with_trial(trialled, f"NCT{number}", reported)
        answers = top_journals(graph(trialled), with_trial_results=True)
        assert [(top.journal, top.via) for top in answers] == [
            ("Heart", {"A": ["NCT2"]}),
            ("Heart", {"A": ["NCT1"]}),
        ]

    def test_journals_of_results_do_not_mention_the_drug_in_a_trial(self) -> None:
        document = graph(self.TRIALLED, self.OTHER)
        answer = related_drugs(document, "A", exclude_trial_journals=True, with_trial_results=True)
        assert [related.drug for related in answer.related] == ["B"]

    def test_a_document_of_a_version_that_knew_no_ties_has_none(self) -> None:
        old = drug("A", pubmed=("Pain",))
        for mention in old["mentions"]:
            del mention["publications"], mention["trials"]
        (top,) = top_journals(graph(old), with_trial_results=True)
        assert (top.drugs, top.via) == (["A"], {})


class TestOrder:
    """A is mentioned with B in two journals, with Ça and d in one; d is nowhere else."""

    DRUGS = (
        drug("A", pubmed=("Heart", "Pain")),
        drug("B", pubmed=("Heart", "Pain", "Blood", "Skin")),
        drug("\u00c7a", pubmed=("Heart", "Blood")),
        drug("d", pubmed=("Pain",), trials=("Blood",)),
    )

    def related(self, order: str, **options: Any) -> list[tuple[str, int, float]]:
        answer = related_drugs(graph(*self.DRUGS), "a", order=order, **options)
        return [(r.drug, len(r.journals), r.lift) for r in answer.related]

    def test_the_most_journals_come_first_and_ties_by_folded_name(self) -> None:
        assert self.related("journals") == [
            ("B", 2, 2 * 4 / (2 * 4)),
            ("\u00c7a", 1, 1 * 4 / (2 * 2)),
            ("d", 1, 1 * 4 / (2 * 1)),
        ]
        every = related_drugs(graph(*self.DRUGS), "a")
        assert every == related_drugs(graph(*self.DRUGS), "a", order="journals")

    def test_names_and_lift_are_orders_too(self) -> None:
        assert [drug for drug, *_ in self.related("name")] == ["B", "\u00c7a", "d"]
        assert [drug for drug, *_ in self.related("lift")] == ["d", "B", "\u00c7a"]

    def test_journals_that_are_left_out_are_left_out_of_all_journals(self) -> None:
        document = graph(
            drug("A", pubmed=("Heart", "Pain"), trials=("Pain", "Skin")),
            drug("B", pubmed=("Heart", "Pain", "Skin", "Blood")),
        )
        (related,) = related_drugs(document, "a", exclude_trial_journals=True).related
        # Of four journals Pain and Skin are left out, so B is in two of two.
        assert related.lift == 1 * 2 / (1 * 2)

    @pytest.mark.parametrize("without_trials", [False, True])
    def test_a_drug_of_every_journal_is_related_as_by_chance(self, without_trials: bool) -> None:
        journals = tuple(f"J{number}" for number in range(10))
        document = graph(
            drug("A", pubmed=journals[:5], trials=journals[:4]), drug("B", pubmed=journals)
        )
        answer = related_drugs(document, "a", exclude_trial_journals=without_trials)
        assert [related.lift for related in answer.related] == [1]

    def test_drugs_of_one_name_are_sorted_by_id(self) -> None:
        document = graph(
            drug("A", pubmed=("Pain", "Heart")),
            drug("B", pubmed=("Pain",), drug_id="2"),
            drug("b", pubmed=("Heart",), drug_id="1"),
        )
        assert linked(document, "A") == [("b", ["Heart"]), ("B", ["Pain"])]


def dated(
    made: dict[str, Any], *dates: tuple[str, str | None, str | None, str | None]
) -> dict[str, Any]:
    """A drug with a mention of each type, journal, date and precision."""
    mentions = [
        {
            **drug(made["drug"], pubmed=("x",))["mentions"][0],
            "type": kind,
            "id": str(number),
            "journal": journal,
            "date": date,
            "journal_id": journal and journal.casefold(),
            "date_precision": precision,
        }
        for number, (kind, journal, date, precision) in enumerate(dates)
    ]
    return {**made, "mentions": [*made["mentions"], *mentions]}


class TestPeriods:
    A = dated(
        drug("A"),
        ("pubmed", "Pain", "2003-01-01", "year"),
        ("pubmed", "Heart", "2003-04-30", "day"),
        ("pubmed", "Heart", None, None),
        ("pubmed", None, "2003-06-01", "day"),
        ("clinical_trial", "Blood", "2003-05-01", "month"),
    )
    B = dated(
        drug("B"),
        ("pubmed", "Pain", "2004-01-01", "day"),
        ("pubmed", "Heart", "2003-05-01", "day"),
        ("pubmed", "Blood", "2002-01-01", "year"),
    )
    PERIOD = Period.parse("2003-05-01")

    def test_what_surely_lies_outside_or_has_no_date_does_not_count(self) -> None:
        document = graph(self.A, self.B)
        (top,) = top_journals(document, period=self.PERIOD)
        assert (top.journal, top.drugs, top.mentions) == ("Pain", ["A", "B"], 2)
        assert top.left_out == LeftOut(1, 0, 0)
        answer = related_drugs(document, "A", period=self.PERIOD)
        assert [(r.drug, r.journals, r.lift) for r in answer.related] == [
            ("B", ["Pain"], 1 * 2 / (1 * 2))
        ]
        assert (answer.evidence, answer.left_out) == (Evidence(2, 0, 0), LeftOut(1, 1, 1))

    def test_without_a_period_nothing_is_left_out(self) -> None:
        document = graph(drug("A", pubmed=("Pain",)), drug("B", pubmed=("Pain",)))
        assert {top.left_out for top in top_journals(document)} == {None}
        assert related_drugs(document, "A").left_out is None
        every = Period()
        (top,) = top_journals(document, period=every)
        assert top.left_out == LeftOut(0, 0, 0)
        assert top._replace(left_out=None) == top_journals(document)[0]
        in_period = related_drugs(document, "A", period=every)
        assert in_period._replace(left_out=None) == related_drugs(document, "A")

    def test_trials_outside_leave_no_journal_out(self) -> None:
        a = dated(
            drug("A"),
            ("pubmed", "Pain", "2003-06-01", "day"),
            ("clinical_trial", "Pain", "2003-01-01", "day"),
        )
        document = graph(a, dated(drug("B"), ("pubmed", "Pain", "2004-01-01", "year")))
        for since, related in (("2003-05", ["B"]), ("2003", [])):
            answer = related_drugs(
                document, "a", period=Period.parse(since), exclude_trial_journals=True
            )
            assert [one.drug for one in answer.related] == related

    def test_results_of_trials_count_by_their_own_date(self) -> None:
        late = {**result(1, "Heart"), "date": "2003-01-01", "date_precision": "year"}
        early = {**result(2, "Pain"), "date": "2003-01-01", "date_precision": "day"}
        # Documents of earlier versions do not say how much of the date is known.
        unknown = {**result(3, "Skin"), "date": "2003-01-01"}
        undated = result(4, "Blood")
        document = graph(with_trial(drug("A"), "NCT1", late, early, unknown, undated))
        tops = top_journals(document, period=self.PERIOD, with_trial_results=True)
        assert [(top.journal, top.via, top.left_out) for top in tops] == [
            ("Heart", {"A": ["NCT1"]}, LeftOut(1, 0, 0)),
            ("Skin", {"A": ["NCT1"]}, LeftOut(1, 0, 0)),
        ]

    def test_retracted_mentions_that_are_left_out_anyway_are_not_told_of(self) -> None:
        a = dated(
            drug("A"), ("pubmed", "Pain", "2003-06-01", "day"), ("pubmed", "Pain", None, None)
        )
        a["mentions"][1]["retracted"] = True
        (top,) = top_journals(graph(a), period=self.PERIOD)
        assert top.left_out == LeftOut(0, 0, 1)
        (top,) = top_journals(graph(a), period=self.PERIOD, exclude_retracted=True)
        assert top.left_out == LeftOut(0, 0, 0)


DATED = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["pubmed", "pubmed", "clinical_trial"]),
            st.sampled_from(["J1", "J2", "J3", None]),
            st.sampled_from(
                [
                    *(("2003-05-12", "day"), ("2003-05-13", "day"), ("2003-05-01", "month")),
                    *(("2003-04-01", "season"), ("2003-01-01", "year"), ("2002-12-01", "season")),
                    *(("2002-01-01", "year"), (None, None)),
                ]
            ),
        ),
        max_size=5,
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    mentioned=DATED,
    ends=st.sampled_from(
        [("2003-05-13", None), (None, "2003-05-12"), ("2003", "2003-05"), ("2004", None)]
    ),
    exclude=st.booleans(),
)
def test_answers_of_a_period_are_those_of_the_mentions_that_may_lie_in_it(
    mentioned: list[list[tuple[str, str | None, tuple[str | None, str | None]]]],
    ends: tuple[str | None, str | None],
    exclude: bool,
) -> None:
    period = Period.parse(*ends)
    assert period is not None

    def placed(date: str | None, precision: str | None) -> Placed:
        return period.place(date and dt.date.fromisoformat(date), precision)  # type: ignore[arg-type]

    def document_of(kept: Iterable[list[Any]]) -> Callable[[], io.BytesIO]:
        return graph(
            *(
                with_journals(dated(drug(f"D{number}"), *((k, j, *date) for k, j, date in of_drug)))
                for number, of_drug in enumerate(kept)
            )
        )

    whole = document_of(mentioned)
    inside = document_of(
        [one for one in of_drug if placed(*one[2]) in COUNTED] for of_drug in mentioned
    )
    tops = top_journals(whole, period=period)
    assert [top._replace(left_out=None) for top in tops] == top_journals(inside)
    for top in tops:
        of_journal = [placed(*date) for one in mentioned for _, j, date in one if j == top.journal]
        assert top.left_out == LeftOut(
            *(of_journal.count(where) for where in (Placed.OPEN, Placed.OUTSIDE, Placed.UNDATED))
        )
    for number in range(len(mentioned)):
        options: dict[str, Any] = {"exclude_trial_journals": exclude}
        answer = related_drugs(whole, f"D{number}", period=period, **options)
        expected = related_drugs(inside, f"D{number}", **options)
        assert answer._replace(left_out=None) == expected


def with_journals(made: dict[str, Any]) -> dict[str, Any]:
    """A drug with the journals of its mentions."""
    journals = sorted({mention["journal"] for mention in made["mentions"]} - {None})
    listed = [
        {
            "journal": journal,
            "journal_id": journal.casefold(),
            "mentions": [
                {member: mention[member] for member in ("date", "type", "id", "retracted")}
                for mention in made["mentions"]
                if mention["journal"] == journal
            ],
        }
        for journal in journals
    ]
    return {**made, "journals": listed}


def test_trials_cannot_be_retracted_so_nothing_of_them_is_unknown() -> None:
    (top,) = top_journals(graph(drug("A", trials=("Pain",))), exclude_retracted=True)
    assert top.evidence == Evidence(1, 0, 0)


def test_of_a_document_of_a_version_that_knew_no_retractions_all_is_unknown() -> None:
    old = drug("A", pubmed=("Pain",), trials=("Pain",))
    for mention in (*old["mentions"], *old["journals"][0]["mentions"]):
        del mention["retracted"]
    (top,) = top_journals(graph(old), exclude_retracted=True)
    assert top.evidence == Evidence(2, 0, 1)


def test_an_unknown_drug_is_an_error_that_names_close_spellings() -> None:
    with pytest.raises(UnknownDrugError, match=r"'Asprin'.*ASPIRIN") as raised:
        related_drugs(DRUGS, "Asprin")
    assert raised.value.close_spellings[0] == "ASPIRIN"


def test_no_more_than_five_close_spellings_are_named() -> None:
    similar = graph(*(drug(f"ASPIRIN {letter}") for letter in "ABCDEFG"))
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(similar, "ASPIRIN")
    assert len(raised.value.close_spellings) == 5


@pytest.mark.parametrize("name", ["", "qqqq"])
def test_an_unknown_drug_without_close_spelling_says_so(name: str) -> None:
    with pytest.raises(UnknownDrugError, match="nor is any spelled like it"):
        related_drugs(DRUGS, name)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(
    "document", [[], [ASPIRIN], [ASPIRIN, HEPARIN, IBUPROFEN, WARFARIN]], ids=len
)
def test_line_ends_and_blank_lines_make_no_difference(
    tmp_path: Path, layout: Callable[[Document], bytes], document: Document
) -> None:
    path = tmp_path / "graph.json"
    path.write_bytes(layout(document))
    assert top_journals(path) == top_journals(graph(*document))
    if document:
        assert related_drugs(path, "asa") == related_drugs(graph(*document), "asa")


def test_a_line_is_read_only_when_its_drug_is_wanted() -> None:
    lines = line_per_drug([ASPIRIN, IBUPROFEN, WARFARIN]).splitlines(keepends=True)
    read: list[bytes] = []

    def watched() -> Iterator[bytes]:
        for line in lines:
            read.append(line)
            yield line

    assert [(drug.drug, len(read)) for drug in read_drugs(watched, DrugInBrief)] == [
        ("ASPIRIN", 2),
        ("IBUPROFEN", 3),
        ("WARFARIN", 4),
    ]


def test_the_stream_is_closed() -> None:
    opened: list[io.BytesIO] = []

    def stream() -> io.BytesIO:
        opened.append(DRUGS())
        return opened[-1]

    related_drugs(stream, "aspirin")
    top_journals(stream)
    assert [file.closed for file in opened] == [True, True]


def test_the_stream_is_closed_where_its_lines_are_refused() -> None:
    stream = io.BytesIO(b"[\n{}\n]\n")
    with pytest.raises(NotAGraphError):
        top_journals(lambda: stream)
    assert stream.closed


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "x", "No such file or")):
        with pytest.raises(NotAGraphError) as raised:
            top_journals(path)
        assert str(raised.value).startswith(f"{path} cannot be read: {reason}")


def test_an_unknown_drug_is_told_in_full() -> None:
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(graph(drug("ONE"), drug("TWO")), "ON")
    assert raised.value.name == "ON"
    assert str(raised.value) == "no drug of the graph is named 'ON'; close spellings: ONE"
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(graph(drug("ONE")), "zzz")
    told = "no drug of the graph is named 'zzz'; nor is any spelled like it"
    assert (raised.value.close_spellings, str(raised.value)) == ([], told)


@pytest.mark.parametrize("with_trial_results", [False, True])
def test_neither_texts_like_keys_nor_the_order_of_keys_change_an_answer(
    with_trial_results: bool,
) -> None:
    """Where the mentions of a line are not needed, they are passed over."""
    key = '"mentions": [ "journals": ['
    named = [
        {
            **each,
            "names": [key, *each["names"]],
            "mentions": [{**mention, "title": key} for mention in each["mentions"]],
        }
        for each in (ASPIRIN, IBUPROFEN, WARFARIN)
    ]
    turned = [dict(reversed(each.items())) for each in named]
    expected = tops(graph(ASPIRIN, IBUPROFEN, WARFARIN), with_trial_results=with_trial_results)
    for document in (named, turned):
        assert tops(graph(*document), with_trial_results=with_trial_results) == expected


LINES = line_per_drug([ASPIRIN, IBUPROFEN])
WITHOUT_JOURNALS = {key: value for key, value in IBUPROFEN.items() if key != "journals"}
WITHOUT_NAMES = {key: value for key, value in IBUPROFEN.items() if key != "names"}
OPENING = "[ on a line of its own"


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        (b"", 1, "[ on a line of its own, but the document ends"),
        (b"\n\n", 2, "[ on a line of its own, but the document ends"),
        (b"[\n", 1, "a drug, or ] on a line of its own, but the document ends"),
        (LINES.removesuffix(b"]\n"), 3, "] on a line of its own, but the document ends"),
        (LINES[: LINES.index(b",\n") + 2], 2, "a drug, but the document ends"),
        (LINES[:-20], 3, "a drug of the graph"),
        (LINES + b"{}", 5, "nothing more"),
        (LINES + b"]", 5, "nothing more"),
        (LINES.replace(b",\n", b"\n"), 3, "] on a line of its own"),
        (LINES.replace(b"\n]", b",\n]"), 4, "a drug; "),
        (LINES.replace(b",\n", b",,\n"), 2, "a drug of the graph"),
        (b"[\n" + LINES, 2, "a drug, or ] on a line of its own"),
        (LINES.replace(b"IBUPROFEN", b"\xff"), 3, "a drug of the graph"),
        (b"id,title\n1,x\n", 1, OPENING),
        (b'{"drug": "A"}', 1, OPENING),
        (b"[1, 2]", 1, OPENING),
        (b"[" * 200_000, 1, OPENING),
        (b'[\n{"more": ' + b"[" * 200_000, 2, "a drug of the graph"),
        (line_per_drug([ASPIRIN, WITHOUT_JOURNALS]), 3, "missing required field `journals`"),
        (line_per_drug([ASPIRIN, WITHOUT_NAMES]), 3, "missing required field `names`"),
        (line_per_drug([ASPIRIN, {**IBUPROFEN, "drug": 7}]), 3, "a drug of the graph"),
        (LINES.replace(b"clinical_trial", b"blog"), 2, "a drug of the graph"),
        (LINES.replace(b'"journal_id"', b'"nlm_id"'), 2, "missing required field `journal_id`"),
        (json.dumps([ASPIRIN, IBUPROFEN]).encode(), 1, OPENING),
        (json.dumps([ASPIRIN], indent=1).encode(), 2, "a drug of the graph"),
        (LINES.replace(b",\n{", b"\n,{"), 3, "] on a line of its own"),
        (LINES.replace(b"[\n", b"["), 1, OPENING),
        (LINES.replace(b"\n]", b"]"), 3, "a drug of the graph"),
        (LINES.replace(b"},\n{", b"},{"), 2, "a drug of the graph"),
    ],
)
def test_what_is_no_graph_document_is_refused_with_file_place_and_cure(
    tmp_path: Path, content: bytes, line: int, expected: str
) -> None:
    path = tmp_path / "graph.json"
    path.write_bytes(content)
    with pytest.raises(NotAGraphError) as raised:
        top_journals(path)
    message = str(raised.value)
    place, _, told = message.partition(": expected ")
    assert place == f"{path} is not a graph document: line {line}"
    assert expected in told
    assert "drug-assets run" in told


def test_a_stream_that_is_no_graph_document_is_refused_without_a_file() -> None:
    with pytest.raises(NotAGraphError, match=r"^the graph document is not .*: line 1: "):
        top_journals(lambda: [b"{}"])


@pytest.mark.processes
def test_asking_imports_neither_polars_nor_dagster(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_bytes(line_per_drug([ASPIRIN, IBUPROFEN]))
    program = """
import pathlib, sys
from drug_assets.document.questions import related_drugs, top_journals
graph = pathlib.Path(sys.argv[1])
assert top_journals(graph) and related_drugs(graph, "Acétylsalicylic acid").related
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    imported = set(done.stdout.split())
    assert "drug_assets" in imported
    assert not imported & {"polars", "dagster", "dataframely", "pyarrow", "jsonschema"}


MENTIONS = st.lists(
    st.tuples(
        st.sampled_from(["pubmed", "pubmed", "clinical_trial"]),
        st.sampled_from(["J1", "J2", "J3", "J4"]),
        st.sampled_from([True, False, None]),
    ),
    max_size=6,
)


def mentioned_drug(name: str, mentions: list[tuple[str, str, bool | None]]) -> dict[str, Any]:
    """A drug with a mention of each type, journal and state of retraction that is given."""
    made = drug(name)
    for number, (kind, journal, retracted) in enumerate(mentions):
        of_trial = kind == "clinical_trial"
        (one,) = drug(
            name,
            pubmed=() if of_trial else (journal,),
            trials=(journal,) if of_trial else (),
            retracted=retracted,
        )["journals"]
        one["mentions"][0]["id"] = str(number)
        made["journals"].append(one)
    return made


DOCUMENTS = st.lists(MENTIONS, min_size=1, max_size=6).map(
    lambda mentioned: [
        mentioned_drug(f"D{number}", mentions) for number, mentions in enumerate(mentioned)
    ]
)


@pytest.mark.slow
@settings(max_examples=100)
@given(document=DOCUMENTS, exclude=st.booleans(), exclude_retracted=st.booleans())
def test_answers_follow_from_the_mentions(
    document: Document, exclude: bool, exclude_retracted: bool
) -> None:
    facts = [
        (d["drug"], m["type"], j["journal"], m["retracted"])
        for d in document
        for j in d["journals"]
        for m in j["mentions"]
        if not (exclude_retracted and m["retracted"])
    ]

    def evidence(of: Iterable[tuple[str, str, str, bool | None]]) -> Evidence:
        mentions = list(of)
        return Evidence(
            len(mentions),
            sum(retracted is True for *_, retracted in mentions),
            sum(retracted is None and kind == "pubmed" for _, kind, _, retracted in mentions),
        )

    everywhere = {journal for _, _, journal, _ in facts}
    counts = {j: len({d for d, _, of, _ in facts if of == j}) for j in everywhere}
    tops = top_journals(graph(*document), exclude_retracted=exclude_retracted)
    assert [(top.journal, top.drug_count) for top in tops] == sorted(
        (j, count) for j, count in counts.items() if count == max(counts.values())
    )
    for top in tops:
        assert top.evidence == evidence(fact for fact in facts if fact[2] == top.journal)
    in_pubmed = [fact for fact in facts if fact[1] == "pubmed"]
    for asked in (d["drug"] for d in document):
        of_asked = {journal for drug, _, journal, _ in in_pubmed if drug == asked}
        if exclude:
            of_asked -= {j for d, kind, j, _ in facts if d == asked and kind == "clinical_trial"}
        linking = {(d, j) for d, _, j, _ in in_pubmed if d != asked and j in of_asked}
        answer = related_drugs(
            graph(*document),
            asked,
            exclude_trial_journals=exclude,
            exclude_retracted=exclude_retracted,
        )
        assert {(r.drug, j) for r in answer.related for j in r.journals} == linking
        shared = Counter(other for other, _ in linking)
        assert [r.drug for r in answer.related] == sorted(shared, key=lambda d: (-shared[d], d))
        assert all(r.journals == sorted(set(r.journals)) for r in answer.related)
        every = {journal for _, _, journal, _ in in_pubmed}
        if exclude:
            every -= {j for d, kind, j, _ in facts if d == asked and kind == "clinical_trial"}
        for related in answer.related:
            other = {journal for drug, _, journal, _ in in_pubmed if drug == related.drug} & every
            lift = shared[related.drug] * len(every) / (len(of_asked) * len(other))
            assert related.lift == lift
            assert related[2:5] == evidence(
                fact
                for fact in in_pubmed
                if fact[0] in {asked, related.drug} and fact[2] in related.journals
            )
        assert answer.evidence == evidence(
            fact for fact in in_pubmed if fact[2] in {journal for _, journal in linking}
        )


RESULTS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["NCT1", "NCT2"]),
            st.sampled_from([(1, "J1"), (2, "J2"), (3, "J3")]),
            st.sampled_from(["result", "result", "background"]),
        ),
        max_size=3,
    ),
    min_size=6,
    max_size=6,
)


@settings(max_examples=60)
@given(document=DOCUMENTS, results=RESULTS)
def test_answers_with_results_follow_from_mentions_and_trials(
    document: Document, results: list[list[tuple[str, tuple[int, str], str]]]
) -> None:
    direct = {
        (d["drug"], j["journal"]) for d in document for j in d["journals"] for m in j["mentions"]
    }
    trials: dict[tuple[str, str], set[str]] = {}
    tied = []
    for made, of_drug in zip(document, results, strict=False):
        for trial_id, (number, journal), kind in of_drug:
            made = with_trial(made, trial_id, result(number, journal, kind=kind))  # noqa: PLW2901
            if kind == "result":
                trials.setdefault((made["drug"], journal), set()).add(trial_id)
        tied.append(made)
    pairs = direct | trials.keys()
    counts = {j: {d for d, of in pairs if of == j} for _, j in pairs}
    most = max(map(len, counts.values()), default=0)
    tops = top_journals(graph(*tied), with_trial_results=True)
    assert [(top.journal, top.drugs, top.via) for top in tops] == [
        (
            journal,
            sorted(drugs),
            {d: sorted(trials[d, journal]) for d in sorted(drugs) if (d, journal) not in direct},
        )
        for journal, drugs in sorted(counts.items())
        if len(drugs) == most
    ]
