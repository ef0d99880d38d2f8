"""The checks: what makes each of them fail, and which of them stop a run."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from drug_assets import audit, sources
from drug_assets.defs import assets, checks, pulls, resources
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.by_file import Part, Parts
from drug_assets.storage.kept.whole import name_object
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs, table_file
from drug_assets_tests.support import runs
from drug_assets_tests.support.raw import trial_publication

pytestmark = [pytest.mark.xdist_group("runs"), pytest.mark.slow]

SOURCES = [source.name for source in sources.ALL]
PUBLICATIONS = [source.name for source in sources.PUBLICATIONS]
BLOCKING = {
    *((table, "contract") for table in TABLES),
    *((source, "nothing_lost") for source in SOURCES),
    ("mentions", "spans_spell_their_drug"),
    ("mentions", "ids_exist"),
    ("trial_publications", "references_agree"),
    ("mentions", "every_publication_was_searched"),
    ("drug_graph", "valid_document"),
    ("drug_graph", "equals_mentions"),
    ("unmentioned_drugs", "valid_document"),
    ("explorer", "equals_tables"),
    ("landed_files", "every_source_landed"),
    ("drugs", "has_names"),
}
WARNINGS = {
    *((name, "did_not_shrink") for name, table in TABLES.items() if not table.tells_news),
    *(
        (source, check)
        for source in PUBLICATIONS
        for check in (
            "missing_id",
            "missing_date",
            "missing_journal",
            "future_dates",
            "none_conflict",
        )
    ),
    ("landed_files", "every_file_is_read"),
    ("landed_files", "every_row_is_sound"),
    ("landed_files", "every_field_is_read"),
    ("rejected_records", "rejected_share"),
    ("trial_publications", "few_dangle"),
    ("drugs", "all_mentioned"),
    ("mentions", "no_name_exploded"),
    ("drugs", "no_join_was_refused"),
}

ASSETS: Sequence[Any] = dg.load_assets_from_modules([assets, pulls], include_specs=True)
CHECKS = dg.load_asset_checks_from_modules([checks])


class Store:
    """The store of a run that succeeded, for tests to spoil."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self._instance = instance

    def spoil(self, table: str, spoilt: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        rows = spoilt(runs.table(self.folder, table))
        if not TABLES[table].by_file:
            rows.write_parquet(runs.current(self.folder) / f"{table}.parquet")
            return
        part = f".kept/{table}/spoilt.parquet"
        path = self.folder / part
        rows.write_parquet(path, metadata={"input_rows": str(rows.height)})
        path.rename(self.folder / name_object(part, path))
        self.spoil_list(table, lambda _: (Part("every file", part),))

    def spoil_list(
        self, table: str, spoilt: Callable[[tuple[Part, ...]], tuple[Part, ...]]
    ) -> None:
        """Change the list of parts of a table that is kept file by file."""
        parts = Outputs.current(LocalFolder(self.folder)).parts(table).parts
        lines = Parts(table, spoilt(parts)).lines()
        path = runs.current(self.folder) / table_file(table)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def spoil_graph(self, spoilt: Callable[[list[Any]], None]) -> None:
        path = runs.current(self.folder) / "graph.json"
        graph = json.loads(path.read_text(encoding="utf-8"))
        spoilt(graph)
        lines = ",\n".join(json.dumps(drug, ensure_ascii=False) for drug in graph)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    def spoil_summary(self, spoilt: Callable[[dict[str, Any]], None]) -> None:
        path = runs.current(self.folder) / "release.json"
        summary = json.loads(path.read_text(encoding="utf-8"))
        spoilt(summary)
        path.write_text(json.dumps(summary), encoding="utf-8")

    def evaluated(self, asset: str, check: str) -> dg.AssetCheckEvaluation:
        """The result of one check of what lies in the store."""
        settings = Settings.of({}, landing=str(runs.SAMPLE), store=str(self.folder))
        key = dg.AssetCheckKey(dg.AssetKey(asset), check)
        [definition] = [d for d in CHECKS if key in d.check_keys]
        result = dg.materialize(
            [*ASSETS, *CHECKS],
            selection=dg.AssetSelection.checks(*definition.check_keys),
            resources=resources.make_resources(settings),
            instance=self._instance,
            raise_on_error=False,
        )
        evaluations = {e.asset_check_key: e for e in result.get_asset_check_evaluations()}
        assert evaluations.keys() == definition.check_keys
        error = dg.AssetCheckSeverity.ERROR
        blocked = any(
            e.blocking and not e.passed and e.severity is error for e in evaluations.values()
        )
        assert result.success is not blocked, "a failed gate fails the run, a warning does not"
        return evaluations[key]


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """One instance for all tests: making one takes longer than checking a table."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def store(sample_run: runs.Run, tmp_path: Path, instance: dg.DagsterInstance) -> Store:
    runs.copy(sample_run.store, tmp_path / "store")
    return Store(tmp_path / "store", instance)


def figures(evaluation: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in evaluation.metadata.items()}


def test_gates_block_and_warnings_do_not() -> None:
    blocking = {
        (spec.asset_key.to_user_string(), spec.name): spec.blocking
        for definition in CHECKS
        for spec in definition.check_specs
    }
    assert {key for key, blocks in blocking.items() if blocks} == BLOCKING
    assert {key for key, blocks in blocking.items() if not blocks} == WARNINGS


def test_every_check_is_described() -> None:
    assert all(spec.description for definition in CHECKS for spec in definition.check_specs)


#: What each check reads besides the asset that it checks.
ALSO_READ = {
    **{
        (source, "nothing_lost"): {f"raw_{source}", f"merged_{source}", "rejected_records"}
        for source in SOURCES
    },
    ("mentions", "spans_spell_their_drug"): {"drugs"},
    ("mentions", "ids_exist"): {"drugs", *PUBLICATIONS},
    ("mentions", "every_publication_was_searched"): {
        *PUBLICATIONS,
        *(f"merged_{source}" for source in PUBLICATIONS),
        *(f"{source}_drugs_named" for source in PUBLICATIONS),
    },
    # One operation evaluates both checks, here and for the documents below.
    ("trial_publications", "references_agree"): {*PUBLICATIONS},
    ("trial_publications", "few_dangle"): {*PUBLICATIONS},
    **{
        (document, check): {"drugs", "mentions", "trial_publications", beside}
        for document, check, beside in (
            ("drug_graph", "valid_document", "unmentioned_drugs"),
            ("drug_graph", "equals_mentions", "unmentioned_drugs"),
            ("unmentioned_drugs", "valid_document", "drug_graph"),
        )
    },
    ("explorer", "equals_tables"): {"drugs", "mentions", "journal_drugs"},
    ("rejected_records", "rejected_share"): {f"raw_{source}" for source in SOURCES},
    ("drugs", "all_mentioned"): {"mentions"},
    ("mentions", "no_name_exploded"): {"drug_names", *PUBLICATIONS},
}


def test_a_check_waits_for_all_that_it_reads() -> None:
    waited_for = {
        (spec.asset_key.to_user_string(), spec.name): {
            dep.asset_key.to_user_string() for dep in spec.additional_deps
        }
        for definition in CHECKS
        for spec in definition.check_specs
    }
    assert {key: deps for key, deps in waited_for.items() if deps} == ALSO_READ


# Gates


def assert_gate_fails(store: Store, asset: str, check: str) -> dict[str, Any]:
    evaluation = store.evaluated(asset, check)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    assert evaluation.description
    return figures(evaluation)


@pytest.mark.parametrize("table", TABLES)
def test_contract_fails_where_a_key_stands_twice(store: Store, table: str) -> None:
    if runs.table(store.folder, table).is_empty():
        assert TABLES[table].tells_news or table == "trial_publications"
        pytest.skip("the table has no row in the sample")
    store.spoil(table, lambda rows: pl.concat([rows, rows.head(1)]))
    assert assert_gate_fails(store, table, "contract") == {"primary_key": 2}


def test_contract_fails_where_a_column_is_gone(store: Store) -> None:
    store.spoil("mentions", lambda rows: rows.drop("spans"))
    assert_gate_fails(store, "mentions", "contract")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("table", ["raw_{}", "{}", "merged_{}", "rejected_records"])
def test_nothing_lost_fails_where_a_row_is_gone(store: Store, source: str, table: str) -> None:
    def without_one(rows: pl.DataFrame) -> pl.DataFrame:
        if "source" in rows.columns:
            rows = rows.sort(pl.col("source") == source, descending=True)
        return rows.slice(1)

    store.spoil(table.format(source), without_one)
    found = assert_gate_fails(store, source, "nothing_lost")
    assert abs(found["raw"] - found["kept"] - found["merged"] - found["rejected"]) == 1


def test_nothing_lost_fails_where_a_row_took_the_place_of_another(store: Store) -> None:
    store.spoil("merged_pubmed", lambda rows: pl.concat([rows.head(1), rows.head(rows.height - 1)]))
    found = assert_gate_fails(store, "pubmed", "nothing_lost")
    assert found["raw"] == found["kept"] + found["merged"] + found["rejected"]
    assert found["accounted_for_twice"] == 1


def _moved_by_one(rows: pl.DataFrame) -> pl.DataFrame:
    span = pl.element().struct
    moved = pl.struct(*(span.field(end) + 1 for end in ("start", "end")), span.field("text", "by"))
    return rows.with_columns(spans=pl.col("spans").list.eval(moved))


def test_spans_fail_where_they_are_one_off(store: Store) -> None:
    store.spoil("mentions", _moved_by_one)
    found = assert_gate_fails(store, "mentions", "spans_spell_their_drug")
    assert found == {"spans": 147, "wrong": 147}


def test_spans_fail_where_they_spell_another_drug(store: Store) -> None:
    store.spoil("mentions", lambda rows: rows.with_columns(drug_id=pl.lit("caffeine")))
    assert_gate_fails(store, "mentions", "spans_spell_their_drug")


@pytest.mark.parametrize(
    ("table", "figure"),
    [
        ("drugs", "unknown_drugs"),
        ("pubmed", "unknown_pubmed"),
        ("clinical_trials", "unknown_clinical_trials"),
    ],
)
def test_ids_fail_where_a_table_lost_its_rows(store: Store, table: str, figure: str) -> None:
    store.spoil(table, lambda rows: rows.clear())
    assert assert_gate_fails(store, "mentions", "ids_exist")[figure] > 0


def _referring(rows: pl.DataFrame) -> pl.DataFrame:
    told = {**trial_publication("NCT1"), "journal": None}
    return pl.DataFrame([told], schema=rows.schema)


def test_references_fail_where_they_lead_to_something_else_than_they_say(store: Store) -> None:
    store.spoil("trial_publications", _referring)
    found = assert_gate_fails(store, "trial_publications", "references_agree")
    assert found["trial_in_store.unknown_clinical_trials"] == 1


@pytest.mark.parametrize("source", PUBLICATIONS)
def test_search_fails_where_a_file_was_not_searched(store: Store, source: str) -> None:
    store.spoil_list(f"{source}_drugs_named", lambda parts: parts[1:])
    found = assert_gate_fails(store, "mentions", "every_publication_was_searched")
    assert found[f"unsearched_{source}"] > 0
    assert found[f"unmentioned_{source}"] == 0


@pytest.mark.parametrize("source", PUBLICATIONS)
def test_search_fails_where_what_was_found_is_not_mentioned(store: Store, source: str) -> None:
    store.spoil("mentions", lambda rows: rows.filter(pl.col("source") != source))
    found = assert_gate_fails(store, "mentions", "every_publication_was_searched")
    assert {name for name, count in found.items() if count} == {f"unmentioned_{source}"}


def test_document_fails_where_a_field_is_gone(store: Store) -> None:
    store.spoil_graph(lambda graph: graph[3].pop("atc_codes"))
    assert_gate_fails(store, "drug_graph", "valid_document")


def test_document_fails_where_it_is_torn(store: Store) -> None:
    path = runs.current(store.folder) / "graph.json"
    path.write_bytes(path.read_bytes()[:-100])
    assert_gate_fails(store, "drug_graph", "valid_document")
    assert_gate_fails(store, "drug_graph", "equals_mentions")


def test_document_fails_where_a_drug_is_gone(store: Store) -> None:
    store.spoil_graph(lambda graph: graph.pop(2))
    assert_gate_fails(store, "drug_graph", "equals_mentions")


@pytest.mark.parametrize("table", ["drugs", "mentions", "journal_drugs"])
def test_explorer_fails_where_a_row_of_a_table_is_gone(store: Store, table: str) -> None:
    store.spoil(table, lambda rows: rows.slice(1))
    assert_gate_fails(store, "explorer", "equals_tables")


def test_explorer_fails_where_it_is_torn(store: Store) -> None:
    path = runs.current(store.folder) / "explorer.html"
    path.write_bytes(path.read_bytes()[:-100])
    assert_gate_fails(store, "explorer", "equals_tables")


def test_names_fail_where_they_are_torn(store: Store) -> None:
    path = runs.current(store.folder) / "names.json"
    path.write_bytes(path.read_bytes()[:2])
    assert_gate_fails(store, "unmentioned_drugs", "valid_document")
    assert_gate_fails(store, "drug_graph", "equals_mentions")


def test_documents_fail_where_a_drug_is_in_both(store: Store) -> None:
    drug = json.loads((runs.current(store.folder) / "graph.json").read_text("utf-8"))[0]
    members = {name: drug[name] for name in ("drug_id", "drug", "names", "atc_codes")}
    path = runs.current(store.folder) / "names.json"
    path.write_text(f"[\n{json.dumps(members)}\n]\n", encoding="utf-8")
    assert_gate_fails(store, "drug_graph", "equals_mentions")


def test_document_fails_where_a_mention_is_gone(store: Store) -> None:
    store.spoil("mentions", lambda rows: rows.slice(1))
    assert_gate_fails(store, "drug_graph", "equals_mentions")


def test_landing_fails_where_a_source_lost_every_row(store: Store) -> None:
    store.spoil("landed_files", lambda rows: rows.filter(pl.col("source") != "pubmed"))
    evaluation = store.evaluated("landed_files", "every_source_landed")
    assert_gate_fails(store, "landed_files", "every_source_landed")
    assert evaluation.description == (
        "no row of pubmed (in the last release pubmed: 112). Is it the right landing zone? If it "
        "is meant to be empty, run `drug-assets run --allow-empty pubmed`"
    )


def test_drugs_fail_where_there_is_no_name_to_look_for(store: Store) -> None:
    store.spoil("drugs", lambda rows: rows.clear())
    assert assert_gate_fails(store, "drugs", "has_names") == {"names": 0}


def test_every_check_is_evaluated_by_a_run_and_no_gate_fails(sample_run: runs.Run) -> None:
    told = re.search(r"(\d+) checks passed, (\d+) did not", sample_run.report)
    assert told is not None
    passed, others = map(int, told.groups())
    assert passed + others == len(BLOCKING | WARNINGS)
    assert sample_run.report.count("  warning: ") == others


# Warnings


def assert_warns(store: Store, asset: str, check: str) -> dict[str, Any]:
    evaluation = store.evaluated(asset, check)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    return figures(evaluation)


def test_file_that_is_not_read_is_a_warning_with_its_name(store: Store) -> None:
    store.spoil(
        "landed_files",
        lambda rows: rows.with_columns(
            problem=pl.when(pl.col("source_file") == "pubmed.csv").then(pl.lit("odd"))
        ),
    )
    assert assert_warns(store, "landed_files", "every_file_is_read") == {"pubmed.csv": "odd"}


def test_odd_rows_and_unread_columns_are_warnings_with_their_files(store: Store) -> None:
    issues = pl.lit([{"issue": "blank_row", "rows": 1200}, {"issue": "long_row", "rows": 1}])
    is_pubmed = pl.col("source_file") == "pubmed.csv"

    def spoilt(rows: pl.DataFrame) -> pl.DataFrame:
        schema = rows.schema
        odd = rows.filter(is_pubmed).with_columns(
            read_issues=issues.cast(schema["read_issues"]),
            unread_fields=pl.lit(["DOI", "\x1b[31m"]),
        )
        return pl.concat([odd, rows.filter(~is_pubmed)])

    store.spoil("landed_files", spoilt)
    found = assert_warns(store, "landed_files", "every_row_is_sound")
    assert found["pubmed.csv"] == "1,200 blank_row, 1 long_row"
    found = assert_warns(store, "landed_files", "every_field_is_read")
    assert found["pubmed.csv"] == "DOI, \\x1b[31m"


def test_source_that_never_had_a_row_is_a_warning_with_the_others_counts(store: Store) -> None:
    store.spoil("landed_files", lambda rows: rows.filter(pl.col("source") != "drugs"))
    store.spoil_summary(lambda summary: summary["rows"].pop("raw_drugs"))
    assert assert_warns(store, "landed_files", "every_source_landed") == {
        "raw_drugs": 0,
        "raw_pubmed": 112,
        "raw_clinical_trials": 41,
    }


def test_rejected_share_is_a_warning_above_a_twentieth(store: Store) -> None:
    found = assert_warns(store, "rejected_records", "rejected_share")
    assert (found["rejected"], found["raw"], found["share"]) == (18, 198, round(18 / 198, 4))
    assert found["drugs.blank_name"] == 3
    store.spoil("rejected_records", lambda rows: rows.head(198 // 20))
    assert store.evaluated("rejected_records", "rejected_share").passed


@pytest.mark.parametrize("source", PUBLICATIONS)
@pytest.mark.parametrize("flag", ["missing_id", "missing_date", "missing_journal"])
def test_missing_fields_are_a_warning_above_a_quarter(store: Store, source: str, flag: str) -> None:
    def flagged(share: float) -> Callable[[pl.DataFrame], pl.DataFrame]:
        def spoilt(rows: pl.DataFrame) -> pl.DataFrame:
            few = pl.int_range(pl.len()) < pl.len() * share
            flags = pl.concat_list(pl.when(few).then(pl.lit(flag))).list.drop_nulls()
            return rows.with_columns(issues=flags)

        return spoilt

    store.spoil(source, flagged(0.2))
    assert store.evaluated(source, flag).passed
    store.spoil(source, flagged(0.5))
    assert assert_warns(store, source, flag)["share"] == pytest.approx(0.5, abs=0.02)


def test_date_in_the_future_is_a_warning_and_today_is_not(store: Store) -> None:
    today = datetime.now(tz=UTC).date()

    def dated(day: date) -> Callable[[pl.DataFrame], pl.DataFrame]:
        return lambda rows: rows.with_columns(
            date=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(day)).otherwise("date")
        )

    store.spoil("pubmed", dated(today))
    assert store.evaluated("pubmed", "future_dates").passed
    store.spoil("pubmed", dated(today + timedelta(days=2)))
    assert assert_warns(store, "pubmed", "future_dates") == {"records": 1}


def test_references_that_lead_out_of_the_store_are_a_warning(store: Store) -> None:
    store.spoil(
        "trial_publications",
        lambda rows: _referring(rows).with_columns(publication_in_store=pl.lit(value=False)),
    )
    found = assert_warns(store, "trial_publications", "few_dangle")
    assert found == {"references": 1, "dangling": 1, "share": 1.0, "dangling.result": 1}


@pytest.mark.parametrize("source", PUBLICATIONS)
def test_records_that_contradict_others_are_a_warning(store: Store, source: str) -> None:
    def flagged(issues: list[str]) -> Callable[[pl.DataFrame], pl.DataFrame]:
        return lambda rows: rows.with_columns(issues=pl.lit(issues))

    store.spoil(source, flagged(["merged_duplicate"]))
    assert store.evaluated(source, "none_conflict").passed
    store.spoil(source, flagged(["conflicting_duplicate"]))
    found = assert_warns(store, source, "none_conflict")
    assert found["conflicting_duplicate"] > 0
    assert found["shared_id"] == 0


def test_drugs_never_mentioned_are_a_warning_with_their_names(store: Store) -> None:
    found = assert_warns(store, "drugs", "all_mentioned")
    assert found == {"drugs": 2, "names": "quinine, resveratrol"}


def test_drugs_with_an_identifier_in_common_are_a_warning(store: Store) -> None:
    store.spoil("drugs", lambda rows: rows.with_columns(xrefs=pl.lit(["cas:50-78-2"])).head(2))
    found = assert_warns(store, "drugs", "no_join_was_refused")
    assert list(found) == ["cas:50-78-2"]


def test_a_name_found_in_far_more_titles_than_before_is_a_warning(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.evaluated("mentions", "no_name_exploded").passed
    monkeypatch.setattr(audit, "EXPLODING_TITLES", 5)
    # The release that is compared with is that of the store itself.
    monkeypatch.setattr(audit, "EXPLODING_TIMES", 0.5)
    found = assert_warns(store, "mentions", "no_name_exploded")
    told = r"(\d+) of (\d+) titles, \1 of \2 the last time; digoxin, in drugs.csv"
    assert re.fullmatch(told, found["digoxin"]), found


@pytest.mark.slow
def test_table_that_shrank_by_more_than_a_tenth_is_a_warning(
    small_run: runs.Run, tmp_path: Path
) -> None:
    runs.copy(small_run.store, tmp_path / "store")
    pubmed: Sequence[str] = runs.SMALL["pubmed.csv"].splitlines()
    landing = runs.landing_zone(
        tmp_path / "landing", {**runs.SMALL, "pubmed.csv": "\n".join(pubmed[:2])}
    )
    run = runs.run(landing, tmp_path / "store")
    assert run.succeeded
    assert "warning: pubmed: did_not_shrink: 1 row, 2 the last time" in run.report
    assert "warning: mentions: did_not_shrink: 3 rows, 4 the last time" in run.report
    assert " drugs: did_not_shrink" not in run.report
