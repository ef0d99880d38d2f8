from __future__ import annotations

import csv

import polars as pl
import pytest

from drug_assets.cleaning.name_forms import (
    WORDS,
    find_named_after,
    list_own_names,
    without_form,
)
from drug_assets.cleaning.text import fold_string


def bases(name: str) -> set[str]:
    """What a name is without words of forms."""
    names = pl.DataFrame({"name": [fold_string(name)]})
    return set(names.select(without_form(pl.col("name"))).item())


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Alphaquine diphosphate", "alphaquine"),
        ("Alphaquine phosphate (1:2)", "alphaquine"),
        ("Alphaquine sulfate (2:1), pentahydrate", "alphaquine"),
        ("alphaquine Hydrochloride, (5 alpha)-Isomer", "alphaquine"),
        ("alphaquine, (R-(R*,S*))-isomer", "alphaquine"),
        ("Alphaquine methyl ester", "alphaquine"),
        ("sodium alphaate", "alphaate"),
        ("alphaate sodium", "alphaate"),
        ("(R)-alphaquine", "alphaquine"),
        ("dl-alphaquine", "alphaquine"),
        ("chlorhydrate d'alphaquine", "alphaquine"),
        ("Chlorhydrate de bêtaquine monohydraté", "betaquine"),
        ("betaquine (chlorhydrate de)", "betaquine"),
        ("beta-quine gamma hydrate", "beta-quine gamma"),
    ],
)
def test_what_a_form_is_a_form_of(name: str, base: str) -> None:
    assert base in bases(name)


@pytest.mark.parametrize(
    "name",
    [
        "alphaquine",
        "alphaquinehydrochloride",
        "hydrochloride",
        "d-a",
        "alphaquine hydrochlorides",
        "alphaquine receptor",
        "desethyl alphaquine",
        "3-methylalphaquine",
    ],
)
def test_other_names_are_no_forms(name: str) -> None:
    assert bases(name) == set()


def test_a_name_of_words_of_forms_alone_can_be_a_form_of_either() -> None:
    assert bases("calcium carbonate") == {"calcium", "carbonate"}


def test_own_names_are_those_of_lists_and_of_the_radicals_of_acids() -> None:
    rows = pl.DataFrame({"component": [1, 1, 2], "folded_name": ["alphoic acid", "alphal", "b"]})
    assert set(list_own_names(rows).rows()) == {
        (1, "alphoic acid"),
        (1, "alphoate"),
        (1, "alphal"),
        (2, "b"),
    }


def test_a_name_is_a_form_only_of_the_drug_it_is_named_after() -> None:
    own = pl.DataFrame({"component": [1, 2], "name": ["alpha", "beta"]})
    names = pl.DataFrame(
        {"of": [1, 2, 1, 1], "name": ["alpha sulfate", "alpha sulfate", "beta sulfate", "alpha"]}
    )
    assert find_named_after(names, "of", own).rows() == [(1, "alpha sulfate")]


def test_every_word_stands_once_with_a_kind() -> None:
    with WORDS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    words = [row["word"] for row in rows]
    assert len(words) == len(set(words))
    assert {row["kind"] for row in rows} == {"salt", "ester", "hydrate", "isomer"}
