from __future__ import annotations

import polars as pl
import pytest

from drug_assets.cleaning.stop_list import OWN, StopList, StopListError


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
    ],
)
def test_what_is_wrong_is_said_with_place_and_cure(data: bytes, line: int, cure: str) -> None:
    with pytest.raises(StopListError, match=rf"my/list\.csv: line {line} .*{cure}"):
        StopList.of(data, "my/list.csv")


def test_the_projects_own_list() -> None:
    own = StopList.of(OWN.read_bytes(), OWN.name)
    unsafe = ["K", "no", "As", "lead", "gold", "Water", "combinations", "egg", "Val"]
    unsafe += ["TCC", "almond", "Hemoglobin", "protein C"]
    safe = ["T3", "5-FU", "ethanol", "aspirin", "oxygen", "lead acetate", "iron", "cocaine", "GABA"]
    safe += ["DES", "almond oil", "erythropoietin", "oxytocin", "garlic"]
    assert stopped(own, *unsafe, *safe) == unsafe


def test_the_projects_own_list_has_every_name_once() -> None:
    lines = OWN.read_text(encoding="utf-8").splitlines()
    names = [line.partition(",")[0].casefold() for line in lines]
    assert len(names) == len(set(names))
