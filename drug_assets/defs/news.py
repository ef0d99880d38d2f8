"""What is new since the release before, as a run makes it: the tables, and what is made from them.

`storage.comparison` decides what a release is compared with, `news` what differs.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from drug_assets import news
from drug_assets.defs.workplace import FILES, Workplace
from drug_assets.documents import DOCUMENTS, Document
from drug_assets.storage.comparison import COMPARED, NEWS, Comparison, read_comparison
from drug_assets.storage.kept.whole import Warn, ignore
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.releases import Release
from drug_assets.storage.temporary import make_process_folder


def make_tables(
    comparison: Comparison, mentions: pl.LazyFrame, drugs: pl.LazyFrame
) -> Mapping[str, pl.LazyFrame]:
    """The tables that say what is new, by name.

    Args:
        comparison: what the outputs of the run are compared with.
        mentions: table as `contracts.Mentions`.
        drugs: table as `contracts.Drugs`.
    """
    base = comparison.release
    if base is None:
        before = None
    else:
        released = Outputs(base.store, release=base)
        if comparison.is_taken_over:
            return {table: released.table(table) for table in NEWS}
        before = news.State.of(*(released.table(table) for table in COMPARED))
    now = news.State.of(mentions, drugs)
    return {
        "new_mentions": news.find_new_mentions(before, now),
        "changed_names": news.find_changed_names(before, now),
    }


def summarize(
    comparison: Comparison, rules: str, tables: Mapping[str, pl.LazyFrame]
) -> news.News | None:
    """What is new in some outputs; None if there is nothing to compare with.

    Args:
        comparison: what they are compared with.
        rules: the version of everything that determines them besides the landed files.
        tables: by name, the tables that say what is new (`contracts.NewMentions`,
            `contracts.ChangedNames`).
    """
    if comparison.origin is None:
        return None
    return news.summarize(
        *(tables[table] for table in NEWS), rules_changed=comparison.rules_changed(rules)
    )


def read_news(release: Release) -> news.News | None:
    """What a release says is new in it; None if it was compared with nothing."""
    summary = release.read_summary()
    comparison = Comparison(read_comparison(summary), release)
    released = Outputs(release.store, release=release)
    tables = {table: released.table(table) for table in NEWS}
    return summarize(comparison, summary.get("rules", ""), tables)


def make_lines(
    document: Document,
    workplace: Workplace,
    outputs: Outputs,
    tables: Mapping[str, pl.LazyFrame],
) -> Iterator[str | bytes]:
    """The lines of a document of a run.

    Args:
        document: the document.
        workplace: the workplace of the run.
        outputs: its outputs, which take the files beside the document, and say what it is compared
            with.
        tables: the rows of each table that the document is made from, by name.
    """
    given = {name: workplace.choices[name] for name in document.choices}
    if document.folder is not None:
        given["beside"] = outputs.write_document if document.is_text else outputs.write_file
        if not document.is_text:
            given["scratch"] = make_process_folder()
    if document.tells_news:
        rules = workplace.rules()
        given["news"] = summarize(outputs.compare(rules), rules, tables)
    return document.lines(**tables, **given)


def make_again(outputs: Outputs, workplace: Workplace, warn: Warn = ignore) -> None:
    """Make again, among the outputs of a run, what says what is new: they have another base now.

    Args:
        outputs: the outputs, with the release that they are compared with from now on.
        workplace: the workplace of the run.
        warn: is told of tables of that release that are damaged.
    """
    compared = (outputs.table(table) for table in COMPARED)
    comparison = outputs.compare(workplace.rules(), warn)
    for table, rows in make_tables(comparison, *compared).items():
        outputs.write_table(table, rows)
        _note(outputs, table)
    for document in DOCUMENTS.values():
        if document.tells_news:
            tables = {table: outputs.table(table) for table in document.tables}
            if document.folder is not None:
                outputs.discard_folder(document.folder)
            outputs.write_document(document.file, make_lines(document, workplace, outputs, tables))
            _note(outputs, document.name)


def _note(outputs: Outputs, asset: str) -> None:
    """Note in the workspace that an output is of the landing zone and the rules as they are now."""
    if outputs.workspace is not None:
        folder = DOCUMENTS[asset].folder if asset in DOCUMENTS else None
        beside = outputs.list_files([folder] if folder else [])
        outputs.workspace.note_output(FILES[asset], [outputs.workspace.now], beside)
