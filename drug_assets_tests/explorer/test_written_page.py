"""The page as it is written, without a browser: its policy, its containers, its first view."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.explorer import FOLDER, built, page
from drug_assets.explorer.first_view import MOST_DRUGS, MOST_JOURNALS, show_date
from drug_assets_tests.support.pages import Page, write
from drug_assets_tests.support.raw import Row, listed_drug, mention

HOSTILE = (
    "</script><script>alert(1)</script>",
    "</div></main><img src=x onerror=alert(1)>",
    "<!-- ",
    "\u2028 \u202e \x00 \x1b[2J",
    "javascript:alert(1)",
    '" onclick="alert(1)',
    "&lt;script&gt;",
)


def some_page(names: tuple[str, ...] = ("Alpha", "Beta"), **limits: int) -> Page:
    drugs = [listed_drug(name, drug_id=f"d{n}") for n, name in enumerate(names)]
    mentions = [
        {**mention(name, f"{n}", journal=f"Journal of {name}", journal_id=name), "drug_id": f"d{n}"}
        for n, name in enumerate(names)
    ]
    return write({"drugs": drugs, "mentions": mentions}, None, **limits)


class Elements(HTMLParser):
    """The elements of a page, as a browser sees them: tags with attributes, texts by element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def is_closed(self) -> bool:
        return not self._open


def policy_of(html: str) -> dict[str, list[str]]:
    (content,) = (
        meta["content"]
        for meta in Elements(html).attributes("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    assert content is not None
    directives = [directive.split() for directive in content.split(";")]
    return {name: values for name, *values in directives}


def test_the_policy_forbids_everything_but_the_script_of_the_page() -> None:
    html = some_page().html
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script == [built.read_script().strip()]
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = policy_of(html)
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == [f"'sha256-{digest}'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    # Besides, only the page's own styles and pictures that it makes are allowed.
    assert {*policy} - {"default-src", "script-src", "base-uri", "form-action"} == {
        *("style-src", "img-src", "require-trusted-types-for", "trusted-types"),
    }
    assert not {"https:", "http:", "*", "'unsafe-eval'"} & {v for vs in policy.values() for v in vs}


def test_the_policy_lets_the_script_load_its_data_if_that_lies_beside_the_page() -> None:
    (digest, trusted) = policy_of(some_page(most_bytes=0).html)["script-src"]
    assert digest.startswith("'sha256-")
    assert trusted == "'strict-dynamic'"


def test_the_policy_comes_before_anything_that_it_is_about() -> None:
    elements = Elements(some_page().html)
    tags = [tag for tag, _ in elements.tags]
    assert "http-equiv" in elements.attributes("meta")[1]
    assert tags.index("meta") < tags.index("style") < tags.index("script")


def test_the_index_and_the_script_come_before_the_data() -> None:
    html = some_page().html
    names = [attributes.get("id") for attributes in Elements(html).attributes("script")]
    assert names == ["index", None, "names", "p0", "f0", "x0"]
    assert html.index('id="app"') < html.index('id="index"')


@pytest.mark.parametrize("most_bytes", [page.MOST_BYTES, 0], ids=["one file", "files beside"])
def test_nothing_in_the_data_can_end_an_element_or_run(most_bytes: int) -> None:
    made = some_page(HOSTILE, most_bytes=most_bytes)
    ordinary = Elements(some_page(tuple("abcdefg"), most_bytes=most_bytes).html)
    elements = Elements(made.html)
    assert bool(made.beside) == (most_bytes == 0)
    assert elements.is_closed
    assert [tag for tag, _ in elements.tags] == [tag for tag, _ in ordinary.tags]
    assert not elements.attributes("img")
    assert all(attributes.keys() <= {"type", "id"} for attributes in elements.attributes("script"))
    # The names are shown as text, with control characters written out.
    shown = "\n".join(elements.texts["li"])
    assert HOSTILE[0] in shown
    assert HOSTILE[1] in shown
    assert r"\u2028 \u202e \x00 \x1b[2J" in shown
    assert re.fullmatch(r"[\x20-\x7e\n]*", "".join(made.beside.values()))


@pytest.mark.slow
@given(st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True))
@settings(max_examples=50, deadline=None)
def test_any_names_and_titles_stay_text(names: list[str]) -> None:
    drugs = [listed_drug(name, drug_id=f"d{n}") for n, name in enumerate(names)]
    mentions = [
        {**mention("x", f"{n}", title=name, journal=name, journal_id=name), "drug_id": f"d{n}"}
        for n, name in enumerate(names)
    ]
    for row in mentions:
        row["spans"] = [{"start": 0, "end": 1, "text": row["title"][:1], "by": "name"}]
    made = write({"drugs": drugs, "mentions": mentions})
    assert Elements(made.html).is_closed
    blocks = made.blocks()
    assert sorted(blocks["x0"]["t"]) == sorted(names)
    assert sorted(blocks["index"]["journals"]["name"]) == sorted(names)


def test_a_long_page_has_the_same_blocks_in_files_beside_it() -> None:
    whole = some_page()
    cut = some_page(most_bytes=0, shard_bytes=200)
    assert not whole.beside
    assert len(cut.beside) > 1
    assert list(cut.beside) == [f"{FOLDER}/s{n}.js" for n in range(len(cut.beside))]
    alone, together = whole.packed(), cut.packed()
    assert alone.keys() == together.keys()
    del alone["index"], together["index"]
    assert alone == together
    index, of_whole = cut.index, whole.index
    assert index.pop("folder") == of_whole.pop("folder") == FOLDER
    where = index.pop("where")
    assert of_whole.pop("where") is None
    assert index == of_whole
    assert where.keys() == together.keys()
    for name, shard in where.items():
        assert f'"{name}": "' in cut.beside[f"{FOLDER}/s{shard}.js"]
    # Blocks are written in their order, so the rows of a drug are in few files.
    assert list(where.values()) == sorted(where.values())
    assert [attributes.get("id") for attributes in Elements(cut.html).attributes("script")] == [
        "index",
        None,
    ]


def test_a_page_with_files_beside_it_begins_at_its_limit() -> None:
    packed = some_page().packed()
    size = sum(len(block) for name, block in packed.items() if name != "index")
    assert not some_page(most_bytes=size).beside
    assert some_page(most_bytes=size - 1).beside
    assert page.MOST_BYTES == 100_000_000


def test_the_bytes_follow_from_the_rows_in_any_order() -> None:
    drugs = [listed_drug(name) for name in ("Beta", "alpha", "Gamma")]
    mentions = [
        mention(name, f"{n}", journal=f"J{n % 2}", journal_id=f"{n % 2}")
        for name in ("Beta", "alpha")
        for n in range(5)
    ]
    given = {"drugs": drugs, "mentions": mentions}
    turned = {name: of_table[::-1] for name, of_table in given.items()}
    assert write(given) == write(turned)


def test_a_script_that_would_end_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("'</SCRIPT>'", "'<!--'"):
        monkeypatch.setattr(built, "read_script", lambda text=text: text)
        with pytest.raises(ValueError, match="contains its own end"):
            some_page()


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (0, "1 January 1970"),
        (1, "January 1970"),
        (2, "January 1970 (season)"),
        (3, "1970"),
        (-4, "31 December 1969"),
        (-1, "1969"),
        (76848, "8 August 2022"),
    ],
)
def test_a_date_is_shown_as_far_as_it_is_known(code: int, shown: str) -> None:
    assert show_date(code) == shown


def test_where_no_script_runs_the_page_shows_sums_top_journals_and_drugs() -> None:
    drugs = [listed_drug(f"Drug {n:02}") for n in range(MOST_DRUGS + 5)]
    mentions: list[Row] = [
        mention(drug["drug"], f"{n}", journal=f"Journal {n % 12:02}", journal_id=f"{n % 12}")
        for n, drug in enumerate(drugs)
    ]
    mentions.append(mention("Drug 54", "x", journal="Journal 03", journal_id="3"))
    html = write({"drugs": [*drugs, listed_drug("Idle")], "mentions": mentions}).html
    (view,) = re.findall(r'<div id="app">(.*?)</div>', html, re.DOTALL)
    text = unescape(re.sub(r"<[^>]+>", "|", view))
    assert "56 mentions of 55 of 56 drugs in 12 journals." in text
    assert "PubMed articles: 56 mentions." in text
    items = re.findall(r"<li>(.*?)</li>", view)
    assert len(items) == MOST_JOURNALS + MOST_DRUGS
    assert items[0] == "Journal 03: 6 drugs, 6 mentions"
    assert items[MOST_JOURNALS] == "Drug 54: 2 mentions in 2 journals"


def test_the_first_view_says_since_when() -> None:
    days = (("1", dt.date(2003, 2, 1), "month"), ("2", dt.date(2022, 8, 8), "day"))
    mentions = [mention("Beta", n, date=day, date_precision=p) for n, day, p in days]
    html = write({"drugs": [listed_drug("Beta")], "mentions": mentions}).html
    assert "Beta: 2 mentions in 0 journals, since February 2003, latest 8 August 2022" in html
