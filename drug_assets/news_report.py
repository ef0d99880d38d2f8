"""What is new, in words: sentences for reports, and the text or Markdown of `drug-assets diff`.

Names and titles stay data: in Markdown they stand in code spans, in which nothing is obeyed. What
is new is found by `news`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from drug_assets.periods import show_date
from drug_assets.terms import MentionChange
from drug_assets.wording import code_span, count_of, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from drug_assets.news import First, News

#: How many names and first mentions a sentence lists.
MOST = 10
_HEADINGS = {
    MentionChange.ADDED: "Mentions added",
    MentionChange.CHANGED: "Mentions changed",
    MentionChange.GONE: "Mentions gone",
    MentionChange.NO_LONGER_SEARCHED: "No longer searched, as the drug left the list",
}
#: The parts of a mention that can change, with the columns that show them.
_PARTS = {
    "title": ("title_before",),
    "journal": ("journal_before",),
    "date": ("date_before", "date_precision_before"),
}


class Style(NamedTuple):
    """How a text is marked up."""

    #: Makes of a name, a title or another text of the data what stands in the text.
    data: Callable[[str], str]
    heading: Callable[[str], str]
    #: Before each item of a list.
    bullet: str


TEXT = Style(printable, lambda heading: heading, "  ")
MARKDOWN = Style(lambda text: code_span(printable(text)), lambda heading: f"**{heading}**\n", "- ")


def describe(news: News | None, style: Style = TEXT, most: int = MOST) -> list[str]:
    """What is new, in a few sentences.

    Args:
        news: what is new; None if there is nothing to compare with.
        style: how they are marked up.
        most: how many names and first mentions are told of each kind; the others are counted.
    """
    if news is None:
        return ["Nothing to compare with yet."]
    told = [_tell_mentions(news)]
    if news.first_in_journal:
        firsts = [_tell_first(first, style) for first in news.firsts]
        listed = _list(firsts, news.first_in_journal, most, "; ")
        told.append(f"First mention of a drug in a journal: {listed}.")
    for change, what, names in (
        ("Came on the list", "drug", news.drugs_added),
        ("Left the list", "drug", news.drugs_dropped),
        ("Searched for from now on", "name", news.names_added),
        ("Searched for no longer", "name", news.names_dropped),
    ):
        if names.total:
            listed = _list([style.data(name) for name in names.names], names.total, most)
            told.append(f"{change}: {count_of(names.total, what)} ({listed}).")
    if news.rules_changed:
        told.append("The rules changed, too: part of this may be no news.")
    return told


def _tell_mentions(news: News) -> str:
    counted = [
        (news.added, "added"),
        (news.changed, "changed"),
        (news.gone, "gone"),
        (news.no_longer_searched, "no longer searched"),
    ]
    told = [f"{count:,} {word}" for count, word in counted if count]
    if not told:
        return "No mention was added, changed or is gone."
    if news.added_of_new_drugs:
        told[0] += f" ({news.added_of_new_drugs:,} of drugs that came on the list)"
    return f"Mentions: {', '.join(told)}."


def _tell_first(first: First, style: Style) -> str:
    date = show_date(first.date, first.date_precision)
    return f"{style.data(first.drug)} in {style.data(first.journal)}" + (f" ({date})" * bool(date))


def _list(shown: Sequence[str], total: int, most: int, separator: str = ", ") -> str:
    """The first of some texts, and the number of the others."""
    rest = total - len(shown[:most])
    return separator.join(shown[:most]) + (f" and {rest:,} more" if rest else "")


def list_mentions(
    change: MentionChange, rows: Iterable[Mapping[str, Any]], total: int, style: Style
) -> Iterator[str]:
    """The lines of a list of mentions; none if there are none.

    Args:
        change: what became of them.
        rows: the first of them, as `contracts.NewMentions`.
        total: the number of all.
        style: how they are marked up.
    """
    if not total:
        return
    yield ""
    yield style.heading(f"{_HEADINGS[change]}: {total:,}")
    shown = 0
    for row in rows:
        yield style.bullet + _tell_mention(row, style)
        shown += 1
    if total > shown:
        yield f"{style.bullet}and {total - shown:,} more"


def _tell_mention(row: Mapping[str, Any], style: Style) -> str:
    date = show_date(row["date"], row["date_precision"]) or "no date"
    journal = style.data(row["journal"]) if row["journal"] else "no journal"
    told = (
        f"{style.data(row['drug'])}, {date}, {journal}, {row['source']} "
        f"{style.data(row['publication_id'])}: {style.data(row['title'])}"
    )
    if row["first_in_journal"]:
        told += " (first in this journal)"
    was = [_tell_former(part, row, style) for part in row["changed"]]
    return told + (f" ({'; '.join(was)})" if was else "")


def _tell_former(part: str, row: Mapping[str, Any], style: Style) -> str:
    values = [row[column] for column in _PARTS[part]]
    former = show_date(*values) if part == "date" else style.data(values[0] or "")
    return f"{part} was {former}" if former else f"had no {part}"
