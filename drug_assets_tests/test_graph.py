"""The graph document, and the tables that summarize mentions by journal."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date
from importlib import resources
from itertools import permutations
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts, graph, sources
from drug_assets.document import schema, writing
from drug_assets.document.reading import NotAGraphError, read_drugs
from drug_assets.document.writing import write_lines
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.raw import (
    Row,
    held_to,
    listed_drug,
    mention,
    table,
    trial_publication,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEW_YEAR = date(2020, 1, 1)
LANCET = {"journal": "Lancet", "journal_id": "lancet"}
NATURE = {"journal": "Nature", "journal_id": "nature"}


def lines(drugs: list[Row], mentions: list[Row], ties: Sequence[Row] = ()) -> list[str]:
    tied = table("trial_publications", *ties)
    made = write_lines(table("drugs", *drugs), table("mentions", *mentions), tied)
    return [line.decode() for line in made]


def document(drugs: list[Row], mentions: list[Row], ties: Sequence[Row] = ()) -> list[Row]:
    """The parsed document, checked against its declaration."""
    made = lines(drugs, mentions, ties)
    parsed: list[Row] = json.loads("\n".join(made))
    read = list(read_drugs(lambda: [line.encode() for line in made], schema.Drug))
    assert json.loads(msgspec.json.encode(read)) == parsed
    return parsed


def read_whole(drug: Row) -> None:
    """Read a document of one drug; refused if it differs from the declaration."""
    document = [b"[", json.dumps(drug).encode(), b"]"]
    (read,) = read_drugs(lambda: document, schema.Drug)
    assert json.loads(msgspec.json.encode(read)) == drug


def journal_drugs(*mentions: Row) -> list[Row]:
    found = graph.count_journal_drugs(table("mentions", *mentions))
    return held_to(TABLES["journal_drugs"].contract, found).to_dicts()


def top_journal(*mentions: Row) -> list[Row]:
    found = graph.find_top_journals(graph.count_journal_drugs(table("mentions", *mentions)))
    return held_to(contracts.TopJournal, found).to_dicts()


class TestDocument:
    def test_a_drug_with_its_publications_and_journals(self) -> None:
        drugs = [listed_drug("Beta", names=["Beta", "b-1"], atc_codes=["A04AD", "R01AD"])]
        title = "Beta with Beta"
        day = {"date": NEW_YEAR, "date_precision": "day"}
        mentions = [
            mention("Beta", "NCT1", "clinical_trials", title=title, **LANCET, **day),
            mention(
                "Beta",
                "10",
                date=date(2019, 3, 1),
                date_precision="month",
                retracted=True,
                **LANCET,
            ),
        ]
        assert document(drugs, mentions) == [
            {
                "drug_id": "beta",
                "drug": "Beta",
                "names": ["Beta", "b-1"],
                "atc_codes": ["A04AD", "R01AD"],
                "mentions": [
                    {
                        "type": "pubmed",
                        "id": "10",
                        "title": "On Beta.",
                        "journal": "Lancet",
                        "journal_id": "lancet",
                        "date": "2019-03-01",
                        "date_precision": "month",
                        "retracted": True,
                        "spans": [[3, 7]],
                        "publications": [],
                        "trials": [],
                    },
                    {
                        "type": "clinical_trial",
                        "id": "NCT1",
                        "title": title,
                        "journal": "Lancet",
                        "journal_id": "lancet",
                        "date": "2020-01-01",
                        "date_precision": "day",
                        "retracted": None,
                        "spans": [[0, 4], [10, 14]],
                        "publications": [],
                        "trials": [],
                    },
                ],
                "journals": [
                    {
                        "journal": "Lancet",
                        "journal_id": "lancet",
                        "mentions": [
                            {
                                "date": "2019-03-01",
                                "type": "pubmed",
                                "id": "10",
                                "retracted": True,
                            },
                            {
                                "date": "2020-01-01",
                                "type": "clinical_trial",
                                "id": "NCT1",
                                "retracted": None,
                            },
                        ],
                    }
                ],
            }
        ]

    def test_a_trial_and_its_publications_name_each_other(self) -> None:
        mentions = [mention("Beta", "NCT1", "clinical_trials"), mention("Beta", "10", **LANCET)]
        ties = [
            trial_publication("NCT1", "9", kind="background"),
            trial_publication(
                "NCT1", "10", date=NEW_YEAR, date_precision="month", retracted=False, **LANCET
            ),
            trial_publication("NCT2", "10", kind="named", given_by="publication"),
            trial_publication("NCT1", "8", publication_in_store=False, title=None),
            trial_publication("NCT3", "10", given_by="publication", trial_in_store=False),
        ]
        for in_order in (ties, ties[::-1]):
            (beta,) = document([listed_drug("Beta")], mentions, in_order)
            article, trial = sorted(beta["mentions"], key=lambda m: m["id"])
            assert (article["publications"], trial["trials"]) == ([], [])
            assert article["trials"] == [
                {"type": "clinical_trial", "id": "NCT1", "kind": "result"},
                {"type": "clinical_trial", "id": "NCT2", "kind": "named"},
            ]
            nowhere = dict.fromkeys((*LANCET, "date", "date_precision", "retracted"))
            known = {**LANCET, "date": "2020-01-01", "date_precision": "month", "retracted": False}
            assert trial["publications"] == [
                {"type": "pubmed", "id": "10", "kind": "result", **known},
                {"type": "pubmed", "id": "9", "kind": "background", **nowhere},
            ]

    def test_ids_of_two_sources_are_told_apart(self) -> None:
        mentions = [mention("Beta", "1", "clinical_trials"), mention("Beta", "1")]
        (beta,) = document([listed_drug("Beta")], mentions, [trial_publication("1", "2")])
        tied = {m["type"]: (len(m["publications"]), len(m["trials"])) for m in beta["mentions"]}
        assert tied == {"clinical_trial": (1, 0), "pubmed": (0, 0)}

    def test_spans_that_rules_found_say_so(self) -> None:
        title = r'Zeta (ZT): ZT\\","rules":[]'
        spans = [
            {"start": start, "end": end, "text": title[start:end], "by": by}
            for start, end, by in [(0, 4, "name"), (6, 8, "abbreviation"), (11, 13, "abbreviation")]
        ]
        rows = [mention("Zeta", "1", title=title, spans=spans), mention("Zeta", "2", title=title)]
        (zeta,) = document([listed_drug("Zeta")], rows)
        by_rule, by_name = zeta["mentions"]
        assert by_rule["spans"] == [[0, 4], [6, 8], [11, 13]]
        assert by_rule["rules"] == [
            {"by": "abbreviation", "span": [6, 8]},
            {"by": "abbreviation", "span": [11, 13]},
        ]
        assert "rules" not in by_name
        assert by_name["title"] == title
        read_whole(zeta)

    def test_missing_values_are_null(self) -> None:
        (beta,) = document([listed_drug("Beta")], [mention("Beta")])
        nullable = ("journal", "journal_id", "date", "date_precision", "retracted")
        assert [beta["mentions"][0][field] for field in nullable] == [None] * 5
        assert beta["journals"] == []

    def test_an_undated_mention_of_a_journal_has_a_null_date(self) -> None:
        (beta,) = document([listed_drug("Beta")], [mention("Beta", **LANCET)])
        assert beta["journals"][0]["mentions"] == [
            {"date": None, "type": "pubmed", "id": "1", "retracted": None}
        ]

    def test_a_drug_without_mention_is_there_too(self) -> None:
        drugs = [listed_drug("Beta"), listed_drug("Alpha")]
        found = document(drugs, [mention("Beta")])
        assert [(d["drug"], len(d["mentions"])) for d in found] == [("Alpha", 0), ("Beta", 1)]
        assert (found[0]["mentions"], found[0]["journals"]) == ([], [])

    def test_without_any_mention(self) -> None:
        assert [d["mentions"] for d in document([listed_drug("Beta")], [])] == [[]]

    def test_without_any_drug(self) -> None:
        assert lines([], []) == ["[", "]"]

    def test_drugs_are_sorted_by_name_then_identifier(self) -> None:
        drugs = [
            listed_drug("Beta", drug_id="1"),
            listed_drug("Alpha", drug_id="3"),
            listed_drug("Alpha", drug_id="2"),
        ]
        assert [d["drug_id"] for d in document(drugs, [])] == ["2", "3", "1"]

    def test_mentions_are_sorted_by_date_undated_last(self) -> None:
        mentions = [
            mention("Beta", "1"),
            mention("Beta", "3", date=NEW_YEAR),
            mention("Beta", "2", date=NEW_YEAR),
            mention("Beta", "9", "clinical_trials", date=NEW_YEAR),
            mention("Beta", "4", date=date(1999, 1, 1)),
        ]
        mentions = [{**m, **LANCET, "date_precision": m.get("date") and "day"} for m in mentions]
        (beta,) = document([listed_drug("Beta")], mentions)
        assert [m["id"] for m in beta["mentions"]] == ["4", "2", "3", "9", "1"]
        assert [m["id"] for m in beta["journals"][0]["mentions"]] == ["4", "2", "3", "9", "1"]

    def test_journals_are_sorted_by_name_and_told_apart_by_identity(self) -> None:
        journals = [("b", "Lancet"), ("c", "Acta"), ("a", "Lancet")]
        mentions = [
            mention("Beta", f"of {identity}", journal=name, journal_id=identity)
            for identity, name in journals
        ]
        (beta,) = document([listed_drug("Beta")], mentions)
        told = [(j["journal"], j["journal_id"], j["mentions"][0]["id"]) for j in beta["journals"]]
        assert told == [
            ("Acta", "c", "of c"),
            ("Lancet", "a", "of a"),
            ("Lancet", "b", "of b"),
        ]

    def test_each_drug_has_a_line_of_its_own(self) -> None:
        drugs = [listed_drug(name) for name in ("Alpha", "Beta", "Gamma")]
        first, *of_drugs, last = lines(drugs, [mention("Beta")])
        assert (first, last) == ("[", "]")
        assert [line[-1] for line in of_drugs] == [",", ",", "}"]
        parsed = [json.loads(line.removesuffix(",")) for line in of_drugs]
        assert [d["drug"] for d in parsed] == ["Alpha", "Beta", "Gamma"]

    @pytest.mark.parametrize("text", ['"', "\\", "\n", "\r\n", "é", "\u2028", "\x7f", "𝛼", "</"])
    def test_any_character_stays_on_its_line(self, text: str) -> None:
        title = f"On Beta {text}."
        made = lines([listed_drug("Beta")], [mention("Beta", title=title, **LANCET)])
        assert len("\n".join(made).split("\n")) == 3
        assert json.loads(made[1])["mentions"][0]["title"] == title

    def test_a_mention_of_a_drug_that_is_not_listed_is_left_out(self) -> None:
        drugs = [listed_drug("Alpha"), listed_drug("Gamma")]
        known = [mention("Alpha", **LANCET), mention("Gamma", **LANCET)]
        assert document(drugs, [*known, mention("Beta", **LANCET)]) == document(drugs, known)


class TestJournalDrugs:
    def test_counts_by_source_and_dates(self) -> None:
        found = journal_drugs(
            mention("Beta", "1", **LANCET, date=date(2021, 1, 1), retracted=False),
            mention("Beta", "2", **LANCET, date=date(2019, 1, 1), retracted=True),
            mention("Beta", "3", **LANCET),
            mention("Beta", "1", "clinical_trials", **LANCET, date=NEW_YEAR),
            mention("Beta", "4"),
        )
        assert found == [
            {
                "journal_id": "lancet",
                "drug_id": "beta",
                "journal": "Lancet",
                "drug": "Beta",
                "pubmed_mentions": 3,
                "clinical_trial_mentions": 1,
                "retracted_pubmed_mentions": 1,
                "unknown_pubmed_mentions": 1,
                "first_date": date(2019, 1, 1),
                "last_date": date(2021, 1, 1),
            }
        ]

    def test_rows_are_sorted_by_key(self) -> None:
        mentions = [mention(d, **j) for d in ("Beta", "Alpha") for j in (NATURE, LANCET)]
        assert [(r["journal_id"], r["drug_id"]) for r in journal_drugs(*mentions)] == [
            ("lancet", "alpha"),
            ("lancet", "beta"),
            ("nature", "alpha"),
            ("nature", "beta"),
        ]

    def test_undated_mentions_have_no_dates(self) -> None:
        (row,) = journal_drugs(mention("Beta", **LANCET))
        assert (row["first_date"], row["last_date"]) == (None, None)

    def test_without_mentions(self) -> None:
        assert journal_drugs() == []


class TestTopJournal:
    def test_different_drugs_count_not_mentions_over_both_sources(self) -> None:
        assert top_journal(
            *(mention("Beta", str(n), **NATURE) for n in range(5)),
            mention("Beta", "1", **LANCET, retracted=True),
            mention("Alpha", "9", "clinical_trials", **LANCET),
        ) == [
            {
                **LANCET,
                "drug_count": 2,
                "drugs": ["Alpha", "Beta"],
                "mentions": 2,
                "retracted_mentions": 1,
                "unknown_mentions": 0,
            }
        ]

    def test_all_that_tie_are_answers_sorted_by_name(self) -> None:
        last = {"journal": "Zeta", "journal_id": "1"}
        found = top_journal(*(mention("Beta", **j) for j in (last, NATURE, LANCET)))
        assert [row["journal"] for row in found] == ["Lancet", "Nature", "Zeta"]
        assert {row["drug_count"] for row in found} == {1}

    def test_the_drugs_of_a_journal_are_sorted_by_name(self) -> None:
        drugs = [f"Drug {letter}" for letter in "kbxaczdyew"]
        mentions = [mention(d, drug_id=str(n), **LANCET) for n, d in enumerate(drugs)]
        assert [row["drugs"] for row in top_journal(*mentions)] == [sorted(drugs)]

    def test_mentions_without_journal_do_not_count(self) -> None:
        assert top_journal(mention("Beta"), mention("Alpha")) == []


# --- properties ------------------------------------------------------------------------------

Tables = tuple[list[Row], list[Row]]


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Drugs and mentions: few names, journals and dates, several of each missing."""
    names = draw(st.lists(st.sampled_from(["Alpha", "Beta", "Gamma"]), max_size=6))
    drugs = [listed_drug(name, drug_id=f"{name}-{n % 4}-{n}") for n, name in enumerate(names)]
    journal = st.sampled_from([{}, LANCET, NATURE, {"journal": "Lancet", "journal_id": "7"}])
    day = st.sampled_from(
        [{}, *({"date": date(y, 1, 1), "date_precision": "year"} for y in (1999, 2020))]
    )
    retracted = st.sampled_from([True, False, None])
    published = {
        (source, str(n)): {
            **draw(journal),
            **draw(day),
            "retracted": draw(retracted) if source == "pubmed" else None,
        }
        for source in (known.name for known in sources.PUBLICATIONS)
        for n in range(4)
    }
    pairs = [(drug, key) for drug in drugs for key in published]
    chosen = draw(st.lists(st.sampled_from(pairs), unique_by=repr, max_size=30)) if pairs else []
    return drugs, [
        mention(drug["drug"], key[1], key[0], **published[key], drug_id=drug["drug_id"])
        for drug, key in chosen
    ]


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(tables())
def test_the_document_says_what_the_table_says(both: Tables) -> None:
    drugs, mentions = both
    found = document(drugs, mentions)
    assert [(d["drug"], d["drug_id"]) for d in found] == sorted(
        (d["drug"], d["drug_id"]) for d in drugs
    )
    kinds = {"pubmed": "pubmed", "clinical_trials": "clinical_trial"}
    assert Counter((d["drug_id"], m["type"], m["id"]) for d in found for m in d["mentions"]) == (
        Counter((m["drug_id"], kinds[m["source"]], m["publication_id"]) for m in mentions)
    )
    for drug in found:
        # The journals repeat the mentions that have a journal.
        named = Counter(
            (m["journal"], m["journal_id"], m["date"], m["type"], m["id"], m["retracted"])
            for m in drug["mentions"]
            if m["journal"]
        )
        assert named == Counter(
            (j["journal"], j["journal_id"], m["date"], m["type"], m["id"], m["retracted"])
            for j in drug["journals"]
            for m in j["mentions"]
        )
        of_drug = [m for m in mentions if m["drug_id"] == drug["drug_id"]]
        assert len(drug["journals"]) == len({m.get("journal_id") for m in of_drug} - {None})


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(tables(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_document_is_the_same_for_any_order_of_rows_and_size_of_batches(
    both: Tables, random: Any, batch: int
) -> None:
    drugs, mentions = both
    expected = lines(drugs, mentions)
    shuffled = random.sample(drugs, len(drugs)), random.sample(mentions, len(mentions))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "BATCH_MENTIONS", batch)
        assert lines(*shuffled) == expected


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize("names", [*permutations("ABCD")], ids="".join)
def test_lines_are_in_the_order_of_names_whatever_the_ids(
    names: tuple[str, ...], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drugs = [listed_drug(name, drug_id=f"id{place}") for place, name in enumerate(names)]
    mentions = [
        mention(name, str(number), drug_id=f"id{place}")
        for place, name in enumerate(names)
        for number in range(place)
    ]
    monkeypatch.setattr(writing, "BATCH_MENTIONS", batch)
    found = document(drugs, mentions)
    assert [drug["drug"] for drug in found] == [*"ABCD"]
    assert [len(drug["mentions"]) for drug in found] == [names.index(name) for name in "ABCD"]


@settings(max_examples=15, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_summaries_agree_with_a_plain_reference(both: Tables, random: Any) -> None:
    _, mentions = both
    by_journal: dict[str, dict[str, str]] = defaultdict(dict)
    for m in mentions:
        if m.get("journal_id"):
            by_journal[m["journal_id"]][m["drug_id"]] = m["drug"]
    pairs = sorted((j, d) for j, drugs in by_journal.items() for d in drugs)
    assert [(r["journal_id"], r["drug_id"]) for r in journal_drugs(*mentions)] == pairs
    most = max(map(len, by_journal.values()), default=0)
    expected = {j: sorted(drugs.values()) for j, drugs in by_journal.items() if len(drugs) == most}
    found = top_journal(*random.sample(mentions, len(mentions)))
    assert {r["journal_id"]: r["drugs"] for r in found} == expected
    assert found == sorted(found, key=lambda r: (r["journal"], r["journal_id"]))


def _of_a_drug(**change: Any) -> tuple[Row, Row]:
    return change, {}


def _of_a_mention(**change: Any) -> tuple[Row, Row]:
    return {}, change


BY_JOURNAL = {"date": None, "type": "pubmed", "id": "1", "retracted": None}


@pytest.mark.parametrize(
    ("of_drug", "of_mention"),
    [
        _of_a_drug(more=1),
        _of_a_drug(names=None),
        _of_a_drug(atc_codes=["A4"]),
        _of_a_drug(journals=[{**LANCET, "mentions": []}]),
        _of_a_drug(journals=[{**LANCET, "journal": None, "mentions": [BY_JOURNAL]}]),
        _of_a_drug(journals=[{**LANCET, "journal_id": None, "mentions": [BY_JOURNAL]}]),
        _of_a_drug(journals=[{"journal": "Lancet", "mentions": [BY_JOURNAL]}]),
        _of_a_drug(journals=[{**LANCET, "mentions": [{**BY_JOURNAL, "more": 1}]}]),
        _of_a_mention(more=1),
        _of_a_mention(type="clinical_trials"),
        _of_a_mention(id=None),
        _of_a_mention(journal_id=""),
        _of_a_mention(title=""),
        _of_a_mention(date="2020-1-1"),
        _of_a_mention(date="2020-02-30"),
        _of_a_mention(date="01/01/2020"),
        _of_a_mention(date_precision="decade"),
        _of_a_mention(retracted="yes"),
        _of_a_mention(spans=[]),
        _of_a_mention(spans=[[1]]),
        _of_a_mention(spans=[[-1, 2]]),
        _of_a_mention(spans=[[1, 2, 3]]),
        _of_a_mention(spans=[{"start": 1, "end": 2}]),
        _of_a_mention(trials=None),
        _of_a_mention(trials=[{"type": "clinical_trial", "id": "NCT1", "kind": "other"}]),
        _of_a_mention(trials=[{"type": "clinical_trial", "id": "NCT1"}]),
        _of_a_mention(publications=[{"type": "pubmed", "id": "1", "kind": "result"}]),
    ],
)
def test_what_is_not_declared_is_refused(of_drug: Row, of_mention: Row) -> None:
    (beta,) = document([listed_drug("Beta")], [mention("Beta", date=NEW_YEAR, **LANCET)])
    beta["mentions"][0].update(of_mention)
    with pytest.raises(NotAGraphError, match="line 2: expected a drug of the graph"):
        read_whole({**beta, **of_drug})


@pytest.mark.parametrize("field", ["drug_id", "drug", "names", "atc_codes", "mentions", "journals"])
def test_every_member_is_wanted(field: str) -> None:
    (beta,) = document([listed_drug("Beta")], [])
    del beta[field]
    with pytest.raises(NotAGraphError, match=f"missing required field `{field}`"):
        read_whole(beta)


def test_the_schema_for_readers_elsewhere_is_that_of_the_declaration() -> None:
    written = resources.files("drug_assets.document").joinpath("graph.schema.json")
    made = json.dumps(schema.json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert written.read_text("utf-8") == made


def test_the_schema_wants_every_member_and_allows_no_other() -> None:
    declared = schema.json_schema()["$defs"]
    mentions = {"Mention", "PublicationOfTrial", "SpanByRule", "TrialOfPublication"}
    assert {*declared} == {"Drug", "Journal", "MentionByJournal", *mentions}
    for name, of_object in declared.items():
        members = list(getattr(schema, name).__struct_fields__)
        # A mention has rules only where a rule found it.
        wanted = [member for member in members if member != "rules"]
        assert ([*of_object["properties"]], of_object["required"]) == (members, wanted)
        assert of_object["additionalProperties"] is False


def test_types_of_publications_are_those_of_the_sources() -> None:
    for of_object in ("Mention", "MentionByJournal"):
        kinds = schema.json_schema()["$defs"][of_object]["properties"]["type"]["enum"]
        assert sorted(kinds) == sorted(source.document_type for source in sources.PUBLICATIONS)


IN_BRIEF: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    schema.DrugInBrief: schema.Drug,
    schema.JournalInBrief: schema.Journal,
    schema.MentionInBrief: schema.MentionByJournal,
    schema.ListedDrugInBrief: schema.ListedDrug,
}
WITH_RESULTS: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    **IN_BRIEF,
    schema.DrugWithResults: schema.Drug,
    schema.MentionWithResults: schema.Mention,
    schema.PublicationOfTrialInBrief: schema.PublicationOfTrial,
}


TO_COMPARE: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    schema.DrugToCompare: schema.Drug,
    schema.ListedDrugToCompare: schema.ListedDrug,
    schema.MentionToCompare: schema.Mention,
}


def test_what_is_read_in_brief_has_members_of_the_whole_under_their_names() -> None:
    every = WITH_RESULTS | TO_COMPARE
    derived = {schema.DrugWithResults, schema.DrugToCompare}
    assert {*every} == {*schema._Brief.__subclasses__()} | derived
    for brief, whole in every.items():
        assert {*brief.__struct_fields__} <= {*whole.__struct_fields__}


def in_brief(whole: Any, types: Mapping[type[msgspec.Struct], type[msgspec.Struct]]) -> Any:
    """The members of an object, or of a list of objects, that a brief reader reads."""
    if isinstance(whole, list):
        return [in_brief(one, types) for one in whole]
    brief = {whole: brief for brief, whole in types.items()}.get(type(whole))
    if brief is None:
        return whole
    fields = brief.__struct_fields__
    return brief(**{field: in_brief(getattr(whole, field), types) for field in fields})


@settings(max_examples=10, deadline=None)
@given(tables())
def test_reading_in_brief_gives_what_the_whole_says(both: Tables) -> None:
    encoded = [line.encode() for line in lines(*both)]
    whole = list(read_drugs(lambda: encoded, schema.Drug))
    assert list(read_drugs(lambda: encoded, schema.DrugInBrief)) == in_brief(whole, IN_BRIEF)
    with_results = list(read_drugs(lambda: encoded, schema.DrugWithResults))
    assert with_results == in_brief(whole, WITH_RESULTS)


def test_a_lazy_mentions_table_is_enough(tmp_path: Any) -> None:
    mentions = [mention("Beta", str(n), **LANCET) for n in range(3)]
    path = tmp_path / "mentions.parquet"
    table("mentions", *mentions).collect().write_parquet(path)
    drugs = table("drugs", listed_drug("Beta"))
    made = write_lines(drugs, pl.scan_parquet(path), table("trial_publications"))
    assert [line.decode() for line in made] == lines([listed_drug("Beta")], mentions)
