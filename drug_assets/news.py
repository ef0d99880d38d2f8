"""What is new: two states of the tables -> mentions and names that came, went or changed.

Which states these are, and where they lie, belongs to `storage` and `cli`; how news are worded, to
`news_report`. A mention is the same in both states if its drug, source and publication are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import polars as pl

from drug_assets.cleaning.text import fold_text
from drug_assets.contracts import MENTION_PARTS, polars_schema
from drug_assets.sources import rank_sources
from drug_assets.sources.tables import TABLES, list_columns
from drug_assets.terms import ListChange, MentionChange

if TYPE_CHECKING:
    import datetime as dt

_KEY = ("drug_id", "source", "publication_id")
_PAIR = ("drug_id", "journal_id")
#: What a mention says besides its key.
_CONTENT = ("title", "journal", "journal_id", "date", "date_precision")
_SHOWN = ("drug", *_CONTENT)
_MENTIONS = pl.Schema(
    {
        name: dtype
        for name, dtype in polars_schema(TABLES["mentions"].contract).items()
        if name in {*_KEY, *_SHOWN}
    }
)
_DRUGS = pl.Schema({"drug_id": pl.String(), "drug": pl.String(), "names": pl.List(pl.String())})
#: Columns that tables and documents of earlier versions may lack.
_LATER = {"journal", "journal_id", "date", "date_precision", "names"}
#: How many names and first mentions a summary has.
MOST = 50


class State(NamedTuple):
    """What is compared of a release, or of a graph document."""

    #: Columns of `contracts.Mentions`, without retracted, spans and ambiguous.
    mentions: pl.LazyFrame
    #: Columns drug_id, drug and names: every drug of the list.
    drugs: pl.LazyFrame

    @classmethod
    def of(cls, mentions: pl.LazyFrame, drugs: pl.LazyFrame) -> Self:
        """A state of tables that an earlier version may have made.

        Args:
            mentions: columns as above; journal, journal_id, date and date_precision are null if
                they are missing.
            drugs: columns as above; names are null if they are missing.

        Raises:
            polars.exceptions.ColumnNotFoundError: another column is missing.
        """
        return cls(_conform(mentions, _MENTIONS), _conform(drugs, _DRUGS))


def _conform(rows: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    found = rows.collect_schema()
    columns = rows.select(
        pl.lit(None, dtype).alias(name)
        if name in _LATER and name not in found
        else pl.col(name).cast(dtype)
        for name, dtype in schema.items()
    )
    columns.collect_schema()  # or a column that is missing would be missed much later
    return columns


def find_new_mentions(before: State | None, now: State) -> pl.LazyFrame:
    """Find the mentions that were added, went or changed.

    Memory follows the keys of the mentions and what differs, not the titles.

    Args:
        before: the state that is compared with; None if there is none: then nothing is new.
        now: the state that may have something new.

    Returns:
        The table `new_mentions` (`contracts.NewMentions`), sorted by key.
    """
    columns = list_columns("new_mentions")
    if before is None:
        return pl.LazyFrame(schema=polars_schema(TABLES["new_mentions"].contract))
    before = _follow_drugs(before, now)
    here, there = _find_differing(before.mentions, now.mentions)
    differing = _join_both(
        now.mentions.join(here.lazy(), on=_KEY, how="semi"),
        before.mentions.join(there.lazy(), on=_KEY, how="semi"),
        now.drugs.select("drug_id").unique(),
    ).collect()
    firsts = _find_firsts(differing, before.mentions)
    new_drugs = (
        now.drugs.join(before.drugs, on="drug_id", how="anti").select("drug_id").unique().collect()
    )
    is_news = (pl.col("change") != MentionChange.CHANGED.value) | (pl.col("changed").list.len() > 0)
    return (
        differing.lazy()
        .filter(is_news)
        .join(firsts.lazy(), on=_KEY, how="left")
        .with_columns(
            pl.col("first_in_journal").fill_null(value=False),
            drug_added=pl.col("drug_id").is_in(new_drugs["drug_id"].implode()),
        )
        .sort(_KEY)
        .select(columns)
    )


def _follow_drugs(before: State, now: State) -> State:
    """The state before, with the ids that its drugs have now.

    A drug whose id is gone is the drug that has its name now, if there is one alone: a list that
    landed gave it an identifier, or said that two are one, or that it is a form of another one.
    """
    lost = before.drugs.join(now.drugs, on="drug_id", how="anti")
    lost_names = lost.select(former="drug_id", name=fold_text(pl.col("drug"))).collect()
    if lost_names.is_empty():
        return before
    names = _list_names(now.drugs).select("drug_id", name=fold_text(pl.col("name"))).unique()
    found = (
        lost_names.lazy()
        .join(names, on="name")
        .filter(pl.len().over("former") == 1)
        .select(drug_id="former", now="drug_id")
        .collect()
    )
    if found.is_empty():
        return before
    ids = found.lazy()
    stayed = before.mentions.join(ids, on="drug_id", how="anti")
    moved = _rename(before.mentions, ids).unique(_KEY, keep="first", maintain_order=True)
    return State(
        pl.concat([stayed, moved.join(stayed, on=_KEY, how="anti")]),
        pl.concat([before.drugs.join(ids, on="drug_id", how="anti"), _rename(before.drugs, ids)]),
    )


def _rename(rows: pl.LazyFrame, ids: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of some drugs, with the id that each has now.

    Args:
        rows: rows with a column drug_id.
        ids: columns drug_id and now: the drugs, once each.
    """
    return (
        rows.join(ids, on="drug_id", maintain_order="left")
        .with_columns(drug_id="now")
        .select(rows.collect_schema().names())
    )


def _find_differing(before: pl.LazyFrame, now: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys of the mentions of each state that are not the same, to the letter, in the other.

    Args:
        before: columns as `State.mentions`.
        now: in the same way.

    Returns:
        The keys of those of `now`, and those of `before`.
    """
    # A number in the place of what a mention says takes a tenth of the memory; the key stays exact.
    digest = pl.struct(_CONTENT).hash().alias("digest")
    alone = (
        pl.concat(
            state.select(*_KEY, digest, state=pl.lit(number, pl.Int8))
            for number, state in enumerate((now, before))
        )
        .group_by(*_KEY, "digest")
        .agg(pl.len().alias("states"), pl.col("state").min())
        .filter(pl.col("states") == 1)
        .collect(engine="streaming")
    )
    here, there = (alone.filter(pl.col("state") == number).select(_KEY) for number in (0, 1))
    return here, there


def _join_both(now: pl.LazyFrame, before: pl.LazyFrame, listed: pl.LazyFrame) -> pl.LazyFrame:
    """Put the mentions that differ beside what they were, and say how.

    Args:
        now: columns as `State.mentions`.
        before: in the same way.
        listed: column drug_id: the drugs that are on the list now.

    Returns:
        Columns as `contracts.NewMentions`, without first_in_journal and drug_added. Where nothing
        that counts is another one, `changed` is empty.
    """
    here = pl.col("here").fill_null(value=False)
    there = pl.col("there").fill_null(value=False)
    # An identity that became known, and another spelling, leave the journal what it was.
    journal = _differs("journal") & _differs("journal_id")
    changes = {
        "journal": journal,
        "date": _differs("date") | _differs("date_precision"),
        "title": _differs("title"),
    }
    changed = pl.concat_list(
        pl.when(here & there & changes[part]).then(pl.lit(part)) for part in MENTION_PARTS
    ).list.drop_nulls()
    is_changed = pl.col("changed").list.len() > 0
    change = (
        pl.when(~there)
        .then(pl.lit(MentionChange.ADDED.value))
        .when(here)
        .then(pl.lit(MentionChange.CHANGED.value))
        .when(pl.col("listed"))
        .then(pl.lit(MentionChange.GONE.value))
        .otherwise(pl.lit(MentionChange.NO_LONGER_SEARCHED.value))
    )
    former = ("title", "journal", "date", "date_precision")
    return (
        now.with_columns(here=pl.lit(value=True))
        .join(
            before.with_columns(there=pl.lit(value=True)),
            on=_KEY,
            how="full",
            coalesce=True,
            suffix="_before",
        )
        .join(listed.with_columns(listed=pl.lit(value=True)), on="drug_id", how="left")
        .with_columns(pl.col("listed").fill_null(value=False), changed=changed)
        .with_columns(change=change)
        .select(
            *(*_KEY, "change", "changed"),
            *(
                pl.when(here).then(column).otherwise(f"{column}_before").alias(column)
                for column in _SHOWN
            ),
            *(pl.when(is_changed).then(f"{c}_before").alias(f"{c}_before") for c in former),
        )
    )


def _differs(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(f"{column}_before"))


def _find_firsts(differing: pl.DataFrame, before: pl.LazyFrame) -> pl.DataFrame:
    """The mentions that are the first one of their drug in their journal.

    Args:
        differing: what `_join_both` returns.
        before: the mentions of the state before, columns as `State.mentions`.

    Returns:
        The keys of one added mention, the earliest, for each drug and journal of which no mention
        was there before; with column first_in_journal. One that only differs was there.
    """
    in_journal = differing.filter(pl.col("journal_id").is_not_null())
    added = in_journal.filter(pl.col("change") == MentionChange.ADDED.value)
    changed = in_journal.filter(pl.col("change") == MentionChange.CHANGED.value)
    pairs = added.select(_PAIR).unique()
    known = before.select(_PAIR).join(pairs.lazy(), on=_PAIR, how="semi").unique()
    return (
        added.join(known.collect(engine="streaming"), on=_PAIR, how="anti")
        .join(changed, on=_PAIR, how="anti")
        .sort("date", rank_sources(pl.col("source")), "publication_id", nulls_last=True)
        .unique(_PAIR, keep="first", maintain_order=True)
        .select(*_KEY, first_in_journal=pl.lit(value=True))
    )


def find_changed_names(before: State | None, now: State) -> pl.LazyFrame:
    """Find the names of drugs that came on the list, or left it.

    Args:
        before: the state that is compared with; None if there is none: then nothing is new.
        now: the state that may have something new.

    Returns:
        The table `changed_names` (`contracts.ChangedNames`), sorted by key.
    """
    if before is None:
        return pl.LazyFrame(schema=polars_schema(TABLES["changed_names"].contract))
    before = _follow_drugs(before, now)
    listed = now.drugs.select("drug_id", listed_as="drug")
    return (
        pl.concat(
            _find_names_alone(of.drugs, beside.drugs).with_columns(
                change=pl.lit(change.value, pl.String)
            )
            for of, beside, change in (
                (now, before, ListChange.ADDED),
                (before, now, ListChange.DROPPED),
            )
        )
        .join(listed, on="drug_id", how="left")
        .with_columns(drug=pl.coalesce("listed_as", "drug"))
        .sort("drug_id", "name")
        .select(list_columns("changed_names"))
    )


def _find_names_alone(of: pl.LazyFrame, beside: pl.LazyFrame) -> pl.LazyFrame:
    """The names of drugs that these drugs do not have in another list, compared folded.

    Args:
        of: columns as `State.drugs`.
        beside: the other list, in the same way.

    Returns:
        Columns drug_id, name, drug, and of_drug: whether the drug is not in the other list.
    """
    folded = fold_text(pl.col("name"))
    others = _list_names(beside)
    # Nearly all names are the same to the letter: so few have to be folded.
    alone = _list_names(of).join(others, on=("drug_id", "name"), how="anti")
    near = others.join(alone, on="drug_id", how="semi").select("drug_id", folded=folded)
    known = beside.select("drug_id", of_drug=pl.lit(value=False)).unique()
    return (
        alone.with_columns(folded=folded)
        .join(near, on=("drug_id", "folded"), how="anti")
        .join(known, on="drug_id", how="left")
        .select("drug_id", "name", "drug", pl.col("of_drug").fill_null(value=True))
    )


def _list_names(drugs: pl.LazyFrame) -> pl.LazyFrame:
    """Columns drug_id, name and drug: each drug's names, and the one under which it is shown."""
    shown = pl.concat_list(pl.col("names").fill_null([]), "drug")
    return (
        drugs.select("drug_id", "drug", name=shown)
        .explode("name", empty_as_null=False)
        .drop_nulls("name")
        .unique(("drug_id", "name"))
    )


class First(NamedTuple):
    """The first mention of a drug in a journal since the state before."""

    drug_id: str
    drug: str
    journal_id: str
    journal: str
    date: dt.date | None
    date_precision: str | None
    source: str
    publication_id: str
    title: str


class Names(NamedTuple):
    """Names, of which only the first are told."""

    total: int
    #: At most so many as asked for, sorted.
    names: tuple[str, ...]


class News(NamedTuple):
    """What is new, in figures and a few names."""

    #: Mentions, by what became of them.
    added: int
    changed: int
    gone: int
    no_longer_searched: int
    #: Of those added, the ones of drugs that were not on the list before.
    added_of_new_drugs: int
    #: Drugs and journals that have their first mention; `firsts` are the newest of them.
    first_in_journal: int
    firsts: tuple[First, ...]
    #: Drugs that came on the list or left it.
    drugs_added: Names
    drugs_dropped: Names
    #: Names of drugs that were on the list before, and still are.
    names_added: Names
    names_dropped: Names
    #: Whether the states were made by different rules; None if that is not known.
    rules_changed: bool | None

    @property
    def is_empty(self) -> bool:
        """Whether no mention and no name differs."""
        mentions = (self.added, self.changed, self.gone, self.no_longer_searched)
        lists = (self.drugs_added, self.drugs_dropped, self.names_added, self.names_dropped)
        return not any(mentions) and not any(names.total for names in lists)


def summarize(
    new_mentions: pl.LazyFrame,
    changed_names: pl.LazyFrame,
    *,
    rules_changed: bool | None,
    most: int = MOST,
) -> News:
    """Summarize what is new.

    Args:
        new_mentions: rows of `contracts.NewMentions`.
        changed_names: rows of `contracts.ChangedNames`.
        rules_changed: whether the states were made by different rules; None if it is not known.
        most: how many first mentions and names are told.
    """
    change, first = pl.col("change"), pl.col("first_in_journal")
    added = change == MentionChange.ADDED.value
    counts = new_mentions.select(
        *((change == term.value).sum().alias(term.value) for term in MentionChange),
        added_of_new_drugs=(added & pl.col("drug_added")).sum(),
        first_in_journal=first.sum(),
    )
    firsts = (
        new_mentions.filter(first)
        .select(First._fields)
        .sort(
            *("date", "drug", "journal", "drug_id", "journal_id"),
            descending=[True, False, False, False, False],
            nulls_last=True,
        )
        .head(most)
    )
    names = changed_names.select("change", "of_drug", "drug", "name")
    counted, told, changed = pl.collect_all([counts, firsts, names])
    return News(
        **counted.row(0, named=True),
        firsts=tuple(First(*row) for row in told.iter_rows()),
        drugs_added=_tell_drugs(changed, ListChange.ADDED, most),
        drugs_dropped=_tell_drugs(changed, ListChange.DROPPED, most),
        names_added=_tell_names(changed, ListChange.ADDED, most),
        names_dropped=_tell_names(changed, ListChange.DROPPED, most),
        rules_changed=rules_changed,
    )


def _tell_drugs(changed: pl.DataFrame, change: ListChange, most: int) -> Names:
    of_change = changed.filter((pl.col("change") == change.value) & pl.col("of_drug"))
    # Two drugs can be shown under one name.
    drugs = of_change.filter(pl.col("name") == pl.col("drug"))["drug"].sort()
    return Names(drugs.len(), tuple(drugs.head(most)))


def _tell_names(changed: pl.DataFrame, change: ListChange, most: int) -> Names:
    of_change = changed.filter((pl.col("change") == change.value) & ~pl.col("of_drug"))
    names = of_change.sort("drug", "name").select(pl.format("{} ({})", "name", "drug")).to_series()
    return Names(names.len(), tuple(names.head(most)))
