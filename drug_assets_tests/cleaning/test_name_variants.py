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


#: Edge cases, by rule: names, and the variant that the rule makes of each.
EDGES = {
    "without_ion": {
        "zinc ion": "zinc",
        "zinc ions": "zinc",
        "zinc, ion": "zinc",
        "zinc, ions": "zinc",
        "zinc (ion)": "zinc",
        "zinc, (ion)": "zinc",
        "zinc cation": "zinc",
        "zinc, cations": "zinc",
        "zinc anions": "zinc",
        "zinc, anion": "zinc",
        "zinc(+)": "zinc",
        "zinc(1+)": "zinc",
        "zinc(9+)": "zinc",
        "zinc (2+)": "zinc",
        "zinc (2+) ion": "zinc",
        "iodide(-)": "iodide",
        "iodide(1−)": "iodide",
        "iodide(1-) ion": "iodide",
        "iron(i) ion": "iron",
        "iron(iv) cation": "iron",
        "iron(vii) anion": "iron",
        "calcium sulfate ion": "calcium sulfate",
    },
    "salt_of_acid": {
        "folic acid": "folate",
        "2-ketoglutaric acid": "2-ketoglutarate",
        "D-(+)-camphoric acid": "d-(+)-camphorate",
        "x" * 33 + "ic acid": "x" * 33 + "ate",  # as long as a name with variants may be
    },
    "older_spelling": {
        "sulfasulfur": "sulphasulphur",
        "cefalexin": "cephalexin",
        "x cefalexin": "x cephalexin",
        "x-cefalexin": "x-cephalexin",
        "lisdexamfetamine": "lisdexamphetamine",
        "alfa": "alpha",
        "alfa-2b": "alpha-2b",
        "estrone": "oestrone",
        "conjugated estrogens": "conjugated oestrogens",
        "xestradiol": "xoestradiol",
        "xestriol": "xoestriol",
        "xestrone": "xoestrone",
        "xestrol": "xoestrol",
        "xestrenol": "xoestrenol",
    },
    "with_blank": {
        "abc-0": "abc 0",
        "abc-1": "abc 1",
        "abc-1-d": "abc 1-d",
        "b-12": "b 12",
        "il-12": "il 12",
        "il-12a": "il 12a",
        "5-asa": "5 asa",
        "b5-asab": "b5 asab",
        "ab123": "ab 123",
        "atx-130": "atx 130",
        "x at-130": "x at 130",
        "abcde123456": "abcde 123456",
    },
    "with_hyphen": {
        "abc 1": "abc-1",
        "x abc 1": "x abc-1",
        "b 12": "b-12",
        "q 10": "q-10",
        "il 12": "il-12",
        "il 123": "il-123",
        "il 12 a": "il-12 a",
        "5 asa": "5-asa",
        "10 abcd": "10-abcd",
        "ab123": "ab-123",
        "abcde123456": "abcde-123456",
    },
    "in_one": {
        "b 12": "b12",
        "b-12": "b12",
        "abcde 123456": "abcde123456",
    },
}


@pytest.mark.parametrize("rule", RULES)
def test_the_edges_of_a_rule(rule: str) -> None:
    for name, variant in EDGES[rule].items():
        assert made({"x": [name]}, rule) == {"x": {variant}}


#: Names that a rule leaves as they are, each nearly one of those that it changes.
NEARLY = {
    "without_ion": [
        *("tin ion", "zincion", "zinc ionx", "zinc,, ion", "zinc (ions)"),
        *("zinc xion", "zinc(10+)", "zinc(0+)", "zinc(+-)", "zinc(x+)", "zinc()"),
        *("iron(ii)", "iron() ion", "iron(x) ion", "zinc-65 ion", "2-zinc ion", "ion"),
        *("zinc(2+)ion", "iron(ii)ion", "zinc (anion)"),
    ],
    "salt_of_acid": [
        *("uric acid", "folic acids", "folic  acid", "folicacid", "fol1ic acid", "folous acid"),
        *("folic acid 2", "x" * 34 + "ic acid"),
    ],
    "older_spelling": [
        *("biocef", "alfalfa", "alfaxalone", "xalfa", "amfetam", "sulpha"),
        *("gestradiol", "mestradiol", "oestradiol", "vestradiol"),
        *("xestrin", "xestra", "campestris"),
    ],
    "with_blank": [
        *("ab-1", "b-1", "5-as", "a123", "ab12", "abcdef123", "ab1234567", "ab123c", "abc--1"),
        *("a,bcd-1", "abc-1,2", "[a]bcd-1", "abc-1[a]", "{a}bcd-1", "abc-1{a}", "abc-x1"),
        *("a,b-12", "b-12,3", "[b]b-12", "b-12]", "b}b-12", "b-12{", "b-x12"),
        *("1,2-abc", "2-abc,d", "[2-abc", "2-abc]", "{2-abc", "2-abc}", "2-xy1"),
        "abc 1",
        # Words of the language.
        *("a-70", "at-130", "at130", "of-900"),
    ],
    "with_hyphen": ["ab 1", "b 1", "5 as", "a123", "ab12", "abc  1", "a,bcd 1", "abc-1"],
    "in_one": ["b 1", "abcdef 12", "b 1234567", "b--12", "b 12 c", "1 12", "x b 12", "b12"],
}


@pytest.mark.parametrize("rule", RULES)
def test_what_is_nearly_for_a_rule_is_left_as_it_is(rule: str) -> None:
    for name in NEARLY[rule]:
        assert (name, made({"x": [name]}, rule)) == (name, {})


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


def test_spellings_are_in_the_order_of_rules_then_drugs_then_names() -> None:
    names = {
        "y": ["zinc ion", "gold-198", "calcium ion"],
        "x": ["zinc-65", "iron ion", "iron-59", "lead ion"],
    }
    rows = [(drug, name) for drug, of_drug in names.items() for name in of_drug]
    listed = pl.DataFrame(rows, schema={"drug_id": pl.String, "name": pl.String}, orient="row")
    expected = [("x", "iron"), ("x", "lead"), ("y", "calcium"), ("y", "zinc")]
    expected += [("x", "iron 59"), ("x", "zinc 65"), ("y", "gold 198")]
    expected += [("x", "iron59"), ("x", "zinc65"), ("y", "gold198")]
    assert make_variants(listed).rows() == make_variants(listed.reverse()).rows() == expected


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


@pytest.mark.slow
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


PIECES = st.sampled_from(
    [
        "ion",
        "ions",
        "cation",
        "(ion)",
        "(2+)",
        "(iii)",
        "ic acid",
        "sulf",
        "cef",
        "alfa",
        "estr",
        "amfetamin",
        "estradiol",
        "mestr",
        "abc",
        "acid",
        "5",
        "50",
        "506",
        " ",
        "-",
        ", ",
        "fk",
    ]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PIECES, min_size=1, max_size=5).map("".join), min_size=1, max_size=8))
def test_only_names_that_a_rule_cannot_change_are_passed_over(names: list[str]) -> None:
    listed = pl.DataFrame({"name": [fold_string(name) for name in names]})
    for rule in RULES.values():
        changed = listed.filter(rule(pl.col("name")) != pl.col("name"))
        assert changed["name"].str.contains(name_variants._CHANGES[rule]).all()
