from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning import duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable

Record = dict[str, Any]
Rows = list[Record]

JOURNAL = ("journal", "journal_id", "folded_journal")
SCHEMA = {
    "source_file": pl.String,
    "source_row": pl.Int64,
    "position": pl.Int64,
    "version": pl.Int64,
    "revised": pl.Date,
    "id": pl.String,
    "title": pl.String,
    "folded_title": pl.String,
    "date": pl.Date,
    "date_precision": pl.String,
    "date_text": pl.String,
    "journal": pl.String,
    "journal_id": pl.String,
    "folded_journal": pl.String,
    "sponsor": pl.String,
}
SURROGATE = pl.concat_str(
    pl.lit("surrogate"),
    "folded_title",
    pl.col("date").dt.to_string("iso").fill_null(""),
    pl.col("folded_journal").fill_null(""),
    separator=":",
)
NEW_YEAR = date(2020, 1, 1)


def record(
    identifier: str | None = None,
    title: str = "On beta",
    journal: str | None = None,
    day: date | None = NEW_YEAR,
    *,
    precision: str = "day",
    date_text: str | None = "2020-01-01",
    folded_journal: str | None = None,
    version: int = 1,
    revised: date | None = None,
) -> Record:
    """A record; `journal` is the identity of its journal, and in capitals its name."""
    return {
        "version": version,
        "revised": revised,
        "id": identifier,
        "title": title,
        "folded_title": title.lower(),
        "date": day,
        "date_precision": precision if day else None,
        "date_text": date_text,
        "journal": journal and journal.upper(),
        "journal_id": journal,
        "folded_journal": folded_journal or journal,
        "sponsor": None,
    }


def placed(records: Iterable[Record]) -> Rows:
    """The records with a file, row and position each, in the order of delivery."""
    return [
        {**r, "source_file": "p.csv", "source_row": n, "position": n}
        for n, r in enumerate(records, start=1)
    ]


def resolved(records: Rows) -> tuple[Rows, Rows]:
    rows = pl.LazyFrame(records, schema=SCHEMA)
    journals = rows.select("position", *JOURNAL)
    kept, merged = duplicates.resolve_duplicates(
        rows.drop(JOURNAL), lambda some: some.join(journals, on="position"), SURROGATE
    )
    return kept.sort("publication_id").collect().to_dicts(), merged.collect().to_dicts()


def resolution(*records: Record) -> tuple[dict[str, Record], dict[int, tuple[str, str]]]:
    """Kept records by publication_id, and (merged_into, rule) by row."""
    kept, merged = resolved(placed(records))
    return (
        {r["publication_id"]: r for r in kept},
        {r["source_row"]: (r["merged_into"], r["rule"]) for r in merged},
    )


def flags(kept: Record) -> set[str]:
    return {flag for flag in ("conflicting_duplicate", "merged_duplicate") if kept[flag]}


class TestSameContent:
    def test_same_content_is_one_record_without_a_flag(self) -> None:
        kept, merged = resolution(record("1"), record("1"), record("1"))
        assert flags(kept["1"]) == set()
        assert kept["1"]["source_row"] == 3
        assert merged == {1: ("1", "same_content"), 2: ("1", "same_content")}

    def test_same_content_without_an_id_is_one_record(self) -> None:
        kept, merged = resolution(record(journal="j"), record(journal="j"))
        assert list(kept) == ["surrogate:on beta:2020-01-01:j"]
        assert [rule for _, rule in merged.values()] == ["same_content"]

    def test_the_rule_of_a_row_is_told_by_its_own_content(self) -> None:
        _, merged = resolution(record("1", journal="j"), record("1", journal="j"), record("1"))
        assert merged == {1: ("1", "merged_duplicate"), 2: ("1", "merged_duplicate")}
        _, merged = resolution(record("1"), record("1", journal="j"), record("1", journal="j"))
        assert merged == {1: ("1", "merged_duplicate"), 2: ("1", "same_content")}

    def test_what_else_a_record_holds_is_content(self) -> None:
        kept, merged = resolution({**record("1"), "sponsor": "a"}, {**record("1"), "sponsor": "b"})
        assert kept["1"]["sponsor"] == "b"
        assert flags(kept["1"]) == {"merged_duplicate"}
        assert merged == {1: ("1", "merged_duplicate")}

    def test_different_works_stay(self) -> None:
        kept, merged = resolution(record("1"), record("2"), record("3", title="On gamma"))
        assert list(kept) == ["1", "2", "3"]
        assert merged == {}

    def test_nothing_to_resolve(self) -> None:
        assert resolved([]) == ([], [])


class TestGaps:
    def test_a_missing_id_is_filled(self) -> None:
        kept, merged = resolution(record(journal="j"), record("1", journal="j"))
        assert list(kept) == ["1"]
        assert flags(kept["1"]) == {"merged_duplicate"}
        assert merged == {1: ("1", "merged_duplicate")}

    def test_a_missing_journal_is_filled(self) -> None:
        kept, _ = resolution(record("1"), record("1", journal="j"))
        assert (kept["1"]["journal_id"], kept["1"]["journal"]) == ("j", "J")

    def test_each_gap_is_filled_from_the_other(self) -> None:
        kept, merged = resolution(record("1"), record(journal="j"))
        assert list(kept) == ["1"]
        assert (kept["1"]["id"], kept["1"]["journal_id"], kept["1"]["source_row"]) == ("1", "j", 1)
        assert merged == {2: ("1", "merged_duplicate")}

    def test_titles_that_fold_to_one_are_one(self) -> None:
        kept, merged = resolution(record("1", title="On BETA"), record("1", title="On beta"))
        assert kept["1"]["title"] == "On beta"
        assert merged == {1: ("1", "merged_duplicate")}

    @pytest.mark.parametrize(
        "other",
        [
            record(title="On gamma"),
            record(day=date(2020, 1, 2)),
            record(day=None, date_text=None),
        ],
        ids=["title", "date", "no date"],
    )
    def test_another_title_or_date_is_another_work(self, other: Record) -> None:
        kept, merged = resolution(record("1"), other)
        assert len(kept) == 2
        assert merged == {}

    def test_other_journals_are_other_works_where_no_id_ties_them(self) -> None:
        kept, merged = resolution(record("1", journal="j"), record(journal="k"))
        assert len(kept) == 2
        assert merged == {}

    def test_unreadable_dates_are_one_only_if_they_say_the_same(self) -> None:
        soon, later = (record(day=None, date_text=text) for text in ("soon", "later"))
        assert len(resolution({**soon, "id": "1"}, soon)[0]) == 1
        assert len(resolution({**soon, "id": "1"}, later)[0]) == 2

    def test_a_record_that_fits_two_goes_to_the_smallest_id(self) -> None:
        _, merged = resolution(record(), record("2"), record("1"))
        assert merged == {1: ("1", "merged_duplicate")}

    def test_a_record_without_journal_goes_to_the_smallest_journal_of_its_id(self) -> None:
        kept, _ = resolution(record("1"), record("1", journal="k"), record("1", journal="j"))
        # The two journals conflict; the last delivered is j's record.
        assert kept["1"]["journal_id"] == "j"
        assert flags(kept["1"]) == {"conflicting_duplicate", "merged_duplicate"}

    def test_a_journal_goes_where_it_is_known_before_where_it_is_missing(self) -> None:
        _, merged = resolution(record("1"), record("2", journal="j"), record(journal="j"))
        assert merged == {3: ("2", "merged_duplicate")}

    def test_one_gap_takes_one_journal_only(self) -> None:
        kept, merged = resolution(record("1"), record(journal="k"), record(journal="j"))
        assert kept["1"]["journal_id"] == "j"
        assert len(kept) == 2
        assert merged == {3: ("1", "merged_duplicate")}


class TestConflicts:
    def test_the_later_delivery_wins(self) -> None:
        kept, merged = resolution(record("1", "On beta"), record("1", "On gamma"))
        assert kept["1"]["title"] == "On gamma"
        assert flags(kept["1"]) == {"conflicting_duplicate"}
        assert merged == {1: ("1", "conflicting_duplicate")}

    def test_a_later_version_wins_whatever_was_delivered_later(self) -> None:
        versions = [record("1", f"On {v}", version=v) for v in (2, 10, 1)]
        kept, merged = resolution(*versions)
        assert kept["1"]["title"] == "On 10"
        assert merged == dict.fromkeys((1, 3), ("1", "conflicting_duplicate"))

    def test_a_version_is_no_content(self) -> None:
        kept, merged = resolution(record("1", version=2), record("1", version=1))
        assert (kept["1"]["source_row"], flags(kept["1"])) == (1, set())
        assert merged == {2: ("1", "same_content")}

    def test_content_that_is_delivered_again_is_the_later_one(self) -> None:
        old, new = record("1", "On beta"), record("1", "On gamma")
        kept, merged = resolution(old, new, old)
        assert kept["1"]["title"] == "On beta"
        assert merged == {1: ("1", "same_content"), 2: ("1", "conflicting_duplicate")}

    def test_the_same_id_in_other_journals_conflicts(self) -> None:
        kept, _ = resolution(record("1", journal="j"), record("1", journal="k"))
        assert kept["1"]["journal_id"] == "k"
        assert flags(kept["1"]) == {"conflicting_duplicate"}

    def test_a_gap_is_not_filled_from_what_lost(self) -> None:
        kept, _ = resolution(record("1", journal="j"), record("1", "On gamma"))
        assert kept["1"]["journal_id"] is None

    def test_a_record_with_an_id_is_kept_before_a_later_one_without(self) -> None:
        kept, _ = resolution(record("1", "On BETA"), record("1", "On BETA"), record(journal="j"))
        assert (kept["1"]["title"], kept["1"]["journal_id"]) == ("On BETA", "j")
        assert kept["1"]["source_row"] == 2


# --- a plain reference -----------------------------------------------------------------------


@dataclass
class Cluster:
    identifier: str | None
    journal: str | None
    records: Rows

    def first(self) -> Record:
        """The record delivered last, of those with an id if there are any."""
        return min(self.records, key=best_first)

    def filled(self) -> Record:
        records = sorted(self.records, key=best_first)
        gaps = {
            name: next((r[name] for r in records if r[name] is not None), None)
            for name in ("journal", "journal_id", "folded_journal")
        }
        return {**self.first(), **gaps, "id": self.identifier}


def best_first(row: Record) -> tuple[bool, int, int, int]:
    version, revised, position = currency(row)
    return (row["id"] is None, -version, -revised, -position)


def currency(row: Record) -> tuple[int, int, int]:
    revised = row["revised"].toordinal() if row["revised"] else 0
    return (row["version"], revised, row["position"])


def content(row: Record) -> tuple[Any, ...]:
    return (row["id"], row["title"], row["date_text"], row["journal_id"], row["sponsor"])


def nulls_last(*values: str | None) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, value or "") for value in values)


def works(records: Rows) -> Iterable[Rows]:
    grouped = defaultdict(list)
    for r in records:
        undated_text = r["date_text"] if r["date"] is None else None
        grouped[r["folded_title"], r["date"], r["date_precision"], undated_text].append(r)
    return grouped.values()


def clusters_of(work: Rows) -> list[Cluster]:
    """The records of one work in clusters; records with id, then with journal, are added first."""
    clusters: list[Cluster] = []
    for row in sorted(work, key=lambda r: (r["id"] is None, nulls_last(r["journal_id"]))):
        matches = matching(row, clusters)
        if matches:
            cluster = min(matches, key=lambda c: nulls_last(c.identifier, c.journal))
            cluster.records.append(row)
            cluster.journal = cluster.journal or row["journal_id"]
        else:
            clusters.append(Cluster(row["id"], row["journal_id"], [row]))
    return clusters


def matching(row: Record, clusters: list[Cluster]) -> list[Cluster]:
    """The clusters that match the record; those of its journal before those without a journal."""
    fits = [c for c in clusters if row["id"] in (None, c.identifier)]
    if row["journal_id"] is None:
        return fits
    of_journal = [c for c in fits if c.journal == row["journal_id"]]
    return of_journal or [c for c in fits if c.journal is None]


def reference(records: Rows) -> tuple[Rows, Rows]:
    """The expected result of `duplicates.resolve_duplicates`, computed record by record."""
    by_id: dict[str, list[Cluster]] = defaultdict(list)
    for work in works(records):
        for cluster in clusters_of(work):
            filled = cluster.filled()
            day = filled["date"].isoformat() if filled["date"] else ""
            parts = ("surrogate", filled["folded_title"], day, filled["folded_journal"] or "")
            by_id[filled["id"] or ":".join(parts)].append(cluster)
    kept, merged = [], []
    for publication_id, rivals in sorted(by_id.items()):
        winner = max(rivals, key=lambda c: max(map(currency, c.records)))
        kept.append(
            {
                **winner.filled(),
                "publication_id": publication_id,
                "conflicting_duplicate": len(rivals) > 1,
                "merged_duplicate": len({content(r) for r in winner.records}) > 1,
            }
        )
        for rival in rivals:
            for row in rival.records:
                if row is winner.first():
                    continue
                same = content(row) == content(winner.first())
                rule = "same_content" if same else "merged_duplicate"
                merged.append(
                    {
                        "source_file": row["source_file"],
                        "source_row": row["source_row"],
                        "merged_into": publication_id,
                        "rule": rule if rival is winner else "conflicting_duplicate",
                    }
                )
    return kept, sorted(merged, key=lambda m: m["source_row"])


DATES: list[dict[str, Any]] = [
    {"day": NEW_YEAR},
    {"day": NEW_YEAR, "date_text": "01/01/2020"},
    {"day": NEW_YEAR, "precision": "year", "date_text": "2020"},
    {"day": None, "date_text": "soon"},
    {"day": None, "date_text": None},
]


@st.composite
def records(draw: st.DrawFn) -> Rows:
    """Records of few ids, titles, dates and journals, in any order of rows.

    Many rows per example, since a call takes as long for few rows as for many.
    """
    identifier = st.sampled_from([None, None, None, "1", "2", "3", "4"])
    title = st.sampled_from(["On BETA", *(f"On {name}" for name in ("beta", "gamma", "delta"))])
    journal = st.sampled_from([None, None, "j", "k", "l"])
    day = st.sampled_from(DATES[:1] * 4 + DATES)
    drawn = []
    for _ in range(draw(st.integers(0, 25))):
        of = draw(journal)
        name = draw(st.sampled_from([of, f"{of} bis"])) if of else None
        drawn.append(
            {
                **record(draw(identifier), draw(title), of, **draw(day), folded_journal=name),
                "sponsor": draw(st.sampled_from([None] * 4 + ["s"])),
                "version": draw(st.sampled_from([1, 1, 1, 2, 3])),
                "revised": draw(st.sampled_from([None, None, NEW_YEAR, date(2021, 2, 3)])),
            }
        )
    return draw(st.permutations(placed(drawn)))


@settings(max_examples=50, deadline=None)
@given(records())
def test_agrees_with_a_plain_reference(rows: Rows) -> None:
    kept, merged = resolved(rows)
    expected_kept, expected_merged = reference(rows)
    assert kept == expected_kept
    assert merged == expected_merged


@settings(max_examples=20, deadline=None)
@given(records())
def test_what_is_kept_never_fits_what_else_is_kept(rows: Rows) -> None:
    """No two kept records of a work are duplicates as SPEC defines them, and no row is lost."""
    kept, merged = resolved(rows)
    assert sorted(r["source_row"] for r in kept + merged) == list(range(1, len(rows) + 1))
    for work in works(kept):
        for one, other in combinations(work, 2):
            assert not all(
                one[gap] == other[gap] or None in (one[gap], other[gap])
                for gap in ("id", "journal_id")
            )


@settings(max_examples=15, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: Rows, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert resolved(shuffled) == resolved(rows)
