"""What is checked, and what stops a run (SPEC section 7): gates are blocking, warnings are not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from drug_assets import audit, contracts

#: Shares of records above which a warning is given.
REJECTED_SHARE = 0.05
MISSING_SHARE = 0.25
SHRUNK_SHARE = 0.10
_MISSING = ("missing_id", "missing_date", "missing_journal")


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _result(
    finding: audit.Finding,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **which: Any,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=severity,
        description=finding.summary,
        metadata=dict(finding.figures),
        **which,
    )


def _table_checks(table: str) -> dg.AssetChecksDefinition:
    """The checks that every table has: its contract, and its size against the last release."""
    specs = [
        dg.AssetCheckSpec(
            "contract", asset=table, blocking=True, description="Every rule of the contract holds."
        ),
        dg.AssetCheckSpec(
            "did_not_shrink",
            asset=table,
            description="Not more than a tenth of the rows went since the last run.",
        ),
    ]

    @dg.multi_asset_check(name=f"check_{table}", specs=specs, ins={"rows": dg.AssetIn(table)})
    def check(
        context: dg.AssetCheckExecutionContext, rows: pl.LazyFrame
    ) -> Iterator[dg.AssetCheckResult]:
        yield _result(audit.contract_kept(contracts.TABLES[table], rows), check_name="contract")
        yield _result(
            _size_finding(context, table, rows),
            severity=dg.AssetCheckSeverity.WARN,
            check_name="did_not_shrink",
        )

    return check


def _size_finding(
    context: dg.AssetCheckExecutionContext, table: str, rows: pl.LazyFrame
) -> audit.Finding:
    event = context.instance.get_latest_materialization_event(dg.AssetKey(table))
    made = event.asset_materialization if event else None
    before = made.metadata.get("rows_before") if made else None
    now = int(rows.select(pl.len()).collect().item())
    if not isinstance(before, dg.IntMetadataValue) or before.value is None:
        return audit.Finding(passed=True, summary=f"{counted(now, 'row')}, the first time")
    return audit.Finding(
        passed=now >= before.value * (1 - SHRUNK_SHARE),
        summary=f"{counted(now, 'row')}, {before.value:,} the last time",
        figures={"rows": now, "rows_before": before.value},
    )


table_checks = [_table_checks(table) for table in contracts.TABLES]


def _nothing_lost(source: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=source,
        name="nothing_lost",
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


nothing_lost = [_nothing_lost(source) for source in contracts.SOURCES]


@dg.asset_check(
    asset="mentions",
    blocking=True,
    description="Each span is inside its title and spells its drug.",
    additional_ins={"drugs": dg.AssetIn("drugs")},
)
def spans_spell_their_drug(mentions: pl.LazyFrame, drugs: pl.LazyFrame) -> dg.AssetCheckResult:
    """Offsets are right."""
    return _result(audit.spans_spell_their_drug(mentions, drugs))


@dg.asset_check(
    asset="mentions",
    blocking=True,
    description="Each mention's drug and publication are in their tables.",
    additional_ins={
        "drugs": dg.AssetIn("drugs"),
        "pubmed": dg.AssetIn("pubmed"),
        "clinical_trials": dg.AssetIn("clinical_trials"),
    },
)
def ids_exist(
    mentions: pl.LazyFrame,
    drugs: pl.LazyFrame,
    pubmed: pl.LazyFrame,
    clinical_trials: pl.LazyFrame,
) -> dg.AssetCheckResult:
    """No mention points nowhere."""
    publications = {"pubmed": pubmed, "clinical_trials": clinical_trials}
    return _result(audit.ids_exist(mentions, drugs, publications))


@dg.multi_asset_check(
    name="check_drug_graph",
    specs=[
        dg.AssetCheckSpec(
            "valid_document",
            asset="drug_graph",
            blocking=True,
            description="The document follows its JSON Schema.",
        ),
        dg.AssetCheckSpec(
            "equals_mentions",
            asset="drug_graph",
            blocking=True,
            description="The document has the drugs and the counts of the mentions table.",
            additional_deps=["drugs", "mentions"],
        ),
    ],
    ins={name: dg.AssetIn(name) for name in ("drug_graph", "drugs", "mentions")},
)
def check_drug_graph(
    drug_graph: Path, drugs: pl.LazyFrame, mentions: pl.LazyFrame
) -> Iterator[dg.AssetCheckResult]:
    """The document can be read by those who rely on its schema, and says what the table says."""
    read = audit.read_graph(drug_graph)
    yield _result(audit.graph_is_valid(read), check_name="valid_document")
    equals = audit.graph_equals_mentions(read, drugs, mentions)
    yield _result(equals, check_name="equals_mentions")


@dg.asset_check(
    asset="landed_files", description="Every file belongs to a source and is of a format we read."
)
def every_file_is_read(landed_files: pl.LazyFrame) -> dg.AssetCheckResult:
    """Files that were passed over, by name."""
    unread = landed_files.filter(pl.col("problem").is_not_null()).collect()
    figures = dict(zip(unread["source_file"], unread["problem"], strict=True))
    finding = audit.Finding(
        passed=unread.is_empty(),
        summary=f"{counted(unread.height, 'file')} not read" if figures else "all files were read",
        figures=figures,
    )
    return _result(finding, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset="landed_files", description="Every source landed with at least one row.")
def every_source_landed(landed_files: pl.LazyFrame) -> dg.AssetCheckResult:
    """A source of which nothing landed is empty everywhere after: that is worth a word."""
    rows = dict(landed_files.group_by("source").agg(pl.col("raw_rows").sum()).collect().iter_rows())
    figures = {f"raw_{source}": rows.get(source, 0) for source in contracts.SOURCES}
    missing = [source for source in contracts.SOURCES if not rows.get(source)]
    finding = audit.Finding(
        passed=not missing,
        summary="no row of " + ", ".join(missing) if missing else "rows of every source",
        figures=figures,
    )
    return _result(finding, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset="rejected_records",
    description="The share of raw rows that were rejected.",
    additional_ins={f"raw_{source}": dg.AssetIn(f"raw_{source}") for source in contracts.SOURCES},
)
def rejected_share(
    rejected_records: pl.LazyFrame,
    raw_drugs: pl.LazyFrame,
    raw_pubmed: pl.LazyFrame,
    raw_clinical_trials: pl.LazyFrame,
) -> dg.AssetCheckResult:
    """Few rows are rejected."""
    raw = (raw_drugs, raw_pubmed, raw_clinical_trials)
    rows = sum(int(part.select(pl.len()).collect().item()) for part in raw)
    rejected = int(rejected_records.select(pl.len()).collect().item())
    share = audit.share(rejected, rows)
    finding = audit.Finding(
        passed=share <= REJECTED_SHARE,
        summary=f"{rejected:,} of {counted(rows, 'raw row')} rejected",
        figures={
            "rejected": rejected,
            "raw": rows,
            "share": share,
            **audit.rejected_by_reason(rejected_records),
        },
    )
    return _result(finding, severity=dg.AssetCheckSeverity.WARN)


def _publication_warnings(source: str) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(
            flag, asset=source, description=f"The share of records with {flag.replace('_', ' ')}."
        )
        for flag in _MISSING
    ] + [dg.AssetCheckSpec("future_dates", asset=source, description="Dates after today.")]

    @dg.multi_asset_check(name=f"warn_{source}", specs=specs, ins={"rows": dg.AssetIn(source)})
    def check(rows: pl.LazyFrame) -> Iterator[dg.AssetCheckResult]:
        warn = dg.AssetCheckSeverity.WARN
        for flag, share in audit.flagged_shares(rows, _MISSING).items():
            finding = audit.Finding(
                passed=share <= MISSING_SHARE,
                summary=f"{share:.1%} of the records",
                figures={"share": share},
            )
            yield _result(finding, severity=warn, check_name=flag)
        future = audit.dates_in_the_future(rows, datetime.now(tz=UTC).date())
        finding = audit.Finding(
            passed=not future, summary=counted(future, "record"), figures={"records": future}
        )
        yield _result(finding, severity=warn, check_name="future_dates")

    return check


publication_warnings = [_publication_warnings(s) for s in contracts.PUBLICATION_SOURCES]


@dg.asset_check(
    asset="drugs",
    description="Drugs that no title names.",
    additional_ins={"mentions": dg.AssetIn("mentions")},
)
def all_mentioned(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> dg.AssetCheckResult:
    """Drugs without mention, by name."""
    names = audit.never_mentioned(drugs, mentions)
    finding = audit.Finding(
        passed=not names,
        summary=f"{counted(len(names), 'drug')} never mentioned",
        figures={"drugs": len(names), "names": ", ".join(names[:50])},
    )
    return _result(finding, severity=dg.AssetCheckSeverity.WARN)
