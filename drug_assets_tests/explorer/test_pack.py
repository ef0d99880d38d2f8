"""The blocks of the explorer: what they hold equals the tables that they are made from."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.cleaning.text import fold_string
from drug_assets.documents import EXPLORER
from drug_assets.explorer import numbered, pack, rows
from drug_assets.news import summarize
from drug_assets.terms import DatePrecision, TrialPublicationKind
from drug_assets_tests.support.pages import Page, write
from drug_assets_tests.support.raw import (
    Row,
    listed_drug,
    mention,
    table,
    trial_publication,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES = [source.name for source in sources.PUBLICATIONS]
TRIALS = {source.name for source in sources.TRIALS}
PRECISIONS = [str(precision) for precision in DatePrecision]
#: Texts that end elements, begin comments, run, turn lines around, or are longer than they look.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!-- <img src=x onerror=alert(1)>",
    "\u2028line\u2029 \u202eend",
    "𝔸 β 💊 x",
    '"quoted" \\ back',
    "javascript:alert(1)",
    "&lt;b&gt;",
)


def code_of(day: dt.date | None, precision: str | None) -> int | None:
    """The number that stands for a date, as the specification defines it."""
    if day is None:
        return None
    assert precision is not None
    return (day - dt.date(1970, 1, 1)).days * 4 + PRECISIONS.index(precision)


def in_order(names: dict[str, str]) -> list[str]:
    """Ids in the order of folded names, then of ids."""
    return sorted(names, key=lambda id_: (fold_string(names[id_]), id_))


class Expected:
    """What a page must hold, counted row by row in Python."""

    def __init__(self, drugs: list[Row], mentions: list[Row]) -> None:
        names = {drug["drug_id"]: drug["drug"] for drug in drugs}
        self.mentions = mentions
        self.mentioned = in_order({m["drug_id"]: names[m["drug_id"]] for m in mentions})
        self.unmentioned = in_order({i: n for i, n in names.items() if i not in self.mentioned})
        journals = {m["journal_id"]: m["journal"] for m in mentions if m.get("journal_id")}
        self.journals = in_order(journals)

    def rows(self) -> list[dict[str, Any]]:
        """Every mention, in the order of the page."""

        def place(row: Row) -> tuple[Any, ...]:
            day = row.get("date")
            return (
                self.mentioned.index(row["drug_id"]),
                day is None,
                -(day.toordinal() if day else 0),
                TYPES.index(row["source"]),
                row["publication_id"],
            )

        return [self._row(row) for row in sorted(self.mentions, key=place)]

    def _row(self, row: Row) -> dict[str, Any]:
        journal = row.get("journal_id")
        can_be = row["source"] not in TRIALS
        flags = (
            (1 if row.get("retracted") else 0)
            | (2 if can_be and row.get("retracted") is None else 0)
            | (4 if row["ambiguous"] else 0)
        )
        return {
            "drug": row["drug_id"],
            "d": code_of(row.get("date"), row.get("date_precision")),
            "t": TYPES.index(row["source"]),
            "j": self.journals.index(journal) if journal else -1,
            "f": flags,
            "i": row["publication_id"],
            "title": row["title"],
            "s": [[span["start"], span["end"]] for span in row["spans"]],
            "k": None,
        }

    def of(self, **chosen: str) -> list[Row]:
        """The mentions with these values."""
        return [m for m in self.mentions if all(m.get(key) == v for key, v in chosen.items())]


def by_type(mentions: list[Row]) -> list[int]:
    counted = Counter(m["source"] for m in mentions)
    return [counted[name] for name in TYPES]


def codes(mentions: list[Row]) -> list[int]:
    found = (code_of(m.get("date"), m.get("date_precision")) for m in mentions)
    return [code for code in found if code is not None]


def assert_holds(page: Page, expected: Expected) -> None:
    """The page holds what is expected, in index, rows and pairs."""
    index = page.index
    assert page.mentions() == expected.rows()
    assert index["total"] == len(expected.mentions)
    assert index["mentioned"] == len(expected.mentioned)
    assert index["unmentioned"] == len(expected.unmentioned)
    of_drugs, of_journals = index["drugs"], index["journals"]
    assert of_drugs["id"] == expected.mentioned
    assert of_journals["id"] == expected.journals
    for number, drug in enumerate(expected.mentioned):
        found = expected.of(drug_id=drug)
        assert [counts[number] for counts in of_drugs["by"]] == by_type(found)
        in_journals = {m["journal_id"] for m in found if m.get("journal_id")}
        with_articles = {
            m["journal_id"] for m in found if m.get("journal_id") and m["source"] not in TRIALS
        }
        assert {key: of_drugs[key][number] for key in of_drugs if key != "by"} == {
            "id": drug,
            "name": found[0]["drug"],
            "journals": len(in_journals),
            "articles_in": len(with_articles),
            "first": min(codes(found), default=None),
            "last": max(codes(found), default=None),
            "retracted": sum(bool(m.get("retracted")) for m in found),
            "ambiguous": sum(m["ambiguous"] for m in found),
            "fresh": 0,
        }
    pairs = read_pairs(page)
    for number, journal in enumerate(expected.journals):
        found = expected.of(journal_id=journal)
        assert [counts[number] for counts in of_journals["by"]] == by_type(found)
        drugs = sorted({expected.mentioned.index(m["drug_id"]) for m in found})
        held = {key: of_journals[key][number] for key in of_journals if key not in {"by", "block"}}
        assert held == {
            "id": journal,
            "name": found[0]["journal"],
            "drugs": len(drugs),
            "first": min(codes(found), default=None),
            "last": max(codes(found), default=None),
            "retracted": sum(bool(m.get("retracted")) for m in found),
            "fresh": 0,
            "has_articles": int(any(m["source"] not in TRIALS for m in found)),
        }
        assert pairs[number] == [
            (drug, by_type(both), min(codes(both), default=None))
            for drug in drugs
            if (both := expected.of(journal_id=journal, drug_id=expected.mentioned[drug]))
        ]


def read_pairs(page: Page) -> list[list[tuple[int, list[int], int | None]]]:
    """By journal, its drugs: number, mentions by type, first date."""
    blocks = page.blocks()
    which = blocks["index"]["journals"]["block"]
    assert which == sorted(which)
    assert set(which) == set(range(len(set(which))))
    seen: Counter[int] = Counter()
    read = []
    for block in which:
        steps, counts, firsts = blocks[f"p{block}"][seen[block]]
        seen[block] += 1
        numbers = [sum(steps[: n + 1]) for n in range(len(steps))]
        read.append(
            [
                (drug, [of_type[n] for of_type in counts], firsts[n])
                for n, drug in enumerate(numbers)
            ]
        )
    assert all(len(blocks[f"p{block}"]) == count for block, count in seen.items())
    return read


_TITLES = st.sampled_from(["On {}.", "{} again", *(f"{text} {{}}" for text in HOSTILE)])
_NAMES = st.sampled_from(["alpha", "Beta", "béta", "Zeta", *HOSTILE])


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Drugs and mentions with few different names, so that many share a journal or a name."""
    drugs = [
        listed_drug(name, drug_id=f"d{number}")
        for number, name in enumerate(draw(st.lists(_NAMES, max_size=6)))
    ]
    mentions: dict[tuple[str, str, str], Row] = {}
    for _ in range(draw(st.integers(0, 24)) if drugs else 0):
        drug = draw(st.sampled_from(drugs))
        source = draw(st.sampled_from(TYPES))
        day = draw(st.none() | st.dates(dt.date(1950, 1, 1), dt.date(2030, 1, 1)))
        journal = draw(st.sampled_from([None, "Journal A", "journal b", HOSTILE[0]]))
        of_day = {
            "date": day,
            "date_precision": day and draw(st.sampled_from(PRECISIONS)),
            "journal": journal,
            "journal_id": journal and f"id {journal}",
            "ambiguous": draw(st.booleans()),
            "retracted": None if source in TRIALS else draw(st.sampled_from([None, False, True])),
        }
        title = draw(_TITLES).format(drug["drug"])
        row = mention(drug["drug"], f"{draw(st.integers(1, 9))}", source, title=title, **of_day)
        row["drug_id"] = drug["drug_id"]
        mentions[(drug["drug_id"], source, row["publication_id"])] = row
    return drugs, list(mentions.values())


@pytest.mark.slow
@given(_tables())
@settings(max_examples=60, deadline=None)
def test_a_page_holds_what_the_tables_hold(made: tuple[list[Row], list[Row]]) -> None:
    drugs, mentions = made
    assert_holds(write({"drugs": drugs, "mentions": mentions}), Expected(drugs, mentions))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and batches of a few rows, so that few rows fill many."""
    monkeypatch.setattr(rows, "FACTS", 4)
    monkeypatch.setattr(rows, "TEXTS", 2)
    monkeypatch.setattr(numbered, "BATCH_MENTIONS", 5)
    monkeypatch.setattr(pack, "PAIRS", 3)


@pytest.mark.slow
@pytest.mark.usefixtures("small_blocks")
@given(_tables())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_blocks_and_batches_lose_and_double_nothing(made: tuple[list[Row], list[Row]]) -> None:
    drugs, mentions = made
    assert_holds(write({"drugs": drugs, "mentions": mentions}), Expected(drugs, mentions))


@pytest.mark.usefixtures("small_blocks")
def test_blocks_are_full_but_for_the_last() -> None:
    drugs = [listed_drug(f"Drug {letter}") for letter in "abc"]
    mentions = [
        mention(drug["drug"], str(number), journal="J", journal_id=f"j{number}")
        for drug in drugs
        for number in range(7)
    ]
    blocks = write({"drugs": drugs, "mentions": mentions}).blocks()
    assert [len(blocks[f"f{n}"]["d"]) for n in range(6)] == [4] * 5 + [1]
    assert [len(blocks[f"x{n}"]["i"]) for n in range(11)] == [2] * 10 + [1]
    # A journal is never split: one that begins in a block ends there.
    assert [len(blocks[f"p{n}"]) for n in range(7)] == [1] * 7


@pytest.mark.parametrize(
    ("day", "precision", "code"),
    [
        ("1970-01-01", "day", 0),
        ("1970-01-02", "day", 4),
        ("1970-01-01", "month", 1),
        ("1970-01-01", "season", 2),
        ("1970-01-01", "year", 3),
        ("1969-12-31", "day", -4),
        ("1969-12-31", "year", -1),
        ("2022-08-08", "day", 76848),
    ],
)
def test_a_date_is_its_day_times_four_and_its_precision(
    day: str, precision: str, code: int
) -> None:
    row = mention("Beta", date=dt.date.fromisoformat(day), date_precision=precision)
    page = write({"drugs": [listed_drug("Beta")], "mentions": [row]})
    assert page.blocks()["f0"]["d"] == [code]
    assert page.index["drugs"]["first"] == page.index["drugs"]["last"] == [code]


def test_of_one_day_the_finest_date_is_the_first_and_the_coarsest_the_last() -> None:
    day = dt.date(2020, 1, 1)
    mentions = [
        mention("Beta", str(n), date=day, date_precision=p) for n, p in enumerate(PRECISIONS)
    ]
    index = write({"drugs": [listed_drug("Beta")], "mentions": mentions}).index
    assert index["drugs"]["first"] == [code_of(day, "day")]
    assert index["drugs"]["last"] == [code_of(day, "year")]


def test_spans_say_by_what_rule_unless_by_a_name() -> None:
    row = mention("Beta", title="Beta (BET) and BET")
    row["spans"] += [
        {"start": 6, "end": 9, "text": "BET", "by": "abbreviation"},
        {"start": 15, "end": 18, "text": "BET", "by": "abbreviation"},
    ]
    blocks = write({"drugs": [listed_drug("Beta")], "mentions": [row]}).blocks()
    assert blocks["x0"]["s"] == [[[0, 4], [6, 9, "abbreviation"], [15, 18, "abbreviation"]]]


def test_spans_count_characters() -> None:
    row = mention("Beta", title="💊𝔸 Beta")
    (found,) = write({"drugs": [listed_drug("Beta")], "mentions": [row]}).mentions()
    ((start, end),) = found["s"]
    assert found["title"][start:end] == "Beta"


def test_trials_and_publications_show_what_belongs_together() -> None:
    (trials,) = TRIALS
    mentions = [mention("Beta", "1"), mention("Beta", "NCT1", trials), mention("Beta", "2")]
    day = dt.date(2021, 5, 1)
    told = {"journal": HOSTILE[4], "date": day, "date_precision": "month"}
    ties = [
        trial_publication("NCT1", "9", kind=str(TrialPublicationKind.DERIVED)),
        trial_publication("NCT1", "1", **told),
        trial_publication("NCT2", "1", trial_in_store=True),
        trial_publication("NCT3", "1", trial_in_store=False, given_by="publication", kind="named"),
    ]
    page = write({"drugs": [listed_drug("Beta")], "mentions": mentions, "trial_publications": ties})
    of = {row["i"]: row["k"] for row in page.mentions()}
    assert of["NCT1"] == [
        [0, "1", "result", code_of(day, "month"), HOSTILE[4]],
        [0, "9", "derived", None, None],
    ]
    assert of["1"] == [[1, "NCT1", "result", None, None], [1, "NCT2", "result", None, None]]
    assert of["2"] is None


def test_names_of_a_drug_are_its_other_spellings_codes_and_identifiers() -> None:
    drugs = [
        listed_drug("Beta", names=["Beta", "BETA", "béta"], codes=["A01"], xrefs=["cas:1"]),
        listed_drug("Gamma", names=["gam", "Gamma"], codes=["B", "C"]),
        listed_drug("delta"),
    ]
    names = write({"drugs": drugs, "mentions": [mention("Beta")]}).blocks()["names"]
    assert names == {
        "names": [["BETA", "béta"]],
        "codes": [["A01"]],
        "xrefs": [["cas:1"]],
        "other": {
            "id": ["delta", "gamma"],
            "name": ["delta", "Gamma"],
            "names": [[], ["gam"]],
            "codes": [[], ["B", "C"]],
            "xrefs": [[], []],
        },
    }


def test_classes_are_those_of_the_table() -> None:
    rows_of_classes = [
        {"class": "A", "level": 1, "name": "Alimentary", "drugs": 2, "mentions": 3, "journals": 1},
        {"class": "A01", "level": 2, "parent": "A", "drugs": 2, "mentions": 3, "journals": 1},
    ]
    assert write({"atc_classes": rows_of_classes}).index["classes"] == {
        "code": ["A", "A01"],
        "level": [1, 2],
        "name": ["Alimentary", None],
        "drugs": [2, 2],
        "mentions": [3, 3],
        "journals": [1, 1],
    }


def test_types_are_those_of_the_registry_with_their_links() -> None:
    types = write({}).index["types"]
    assert [type_["source"] for type_ in types] == TYPES
    for source, type_ in zip(sources.PUBLICATIONS, types, strict=True):
        assert type_["type"] == source.document_type
        assert type_["trial"] == (source.name in TRIALS)
        assert type_["can_be_retracted"] == source.can_be_retracted
        assert type_["links"] is not None
        assert "{id}" in type_["links"]["address"]


def test_the_quality_of_a_run_counts_every_row_and_names_unread_files() -> None:
    def file(name: str, source: str | None, raw_rows: int, problem: str | None = None) -> Row:
        return {
            "source_file": name,
            "source": source,
            "size_bytes": 1,
            "raw_rows": raw_rows,
            "read_issues": [],
            "unread_fields": [],
            "problem": problem,
        }

    def rejected(row: int, *reasons: str) -> Row:
        key = {"source": "pubmed", "source_file": "pubmed.csv", "source_row": row}
        return {**key, "reasons": list(reasons), "record": "{}"}

    odd = [file(f"x/{n:02}.bin", None, 0, f"</script> {n}") for n in range(25)]
    page = write(
        {
            "landed_files": [file("pubmed.csv", "pubmed", 5), file("p.csv", "pubmed", 2), *odd],
            "rejected_records": [
                rejected(1, "blank_title"),
                rejected(2, "blank_row", "blank_title"),
            ],
            "merged_pubmed": [
                {
                    "source_file": "p.csv",
                    "source_row": 1,
                    "merged_into": "1",
                    "rule": "same_content",
                }
            ],
        }
    )
    quality = page.index["quality"]
    (of_pubmed,) = (each for each in quality["sources"] if each["source"] == "pubmed")
    assert of_pubmed == {
        "source": "pubmed",
        "read": 7,
        "kept": 0,
        "merged": 1,
        "rejected": 2,
        "reasons": {"blank_row": 1, "blank_title": 1},
    }
    assert [each["source"] for each in quality["sources"]] == [s.name for s in sources.ALL]
    assert (quality["files"], quality["unread_files"]) == (27, 25)
    assert quality["unread"] == [
        {"file": f"x/{n:02}.bin", "problem": f"</script> {n}"} for n in range(20)
    ]


def new_mention(row: Row, **fields: Any) -> Row:
    """A row of `new_mentions`: the mention was added, unless told otherwise."""
    kept = {key: value for key, value in row.items() if key not in {"spans", "ambiguous"}}
    told = {"change": "added", "first_in_journal": False, "drug_added": False, "changed": []}
    return {**kept, **told, **fields}


def test_what_is_new_is_marked_counted_and_told() -> None:
    day = dt.date(2024, 5, 1)
    in_journal: Row = {"journal": "Journal A", "journal_id": "a"}
    first = mention("Beta", "1", date=day, date_precision="month", **in_journal)
    added = mention("Beta", "2")
    changed = mention("Alpha", "2")
    old = mention("Alpha", "3", **in_journal)
    drugs = [
        listed_drug("Alpha", names=["Alpha", "alfa"]),
        listed_drug("Beta"),
        listed_drug("Gamma"),
    ]
    new_mentions = [
        new_mention(first, first_in_journal=True),
        new_mention(added),
        new_mention(changed, change="changed", changed=["title"], title_before="x"),
        new_mention(mention("Beta", "9"), change="gone"),
        new_mention(mention("Delta", "1"), change="no_longer_searched"),
    ]
    names = [
        {"drug_id": "gamma", "name": "Gamma", "change": "added", "drug": "Gamma", "of_drug": True},
        {
            "drug_id": "delta",
            "name": "Delta",
            "change": "dropped",
            "drug": "Delta",
            "of_drug": True,
        },
        {"drug_id": "alpha", "name": "alfa", "change": "added", "drug": "Alpha", "of_drug": False},
    ]
    of_news = {"new_mentions": new_mentions, "changed_names": names}
    news = summarize(*(table(name, *held) for name, held in of_news.items()), rules_changed=True)
    page = write({"drugs": drugs, "mentions": [first, added, changed, old], **of_news}, news=news)
    assert {(row["drug"], row["i"]): row["f"] & 24 for row in page.mentions()} == {
        ("beta", "1"): 24,
        ("beta", "2"): 8,
        ("alpha", "2"): 0,
        ("alpha", "3"): 0,
    }
    index = page.index
    assert index["drugs"]["fresh"] == [0, 2]
    assert index["journals"]["fresh"] == [1]
    assert index["news"] == {
        "added": 2,
        "gone": 1,
        "changed": 1,
        "no_longer_searched": 1,
        "added_of_new_drugs": 0,
        "first_in_journal": 1,
        "rules_changed": True,
        "drugs_added": ["Gamma"],
        "drugs_added_count": 1,
        "drugs_dropped": ["Delta"],
        "drugs_dropped_count": 1,
        "names_added": ["alfa (Alpha)"],
        "names_added_count": 1,
        "names_dropped": [],
        "names_dropped_count": 0,
        "firsts": [{"drug": 1, "journal": 0, "date": code_of(day, "month"), "type": 0, "id": "1"}],
    }


def test_without_anything_to_compare_with_there_are_no_news() -> None:
    page = write({"drugs": [listed_drug("Beta")], "mentions": [mention("Beta")]})
    assert page.index["news"] is None


@pytest.mark.parametrize(
    "of_tables",
    [
        {},
        {"drugs": [listed_drug("Beta")]},
        {"drugs": [listed_drug("Beta")], "mentions": [mention("Beta")]},
    ],
    ids=["no drugs", "no mentions", "no journals"],
)
def test_a_page_of_nothing_is_a_page(of_tables: dict[str, list[Row]]) -> None:
    page = write(of_tables)
    expected = Expected(of_tables.get("drugs", []), of_tables.get("mentions", []))
    assert_holds(page, expected)
    assert page.index["journals"]["id"] == []
    assert not any(name[0] == "p" for name in page.blocks())


def test_rows_are_made_while_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, small_blocks: None
) -> None:
    """Memory follows the batch: nothing of the next one is read before it is needed."""
    drugs = [listed_drug(f"Drug {n}") for n in range(9)]
    mentions = [mention(d["drug"], str(n)) for d in drugs for n in range(5)]
    finished = 0
    finish: Callable[..., Any] = rows._finish

    def count(*given: Any) -> Any:
        nonlocal finished
        finished += 1
        return finish(*given)

    monkeypatch.setattr(rows, "_finish", count)
    given = {"drugs": drugs, "mentions": mentions}
    tables = {name: table(name, *given.get(name, ())) for name in EXPLORER.tables}
    blocks: Iterator[pack.Block] = pack.pack(tables).blocks()
    while next(blocks).name != "x1":
        pass
    assert finished == 1
    assert sum(1 for _ in blocks) > 0
    assert finished == 9


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("ids", ["abcdefgh", "hgfedcba", "bacdhefg"])
def test_ids_may_have_another_order_than_names(ids: str) -> None:
    drugs = [listed_drug(f"Drug {n}", drug_id=id_) for n, id_ in enumerate(ids)]
    mentions = [
        mention(drug["drug"], str(number)) | {"drug_id": drug["drug_id"]}
        for drug in sorted(drugs, key=lambda drug: drug["drug_id"])
        for number in range(1 + 7 * (drug["drug"] == "Drug 3"))
    ]
    assert_holds(write({"drugs": drugs, "mentions": mentions}), Expected(drugs, mentions))
