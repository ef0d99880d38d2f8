"""The figures that plots of assets show over time: their names stay, their values are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
import pytest

from drug_assets.definitions import make_definitions
from drug_assets.defs.jobs import JOB
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES, compute_figures
from drug_assets.terms import ListChange, MentionChange, RejectReason
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LATER = {
    "pubmed_later.csv": (
        "id,title,date,journal\n"
        "7,Aspirin and ethanol,2021-01-01,New Journal of Tests\n"
        "8,,2021-01-01,New Journal of Tests\n"
    ),
    "clinical_trials_later.json": '[{"id": "NCT00000009", "scientific_title": "Aspirin"}]',
}


def plotted(zone: Path, store: Path) -> dict[str, dict[str, int]]:
    """By asset, the numbers that its page shows of a run."""
    settings = Settings.of({}, landing=str(zone), store=str(store))
    result = make_definitions(settings).resolve_job_def(JOB).execute_in_process()
    found = {}
    for event in result.all_events:
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            found[made.asset_key.path[-1]] = {
                name: int(value.value or 0)
                for name, value in made.metadata.items()
                if isinstance(value, dg.IntMetadataValue)
            }
    return found


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Mapping[str, Mapping[str, int]]]:
    folder = tmp_path_factory.mktemp("plots")
    zone = runs.landing_zone(folder / "landing")
    first = plotted(zone, folder / "store")
    runs.landing_zone(zone, LATER)
    return [first, plotted(zone, folder / "store")]


@pytest.mark.slow
def test_names_of_figures_are_the_same_in_every_run(
    two_runs: list[Mapping[str, Mapping[str, int]]],
) -> None:
    first, second = ({asset: set(found) for asset, found in run.items()} for run in two_runs)
    # The first release has nothing to compare itself with.
    assert first.pop("release") <= second.pop("release")
    assert first == second
    for table, declared in TABLES.items():
        assert set(declared.figures) <= first[table]


@pytest.mark.slow
def test_mentions_show_their_sources_drugs_and_journals(
    two_runs: list[Mapping[str, Mapping[str, int]]],
) -> None:
    of_mentions = [
        {name: run["mentions"][name] for name in TABLES["mentions"].figures} for run in two_runs
    ]
    assert of_mentions == [
        {
            "source.pubmed": 3,
            "source.clinical_trials": 1,
            "drugs": 3,
            "journals": 2,
            "retracted": 0,
            "ambiguous": 0,
        },
        {
            "source.pubmed": 5,
            "source.clinical_trials": 2,
            "drugs": 3,
            "journals": 3,
            "retracted": 0,
            "ambiguous": 0,
        },
    ]


@pytest.mark.slow
def test_rejected_rows_show_every_reason_also_those_that_no_row_has(
    two_runs: list[Mapping[str, Mapping[str, int]]],
) -> None:
    for run, blank in zip(two_runs, (1, 2), strict=True):
        found = run["rejected_records"]
        reasons = {reason: found[f"reasons.{reason}"] for reason in RejectReason}
        assert reasons == {r: blank if r == RejectReason.BLANK_TITLE else 0 for r in RejectReason}
        assert sum(reasons.values()) == found["dagster/row_count"]
        assert found["source.pubmed"] == blank
        assert found["source.drugs"] == found["source.clinical_trials"] == 0


@pytest.mark.slow
def test_other_tables_show_what_belongs_to_them(
    two_runs: list[Mapping[str, Mapping[str, int]]],
) -> None:
    first, second = two_runs
    assert [run["landed_files"]["source.pubmed"] for run in two_runs] == [1, 2]
    assert [run["landed_files"]["unread"] for run in two_runs] == [0, 0]
    assert first["landed_files"]["landed_bytes"] == sum(
        len(t.encode()) for t in runs.SMALL.values()
    )
    assert [run["pubmed"]["journals"] for run in two_runs] == [2, 3]
    assert [run["pubmed"]["dated"] for run in two_runs] == [2, 3]
    assert [run["journal_drugs"]["journals"] for run in two_runs] == [2, 3]
    assert second["top_journal"]["drugs"] == 2
    assert second["new_mentions"][f"change.{MentionChange.ADDED}"] == 3
    assert second["new_mentions"][f"change.{MentionChange.GONE}"] == 0
    assert second["new_mentions"]["first_in_journal"] == 2
    assert second["changed_names"][f"change.{ListChange.ADDED}"] == 0


def test_a_row_with_several_reasons_counts_for_the_first_of_the_words() -> None:
    rows = rejected(["blank_row", "blank_title"], ["blank_title"], ["deleted", "deletion"])
    found = compute_figures("rejected_records", rows)
    counted = {
        name: count for name, count in found.items() if name.startswith("reasons.") and count
    }
    assert counted == {"reasons.blank_row": 1, "reasons.blank_title": 1, "reasons.deletion": 1}


def rejected(*reasons: list[str]) -> pl.LazyFrame:
    return pl.LazyFrame({"source": ["pubmed"] * len(reasons), "reasons": reasons})


@pytest.mark.parametrize("table", [table for table in TABLES if TABLES[table].figures])
def test_figures_of_a_table_without_rows_are_zeros(table: str) -> None:
    nothing = TABLES[table].contract.create_empty(lazy=True)
    assert compute_figures(table, nothing) == dict.fromkeys(TABLES[table].figures, 0)


def test_tables_kept_by_file_have_no_figures() -> None:
    assert [name for name, table in TABLES.items() if table.by_file and table.figures] == []
