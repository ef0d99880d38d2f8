from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning import name_variants
from drug_assets.cleaning.name_variants import RULES, make_variants
from drug_assets.cleaning.text import fold_string


def made(names: dict[str, list[str]], *rules: str) -> dict[str, set[str]]:
    """The variants of each drug's names, by the named rules or all."""
    rows = [(drug, name) for drug, of_drug in names.items() for name in of_drug]
    listed = pl.DataFrame(rows, schema={"drug_id": pl.String, "name": pl.String}, orient="row")
    chosen = {rule: RULES[rule] for rule in rules or RULES}
    found: dict[str, set[str]] = {}
    for drug, name in make_variants(listed, chosen).rows():
        found.setdefault(drug, set()).add(name)
    return found


@pytest.mark.parametrize(
    ("rule", "name", "variant"),
    [
        ("without_ion", "Lithium cation", "lithium"),
        ("without_ion", "Lithium, ion", "lithium"),
        ("without_ion", "Potassium (ion)", "potassium"),
        ("without_ion", "calcium(2+) ion", "calcium"),
        ("without_ion", "Iron(III) ion", "iron"),
        ("without_ion", "Sulfate ions", "sulfate"),
        ("salt_of_acid", "GLUTAMIC ACID", "glutamate"),
        ("salt_of_acid", "Mycophenolic acid", "mycophenolate"),
        ("older_spelling", "Sulfasalazine", "sulphasalazine"),
        ("older_spelling", "Morphine Sulfate", "morphine sulphate"),
        ("older_spelling", "Cefalexin", "cephalexin"),
        ("older_spelling", "Dexamfetamine", "dexamphetamine"),
        ("older_spelling", "Estradiol", "oestradiol"),
        ("older_spelling", "Ethinylestradiol", "ethinyloestradiol"),
        ("older_spelling", "Hexestrol", "hexoestrol"),
        ("older_spelling", "Interferon alfa-2b", "interferon alpha-2b"),
        ("with_blank", "5-Fluorouracil", "5 fluorouracil"),
        ("with_blank", "MK-801", "mk 801"),
        ("with_blank", "MK801", "mk 801"),
        ("with_blank", "Interleukin-3", "interleukin 3"),
        ("with_hyphen", "5 Fluorouracil", "5-fluorouracil"),
        ("with_hyphen", "FK 506", "fk-506"),
        ("with_hyphen", "FK506", "fk-506"),
        ("in_one", "FK-506", "fk506"),
        ("in_one", "FK 506", "fk506"),
    ],
)
def test_what_a_rule_makes_of_a_name(rule: str, name: str, variant: str) -> None:
    assert made({"x": [name]}, rule) == {"x": {variant}}


@pytest.mark.parametrize(
    "name",
    [
        "tetracycline",  # no plural
        "ethanol",
        "ion",
        "Acid",
        "folic acids",
        "Vitamin B",
        "Vitamin B-1",
        "B 6",
        "B12",
        "IL10",
        "Mestranol",
        "Levonorgestrel",
        "Agaricus campestris",
        "desulfo",
        "Metformin hydrochloride",  # no salt
        "x" * 40 + "ic acid",  # longer than a title has
        "1,3-bis(2-chloroethyl)-1-nitrosourea",
    ],
)
def test_other_names_are_left_as_they_are(name: str) -> None:
    variant = {"desulfo": {"x": {"desulpho"}}}
    assert made({"x": [name]}) == variant.get(name, {})


def test_a_listed_name_is_nobodys_variant() -> None:
    assert made({"x": ["Citric acid"], "y": ["CITRATE"]}) == {}


def test_a_spelling_that_several_drugs_would_share_is_left_out() -> None:
    assert made({"x": ["Iron(2+)"], "y": ["iron(3+)", "FK-506"]}) == {"y": {"fk 506", "fk506"}}


def test_one_drug_may_have_it_from_several_names() -> None:
    assert made({"x": ["Lithium cation", "Lithium ion"]}) == {"x": {"lithium"}}


def test_the_earlier_rule_has_the_first_claim() -> None:
    names = {"x": ["Glutamate ion"], "y": ["Glutamic acid"]}
    assert made(names) == {"x": {"glutamate"}}
    assert made(names, "salt_of_acid") == {"y": {"glutamate"}}


_NAMES = st.lists(
    st.sampled_from(
        [
            "Citric acid",
            "citrate ion",
            "Citrate",
            "FK-506",
            "fk 506",
            "Fk506",
            "sulfate",
            "Sulfate-35",
        ]
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from("xyz"), _NAMES))
def test_no_variant_is_listed_or_ambiguous(names: dict[str, list[str]]) -> None:
    found = made(names)
    every = [variant for of_drug in found.values() for variant in of_drug]
    listed = {fold_string(name) for of_drug in names.values() for name in of_drug}
    assert len(every) == len(set(every))
    assert listed.isdisjoint(every)
    assert all(fold_string(variant) == variant for variant in every)


def test_every_rule_says_what_it_does() -> None:
    for rule in RULES:
        assert "->" in (getattr(name_variants, rule).__doc__ or "")
