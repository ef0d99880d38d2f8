from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning import duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Record = dict[str, Any]
Rows = list[Record]

JOURNAL = ("journal", "journal_id", "folded_journal")
SCHEMA: dict[str, Any] = {
    "source_file": pl.String,
    "source_row": pl.Int64,
    "position": pl.Int64,
    "version": pl.Int64,
    "revised": pl.Date,
    "id": pl.String,
    "id_text": pl.String,
    "title": pl.String,
    "folded_title": pl.String,
    "title_issue": pl.String,
    "brief_title": pl.String,
    "date": pl.Date,
    "date_precision": pl.String,
    "date_text": pl.String,
    "date_issue": pl.String,
    "print_date": pl.Date,
    "print_date_precision": pl.String,
    "journal": pl.String,
    "journal_id": pl.String,
    "folded_journal": pl.String,
    "sponsor": pl.String,
    "phases": pl.List(pl.String),
    "retracted": pl.Boolean,
}
TITLES, DATE_FIELDS = ("title", "brief_title"), ("print_date", "date")
SURROGATE = pl.concat_str(
    pl.lit("surrogate"),
    "folded_title",
    pl.col("date").dt.to_string("iso").fill_null(""),
    pl.col("folded_journal").fill_null(""),
    separator=":",
)
NEW_YEAR = date(2020, 1, 1)
FLAGS = ("conflicting_duplicate", "merged_duplicate")


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
    **fields: Any,
) -> Record:
    """A record; `journal` is the identity of its journal, and in capitals its name."""
    missing = "missing_date" if date_text is None else "unreadable_date"
    return {
        "version": version,
        "revised": revised,
        "id": identifier,
        "id_text": None,
        "title": title,
        "folded_title": title.lower(),
        "title_issue": None,
        "brief_title": None,
        "date": day,
        "date_precision": precision if day else None,
        "date_text": date_text,
        "date_issue": None if day else missing,
        "print_date": None,
        "print_date_precision": None,
        "journal": journal and journal.upper(),
        "journal_id": journal,
        "folded_journal": folded_journal or journal,
        "sponsor": None,
        "phases": [],
        "retracted": None,
        **fields,
    }


def placed(records: Iterable[Record]) -> Rows:
    """The records with a file, row and position each, in the order of delivery.

    Each is in a file of its own, unless it names one.
    """
    return [
        {"source_file": f"p_{n}.csv", **r, "source_row": n, "position": n}
        for n, r in enumerate(records, start=1)
    ]


def resolved(records: Rows) -> tuple[Rows, Rows]:
    rows = pl.LazyFrame(records, schema=SCHEMA)
    journals = rows.select("position", *JOURNAL)
    bare = rows.drop(JOURNAL)
    found = duplicates.Duplicates.find(
        bare,
        lambda some: some.join(journals, on="position"),
        SURROGATE,
        titles=TITLES,
        date_fields=DATE_FIELDS,
    )
    kept = found.keep(bare).sort("publication_id").collect()
    return kept.to_dicts(), found.merged.to_dicts()


def resolution(*records: Record) -> tuple[dict[str, Record], dict[int, tuple[str, str]]]:
    """Kept records by publication_id, and (merged_into, rule) by row."""
    kept, merged = resolved(placed(records))
    return (
        {r["publication_id"]: r for r in kept},
        {r["source_row"]: (r["merged_into"], r["rule"]) for r in merged},
    )


def flags(kept: Record) -> set[str]:
    return {flag for flag in FLAGS if kept[flag]}


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


NOTHING: Record = {"date_text": None, "day": None}


class TestNothingIsLost:
    def test_what_a_later_delivery_does_not_speak_of_is_kept_from_the_newest_that_did(self) -> None:
        kept, _ = resolution(
            record("1", journal="j", sponsor="A", phases=["1"], retracted=True),
            record("1", journal="j", sponsor="B", phases=["1", "2"], **NOTHING),
            record("1", **NOTHING),
        )
        found = {name: kept["1"][name] for name in ("sponsor", "phases", "retracted", "journal_id")}
        assert found == {"sponsor": "B", "phases": ["1", "2"], "retracted": True, "journal_id": "j"}
        assert (kept["1"]["date"], kept["1"]["date_issue"]) == (NEW_YEAR, None)
        assert kept["1"]["source_row"] == 3

    def test_columns_that_belong_together_come_from_one_row(self) -> None:
        month = record("1", day=date(2020, 3, 1), precision="month", date_text="March 2020")
        kept, _ = resolution(month, record("1", day=None, date_text="soon"))
        found = [kept["1"][n] for n in ("date", "date_precision", "date_text", "date_issue")]
        assert found == [date(2020, 3, 1), "month", "March 2020", None]

    def test_a_later_delivery_that_speaks_wins(self) -> None:
        kept, _ = resolution(
            record("1", phases=["1"], retracted=True), record("1", phases=["2"], retracted=False)
        )
        assert (kept["1"]["phases"], kept["1"]["retracted"]) == (["2"], False)

    def test_the_date_of_a_higher_field_is_kept(self) -> None:
        printed = record("1", print_date=NEW_YEAR, print_date_precision="day")
        year = record("1", day=date(2019, 1, 1), precision="year", date_text="2019")
        kept, _ = resolution(printed, year)
        assert (kept["1"]["date"], kept["1"]["date_text"]) == (NEW_YEAR, "2020-01-01")

    def test_a_title_that_stands_in_leaves_the_real_one(self) -> None:
        official = record("1", "Official", brief_title="Old brief")
        kept, _ = resolution(official, record("1", "Brief", brief_title="Brief"))
        assert (kept["1"]["title"], kept["1"]["folded_title"]) == ("Official", "official")
        assert kept["1"]["brief_title"] == "Brief"

    def test_a_brief_title_is_the_title_only_where_it_stands_in(self) -> None:
        stands_in = record("1", "Brief", brief_title="Brief")
        kept, _ = resolution(stands_in, record("1", "Brief", brief_title="Brief", version=2))
        assert (kept["1"]["title"], kept["1"]["brief_title"]) == ("Brief", "Brief")
        kept, _ = resolution(stands_in, record("1", "Brief"))
        assert (kept["1"]["title"], kept["1"]["brief_title"]) == ("Brief", None)

    def test_a_surrogate_takes_the_text_of_an_id(self) -> None:
        kept, _ = resolution(record(id_text="9E+07"), record())
        (publication,) = kept.values()
        assert publication["id_text"] == "9E+07"
        assert resolution(record(id_text="9E+07"), record("1"))[0]["1"]["id_text"] is None


def in_file(name: str, *rows: Record) -> Rows:
    return [{**row, "source_file": name} for row in rows]


class TestSharedIds:
    def test_rows_of_one_file_with_other_titles_are_kept_apart(self) -> None:
        kept, merged = resolution(*in_file("a.csv", record("1"), record("1", "On gamma")))
        assert sorted(kept) == [f"surrogate:on {name}:2020-01-01:" for name in ("beta", "gamma")]
        assert [(r["id"], r["id_text"], r["id_shared"]) for r in kept.values()] == [
            (None, "1", True)
        ] * 2
        assert merged == {}

    @pytest.mark.parametrize("title", ["On beta.", "[On BETA]", "ON BETA"])
    def test_titles_that_differ_in_nothing_but_marks_are_one(self, title: str) -> None:
        kept, merged = resolution(*in_file("a.csv", record("1"), record("1", title)))
        assert (list(kept), kept["1"]["title"]) == (["1"], title)
        assert merged == {1: ("1", "merged_duplicate")}

    @pytest.mark.parametrize(
        "newer", [{"version": 2}, {"revised": NEW_YEAR}], ids=["version", "revision"]
    )
    def test_rows_that_say_which_is_newer_are_deliveries(self, newer: Any) -> None:
        rows = in_file("a.csv", record("1", "On gamma", **newer), record("1"))
        kept, merged = resolution(*rows)
        assert {id_: row["title"] for id_, row in kept.items()} == {"1": "On gamma"}
        assert merged == {2: ("1", "conflicting_duplicate")}

    def test_rows_of_other_files_are_deliveries(self) -> None:
        kept, _ = resolution(*in_file("a.csv", record("1")), *in_file("b.csv", record("1", "On C")))
        assert list(kept) == ["1"]

    @pytest.mark.parametrize("first", ["a.csv", "c.csv"])
    def test_another_file_says_which_title_the_id_has(self, first: str) -> None:
        both = in_file(first, record("1"), record("1", "On gamma"))
        kept, merged = resolution(*both, *in_file("b.csv", record("1")))
        assert {id_: row["title"] for id_, row in kept.items()} == {
            "1": "On beta",
            "surrogate:on gamma:2020-01-01:": "On gamma",
        }
        assert merged == {1: ("1", "merged_duplicate")}

    def test_the_same_file_twice_is_one(self) -> None:
        rows = (record("1"), record("1", "On gamma"))
        kept, merged = resolution(*in_file("a.csv", *rows), *in_file("b.csv", *rows))
        assert len(kept) == 2
        assert [rule for _, rule in merged.values()] == ["same_content"] * 2

    def test_a_row_whose_id_is_shared_belongs_to_its_work_like_one_without_id(self) -> None:
        rows = in_file("a.csv", record("1"), record("1", "On gamma"))
        kept, merged = resolution(*rows, record("7"))
        assert sorted(kept) == ["7", "surrogate:on gamma:2020-01-01:"]
        assert kept["7"]["id_text"] is None
        assert merged == {1: ("7", "merged_duplicate")}


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

    def test_a_gap_is_filled_from_what_lost(self) -> None:
        kept, merged = resolution(record("1", journal="j"), record("1", "On gamma"))
        assert (kept["1"]["title"], kept["1"]["journal_id"]) == ("On gamma", "j")
        assert merged == {1: ("1", "conflicting_duplicate")}

    @pytest.mark.parametrize(
        ("earlier", "later", "rule"),
        [
            # Only coarser, or poorer.
            (record(day=date(2020, 3, 5)), record(day=NEW_YEAR, precision="year"), "merged"),
            (
                record(day=date(2020, 3, 5)),
                record(day=date(2020, 3, 1), precision="month"),
                "merged",
            ),
            (
                record(day=date(2020, 6, 5)),
                record(day=date(2020, 4, 1), precision="season"),
                "merged",
            ),
            (record(), record(day=None, date_text=None), "merged"),
            (record(journal="j"), record(), "merged"),
            # Another day, month or year.
            (record(day=date(2020, 3, 5)), record(day=date(2020, 3, 6)), "conflicting"),
            (record(day=date(2021, 3, 5)), record(day=NEW_YEAR, precision="year"), "conflicting"),
            (
                record(day=date(2020, 4, 1), precision="season"),
                record(day=date(2020, 7, 1), precision="season"),
                "conflicting",
            ),
            (
                record(day=date(2020, 3, 5)),
                record(day=date(2020, 4, 1), precision="month"),
                "conflicting",
            ),
            # The same title but for what stands around it.
            (record(title="On beta."), record(title="On BETA"), "merged"),
            (record(title="[On beta]."), record(title="On beta"), "merged"),
            (record(title="On (beta)"), record(title="On beta"), "conflicting"),
            # A title that stands in for another is no other title.
            (record(title="B", brief_title="B"), record(title="On beta"), "merged"),
            (record(title="B", title_issue="vernacular_title"), record(title="On beta"), "merged"),
        ],
    )
    def test_only_a_contradiction_is_a_conflict(
        self, earlier: Record, later: Record, rule: str
    ) -> None:
        for rows in ((earlier, later), (later, earlier)):
            kept, merged = resolution(*({**row, "id": "1"} for row in rows))
            assert merged == {1: ("1", f"{rule}_duplicate")}
            assert flags(kept["1"]) == {f"{rule}_duplicate"}

    def test_a_date_that_agrees_with_another_date_of_the_record_is_none(self) -> None:
        article = record(
            "1",
            day=date(2020, 3, 1),
            precision="month",
            print_date=NEW_YEAR,
            print_date_precision="year",
        )
        for month, rule in ((9, "merged_duplicate"), (3, "merged_duplicate")):
            day = date(2020, month, 1)
            _, merged = resolution(record("1", day=day, precision="month"), article)
            assert merged == {1: ("1", rule)}
        _, merged = resolution(record("1", day=date(2019, 3, 1), precision="month"), article)
        assert merged == {1: ("1", "conflicting_duplicate")}

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

    def publication_id(self) -> str:
        if self.identifier is not None:
            return self.identifier
        first, *_ = records = sorted(self.records, key=best_first)
        journal = next((r["folded_journal"] for r in records if r["folded_journal"]), "")
        day = first["date"].isoformat() if first["date"] else ""
        return ":".join(("surrogate", first["folded_title"], day, journal))


def best_first(row: Record) -> tuple[bool, int, int, int]:
    revised = row["revised"].toordinal() if row["revised"] else 0
    return (row["id"] is None, -row["version"], -revised, -row["position"])


def content(row: Record) -> Record:
    ignored = {"source_file", "source_row", "position", "version", "revised"}
    return {k: v for k, v in row.items() if k not in {*ignored, "journal", "folded_journal"}}


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


def bare(row: Record) -> str:
    title: str = row["folded_title"].strip("[].")
    return title


def with_shared_ids_apart(records: Rows) -> Rows:
    titles = defaultdict(set)
    for r in records:
        titles[r["source_file"], r["id"], r["version"], r["revised"]].add(bare(r))
    apart = []
    for r in records:
        several = len(titles[r["source_file"], r["id"], r["version"], r["revised"]]) > 1
        shared = several and r["id"] is not None
        ids = {"id": None, "id_text": r["id"]} if shared else {}
        apart.append({**r, **ids, "id_shared": shared})
    return apart


def stands_in(row: Record) -> bool:
    return row["title"] == row["brief_title"] or row["title_issue"] is not None


#: The columns that are filled together, and what the rows that fill them first must have.
FILLED: list[tuple[tuple[str, ...], list[Callable[[Record], bool]]]] = [
    (
        ("id", "id_text", "id_shared"),
        [lambda r: r["id"] is not None, lambda r: r["id_text"] is not None],
    ),
    (("title", "folded_title", "title_issue"), [lambda r: not stands_in(r)]),
    (("brief_title",), [lambda r: r["brief_title"] is not None]),
    (
        ("date", "date_precision", "date_text", "date_issue"),
        [
            lambda r: r["print_date"] is not None,
            lambda r: r["date"] is not None,
            lambda r: r["date_text"] is not None,
        ],
    ),
    (("print_date", "print_date_precision"), [lambda r: r["print_date"] is not None]),
    (("journal", "journal_id", "folded_journal"), [lambda r: r["journal_id"] is not None]),
    (("sponsor",), [lambda r: r["sponsor"] is not None]),
    (("phases",), [lambda r: bool(r["phases"])]),
    (("retracted",), [lambda r: r["retracted"] is not None]),
]


def filled(rows: Rows) -> tuple[Record, bool]:
    """The first row, its gaps filled from the others in order; and whether its title stands in."""
    found = dict(rows[0])
    for columns, conditions in FILLED:
        ranked = (r for condition in conditions for r in rows if condition(r))
        origin = next(ranked, rows[0])
        found |= {column: origin[column] for column in columns}
        if "title" in columns:
            title_stands_in = stands_in(origin)
    return found, title_stands_in


def agree(day: date, precision: str, other: date, other_precision: str) -> bool:
    if precision == other_precision:
        return day == other
    if {precision, other_precision} & {"year", "season"}:
        return day.year == other.year
    return (day.year, day.month) == (other.year, other.month)


def contradicts(row: Record, kept: Record, *, kept_stands_in: bool) -> bool:
    kept_dates = [(kept[f], kept[f"{f}_precision"]) for f in ("date", "print_date") if kept[f]]
    return (
        (bare(row) != bare(kept) and stands_in(row) == kept_stands_in)
        or (
            row["date"] is not None
            and bool(kept["date"])
            and not any(agree(row["date"], row["date_precision"], *known) for known in kept_dates)
        )
        or (
            None not in (row["journal_id"], kept["journal_id"])
            and row["journal_id"] != kept["journal_id"]
        )
    )


def reference(records: Rows) -> tuple[Rows, Rows]:
    """The expected result of `duplicates.Duplicates`, computed record by record."""
    publications: dict[str, Rows] = defaultdict(list)
    for work in works(with_shared_ids_apart(records)):
        for cluster in clusters_of(work):
            publications[cluster.publication_id()] += cluster.records
    kept, merged = [], []
    for publication_id, rows in sorted(publications.items()):
        first, *others = sorted(rows, key=best_first)
        publication, title_stands_in = filled([first, *others])
        rules = set()
        for row in others:
            if content(row) == content(first):
                rule = "same_content"
            elif contradicts(row, publication, kept_stands_in=title_stands_in):
                rule = "conflicting_duplicate"
            else:
                rule = "merged_duplicate"
            rules.add(rule)
            place = {name: row[name] for name in ("source_file", "source_row")}
            merged.append({**place, "merged_into": publication_id, "rule": rule})
        if publication["brief_title"] == publication["title"] and not title_stands_in:
            publication["brief_title"] = None
        of_rules = {f: f in rules for f in ("conflicting_duplicate", "merged_duplicate")}
        kept.append({**publication, "publication_id": publication_id, **of_rules})
    return kept, sorted(merged, key=lambda m: (m["source_file"], m["source_row"]))


DATES: list[dict[str, Any]] = [
    {"day": NEW_YEAR},
    {"day": NEW_YEAR, "date_text": "01/01/2020"},
    {"day": NEW_YEAR, "print_date": NEW_YEAR, "print_date_precision": "day"},
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
    title = st.sampled_from(["On BETA", *(f"On {name}" for name in ("beta", "beta.", "gamma"))])
    journal = st.sampled_from([None, None, "j", "k", "l"])
    day = st.sampled_from(DATES[:1] * 4 + DATES)
    drawn = []
    for _ in range(draw(st.integers(0, 25))):
        of = draw(journal)
        name = draw(st.sampled_from([of, f"{of} bis"])) if of else None
        drawn.append(
            {
                **record(draw(identifier), draw(title), of, **draw(day), folded_journal=name),
                "sponsor": draw(st.sampled_from([None] * 4 + ["s", "t"])),
                "brief_title": draw(st.sampled_from([None] * 3 + ["On beta", "On brief"])),
                "title_issue": draw(st.sampled_from([None] * 5 + ["vernacular_title"])),
                "phases": draw(st.sampled_from([[], [], ["1"]])),
                "retracted": draw(st.sampled_from([None, None, True, False])),
                "id_text": None,
                "version": draw(st.sampled_from([1, 1, 1, 2, 3])),
                "revised": draw(st.sampled_from([None, None, NEW_YEAR, date(2021, 2, 3)])),
            }
        )
    files = draw(
        st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), min_size=25, max_size=25)
    )
    rows = sorted(zip(files, drawn, strict=False), key=lambda pair: pair[0])
    return draw(st.permutations(placed({**row, "source_file": file} for file, row in rows)))


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(records())
def test_agrees_with_a_plain_reference(rows: Rows) -> None:
    kept, merged = resolved(rows)
    expected_kept, expected_merged = reference(rows)
    assert kept == expected_kept
    assert merged == expected_merged


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: Rows, random: Any) -> None:
    kept, merged = resolved(random.sample(rows, len(rows)))
    assert (kept, merged) == resolved(rows)
    assert sorted(r["source_row"] for r in kept + merged) == list(range(1, len(rows) + 1))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(records())
def test_the_same_files_again_change_nothing_but_the_merged_rows(rows: Rows) -> None:
    height = len(rows)
    again = [
        {
            **row,
            "source_file": f"{row['source_file']}_again",
            "position": row["position"] + height,
        }
        for row in rows
    ]

    def published(kept: Rows) -> Rows:
        of_the_row = {"source_file", "source_row", "position", *FLAGS}
        return [{k: v for k, v in row.items() if k not in of_the_row} for row in kept]

    once, _ = resolved(rows)
    twice, _ = resolved([*rows, *again])
    assert published(twice) == published(once)
