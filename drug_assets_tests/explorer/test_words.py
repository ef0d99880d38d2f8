"""The explorer in English and in French: nothing that it says is the same in both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer.views import Explorer, address

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

VIEWS = {
    "home": {},
    "drug": {"drug": "acetylsalicylic acid"},
    "journal": {"journal": "Journal of Invented Therapeutics"},
    "class": {"class": "N02BA"},
    "unknown": {"drug": "paracetmol"},
}
#: Words that both languages have, and names of services and formats.
SAME = {
    *(
        "mention",
        "mentions",
        "classes",
        "publications",
        "article",
        "articles",
        "type",
        "source",
        "date",
        "code",
        "titre",
    ),
    *("pubmed", "clinicaltrials.gov", "atc", "csv", "xlsx", "page", "pages"),
}
#: All that can be seen or is read out: texts, names, titles, placeholders.
_TEXTS = """
(() => {
  const found = [document.title], walker = document.createTreeWalker(document.body,
    NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === 3) {
      if (!node.parentElement.closest("script, style, noscript, [lang]:not(html)"))
        found.push(node.data);
    } else for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (node.hasAttribute(name) && !node.matches("[lang]:not(html)"))
        found.push(node.getAttribute(name));
  }
  return found.map(text => text.trim()).filter(text => text);
})()
"""


def texts(explorer: Explorer) -> list[str]:
    """All texts of a view, once it is shown."""
    explorer.settle()
    expect(explorer.page.get_by_text(re.compile("^(Reading|Lecture) …"))).to_have_count(0)
    found: list[str] = explorer.opened.evaluate(_TEXTS)
    return found


@pytest.fixture(scope="module")
def data(sample_run: Run) -> list[str]:
    """Every text of the tables that a page may show as it is, the longest first."""
    mentions, drugs = sample_run.table("mentions"), sample_run.table("drugs")
    classes, files = sample_run.table("atc_classes"), sample_run.table("landed_files")
    columns = [
        *(mentions[name] for name in ("title", "journal", "publication_id")),
        *(drugs["drug"], drugs["names"].explode(), drugs["codes"].explode()),
        *(classes[name] for name in classes.columns if classes[name].dtype == pl.String),
        files["source_file"],
    ]
    found = {text for column in columns for text in column.drop_nulls()}
    return sorted(found, key=len, reverse=True)


def without_data(text: str, data: list[str]) -> str:
    """A text of the page without the data in it; pieces of titles are data, too."""
    if any(text.removesuffix("…") in whole for whole in data):
        return ""
    for whole in data:
        if whole in text:
            text = re.sub(rf"(?<!\w){re.escape(whole)}(?!\w)", "", text)
    return text


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_the_same_in_both_languages_is_data(
    explore: Open, data: list[str], view: str
) -> None:
    english = texts(explore(address(**VIEWS[view], lang="en")))
    french = set(texts(explore(address(**VIEWS[view], lang="fr"))))
    said = {
        text
        for text in english
        if text in french
        and not set(re.findall(r"[^\W\d_]+(?:\.[a-z]+)?", without_data(text, data).lower())) <= SAME
    }
    assert said == set()


@pytest.mark.parametrize(
    ("lang", "since", "latest"),
    [
        ("en", "since February 2003", "Latest: August 2022."),
        ("fr", "depuis février 2003", "août 2022"),
    ],
)
def test_dates_are_written_as_the_language_does(
    explore: Open, lang: str, since: str, latest: str
) -> None:
    explorer = explore(address(drug="acetylsalicylic acid", lang=lang))
    expect(explorer.lead).to_contain_text(since)
    expect(explorer.lead).to_contain_text(latest)
    expect(explorer.page.locator("html")).to_have_attribute("lang", lang)


def test_the_language_is_that_of_the_browser_until_another_is_chosen(explore: Open) -> None:
    explorer = explore(locale="fr-CH")
    expect(explorer.page.locator("html")).to_have_attribute("lang", "fr")
    explorer.page.get_by_text("English", exact=True).click()
    expect(explorer.page.locator("html")).to_have_attribute("lang", "en")
    assert "lang=en" in explorer.page.url
    explorer.page.locator("main").get_by_role("link", name="digoxin", exact=True).first.click()
    expect(explorer.lead).to_contain_text("journals mention it")
    english = explore(locale="en-US")
    expect(english.page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("view", VIEWS)
def test_french_signs_have_their_space(explore: Open, data: list[str], view: str) -> None:
    said = texts(explore(address(**VIEWS[view], lang="fr")))
    assert [t for t in said if re.search(r"[^\s][:;?!»](\s|$)", without_data(t, data))] == []
