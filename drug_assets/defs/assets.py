"""The datasets, from landed files to the release (SPEC 3).

An asset body loads its inputs, calls code that does not know Dagster, and returns. Assets that
every source has are declared in a loop over the registry. The asset of a table that is kept file
by file returns a recipe, which its IO manager runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import dagster as dg
import polars as pl

from drug_assets import formats, graph, mentions, news, references, sources
from drug_assets.cleaning import drugs as drug_cleaning
from drug_assets.cleaning import publications as publication_cleaning
from drug_assets.cleaning import rejected
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets.contracts import MENTION_PARTS
from drug_assets.defs import OWNERS
from drug_assets.defs import news as news_of_run
from drug_assets.defs.failures import explain_failures
from drug_assets.defs.io_managers import make_column_schema
from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.places import Place, Workers
from drug_assets.defs.progress import ProgressLog
from drug_assets.defs.stop_list import StopListFile
from drug_assets.defs.workplace import Workplace
from drug_assets.documents import DOCUMENTS, Document
from drug_assets.sources import PublicationSource
from drug_assets.sources.tables import (
    TABLES,
    Layer,
    name_mention_counts,
    name_retraction_counts,
)
from drug_assets.storage import landing
from drug_assets.storage.comparison import COMPARED
from drug_assets.storage.kept.by_file import Recipe, hold_prepared
from drug_assets.storage.pieces import Pieces
from drug_assets.storage.releases import LANDING_DOCUMENT
from drug_assets.terms import SpanOrigin
from drug_assets.versions import compute_version

#: An external asset: people and services put its files there, no run makes them.
LANDING_ZONE = dg.AssetKey("landing_zone")

Columns = Mapping[str, list[tuple[str, str]]]


def _table(
    name: str,
    made_by: Callable[..., object],
    *,
    inputs: Iterable[str] = (),
    lineage: Columns | None = None,
    details: str = "",
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Return the decorator that declares the asset of a table.

    Args:
        name: the table.
        made_by: the function that computes the table; the asset's code version follows from it.
        inputs: tables that the body takes as keyword arguments (`**tables`).
        lineage: where columns come from: (asset, column) pairs by column name.
        details: what the asset's page says of the table beyond its contract.
    """
    described = _describe(name, made_by, lineage)
    if details:
        described["description"] += f"\n\n{details}"
    decorator: Any = dg.asset(
        name=name, ins={table: dg.AssetIn(table) for table in inputs}, **described
    )
    declare: Callable[[Callable[..., Any]], dg.AssetsDefinition] = decorator
    return declare


def _out(name: str, made_by: Callable[..., object], lineage: Columns | None = None) -> dg.AssetOut:
    """Declare one table of an operation that makes several; arguments as in `_table`."""
    return dg.AssetOut(key=name, is_required=False, **_describe(name, made_by, lineage))


def _describe(name: str, made_by: Callable[..., object], lineage: Columns | None) -> dict[str, Any]:
    table = TABLES[name]
    metadata: dict[str, Any] = {"dagster/column_schema": make_column_schema(name)}
    if lineage:
        metadata["dagster/column_lineage"] = _lineage(lineage)
    return {
        "description": table.contract.__doc__,
        "group_name": table.layer.value,
        "io_manager_key": "tables_by_file" if table.by_file else "tables",
        "kinds": {"polars", "parquet"},
        "owners": OWNERS,
        "code_version": compute_version(made_by),
        "metadata": metadata,
    }


def _lineage(columns: Columns) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=name)
                for asset, name in origins
            ]
            for column, origins in columns.items()
        }
    )


landing_zone_files = dg.AssetSpec(
    LANDING_ZONE,
    deps=[f"{source.name}_pull" for source in sources.PUBLICATIONS if source.pulled_from],
    group_name=Layer.RAW.value,
    description="Files that people, services and the pulls land. No run makes it.",
    kinds={"file"},
    owners=OWNERS,
)


@dg.multi_asset(
    name="read_landing_zone",
    outs={
        "landed_files": _out("landed_files", landing.read_landing_zone),
        **{
            f"raw_{source.name}": _out(f"raw_{source.name}", formats.read) for source in sources.ALL
        },
    },
    deps=[LANDING_ZONE],
    can_subset=True,
)
def read_landing_zone(
    context: dg.AssetExecutionContext,
    landing_zone: Place,
    workplace: Workplace,
    engine: Workers,
    progress: ProgressLog,
) -> Iterator[dg.Output[Any]]:
    """Read every landed file; if one cannot be read, none of these tables is replaced."""
    with explain_failures(context, workplace):
        for message in workplace.begin(context):
            context.log.warning(message)
        outputs = workplace.open(context)
        with progress.follow(context, LANDING_ZONE.path[-1]) as report:
            landed = landing.read_landing_zone(
                landing_zone.open(),
                outputs.store,
                engine.open(context.log.info),
                context.log.warning,
                report,
            )
        outputs.write_document(LANDING_DOCUMENT, [landed.state()])
        if outputs.workspace is not None:
            outputs.workspace.note_output(LANDING_DOCUMENT, [outputs.workspace.now])
    tables = {
        "landed_files": landed.files,
        **{f"raw_{source}": parts for source, parts in landed.raw.items()},
    }
    yield from _selected(context, tables)


@dg.multi_asset(
    name="clean_records",
    outs={
        f"{source.name}_records": _out(f"{source.name}_records", source.clean_records)
        for source in sources.ALL
    },
    deps=[f"raw_{source.name}" for source in sources.ALL],
    internal_asset_deps={
        f"{source.name}_records": {dg.AssetKey(f"raw_{source.name}")} for source in sources.ALL
    },
    can_subset=True,
)
def records(context: dg.AssetExecutionContext) -> Iterator[dg.Output[Any]]:
    """The records of every source: each raw row, cleaned on its own."""
    for source in sources.ALL:
        table = f"{source.name}_records"
        if table in context.op_execution_context.selected_output_names:
            recipe = Recipe(of=f"raw_{source.name}", make=source.clean_records)
            yield dg.Output(recipe, output_name=table)


_NAMES = ("drug", "synonyms", "brands", "research_codes", "forms")
_FORMS = ("xrefs", "form_of", "mapped_to")
_merged_drugs = {
    "source_file": [("drugs_records", "source_file")],
    "source_row": [("drugs_records", "source_row")],
    "merged_into": [("drugs_records", "id"), ("drugs_records", "folded_name")],
    "rule": [("drugs_records", column) for column in ("folded_name", *_FORMS)],
}
_drug_names = {
    "drug_id": [("drugs_records", "id"), ("drugs_records", "folded_name")],
    "source_file": [("drugs_records", "source_file")],
    **{
        column: [("drugs_records", name) for name in _NAMES]
        for column in ("name", "searched", "reason")
    },
    "kind": [("drugs_records", column) for column in (*_NAMES, *_FORMS)],
}


@dg.multi_asset(
    name="cleaned_drugs",
    ins={"records": dg.AssetIn(f"{sources.DRUGS.name}_records")},
    outs={
        "drugs": _out(
            "drugs",
            drug_cleaning.clean_drugs,
            {
                "drug": [("raw_drugs", "drug"), ("raw_drugs", "atc_name")],
                "names": [("drugs_records", column) for column in _NAMES],
                "forms": [("drugs_records", column) for column in (*_NAMES, *_FORMS)],
                "codes": [("raw_drugs", "atccode")],
                "xrefs": [("drugs_records", "xrefs")],
                "atc_codes": [("raw_drugs", "atccode")],
                "drug_id": [("raw_drugs", "id"), ("raw_drugs", "drug")],
                "id_text": [("raw_drugs", "id")],
                "issues": [("raw_drugs", column) for column in ("id", "atccode", "drug")],
            },
        ),
        "drug_names": _out("drug_names", drug_cleaning.clean_drugs, _drug_names),
        "merged_drugs": _out("merged_drugs", drug_cleaning.clean_drugs, _merged_drugs),
    },
    can_subset=True,
)
def cleaned_drugs(
    context: dg.AssetExecutionContext,
    records: pl.LazyFrame,
    stop_list: StopListFile,
    mesh_trees: ChosenTrees,
    workplace: Workplace,
) -> Iterator[dg.Output[Any]]:
    """One row per drug, its names, and the rows that named it again."""
    with explain_failures(context, workplace):
        stopped_names = stop_list.read()
    cleaned = drug_cleaning.clean_drugs(records, stopped_names, trees=mesh_trees.read())
    tables = {"drugs": cleaned.kept, "drug_names": cleaned.names, "merged_drugs": cleaned.merged}
    yield from _selected(context, tables)


def _selected(
    context: dg.AssetExecutionContext, tables: Mapping[str, Any]
) -> Iterator[dg.Output[Any]]:
    """The tables that the run is to make, in their order."""
    for table, rows in tables.items():
        if table in context.op_execution_context.selected_output_names:
            yield dg.Output(rows, output_name=table)


@_table(
    "journals",
    publication_cleaning.collect_journals,
    inputs=[f"{source.name}_records" for source in sources.PUBLICATIONS],
    lineage={
        column: [
            (f"{source.name}_records", origin)
            for source in sources.PUBLICATIONS
            for origin in origins
        ]
        for column, origins in {
            "journal_id": GIVEN_JOURNAL,
            "journal": ("given_journal", "given_journal_abbreviations"),
            "folded_names": ("given_journal", "given_journal_abbreviations"),
            "issns": ("given_issn",),
            "records": ("source_row",),
        }.items()
    },
)
def journals(**records: pl.LazyFrame) -> pl.LazyFrame:
    """The journals of all sources."""
    return publication_cleaning.collect_journals(records.values())


def _publications(source: PublicationSource) -> dg.AssetsDefinition:
    """The assets of the cleaned publications of a source, and of the rows merged into them."""
    raw, merged_table = f"raw_{source.name}", f"merged_{source.name}"
    made_by = publication_cleaning.clean_publications
    records_table = f"{source.name}_records"
    lineage = {
        "publication_id": [(raw, "id")],
        "title": [(raw, field) for field in source.title_fields],
        "journal": [("journals", "journal")],
        "journal_id": [("journals", "journal_id")],
        **{
            column: [(raw, field) for field in source.date_fields]
            for column in ("date", "date_precision", "date_text")
        },
        "source_file": [(raw, "source_file")],
        "source_row": [(raw, "source_row")],
        "issues": [(records_table, column) for column in ("id", "date_issue", "given_journal")],
    }
    # The columns that only this source has come from its records as they are.
    own = [column for column in TABLES[source.name].contract.columns() if column not in lineage]
    lineage |= {column: [(records_table, column)] for column in own}
    merged_lineage = {
        "source_file": [(records_table, "source_file")],
        "source_row": [(records_table, "source_row")],
        "merged_into": [(records_table, "id")],
        "rule": [(records_table, column) for column in ("id", "folded_title", "date")],
    }

    @dg.multi_asset(
        name=f"cleaned_{source.name}",
        ins={
            "records": dg.AssetIn(f"{source.name}_records"),
            "journals": dg.AssetIn("journals"),
        },
        outs={
            source.name: _out(source.name, made_by, lineage),
            merged_table: _out(merged_table, made_by, merged_lineage),
        },
        can_subset=True,
    )
    def cleaned(
        context: dg.AssetExecutionContext, records: pl.LazyFrame, journals: pl.LazyFrame
    ) -> Iterator[dg.Output[Any]]:
        decisions = publication_cleaning.Decisions.of(source, records, journals)
        kept, merged = decisions.clean()
        pieces = decisions.divide()
        rows = Pieces(records_table, compute_version(made_by), pieces) if pieces else kept
        yield from _selected(context, {source.name: rows, merged_table: merged})

    return cleaned


publications = [_publications(source) for source in sources.PUBLICATIONS]


@_table(
    "rejected_records",
    rejected.collect_rejected,
    inputs=[f"raw_{source.name}" for source in sources.ALL]
    + [f"{source.name}_records" for source in sources.ALL],
    lineage={
        "source": [(f"raw_{source.name}", "source_file") for source in sources.ALL],
        **{
            column: [(f"raw_{source.name}", column) for source in sources.ALL]
            for column in ("source_file", "source_row")
        },
        "reasons": [
            origin
            for source in sources.ALL
            for origin in (
                (f"raw_{source.name}", "read_issues"),
                (f"{source.name}_records", "reason"),
            )
        ],
        "record": [
            (f"raw_{source.name}", column)
            for source in sources.ALL
            for column in TABLES[f"raw_{source.name}"].contract.columns()
        ],
    },
)
def rejected_records(mesh_trees: ChosenTrees, **tables: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of every source that could not be kept."""
    return rejected.collect_rejected(
        {source.name: tables[f"raw_{source.name}"] for source in sources.ALL},
        {source.name: tables[f"{source.name}_records"] for source in sources.ALL},
        mesh_trees.read(),
    )


def _referring(column: str) -> list[tuple[str, str]]:
    """A column of every table with references, and the columns that hold them."""
    return [
        origin
        for source in sources.PUBLICATIONS
        if source.references
        for origin in (
            (source.name, column),
            *((source.name, reference.column) for reference in source.references),
        )
    ]


@_table(
    "trial_publications",
    references.find_trial_publications,
    inputs=[source.name for source in sources.PUBLICATIONS],
    lineage={
        **{
            column: _referring("publication_id")
            for column in (
                *("trial_id", "publication_id", "trial_source", "source", "kind", "given_by"),
                *("trial_in_store", "publication_in_store"),
            )
        },
        **{
            column: [
                (source.name, column)
                for source in sources.PUBLICATIONS
                if source not in sources.TRIALS and column in TABLES[source.name].contract.columns()
            ]
            for column in references.DESCRIPTION
        },
    },
    details=(
        "A trial lists the publications that belong to it, and says which of them report its "
        "results; a publication names trials in its record or its title. There is a row for each "
        "pair, whoever names the other, also if only one of them has landed: `trial_in_store` and "
        "`publication_in_store` tell. For example, a trial `NCT01234567` whose record gives PubMed "
        "id 1 among its results is a row with kind `result` and given_by `trial`, or `both` if the "
        "title of article 1 names the trial, too."
    ),
)
def trial_publications(**tables: pl.LazyFrame) -> pl.LazyFrame:
    """The publications that belong to each trial."""
    return references.find_trial_publications(tables)


def _find(
    source: PublicationSource, rules: tuple[SpanOrigin, ...] = ()
) -> Callable[..., pl.LazyFrame]:
    """What finds the drugs that the titles of a source name, by names and by rules."""
    return partial(mentions.find_drugs_named, titles=source.titles, rules=rules)


def _mention_rules(workplace: Workplace) -> tuple[SpanOrigin, ...]:
    """The rules that the settings ask for."""
    return tuple(rule for rule in SpanOrigin if rule in workplace.choices["mention_rules"].split())


@dg.multi_asset(
    name="find_drugs_named",
    ins={"drugs": dg.AssetIn("drugs")},
    outs={
        f"{source.name}_drugs_named": _out(f"{source.name}_drugs_named", _find(source))
        for source in sources.PUBLICATIONS
    },
    deps=[f"{source.name}_records" for source in sources.PUBLICATIONS],
    internal_asset_deps={
        f"{source.name}_drugs_named": {
            dg.AssetKey(f"{source.name}_records"),
            dg.AssetKey("drugs"),
        }
        for source in sources.PUBLICATIONS
    },
    can_subset=True,
)
def drugs_named(
    context: dg.AssetExecutionContext, drugs: pl.LazyFrame, workplace: Workplace
) -> Iterator[dg.Output[Any]]:
    """The drugs that the titles of every source name."""
    rules = _mention_rules(workplace)
    # Each recipe runs, in its IO manager, before the next one is made.
    with hold_prepared():
        for source in sources.PUBLICATIONS:
            table = f"{source.name}_drugs_named"
            if table in context.op_execution_context.selected_output_names:
                recipe = Recipe(
                    of=f"{source.name}_records",
                    make=_find(source, rules),
                    side_table=mentions.list_searched_names(drugs),
                    prepare=mentions.Vocabulary.of,
                )
                yield dg.Output(recipe, output_name=table)


@_table(
    "mentions",
    mentions.join_mentions,
    inputs=[source.name for source in sources.PUBLICATIONS]
    + [f"{source.name}_drugs_named" for source in sources.PUBLICATIONS]
    + [f"merged_{source.name}" for source in sources.PUBLICATIONS],
    lineage={
        "drug_id": [("drugs", "drug_id")],
        "drug": [("drugs", "drug")],
        "source": [(source.name, "publication_id") for source in sources.PUBLICATIONS],
        **{
            column: [(source.name, column) for source in sources.PUBLICATIONS]
            for column in ("publication_id", "journal", "journal_id", "date", "date_precision")
        },
        "retracted": [
            (source.name, "retracted") for source in sources.PUBLICATIONS if source.can_be_retracted
        ],
        "title": [
            (source.name, title) for source in sources.PUBLICATIONS for title in source.titles
        ],
        **{
            column: [(f"{source.name}_drugs_named", column) for source in sources.PUBLICATIONS]
            for column in ("spans", "ambiguous")
        },
    },
    details=(
        "A title mentions a drug if it contains one of the drug's names as a whole word or phrase, "
        "compared without case and accents. Of overlapping names the leftmost, longest counts; a "
        "name of two drugs mentions both, and is marked `ambiguous`. `spans` are all places in the "
        "title, in characters. For example, the PubMed title `Ethanol in rats` gives one row with "
        "drug `ETHANOL`, source `pubmed`, and `[{start: 0, end: 7, text: Ethanol, by: name}]` as "
        "its spans."
    ),
)
def mentions_table(
    workplace: Workplace, drugs: pl.LazyFrame, **tables: pl.LazyFrame
) -> pl.LazyFrame:
    """Every drug named in a title."""
    return mentions.join_mentions(
        {source.name: tables[source.name] for source in sources.PUBLICATIONS},
        {source.name: tables[f"{source.name}_drugs_named"] for source in sources.PUBLICATIONS},
        drugs,
        {source.name: source.titles for source in sources.PUBLICATIONS},
        {source.name: tables[f"merged_{source.name}"] for source in sources.PUBLICATIONS},
        _mention_rules(workplace),
    )


@_table(
    "journal_drugs",
    graph.count_journal_drugs,
    lineage={
        "journal_id": [("mentions", "journal_id")],
        "journal": [("mentions", "journal")],
        "drug_id": [("mentions", "drug_id")],
        "drug": [("mentions", "drug")],
        **{column: [("mentions", "source")] for column in name_mention_counts().values()},
        **{
            column: [("mentions", "source"), ("mentions", "retracted")]
            for columns in name_retraction_counts().values()
            for column in columns
        },
        "first_date": [("mentions", "date")],
        "last_date": [("mentions", "date")],
    },
)
def journal_drugs(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """The drugs that each journal mentions."""
    return graph.count_journal_drugs(mentions)


@_table(
    "top_journal",
    graph.find_top_journals,
    lineage={
        "journal_id": [("journal_drugs", "journal_id")],
        "journal": [("journal_drugs", "journal")],
        "drug_count": [("journal_drugs", "drug_id")],
        "drugs": [("journal_drugs", "drug")],
        "mentions": [("journal_drugs", column) for column in name_mention_counts().values()],
        **{
            column: [("journal_drugs", origin) for origin in origins]
            for column, origins in zip(
                ("retracted_mentions", "unknown_mentions"),
                zip(*name_retraction_counts().values(), strict=True),
                strict=True,
            )
        },
    },
)
def top_journal(journal_drugs: pl.LazyFrame) -> pl.LazyFrame:
    """The journals that mention the most drugs."""
    return graph.find_top_journals(journal_drugs)


@_table(
    "atc_classes",
    graph.count_atc_classes,
    inputs=(sources.DRUGS.name, "mentions", f"{sources.DRUGS.name}_records"),
    lineage={
        **{
            column: [("drugs", "atc_codes"), ("drugs_records", "class_names")]
            for column in ("class", "level", "parent")
        },
        "name": [("drugs_records", "class_names")],
        "drugs": [("drugs", "atc_codes")],
        "mentions": [("drugs", "atc_codes"), ("mentions", "drug_id")],
        "journals": [("drugs", "atc_codes"), ("mentions", "journal_id")],
    },
    details=(
        "A drug is of the class of each of its ATC codes, and of all classes above: one with code "
        "`N02BA01` is of `N02BA01`, `N02BA`, `N02B`, `N02` and `N`. Names come from the WHO's ATC "
        "table and DrugBank's XML, if they have landed. A class that only a list names has no "
        "drugs."
    ),
)
def atc_classes(**tables: pl.LazyFrame) -> pl.LazyFrame:
    """The ATC classes of the drugs, and those that a list names."""
    return graph.count_atc_classes(
        tables[sources.DRUGS.name], tables["mentions"], tables[f"{sources.DRUGS.name}_records"]
    )


@dg.multi_asset(
    name="what_is_new",
    ins={table: dg.AssetIn(table) for table in COMPARED},
    outs={
        "new_mentions": _out(
            "new_mentions",
            news.find_new_mentions,
            {
                **{
                    column: [("mentions", column.removesuffix("_before"))]
                    for column in TABLES["new_mentions"].contract.columns()
                    if column.removesuffix("_before") in TABLES["mentions"].contract.columns()
                },
                "change": [("mentions", "publication_id"), ("drugs", "drug_id")],
                "first_in_journal": [("mentions", "journal_id"), ("mentions", "date")],
                "drug_added": [("drugs", "drug_id")],
                "changed": [("mentions", part) for part in MENTION_PARTS],
            },
        ),
        "changed_names": _out(
            "changed_names",
            news.find_changed_names,
            {
                "drug_id": [("drugs", "drug_id")],
                "drug": [("drugs", "drug")],
                "name": [("drugs", "names"), ("drugs", "drug")],
                "change": [("drugs", "names"), ("drugs", "drug")],
                "of_drug": [("drugs", "drug_id")],
            },
        ),
    },
    can_subset=True,
)
def what_is_new(
    context: dg.AssetExecutionContext, workplace: Workplace, **compared: pl.LazyFrame
) -> Iterator[dg.Output[Any]]:
    """What differs from the release before: mentions, and the list."""
    with explain_failures(context, workplace):
        comparison = workplace.open(context).compare(workplace.rules(), context.log.warning)
    yield from _selected(context, news_of_run.make_tables(comparison, **compared))


def _document(document: Document) -> dg.AssetsDefinition:
    """The asset of a document."""

    @dg.asset(
        name=document.name,
        ins={table: dg.AssetIn(table) for table in document.tables},
        io_manager_key="documents",
        code_version=compute_version(document.lines),
        group_name=Layer.PUBLISHED.value,
        description=document.description,
        kinds={"polars", document.kind},
        owners=OWNERS,
        dagster_type=dg.Any,  # an iterator of lines, made while they are written
    )
    def write(
        context: dg.AssetExecutionContext, workplace: Workplace, **tables: pl.LazyFrame
    ) -> dg.Output[Any]:
        with explain_failures(context, workplace):
            lines = news_of_run.make_lines(document, workplace, workplace.open(context), tables)
        return dg.Output(lines)

    return write


documents = [_document(document) for document in DOCUMENTS.values()]


#: Every asset that makes tables or documents, in the order of the data.
MADE = [
    *(read_landing_zone, records, cleaned_drugs, journals, *publications),
    *(rejected_records, trial_publications, drugs_named, mentions_table),
    *(journal_drugs, top_journal, atc_classes, what_is_new),
    *documents,
]

#: The tables, in groups that one operation makes.
TABLES_MADE_TOGETHER = [
    tables
    for made in MADE
    if (tables := [key.path[-1] for key in sorted(made.keys) if key.path[-1] in TABLES])
]
