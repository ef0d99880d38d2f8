"""The asset checks (SPEC 7): blocking ones stop a run, warnings do not.

`audit` computes the findings. This module declares which asset a finding belongs to, and whether it
stops a run. Every check can be run alone; in the workspace it notes the bytes that it looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import polars as pl

from drug_assets import audit, sources
from drug_assets.defs.assets import TABLES_MADE_TOGETHER
from drug_assets.defs.failures import explain_failures
from drug_assets.defs.workplace import FILES, Workplace, may_be_empty
from drug_assets.document.verifying import read_graph, read_names
from drug_assets.documents import DOCUMENTS, EXPLORER, GRAPH, NAMES
from drug_assets.engines.local import LocalMachine
from drug_assets.sources.tables import TABLES
from drug_assets.storage.outputs import Outputs
from drug_assets.terms import MergeRule
from drug_assets.wording import printable

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
CONTRACT, DID_NOT_SHRINK = "contract", "did_not_shrink"
PUBLICATIONS = [source.name for source in sources.PUBLICATIONS]
#: Names of the checks whose figures the report of a run shows.
EQUALS_MENTIONS = "equals_mentions"
VALID_DOCUMENT = "valid_document"
EVERY_FILE_IS_READ = "every_file_is_read"
NONE_CONFLICT = "none_conflict"
EVERY_ROW_IS_SOUND = "every_row_is_sound"
EVERY_FIELD_IS_READ = "every_field_is_read"
NOTHING_LOST = "nothing_lost"
REJECTED_SHARE = "rejected_share"

#: By blocking check, the files that it looks at.
LOOKED_AT: dict[dg.AssetCheckKey, tuple[str, ...]] = {}


class Look(NamedTuple):
    """What the body of a check can look at besides the tables that it loads."""

    context: dg.AssetCheckExecutionContext
    outputs: Outputs


#: The body of an operation that evaluates checks: takes the loaded tables as keyword arguments, and
#: yields, by asset and name of a check, a function that computes its finding.
Findings = Iterator[tuple[tuple[str, str], Callable[[], audit.Finding]]]
Body = Callable[..., Findings]


class Check(NamedTuple):
    """A check, as it is declared."""

    asset: str
    name: str
    description: str
    blocking: bool = False


def _declare(
    name: str, checks: Sequence[Check], *, load: Mapping[str, str], look_at: Sequence[str] = ()
) -> Callable[[Body], dg.AssetChecksDefinition]:
    """Return the decorator that declares an operation which evaluates checks.

    Args:
        name: name of the operation.
        checks: the checks.
        load: the assets that the body takes, by name of the argument.
        look_at: assets that the body reads from the store itself.
    """
    seen = [*load.values(), *look_at]
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=check.asset,
            blocking=check.blocking,
            description=check.description,
            additional_deps=[asset for asset in seen if asset != check.asset],
        )
        for check in checks
    ]
    for spec in specs:
        if spec.blocking:
            asset = spec.asset_key.path[-1]
            LOOKED_AT[spec.key] = tuple(sorted({FILES[a] for a in (asset, *seen)}))

    def decorate(body: Body) -> dg.AssetChecksDefinition:
        @dg.multi_asset_check(
            name=name,
            specs=specs,
            can_subset=True,
        )
        def evaluate(
            context: dg.AssetCheckExecutionContext, workplace: Workplace
        ) -> Iterator[dg.AssetCheckResult]:
            with explain_failures(context, workplace):
                outputs = workplace.open(context)
                # As inputs of Dagster, each would take longer to load than a small table to check.
                tables = {argument: _load(outputs, asset) for argument, asset in load.items()}
                blocking = {spec.key: spec.blocking for spec in specs}
                for (asset, check), find in body(Look(context, outputs), **tables):
                    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
                    if key not in context.selected_asset_check_keys:
                        continue
                    finding = find()
                    if outputs.workspace is not None and blocking[key]:
                        outputs.workspace.note_check(
                            f"{asset}.{check}", LOOKED_AT[key], passed=finding.passed
                        )
                    yield dg.AssetCheckResult(
                        asset_key=key.asset_key,
                        check_name=check,
                        passed=finding.passed,
                        severity=ERROR if blocking[key] and not finding.is_warning else WARN,
                        description=finding.summary,
                        metadata={printable(n): _show(v) for n, v in finding.figures.items()},
                    )

        return evaluate

    return decorate


def _load(outputs: Outputs, asset: str) -> pl.LazyFrame | Path:
    """The rows of a table, or the path of a local file with a document."""
    if asset in DOCUMENTS:
        return outputs.path(DOCUMENTS[asset].file)
    return outputs.table(asset)


def _show(figure: Any) -> Any:
    """A figure as a page shows it: texts can be the names of files."""
    return printable(figure) if isinstance(figure, str) else figure


def _same(*assets: str) -> dict[str, str]:
    """Assets that a body takes under their own names."""
    return {asset: asset for asset in assets}


def _table_checks(tables: Sequence[str]) -> dg.AssetChecksDefinition:
    """The checks that every table has: its contract, and its size compared to the last release.

    Tables that one operation makes are checked by one, too: on small tables, a step of Dagster
    takes longer than their checks.
    """
    checks = [
        *(
            Check(table, CONTRACT, "Every rule of the contract holds.", blocking=True)
            for table in tables
        ),
        *(
            Check(table, DID_NOT_SHRINK, "Not more than a tenth of the rows went since then.")
            for table in tables
            if not TABLES[table].tells_news  # what was new then is none of what is new now
        ),
    ]

    def find(outputs: Outputs, table: str, check: str) -> audit.Finding:
        if check == CONTRACT and outputs.keeps_contract(table):
            return audit.CONTRACT_KEPT
        rows = outputs.table(table)
        if check == CONTRACT:
            return audit.contract_kept(TABLES[table].contract, rows)
        return audit.did_not_shrink(rows, outputs.rows_before(table))

    @_declare(f"check_{tables[0]}", checks, load={})
    def body(look: Look) -> Findings:
        for check in checks:
            key = check.asset, check.name
            yield key, partial(find, look.outputs, *key)

    return body


table_checks = [_table_checks(tables) for tables in TABLES_MADE_TOGETHER]


def _nothing_lost(source: str) -> dg.AssetChecksDefinition:
    tables = {
        "kept": source,
        "raw": f"raw_{source}",
        "merged": f"merged_{source}",
        "rejected": "rejected_records",
    }
    summary = "Raw rows = cleaned records + merged rows + rejected rows."

    @_declare(
        f"{source}_nothing_lost", [Check(source, NOTHING_LOST, summary, blocking=True)], load=tables
    )
    def body(_: Look, rejected: Any, **loaded: Any) -> Findings:
        of_source = rejected.filter(pl.col("source") == source)
        yield (source, NOTHING_LOST), partial(audit.nothing_lost, rejected=of_source, **loaded)

    return body


nothing_lost = [_nothing_lost(source.name) for source in sources.ALL]


@_declare(
    "spans_spell_their_drug",
    [
        Check(
            "mentions",
            "spans_spell_their_drug",
            "Each span is inside its title and spells its drug.",
            blocking=True,
        )
    ],
    load=_same("mentions", "drugs"),
)
def spans_spell_their_drug(_: Look, **loaded: Any) -> Findings:
    """Offsets are right."""
    yield (
        ("mentions", "spans_spell_their_drug"),
        partial(audit.spans_spell_their_drug, **loaded),
    )


@_declare(
    "ids_exist",
    [
        Check(
            "mentions",
            "ids_exist",
            "Each mention's drug and publication are in their tables.",
            blocking=True,
        )
    ],
    load=_same("mentions", "drugs", *PUBLICATIONS),
)
def ids_exist(_: Look, mentions: Any, drugs: Any, **publications: Any) -> Findings:
    """Every mention refers to a drug and a publication that exist."""
    yield ("mentions", "ids_exist"), partial(audit.ids_exist, mentions, drugs, publications)


@_declare(
    "check_references",
    [
        Check(
            "trial_publications",
            "references_agree",
            "Trials and publications are in their tables where it is said, and only there.",
            blocking=True,
        ),
        Check("trial_publications", "few_dangle", "References that lead out of the store."),
    ],
    load=_same("trial_publications", *PUBLICATIONS),
)
def check_references(_: Look, trial_publications: Any, **publications: Any) -> Findings:
    """What trials and publications say of each other is true of the store."""
    agree = partial(audit.references_agree, trial_publications, publications)
    yield ("trial_publications", "references_agree"), agree
    dangle = partial(audit.few_references_dangle, trial_publications)
    yield ("trial_publications", "few_dangle"), dangle


@_declare(
    "every_publication_was_searched",
    [
        Check(
            "mentions",
            "every_publication_was_searched",
            "All titles were searched, and what they name is mentioned.",
            blocking=True,
        )
    ],
    load=_same("mentions", *PUBLICATIONS, *(f"merged_{source}" for source in PUBLICATIONS)),
    look_at=[f"{source}_drugs_named" for source in PUBLICATIONS],
)
def every_publication_was_searched(look: Look, mentions: Any, **tables: Any) -> Findings:
    """No publication was left out of the search."""

    def find() -> audit.Finding:
        searched = {}
        for source in PUBLICATIONS:
            named = look.outputs.parts(f"{source}_drugs_named")
            of_file = named.input_rows(look.outputs.store)
            searched[source] = audit.Searched(
                tables[source],
                of_file,
                named.rows(look.outputs.store),
                # Parts have no title, so they change none.
                tables[f"merged_{source}"].filter(pl.col("rule") != MergeRule.PART_OF_RECORD),
            )
        return audit.every_publication_was_searched(searched, mentions)

    yield ("mentions", "every_publication_was_searched"), find


@_declare(
    f"check_{GRAPH.name}",
    [
        *(
            Check(
                document.name, VALID_DOCUMENT, "The document is as it is declared.", blocking=True
            )
            for document in (GRAPH, NAMES)
        ),
        Check(
            GRAPH.name,
            EQUALS_MENTIONS,
            "The document has the counts of the tables that it is made from, and each drug is "
            f"either in it or in {NAMES.file}.",
            blocking=True,
        ),
    ],
    load={"graph": GRAPH.name, "names": NAMES.name, **_same(*GRAPH.tables)},
)
def check_graph(_: Look, graph: Any, names: Any, **tables: Any) -> Findings:
    """The documents follow their schemas, and agree with the tables."""
    of_graph, of_names = read_graph(graph, LocalMachine()), read_names(names)
    for document, found in ((GRAPH, of_graph), (NAMES, of_names)):
        yield (document.name, VALID_DOCUMENT), partial(audit.document_is_valid, found)
    equals = partial(audit.graph_equals_mentions, of_graph, of_names, **tables)
    yield (GRAPH.name, EQUALS_MENTIONS), equals


@_declare(
    f"check_{EXPLORER.name}",
    [
        Check(
            EXPLORER.name,
            "equals_tables",
            "The page counts what the tables hold, by drug and journal, and has all of its data.",
            blocking=True,
        )
    ],
    load={"page": EXPLORER.name, **_same(sources.DRUGS.name, "mentions", "journal_drugs")},
)
def check_explorer(look: Look, page: Any, **tables: Any) -> Findings:
    """The explorer agrees with the tables."""
    beside = look.outputs.list_beside(EXPLORER.file, EXPLORER.folder or "")
    equals = partial(audit.page_equals_tables, page, beside, **tables)
    yield (EXPLORER.name, "equals_tables"), equals


@_declare(
    EVERY_FILE_IS_READ,
    [
        Check(
            "landed_files",
            EVERY_FILE_IS_READ,
            "Every file belongs to a source and is of a format we read.",
        ),
        Check("landed_files", EVERY_ROW_IS_SOUND, "No raw row is odd in form."),
        Check("landed_files", EVERY_FIELD_IS_READ, "No column or key has an unknown name."),
    ],
    load=_same("landed_files"),
)
def every_file_is_read(_: Look, landed_files: Any) -> Findings:
    """What is known of each landed file: whether it was read, and what was odd in it."""
    for name, find in (
        (EVERY_FILE_IS_READ, audit.every_file_is_read),
        (EVERY_ROW_IS_SOUND, audit.every_row_is_sound),
        (EVERY_FIELD_IS_READ, audit.every_field_is_read),
    ):
        yield ("landed_files", name), partial(find, landed_files)


@_declare(
    "every_source_landed",
    [
        Check(
            "landed_files",
            "every_source_landed",
            "Every source has rows. No source lost all of them since the last release.",
            blocking=True,
        )
    ],
    load=_same("landed_files"),
)
def every_source_landed(look: Look, landed_files: Any) -> Findings:
    """A source that lost every row would empty every later table of it."""
    before = {s.name: look.outputs.rows_before(f"raw_{s.name}") or 0 for s in sources.ALL}
    allowed = may_be_empty(look.context)
    yield (
        ("landed_files", "every_source_landed"),
        partial(audit.every_source_landed, landed_files, before, allowed),
    )


@_declare(
    "has_names",
    [
        Check(
            sources.DRUGS.name,
            "has_names",
            "There is a drug to look for in titles.",
            blocking=True,
        )
    ],
    load=_same(sources.DRUGS.name),
)
def has_names(look: Look, drugs: Any) -> Findings:
    """Without a name to search for, no title would name any drug."""
    allowed = sources.DRUGS.name in may_be_empty(look.context)
    yield (sources.DRUGS.name, "has_names"), partial(audit.has_names, drugs, allowed=allowed)


@_declare(
    REJECTED_SHARE,
    [Check("rejected_records", REJECTED_SHARE, "The share of raw rows that were rejected.")],
    load=_same("rejected_records", *(f"raw_{source.name}" for source in sources.ALL)),
)
def rejected_share(_: Look, rejected_records: Any, **raw: Any) -> Findings:
    """Few rows are rejected."""
    by_source = {source.name: raw[f"raw_{source.name}"] for source in sources.ALL}
    few = partial(audit.few_are_rejected, rejected_records, by_source)
    yield ("rejected_records", REJECTED_SHARE), few


def _publication_warnings(source: str) -> dg.AssetChecksDefinition:
    checks = [
        Check(source, flag, f"The share of records with {flag.replace('_', ' ')}.")
        for flag in audit.MISSING
    ] + [
        Check(source, "future_dates", "Dates after today."),
        Check(source, NONE_CONFLICT, "Records that contradict others of their id."),
    ]

    @_declare(f"warn_{source}", checks, load={"rows": source})
    def body(_: Look, rows: Any) -> Findings:
        flagged = audit.few_are_flagged(rows)
        for flag in audit.MISSING:
            yield (source, flag), partial(flagged.__getitem__, flag)
        today = datetime.now(tz=UTC).date()
        yield (source, "future_dates"), partial(audit.no_future_dates, rows, today)
        yield (source, NONE_CONFLICT), partial(audit.none_conflict, rows)

    return body


publication_warnings = [_publication_warnings(source) for source in PUBLICATIONS]


@_declare(
    "no_join_was_refused",
    [
        Check(
            sources.DRUGS.name,
            "no_join_was_refused",
            "Drugs that have an identifier in common, but are not the same.",
        )
    ],
    load=_same(sources.DRUGS.name),
)
def no_join_was_refused(_: Look, drugs: Any) -> Findings:
    """The drugs of which lists say both that they are one and that they are two."""
    key = sources.DRUGS.name, "no_join_was_refused"
    yield key, partial(audit.no_join_was_refused, drugs)


@_declare(
    "all_mentioned",
    [Check("drugs", "all_mentioned", "Drugs that no title names.")],
    load=_same("drugs", "mentions"),
)
def all_mentioned(_: Look, drugs: Any, mentions: Any) -> Findings:
    """The names of the drugs without any mention."""
    yield ("drugs", "all_mentioned"), partial(audit.all_are_mentioned, drugs, mentions)


@_declare(
    "no_name_exploded",
    [
        Check(
            "mentions",
            "no_name_exploded",
            "No name is found in far more titles than in the last release.",
        )
    ],
    load=_same("mentions", "drug_names", *PUBLICATIONS),
)
def no_name_exploded(look: Look, mentions: Any, drug_names: Any, **publications: Any) -> Findings:
    """The names whose mentions explode, with the lists that give them."""

    def find() -> audit.Finding:
        titles = sum(table.select(pl.len()).collect().item() for table in publications.values())
        now = audit.Named.of(mentions, titles)
        return audit.no_name_exploded(now, _names_before(look), drug_names)

    yield ("mentions", "no_name_exploded"), find


def _names_before(look: Look) -> audit.Named | None:
    """The names that the last release found; None if there is none, or if its file is damaged."""
    mentions = look.outputs.table_before("mentions")
    if mentions is None:
        return None
    try:
        titles = sum(look.outputs.rows_before(source) or 0 for source in PUBLICATIONS)
        return audit.Named.of(mentions, titles)
    except pl.exceptions.PolarsError as error:
        # This run makes the next release whole; it must not fail because the last one is not.
        look.context.log.warning(
            f"the mentions of the last release are damaged, and count as absent: {error}"
        )
        return None
