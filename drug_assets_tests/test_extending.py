"""A new source, kind of place or output is declared in one place, and everything uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets_tests.support import runs
from drug_assets_tests.support.copies import Copy
from drug_assets_tests.support.loopback_services import Trials

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

CONTRACTS = '''

class RawSafetyReports(RawPublications):
    """Safety reports exactly as they landed."""

    trial_ids = dy.String(nullable=True, description="Trials that it is of, between bars.")


class SafetyReportColumns(dy.Schema):
    """Columns that only safety reports have."""

    trial_ids = _texts("Trials that it is of.")


class SafetyReportRecords(PublicationRecords, SafetyReportColumns, PartialRecords):
    """Safety reports, each cleaned by itself."""


class SafetyReports(Publications, SafetyReportColumns):
    """Safety reports, cleaned: one row per report."""
'''
SOURCE = '''"""Safety reports: id, title, date, journal."""

from drug_assets.sources.source import PublicationSource, Reference, SourceContracts
from drug_assets.terms import TrialPublicationKind


class SafetyReports(PublicationSource):
    """Reports of adverse events."""

    name = "safety_reports"
    order = 4
    publications = "Safety reports"
    document_type = "safety_report"
    required = ("title",)
    references = (Reference("trial_ids", "clinical_trials", TrialPublicationKind.NAMED),)

    def referred_sources(self):
        """Trials, whose ids reports name."""
        from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS

        return (CLINICAL_TRIALS,)

    def known_tables(self):
        """The trials that reports are of, in a table of their own."""
        from drug_assets.formats.record_shape import KnownTable, Mark, TableValue
        from drug_assets.terms import ReadIssue

        values = (TableValue("id", "report"), TableValue("trial_ids", "of"))
        return (KnownTable(("report", "of"), values, (Mark(ReadIssue.PART_OF_RECORD),)),)

    def contracts(self) -> SourceContracts:
        """Its contracts."""
        from drug_assets import contracts

        return SourceContracts(
            contracts.RawSafetyReports, contracts.SafetyReportRecords, contracts.SafetyReports
        )


SOURCE = SafetyReports()
'''
REPORTS = (
    "id,title,date,journal,trial_ids\n"
    "EMA-1,Aspirin and rash,2021-05-01,Reports of Harm,NCT1\n"
    "EMA-2,,2021-05-02,Reports of Harm,\n"
    "EMA-3,Rash,2021-05-03,Reports of Harm,\n"
)
#: A table of parts of them.
TRIALS_OF_REPORTS = "report,of\nEMA-3,NCT1\n"
#: What the outputs of a store say of safety reports.
TOLD = """
import json, sys
from pathlib import Path
from drug_assets.document.questions import top_journals
from drug_assets.explorer.reading import read_page
from drug_assets.storage.google.table_schema import declare_published_tables
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs

store = Path(sys.argv[1])
outputs = Outputs.current(LocalFolder(store))

def rows(table):
    return outputs.table(table).collect().to_dicts()

columns = {
    name: [field["name"] for field in table["schema"]]
    for name, table in declare_published_tables().items()
}
print(json.dumps({
    "mentions": [m for m in rows("mentions") if m["source"] == "safety_reports"],
    "ties": [t for t in rows("trial_publications") if t["source"] == "safety_reports"],
    "journals": [j["journal"] for j in rows("journals")],
    "rejected": [r for r in rows("rejected_records") if r["source"] == "safety_reports"],
    "journal_drugs": [j for j in rows("journal_drugs") if j["safety_report_mentions"]],
    "graph": json.loads((store / "latest" / "graph.json").read_text()),
    "answers": [answer.journal for answer in top_journals(store / "latest" / "graph.json")],
    "columns": columns,
    "explored": read_page(store / "latest" / "explorer.html").index,
    "exported": (store / "latest" / "exports" / "journals.graphml").read_text(),
}, default=str))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy.below(tmp_path / "copy")


@pytest.fixture(scope="module")
def with_reports(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a run's outputs say in a copy of the package that has one more source."""
    folder = tmp_path_factory.mktemp("safety_reports")
    copy = Copy.below(folder / "copy")
    copy.add("contracts.py", CONTRACTS)
    copy.add("sources/safety_reports.py", SOURCE)
    files = {
        **runs.SMALL,
        "safety_reports_ema.csv": REPORTS,
        "safety_reports_trials.csv": TRIALS_OF_REPORTS,
    }
    landing = runs.landing_zone(folder / "landing", files)
    ran = copy.command("run", "--landing", str(landing), "--store", str(folder / "store"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {**copy.json(TOLD, str(folder / "store")), "report": ran.stdout}


def test_a_new_source_is_searched_and_mentioned(with_reports: Any) -> None:
    (mention,) = with_reports["mentions"]
    assert (mention["drug"], mention["publication_id"]) == ("ASPIRIN", "EMA-1")
    assert mention["spans"] == [{"start": 0, "end": 7, "text": "Aspirin", "by": "name"}]
    (pair,) = with_reports["journal_drugs"]
    assert (pair["journal"], pair["safety_report_mentions"]) == ("Reports of Harm", 1)


def test_a_new_source_is_tied_to_the_trials_that_it_refers_to(with_reports: Any) -> None:
    (tie,) = (tie for tie in with_reports["ties"] if tie["publication_id"] != "EMA-3")
    assert (tie["trial_id"], tie["publication_id"], tie["kind"]) == ("NCT1", "EMA-1", "named")
    assert (tie["trial_in_store"], tie["publication_in_store"]) == (True, True)
    (aspirin,) = (drug for drug in with_reports["graph"] if drug["drug"] == "ASPIRIN")
    mentions = {mention["id"]: mention for mention in aspirin["mentions"]}
    assert mentions["EMA-1"]["trials"] == [
        {"type": "clinical_trial", "id": "NCT1", "kind": "named"}
    ]
    assert [p["id"] for p in mentions["NCT1"]["publications"]] == ["EMA-1", "EMA-3"]


def test_a_new_source_may_declare_tables_of_parts(with_reports: Any) -> None:
    ties = {(tie["publication_id"], tie["trial_id"]) for tie in with_reports["ties"]}
    assert ("EMA-3", "NCT1") in ties


def test_a_new_source_has_its_journals_and_its_rejected_rows(with_reports: Any) -> None:
    assert "Reports of Harm" in with_reports["journals"]
    (rejected,) = with_reports["rejected"]
    assert (rejected["source_row"], rejected["reasons"]) == (2, ["blank_title"])


def test_a_new_source_is_in_the_graph_and_in_the_answers(with_reports: Any) -> None:
    (aspirin,) = (drug for drug in with_reports["graph"] if drug["drug"] == "ASPIRIN")
    found = [m["id"] for m in aspirin["mentions"] if m["type"] == "safety_report"]
    of_journal = {journal["journal"]: journal["mentions"] for journal in aspirin["journals"]}
    assert found == ["EMA-1"]
    assert of_journal["Reports of Harm"] == [
        {"date": "2021-05-01", "type": "safety_report", "id": "EMA-1", "retracted": None}
    ]
    assert "Letters of Tests" in with_reports["answers"]


def test_a_new_source_is_in_the_explorer(with_reports: Any) -> None:
    index = with_reports["explored"]
    described = {type_["type"]: type_ for type_ in index["types"]}
    number = list(described).index("safety_report")
    assert described["safety_report"] == {
        "type": "safety_report",
        "source": "safety_reports",
        "publications": "Safety reports",
        "trial": False,
        "can_be_retracted": False,
        "links": None,
    }
    counted = dict(zip(index["drugs"]["name"], index["drugs"]["by"][number], strict=True))
    assert counted["ASPIRIN"] == 1
    assert sum(index["journals"]["by"][number]) == 1


def test_a_new_source_is_counted_in_exports(with_reports: Any) -> None:
    exported = with_reports["exported"]
    assert 'attr.name="safety_report_mentions"' in exported
    assert '<data key="edge_safety_report_mentions">1</data>' in exported


def test_a_new_source_is_in_the_schema_of_bigquery_and_in_the_report(with_reports: Any) -> None:
    columns = with_reports["columns"]
    assert "publication_id" in columns["safety_reports"]
    assert "merged_into" in columns["merged_safety_reports"]
    assert "safety_report_mentions" in columns["journal_drugs"]
    assert "raw_safety_reports" not in columns
    assert "safety_reports" in with_reports["report"]


STOPS = "name,reason\nethanol,a word of the tests\n"
STORAGE = '''
from pathlib import Path

from drug_assets.storage.objects import LocalFolder


class Shelf(LocalFolder):
    """Objects on a shelf of {root!r}."""

    def uri(self, name: str = "") -> str:
        return f"shelf://{{self._folder.name}}/{{name}}".rstrip("/")


def open_shelf(location: str) -> Shelf:
    return Shelf(Path({root!r}) / location.removeprefix("shelf://"))
'''


@pytest.fixture
def shelves(copy: Copy, tmp_path: Path) -> Path:
    """The folder behind the places of a scheme that another package adds."""
    root = tmp_path / "shelves"
    installed = copy.folder / "shelf_storage-1.0.dist-info"
    installed.mkdir()
    (copy.folder / "shelf_storage.py").write_text(STORAGE.format(root=str(root)))
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: shelf-storage\nVersion: 1.0\n"
    )
    (installed / "entry_points.txt").write_text(
        "[drug_assets.storages]\nshelf = shelf_storage:open_shelf\n"
    )
    return root


def test_a_new_kind_of_place_serves_every_command(copy: Copy, shelves: Path) -> None:
    landing, store = "shelf://zone", "shelf://store"
    with Trials(2) as service:
        pulled = copy.command(
            *("fetch", "clinical-trials", "--query", "aspirin", "--landing", landing),
            DRUG_ASSETS_CLINICAL_TRIALS_URL=service.url,
        )
    assert pulled.returncode == 0, pulled.stderr
    assert "2 records in 1 files of shelf://zone" in pulled.stdout
    runs.landing_zone(shelves / "zone")
    runs.landing_zone(shelves / "lists", {"stops.csv": STOPS})
    places = ("--landing", landing, "--store", store)
    stop_list = {"DRUG_ASSETS_STOP_LIST": "shelf://lists/stops.csv"}
    ran = copy.command("run", *places, **stop_list)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Outputs in shelf://store" in ran.stdout
    graph = json.loads((shelves / "store" / "latest" / "graph.json").read_text())
    assert {drug["drug"]: len(drug["mentions"]) > 0 for drug in graph} == {
        "ASPIRIN": True,
        "ETHANOL": False,
        "PARACETAMOL": True,
    }
    again = copy.command("run", "--only-if-changed", *places, **stop_list)
    assert "Nothing changed in shelf://zone" in again.stdout
    by_store = copy.command("top-journal", DRUG_ASSETS_STORE=store)
    by_graph = copy.command("top-journal", "--graph", f"{store}/latest/graph.json")
    assert by_store.stdout == by_graph.stdout != ""
    related = copy.command("related-drugs", "aspirin", DRUG_ASSETS_STORE=store)
    assert related.stdout.startswith("PARACETAMOL")


DOCUMENT = """

def _csv(mentions):
    yield "drug,source,publication_id"
    for row in mentions.collect().iter_rows(named=True):
        yield f"{row['drug']},{row['source']},{row['publication_id']}"


DOCUMENTS = {
    **DOCUMENTS,
    "mention_lines": Document(
        name="mention_lines",
        file="mentions.csv",
        description="Mentions for spreadsheets.",
        kind="csv",
        tables=("mentions",),
        lines=_csv,
        is_element=lambda line: not line.startswith("drug,"),
    ),
}
"""


def test_a_new_output_is_written_released_and_described(copy: Copy, tmp_path: Path) -> None:
    copy.add("documents.py", DOCUMENT)
    landing = runs.landing_zone(tmp_path / "landing")
    script = """
import json, sys
import dagster as dg
from drug_assets.definitions import make_definitions
from drug_assets.settings import Settings

settings = Settings.of({}, landing=sys.argv[1], store=sys.argv[2])
result = make_definitions(settings).resolve_job_def("drug_mentions").execute_in_process()
(made,) = result.asset_materializations_for_node("mention_lines")
print(json.dumps({name: made.metadata[name].value for name in ("dagster/row_count", "preview")}))
"""
    shown = copy.json(script, str(landing), str(tmp_path / "store"))
    lines = (tmp_path / "store" / "latest" / "mentions.csv").read_text().splitlines()
    assert lines == [
        "drug,source,publication_id",
        "ASPIRIN,clinical_trials,NCT1",
        "ASPIRIN,pubmed,1",
        "ETHANOL,pubmed,2",
        "PARACETAMOL,pubmed,1",
    ]
    assert shown["dagster/row_count"] == 4
    assert shown["preview"].strip().splitlines() == ["```csv", *lines[1:4], "```"]


@pytest.mark.parametrize(
    ("module", "text", "told"),
    [
        (
            "sources/tables.py",
            '\nTABLES = {**TABLES, "patents": Table("patents", contracts.Journals, Layer.CLEAN)}\n',
            "no asset makes patents: add it to drug_assets/defs/assets.py",
        ),
        (
            "defs/assets.py",
            "\n@dg.asset(io_manager_key='tables')\ndef patents() -> None:\n    return None\n",
            "the assets patents have no contract: declare each as a table",
        ),
        (
            "defs/release.py",
            "\nrelease = dg.asset(name='release', deps=['top_journal'])(lambda: None)\n",
            "a release does not wait for",
        ),
    ],
)
def test_declarations_that_do_not_go_together_fail_in_words(
    copy: Copy, module: str, text: str, told: str
) -> None:
    copy.add(module, text)
    ended = copy.python("from drug_assets.definitions import make_definitions; make_definitions()")
    assert ended.returncode != 0
    assert told in ended.stderr


# Versions are computed from the code


@pytest.mark.parametrize(
    ("change", "made_again"),
    [
        (("cleaning/dates.py", '"winter": 1,', '"winter": 2,'), True),
        (("mentions.py", "def find_drugs_named(", "# A comment.\ndef find_drugs_named("), False),
        (("cleaning/dates.py", '"""Dates as people', '"""Dates as some people'), False),
        (("cleaning/stop_list.csv", "air,what one breathes", "air,what we breathe"), True),
    ],
)
def test_a_changed_rule_is_noticed_and_a_changed_comment_is_not(
    copy: Copy, tmp_path: Path, change: tuple[str, str, str], *, made_again: bool
) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    places = ("--landing", str(landing), "--store", str(tmp_path / "store"))
    first = copy.command("run", *places)
    assert first.returncode == 0, first.stderr
    copy.replace(*change)
    again = copy.command("run", "--only-if-changed", *places)
    assert again.returncode == 0, again.stderr
    assert ("Nothing changed" not in again.stdout) == made_again
