"""The sample landing zone: `data/README.md` says what comes out of it, and it does."""

from __future__ import annotations

import re

import polars as pl
import pytest

from drug_assets import sources
from drug_assets.delivery import is_documentation
from drug_assets.document import questions
from drug_assets.terms import Issue
from drug_assets_tests.support import runs

pytestmark = pytest.mark.xdist_group("sample")

SOURCES = [source.name for source in sources.ALL]
README = (runs.SAMPLE / "README.md").read_text(encoding="utf-8")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _told_counts() -> dict[str, list[int]]:
    """Of each source: raw, kept, merged, rejected, as the README's last table has them."""
    table = README[README.index("## What comes out") :]
    rows = [_cells(line) for line in table.splitlines() if line.startswith("|")]
    return {
        row[0]: [*map(int, row[1:4]), sum(map(int, re.findall(r"\d+", row[4])))]
        for row in rows
        if row[0] in SOURCES
    }


def _told_files() -> dict[str, int]:
    """Of each file, its records and blank rows, as the README's first table has them."""
    rows = [_cells(line) for line in README.splitlines() if line.startswith("| `")]
    return {
        row[0].strip("`"): int(row[2]) + int(row[3] or 0)
        for row in rows
        if len(row) == 4 and row[2].isdigit()
    }


def _told_answer(question: str) -> str:
    """What the README says after a bold question, up to the next one, on one line."""
    return " ".join(README.split(f"**{question}")[1].split("**Related")[0].split())


def test_run_succeeds(sample_run: runs.Run) -> None:
    assert sample_run.succeeded, sample_run.report


@pytest.mark.parametrize("source", SOURCES)
def test_rows_kept_merged_rejected(sample_run: runs.Run, source: str) -> None:
    rejected = sample_run.table("rejected_records").filter(pl.col("source") == source)
    found = [
        sample_run.table(f"raw_{source}").height,
        sample_run.table(source).height,
        sample_run.table(f"merged_{source}").height,
        rejected.height,
    ]
    assert found == _told_counts()[source]


def test_every_file_gives_the_rows_told(sample_run: runs.Run) -> None:
    files = sample_run.table("landed_files")
    assert files["problem"].null_count() == files.height
    assert dict(files.select("source_file", "raw_rows").iter_rows()) == _told_files()


def test_every_file_is_told_of(sample_run: runs.Run) -> None:
    there = {p.relative_to(runs.SAMPLE).as_posix() for p in runs.SAMPLE.rglob("*") if p.is_file()}
    assert {name for name in there if not is_documentation(name)} == set(_told_files())


def test_mentions(sample_run: runs.Run) -> None:
    mentions = sample_run.table("mentions")
    told = re.search(
        r"(\d+) mentions with (\d+) spans: (\d+) in PubMed, (\d+) in clinical trials; (\d+) of them"
        r" without a journal\. (\d+)\s+journals, (\d+) pairs of journal and drug",
        README,
    )
    assert told is not None
    by_source = dict(mentions.group_by("source").len().iter_rows())
    assert [int(number) for number in told.groups()] == [
        mentions.height,
        mentions["spans"].list.len().sum(),
        by_source["pubmed"],
        by_source["clinical_trials"],
        mentions["journal_id"].null_count(),
        sample_run.table("journals").height,
        sample_run.table("journal_drugs").height,
    ]


def test_top_journals(sample_run: runs.Run) -> None:
    told = _told_answer("Top journal:")
    answers = questions.top_journals(sample_run.graph)
    assert f"two tie, with {answers[0].drug_count} drugs each" in told
    assert len(answers) == 2
    for answer in answers:
        assert f"- {answer.journal}: {', '.join(sorted(answer.drugs, key=str.casefold))}." in told


@pytest.mark.parametrize("name", ["epinephrine", "adrenaline"])
def test_related_drugs_of_epinephrine(sample_run: runs.Run, name: str) -> None:
    graph = sample_run.graph
    every = questions.related_drugs(graph, name)
    left = questions.related_drugs(graph, name, exclude_trial_journals=True)
    told = _told_answer("Related drugs of epinephrine**")
    assert f": {len(every.related)}. " in told
    in_journal: dict[str, list[str]] = {}
    for related in every.related:
        for journal in related.journals:
            in_journal.setdefault(journal, []).append(related.drug)
    for journal, drugs in in_journal.items():
        assert f"| {journal} | {', '.join(drugs)} |" in told
    names = ", ".join(related.drug for related in left.related)
    assert f"and {len(left.related)} remain: {names}." in told
    assert len(left.related) < len(every.related)


def test_related_drugs_of_metformin(sample_run: runs.Run) -> None:
    graph = sample_run.graph
    every = questions.related_drugs(graph, "metformin")
    left = questions.related_drugs(graph, "metformin", exclude_trial_journals=True)
    told = " ".join(README.split("**Related drugs of metformin**")[1].split())
    assert told.startswith(f": {len(every.related)}, linked by four journals")
    assert told.endswith(f": {len(left.related)}.")
    gone = {r.drug for r in every.related} - {r.drug for r in left.related}
    assert gone == {"ciclosporin", "omeprazole"}


def test_sample_is_large_enough_to_be_interesting(sample_run: runs.Run) -> None:
    assert sample_run.table("drugs").height >= 15
    publications = sample_run.table("raw_pubmed").height
    assert publications + sample_run.table("raw_clinical_trials").height >= 80


def test_every_issue_that_cleaning_flags_occurs(sample_run: runs.Run) -> None:
    flagged = {
        issue
        for table in SOURCES
        for issues in sample_run.table(table)["issues"].to_list()
        for issue in issues
    }
    # Nobody would write a name without a letter, or a word of the stop list, down.
    not_there = {
        *("unsearchable_name", "stopped_name", "partly_read_date"),
        *("invalid_id", "shared_id", "vernacular_title"),
    }
    assert flagged >= {*Issue} - not_there
