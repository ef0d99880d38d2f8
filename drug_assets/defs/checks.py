"""The asset checks (SPEC 7): blocking ones stop a run, warnings do not.

`audit` computes the findings. This module declares which asset a finding belongs to, and whether it
stops a run.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from drug_assets import audit, sources
from drug_assets.defs.assets import TABLES_MADE_TOGETHER
from drug_assets.defs.io_managers import open_outputs
from drug_assets.defs.places import Place
from drug_assets.documents import GRAPH
from drug_assets.sources.tables import TABLES

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
CONTRACT, DID_NOT_SHRINK = "contract", "did_not_shrink"
PUBLICATIONS = [source.name for source in sources.PUBLICATIONS]
#: Names of the checks whose figures the report of a run shows.
EVERY_FILE_IS_READ = "every_file_is_read"
NOTHING_LOST = "nothing_lost"
REJECTED_SHARE = "rejected_share"


def _result(
    finding: audit.Finding,
    *,
    severity: dg.AssetCheckSeverity = ERROR,
    **target: Any,
) -> dg.AssetCheckResult:
    """A finding as Dagster takes it; `target` names the check where an operation has several."""
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=severity,
        description=finding.summary,
        metadata=dict(finding.figures),
        **target,
    )


def _inputs(*assets: str) -> dict[str, dg.AssetIn]:
    return {asset: dg.AssetIn(asset) for asset in assets}


def _check_of_all(
    asset: str,
    name: str,
    description: str,
    *,
    blocking: bool,
    tables: Sequence[str],
    without_loading: Sequence[str] = (),
) -> Callable[[Callable[..., Iterator[dg.AssetCheckResult]]], dg.AssetChecksDefinition]:
    """Return the decorator that declares a check over the tables of all sources.

    `dg.asset_check` cannot: it takes a fixed list of arguments.

    Args:
        asset: the asset that is checked; the body takes it as an argument of that name.
        name: name of the check.
        description: what must hold.
        blocking: whether it stops a run.
        tables: further tables that the body takes as keyword arguments.
        without_loading: tables that the body loads from the store itself.
    """
    spec = dg.AssetCheckSpec(
        name,
        asset=asset,
        blocking=blocking,
        description=description,
        additional_deps=[*tables, *without_loading],
    )
    return dg.multi_asset_check(name=name, specs=[spec], ins=_inputs(asset, *tables))


def _table_checks(tables: Sequence[str]) -> dg.AssetChecksDefinition:
    """The checks that every table has: its contract, and its size compared to the last release.

    Tables that one operation makes are checked by one, too: on small tables, a step of Dagster
    takes longer than their checks.
    """
    specs = [
        dg.AssetCheckSpec(name, asset=table, blocking=blocking, description=description)
        for table in tables
        for name, blocking, description in (
            (CONTRACT, True, "Every rule of the contract holds."),
            (DID_NOT_SHRINK, False, "Not more than a tenth of the rows went since the last run."),
        )
    ]

    @dg.multi_asset_check(name=f"check_{tables[0]}", specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, store: Place
    ) -> Iterator[dg.AssetCheckResult]:
        outputs = open_outputs(store.open(), context)
        for table, name in product(tables, (CONTRACT, DID_NOT_SHRINK)):
            key = dg.AssetCheckKey(dg.AssetKey(table), name)
            if key not in context.selected_asset_check_keys:
                continue
            rows = outputs.table(table)
            if name == CONTRACT:
                finding, severity = audit.contract_kept(TABLES[table].contract, rows), ERROR
            else:
                finding = audit.did_not_shrink(rows, _rows_before(context, table))
                severity = WARN
            yield _result(finding, severity=severity, asset_key=key.asset_key, check_name=name)

    return check


def _rows_before(context: dg.AssetCheckExecutionContext, table: str) -> int | None:
    """The row count of the last release, which the table's own materialization recorded."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey(table))
    materialization = event.asset_materialization if event else None
    before = materialization.metadata.get("rows_before") if materialization else None
    return before.value if isinstance(before, dg.IntMetadataValue) else None


table_checks = [_table_checks(tables) for tables in TABLES_MADE_TOGETHER]


def _nothing_lost(source: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=source,
        name=NOTHING_LOST,
        blocking=True,
        description="Raw rows = cleaned records + merged rows + rejected rows.",
        additional_ins={
            "raw": dg.AssetIn(f"raw_{source}"),
            "merged": dg.AssetIn(f"merged_{source}"),
            "rejected": dg.AssetIn("rejected_records"),
        },
    )
    def check(
        kept: pl.LazyFrame, raw: pl.LazyFrame, merged: pl.LazyFrame, rejected: pl.LazyFrame
    ) -> dg.AssetCheckResult:
        of_source = rejected.filter(pl.col("source") == source)
        return _result(audit.nothing_lost(raw, kept, merged, of_source))

    return check


nothing_lost = [_nothing_lost(source.name) for source in sources.ALL]


@dg.asset_check(
    asset="mentions",
    blocking=True,
    description="Each span is inside its title and spells its drug.",
    additional_ins=_inputs("drugs"),
)
def spans_spell_their_drug(mentions: pl.LazyFrame, drugs: pl.LazyFrame) -> dg.AssetCheckResult:
    """Offsets are right."""
    return _result(audit.spans_spell_their_drug(mentions, drugs))


@_check_of_all(
    "mentions",
    "ids_exist",
    "Each mention's drug and publication are in their tables.",
    blocking=True,
    tables=["drugs", *PUBLICATIONS],
)
def ids_exist(
    mentions: pl.LazyFrame, drugs: pl.LazyFrame, **publications: pl.LazyFrame
) -> Iterator[dg.AssetCheckResult]:
    """Every mention refers to a drug and a publication that exist."""
    yield _result(audit.ids_exist(mentions, drugs, publications))


@_check_of_all(
    "mentions",
    "every_publication_was_searched",
    "All titles were searched, and what they name is mentioned.",
    blocking=True,
    tables=PUBLICATIONS,
    without_loading=[f"{source}_drugs_named" for source in PUBLICATIONS],
)
def every_publication_was_searched(
    context: dg.AssetCheckExecutionContext,
    mentions: pl.LazyFrame,
    store: Place,
    **publications: pl.LazyFrame,
) -> Iterator[dg.AssetCheckResult]:
    """No publication was left out of the search."""
    outputs = open_outputs(store.open(), context)
    searched = {}
    for source, table in publications.items():
        named = outputs.parts(f"{source}_drugs_named")
        of_file = named.input_rows(outputs.store)
        searched[source] = audit.Searched(table, of_file, named.rows(outputs.store))
    yield _result(audit.every_publication_was_searched(searched, mentions))


@dg.multi_asset_check(
    name=f"check_{GRAPH.name}",
    specs=[
        dg.AssetCheckSpec(
            "valid_document",
            asset=GRAPH.name,
            blocking=True,
            description="The document is as it is declared.",
        ),
        dg.AssetCheckSpec(
            "equals_mentions",
            asset=GRAPH.name,
            blocking=True,
            description="The document has the drugs and the counts of the mentions table.",
            additional_deps=["drugs", "mentions"],
        ),
    ],
    ins={"document": dg.AssetIn(GRAPH.name), **_inputs("drugs", "mentions")},
)
def check_graph(
    document: Path, drugs: pl.LazyFrame, mentions: pl.LazyFrame
) -> Iterator[dg.AssetCheckResult]:
    """The document follows its schema, and agrees with the table of mentions."""
    read = audit.read_graph(document)
    yield _result(audit.graph_is_valid(read), check_name="valid_document")
    equals = audit.graph_equals_mentions(read, drugs, mentions)
    yield _result(equals, check_name="equals_mentions")


@dg.asset_check(
    asset="landed_files",
    name=EVERY_FILE_IS_READ,
    description="Every file belongs to a source and is of a format we read.",
)
def every_file_is_read(landed_files: pl.LazyFrame) -> dg.AssetCheckResult:
    """The names of the files that were not read."""
    return _result(audit.every_file_is_read(landed_files), severity=WARN)


@dg.asset_check(asset="landed_files", description="Every source landed with at least one row.")
def every_source_landed(landed_files: pl.LazyFrame) -> dg.AssetCheckResult:
    """A source without landed rows leaves every later table without it, so it is a warning."""
    names = [source.name for source in sources.ALL]
    return _result(audit.every_source_landed(landed_files, names), severity=WARN)


@_check_of_all(
    "rejected_records",
    REJECTED_SHARE,
    "The share of raw rows that were rejected.",
    blocking=False,
    tables=[f"raw_{source.name}" for source in sources.ALL],
)
def rejected_share(
    rejected_records: pl.LazyFrame, **raw: pl.LazyFrame
) -> Iterator[dg.AssetCheckResult]:
    """Few rows are rejected."""
    yield _result(audit.few_are_rejected(rejected_records, raw.values()), severity=WARN)


def _publication_warnings(source: str) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(
            flag, asset=source, description=f"The share of records with {flag.replace('_', ' ')}."
        )
        for flag in audit.MISSING
    ] + [dg.AssetCheckSpec("future_dates", asset=source, description="Dates after today.")]

    @dg.multi_asset_check(name=f"warn_{source}", specs=specs, ins={"rows": dg.AssetIn(source)})
    def check(rows: pl.LazyFrame) -> Iterator[dg.AssetCheckResult]:
        for flag, finding in audit.few_are_flagged(rows).items():
            yield _result(finding, severity=WARN, check_name=flag)
        future = audit.no_future_dates(rows, datetime.now(tz=UTC).date())
        yield _result(future, severity=WARN, check_name="future_dates")

    return check


publication_warnings = [_publication_warnings(source) for source in PUBLICATIONS]


@dg.asset_check(
    asset="drugs", description="Drugs that no title names.", additional_ins=_inputs("mentions")
)
def all_mentioned(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> dg.AssetCheckResult:
    """The names of the drugs without any mention."""
    return _result(audit.all_are_mentioned(drugs, mentions), severity=WARN)
