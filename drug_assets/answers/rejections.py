"""The raw rows that were rejected, with the reasons (SPEC 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.answers.finding import UnknownNameError, find_close_spellings
from drug_assets.answers.forms import Answer
from drug_assets.cleaning.text import fold_string, fold_text
from drug_assets.terms import RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.answers import Tables


class Rejections(NamedTuple):
    """The rejected rows of all files, or of one."""

    #: The files that were asked for; None for all.
    files: list[str] | None
    total: int
    #: How many rows have which reason; of several, the first in the order of `terms.RejectReason`.
    reasons: Mapping[str, int]
    #: The rows, as `contracts.RejectedRecords` has them; as many as were asked for.
    rows: pl.DataFrame

    def as_answer(self) -> Answer:
        """The answer in the form that JSON and CSV are written from."""
        head = {"files": self.files, "total": self.total, "reasons": dict(self.reasons)}
        return Answer(head, "rows", self.rows)


def list_rejected(
    tables: Tables, source_file: str | None = None, limit: int | None = None
) -> Rejections:
    """List the rejected rows, by source, file and row.

    Args:
        tables: the tables of a release.
        source_file: only those of this file below the landing zone; or of the files whose path ends
            like this.
        limit: how many are listed; all are counted.

    Raises:
        UnknownNameError: no such file landed.
    """
    rejected = tables.table("rejected_records")
    files = None
    if source_file is not None:
        files = _find_files(source_file, tables)
        rejected = rejected.filter(pl.col("source_file").is_in(files))
    # A release of an earlier version can have reasons that there are no longer.
    known = [pl.lit(reason.value) for reason in RejectReason]
    first = pl.coalesce(
        *(pl.when(pl.col("reasons").list.contains(reason)).then(reason) for reason in known),
        pl.col("reasons").list.first(),
    )
    counted = rejected.select(reason=first).group_by("reason").len().collect()
    by_reason = {str(reason): int(count) for reason, count in counted.rows()}
    order = {reason.value: place for place, reason in enumerate(RejectReason)}
    reasons = dict(sorted(by_reason.items(), key=lambda one: (order.get(one[0], len(order)), one)))
    rows = rejected if limit is None else rejected.head(limit)
    return Rejections(files, sum(reasons.values()), reasons, rows.collect())


def _find_files(asked: str, tables: Tables) -> list[str]:
    """The landed files of a path below the landing zone, or of the end of one."""
    landed = tables.table("landed_files").select(name="source_file")
    name = pl.col("name")
    named = landed.filter((name == asked) | name.str.ends_with(f"/{asked}")).collect()["name"]
    if asked in named:
        return [asked]
    if named.is_empty():
        folded = landed.with_columns(folded=fold_text(name)).collect()
        close = find_close_spellings(fold_string(asked), folded)
        raise UnknownNameError("file of the release is", asked, close)
    return named.sort().to_list()
