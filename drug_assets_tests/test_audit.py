"""Checks between tables: what each finds, its figures, and its summary."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drug_assets import audit, contracts
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.publications import clean_publications, collect_journals
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets.document.reading import divide
from drug_assets.document.verifying import ReadDocument, read_graph
from drug_assets.document.writing import write_lines
from drug_assets.engines.local import LocalMachine
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets.terms import ATC_CODE, DatePrecision, RejectReason
from drug_assets_tests.support.raw import (
    Row,
    drug_rows,
    drug_tables,
    listed_drug,
    mention,
    pubmed_rows,
    records_of,
    table,
    trial_publication,
)
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LANCET = {"journal": "Lancet", "journal_id": "lancet"}
NO_TIES = table("trial_publications")
NO_NAMES = ReadDocument(None, [])
FIGURES: Mapping[str, int] = {
    "drugs": 3,
    "drugs_in_names": 0,
    "mentions": 2,
    "journals": 1,
    "retracted_mentions": 1,
}


def place(row: int, file: str = "p.csv") -> Row:
    return {"source_file": file, "source_row": row}


class TestContractKept:
    def test_rows_that_keep_it(self) -> None:
        assert audit.contract_kept(contracts.Drugs, table("drugs", listed_drug("Beta"))).passed

    def test_no_rows_keep_it(self) -> None:
        assert audit.contract_kept(contracts.Drugs, table("drugs")).passed

    def test_it_names_the_rules_and_counts_the_rows(self) -> None:
        rows = [listed_drug("Alpha", atc_codes=["A4"]), listed_drug(""), listed_drug("")]
        finding = audit.contract_kept(contracts.Drugs, table("drugs", *rows))
        assert not finding.passed
        assert finding.figures == {
            "atc_codes_have_their_shape": 1,
            "drug|min_length": 2,
            "primary_key": 2,
        }
        assert "primary_key: 2 rows" in finding.summary

    @pytest.mark.parametrize(
        "corrupted",
        [lambda t: t.drop("names"), lambda t: t.with_columns(names=pl.lit("Beta"))],
        ids=["column lost", "another type"],
    )
    def test_columns_that_are_not_the_contracts(
        self, corrupted: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> None:
        rows = corrupted(table("drugs", listed_drug("Beta")))
        finding = audit.contract_kept(contracts.Drugs, rows)
        assert not finding.passed
        assert "names" in finding.summary
        assert "\n" not in finding.summary


class TestNothingLost:
    RAW: ClassVar = [place(n) for n in (1, 2, 3, 4)] + [place(1, "q.csv")]
    KEPT: ClassVar = [{**place(1), "publication_id": "1"}, {**place(2), "publication_id": "2"}]
    MERGED: ClassVar = [place(3), place(1, "q.csv")]
    REJECTED: ClassVar = [place(4)]

    def finding(self, **changed: list[Row]) -> audit.Finding:
        tables = {
            "raw": self.RAW,
            "kept": self.KEPT,
            "merged": self.MERGED,
            "rejected": self.REJECTED,
        }
        names = {
            "raw": "raw_pubmed",
            "kept": "pubmed",
            "merged": "merged_pubmed",
            "rejected": "rejected_records",
        }
        tables.update(changed)
        return audit.nothing_lost(**{n: table(names[n], *rows) for n, rows in tables.items()})

    def test_every_row_once(self) -> None:
        finding = self.finding()
        assert finding.passed
        assert finding.summary == "5 raw = 2 kept + 2 merged + 1 rejected"

    def test_no_rows(self) -> None:
        assert self.finding(raw=[], kept=[], merged=[], rejected=[]).passed

    @pytest.mark.parametrize("lost_from", ["kept", "merged", "rejected"])
    def test_a_lost_row(self, lost_from: str) -> None:
        rows = getattr(self, lost_from.upper())
        assert not self.finding(**{lost_from: rows[1:]}).passed

    def test_a_row_twice_instead_of_another(self) -> None:
        finding = self.finding(merged=[place(3), place(4)])
        assert not finding.passed
        assert finding.figures["accounted_for_twice"] == 1

    def test_a_kept_row_merged_too_instead_of_another(self) -> None:
        assert not self.finding(merged=[place(3), place(1)]).passed

    def test_a_row_of_another_file_instead_of_one(self) -> None:
        finding = self.finding(merged=[place(3), place(2, "q.csv")])
        assert not finding.passed
        assert finding.figures["not_a_raw_row"] == 1

    def test_a_row_without_a_number_instead_of_one(self) -> None:
        nowhere: Row = {**place(3), "source_row": None}
        finding = self.finding(merged=[nowhere, place(1, "q.csv")])
        assert not finding.passed
        assert finding.figures["not_a_raw_row"] == 1

    def test_a_row_too_many(self) -> None:
        assert not self.finding(merged=[*self.MERGED, place(9)]).passed

    def drugs_finding(self, drugs: int, merged: list[Row]) -> audit.Finding:
        return audit.nothing_lost(
            table("raw_drugs", *(place(n) for n in (1, 2, 3))),
            table("drugs", *(listed_drug(f"drug {n}") for n in range(drugs))),
            table("merged_drugs", *merged),
            table("rejected_records", place(3)),
        )

    def test_drugs_have_no_place_but_are_counted(self) -> None:
        assert self.drugs_finding(1, [place(2)]).passed
        assert not self.drugs_finding(2, [place(2)]).passed
        assert not self.drugs_finding(0, [place(2)]).passed
        assert not self.drugs_finding(1, [place(3)]).passed

    @pytest.mark.slow
    @settings(max_examples=5, deadline=None)
    @given(drug_tables())
    def test_cleaning_drugs_loses_nothing(self, rows: list[Row]) -> None:
        raw = drug_rows(*rows)
        records = records_of({"drugs": raw})
        kept, merged, _ = clean_drugs(records["drugs"])
        rejected = collect_rejected({"drugs": raw}, records)
        assert audit.nothing_lost(raw, kept, merged, rejected).passed

    def test_cleaning_publications_loses_nothing(self) -> None:
        same = {"title": "Beta", "date": "2020"}
        deletion = {"id": "2", "citation_status": DELETED}
        raw = pubmed_rows({**same, "id": "1"}, same, {}, {"id": "2", "title": "Gone"}, deletion)
        records = records_of({"pubmed": raw})
        known = collect_journals([records["pubmed"]])
        kept, merged = clean_publications(PUBMED, records["pubmed"], known)
        finding = audit.nothing_lost(raw, kept, merged, collect_rejected({"pubmed": raw}, records))
        assert finding.passed
        assert finding.summary == "5 raw = 1 kept + 1 merged + 3 rejected"


class TestSpans:
    DRUGS: ClassVar = [listed_drug("Beta", names=["Beta", "b-1"]), listed_drug("Éta")]

    def finding(
        self, title: str, *spans: tuple[Any, Any, Any], drug: str = "Beta"
    ) -> audit.Finding:
        struct = [
            {**dict(zip(("start", "end", "text"), span, strict=True)), "by": "name"}
            for span in spans
        ]
        row = mention(drug, title=title, spans=struct)
        return audit.spans_spell_their_drug(table("mentions", row), table("drugs", *self.DRUGS))

    @pytest.mark.parametrize(
        ("title", "span"),
        [
            ("Beta", (0, 4, "Beta")),
            ("On bêtA-induced", (3, 7, "bêtA")),
            ("On (B-1).", (4, 7, "B-1")),
            ("𝛼é Beta", (3, 7, "Beta")),
        ],
    )
    def test_good_spans(self, title: str, span: tuple[int, int, str]) -> None:
        finding = self.finding(title, span)
        assert finding.passed
        assert finding.figures == {"spans": 1, "wrong": 0}

    def test_no_mentions(self) -> None:
        assert audit.spans_spell_their_drug(table("mentions"), table("drugs", *self.DRUGS)).passed

    def test_spans_that_are_alike_are_all_counted(self) -> None:
        right, wrong = (9, 13, "Beta"), (0, 4, "Beta")
        finding = self.finding("On beta, Beta or Beta.", wrong, wrong, right, (17, 21, "Beta"))
        assert finding.figures == {"spans": 4, "wrong": 2}

    @pytest.mark.parametrize(
        ("title", "span"),
        [
            ("On beta and", (2, 6, "beta")),
            ("On beta and", (4, 8, "beta")),
            ("On beta and", (3, 6, "bet")),
            ("On beta and", (3, 8, "beta ")),
            ("On beta and", (3, 7, "Beta")),
            ("On beta and", (3, 7, "b-1")),
            ("On gamma", (3, 8, "gamma")),
            ("On éta", (3, 6, "éta")),
            ("Beta", (0, 5, "Beta")),
            ("- Beta", (-4, 0, "Beta")),
            ("Beta", (0, 0, "")),
            ("Beta", (None, 4, "Beta")),
            ("Beta", (0, None, "Beta")),
            ("Beta", (0, 4, None)),
        ],
        ids=[
            "one early", "one late", "cut", "blank too many", "not as in the title", "other name",
            "no name", "name of another drug", "past the end", "before the start", "empty",
            "no start", "no end", "no text",
        ],
    )  # fmt: skip
    def test_wrong_spans(self, title: str, span: tuple[Any, Any, Any]) -> None:
        finding = self.finding(title, span)
        assert not finding.passed
        assert finding.figures == {"spans": 1, "wrong": 1}

    @pytest.mark.parametrize("neighbour", ["x", "X", "7", "é", "ж", "酸", "٣", "₂"])
    def test_a_letter_or_digit_of_any_script_beside_it(self, neighbour: str) -> None:
        assert not self.finding(f"On Beta{neighbour}", (3, 7, "Beta")).passed
        assert not self.finding(f"{neighbour}Beta on", (1, 5, "Beta")).passed

    @pytest.mark.parametrize("neighbour", ["-", " ", ",", "(", "'", "_", "–", "®"])
    def test_anything_else_beside_it(self, neighbour: str) -> None:
        assert self.finding(f"On{neighbour}Beta{neighbour}on", (3, 7, "Beta")).passed

    def test_one_wrong_span_of_several(self) -> None:
        finding = self.finding("Beta, beta", (0, 4, "Beta"), (5, 9, "beta"))
        assert not finding.passed
        assert finding.figures == {"spans": 2, "wrong": 1}

    def test_a_drug_that_is_not_listed(self) -> None:
        assert not self.finding("Beta", (0, 4, "Beta"), drug="Gamma").passed


class TestIds:
    DRUGS = table("drugs", listed_drug("Beta"))
    PUBLICATIONS: ClassVar = {
        "pubmed": table("pubmed", {"publication_id": "1"}),
        "clinical_trials": table("clinical_trials", {"publication_id": "NCT1"}),
    }

    def finding(self, *mentions: Row) -> audit.Finding:
        return audit.ids_exist(table("mentions", *mentions), self.DRUGS, self.PUBLICATIONS)

    def test_known_ids(self) -> None:
        assert self.finding(mention("Beta"), mention("Beta", "NCT1", "clinical_trials")).passed
        assert self.finding().passed

    @pytest.mark.parametrize(
        ("unknown", "figure"),
        [
            (mention("Gamma"), "unknown_drugs"),
            (mention("Beta", "2"), "unknown_pubmed"),
            (mention("Beta", "NCT1"), "unknown_pubmed"),
            (mention("Beta", "1", "clinical_trials"), "unknown_clinical_trials"),
        ],
    )
    def test_unknown_ids(self, unknown: Row, figure: str) -> None:
        finding = self.finding(mention("Beta"), unknown)
        assert not finding.passed
        assert {name for name, count in finding.figures.items() if count} == {figure}


class TestReferences:
    PUBLICATIONS: ClassVar = {
        "pubmed": table("pubmed", {"publication_id": "1"}),
        "clinical_trials": table("clinical_trials", {"publication_id": "NCT1"}),
    }
    DANGLING = trial_publication("NCT1", "9", publication_in_store=False, title=None)
    UNKNOWN_TRIAL = trial_publication(
        "NCT9", kind="named", given_by="publication", trial_in_store=False
    )

    def test_what_is_said_of_the_store_is_true(self) -> None:
        rows = table(
            "trial_publications", trial_publication("NCT1"), self.DANGLING, self.UNKNOWN_TRIAL
        )
        finding = audit.references_agree(rows, self.PUBLICATIONS)
        assert finding.passed
        assert set(finding.figures.values()) == {0}

    @pytest.mark.parametrize(
        ("row", "figure"),
        [
            (trial_publication("NCT9"), "trial_in_store.unknown_clinical_trials"),
            (trial_publication("NCT1", "9"), "publication_in_store.unknown_pubmed"),
            (
                {**DANGLING, "publication_id": "1"},
                "publication_in_store.overlooked_pubmed",
            ),
            (
                {**UNKNOWN_TRIAL, "trial_id": "NCT1"},
                "trial_in_store.overlooked_clinical_trials",
            ),
        ],
    )
    def test_what_is_not_true_is_counted(self, row: Row, figure: str) -> None:
        finding = audit.references_agree(table("trial_publications", row), self.PUBLICATIONS)
        assert not finding.passed
        assert {name for name, count in finding.figures.items() if count} == {figure}

    def test_references_that_lead_out_of_the_store_are_counted_by_kind(self) -> None:
        inside = [trial_publication(f"NCT{n}") for n in range(6)]
        rows = [*inside, self.DANGLING, self.UNKNOWN_TRIAL]
        finding = audit.few_references_dangle(table("trial_publications", *rows))
        assert (finding.passed, finding.summary) == (
            True,
            "2 of 8 references lead out of the store",
        )
        assert finding.figures == {
            "references": 8,
            "dangling": 2,
            "share": 0.25,
            "dangling.named": 1,
            "dangling.result": 1,
        }
        assert not audit.few_references_dangle(table("trial_publications", *rows[1:])).passed
        assert audit.few_references_dangle(NO_TIES).passed


class TestGraphDocument:
    DRUGS: ClassVar = [listed_drug(name) for name in ("Alpha", "Beta", "Éta")]
    MENTIONS: ClassVar = [
        mention("Beta", "1", title="On “Beta” é", **LANCET),
        mention("Beta", "1", "clinical_trials", **LANCET),
        mention("Beta", "2"),
        mention("Éta", "1", title="Éta", **LANCET),
    ]

    @pytest.fixture(scope="class")
    @classmethod
    def written_lines(cls) -> tuple[str, ...]:
        return tuple(line.decode() for line in write_lines(*cls().tables()))

    @pytest.fixture
    def lines(self, written_lines: tuple[str, ...]) -> list[str]:
        """The lines of the document, to be changed."""
        return list(written_lines)

    def tables(self) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
        return (
            table("drugs", *self.DRUGS),
            table("mentions", *self.MENTIONS),
            table("trial_publications", trial_publication("1", "1"), trial_publication("1", "2")),
        )

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "graph.json"

    def written(self, path: Path, lines: list[str]) -> Path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def equals(self, path: Path) -> audit.Finding:
        return audit.graph_equals_mentions(read_graph(path), NO_NAMES, *self.tables())

    def changed(self, line: str, change: Callable[[Any], None]) -> str:
        drug = json.loads(line.removesuffix(","))
        change(drug)
        return json.dumps(drug) + "," * line.endswith(",")

    @pytest.mark.parametrize("end", ["\n", "", "\r\n", "\n\n"])
    def test_a_good_document(self, path: Path, lines: list[str], end: str) -> None:
        path.write_bytes(((end or "\n").join(lines) + end).encode())
        finding = audit.document_is_valid(read_graph(path))
        assert (finding.passed, finding.summary) == (True, "3 drugs are as declared")
        finding = self.equals(path)
        figures = {
            "drugs": 3,
            "drugs_in_names": 0,
            "mentions": 4,
            "journals": 1,
            "retracted_mentions": 0,
        }
        assert (finding.passed, finding.figures) == (True, figures)

    @pytest.mark.parametrize("member", ["trials", "publications"])
    def test_a_tie_that_is_gone(self, path: Path, lines: list[str], member: str) -> None:
        def without_ties(drug: Any) -> None:
            for each in drug["mentions"]:
                each[member] = []

        lines[2] = self.changed(lines[2], without_ties)
        finding = self.equals(self.written(path, lines))
        assert (finding.passed, finding.summary) == (False, "1 drugs differ from the tables")

    def test_a_document_without_drugs(self, path: Path) -> None:
        self.written(path, ["[", "]"])
        assert audit.document_is_valid(read_graph(path)).passed
        assert audit.graph_equals_mentions(
            read_graph(path), NO_NAMES, table("drugs"), table("mentions"), NO_TIES
        ).passed

    @pytest.mark.slow
    def test_a_document_cut_anywhere(self, path: Path, lines: list[str]) -> None:
        whole = "\n".join(lines).encode()
        for cut in range(len(whole)):
            path.write_bytes(whole[:cut])
            read = read_graph(path)
            assert not audit.document_is_valid(read).passed, whole[:cut]
            assert read_graph(path, LocalMachine(), section_bytes=1) == read

    @pytest.mark.parametrize("section_bytes", [1, 100, 400, 700, 10_000])
    def test_a_document_read_in_sections(
        self, path: Path, lines: list[str], section_bytes: int
    ) -> None:
        self.written(path, lines)
        sections = divide(path, section_bytes)
        assert len(sections) == {1: 3, 10_000: 0}.get(section_bytes, len(sections))
        read = read_graph(path, LocalMachine(), section_bytes)
        assert audit.document_is_valid(read).passed
        assert read == read_graph(path)
        assert [counted[0] for counted in read.counts] == ["alpha", "beta", "éta"]

    @pytest.mark.processes
    def test_sections_read_by_several_processes(self, path: Path, lines: list[str]) -> None:
        self.written(path, lines)
        workers = LocalMachine(worth_bytes=0)
        assert read_graph(path, workers, section_bytes=1) == read_graph(path)

    def test_a_cut_document_does_not_equal_the_mentions(self, path: Path, lines: list[str]) -> None:
        whole = "\n".join(lines).encode()
        for cut in [*range(0, len(whole) - len(lines[-2]), 97), whole.index("É".encode()) + 1]:
            path.write_bytes(whole[:cut])
            assert not self.equals(path).passed, whole[:cut]

    @pytest.mark.parametrize(
        "corrupted",
        [
            lambda ls: ls[1:],
            lambda ls: ["[", *ls],
            lambda ls: [*ls, "]"],
            lambda ls: [*ls, "x"],
            lambda ls: [*ls, ls[1]],
            lambda ls: [ls[0], ls[1].removesuffix(","), *ls[2:]],
            lambda ls: [*ls[:-2], ls[-2] + ",", ls[-1]],
            lambda ls: [ls[0], ls[1] + ",", *ls[2:]],
            lambda ls: [ls[0] + ls[1], *ls[2:]],
            lambda ls: [ls[0], ls[1] + ls[2], *ls[3:]],
            lambda ls: [ls[0], *ls[1].split(" "), "x", *ls[2:]],
        ],
        ids=[
            "no opening", "opened twice", "closed twice", "text after", "drug after",
            "comma missing", "comma too many", "two commas", "not on its own line",
            "two on a line", "stray text",
        ],
    )  # fmt: skip
    def test_what_is_no_array_of_a_line_a_drug(
        self, path: Path, lines: list[str], corrupted: Callable[[list[str]], list[str]]
    ) -> None:
        read = read_graph(self.written(path, corrupted(lines)))
        assert not audit.document_is_valid(read).passed
        for section_bytes in (1, len(lines[1]), 2 * len(lines[1])):
            assert read_graph(path, LocalMachine(), section_bytes) == read

    def test_what_is_not_as_declared_is_said_with_its_line(
        self, path: Path, lines: list[str]
    ) -> None:
        lines[2] = self.changed(lines[2], lambda d: d["mentions"][0].update(date="2020"))
        finding = audit.document_is_valid(read_graph(self.written(path, lines)))
        assert not finding.passed
        assert finding.summary.startswith(f"{path} is not a graph document: line 3: ")

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d["mentions"].append(d["mentions"][0]),
            lambda d: d["mentions"].pop(),
            lambda d: d["journals"][0]["mentions"].pop(),
            lambda d: d["journals"].clear(),
            lambda d: d.update(drug_id="alpha"),
            lambda d: d.update(drug_id="gamma"),
        ],
        ids=[
            "extra mention", "lost mention", "lost mention of a journal", "lost journal",
            "a drug twice", "another drug",
        ],
    )  # fmt: skip
    def test_a_drug_that_differs(
        self, path: Path, lines: list[str], change: Callable[[Any], None]
    ) -> None:
        lines[2] = self.changed(lines[2], change)
        finding = self.equals(self.written(path, lines))
        assert not finding.passed
        assert "drugs differ" in finding.summary

    @pytest.mark.parametrize("line", [1, 2, 3])
    def test_a_missing_drug(self, path: Path, lines: list[str], line: int) -> None:
        del lines[line]
        assert not self.equals(self.written(path, lines)).passed

    @pytest.mark.parametrize("times", [1, 2, 3])
    @pytest.mark.parametrize("drug_id", ["alpha", "unknown"])
    def test_a_drug_too_many(self, path: Path, lines: list[str], times: int, drug_id: str) -> None:
        extra = self.changed(lines[1], lambda d: d.update(drug_id=drug_id))
        lines[1:1] = [extra] * times
        assert not self.equals(self.written(path, lines)).passed

    @pytest.mark.parametrize("text", ["x", "{}", "[\n1\n]", '[\n{"drug_id": "a"}\n]', "\xff"])
    def test_what_is_no_graph_at_all(self, path: Path, text: str) -> None:
        path.write_bytes(text.encode("latin-1"))
        assert not audit.document_is_valid(read_graph(path)).passed
        finding = self.equals(path)
        assert not finding.passed
        assert finding.summary.startswith("it cannot be read")


DRUG = {
    "drug_id": "beta",
    "drug": "Beta",
    "names": ["Beta"],
    "atc_codes": ["A04AD"],
    "mentions": [
        {
            "type": "pubmed",
            "id": "1",
            "title": "“Beta” é",
            "journal": "Lancet",
            "journal_id": "lancet",
            "date": "2020-01-01",
            "date_precision": "day",
            "retracted": None,
            "spans": [[1, 5]],
            "publications": [
                {
                    "type": "pubmed",
                    "id": "2",
                    "kind": "result",
                    "journal": None,
                    "journal_id": "x",
                    "date": "2020-01-01",
                    "date_precision": "day",
                    "retracted": None,
                }
            ],
            "trials": [{"type": "clinical_trial", "id": "NCT1", "kind": "named"}],
        }
    ],
    "journals": [
        {
            "journal": "Lancet",
            "journal_id": "lancet",
            "mentions": [{"date": "2020-01-01", "type": "pubmed", "id": "1", "retracted": None}],
        }
    ],
}
#: JSON values, each valid or nearly valid somewhere in a drug.
VALUES = [
    *("null", "true", "{}", "[]", "[[]]", "[null]", '""', '"x"', '" "', r'"\ud800"', r'"\u0000"'),
    *("0", "-0", "-1", "1.0", "1.5", "1e2", "1e400", "18446744073709551616"),
    *("[[0,1]]", "[[0,1,2]]", "[[0]]", "[[1.0,2]]", "[[-0,true]]", "[[0,36893488147419103232]]"),
    *('"2020-02-30"', '"0000-00-00"', r'"2020-01-01\n"', '" 2020-01-01"', '"2020-1-1"'),
    *('"20200101"', '"2020-01-01T00:00:00Z"', r'"2020\u002d01-01"', '"٢٠٢٠-01-01"'),
    *('"day"', '"season"', '"Pubmed"', '["A04AD"]', r'["A04AD\n"]', '["A٠٤"]', '["A", ""]'),
]  # fmt: skip


@st.composite
def drug_lines(draw: st.DrawFn) -> bytes:
    """A drug of a document, as JSON with one value and a few bytes of it changed."""
    drug = json.loads(json.dumps(DRUG))
    part = drug
    while True:
        key = draw(st.sampled_from([*part, "more"] if isinstance(part, dict) else [0]))
        inner = part.get(key) if isinstance(part, dict) else part[key]
        if not isinstance(inner, dict | list) or draw(st.booleans()):
            break
        part = inner
    if key == "more" or draw(st.integers(0, 9)):
        part[key] = "changed"
    else:
        del part[key]
    text = json.dumps(drug, ensure_ascii=draw(st.booleans()))
    line = text.replace('"changed"', draw(st.sampled_from(VALUES))).encode()
    if draw(st.booleans()):
        return line
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    between = draw(st.sampled_from([b"", line[start:end], b"\xff", b"1"]))
    return line[:start] + between + line[draw(st.sampled_from([start, end])) :]


def has(value: object, **members: Callable[[Any], bool]) -> bool:
    """Whether a value is an object of these members, each as it has to be."""
    return (
        isinstance(value, dict)
        and value.keys() == members.keys()
        and all(holds(value[name]) for name, holds in members.items())
    )


def of_each(value: object, holds: Callable[[Any], bool], least: int = 0) -> bool:
    return isinstance(value, list) and len(value) >= least and all(map(holds, value))


def is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def is_text_or_null(value: object) -> bool:
    return value is None or is_text(value)


def is_bool_or_null(value: object) -> bool:
    return value is None or isinstance(value, bool)


def is_kind(value: object) -> bool:
    return isinstance(value, str) and value in {"pubmed", "clinical_trial"}


def is_kind_of_tie(value: object) -> bool:
    return isinstance(value, str) and value in {"result", "derived", "background", "named"}


def is_date_or_null(value: object) -> bool:
    if not isinstance(value, str):
        return value is None
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def is_precision_or_null(value: object) -> bool:
    return value in [None, *DatePrecision]


def is_span(value: object) -> bool:
    def is_position(end: object) -> bool:
        return isinstance(end, int | float) and not isinstance(end, bool) and end >= 0 == end % 1

    return of_each(value, is_position) and isinstance(value, list) and len(value) == 2


def is_drug(value: object) -> bool:
    """Whether a value is a drug of a document (SPEC 5), decided without `document.schema`."""
    return has(
        value,
        drug_id=is_text,
        drug=is_text,
        names=lambda names: of_each(names, is_text),
        atc_codes=lambda codes: of_each(
            codes, lambda code: isinstance(code, str) and bool(re.fullmatch(ATC_CODE, code))
        ),
        mentions=lambda mentions: of_each(
            mentions,
            lambda mention: has(
                mention,
                type=is_kind,
                id=is_text,
                title=is_text,
                journal=is_text_or_null,
                journal_id=is_text_or_null,
                date=is_date_or_null,
                date_precision=is_precision_or_null,
                retracted=is_bool_or_null,
                spans=lambda spans: of_each(spans, is_span, 1),
                publications=lambda publications: of_each(
                    publications,
                    lambda publication: has(
                        publication,
                        type=is_kind,
                        id=is_text,
                        kind=is_kind_of_tie,
                        journal=is_text_or_null,
                        journal_id=is_text_or_null,
                        date=is_date_or_null,
                        date_precision=is_precision_or_null,
                        retracted=is_bool_or_null,
                    ),
                ),
                trials=lambda trials: of_each(
                    trials, lambda trial: has(trial, type=is_kind, id=is_text, kind=is_kind_of_tie)
                ),
            ),
        ),
        journals=lambda journals: of_each(
            journals,
            lambda journal: has(
                journal,
                journal=is_text,
                journal_id=is_text,
                mentions=lambda mentions: of_each(
                    mentions,
                    lambda mention: has(
                        mention,
                        date=is_date_or_null,
                        type=is_kind,
                        id=is_text,
                        retracted=is_bool_or_null,
                    ),
                    1,
                ),
            ),
        ),
    )


def says_a_key_twice(line: bytes) -> bool:
    """Whether an object has a key twice: JSON does not define what that means."""
    objects: list[list[str]] = []
    json.loads(line, object_pairs_hook=lambda pairs: objects.append([key for key, _ in pairs]))
    return any(len(keys) > len({*keys}) for keys in objects)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(drug_lines().filter(bool))
def test_a_document_is_valid_if_and_only_if_its_drugs_are_as_the_spec_says(
    tmp_path_factory: pytest.TempPathFactory, line: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "drug_lines.json"
    path.write_bytes(b"[\n" + line + b"\n]\n")
    read = read_graph(path)
    try:
        drug = msgspec.json.decode(line)
        assume(not says_a_key_twice(line))
    except (msgspec.DecodeError, UnicodeDecodeError):
        drug = None
    if not is_drug(drug):
        assert not audit.document_is_valid(read).passed
        return
    in_journals = sum(len(journal["mentions"]) for journal in drug["journals"])
    ties = sum(len(m["publications"]) + len(m["trials"]) for m in drug["mentions"])
    assert read == (None, [(drug["drug_id"], len(drug["mentions"]), in_journals, ties)])


class TestSummaries:
    """What people read of a check."""

    def test_spans(self) -> None:
        rows = [
            mention("Beta"),
            mention("Beta", "2", spans=[{"start": 0, "end": 2, "text": "On", "by": "name"}]),
        ]
        finding = audit.spans_spell_their_drug(
            table("mentions", *rows), table("drugs", listed_drug("Beta"))
        )
        assert (finding.summary, finding.figures) == (
            "1 of 2 spans are wrong",
            {"spans": 2, "wrong": 1},
        )

    def test_ids(self) -> None:
        found = audit.ids_exist(
            table("mentions", mention("Beta"), mention("Gamma", "2")),
            table("drugs", listed_drug("Beta")),
            {"pubmed": table("pubmed", {"publication_id": "1"})},
        )
        assert found == audit.Finding(
            passed=False,
            summary="2 mentions of unknown drugs or publications",
            figures={"unknown_drugs": 1, "unknown_pubmed": 1},
        )

    def test_contracts(self) -> None:
        rows = [listed_drug("Alpha", atc_codes=["A4"]), listed_drug(""), listed_drug("")]
        assert audit.contract_kept(contracts.Drugs, table("drugs", *rows)).summary == (
            "atc_codes_have_their_shape: 1 rows, drug|min_length: 2 rows, primary_key: 2 rows"
        )
        kept = audit.contract_kept(contracts.Drugs, table("drugs"))
        assert kept == audit.Finding(passed=True, summary="every rule holds")

    def test_the_graph(self) -> None:
        drugs = table("drugs", *(listed_drug(name) for name in ("Alpha", "Beta", "Gamma")))
        mentions = table(
            "mentions", mention("Beta", "1", **LANCET), mention("Beta", "2", retracted=True)
        )
        same = ReadDocument(None, [("gamma", 0, 0, 0), ("beta", 2, 1, 0), ("alpha", 0, 0, 0)])
        assert audit.graph_equals_mentions(
            same, NO_NAMES, drugs, mentions, NO_TIES
        ) == audit.Finding(
            passed=True,
            summary="0 drugs differ from the tables",
            figures=FIGURES,
        )
        other = ReadDocument(None, [("gamma", 1, 0, 0), ("beta", 2, 2, 0), ("alpha", 0, 0, 0)])
        assert audit.graph_equals_mentions(
            other, NO_NAMES, drugs, mentions, NO_TIES
        ) == audit.Finding(
            passed=False,
            summary="2 drugs differ from the tables",
            figures={**FIGURES, "mentions": 3},
        )
        damaged = ReadDocument("line 3: odd", [("beta", 2, 1, 0)])
        assert audit.document_is_valid(damaged) == audit.Finding(
            passed=False, summary="line 3: odd"
        )
        for documents in ((damaged, NO_NAMES), (same, damaged)):
            assert audit.graph_equals_mentions(
                *documents, drugs, mentions, NO_TIES
            ) == audit.Finding(passed=False, summary="it cannot be read: line 3: odd")

    def test_a_drug_without_mentions_is_in_one_of_both_documents(self) -> None:
        drugs = table("drugs", listed_drug("Alpha"), listed_drug("Beta"))
        mentions = table("mentions", mention("Beta", "1"))
        alpha, beta = ("alpha", 0, 0, 0), ("beta", 1, 0, 0)

        def differ(in_graph: list[Any], in_names: list[Any]) -> str:
            graph, names = (ReadDocument(None, listed) for listed in (in_graph, in_names))
            return audit.graph_equals_mentions(graph, names, drugs, mentions, NO_TIES).summary

        assert differ([alpha, beta], []) == "0 drugs differ from the tables"
        assert differ([beta], [alpha]) == "0 drugs differ from the tables"
        assert differ([beta], []) == "1 drugs differ from the tables"
        assert differ([alpha, beta], [alpha]) == "1 drugs differ from the tables"
        assert differ([beta], [alpha, alpha]) == "1 drugs differ from the tables"
        assert differ([alpha], [("beta", 0, 0, 0)]) == "1 drugs differ from the tables"


class TestFigures:
    @pytest.mark.parametrize(("part", "whole", "share"), [(0, 0, 0.0), (1, 3, 0.3333), (2, 2, 1)])
    def test_share(self, part: int, whole: int, share: float) -> None:
        assert audit.share(part, whole) == share

    def test_rejected_by_reason(self) -> None:
        rows = [
            {"source": "pubmed", "reasons": ["blank_row", "blank_title"]},
            {"source": "pubmed", "reasons": ["blank_title"]},
            {"source": "drugs", "reasons": ["blank_name"]},
        ]
        found = audit.rejected_by_reason(table("rejected_records", *rows))
        assert sum(found.values()) == len(rows), "each row counts once, by its first cause"
        assert list(found.items()) == [
            ("drugs.blank_name", 1),
            ("pubmed.blank_row", 1),
            ("pubmed.blank_title", 1),
        ]
        assert audit.rejected_by_reason(table("rejected_records")) == {}

    def test_rejected_rows_are_counted_by_source_then_by_reason(self) -> None:
        reasons = [*RejectReason]
        rows = [
            {"source": source, "reasons": sorted(reasons[number:])}
            for source in ("pubmed", "drugs", "clinical_trials")
            for number in range(len(reasons))
            for _ in range(number + 1)
        ]
        expected = {
            f"{source}.{reason}": reasons.index(reason) + 1
            for source in ("clinical_trials", "drugs", "pubmed")
            for reason in sorted(reasons)
        }
        rejected = table("rejected_records", *rows)
        assert list(audit.rejected_by_reason(rejected).items()) == list(expected.items())
        raw = {source: table(f"raw_{source}") for source in ("pubmed", "drugs", "clinical_trials")}
        figures = audit.few_are_rejected(rejected, raw).figures
        assert list(figures)[4:] == list(expected)


class TestSize:
    @pytest.mark.parametrize(
        ("rows", "before", "passed"),
        [
            (9, 10, True),
            (10, 10, True),
            (20, 10, True),
            (0, 0, True),
            (8, 10, False),
            (0, 1, False),
        ],
    )
    def test_more_than_a_tenth_of_the_rows_may_not_go(
        self, rows: int, before: int, passed: bool
    ) -> None:
        finding = audit.did_not_shrink(table("pubmed", *[{}] * rows), before)
        assert finding.passed is passed
        assert finding.figures == {"rows": rows, "rows_before": before}
        assert finding.summary.endswith(f", {before} the last time")

    def test_the_first_time_nothing_is_compared(self) -> None:
        assert audit.did_not_shrink(table("pubmed", {}), None) == audit.Finding(
            passed=True, summary="1 row, the first time"
        )


class TestExplodingNames:
    NAMES: ClassVar[list[Row]] = [
        {"drug_id": "1", "name": "Dez", "source_file": "b.csv", "searched": True},
        {"drug_id": "1", "name": "dez", "source_file": "a.csv", "searched": True},
        {"drug_id": "2", "name": "dez", "source_file": "c.csv", "searched": False},
    ]

    def named(self, titles: int, **found: int) -> audit.Named:
        """Mentions of one drug: each of its names is in so many titles, twice in each of them."""
        rows = [
            {
                "drug_id": "1",
                "drug": "Dezamol",
                "source": "pubmed",
                "publication_id": f"{name}{n}",
                "spans": [
                    {"start": n, "end": n + 3, "text": text} for text in (name, name.upper())
                ],
            }
            for name, count in found.items()
            for n in range(count)
        ]
        return audit.Named.of(table("mentions", *rows), titles)

    def finding(self, now: audit.Named, before: audit.Named | None) -> audit.Finding:
        return audit.no_name_exploded(now, before, table("drug_names", *self.NAMES))

    @pytest.mark.parametrize(
        ("now", "titles", "before", "titles_before", "passed"),
        [
            (100, 1000, 10, 1000, False),
            (99, 1000, 10, 1000, True),  # few titles
            (100, 1000, 20, 1000, True),  # five times as many
            (101, 1000, 20, 1000, False),
            (400, 10_000, 10, 1000, True),  # as there are more titles
            (501, 10_000, 10, 1000, False),
            (100, 1000, 0, 1000, False),  # a new name
            (100, 20_000, 0, 1000, True),
            (101, 20_000, 0, 1000, False),
            (100, 1000, 0, 0, True),  # there were no titles
            (100, 20_000_000, 100, 20_000_000, True),  # so many that their product has 34 bits
        ],
    )
    def test_the_share_of_titles_decides(
        self, *, now: int, titles: int, before: int, titles_before: int, passed: bool
    ) -> None:
        found = self.finding(self.named(titles, dez=now), self.named(titles_before, dez=before))
        assert found.passed is passed
        assert set(found.figures) == (set() if passed else {"dez"})

    def test_each_is_listed_with_its_titles_drugs_and_lists(self) -> None:
        found = self.finding(
            self.named(1000, dez=101, abbr=150, other=100), self.named(900, dez=10, other=90)
        )
        assert found.summary == "2 names found in far more titles than the last time: abbr, dez"
        assert list(found.figures.items()) == [
            ("abbr", "150 of 1,000 titles, 0 of 900 the last time; Dezamol, in no list"),
            ("dez", "101 of 1,000 titles, 10 of 900 the last time; Dezamol, in a.csv, b.csv"),
        ]

    def test_the_first_time_nothing_is_compared(self) -> None:
        found = self.finding(self.named(100, dez=100), None)
        assert (found.passed, found.figures) == (True, {})


class TestLandedFiles:
    def finding(self, *files: Row) -> audit.Finding:
        return audit.every_file_is_read(table("landed_files", *files))

    def test_files_that_were_read(self) -> None:
        expected = audit.Finding(passed=True, summary="all files were read")
        assert self.finding({"source_file": "drugs.csv"}) == self.finding() == expected

    def test_files_that_were_not_are_named_with_their_problem(self) -> None:
        finding = self.finding(
            {"source_file": "drugs.csv"},
            {"source_file": "x.pdf", "problem": "it belongs to no source"},
            {"source_file": "pubmed.csv", "problem": "it is cut"},
        )
        assert finding == audit.Finding(
            passed=False,
            summary="2 files not read",
            figures={"x.pdf": "it belongs to no source", "pubmed.csv": "it is cut"},
        )

    def test_odd_rows_are_counted_by_file_and_issue(self) -> None:
        def issues(**rows: int) -> list[Row]:
            return [{"issue": issue, "rows": count} for issue, count in rows.items()]

        sound = {"source_file": "a.csv", "read_issues": []}
        parts = {"source_file": "p.csv", "read_issues": issues(part_of_record=3)}
        assert audit.every_row_is_sound(table("landed_files", sound, parts)).passed
        finding = audit.every_row_is_sound(
            table(
                "landed_files",
                {
                    "source_file": "c.csv",
                    "read_issues": issues(blank_row=2, long_row=1, part_of_record=9),
                },
                {"source_file": "b.csv", "read_issues": issues(long_row=1200)},
                sound,
            )
        )
        assert finding == audit.Finding(
            passed=False,
            summary="2 blank_row, 1,201 long_row, in 2 files",
            figures={"b.csv": "1,200 long_row", "c.csv": "2 blank_row, 1 long_row"},
        )

    def test_columns_that_are_not_read_are_named_by_file(self) -> None:
        known = {"source_file": "a.csv", "unread_fields": []}
        assert audit.every_field_is_read(table("landed_files", known)).passed
        files = [
            {"source_file": f"{n:03}.csv", "unread_fields": ["DOI", "Seen by"]} for n in range(60)
        ]
        finding = audit.every_field_is_read(table("landed_files", known, *files))
        assert finding.summary == "60 files with columns or keys that are not read"
        assert finding.figures["000.csv"] == "DOI, Seen by"
        assert len(finding.figures) == 51
        assert finding.figures["…"] == "and 10 further files"

    def landed(
        self, before: tuple[int, int] = (0, 0), allowed: tuple[str, ...] = (), **rows: int
    ) -> audit.Finding:
        files = [
            {"source_file": f"{source}/{n}.csv", "source": source, "raw_rows": count}
            for source, total in rows.items()
            for n, count in enumerate([0, total])
        ]
        unknown = {"source_file": "x.pdf", "raw_rows": 0}
        zone = table("landed_files", *files, unknown)
        rows_before = dict(zip(("drugs", "pubmed"), before, strict=True))
        return audit.every_source_landed(zone, rows_before, allowed)

    def test_every_source_landed(self) -> None:
        assert self.landed(drugs=2, pubmed=1) == audit.Finding(
            passed=True,
            summary="rows of every source",
            figures={"raw_drugs": 2, "raw_pubmed": 1},
        )

    def test_a_source_that_never_had_a_row_is_named_and_stops_nothing(self) -> None:
        assert self.landed(pubmed=1) == audit.Finding(
            passed=False,
            summary="no row of drugs",
            figures={"raw_drugs": 0, "raw_pubmed": 1},
            is_warning=True,
        )

    def test_a_source_that_lost_every_row_stops_the_run_with_the_cure(self) -> None:
        assert self.landed(before=(1200, 3), pubmed=1) == audit.Finding(
            passed=False,
            summary=(
                "no row of drugs (in the last release drugs: 1,200). Is it the right landing zone? "
                "If it is meant to be empty, run `drug-assets run --allow-empty drugs`"
            ),
            figures={"raw_drugs": 0, "raw_pubmed": 1},
        )

    def test_a_landing_zone_without_any_row_stops_the_first_run_too(self) -> None:
        found = self.landed(drugs=0)
        assert (found.passed, found.is_warning) == (False, False)
        assert found.summary.endswith("`drug-assets run --allow-empty drugs --allow-empty pubmed`")

    @pytest.mark.parametrize(
        ("allowed", "passed"),
        [(("drugs",), True), (("pubmed",), False), (("drugs", "pubmed"), True)],
    )
    def test_a_source_may_be_empty_where_that_is_allowed(
        self, allowed: tuple[str, ...], *, passed: bool
    ) -> None:
        assert self.landed(before=(7, 7), allowed=allowed, pubmed=1).passed is passed

    def test_drugs_with_an_identifier_in_common(self) -> None:
        rows = [
            listed_drug(name, xrefs=xrefs)
            for name, xrefs in (
                ("Alpha", ["cas:1", "unii:1"]),
                ("Beta", ["cas:1"]),
                ("Gamma", ["unii:2"]),
            )
        ]
        found = audit.no_join_was_refused(table("drugs", *rows))
        assert found == audit.Finding(
            passed=False,
            summary="1 identifier of several drugs",
            figures={"cas:1": "Alpha (alpha), Beta (beta)"},
        )
        assert audit.no_join_was_refused(table("drugs", *rows[1:])).passed

    def test_many_identifiers_in_common_are_counted(self) -> None:
        shared = [f"cas:{n:03}" for n in range(60)]
        rows = [listed_drug(name, xrefs=shared) for name in ("Alpha", "Beta")]
        found = audit.no_join_was_refused(table("drugs", *rows))
        assert found.summary == "60 identifiers of several drugs"
        assert found.figures["…"] == "and 10 further identifiers"

    @pytest.mark.parametrize(("names", "passed"), [([], False), ([[]], False), ([["a"]], True)])
    def test_there_are_names_to_search_for(self, names: list[list[str]], *, passed: bool) -> None:
        drugs = pl.LazyFrame({"names": names}, schema={"names": pl.List(pl.String)})
        found = audit.has_names(drugs)
        assert found.passed is passed
        assert ("land a list of drugs" in found.summary) is not passed
        assert audit.has_names(drugs, allowed=True).passed


class TestRejectedShare:
    def finding(self, rejected: int, rows: int) -> audit.Finding:
        lost = [{"source": "pubmed", "reasons": ["blank_title"]}] * rejected
        raw = {"pubmed": table("raw_pubmed", *[{}] * rows), "drugs": table("raw_drugs", {}, {})}
        return audit.few_are_rejected(table("rejected_records", *lost), raw)

    def test_up_to_one_in_twenty_may_be_rejected(self) -> None:
        assert self.finding(2, 38) == audit.Finding(
            passed=True,
            summary="2 of 40 raw rows rejected",
            figures={
                "rejected": 2,
                "unexpected": 2,
                "raw": 40,
                "share": 0.05,
                "pubmed.blank_title": 2,
            },
        )

    def test_rows_that_sound_deliveries_reject_do_not_count_and_are_told_apart(self) -> None:
        reasons = ["out_of_trees"] * 30 + ["blank_name"]
        lost = [{"source": "drugs", "reasons": [reason]} for reason in reasons]
        raw = {"drugs": table("raw_drugs", *[{}] * 50)}
        finding = audit.few_are_rejected(table("rejected_records", *lost), raw)
        assert finding.passed
        assert finding.summary == "31 of 50 raw rows rejected, 30 of them as in any sound delivery"
        assert (finding.figures["unexpected"], finding.figures["share"]) == (1, 0.05)

    @pytest.mark.parametrize(
        ("reason", "rows", "told"),
        [
            ("names_no_drug", 2, "; no row is of use in names.txt"),
            ("names_no_drug", 3, ""),
            ("atc_group", 2, ""),
        ],
    )
    def test_a_file_without_a_row_of_use_is_told(self, reason: str, rows: int, told: str) -> None:
        lost = [{"source": "drugs", "source_file": "names.txt", "reasons": [reason]}] * 2
        files = ["names.txt"] * rows + ["ours.csv"] * 90
        raw = {"drugs": table("raw_drugs", *({"source_file": file} for file in files))}
        finding = audit.few_are_rejected(table("rejected_records", *lost), raw)
        assert finding.passed is not bool(told)
        assert finding.summary.endswith(f"2 of them as in any sound delivery{told}")

    def test_more_are_too_many(self) -> None:
        finding = self.finding(3, 38)
        assert not finding.passed
        assert finding.figures["share"] == 0.075

    def test_nothing_landed(self) -> None:
        finding = audit.few_are_rejected(table("rejected_records"), {})
        assert finding == audit.Finding(
            passed=True,
            summary="0 of 0 raw rows rejected",
            figures={"rejected": 0, "unexpected": 0, "raw": 0, "share": 0.0},
        )


class TestFlags:
    def test_up_to_a_quarter_of_the_records_may_carry_each_flag(self) -> None:
        flags = [["missing_id", "missing_date"], ["missing_date"], [], []]
        found = audit.few_are_flagged(table("pubmed", *({"issues": issues} for issues in flags)))
        assert list(found) == ["missing_id", "missing_date", "missing_journal"]
        shares = {flag: finding.figures for flag, finding in found.items()}
        assert shares == {
            "missing_id": {"share": 0.25},
            "missing_date": {"share": 0.5},
            "missing_journal": {"share": 0.0},
        }
        assert [finding.passed for finding in found.values()] == [True, False, True]
        assert found["missing_date"].summary == "50.0% of the records"

    def test_no_records_carry_none(self) -> None:
        found = audit.few_are_flagged(table("pubmed"))
        assert list(found) == ["missing_id", "missing_date", "missing_journal"]
        for finding in found.values():
            assert (finding.passed, finding.figures) == (True, {"share": 0.0})


class TestDates:
    TODAY = date(2020, 1, 2)

    def finding(self, *days: date | None) -> audit.Finding:
        return audit.no_future_dates(table("pubmed", *({"date": day} for day in days)), self.TODAY)

    def test_today_and_before_and_undated(self) -> None:
        finding = self.finding(date(2020, 1, 1), self.TODAY, None)
        assert finding == audit.Finding(passed=True, summary="0 records", figures={"records": 0})

    def test_after_today(self) -> None:
        finding = self.finding(self.TODAY, date(2020, 1, 3))
        assert finding == audit.Finding(passed=False, summary="1 record", figures={"records": 1})


class TestMentioned:
    DRUGS = table("drugs", *(listed_drug(name) for name in ("Gamma", "Beta", "Alpha")))

    def test_drugs_that_no_title_names_are_told_by_name(self) -> None:
        found = audit.all_are_mentioned(self.DRUGS, table("mentions", mention("Beta")))
        assert found == audit.Finding(
            passed=False,
            summary="2 drugs never mentioned",
            figures={"drugs": 2, "names": "Alpha, Gamma"},
        )

    def test_every_drug_is_mentioned(self) -> None:
        mentions = table("mentions", *(mention(name) for name in ("Alpha", "Beta", "Gamma")))
        found = audit.all_are_mentioned(self.DRUGS, mentions)
        assert (found.passed, found.figures) == (True, {"drugs": 0, "names": ""})

    def test_at_most_fifty_are_named(self) -> None:
        drugs = table("drugs", *(listed_drug(f"Drug {n:02}") for n in range(60)))
        found = audit.all_are_mentioned(drugs, table("mentions"))
        assert found.figures["drugs"] == 60
        assert str(found.figures["names"]).split(", ")[-1] == "Drug 49"


class TestConflicts:
    @pytest.mark.parametrize(
        ("issues", "summary"),
        [
            (
                [["merged_duplicate"], []],
                "0 records replaced one with another title, date or journal",
            ),
            (
                [["conflicting_duplicate"], ["shared_id"], ["shared_id"]],
                (
                    "1 record replaced one with another title, date or journal, "
                    "2 records shared an id within a file"
                ),
            ),
            ([["shared_id"]], "1 record shared an id within a file"),
        ],
    )
    def test_records_that_conflict_are_counted(self, issues: list[list[str]], summary: str) -> None:
        finding = audit.none_conflict(pl.LazyFrame({"issues": issues}))
        assert finding.summary == summary
        assert finding.passed == summary.startswith("0")


class TestSearched:
    PUBLICATIONS: ClassVar = [
        {**place(1), "publication_id": "1"},
        {**place(2), "publication_id": "2"},
        {**place(1, "q.csv"), "publication_id": "3"},
    ]
    RECORDS: ClassVar = {"p.csv": 2, "q.csv": 1}
    #: The last of these records was merged into another one, so it is no publication of its own.
    NAMED: ClassVar = [
        {**place(1), "drug_id": "beta"},
        {**place(1, "q.csv"), "drug_id": "beta"},
        {**place(7), "drug_id": "beta"},
    ]
    MENTIONS: ClassVar = [mention("Beta", "1"), mention("Beta", "3")]

    def finding(
        self,
        records: dict[str, int] | None = None,
        mentions: list[Row] | None = None,
        merged: list[Row] | None = None,
    ) -> audit.Finding:
        pubmed = audit.Searched(
            table("pubmed", *self.PUBLICATIONS),
            self.RECORDS if records is None else records,
            table("pubmed_drugs_named", *self.NAMED),
            table("merged_pubmed", *(merged or [])),
        )
        nothing = audit.Searched(
            table("clinical_trials"),
            {},
            table("clinical_trials_drugs_named"),
            table("merged_clinical_trials"),
        )
        searched = {"pubmed": pubmed, "clinical_trials": nothing}
        found = self.MENTIONS if mentions is None else mentions
        return audit.every_publication_was_searched(searched, table("mentions", *found))

    def test_a_publication_that_rows_were_merged_into_may_have_another_title(self) -> None:
        row = {**place(5), "merged_into": "3", "rule": "merged_duplicate"}
        assert self.finding(mentions=self.MENTIONS[:1], merged=[row]).passed
        assert not self.finding(mentions=self.MENTIONS[:1]).passed

    def test_all_were_searched_and_what_they_name_is_mentioned(self) -> None:
        assert self.finding() == audit.Finding(
            passed=True,
            summary="all titles were searched, all that they name is mentioned",
            figures={
                "unsearched_pubmed": 0,
                "unmentioned_pubmed": 0,
                "unsearched_clinical_trials": 0,
                "unmentioned_clinical_trials": 0,
            },
        )

    @pytest.mark.parametrize(
        ("records", "unsearched"),
        [({"p.csv": 2}, 1), ({"p.csv": 1, "q.csv": 1}, 1), ({"q.csv": 9}, 2), ({}, 3)],
        ids=["a file", "the end of a file", "another file", "all files"],
    )
    def test_what_was_not_searched_is_counted(
        self, records: dict[str, int], unsearched: int
    ) -> None:
        finding = self.finding(records)
        assert not finding.passed
        assert finding.figures["unsearched_pubmed"] == unsearched
        assert finding.summary == f"unsearched pubmed: {unsearched}"

    @pytest.mark.parametrize(
        "mentions",
        [
            MENTIONS[:1],
            [MENTIONS[0], mention("Gamma", "3")],
            [MENTIONS[0], mention("Beta", "3", "clinical_trials")],
        ],
        ids=["lost", "of another drug", "of another source"],
    )
    def test_what_is_named_and_not_mentioned_is_counted(self, mentions: list[Row]) -> None:
        finding = self.finding(mentions=mentions)
        assert not finding.passed
        assert finding.figures["unmentioned_pubmed"] == 1
        assert finding.summary == "unmentioned pubmed: 1"

    def test_all_that_is_wrong_is_told(self) -> None:
        finding = self.finding({}, [])
        assert finding.summary == "unsearched pubmed: 3, unmentioned pubmed: 2"
