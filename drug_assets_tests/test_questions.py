"""Questions: the answers, how a drug is found, and what is told of a file that is no graph."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.document.questions import (
    Index,
    RelatedDrug,
    RelatedDrugs,
    TopJournal,
    UnknownDrugError,
    related_drugs,
    top_journals,
)
from drug_assets.document.reading import NotAGraphError, read_drugs
from drug_assets.document.schema import DrugInBrief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Document: TypeAlias = list[dict[str, Any]]


def drug(
    name: str,
    *,
    pubmed: tuple[str, ...] = (),
    trials: tuple[str, ...] = (),
    synonyms: tuple[str, ...] = (),
    drug_id: str | None = None,
) -> dict[str, Any]:
    """One drug of a graph document, with the journals whose publications of each type name it."""
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
            "spans": [[0, len(name)]],
        }
        for number, (kind, journal) in enumerate(typed)
    ]
    journals = [
        {
            "journal": journal,
            "journal_id": journal.casefold(),
            "mentions": [
                {"date": mention["date"], "type": mention["type"], "id": mention["id"]}
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


def a_line_a_drug(document: Document) -> bytes:
    lines = ",\n".join(json.dumps(drug, ensure_ascii=False) for drug in document)
    return f"[\n{lines}\n]\n".encode() if document else b"[\n]\n"


LAYOUTS: dict[str, Callable[[Document], bytes]] = {
    "a line a drug": a_line_a_drug,
    "with byte order mark and CRLF": lambda document: (
        b"\xef\xbb\xbf" + a_line_a_drug(document).replace(b"\n", b"\r\n")
    ),
    "with blank lines": lambda document: b"\n" + a_line_a_drug(document).replace(b"\n", b"\n \r\n"),
    "without an end of the last line": lambda document: a_line_a_drug(document).rstrip(),
}


def graph(*document: dict[str, Any]) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO(a_line_a_drug(list(document)))


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


def test_one_reading_answers_every_question() -> None:
    index = Index(DRUGS)
    assert index.top_journals() == top_journals(DRUGS)
    assert index.related_drugs("ASPIRIN") == related_drugs(DRUGS, "ASPIRIN")
    assert index.related_drugs("zinc") == RelatedDrugs("ZINC", [])


def test_a_journal_that_stands_twice_is_one() -> None:
    one, other = (drug(name, pubmed=("Pain",), trials=("Pain",)) for name in ("A", "B"))
    one["journals"] *= 2
    assert top_journals(graph(one, other)) == [TopJournal("Pain", 2, ["A", "B"])]
    assert related_drugs(graph(one, other), "B").related == [RelatedDrug("A", ["Pain"])]


def test_journals_of_one_name_and_other_identities_are_several() -> None:
    one, other, third = (drug(name, pubmed=("Pain",)) for name in ("A", "B", "C"))
    other["journals"][0]["journal_id"] = "another"
    document = graph(one, other, third)
    assert top_journals(document) == [TopJournal("Pain", 2, ["A", "C"])]
    assert related_drugs(document, "A").related == [RelatedDrug("C", ["Pain"])]
    assert related_drugs(document, "B").related == []


def test_journals_of_one_name_that_both_link_are_both_named() -> None:
    linked = [drug(name, pubmed=("Pain", "Pains")) for name in ("A", "B")]
    for one in linked:
        one["journals"][1]["journal"] = "Pain"
    assert top_journals(graph(*linked)) == [TopJournal("Pain", 2, ["A", "B"])] * 2
    assert related_drugs(graph(*linked), "A").related == [RelatedDrug("B", ["Pain", "Pain"])]


def test_drugs_of_one_name_are_several() -> None:
    drugs = [drug("A", pubmed=("Pain",), drug_id=drug_id) for drug_id in "12"]
    other = drug("B", pubmed=("Pain",))
    assert top_journals(graph(*drugs, other)) == [TopJournal("Pain", 3, ["A", "A", "B"])]
    assert related_drugs(graph(*drugs, other), "B").related == [RelatedDrug("A", ["Pain"])] * 2


def test_top_journals_count_drugs_of_both_sources_and_tie_by_name() -> None:
    assert top_journals(DRUGS) == [
        TopJournal("Heart", 3, ["ASPIRIN", "HEPARIN", "WARFARIN"]),
        TopJournal("Pain", 3, ["ASPIRIN", "IBUPROFEN", "WARFARIN"]),
    ]


def test_a_journal_counts_a_drug_once() -> None:
    often = drug("A", pubmed=("Often", "Often"), trials=("Often",))
    others = [drug(name, pubmed=("Twice",)) for name in ("B", "C")]
    assert top_journals(graph(often, *others)) == [TopJournal("Twice", 2, ["B", "C"])]


@pytest.mark.parametrize("document", [[], [UNNAMED]], ids=["no drugs", "no journals"])
def test_no_journal_is_top_where_none_mentions_a_drug(document: Document) -> None:
    assert top_journals(graph(*document)) == []


def test_related_drugs_share_a_journal_in_pubmed() -> None:
    assert related_drugs(DRUGS, "ASPIRIN") == RelatedDrugs(
        "ASPIRIN", [RelatedDrug("IBUPROFEN", ["Pain"]), RelatedDrug("WARFARIN", ["Heart", "Pain"])]
    )


def test_journals_with_a_trial_of_the_drug_can_be_left_out() -> None:
    assert related_drugs(DRUGS, "ASPIRIN", exclude_trial_journals=True) == RelatedDrugs(
        "ASPIRIN", [RelatedDrug("WARFARIN", ["Heart"])]
    )


def test_a_trial_of_another_drug_leaves_no_journal_out() -> None:
    kept = related_drugs(DRUGS, "WARFARIN", exclude_trial_journals=True)
    assert kept == related_drugs(DRUGS, "WARFARIN")
    assert kept.related == [
        RelatedDrug("ASPIRIN", ["Heart", "Pain"]),
        RelatedDrug("IBUPROFEN", ["Pain"]),
    ]


@pytest.mark.parametrize("name", ["ZINC", "HEPARIN"], ids=["no mention", "only in trials"])
def test_a_drug_that_pubmed_does_not_mention_is_related_to_none(name: str) -> None:
    assert related_drugs(DRUGS, name) == RelatedDrugs(name, [])


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
    assert related_drugs(graph(ASPIRIN, IBUPROFEN, other, WARFARIN), "aspirin") == RelatedDrugs(
        "ASPIRIN", [RelatedDrug("IBUPROFEN", ["Pain"]), RelatedDrug("WARFARIN", ["Heart", "Pain"])]
    )


def test_drugs_that_share_a_synonym_are_asked_for_together() -> None:
    one = drug("ONE", pubmed=("Pain",), trials=("Heart",), synonyms=("shared",))
    two = drug("TWO", pubmed=("Heart",), synonyms=("Shared",))
    shared = graph(ASPIRIN, one, two)
    assert related_drugs(shared, "shared") == RelatedDrugs(
        "ONE / TWO", [RelatedDrug("ASPIRIN", ["Heart", "Pain"])]
    )
    assert related_drugs(shared, "shared", exclude_trial_journals=True) == RelatedDrugs(
        "ONE / TWO", [RelatedDrug("ASPIRIN", ["Pain"])]
    )


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
    lines = a_line_a_drug([ASPIRIN, IBUPROFEN, WARFARIN]).splitlines(keepends=True)
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


LINES = a_line_a_drug([ASPIRIN, IBUPROFEN])
WITHOUT_JOURNALS = {key: value for key, value in IBUPROFEN.items() if key != "journals"}
WITHOUT_NAMES = {key: value for key, value in IBUPROFEN.items() if key != "names"}
A_LINE_EACH = "[ on a line of its own"


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
        (LINES + b"]", 5, ""),
        (LINES.replace(b",\n", b"\n"), 3, "] on a line of its own"),
        (LINES.replace(b"\n]", b",\n]"), 4, "a drug"),
        (LINES.replace(b",\n", b",,\n"), 2, "a drug of the graph"),
        (b"[\n" + LINES, 2, "a drug, or ] on a line of its own"),
        (LINES.replace(b"IBUPROFEN", b"\xff"), 3, "a drug of the graph"),
        (b"id,title\n1,x\n", 1, A_LINE_EACH),
        (b'{"drug": "A"}', 1, A_LINE_EACH),
        (b"[1, 2]", 1, A_LINE_EACH),
        (b"[" * 200_000, 1, A_LINE_EACH),
        (b'[\n{"more": ' + b"[" * 200_000, 2, "a drug of the graph"),
        (a_line_a_drug([ASPIRIN, WITHOUT_JOURNALS]), 3, "missing required field `journals`"),
        (a_line_a_drug([ASPIRIN, WITHOUT_NAMES]), 3, "missing required field `names`"),
        (a_line_a_drug([ASPIRIN, {**IBUPROFEN, "drug": 7}]), 3, "a drug of the graph"),
        (LINES.replace(b"clinical_trial", b"blog"), 2, "a drug of the graph"),
        (LINES.replace(b'"journal_id"', b'"nlm_id"'), 2, "missing required field `journal_id`"),
        (json.dumps([ASPIRIN, IBUPROFEN]).encode(), 1, A_LINE_EACH),
        (json.dumps([ASPIRIN], indent=1).encode(), 2, "a drug of the graph"),
        (LINES.replace(b",\n{", b"\n,{"), 3, "] on a line of its own"),
        (LINES.replace(b"[\n", b"["), 1, A_LINE_EACH),
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
    path.write_bytes(a_line_a_drug([ASPIRIN, IBUPROFEN]))
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


JOURNALS = st.lists(st.sampled_from(["J1", "J2", "J3", "J4"]), max_size=4).map(tuple)
DOCUMENTS = st.lists(st.tuples(JOURNALS, JOURNALS), min_size=1, max_size=6).map(
    lambda mentioned: [
        drug(f"D{number}", pubmed=pubmed, trials=trials)
        for number, (pubmed, trials) in enumerate(mentioned)
    ]
)


@settings(max_examples=100)
@given(document=DOCUMENTS, exclude=st.booleans())
def test_answers_follow_from_the_mentions(document: Document, exclude: bool) -> None:
    facts = {(d["drug"], m["type"], m["journal"]) for d in document for m in d["mentions"]}
    everywhere = {journal for _, _, journal in facts}
    counts = {j: len({d for d, _, of in facts if of == j}) for j in everywhere}
    assert [(top.journal, top.drug_count) for top in top_journals(graph(*document))] == sorted(
        (j, count) for j, count in counts.items() if count == max(counts.values())
    )
    for asked in (d["drug"] for d in document):
        linking = {
            (other, journal)
            for other, kind, journal in facts
            if other != asked
            and kind == "pubmed"
            and (asked, "pubmed", journal) in facts
            and not (exclude and (asked, "clinical_trial", journal) in facts)
        }
        answer = related_drugs(graph(*document), asked, exclude_trial_journals=exclude)
        assert {(r.drug, j) for r in answer.related for j in r.journals} == linking
        assert [r.drug for r in answer.related] == sorted({other for other, _ in linking})
        assert all(r.journals == sorted(set(r.journals)) for r in answer.related)
