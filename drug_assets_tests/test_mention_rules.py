from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import audit
from drug_assets.mentions import Vocabulary, find_mentions
from drug_assets.terms import SpanOrigin
from drug_assets_tests.support.raw import listed_drug, mention, table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

RULES = [rule for rule in SpanOrigin if rule is not SpanOrigin.NAME]
DRUGS: Mapping[str, Sequence[str]] = {
    "zetamol": ["zetamol", "zetamol sodium"],
    "alpha-betazide": ["alpha-betazide", "5-betazide"],
    "gammide": ["gammide", "GMD"],
    "calcium": ["calcium cation"],
    "lithium": ["lithium"],
    "sodium": ["sodium"],
    "iron oxide": ["iron oxide", "commonate"],
    "copper": ["copper", "commonate"],
    "cobalt": ["cobalt ion"],
}


def search(
    titles: Sequence[str], rules: Collection[SpanOrigin] = RULES, **how: Any
) -> pl.DataFrame:
    names = [(drug, name) for drug, of_drug in DRUGS.items() for name in of_drug]
    vocabulary = Vocabulary.of(pl.DataFrame(names, schema=["drug_id", "name"], orient="row"))
    frame = pl.LazyFrame({"row": range(len(titles)), "title": titles})
    return find_mentions(frame, vocabulary, rules=rules, **how)


def by_rules(title: str, rules: Collection[SpanOrigin] = RULES) -> list[tuple[str, str, str]]:
    """The drug, the text and the rule of what rules find, from left to right."""
    found = [
        (span["start"], row["drug_id"], span["text"], span["by"])
        for row in search([title], rules).iter_rows(named=True)
        for span in row["spans"]
        if span["by"] != SpanOrigin.NAME
    ]
    return [(drug, text, by) for _, drug, text, by in sorted(found)]


def texts(title: str, *rules: SpanOrigin) -> list[str]:
    return [text for _, text, _ in by_rules(title, rules or RULES)]


class TestAbbreviations:
    def test_counts_in_its_brackets_and_wherever_it_stands_behind(self) -> None:
        title = "ZTM before zetamol (ZTM): ZTM-induced pain, and (ZTM)."
        assert by_rules(title) == [("zetamol", "ZTM", "abbreviation")] * 3
        starts = [span["start"] for span in search([title])["spans"][0]]
        assert starts == [11, 20, 26, 49]

    @pytest.mark.parametrize(
        "short", ["ZTM", "ZTL", "Ztm", "zML", "ZETAM", "Z-TM", "Z\N{HYPHEN}TM"]
    )
    def test_its_letters_stand_in_the_name_in_their_order(self, short: str) -> None:
        assert texts(f"Zetamol ({short}) in rats", SpanOrigin.ABBREVIATION) == [short]

    @pytest.mark.parametrize("short", ["ZMT", "ETM", "MOL", "ZTX", "ZTMM", "ztm", "Z", "dose"])
    def test_what_is_not_short_for_the_name(self, short: str) -> None:
        assert by_rules(f"Zetamol ({short}) in rats") == []

    def test_begins_with_the_beginning_of_any_word_of_the_name(self) -> None:
        assert texts("5-betazide (5-BZ) or alpha-betazide (BZD)") == ["5-BZ", "BZD"]

    @pytest.mark.parametrize(
        "title",
        [
            "Zetamol and pain (ZTM)",
            "Zetamol ZTM",
            "Zetamol [ZTM]",
            "Zetamol (the ZTM)",
            "Zetamol (ZTM, 5 mg)",
            "(ZTM) zetamol",
        ],
    )
    def test_stands_alone_in_brackets_directly_behind_the_name(self, title: str) -> None:
        assert by_rules(title) == []

    def test_is_compared_as_it_is_written(self) -> None:
        assert texts("Zetamol (ZTM) and ztm") == ["ZTM"]

    @pytest.mark.parametrize("word", ["ZTMs", "ZTM2", "XZTM", "ZTMZTM", "ZTM\N{SUPERSCRIPT TWO}"])
    def test_is_a_whole_word(self, word: str) -> None:
        assert texts(f"Zetamol (ZTM) and {word}") == ["ZTM"]

    def test_of_a_name_of_several_drugs_is_ambiguous(self) -> None:
        found = search(["Commonate (CMN) and zetamol (ZTM)"])
        assert found.select("drug_id", "ambiguous", pl.col("spans").list.len()).rows() == [
            ("copper", True, 2),
            ("iron oxide", True, 2),
            ("zetamol", False, 2),
        ]

    def test_a_name_stays_a_name(self) -> None:
        """GMD is short for gammide, and a name of it."""
        (spans,) = search(["Gammide (GMD) or GMD"])["spans"]
        assert [span["by"] for span in spans] == ["name"] * 3


class TestInBrackets:
    @pytest.mark.parametrize(
        "word",
        ["FK506", "WR-2721", "NSC 343499", "BDE\N{HYPHEN}47", "Trental", "Dimer-X", "Trental®"],
    )
    def test_a_code_or_a_capital(self, word: str) -> None:
        title = f"Effects of gammide ({word}) on the liver"
        assert by_rules(title) == [("gammide", word.removesuffix("®"), "in_brackets")]

    @pytest.mark.parametrize(
        "word",
        [
            "COX-2",
            "NCT01234567",
            "ABCDE",
            "trental",
            "Tre",
            "100 mg",
            "2021",
            "CYP2D6",
            "X-1",
            "ADHD",
        ],
    )
    def test_no_name_by_its_looks(self, word: str) -> None:
        assert by_rules(f"Effects of gammide ({word}) on the liver") == []

    def test_a_capital_says_nothing_in_title_case(self) -> None:
        assert texts("Effects of Gammide (Review) on the Liver in Children and Adults") == []
        assert texts("Effects of Gammide (FK506) on the Liver in Children and Adults") == ["FK506"]

    def test_counts_again_behind_its_brackets(self) -> None:
        assert (
            texts("Gammide (Trental) or placebo: what trental and Trental did") == ["Trental"] * 2
        )

    def test_an_element_is_part_of_the_name_of_a_salt(self) -> None:
        assert by_rules("Effects of deltate sodium (Trental) on the liver") == []
        assert by_rules("Effects of zetamol sodium (Trental) on the liver") != []


class TestBeforeBrackets:
    def test_a_code_or_a_capital(self) -> None:
        expected = [("gammide", "FK506", "before_brackets")]
        assert by_rules("FK506 (gammide) in rats") == expected
        title = "Toxicity of Trental® (gammide) and again of Trental, in rats"
        assert texts(title) == ["Trental", "Trental"]

    @pytest.mark.parametrize(
        "title",
        [
            "Chemotherapy (gammide) in rats",
            "The analog (gammide) in rats",
            "Anti-CD20 (gammide) in rats",
            "FK506 (oral gammide) in rats",
            "FK506 (gammide, oral) in rats",
            "Effects of the Analog (gammide) on the Liver in Children",
            "Use of the Activity Study (GMD) in health care",
        ],
    )
    def test_no_name_by_its_looks_or_place(self, title: str) -> None:
        assert by_rules(title) == []


class TestIons:
    @pytest.mark.parametrize(
        "formula",
        [
            "Ca2+",
            "Ca²⁺",
            "Ca₂+",
            "Ca(2+)",
            "Ca++",
            "Ca+2",
            "Ca(II)",
            "Li+",
            "Li(+)",
            "Li⁺",
            "Co(III)",
        ],
    )
    def test_a_formula_of_a_listed_element(self, formula: str) -> None:
        (found,) = by_rules(f"On {formula}-dependent and other channels")
        assert found[1:] == (formula, "ion")
        assert found[0] == {"Ca": "calcium", "Li": "lithium", "Co": "cobalt"}[formula[:2]]

    @pytest.mark.parametrize(
        "text",
        [
            "Ca", "Ca+", "Ca3+", "CaCl2", "Li2+", "Li++", "CO2+", "Co+", "ca2+", "XCa2+", "Ca2+x",
            "Fe3+", "Li(I)", "CD4+", "Zn2+",
        ],
    )  # fmt: skip
    def test_no_formula_or_no_drug_of_the_list(self, text: str) -> None:
        assert by_rules(f"On {text} and channels") == []

    def test_each_of_several(self) -> None:
        found = texts("Na+/Li+ exchange: [Ca2+]i, Cu+, Cu2+ and Na+-K+-ATPase")
        assert found == ["Na+", "Li+", "Ca2+", "Cu+", "Cu2+", "Na+"]


class TestChoice:
    @pytest.mark.parametrize("rule", RULES)
    def test_only_what_is_asked_for_is_found(self, rule: SpanOrigin) -> None:
        title = "FK506 (gammide), zetamol (ZTM), 5-betazide (Trental), which are of Ca2+, are given"
        assert len(by_rules(title)) == 4
        assert {by for *_, by in by_rules(title, [rule])} == {rule.value}

    def test_the_first_rule_counts(self) -> None:
        title = "Effects of zetamol (Zetamo) in rats that were young"
        assert [by for *_, by in by_rules(title)] == ["abbreviation"]
        assert [by for *_, by in by_rules(title, [SpanOrigin.IN_BRACKETS])] == ["in_brackets"]

    def test_without_rules_every_span_is_by_name(self) -> None:
        spans = search(["Zetamol (ZTM), Ca2+ and lithium"], ())["spans"].explode()
        assert spans.struct.field("by").to_list() == ["name"] * 2


PIECES = st.sampled_from(
    [
        *("zetamol", "Zetamol sodium", "alpha-betazide", "gammide", "GMD", "calcium", "lithium"),
        *("ZTM", "BZ", "FK506", "Trental", "NSC 123", "Ca2+", "Ca²⁺", "Na+", "Li(+)", "Cu(II)"),
        *(" (", ")", ") ", " ", "-", "/", "+", ", ", "é", "𝛼", "²", "and words", " of the "),
    ]
)
TITLES = st.lists(PIECES, min_size=1, max_size=14).map("".join)


def of_titles(found: pl.DataFrame) -> list[dict[str, Any]]:
    spans = found.select("row", "title", "drug_id", span="spans").explode("span").unnest("span")
    return spans.rows(named=True)


@pytest.mark.slow
@given(titles=st.lists(TITLES, min_size=1, max_size=5), data=st.data())
@settings(max_examples=60, deadline=None)
def test_rules_only_add(titles: list[str], data: st.DataObject) -> None:
    rules = data.draw(st.sets(st.sampled_from(RULES)))
    named, found = of_titles(search(titles, ())), of_titles(search(titles, rules, batch_rows=2))
    assert [span for span in found if span["by"] == SpanOrigin.NAME] == named
    for span in found:
        title, start, end = span["title"], span["start"], span["end"]
        assert title[start:end] == span["text"]
        if span["by"] != SpanOrigin.NAME:
            assert span["by"] in rules
            assert not title[max(start - 1, 0) : start].isalnum()
            assert not title[end : end + 1].isalnum()
            for other in found:
                apart = end <= other["start"] or other["end"] <= start
                same = (other["start"], other["end"]) == (start, end)
                assert other["row"] != span["row"] or apart or (same and other["by"] != "name")


@pytest.mark.slow
@given(titles=st.lists(TITLES, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_what_rules_find_passes_the_check(titles: list[str]) -> None:
    found = search(titles)
    rows = [
        mention(row["drug_id"], str(number), title=row["title"], spans=row["spans"])
        for number, row in enumerate(found.iter_rows(named=True))
    ]
    assert check(*rows).passed


def check(*mentions: dict[str, Any]) -> audit.Finding:
    drugs = [listed_drug(drug, names=names) for drug, names in DRUGS.items()]
    return audit.spans_spell_their_drug(table("mentions", *mentions), table("drugs", *drugs))


class TestCheck:
    TITLE = "Ca2+ and zetamol (ZTM): ZTM"
    NAME = (9, 16, "name")

    def finding(self, *spans: tuple[int, int, str], drug: str = "zetamol") -> audit.Finding:
        of_title = [
            {"start": start, "end": end, "text": self.TITLE[start:end], "by": by}
            for start, end, by in spans
        ]
        return check(mention(drug, title=self.TITLE, spans=of_title))

    def test_justified_spans(self) -> None:
        named = self.finding(self.NAME, (18, 21, "abbreviation"), (24, 27, "abbreviation"))
        assert named.figures == {"spans": 3, "wrong": 0}
        assert self.finding((0, 4, "ion"), drug="calcium").passed

    @pytest.mark.parametrize(
        "span",
        [(18, 21, "in_brackets"), (18, 20, "abbreviation"), (0, 4, "ion"), (18, 21, "name"),
         (5, 8, "abbreviation"), (9, 16, "abbreviation"), (18, 21, "guess")],
    )  # fmt: skip
    def test_spans_that_no_rule_justifies(self, span: tuple[int, int, str]) -> None:
        assert self.finding(self.NAME, span).figures == {"spans": 2, "wrong": 1}

    def test_a_rule_needs_the_name_that_it_goes_by(self) -> None:
        assert not self.finding((18, 21, "abbreviation")).passed
        assert not self.finding(self.NAME, (18, 21, "abbreviation"), drug="gammide").passed
