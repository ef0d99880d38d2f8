"""The datasets, in the order of the data (SPEC section 3)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg
import polars as pl

from drug_assets import CODE_VERSION, cleaning, contracts, graph, mentions, sources
from drug_assets.cleaning import drugs as drug_cleaning
from drug_assets.cleaning import publications as publication_cleaning
from drug_assets.cleaning import rejected
from drug_assets.cleaning.stop_list import StopListError
from drug_assets.defs.resources import TRANSIENT, StopListFile
from drug_assets.formats import PARSER_VERSION
from drug_assets.rules import rules_in_force
from drug_assets.storage import landing
from drug_assets.storage.by_file import ByFile, code_version
from drug_assets.storage.io_managers import DOCUMENTS, Place, column_schema, outputs_of
from drug_assets.storage.outputs import (
    discard_abandoned,
    finish_interrupted_releases,
    set_aside,
)

OWNERS = ["team:drug-assets"]
_RAW = [f"raw_{source.name}" for source in sources.ALL]


def _described(table: str, group: str, **more: Any) -> dict[str, Any]:
    """What every table's asset carries; the description is the contract's."""
    return {
        "description": contracts.TABLES[table].__doc__,
        "group_name": group,
        "kinds": {"polars", "parquet"},
        "owners": OWNERS,
        "tags": {"layer": group},
        "metadata": {"dagster/column_schema": column_schema(table)},
        **more,
    }


def _table(table: str, group: str) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Declares the asset of a table."""
    decorator: Any = dg.asset(
        name=table,
        io_manager_key="tables",
        code_version=CODE_VERSION,
        **_described(table, group),
    )
    declare: Callable[[Callable[..., Any]], dg.AssetsDefinition] = decorator
    return declare


def _lineage(**columns: list[tuple[str, str]]) -> dict[str, Any]:
    """Where columns come from: name of a column -> (asset, column) pairs."""
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=name)
                    for asset, name in origins
                ]
                for column, origins in columns.items()
            }
        )
    }


def _out(table: str, group: str, **more: Any) -> dg.AssetOut:
    described = _described(table, group, **more)
    io_manager = "raw_tables" if group == "raw" else "tables"
    return dg.AssetOut(key=table, io_manager_key=io_manager, is_required=False, **described)


@dg.multi_asset(
    name="landing_zone",
    outs={
        table: _out(table, "raw", code_version=PARSER_VERSION) for table in ["landed_files", *_RAW]
    },
    can_subset=True,
    retry_policy=TRANSIENT,
)
def landing_zone(
    context: dg.AssetExecutionContext, landing_zone: Place, store: Place
) -> Iterator[dg.Output[Any]]:
    """Read every landed file; if one cannot be read, none of these tables is replaced."""
    place = store.open()
    for name in finish_interrupted_releases(place):
        context.log.warning("finished the interrupted release of %s", name)
    for run in discard_abandoned(place, datetime.now(tz=UTC)):
        context.log.info("removed what run %s staged and never released", run)
    try:
        landed = landing.read_landing_zone(landing_zone.open(), place)
    except landing.UnreadableFilesError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    outputs = outputs_of(place, context)
    outputs.write_document("landing.json", [landed.state()])
    tables: dict[str, pl.LazyFrame] = {
        "landed_files": landed.files.lazy(),
        **{f"raw_{name}": rows for name, rows in landed.raw.items()},
    }
    for table in tables.keys() & context.op_execution_context.selected_output_names:
        yield dg.Output(tables[table], output_name=table)


@dg.multi_asset(
    outs={
        "drugs": _out("drugs", "clean", code_version=CODE_VERSION),
        "merged_drugs": _out("merged_drugs", "clean", code_version=CODE_VERSION),
    },
)
def cleaned_drugs(raw_drugs: pl.LazyFrame, stop_list: StopListFile) -> Iterator[dg.Output[Any]]:
    """One row a drug, and the rows that named it again."""
    try:
        unsafe = stop_list.read()
    except StopListError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    kept, merged = drug_cleaning.cleaned_drugs(raw_drugs, unsafe)
    lineage = _lineage(
        drug=[("raw_drugs", "drug"), ("raw_drugs", "atc_name")],
        names=[("raw_drugs", "drug"), ("raw_drugs", "synonyms")],
        codes=[("raw_drugs", "atccode")],
        atc_codes=[("raw_drugs", "atccode")],
        drug_id=[("raw_drugs", "id"), ("raw_drugs", "drug")],
    )
    yield dg.Output(kept, output_name="drugs", metadata=lineage)
    yield dg.Output(merged, output_name="merged_drugs")


def _records(
    source: sources.Source,
    raw: pl.LazyFrame,
    landed_files: pl.LazyFrame,
    store: Place,
    set_aside: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None,
) -> pl.LazyFrame:
    """The raw rows of a source, each cleaned by itself; done once for each landed file."""
    return ByFile.of(store.open(), source.name, landed_files).made(
        "cleaned_rows",
        code_version(cleaning, contracts, sources),
        raw,
        partial(publication_cleaning.cleaned_rows, source),
        set_aside,
    )


@_table("journals", "clean")
def journals(
    raw_pubmed: pl.LazyFrame,
    raw_clinical_trials: pl.LazyFrame,
    landed_files: pl.LazyFrame,
    store: Place,
) -> pl.LazyFrame:
    """The journals of both sources."""
    raw = {sources.PUBMED: raw_pubmed, sources.CLINICAL_TRIALS: raw_clinical_trials}
    return publication_cleaning.journals_of(
        {source: _records(source, rows, landed_files, store) for source, rows in raw.items()}
    )


def _cleaned_publications(source: sources.Source) -> dg.AssetsDefinition:
    """The asset of a cleaned source and of the rows that were merged into it."""
    raw, merged_table = f"raw_{source.name}", f"merged_{source.name}"

    @dg.multi_asset(
        name=f"cleaned_{source.name}",
        outs={
            source.name: _out(source.name, "clean", code_version=CODE_VERSION),
            merged_table: _out(merged_table, "clean", code_version=CODE_VERSION),
        },
        ins={
            name: dg.AssetIn(key)
            for name, key in (
                ("raw", raw),
                ("journals", "journals"),
                ("landed_files", "landed_files"),
            )
        },
    )
    def cleaned(
        raw: pl.LazyFrame, journals: pl.LazyFrame, landed_files: pl.LazyFrame, store: Place
    ) -> Iterator[dg.Output[Any]]:
        title = "scientific_title" if source is sources.CLINICAL_TRIALS else "title"
        lineage = _lineage(
            publication_id=[(f"raw_{source.name}", "id")],
            title=[(f"raw_{source.name}", title)],
            journal=[("journals", "journal")],
            journal_id=[("journals", "journal_id")],
            date=[(f"raw_{source.name}", "date")],
            source_file=[(f"raw_{source.name}", "source_file")],
            source_row=[(f"raw_{source.name}", "source_row")],
        )
        with set_aside() as aside:
            records = _records(source, raw, landed_files, store, aside)
            kept, merged = publication_cleaning.cleaned_publications(source, records, journals)
            yield dg.Output(kept, output_name=source.name, metadata=lineage)
            yield dg.Output(merged, output_name=merged_table)

    return cleaned


cleaned_pubmed = _cleaned_publications(sources.PUBMED)
cleaned_clinical_trials = _cleaned_publications(sources.CLINICAL_TRIALS)


@_table("rejected_records", "clean")
def rejected_records(
    raw_drugs: pl.LazyFrame,
    raw_pubmed: pl.LazyFrame,
    raw_clinical_trials: pl.LazyFrame,
    landed_files: pl.LazyFrame,
    store: Place,
) -> pl.LazyFrame:
    """The rows of every source that could not be kept."""
    raw = {"drugs": raw_drugs, "pubmed": raw_pubmed, "clinical_trials": raw_clinical_trials}
    records = {
        source.name: _records(source, raw[source.name], landed_files, store)
        for source in (sources.PUBMED, sources.CLINICAL_TRIALS)
    }
    return rejected.rejected_records(raw, records)


@_table("mentions", "published")
def mentions_table(
    drugs: pl.LazyFrame,
    pubmed: pl.LazyFrame,
    clinical_trials: pl.LazyFrame,
    raw_pubmed: pl.LazyFrame,
    raw_clinical_trials: pl.LazyFrame,
    landed_files: pl.LazyFrame,
    store: Place,
) -> dg.Output[pl.LazyFrame]:
    """Every drug named in a title."""
    version = f"{code_version(cleaning, contracts, sources, mentions)}-{mentions.names_id(drugs)}"
    raw = {sources.PUBMED: raw_pubmed, sources.CLINICAL_TRIALS: raw_clinical_trials}
    named = {
        source.name: ByFile.of(store.open(), source.name, landed_files).made(
            "drugs_named",
            version,
            _records(source, rows, landed_files, store),
            partial(mentions.drugs_named, drugs=drugs),
        )
        for source, rows in raw.items()
    }
    publications = {"pubmed": pubmed, "clinical_trials": clinical_trials}
    found = mentions.mentions(publications, named, drugs)
    lineage = _lineage(
        drug_id=[("drugs", "drug_id")],
        drug=[("drugs", "drug")],
        publication_id=[("pubmed", "publication_id"), ("clinical_trials", "publication_id")],
        title=[
            ("pubmed", "title"),
            ("clinical_trials", "title"),
            ("clinical_trials", "brief_title"),
        ],
        spans=[("pubmed", "title"), ("clinical_trials", "title"), ("drugs", "names")],
    )
    return dg.Output(found, metadata=lineage)


@_table("journal_drugs", "published")
def journal_drugs(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Which journal mentions which drug."""
    return graph.journal_drugs(mentions)


@_table("top_journal", "published")
def top_journal(journal_drugs: pl.LazyFrame) -> pl.LazyFrame:
    """The journals that mention the most drugs."""
    return graph.top_journal(journal_drugs)


@dg.asset(
    io_manager_key="documents",
    code_version=CODE_VERSION,
    group_name="published",
    kinds={"polars", "json"},
    owners=OWNERS,
    tags={"layer": "published"},
    dagster_type=dg.Any,  # lines, made while they are written
)
def drug_graph(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> dg.Output[Any]:
    """The drug–publication–journal graph as one JSON document, one line a drug."""
    return dg.Output(graph.graph_document(drugs, mentions))


@dg.asset(
    deps=[*contracts.TABLES, *DOCUMENTS],
    group_name="published",
    kinds={"json"},
    owners=OWNERS,
    tags={"layer": "published"},
    retry_policy=TRANSIENT,
)
def release(
    context: dg.AssetExecutionContext, store: Place, stop_list: StopListFile
) -> dg.MaterializeResult[None]:
    """Give everything a run made its final name, once all blocking checks have passed.

    Until then readers of the store see the last good outputs. `release.json` says what landed and
    how many rows each table holds.
    """
    outputs = outputs_of(store.open(), context)
    document = outputs.summary(rules_in_force(stop_list.read()))
    names = outputs.release("release.json", document)
    return dg.MaterializeResult(
        metadata={
            "released": dg.MetadataValue.md("\n".join(f"- {name}" for name in names)),
            "path": dg.MetadataValue.path(outputs.store.uri("release.json")),
        }
    )
