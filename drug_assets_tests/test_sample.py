"""The sample landing zone: `data/README.md` says what comes out of it, and it does."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from drug_assets import sources
from drug_assets.delivery import is_documentation
from drug_assets.document import questions
from drug_assets.terms import Issue
from drug_assets_tests.support import runs

pytestmark = pytest.mark.xdist_group("runs")

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
    every = questions.related_drugs(graph, name, order="name")
    left = questions.related_drugs(graph, name, exclude_trial_journals=True, order="name")
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
    first, second, third, *_ = questions.related_drugs(graph, name).related
    (most,) = re.findall(r"(\w+) and (\w+) come first", told)
    assert most == (first.drug, second.drug)
    assert len(first.journals) == len(second.journals) > len(third.journals)


def test_related_drugs_of_metformin(sample_run: runs.Run) -> None:
    graph = sample_run.graph
    every = questions.related_drugs(graph, "metformin")
    left = questions.related_drugs(graph, "metformin", exclude_trial_journals=True)
    told = " ".join(README.split("**Related drugs of metformin**")[1].split())
    assert told.startswith(f": {len(every.related)}, linked by four journals")
    assert told.endswith(f": {len(left.related)}.")
    gone = {r.drug for r in every.related} - {r.drug for r in left.related}
    assert gone == {"ciclosporin", "omeprazole"}


def test_the_tie_breaks_as_told(sample_run: runs.Run) -> None:
    two = {answer.journal for answer in questions.top_journals(sample_run.graph)}
    told = {
        row[0].strip("`"): row[1] for line in README.splitlines() if len(row := _cells(line)) == 2
    }
    for option, answers in (
        ("--exclude-retracted", questions.top_journals(sample_run.graph, exclude_retracted=True)),
        ("--with-trial-results", questions.top_journals(sample_run.graph, with_trial_results=True)),
    ):
        (one,) = answers
        assert one.journal in two
        assert told[option].startswith(f"{one.journal}, with {one.drug_count}: ")
    assert "atropine" in one.drugs
    assert "by the results of trial NCT99000050" in told[option]


def test_report_is_the_one_that_the_front_page_shows(sample_run: runs.Run) -> None:
    def lines(report: str) -> list[str]:
        """Without what differs from run to run."""
        alike = re.sub(r"(Outputs in |Done after ).*", r"\1", report)
        return [line.rstrip() for line in alike.splitlines() if line.strip()]

    front_page = (runs.REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = front_page.split("```text\n")[1].split("```")[0]
    assert lines(shown) == lines(sample_run.report)


def _records(run: runs.Run, file: str, source: str = "pubmed") -> dict[int, dict[str, Any]]:
    """The records of a file, by row."""
    records = run.table(f"{source}_records").filter(pl.col("source_file") == file)
    return {row["source_row"]: row for row in records.iter_rows(named=True)}


def _publications(run: runs.Run) -> dict[str, dict[str, Any]]:
    """The cleaned articles, by id."""
    return {row["publication_id"]: row for row in run.table("pubmed").iter_rows(named=True)}


def _named(run: runs.Run, publication_id: str) -> set[str]:
    """The drugs that an article names."""
    mentions = run.table("mentions")
    return set(mentions.filter(pl.col("publication_id") == publication_id)["drug_id"])


def test_rows_out_of_shape_end_as_told(sample_run: runs.Run) -> None:
    raw = sample_run.table("raw_pubmed").select("source_file", "source_row", "read_issues")
    issues = {(file, row): set(found) for file, row, found in raw.iter_rows()}
    assert issues["pubmed-tool.csv", 1] == set()
    assert issues["pubmed-tool.csv", 2] == {"joined_row"}
    assert issues["pubmed-tool.csv", 3] == {"misaligned_row"}
    assert issues["pubmed_spreadsheet.csv", 7] == {"repeated_header"}
    assert issues["pubmed_pull.xml", 3] == {"control_character"}
    titles = {id_: row["title"] for id_, row in _publications(sample_run).items()}
    assert titles["90000096"] == 'The "quiet" ward: morphine by the hour'
    assert titles["90000097"] == "Paracetamol, ibuprofen or a coin toss"
    assert titles["90000122"] == "Enalapril beside in vitro toast"
    assert titles["90000125"] == "Ciclosporin levels in a laboratory that only has pencils."


@pytest.mark.parametrize(
    ("file", "row", "reason"),
    [
        ("pubmed-tool.csv", 3, "misaligned_row"),
        ("pubmed_spreadsheet.csv", 7, "repeated_header"),
        ("pubmed26n9001.xml", 2, "deletion"),
        ("pubmed_summary.json", 2, "deleted"),
        ("Drug-list new.csv", 5, "blank_name"),
        ("clinical_trials_aact/study_references.txt", 2, "no_record_of_its_id"),
    ],
)
def test_rejected_rows_have_the_reason_told(
    sample_run: runs.Run, file: str, row: int, reason: str
) -> None:
    rejected = sample_run.table("rejected_records")
    (reasons,) = rejected.filter(source_file=file, source_row=row)["reasons"].to_list()
    assert reason in reasons


def test_ids_end_as_told(sample_run: runs.Run) -> None:
    rows = _records(sample_run, "pubmed_spreadsheet.csv")
    assert [rows[row]["id"] for row in (1, 2)] == ["90000010", "90000002"]
    pubmed = sample_run.table("pubmed").filter(source_file="pubmed_spreadsheet.csv")
    kept = {row["source_row"]: row for row in pubmed.iter_rows(named=True)}
    assert [kept[row]["id_text"] for row in (3, 4, 5, 6, 8)] == [
        *("9.00E+07", "9.00E+07", "90000095", "90000095", None),
    ]
    for row, issue in ((3, "invalid_id"), (5, "shared_id"), (8, "missing_id")):
        assert issue in kept[row]["issues"]
    assert len({kept[row]["publication_id"] for row in (3, 4, 5, 6, 8)}) == 5
    assert kept[8]["journal_id"] is None


def test_an_export_without_dates_loses_none(sample_run: runs.Run) -> None:
    article = _publications(sample_run)["90000010"]
    assert article["source_file"] == "pubmed_spreadsheet.csv"
    assert (str(article["date"]), article["date_precision"]) == ("2000-04-01", "season")


def test_dates_of_print_and_of_electronic_publication_are_kept(sample_run: runs.Run) -> None:
    articles = _publications(sample_run)
    for article in map(articles.get, ("90000110", "90000111", "90000112", "90000120", "90000125")):
        assert article is not None
        assert article["date"] == article["print_date"] > article["electronic_date"]


def test_retractions_are_told_of_as_nlm_has_them(sample_run: runs.Run) -> None:
    retracted = {id_: row["retracted"] for id_, row in _publications(sample_run).items()}
    assert [id_ for id_, is_one in retracted.items() if is_one] == ["90000032", "90000111"]
    assert retracted["90000123"] is False
    assert retracted["90000001"] is None


def test_typography_hides_no_drug(sample_run: runs.Run) -> None:
    articles = _publications(sample_run)
    vitamin = {"nicotinamide", "nicotinic acid"}
    assert _named(sample_run, "90000099") == {"levothyroxine sodium", *vitamin}
    assert "\u2010" in articles["90000099"]["title"]
    assert "\u2083" in articles["90000099"]["title"]
    assert _named(sample_run, "90000101") == vitamin
    assert articles["90000101"]["title"].endswith("what p<0.05 means to bakers")
    assert _named(sample_run, "90000102") == {"interferon beta-1a"}
    # A vernacular title, and the names of a list with marks.
    assert _named(sample_run, "90000121") == {"lidocaine"}
    assert _named(sample_run, "90000122") == {"enalapril"}
    drugs = sample_run.table("drugs").select("drug_id", "drug")
    shown = dict(drugs.iter_rows())
    assert (shown["lidocaine"], shown["enalapril"]) == ("Lidocaine, USP", "Enalapril®")


def test_one_journal_by_id_abbreviation_and_title(sample_run: runs.Run) -> None:
    journals = sample_run.table("journals").filter(journal="Acta Exempli Pharmaceutica")
    (journal,) = journals.iter_rows(named=True)
    assert journal["journal_id"] == "9999001R"
    assert journal["issns"] == ["9999-0016", "9999-0024"]
    assert journal["records"] == 6


def test_trials_and_publications_are_tied_as_told(sample_run: runs.Run) -> None:
    ties = sample_run.table("trial_publications")
    columns = ("trial_id", "publication_id", "kind", "given_by", "publication_in_store")
    assert set(ties.select(columns).iter_rows()) == {
        ("NCT99000009", "90000103", "named", "publication", True),
        ("NCT99000050", "90000004", "background", "trial", True),
        ("NCT99000050", "90000120", "result", "both", True),
        ("NCT99000050", "90009999", "background", "trial", False),
        ("NCT99000051", "90000121", "result", "trial", True),
    }


def test_every_row_that_the_tables_name_is_there(sample_run: runs.Run) -> None:
    """The tables say `file:row`, and `:row` of the file named last."""
    rows = {name.rpartition("/")[2]: count for name, count in _told_files().items()}
    told = README[: README.index("## What comes out")]
    named = re.findall(r"`([^`:]*):(\d+)`", told)
    assert named
    file = ""
    for found in named:
        file = found[0].rpartition("/")[2] or file
        assert 1 <= int(found[1]) <= rows[file], found


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
    # Nobody would write down a name without a letter, or a word of the stop list; and the sample's
    # lists of drugs give no identifiers.
    assert flagged >= {*Issue} - {"unsearchable_name", "stopped_name", "refused_join"}
