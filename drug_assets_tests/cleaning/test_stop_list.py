from __future__ import annotations

import hashlib

import polars as pl
import pytest

from drug_assets.cleaning.stop_list import OWN, StopList, StopListError, read_stop_list


def stopped(stop_list: StopList, *names: str) -> list[str]:
    """The names that are on the list."""
    column = pl.Series("name", names, dtype=pl.String).to_frame()
    return column.filter(stop_list.stops(pl.col("name")))["name"].to_list()


def listed(text: str) -> StopList:
    return StopList.of(text.encode(), "my/list.csv")


def test_names_are_compared_folded_and_whole() -> None:
    stop_list = listed('name,reason\nLEAD,the verb\n"iron, reduced","a comma"\n')
    names = ["lead", "Léad", "lead acetate", "mislead", "Iron, reduced"]
    assert stopped(stop_list, *names) == ["lead", "Léad", "Iron, reduced"]


def test_each_name_has_its_reason() -> None:
    stop_list = listed("name,reason\nlead,the verb\nxy,by name\n??,two letters\n")
    names = pl.DataFrame({"name": ["Lead", "xy", "ab", "abc"]})
    reasons = names.select(stop_list.reason(pl.col("name"))).to_series().to_list()
    assert reasons == ["the verb", "by name", "two letters", None]
    unknown = StopList(frozenset({"abc"}), frozenset({"??"}))
    reasons = names.select(unknown.reason(pl.col("name"))).to_series().to_list()
    assert reasons == [None, "on the stop list", "on the stop list", "on the stop list"]


def test_a_question_mark_is_any_one_letter() -> None:
    stop_list = listed("name,reason\n?,one letter\nx?-1,a family\n")
    names = ["a", "É", "β", "ab", "1", "?", "", "xy-1", "x1-1", "xyz-1", "xy-10"]
    assert stopped(stop_list, *names) == ["a", "É", "β", "xy-1"]


@pytest.mark.parametrize(
    "text",
    ["name,reason\n", "\ufeffname,reason\r\n", "Name, Reason\n\n , \n"],
)
def test_an_empty_list_stops_nothing(text: str) -> None:
    assert stopped(listed(text), "lead", "a") == []
    assert stopped(StopList(), "lead", "a") == []


@pytest.mark.parametrize(
    ("data", "line", "cure"),
    [
        (b"", 1, "name,reason"),
        (b"lead,the verb\n", 1, "name,reason"),
        (b"name;reason\n", 1, "name,reason"),
        (b"name,reason\nlead\n", 2, "a name and the reason"),
        (b"name,reason\ngold,ok\nlead,\n", 3, "a name and the reason"),
        (b"name,reason\n,the verb\n", 2, "a name and the reason"),
        (b"name,reason\n\niron, reduced,a comma\n", 3, "quotes"),
        (b'name,reason\n"lead"s,x\n', 2, "quotes"),
        (b'name,reason\n"lead,x\n', 2, "quotes"),
        (b"name,reason\na,b\nl\xe9ad,x\n", 3, "UTF-8"),
        (b"\nl\xe9ad,x\n", 2, "UTF-8"),
        (b"\xe9", 1, "UTF-8"),
        (b"name,reason\nlead,the verb,\n", 2, "a name and the reason"),
        (b"name\n", 1, "name,reason"),
        (b"reason,name\n", 1, "name,reason"),
        (b"name,reason,more\n", 1, "name,reason"),
        (b"\nname,reason\n", 1, "name,reason"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_cure(data: bytes, line: int, cure: str) -> None:
    with pytest.raises(StopListError, match=rf"my/list\.csv: line {line} .*{cure}"):
        StopList.of(data, "my/list.csv")


def test_what_is_wrong_is_said_of_the_list_by_its_origin() -> None:
    with pytest.raises(StopListError) as raised:
        StopList.of(b"lead\n", "my/list.csv")
    assert raised.value.origin == "my/list.csv"
    assert str(raised.value) == f"the stop list my/list.csv: {raised.value.problem}"


def test_columns_and_names_are_trimmed_and_signs_of_regular_expressions_are_signs() -> None:
    stop_list = listed(" NAME , Reason \n a.b , x\n(c) ?,y\n")
    assert stop_list.names == {"a.b"}
    assert stop_list.patterns == {"(c) ?"}
    assert stopped(stop_list, "a.b", "axb", "(c) d", "c d", "(c) ?", "(c) dd") == ["a.b", "(c) d"]


def test_lists_have_one_digest_if_they_stop_the_same_names_for_the_same_reasons() -> None:
    digest = listed("name,reason\nlead,x\na?,y\n").digest
    assert listed("name,reason\na?,y\n\nLEAD,z\nlead,x\n").digest == digest
    others = ["lead,x\n", "a?,x\n", "leada?,x\n", "lead,x\na?,y\ngold,z\n"]
    others += ["lead,y\na?,y\n"]
    many = ["ox", "ivy", "yew", "elm", "ash", "fir", "oa?", "?ar"]
    lines = "".join(f"{name},x\n" for name in many)
    in_order = "\n".join(f"{name},x" for name in sorted(many)).encode()
    assert listed(f"name,reason\n{lines}").digest == hashlib.sha256(in_order).hexdigest()
    assert len({digest, *(listed(f"name,reason\n{lines}").digest for lines in others)}) == 6


def test_a_list_is_read_at_its_location_and_the_projects_own_at_none() -> None:
    read: list[str] = []

    def noted(location: str) -> bytes:
        read.append(location)
        return b"name,reason\nlead,x\n"

    assert read_stop_list("my/list.csv", noted).names == {"lead"}
    assert read_stop_list(None, noted).names == {"lead"}
    assert read == ["my/list.csv", str(OWN)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        (OSError("the bucket sleeps"), "the bucket sleeps"),
    ],
)
def test_a_list_that_cannot_be_read_is_said_with_the_cure(error: OSError, said: str) -> None:
    def fails(location: str) -> bytes:
        raise error

    with pytest.raises(StopListError, match=rf"my/list\.csv: cannot be read \({said}\)") as raised:
        read_stop_list("my/list.csv", fails)
    assert "DRUG_ASSETS_STOP_LIST" in str(raised.value)
    with pytest.raises(StopListError, match=r"stop_list\.csv: cannot be read"):
        read_stop_list(None, fails)


def test_the_projects_own_list() -> None:
    own = StopList.of(OWN.read_bytes(), OWN.name)
    unsafe = ["K", "no", "As", "lead", "gold", "Water", "combinations", "egg", "Val"]
    unsafe += ["TCC", "almond", "Hemoglobin", "protein C", "des", "Aspergillus niger"]
    unsafe += ["Ragweed", "Endothelin-1", "coagulation factor X", "thrombin"]
    safe = ["T3", "5-FU", "ethanol", "aspirin", "oxygen", "lead acetate", "iron", "cocaine", "GABA"]
    safe += ["Bacillus Calmette-Guérin", "almond oil", "erythropoietin", "oxytocin", "garlic"]
    assert stopped(own, *unsafe, *safe) == unsafe


def test_the_projects_own_list_has_every_name_once() -> None:
    lines = OWN.read_text(encoding="utf-8").splitlines()
    own = StopList.of(OWN.read_bytes(), OWN.name)
    assert len(own.reasons) == len(lines) - 1


def test_a_hyphen_and_a_blank_are_one() -> None:
    stop_list = listed("name,reason\ninterleukin 3,made by the body\nc-peptide,the same\n")
    names = ["Interleukin-3", "interleukin 3", "C peptide", "interleukin3"]
    assert stopped(stop_list, *names) == ["Interleukin-3", "interleukin 3", "C peptide"]


def test_a_star_at_the_end_is_one_further_word_or_none() -> None:
    stop_list = listed("name,reason\nmucor *,an organism\n* x,no star\n")
    names = ["Mucor", "Mucor racemosus", "Mucor zeta extract", "mucorin", "a x"]
    assert stopped(stop_list, *names) == ["Mucor", "Mucor racemosus"]


def test_a_name_can_be_allowed_that_another_line_stops() -> None:
    text = "mucor *,an organism\n???,three letters\nmucor zeta,allowed\nmix,a word\nm??,allowed\n"
    stop_list = listed(f"name,reason\n{text}")
    names = pl.DataFrame({"name": ["Mucor zeta", "mucor beta", "Mab", "mix", "tab", "other"]})
    column = pl.col("name")
    found = names.select(reason=stop_list.reason(column), allowed=stop_list.allows(column))
    # A line of the name itself decides before patterns, and one that allows before others.
    assert found["reason"].to_list() == [
        *(None, "an organism", None),
        *("a word", "three letters", None),
    ]
    assert found["allowed"].to_list()[:3] == [True, False, True]
    assert found["allowed"].to_list()[4:] == [False, False]
    assert StopList().allows(column).meta.root_names() == ["name"]
