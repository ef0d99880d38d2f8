"""Both questions of SPEC 6, answered in brief from the tables of a release: for reports of runs.

The answers are those of `document.questions`, which has to read the graph document for them: of ten
million mentions, gigabytes. Of the tables a few narrow columns are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.text import fold_text
from drug_assets.document.questions import Evidence
from drug_assets.sources.pubmed import SOURCE as PUBMED
from drug_assets.sources.tables import name_mention_counts, name_retraction_counts

if TYPE_CHECKING:
    from drug_assets.answers import Tables


class TopJournals(NamedTuple):
    """The journals that mention the most different drugs."""

    #: Their names, sorted.
    journals: list[str]
    drug_count: int
    #: The first of the drugs that the first of them mentions, by name.
    drug: str
    #: The mentions by them.
    evidence: Evidence


class Related(NamedTuple):
    """The drugs that are mentioned in PubMed publications of the same journals as a drug."""

    #: Name of the drug; if several drugs match, their names joined with " / ".
    drug: str
    #: Their names, those first that the most journals link with it.
    related: list[str]
    #: The mentions of any of these drugs by the journals that link them.
    evidence: Evidence


def count_journals(tables: Tables) -> int:
    """How many journals mention a drug."""
    journals = tables.table("journal_drugs").select(pl.col("journal_id").n_unique())
    count: int = journals.collect().item()
    return count


def find_top_journals(tables: Tables) -> TopJournals | None:
    """The journals that mention the most different drugs; None if no journal mentions any."""
    top = tables.table("top_journal").collect()
    if top.is_empty():
        return None
    evidence = top.select("mentions", "retracted_mentions", "unknown_mentions").sum().row(0)
    return TopJournals(
        top["journal"].to_list(), top["drug_count"][0], top["drugs"][0][0], Evidence(*evidence)
    )


def find_related_drugs(tables: Tables, drug: str) -> Related:
    """The drugs related to one, those first that the most journals link with it (SPEC 6.2).

    Args:
        tables: the tables of the release.
        drug: name of a drug, as it is in `drugs`.
    """
    mentions = pl.col(name_mention_counts()[PUBMED.name])
    counted = [mentions, *map(pl.col, name_retraction_counts()[PUBMED.name])]
    folded = fold_text(without_marks(pl.col("drug")))
    listed = tables.table("drugs").select("drug_id", "drug", folded=folded)
    asked = listed.filter(folded=pl.lit(drug, pl.String).pipe(without_marks).pipe(fold_text))
    matches = asked.select("drug_id", "drug").collect()
    is_match = pl.col("drug_id").is_in(matches["drug_id"].implode())
    pairs = tables.table("journal_drugs").filter(mentions > 0)
    journals = pairs.filter(is_match).select("journal_id").unique()
    # A journal that mentions no other drug links it with none.
    linking = (
        pairs.join(journals, on="journal_id", how="semi")
        .select("journal_id", "drug_id", "drug", is_match.alias("is_match"), *counted)
        .collect()
        .filter((~pl.col("is_match")).any().over("journal_id"))
    )
    related = (
        linking.filter(~pl.col("is_match"))
        .group_by("drug_id")
        .agg(pl.len(), pl.col("drug").first())
        .sort(-pl.col("len").cast(pl.Int64), fold_text(pl.col("drug")), "drug_id")
    )
    return Related(
        " / ".join(matches["drug"].sort()),
        related["drug"].to_list(),
        Evidence(*linking.select(*counted).sum().row(0)),
    )
