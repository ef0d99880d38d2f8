"""What is new since the release before, as a run makes it: the tables, and what is made from them.

`storage.comparison` decides what a release is compared with, `news` what differs.
"""

from collections.abc import Mapping

import polars as pl

from drug_assets import news
from drug_assets.storage.comparison import COMPARED, NEWS, Comparison
from drug_assets.storage.kept.whole import Warn, ignore
from drug_assets.storage.outputs import Outputs, table_file


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
    if base is not None and comparison.is_taken_over:
        released = Outputs(base.store, release=base)
        return {table: released.table(table) for table in NEWS}
    before = None
    if base is not None:
        released = Outputs(base.store, release=base)
        before = news.State.of(*(released.table(table) for table in COMPARED))
    now = news.State.of(mentions, drugs)
    return {
        "new_mentions": news.find_new_mentions(before, now),
        "changed_names": news.find_changed_names(before, now),
    }


def make_again(outputs: Outputs, rules: str, warn: Warn = ignore) -> None:
    """Make again, among the outputs of a run, what says what is new: they have another base now.

    Args:
        outputs: the outputs, with the release that they are compared with from now on.
        rules: the version of everything that determines them besides the landed files.
        warn: is told of tables of that release that are damaged.
    """
    compared = (outputs.table(table) for table in COMPARED)
    for table, rows in make_tables(outputs.compare(rules, warn), *compared).items():
        outputs.write_table(table, rows)
        if outputs.workspace is not None:
            outputs.workspace.note_output(table_file(table), [outputs.workspace.now])
