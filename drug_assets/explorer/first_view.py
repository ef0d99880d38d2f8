"""What the page shows where no script runs: in mails, in previews, on a phone that only looks.

The script replaces it. It is plain HTML, in English: sums, the top journals, the first drugs.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from drug_assets.periods import read_code
from drug_assets.terms import DatePrecision
from drug_assets.wording import count_of, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Journals and drugs that are shown at most.
MOST_JOURNALS = 10
MOST_DRUGS = 50

#: How a date is written in words, if not its year alone is known; the page does it in the same way.
_FORMS = {
    DatePrecision.DAY: "{0.day} {0:%B} {0.year}",
    DatePrecision.MONTH: "{0:%B} {0.year}",
    DatePrecision.SEASON: "{0:%B} {0.year} (season)",
}


def write_first_view(index: Mapping[str, Any]) -> str:
    """The HTML of the first view of a page.

    Args:
        index: the index of its data, as `pack.pack` makes it.
    """
    drugs, journals = index["drugs"], index["journals"]
    mentions = [sum(counts) for counts in zip(*drugs["by"], strict=True)]
    of_journals = [sum(counts) for counts in zip(*journals["by"], strict=True)]
    listed = index["mentioned"] + index["unmentioned"]
    found = f"{count_of(index['total'], 'mention')} of {index['mentioned']:,}"
    counted = [
        f"{found} of {count_of(listed, 'drug')} in {count_of(len(journals['id']), 'journal')}.",
        *(
            f"{type_['publications']}: {count_of(sum(by), 'mention')}."
            for type_, by in zip(index["types"], drugs["by"], strict=True)
        ),
    ]
    parts = ["<main><h1>Who writes about our drugs, where, since when</h1>"]
    parts += [f"<p>{' '.join(map(_text, counted))}</p>"]
    top = _first(MOST_JOURNALS, journals["drugs"], of_journals)
    if top:
        parts += [
            "<h2>Journals that mention the most drugs</h2><ul>",
            *(
                f"<li>{_text(journals['name'][n])}: {count_of(journals['drugs'][n], 'drug')}, "
                f"{count_of(of_journals[n], 'mention')}"
                f"{_since(journals['first'][n], journals['last'][n])}</li>"
                for n in top
            ),
            "</ul>",
        ]
    shown = _first(MOST_DRUGS, mentions)
    if shown:
        parts += [
            "<h2>Drugs that are mentioned most</h2><ul>",
            *(
                f"<li>{_text(drugs['name'][n])}: {count_of(mentions[n], 'mention')} in "
                f"{count_of(drugs['journals'][n], 'journal')}"
                f"{_since(drugs['first'][n], drugs['last'][n])}</li>"
                for n in shown
            ),
            "</ul>",
        ]
    return "".join([*parts, "</main>"])


def show_date(code: int) -> str:
    """A date for people, as far as it is known.

    Args:
        code: the date as the page holds it (`pack`).
    """
    day, precision = read_code(code)
    return _FORMS.get(precision, "{0.year}").format(day)


def _first(most: int, *counts: Sequence[int]) -> list[int]:
    """The numbers of those with the highest counts, at most so many; ties in their order."""
    ranked: Iterable[int] = range(len(counts[0]))
    return sorted(ranked, key=lambda n: tuple(-count[n] for count in counts))[:most]


def _since(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return ""
    return f", since {show_date(first)}, latest {show_date(last)}"


def _text(text: str) -> str:
    """A text of the data: nothing in it is obeyed."""
    return escape(printable(text))
