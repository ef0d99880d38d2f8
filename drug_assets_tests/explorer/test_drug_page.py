"""The page of a drug: since when, lanes, evidence, links, filters, the graph around it."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import expect

from drug_assets.periods import Period
from drug_assets_tests.explorer import expected
from drug_assets_tests.explorer.views import address

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

HEAVY = "acetylsalicylic acid"


def since(year: int) -> pl.Expr:
    """The mentions that commands count since a year."""
    return Period(date(year, 1, 1)).counts_column(pl.col("date"), pl.col("date_precision"))


def test_the_first_line_is_what_the_table_says_for_every_drug(
    sample_run: Run, explore: Open
) -> None:
    explorer = explore()
    for drug in expected.drugs(sample_run):
        explorer.show_drug(drug.id, drug.name)
        expect(explorer.lead).to_have_text(expected.since_when(drug.mentions))


def test_a_drug_that_no_title_mentions_is_said_to_be_one(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    mentioned = sample_run.table("mentions").select("drug_id")
    unmentioned = sample_run.table("drugs").join(mentioned, on="drug_id", how="anti")
    assert not unmentioned.is_empty()
    for row in unmentioned.iter_rows(named=True):
        explorer.show_drug(row["drug_id"], row["drug"])
        expect(explorer.lead).to_have_text("No title mentions this drug.")
        expect(explorer.rows).to_have_count(0)


def test_marked_words_are_the_spans_for_every_drug(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    for drug in expected.drugs(sample_run):
        explorer.show_drug(drug.id, drug.name)
        assert explorer.evidence(drug.mentions.height) == expected.marked(drug.mentions)


def test_retracted_publications_are_seen(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    retracted = sample_run.table("mentions").filter("retracted")
    assert not retracted.is_empty()
    for row in retracted.iter_rows(named=True):
        explorer.show_drug(row["drug_id"], row["drug"])
        shown = explorer.page.locator(f"ol.evidence > li[data-id='{row['publication_id']}']")
        expect(shown.get_by_text("Retracted", exact=True)).to_be_visible()
        expect(explorer.page.locator("main")).to_contain_text("1 is in a retracted publication.")


def test_trials_and_their_publications_lead_to_each_other(sample_run: Run, explore: Open) -> None:
    ties = sample_run.table("trial_publications").filter("trial_in_store", "publication_in_store")
    mentions = sample_run.table("mentions")
    rows = mentions.join(ties, left_on="publication_id", right_on="trial_id").rows(named=True)
    assert rows
    explorer = explore()
    for row in rows:
        explorer.show_drug(row["drug_id"], row["drug"])
        trial = explorer.page.locator(f"ol.evidence > li[data-id='{row['publication_id']}']")
        linked = trial.locator(f"[data-linked='{row['publication_id_right']}']")
        expect(linked).to_be_visible()


def test_one_lane_a_journal_and_one_mark_a_dated_mention_for_every_drug(
    sample_run: Run, explore: Open
) -> None:
    explorer = explore()
    for drug in expected.drugs(sample_run):
        if drug.mentions["date"].null_count() == drug.mentions.height:
            continue
        explorer.show_drug(drug.id, drug.name)
        shown = explorer.lanes()
        marks = {
            journal: sorted((day, known) for day, known, *_ in marks) for journal, marks in shown
        }
        assert marks == expected.lanes(drug.mentions)
        for _, of_journal in shown:
            assert all(hollow == (known != "day") for _, known, hollow, _ in of_journal)
        # Along the axis every day has its place, the same in each lane.
        places = sorted({(day, at) for _, of_journal in shown for day, *_, at in of_journal})
        assert all(0 <= at <= 100 for _, at in places)
        assert [at for _, at in places] == sorted(at for _, at in places)
        assert len({day for day, _ in places}) == len(places)


def test_marks_stand_at_their_date(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY))
    marks = [mark for _, of_journal in explorer.lanes() for mark in of_journal]
    days = {date.fromisoformat(day): at for day, _, _, at in marks}
    first, last = min(days), max(days)
    start, end = date(first.year, 1, 1), date(last.year + 1, 1, 1)
    for day, at in days.items():
        share = (day - start).days / (end - start).days
        assert at == pytest.approx(100 * share, abs=0.1)


def test_lanes_are_in_the_order_that_is_chosen(sample_run: Run, explore: Open) -> None:
    explorer = explore(address(drug=HEAVY))
    mentions = expected.mentions_of(sample_run, HEAVY)
    counted = mentions.drop_nulls("journal_id").group_by("journal_id").agg(pl.len(), first="date")
    sizes = {row["journal_id"]: row["len"] for row in counted.iter_rows(named=True)}
    order = [journal for journal, _ in explorer.lanes()]
    assert [sizes[journal] for journal in order] == sorted(sizes.values(), reverse=True)
    explorer.page.get_by_role("button", name="First to mention").click()
    expect(explorer.page.get_by_role("button", name="First to mention")).to_have_attribute(
        "aria-pressed", "true"
    )
    firsts = [min(day for day, *_ in marks) for _, marks in explorer.lanes() if marks]
    assert firsts == sorted(firsts)


def test_undated_mentions_are_counted_in_words(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    seen = 0
    for drug in expected.drugs(sample_run):
        undated = drug.mentions["date"].null_count()
        if undated == 0:
            continue
        seen += 1
        explorer.show_drug(drug.id, drug.name)
        told = (
            f"{undated} of {drug.mentions.height} mentions {'has' if undated == 1 else 'have'} no "
            "date and no mark here."
        )
        expect(explorer.page.locator("#lanes figcaption")).to_contain_text(told)
    assert seen


def test_links_lead_to_the_services_that_know_the_id(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    for drug in expected.drugs(sample_run):
        explorer.show_drug(drug.id, drug.name)
        expect(explorer.rows).to_have_count(drug.mentions.height)
        for at, row in enumerate(drug.mentions.iter_rows(named=True)):
            link = explorer.rows.nth(at).locator(".source a[target]")
            wanted = address_of(row["source"], row["publication_id"])
            if wanted is None:
                expect(link).to_have_count(0)
                expect(explorer.rows.nth(at)).to_contain_text(row["publication_id"])
                continue
            assert link.get_attribute("href") == wanted
            assert (link.get_attribute("rel") or "").split() == ["noopener", "noreferrer"]


def address_of(source: str, id_: str) -> str | None:
    if source == "pubmed" and re.fullmatch(r"[0-9]{1,8}", id_):
        return f"https://pubmed.ncbi.nlm.nih.gov/{id_}/"
    if source == "clinical_trials" and re.fullmatch(r"NCT[0-9]{8}", id_):
        return f"https://clinicaltrials.gov/study/{id_}"
    return None


def test_filters_together_leave_what_the_table_says_and_back_undoes(
    sample_run: Run, explore: Open
) -> None:
    mentions = expected.mentions_of(sample_run, HEAVY)
    explorer = explore(address(drug=HEAVY))
    steps = [explorer.evidence(mentions.height)]
    assert steps[0] == expected.marked(mentions)

    articles = mentions.filter(pl.col("type") == "pubmed")
    explorer.choose_type("Articles")
    steps.append(explorer.evidence(articles.height))
    assert steps[-1] == expected.marked(articles)

    year = articles.drop_nulls("year")["year"].sort()[1]
    left = articles.filter(since(year))
    explorer.page.get_by_label("From year").select_option(str(year))
    steps.append(explorer.evidence(left.height))
    assert steps[-1] == expected.marked(left)

    journal = left.drop_nulls("journal_id").row(0, named=True)
    of_journal = left.filter(pl.col("journal_id") == journal["journal_id"])
    explorer.page.locator(f"#lanes li[data-journal='{journal['journal_id']}'] button").click()
    assert explorer.evidence(of_journal.height) == expected.marked(of_journal)
    counted = f"{of_journal.height} of {mentions.height} mentions"
    expect(explorer.page.get_by_role("status").filter(has_text=counted)).to_be_visible()

    for before in reversed(steps):
        explorer.page.go_back()
        assert explorer.evidence(len(before)) == before


def test_chips_take_one_filter_away(sample_run: Run, explore: Open) -> None:
    mentions = expected.mentions_of(sample_run, HEAVY)
    row = (
        mentions.filter(pl.col("type") == "pubmed")
        .drop_nulls(["date", "journal_id"])
        .row(0, named=True)
    )
    said = {"in": row["journal_id"], "from": str(row["year"]), "type": "pubmed"}
    explorer = explore(address(drug=HEAVY, **said))
    filters = {
        row["journal"]: pl.col("journal_id") == row["journal_id"],
        f"{row['year']}–": since(row["year"]),
        "Articles": pl.col("type") == "pubmed",
    }
    for text in tuple(filters):
        left = mentions.filter(*filters.values())
        assert explorer.evidence(left.height) == expected.marked(left)
        explorer.chip(text).click()
        del filters[text]
        expect(explorer.chip(text)).to_have_count(0)
    assert explorer.evidence(mentions.height) == expected.marked(mentions)
    for name in said:
        assert f"{name}=" not in explorer.page.url


def test_every_node_of_the_graph_is_a_link_that_tab_reaches(sample_run: Run, explore: Open) -> None:
    """Publications and journals by full name, with their dates, however they are drawn."""
    explorer = explore(address(drug=HEAVY))
    explorer.settle()
    graph = explorer.page.locator("[data-graph]")
    links = graph.get_by_role("link")
    expect(links.first).to_be_visible()
    told = graph.aria_snapshot().replace("''", "'")  # a quote in a line with quotes
    names = re.findall(r"- '?link \"(.+)\"'?:$", told, re.MULTILINE)
    assert len(names) == links.count() == graph.locator("a").count()
    mentions = expected.mentions_of(sample_run, HEAVY)
    for row in mentions.iter_rows(named=True):
        (name,) = (name for name in names if f" {row['publication_id']}, " in name)
        assert name.endswith(row["title"])
        assert (str(row["year"]) in name) == (row["year"] is not None)
    for journal, first in (
        mentions.drop_nulls("journal").group_by("journal").agg(pl.col("year").min()).rows()
    ):
        (name,) = (name for name in names if name.startswith(f"{journal}: "))
        assert re.search(rf"\d+ mentions?, \d+%, since .*{first}$", name), name
    links.first.focus()
    for at in range(len(names)):
        expect(links.nth(at)).to_be_focused()
        explorer.page.keyboard.press("Tab")
