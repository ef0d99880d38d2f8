from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.stop_list import StopList
from drug_assets.cleaning.text import fold_string
from drug_assets.delivery import natural_key
from drug_assets.terms import ATC_CODE
from drug_assets_tests.support import grouping
from drug_assets_tests.support.raw import Row, drug_rows, drug_tables, held_to, key, make_records
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from collections.abc import Iterable


def records(*rows: Row) -> pl.LazyFrame:
    """The records of the rows."""
    return make_records(DRUGS, drug_rows(*rows))


def reason(row: Row) -> str | None:
    """Why a row cannot be kept."""
    found: str | None = records(row).select("reason").collect().item()
    return found


def cleaned(*rows: Row) -> tuple[list[Row], list[Row]]:
    """The drugs kept and the rows merged; both keep their contracts."""
    kept, merged, _ = clean_drugs(records(*rows))
    return (
        held_to(contracts.Drugs, kept).to_dicts(),
        held_to(contracts.MergedRecords, merged).to_dicts(),
    )


def drug(*rows: Row) -> Row:
    """The one drug that the rows name."""
    kept, _ = cleaned(*rows)
    assert len(kept) == 1
    return kept[0]


class TestIdentity:
    def test_without_an_identifier_it_is_the_folded_name(self) -> None:
        assert drug({"drug": " BÊTA  Alpha "})["drug_id"] == "beta alpha"

    def test_the_lists_own_identifier_comes_first(self) -> None:
        assert drug({"drug": "Alpha", "id": " DB1 "})["drug_id"] == "DB1"

    def test_of_several_identifiers_the_smallest_stands(self) -> None:
        assert drug({"drug": "Alpha", "id": "b"}, {"drug": "alpha", "id": "a"})["drug_id"] == "a"

    def test_the_same_folded_name_is_one_drug_with_both_codes(self) -> None:
        one = drug({"drug": "Alpha", "atccode": "R01AD"}, {"drug": "ALPHÀ", "atccode": "A04AD"})
        assert one["codes"] == ["A04AD", "R01AD"]

    def test_the_same_identifier_is_one_drug_with_both_names(self) -> None:
        one = drug(
            {"drug": "Alpha", "id": "1", "source_file": "a.csv"},
            {"drug": "Beta", "id": "1", "source_file": "b.csv"},
        )
        assert one["names"] == ["Alpha", "Beta"]

    def test_a_shared_synonym_does_not_make_one_drug(self) -> None:
        kept, merged = cleaned({"drug": "A", "synonyms": "C"}, {"drug": "B", "synonyms": "C"})
        assert [d["names"] for d in kept] == [["A", "C"], ["B", "C"]]
        assert merged == []

    def test_a_name_without_identifier_is_one_with_that_identifier(self) -> None:
        one = drug({"drug": "Beta"}, {"drug": "Gamma", "id": "beta"})
        assert (one["drug_id"], one["names"]) == ("beta", ["Beta", "Gamma"])

    def test_later_rows_are_merged_into_the_first(self) -> None:
        _, merged = cleaned({"drug": "Alpha"}, {"drug": "Beta"}, {"drug": "alpha"})
        assert [(m["source_row"], m["merged_into"], m["rule"]) for m in merged] == [
            (3, "alpha", "same_drug")
        ]


class TestSharedIdentifiers:
    """Rows of one file with the same identifier and different names."""

    def of(self, *rows: tuple[str, str, str]) -> list[tuple[str, str | None, bool]]:
        """Each drug's id and id_text, and whether it is flagged, from name, code and synonyms."""
        fields = ("drug", "atccode", "synonyms")
        kept, _ = cleaned(*({"id": "7", **dict(zip(fields, row, strict=True))} for row in rows))
        return [(d["drug_id"], d["id_text"], "shared_id" in d["issues"]) for d in kept]

    def test_other_names_are_kept_apart(self) -> None:
        assert self.of(("Alpha", "", ""), ("Beta", "", "")) == [
            ("alpha", "7", True),
            ("beta", "7", True),
        ]

    def test_other_codes_tell_other_drugs(self) -> None:
        apart = self.of(("Alpha", "A04AD01", ""), ("Beta", "R01AA01", ""))
        assert apart == [("alpha", "7", True), ("beta", "7", True)]

    @pytest.mark.parametrize(
        "rows",
        [
            (("Alpha", "A04AD01", ""), ("Alphal", "a04ad01", "")),
            (("Alpha", "", "Beta"), ("BETA", "", "")),
            (("Alpha", "", "Uno|One"), ("Beta", "", "one")),
            (("5-alpha", "", ""), ("5 Alpha", "", "")),
            (("Alpha", "A04AD01", ""), ("alpha", "R01AA01", "")),
            (("Alpha", "A04AD01", ""), ("Beta", "A04AD01", "Gamma"), ("Gamma", "R01AA01", "")),
        ],
    )
    def test_a_name_or_a_code_in_common_tells_one_drug(
        self, rows: tuple[tuple[str, str, str], ...]
    ) -> None:
        assert self.of(*rows) == [("7", None, False)]

    def test_no_row_has_an_identifier_that_one_of_them_makes_doubtful(self) -> None:
        found = self.of(("Alpha", "A04AD01", ""), ("Alphal", "A04AD01", ""), ("Beta", "", ""))
        assert [drug_id for drug_id, _, _ in found] == ["alpha", "alphal", "beta"]

    def test_a_list_with_a_row_for_each_name_has_several_names_for_most_drugs(self) -> None:
        rows = [{"id": f"{n // 2}x", "drug": f"name {n}"} for n in range(20)]
        kept, merged = cleaned(*rows)
        assert (len(kept), len(merged)) == (10, 10)
        # The identifiers of one drug fewer are no pattern.
        assert len(cleaned(*rows[:-2])[0]) == 18

    def test_in_such_a_list_other_codes_still_tell_other_drugs(self) -> None:
        rows = [{"id": f"{n // 2}x", "drug": f"name {n}"} for n in range(20)]
        codes = [{"id": "y", "drug": f"drug {n}", "atccode": f"A04AD0{n}"} for n in range(2)]
        kept, _ = cleaned(*rows, *codes)
        assert [d["drug_id"] for d in kept if "shared_id" in d["issues"]] == ["drug 0", "drug 1"]


def test_what_cannot_be_an_identifier_joins_nothing() -> None:
    kept, _ = cleaned({"drug": "Alpha", "id": "9.0E+07"}, {"drug": "Beta", "id": "9.0E+07"})
    assert [(d["drug_id"], d["id_text"]) for d in kept] == [
        ("alpha", "9.0E+07"),
        ("beta", "9.0E+07"),
    ]
    assert all("invalid_id" in d["issues"] for d in kept)


class TestSeveralLists:
    BANK = (
        {"source_file": "bank.csv", "id": "DB1", "drug": "Alpha", "synonyms": "Uno | Eins"},
        {"source_file": "bank.csv", "id": "DB2", "drug": "Beta", "synonyms": "Dos | Eins"},
    )

    def of(self, *rows: Row) -> dict[str, list[str]]:
        """Names by drug."""
        kept, _ = cleaned(*self.BANK, *({"source_file": "own.csv"} | row for row in rows))
        return {d["drug_id"]: d["names"] for d in kept}

    def test_a_name_that_another_list_has_as_synonym_is_that_drug(self) -> None:
        assert self.of({"drug": "UNO", "synonyms": "Ein"}) == {
            "DB1": ["Alpha", "Ein", "Eins", "UNO", "Uno"],
            "DB2": ["Beta", "Dos", "Eins"],
        }

    def test_its_codes_go_along_and_its_row_is_merged(self) -> None:
        kept, merged = cleaned(
            *self.BANK, {"source_file": "who.csv", "atc_name": "uno", "atccode": "A04AD01"}
        )
        assert [d["atc_codes"] for d in kept] == [["A04AD01"], []]
        assert [(m["source_file"], m["merged_into"]) for m in merged] == [("who.csv", "DB1")]

    def test_a_synonym_of_several_drugs_tells_nothing(self) -> None:
        assert set(self.of({"drug": "Eins"})) == {"DB1", "DB2", "eins"}

    def test_a_drug_with_an_identifier_of_its_own_stays(self) -> None:
        assert set(self.of({"drug": "Uno", "id": "X"})) == {"DB1", "DB2", "X"}

    def test_a_shared_synonym_alone_tells_nothing(self) -> None:
        assert set(self.of({"drug": "Gamma", "synonyms": "Uno"})) == {"DB1", "DB2", "gamma"}

    def test_one_list_that_names_both_means_two_drugs(self) -> None:
        kept, _ = cleaned({"drug": "Alpha", "synonyms": "Beta"}, {"drug": "Beta"})
        assert [d["drug_id"] for d in kept] == ["alpha", "beta"]

    def test_lists_without_identifiers_join_too(self) -> None:
        kept, merged = cleaned(
            {"source_file": "one.csv", "drug": "Alpha", "synonyms": "Beta"},
            {"source_file": "two.csv", "drug": "beta", "synonyms": "Gamma"},
            {"source_file": "three.csv", "drug": "GAMMA"},
        )
        assert [(d["drug_id"], d["drug"]) for d in kept] == [("alpha", "Alpha")]
        assert len(merged) == 2

    def test_lists_that_have_each_others_names_are_one_drug(self) -> None:
        kept, _ = cleaned(
            {"source_file": "one.csv", "drug": "Alpha", "synonyms": "Beta"},
            {"source_file": "two.csv", "drug": "Beta", "synonyms": "Alpha"},
        )
        assert [d["drug_id"] for d in kept] == ["alpha"]


class TestNames:
    def test_names_on_the_stop_list_are_not_searched_for(self) -> None:
        stop_list = StopList(frozenset({"gold"}), frozenset({"??"}))
        kept, _, _ = clean_drugs(
            records({"drug": "Gold", "synonyms": "Au | Aurum", "atccode": "A04AD"}), stop_list
        )
        (one,) = kept.collect().to_dicts()
        assert (one["drug"], one["names"], one["issues"]) == ("Gold", ["Aurum"], ["stopped_name"])

    def test_variants_on_the_stop_list_are_not_searched_for_either(self) -> None:
        drugs = records({"drug": "Lead cation"})
        kept, _, _ = clean_drugs(drugs, StopList(frozenset({"lead"})))
        assert kept.collect()["names"].to_list() == [["Lead cation"]]

    def test_variants_are_searched_for(self) -> None:
        assert drug({"drug": "Lithium cation"})["names"] == ["Lithium cation", "lithium"]

    def test_the_most_frequent_spelling_is_shown(self) -> None:
        assert drug({"drug": "B"}, {"drug": "b"}, {"drug": "b"})["drug"] == "b"

    def test_of_spellings_as_frequent_the_alphabetically_first(self) -> None:
        assert drug({"drug": "béta"}, {"drug": "Beta"}, {"drug": "beta"})["drug"] == "Beta"

    def test_capitals_are_the_custom_of_a_list_and_count_for_the_other_case(self) -> None:
        rows = [{"drug": name, "synonyms": "Gamma"} for name in ("BETA", "BÉTA", "Beta")]
        ids = [{**row, "id": "X-1"} for row in (*rows, {"drug": "gamma"}, {"drug": "gamma"})]
        assert drug(*ids)["drug"] == "Beta"

    def test_names_are_every_spelling_and_synonym_once(self) -> None:
        one = drug(
            {"drug": "Beta", "synonyms": " b-1 | B\\xc3\\xa9ta ||b-1"},
            {"drug": "BETA", "synonyms": "|"},
        )
        assert one["names"] == ["BETA", "Beta", "Béta", "b-1"]

    @pytest.mark.parametrize("name", ["(+)", "3", "2020", "①", "1-2"])
    def test_names_without_a_letter_are_not_searched_for(self, name: str) -> None:
        one = drug({"drug": name, "synonyms": "plus|-", "atccode": "A04AD"})
        assert (one["drug"], one["names"]) == (name, ["plus"])
        assert one["issues"] == ["unsearchable_name"]

    def test_marks_are_no_part_of_a_name(self) -> None:
        one = drug({"drug": "Alpha®", "synonyms": "Uno (USP)|Beta*"}, {"drug": "alpha, INN"})
        assert one["drug_id"] == "alpha"
        assert one["drug"] == "Alpha®"
        assert one["names"] == ["Alpha", "Beta", "Uno", "alpha"]

    def test_names_in_any_script_are_searched_for(self) -> None:
        assert drug({"drug": "阿司匹林", "atccode": "A04AD"})["issues"] == []


class TestCodes:
    @pytest.mark.parametrize("code", ["A", "A04", "A04A", "A04AD", "A04AD01", "a04ad"])
    def test_atc_codes_of_each_level(self, code: str) -> None:
        one = drug({"drug": "Alpha", "atccode": code})
        assert (one["codes"], one["atc_codes"]) == ([code], [code.upper()])
        assert one["issues"] == []

    @pytest.mark.parametrize(
        "code", ["6302001", "A0", "A04AD0", "A04AD011", "A04ADX", "4", "AA4", "ÀA", "A04\u0661"]
    )
    def test_other_codes_are_kept_but_no_atc_codes(self, code: str) -> None:
        one = drug({"drug": "Alpha", "atccode": code})
        assert (one["codes"], one["atc_codes"]) == ([code], [])
        assert one["issues"] == ["invalid_atc_code"]

    def test_one_invalid_code_of_several_is_flagged(self) -> None:
        one = drug({"drug": "Alpha", "atccode": "V03AB | 6302001 |"})
        assert (one["codes"], one["atc_codes"]) == (["6302001", "V03AB"], ["V03AB"])
        assert one["issues"] == ["invalid_atc_code"]

    @pytest.mark.parametrize("code", [None, "", " | "])
    def test_no_code_is_flagged(self, code: str | None) -> None:
        one = drug({"drug": "Alpha", "atccode": code})
        assert (one["codes"], one["issues"]) == ([], ["missing_code"])


class TestRejection:
    @pytest.mark.parametrize("name", [None, "", " \t", "\\xc3\\x28", "&nbsp;", "\u200b"])
    def test_blank_names_are_rejected(self, name: str | None) -> None:
        row = {"drug": name, "id": "1", "synonyms": "Alpha"}
        assert cleaned(row) == ([], [])
        assert reason(row) == "blank_name"

    @pytest.mark.parametrize("code", ["A", "A04", "A04A", "A04AD", " a04ad "])
    def test_groups_of_the_atc_table_are_rejected(self, code: str) -> None:
        row = {"atc_name": "Antiemetics", "atccode": code}
        assert cleaned(row) == ([], [])
        assert reason(row) == "atc_group"

    def test_substances_of_the_atc_table_are_kept_with_every_code(self) -> None:
        one = drug(
            {"atc_name": "ondansetron", "atccode": "A04AA01"},
            {"atc_name": "ondansetron", "atccode": "A04AD99"},
        )
        assert one["atc_codes"] == ["A04AA01", "A04AD99"]

    def test_in_other_lists_a_drug_may_have_the_code_of_a_group(self) -> None:
        assert drug({"drug": "Alpha", "atccode": "A04AD"})["atc_codes"] == ["A04AD"]

    def test_a_name_is_no_reason(self) -> None:
        assert reason({"drug": "+"}) is None

    def test_no_rows_give_no_drugs(self) -> None:
        assert cleaned() == ([], [])


# --- properties ------------------------------------------------------------------------------


def linked(rows: Iterable[Row]) -> list[list[Row]]:
    """Groups of rows with the same name or identity, but for ids that make one drug of two."""
    rows = list(rows)
    names = [fold_string(row["name"]) for row in rows]
    found = {frozenset(part) for part in grouping.group(range(len(rows)), enumerate(names))}

    def is_several(members: Iterable[frozenset[int]]) -> bool:
        told: defaultdict[str, set[tuple[frozenset[int], str]]] = defaultdict(set)
        for drug in members:
            for n in drug:
                if rows[n]["own_id"]:
                    told[rows[n]["key"][0]].add((drug, rows[n]["own_id"]))
        return any(
            len(grouping.group({drug for drug, _ in each}, each)) > 1 for each in told.values()
        )

    links = [(drug, rows[n]["own_id"] or names[n]) for drug in found for n in drug]
    bad = {v for _, v in links if is_several({drug for drug, value in links if value == v})}
    for part in grouping.group(found, [(drug, value) for drug, value in links if value not in bad]):
        if not is_several(part):
            found = (found - part) | {frozenset().union(*part)}
    holders: defaultdict[str, set[frozenset[int]]] = defaultdict(set)
    for drug in found:
        for n in drug:
            holders[rows[n]["own_id"] or names[n]].add(drug)
    return [
        [
            {**rows[n], "own_id": None, "id_text": rows[n]["own_id"]}
            if rows[n]["own_id"] and len(holders[rows[n]["own_id"]]) > 1
            else rows[n]
            for n in sorted(drug)
        ]
        for drug in found
    ]


def trimmed(row: Row) -> Row:
    """The values of a random row with blanks trimmed: these rows need no other cleaning."""

    def strip(text: str | None) -> str | None:
        return " ".join((text or "").split()) or None

    def split(text: str | None) -> list[str]:
        return [part for p in (text or "").split("|") if (part := strip(p))]

    return {
        "key": key(row),
        "own_id": strip(row["id"]),
        "name": strip(row["drug"]),
        "codes": split(row["atccode"]),
        "synonyms": split(row["synonyms"]),
    }


def joined_by_synonyms(groups: list[list[Row]]) -> list[list[Row]]:
    """The groups; one without an id is joined to the only one with its name in other files."""

    def names(row: Row) -> set[str]:
        return {fold_string(name) for name in (row["name"], *row["synonyms"])}

    parent = list(range(len(groups)))

    def root(n: int) -> int:
        return n if parent[n] == n else root(parent[n])

    links = []
    for n, group in enumerate(groups):
        if any(r["own_id"] for r in group):
            continue
        own_names = {fold_string(r["name"]) for r in group}
        own_files = {r["key"][0] for r in group}
        matches = {
            m
            for m, other in enumerate(groups)
            if m != n and any(r["key"][0] not in own_files and names(r) & own_names for r in other)
        }
        if len(matches) == 1:
            links.append((n, matches.pop()))
    for n, match in links:
        parent[root(n)] = root(match)
    merged: defaultdict[int, list[Row]] = defaultdict(list)
    for n, group in enumerate(groups):
        merged[root(n)] += group
    return list(merged.values())


def without_shared_ids(rows: list[Row]) -> list[Row]:
    """The rows; an identifier that different drugs of a file share is moved to id_text."""

    def features(row: Row) -> set[str]:
        names = {re.sub(r"\W", "", fold_string(name)) for name in (row["name"], *row["synonyms"])}
        return names | {f"code {code.upper()}" for code in row["codes"]}

    def shares_id(row: Row) -> bool:
        group = [r for r in rows if (r["key"][0], r["own_id"]) == (row["key"][0], row["own_id"])]
        if len({fold_string(r["name"]) for r in group}) == 1:
            return False
        joined, left = features(group[0]), group[1:]
        while near := [r for r in left if features(r) & joined]:
            joined |= set().union(*map(features, near))
            left = [r for r in left if r not in near]
        return bool(left)

    return [
        {**row, "own_id": None, "id_text": row["own_id"]}
        if row["own_id"] and shares_id(row)
        else {**row, "id_text": None}
        for row in rows
    ]


def drugs_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The trimmed rows that have a name, one list per drug."""
    named = [r for row in rows if (r := trimmed(row))["name"]]
    return joined_by_synonyms(linked(without_shared_ids(named)))


def first_text(group: list[Row]) -> str | None:
    """The id_text of the row that was delivered first of those that have one."""
    texts = [r for r in group if r["id_text"]]
    first = min(texts, key=lambda r: (natural_key(r["key"][0]), r["key"][1]), default=None)
    return first["id_text"] if first else None


def without_capitals(spellings: Counter[str]) -> Counter[str]:
    """The spellings, of which those in capitals count for the first in another case."""
    counts: Counter[str] = Counter()
    for name, count in spellings.items():
        others = [
            other
            for other in spellings
            if fold_string(other) == fold_string(name) and other != other.upper()
        ]
        first = min(others, key=lambda other: (-spellings[other], other), default=name)
        counts[first if name == name.upper() else name] += count
    return counts


def reference(rows: Iterable[Row]) -> list[Row]:
    """The drugs that random rows name, group by group."""
    drugs = []
    for group in drugs_of(rows):
        spellings = without_capitals(Counter(r["name"] for r in group))
        names = {name for r in group for name in (r["name"], *r["synonyms"])}
        codes = {code for r in group for code in r["codes"]}
        shaped = {c.upper() for c in codes if re.fullmatch(ATC_CODE, c.upper())}
        searchable = {name for name in names if re.search(r"[^\W\d_]", name)}
        flags = {
            "invalid_atc_code": any(c.upper() not in shaped for c in codes),
            "missing_code": not codes,
            "shared_id": any(r["id_text"] for r in group),
            "unsearchable_name": searchable != names,
        }
        drugs.append(
            {
                "drug_id": min((r["own_id"] for r in group if r["own_id"]), default="")
                or min(fold_string(r["name"]) for r in group),
                "drug": min(spellings, key=lambda name: (-spellings[name], name)),
                "names": sorted(searchable),
                "codes": sorted(codes),
                "atc_codes": sorted(shaped),
                "forms": [],
                "xrefs": [],
                "id_text": first_text(group),
                "issues": [flag for flag, holds in flags.items() if holds],
            }
        )
    return sorted(drugs, key=lambda d: d["drug_id"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(drug_tables())
def test_agrees_with_a_union_find(rows: list[Row]) -> None:
    kept, _ = cleaned(*rows)
    assert kept == reference(rows)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(drug_tables())
def test_nothing_is_lost(rows: list[Row]) -> None:
    kept, merged = cleaned(*rows)
    rejected = records(*rows).filter(pl.col("reason").is_not_null()).collect().to_dicts()
    assert len(rows) == len(kept) + len(merged) + len(rejected)
    gone = [key(row) for row in [*merged, *rejected]]
    assert len(gone) == len(set(gone))
    assert {m["merged_into"] for m in merged} <= {d["drug_id"] for d in kept}
    # Exactly one row of each group is kept, all others are merged.
    for group in drugs_of(rows):
        assert len({r["key"] for r in group} - set(gone)) == 1


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(drug_tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Any) -> None:
    assert cleaned(*random.sample(rows, len(rows))) == cleaned(*rows)


def test_a_long_chain_is_one_drug() -> None:
    chain = [{"drug": f"name {n // 2}", "id": f"{(n + 1) // 2 + 1:02}"} for n in range(40)]
    kept, merged = cleaned(*chain[::-1])
    assert [d["drug_id"] for d in kept] == ["01"]
    assert len(merged) == 39


def test_every_list_of_a_drug_is_sorted_and_has_each_value_once() -> None:
    codes = [f"{letter}{n:02}AA{n:02}" for n, letter in enumerate("KBXACZDYEW", start=1)]
    names = [f"name {letter}" for letter in "kbxaczdyew"]
    rows = [
        {"drug": "Beta", "atccode": "|".join([code, codes[0]]), "synonyms": f"{name}|{names[0]}"}
        for code, name in zip(codes, names, strict=True)
    ]
    one = drug(*rows, {"drug": "Beta", "atccode": codes[1].lower()})
    assert one["codes"] == sorted([*codes, codes[1].lower()])
    assert one["atc_codes"] == sorted(codes)
    assert one["names"] == sorted(["Beta", *names])


def test_the_issues_of_a_drug_are_sorted() -> None:
    stop_list = StopList(frozenset({"gold"}))
    rows = [{"drug": "Gold", "synonyms": "+"}, {"drug": "Silver", "synonyms": "+|gold"}]
    rows += [{**row, "drug": f"{row['drug']} two", "atccode": "x1"} for row in rows]
    kept, _, _ = clean_drugs(records(*rows), stop_list)
    assert dict(kept.select("drug", "issues").collect().rows()) == {
        "Gold": ["missing_code", "stopped_name", "unsearchable_name"],
        "Gold two": ["invalid_atc_code", "unsearchable_name"],
        "Silver": ["missing_code", "stopped_name", "unsearchable_name"],
        "Silver two": ["invalid_atc_code", "stopped_name", "unsearchable_name"],
    }


def test_merged_rows_are_sorted_by_file_and_row() -> None:
    files = ["k.csv", "b.csv", "x.csv", "a.csv"]
    _, merged = cleaned(*({"drug": "Beta", "source_file": file} for file in files * 3))
    assert len(merged) == 11
    assert [key(m) for m in merged] == sorted(key(m) for m in merged)
    # The first in the order of delivery is kept.
    assert ("a.csv", 1) not in map(key, merged)


def test_rows_are_sorted_by_key() -> None:
    kept, _ = cleaned({"drug": "b"}, {"drug": "a"}, {"drug": "c", "id": "Z"})
    assert [d["drug_id"] for d in kept] == ["Z", "a", "b"]
