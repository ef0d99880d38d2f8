"""Any history of deliveries ends in what the newest record says of each field."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning.publications import clean_publications, collect_journals
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets_tests.support.raw import Row, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drug_assets.sources import PublicationSource

IDS = ("1", "2", "3")
DAYS = st.sampled_from([f"2024-0{month}-15" for month in range(1, 8)])


class Delivery(NamedTuple):
    """A file: its records by id, each at most once, and the ids that it deletes."""

    name: str
    records: Mapping[str, Row]
    deleted: Sequence[str]


def deliveries(
    dated: Sequence[str],
    exports: Sequence[str],
    fields: Mapping[str, st.SearchStrategy[str | None]],
    required: str,
    revision: str,
    *,
    deletes: bool,
) -> st.SearchStrategy[list[Delivery]]:
    """Histories of some files, in the order of their names.

    Args:
        dated: names of files whose records say when they were revised.
        exports: names of files whose records do not, and where any field may be left out.
        fields: the fields with their values.
        required: the field that no file leaves out.
        revision: the field of the day of revision.
        deletes: whether dated files delete ids.
    """

    @st.composite
    def draw_history(draw: st.DrawFn) -> list[Delivery]:
        history = []
        for name in draw(st.lists(st.sampled_from([*dated, *exports]), unique=True)):
            left_out: set[str] = set()
            if name in exports:
                left_out = draw(st.sets(st.sampled_from(sorted(fields)))) - {required}
            records = {}
            for identifier in draw(st.sets(st.sampled_from(IDS))):
                row = {f: draw(values) for f, values in fields.items() if f not in left_out}
                revised = None if name in exports else draw(st.none() | DAYS)
                records[identifier] = {**row, revision: revised}
            gone = draw(st.sets(st.sampled_from(IDS))) if deletes and name in dated else set()
            history.append(Delivery(name, records, sorted(gone)))
        order = [*dated, *exports]
        return sorted(history, key=lambda delivery: order.index(delivery.name))

    return draw_history()


def newest_first(history: Sequence[Delivery], revision: str) -> dict[str, list[Row]]:
    """By id, the records that no newer deletion withdrew, the newest first."""
    found = {}
    for identifier in IDS:
        records, deletions = [], []
        for place, delivery in enumerate(history):
            if identifier in delivery.records:
                row = delivery.records[identifier]
                records.append((row[revision] or "", place, row))
            if identifier in delivery.deleted:
                days = [row[revision] or "" for row in delivery.records.values()]
                deletions.append((max(days, default=""), place + 0.5))
        alive = [
            (revised, place, row)
            for revised, place, row in records
            if not any(
                place < when if not day else (revised, place) < (day, when)
                for day, when in deletions
            )
        ]
        if alive:
            alive.sort(key=lambda record: record[:2], reverse=True)
            found[identifier] = [row for _, _, row in alive]
    return found


def say(rows: Sequence[Row], *fields: str) -> str | None:
    """The newest value of the first of these fields of which any row has one."""
    return next((row[f] for f in fields for row in rows if row.get(f)), None)


def ends_in(
    source: PublicationSource, history: Sequence[Delivery], random: Any, alive: int
) -> dict[str, dict[str, Any]]:
    """The publications by id; all records that were not withdrawn, `alive`, are kept or merged."""
    rows: list[Row] = []
    for delivery in history:
        placed = [{"id": identifier, **row} for identifier, row in delivery.records.items()]
        placed += [{"id": gone, "citation_status": DELETED} for gone in delivery.deleted]
        rows += [
            {**row, "source_file": delivery.name, "source_row": n}
            for n, row in enumerate(placed, start=1)
        ]
    records = source.clean_records(raw_rows(source, *random.sample(rows, len(rows))))
    known = collect_journals([records]).collect().lazy()
    kept, merged = clean_publications(source, records, known)
    publications = kept.collect().to_dicts()
    assert merged.collect().height + len(publications) == alive
    return {row["publication_id"]: row for row in publications}


def assert_ends_in(
    found: Mapping[str, Row], expected: Mapping[str, Sequence[Row]], tell: Callable[..., Row]
) -> None:
    told = {identifier: tell(rows) for identifier, rows in expected.items()}
    assert {i: {k: found[i][k] for k in told.get(i, {})} for i in found} == told


def day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


ARTICLES = deliveries(
    # Their natural order: NLM's own files come before pulls, whatever they hold.
    ["pubmed24n2.xml", "pubmed24n10.xml", "pubmed_2024-01-05_q_1.xml", "pubmed_2024-03-05_q_1.xml"],
    ["pubmed_export_1.csv", "pubmed_export_2.csv"],
    {
        "title": st.sampled_from(["On beta", "On gamma"]),
        "journal": st.sampled_from([None, "Lancet", "Nature"]),
        "print_date": st.none() | DAYS,
        "electronic_date": st.none() | DAYS,
        "date": st.none() | DAYS,
        "vernacular_title": st.sampled_from([None, "Über Beta", "Über Gamma"]),
        "publication_types": st.sampled_from([None, "Letter", "Retracted Publication|Letter"]),
        "corrections": st.sampled_from([None, "ErratumIn 7", "RetractionIn 8"]),
    },
    "title",
    "date_revised",
    deletes=True,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(ARTICLES, st.randoms(use_true_random=False))
def test_articles_end_in_what_the_newest_says(history: list[Delivery], random: Any) -> None:
    def tell(rows: Sequence[Row]) -> Row:
        types, corrections = say(rows, "publication_types"), say(rows, "corrections")
        signs = [sign for sign in (types, corrections) if sign]
        journal = say(rows, "journal")
        return {
            "title": say(rows, "title"),
            "journal": journal,
            "journal_id": journal and journal.lower(),
            "print_date": day(say(rows, "print_date")),
            "electronic_date": day(say(rows, "electronic_date")),
            "date": day(say(rows, "print_date", "electronic_date", "date")),
            "date_text": say(rows, "print_date", "electronic_date", "date"),
            "vernacular_title": say(rows, "vernacular_title"),
            "publication_types": types.split("|") if types else [],
            "corrections": [corrections] if corrections else [],
            "retracted": any("Retract" in sign for sign in signs) if signs else None,
        }

    expected = newest_first(history, "date_revised")
    found = ends_in(PUBMED, history, random, sum(map(len, expected.values())))
    assert_ends_in(found, expected, tell)


TRIALS = deliveries(
    ["clinical_trials_1.json", "clinical_trials_9.json", "clinical_trials_10.json"],
    ["clinical_trials_export.csv", "clinical_trials_export_2.csv"],
    {
        "scientific_title": st.sampled_from([None, "A trial of beta", "A trial of gamma"]),
        "brief_title": st.sampled_from(["Beta", "Gamma"]),
        "date": st.none() | DAYS,
        "status": st.sampled_from([None, "RECRUITING", "COMPLETED"]),
        "sponsor": st.sampled_from([None, "A", "B"]),
        "phase": st.sampled_from([None, "PHASE1", "PHASE2|PHASE3"]),
    },
    "brief_title",
    "last_update",
    deletes=False,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(TRIALS, st.randoms(use_true_random=False))
def test_trials_end_in_what_the_newest_says(history: list[Delivery], random: Any) -> None:
    def tell(rows: Sequence[Row]) -> Row:
        title = say(rows, "scientific_title", "brief_title")
        brief, phases = say(rows, "brief_title"), say(rows, "phase")
        return {
            "title": title,
            "brief_title": brief,
            "date": day(say(rows, "date")),
            "status": say(rows, "status"),
            "sponsor": say(rows, "sponsor"),
            "phases": phases.split("|") if phases else [],
        }

    expected = newest_first(history, "last_update")
    found = ends_in(CLINICAL_TRIALS, history, random, sum(map(len, expected.values())))
    assert_ends_in(found, expected, tell)
