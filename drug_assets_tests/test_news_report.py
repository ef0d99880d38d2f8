"""What is new, in words: what is told, how much of it, and that data stays data in Markdown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from drug_assets.news import First, Names, News
from drug_assets.news_report import MARKDOWN, TEXT, describe, list_mentions
from drug_assets.terms import MentionChange
from drug_assets.wording import printable

NONE = Names(0, ())
NOTHING = News(
    added=0,
    changed=0,
    gone=0,
    no_longer_searched=0,
    added_of_new_drugs=0,
    first_in_journal=0,
    firsts=(),
    drugs_added=NONE,
    drugs_dropped=NONE,
    names_added=NONE,
    names_dropped=NONE,
    rules_changed=False,
)


def first(journal: str, date: dt.date | None = None, precision: str | None = None) -> First:
    return First("a", "ASPIRIN", journal, journal, date, precision, "pubmed", "1", "On aspirin")


def mention(title: str = "On aspirin", **other: Any) -> dict[str, Any]:
    return {
        "drug": "ASPIRIN",
        "source": "pubmed",
        "publication_id": "1",
        "title": title,
        "journal": "Lancet",
        "date": dt.date(2020, 5, 1),
        "date_precision": "month",
        "first_in_journal": False,
        "changed": [],
        "title_before": None,
        "journal_before": None,
        "date_before": None,
        "date_precision_before": None,
        **other,
    }


def test_without_a_release_before_there_is_nothing_to_compare_with() -> None:
    assert describe(None) == ["Nothing to compare with yet."]


def test_nothing_new_is_told() -> None:
    assert describe(NOTHING) == ["No mention was added, changed or is gone."]


def test_mentions_are_told_by_what_became_of_them() -> None:
    new = NOTHING._replace(added=1200, changed=1, gone=2, no_longer_searched=3)
    assert describe(new) == [
        "Mentions: 1,200 added, 1 changed, 2 gone, 3 no longer searched.",
    ]
    of_new_drugs = NOTHING._replace(added=3, added_of_new_drugs=2)
    assert describe(of_new_drugs) == ["Mentions: 3 added (2 of drugs that came on the list)."]


def test_first_mentions_are_told_with_as_much_of_the_date_as_is_known() -> None:
    day = dt.date(2020, 5, 1)
    firsts = (first("Lancet", day, "day"), first("JAMA", day, "year"), first("BMJ"))
    new = NOTHING._replace(added=5, first_in_journal=5, firsts=firsts)
    assert describe(new, most=3)[1] == (
        "First mention of a drug in a journal: ASPIRIN in Lancet (2020-05-01); "
        "ASPIRIN in JAMA (2020); ASPIRIN in BMJ and 2 more."
    )
    assert "ASPIRIN in JAMA (2020) and 3 more." in describe(new, most=2)[1]


def test_the_list_and_the_rules_are_told() -> None:
    new = NOTHING._replace(
        drugs_added=Names(2, ("A", "B")),
        drugs_dropped=Names(1, ("C",)),
        names_added=Names(3, ("a (A)",)),
        names_dropped=Names(1, ("b (A)",)),
        rules_changed=True,
    )
    assert describe(new) == [
        "No mention was added, changed or is gone.",
        "Came on the list: 2 drugs (A, B).",
        "Left the list: 1 drug (C).",
        "Searched for from now on: 3 names (a (A) and 2 more).",
        "Searched for no longer: 1 name (b (A)).",
        "The rules changed, too: part of this may be no news.",
    ]


def test_a_list_of_mentions_says_how_many_more_there_are() -> None:
    rows = [mention(first_in_journal=True), mention(journal=None, date=None, date_precision=None)]
    assert list(list_mentions(MentionChange.ADDED, rows, 12, TEXT)) == [
        "",
        "Mentions added: 12",
        "  ASPIRIN, 2020-05, Lancet, pubmed 1: On aspirin (first in this journal)",
        "  ASPIRIN, no date, no journal, pubmed 1: On aspirin",
        "  and 10 more",
    ]
    assert list(list_mentions(MentionChange.GONE, [], 0, TEXT)) == []


def test_what_a_mention_was_is_told_of_each_part_that_changed() -> None:
    changed = mention(
        changed=["journal", "date", "title"],
        title_before="On asprin",
        date_before=dt.date(2019, 1, 1),
        date_precision_before="year",
    )
    *_, line = list_mentions(MentionChange.CHANGED, [changed], 1, TEXT)
    assert line.endswith("(had no journal; date was 2019; title was On asprin)")


HOSTILE = [
    "![x](http://127.0.0.1:9/pixel.png)",
    "[click](javascript:alert(1))",
    "<img src=http://127.0.0.1:9/x onerror=alert(1)> <!channel> @everyone",
    "https://example.org and www.example.org and a@example.org",
    "` ![x](http://127.0.0.1:9/a) `",
    "``` ![x](y) ```",
    "`",
    "a | b \\| ![x](http://127.0.0.1:9/b) \\",
    "# heading *bold* **bold** _em_ ~~gone~~ &lt; &#33;",
    "two\nlines\r\n\n# and\x1b[31m\u202e more\u2028",
]
#: The kinds of tokens that our own Markdown consists of.
_OWN = {
    *("paragraph_open", "paragraph_close", "inline", "text", "code_inline"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("strong_open", "strong_close", "softbreak"),
}


def require_only_data(title: str) -> None:
    """Fail unless Markdown has the title in code spans alone, and no markup but our own."""
    row = mention(title, drug=title, journal=title, publication_id=title, changed=["title"])
    row["title_before"] = title
    new = NOTHING._replace(
        added=1,
        first_in_journal=1,
        firsts=(First("a", title, "j", title, None, None, "pubmed", "1", title),),
        drugs_added=Names(1, (title,)),
    )
    lines = [f"- {sentence}" for sentence in describe(new, MARKDOWN)]
    lines += list_mentions(MentionChange.ADDED, [row], 1, MARKDOWN)
    tokens = (
        MarkdownIt("commonmark", {"html": True}).enable("strikethrough").parse("\n".join(lines))
    )
    found = [part for token in tokens for part in (token, *(token.children or ()))]
    assert {part.type for part in found} <= _OWN
    spans = [part.content for part in found if part.type == "code_inline"]
    assert spans == [printable(title)] * 8, spans


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_stay_data_in_markdown(title: str) -> None:
    require_only_data(title)


@given(st.text(alphabet="`*_[]()<>!#&\\|~-+.:@/ \n\taé\x1b\u202e", min_size=1).map(str.strip))
@settings(max_examples=100)
def test_any_title_stays_data_in_markdown(title: str) -> None:
    if title:
        require_only_data(title)
