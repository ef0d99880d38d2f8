"""Mentions with numbers in the place of drugs, journals, types and dates, read some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import sources
from drug_assets.cleaning.text import fold_text
from drug_assets.periods import code_of_column
from drug_assets.terms import MentionChange

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Mentions that are in memory at once; of batches of drugs about so many, as no drug is split.
BATCH_MENTIONS = 100_000

#: Flags of a mention.
RETRACTED, RETRACTION_UNKNOWN, AMBIGUOUS, FRESH, FIRST_IN_JOURNAL = 1, 2, 4, 8, 16
#: The number of the journal of a mention that has none.
NO_JOURNAL = -1

_TYPES = {source.name: number for number, source in enumerate(sources.PUBLICATIONS)}
_RETRACTABLE = [source.name for source in sources.PUBLICATIONS if source.can_be_retracted]
_KEY = ("drug_id", "source", "publication_id")


def type_of_source(column: str) -> pl.Expr:
    """The number of the type of publications of a source."""
    return sources.rank_sources(pl.col(column))


def number_of_source(source: str) -> int:
    """`type_of_source` of a single source."""
    return _TYPES[source]


def put_in_order(frame: pl.DataFrame, name: str, id_: str) -> pl.DataFrame:
    """Sort rows by a folded name, then by an id, and add the column number.

    Args:
        frame: rows with a name and an id.
        name: name of the column with the name.
        id_: name of the column with the id.
    """
    return frame.sort(fold_text(pl.col(name)), id_).with_row_index("number")


@dataclass(frozen=True)
class NumberedMentions:
    """The mentions of a page, whose drugs and journals have numbers: their place in the page."""

    #: Columns drug_id, drug and number, of the drugs that are mentioned.
    drugs: pl.DataFrame
    #: Columns journal_id, journal and number.
    journals: pl.DataFrame
    _mentions: pl.LazyFrame
    #: Columns row and first_in_journal, of the mentions that are new: their places in the table.
    _added: pl.DataFrame

    @classmethod
    def of(
        cls, drugs: pl.LazyFrame, mentions: pl.LazyFrame, new_mentions: pl.LazyFrame
    ) -> NumberedMentions:
        """Number the drugs and journals of mentions, and find those that are new.

        Args:
            drugs: columns drug_id and drug.
            mentions: rows of `contracts.Mentions`.
            new_mentions: rows of `contracts.NewMentions`.
        """
        mentioned = mentions.select("drug_id").unique()
        named = drugs.select("drug_id", "drug").join(mentioned, on="drug_id", how="semi")
        in_journal = mentions.filter(pl.col("journal_id").is_not_null())
        journals = in_journal.group_by("journal_id").agg(pl.col("journal").min())
        added = new_mentions.filter(pl.col("change") == MentionChange.ADDED)
        rows = (
            mentions.select(_KEY)
            .with_row_index("row")
            .join(added.select(*_KEY, "first_in_journal"), on=_KEY)
            .select("row", "first_in_journal")
        )
        return cls(
            put_in_order(named.collect(engine="streaming"), "drug", "drug_id"),
            put_in_order(journals.collect(engine="streaming"), "journal", "journal_id"),
            mentions,
            rows.collect(engine="streaming"),
        )

    def scan(self) -> pl.LazyFrame:
        """All mentions, in any order: the columns of `read`."""
        return self._number(self._mentions.with_row_index("row"), self._added)

    def read(self, **further: pl.Expr) -> Iterator[pl.DataFrame]:
        """All mentions, `BATCH_MENTIONS` at a time, in the order of the table; once if none.

        Args:
            further: columns of the table that are wanted, too.

        Returns:
            Frames with the columns of_drug, of_journal (`NO_JOURNAL` for none), type, code, flags,
            and the further ones.
        """
        height = self._mentions.select(pl.len()).collect().item()
        for start in range(0, max(height, 1), BATCH_MENTIONS):
            inside = pl.col("row").is_between(start, start + BATCH_MENTIONS, closed="left")
            rows = self._mentions.slice(start, BATCH_MENTIONS).with_row_index("row", offset=start)
            yield self._number(rows, self._added.filter(inside), **further).collect()

    def _number(
        self, mentions: pl.LazyFrame, added: pl.DataFrame, **further: pl.Expr
    ) -> pl.LazyFrame:
        """The columns of `read`, of mentions with the column row, and of those of them added."""
        drugs = self.drugs.lazy().select("drug_id", of_drug="number")
        numbers = pl.col("number").cast(pl.Int32)
        journals = self.journals.lazy().select("journal_id", of_journal=numbers)
        return (
            mentions.join(drugs, on="drug_id")
            .join(journals, on="journal_id", how="left")
            .join(added.lazy().with_columns(fresh=True), on="row", how="left")
            .select(
                "of_drug",
                pl.col("of_journal").fill_null(NO_JOURNAL),
                type=type_of_source("source"),
                code=code_of_column(pl.col("date"), pl.col("date_precision")),
                flags=_flags(),
                **further,
            )
        )


def _flags() -> pl.Expr:
    retracted = pl.col("retracted")
    flags = {
        RETRACTED: retracted,
        RETRACTION_UNKNOWN: pl.col("source").is_in(_RETRACTABLE) & retracted.is_null(),
        AMBIGUOUS: pl.col("ambiguous"),
        FRESH: pl.col("fresh"),
        FIRST_IN_JOURNAL: pl.col("first_in_journal"),
    }
    return pl.sum_horizontal(
        holds.fill_null(value=False).cast(pl.Int32) * flag for flag, holds in flags.items()
    )


def has_flag(flag: int) -> pl.Expr:
    """Whether a mention has a flag: an expression on the column flags."""
    return (pl.col("flags") & flag) != 0
