from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets_tests.support.raw import Row, drug_rows, held_to, make_records
from drug_assets_tests.support.registry import DRUGS

pytestmark = pytest.mark.slow

BASE = {"id": "CHEMBL1", "drug": "Alphaquine"}
FORM = {"id": "CHEMBL2", "drug": "Alphaquine nitrate", "form_of": "chembl:CHEMBL1"}


def cleaned(*rows: Row) -> tuple[list[Row], list[Row]]:
    """The drugs and the merged rows; each row without a file gets a file of its own."""
    files = [{"source_file": f"{n}.csv"} | row for n, row in enumerate(rows)]
    kept, merged, names = clean_drugs(make_records(DRUGS, drug_rows(*files)))
    held_to(contracts.DrugNames, names)
    return (
        held_to(contracts.Drugs, kept).to_dicts(),
        held_to(contracts.MergedRecords, merged).to_dicts(),
    )


def forms(*rows: Row) -> dict[str, list[str]]:
    """The forms of each drug, by its name."""
    return {drug["drug"]: drug["forms"] for drug in cleaned(*rows)[0]}


class TestWhatListsSay:
    def test_a_row_that_names_what_it_is_a_form_of(self) -> None:
        (drug,), (merged,) = cleaned(FORM | {"synonyms": "Alphaquin S", "unii": "R16CO5Y76E"}, BASE)
        assert (drug["drug_id"], drug["drug"]) == ("CHEMBL1", "Alphaquine")
        assert drug["names"] == ["Alphaquin S", "Alphaquine", "Alphaquine nitrate"]
        assert drug["forms"] == ["Alphaquin S", "Alphaquine nitrate"]
        assert drug["xrefs"] == ["chembl:CHEMBL1", "chembl:CHEMBL2", "unii:R16CO5Y76E"]
        assert (merged["source_file"], merged["merged_into"], merged["rule"]) == (
            "0.csv",
            "CHEMBL1",
            "form_of_drug",
        )

    def test_names_alone_make_no_form(self) -> None:
        assert forms(BASE, FORM | {"form_of": None}) == {"Alphaquine": [], "Alphaquine nitrate": []}

    def test_a_drug_is_no_form_of_itself_or_of_what_has_not_landed(self) -> None:
        assert forms(BASE | {"form_of": "chembl:CHEMBL1"}) == {"Alphaquine": []}
        assert forms(FORM) == {"Alphaquine nitrate": []}

    def test_a_row_that_is_a_form_of_two_is_one_of_none(self) -> None:
        other = {"id": "CHEMBL3", "drug": "Betaquine"}
        both = FORM | {"form_of": "chembl:CHEMBL1|chembl:CHEMBL3"}
        assert forms(BASE, other, both).keys() == {"Alphaquine", "Betaquine", "Alphaquine nitrate"}

    def test_lists_that_say_other_things_make_no_form(self) -> None:
        other = {"id": "CHEMBL3", "drug": "Betaquine"}
        again = {"drug": "Alphaquine nitrate", "form_of": "chembl:CHEMBL3"}
        assert len(forms(BASE, other, FORM, again)) == 3

    def test_a_list_that_names_its_forms(self) -> None:
        bank = {"id": "DB90001", "drug": "Alphaquine", "forms": "Alphaquine nitrate|Alpha S"}
        own = {"id": "7", "drug": "ALPHAQUINE NITRATE"}
        assert forms(bank) == {"Alphaquine": ["Alpha S", "Alphaquine nitrate"]}
        (drug,), (merged,) = cleaned(bank, own)
        assert drug["drug_id"] == "DB90001"
        assert drug["forms"] == ["ALPHAQUINE NITRATE", "Alpha S", "Alphaquine nitrate"]
        assert merged["rule"] == "form_of_drug"

    def test_a_name_of_forms_of_two_drugs_tells_nothing(self) -> None:
        one = {"id": "1x", "drug": "Alphaquine", "forms": "Gamma nitrate"}
        two = {"id": "2x", "drug": "Betaquine", "forms": "Gamma nitrate"}
        assert len(forms(one, two, {"drug": "Gamma nitrate"})) == 3

    @pytest.mark.parametrize("fields", [{}, {"id": "7"}])
    def test_a_synonym_that_is_the_name_and_words_of_forms(self, fields: Row) -> None:
        bank = {"id": "DB90001", "drug": "Alphaquine", "synonyms": "Alphaquine nitrate|Alphamine"}
        (drug,), (merged,) = cleaned(bank, {"drug": "ALPHAQUINE NITRATE", **fields})
        assert drug["drug"] == "Alphaquine"
        assert drug["forms"] == ["ALPHAQUINE NITRATE", "Alphaquine nitrate"]
        assert merged["rule"] == "form_of_drug"
        # Another synonym is a name of the drug itself, or of another one.
        kept, rows = cleaned(bank, {"drug": "ALPHAMINE", **fields})
        assert (len(kept), len(rows)) == ((2, 0) if fields else (1, 1))

    def test_one_list_that_has_both_means_two_drugs(self) -> None:
        file = {"source_file": "own.csv"}
        base = {**file, "id": "1", "drug": "Alphaquine", "synonyms": "Alphaquine nitrate"}
        assert len(forms(base, {**file, "id": "2", "drug": "Alphaquine nitrate"})) == 2

    def test_a_supplementary_record_named_after_its_one_descriptor(self) -> None:
        mesh = {"id": "D900001", "mesh": "D900001", "drug": "Alphaquine", "tree_numbers": "D02.1"}
        mapped = {"id": "C900001", "mesh": "C900001", "mapped_to": "D900001"}
        assert forms(mesh, {**mapped, "drug": "alphaquine nitrate"}) == {
            "Alphaquine": ["alphaquine nitrate"]
        }
        # The mapping leads to the nearest heading, also that of another substance.
        assert len(forms(mesh, {**mapped, "drug": "betaquine"})) == 2
        other = {"id": "D900002", "mesh": "D900002", "drug": "Sulfates", "tree_numbers": "D02.2"}
        both = {**mapped, "drug": "alphaquine nitrate", "mapped_to": "D900001|D900002"}
        assert len(forms(mesh, other, both)) == 3


class TestWhatStaysApart:
    def test_drugs_with_atc_codes_of_their_own(self) -> None:
        base, form = BASE | {"atccode": "A04AD01"}, FORM | {"atccode": "A04AD02"}
        assert len(forms(base, form)) == 2
        assert len(forms(base, FORM)) == 1
        assert len(forms(BASE, form)) == 1
        assert len(forms(base | {"atccode": "A04AD01|A04AD02"}, form)) == 1
        assert len(forms(base, form | {"atccode": "A04AD01"})) == 1
        assert len(forms(base, form | {"atccode": "R01AD"})) == 1

    def test_two_drugs_of_a_teams_list(self) -> None:
        own = {"source_file": "own.csv"}
        base = {**own, "id": "1", "drug": "Alphaquine"}
        form = {**own, "id": "2", "drug": "Alphaquine nitrate"}
        assert len(forms(BASE, FORM, base, form)) == 2
        assert len(forms(BASE, FORM, base)) == len(forms(BASE, FORM, form)) == 1
        another = FORM | {"id": "CHEMBL3", "drug": "Alphaquine acetate"}
        second = {**own, "id": "3", "drug": "Alphaquine acetate"}
        assert len(forms(BASE, FORM, another, form, second)) == 3

    def test_what_hangs_on_a_drug_that_stays_apart_stays_with_it(self) -> None:
        hydrate = {"id": "CHEMBL3", "drug": "Alphaquine nitrate hydrate"}
        rows = (
            BASE | {"atccode": "A04AD01"},
            FORM | {"atccode": "A04AD02"},
            hydrate | {"form_of": "chembl:CHEMBL2"},
        )
        assert forms(*rows) == {
            "Alphaquine": [],
            "Alphaquine nitrate": ["Alphaquine nitrate hydrate"],
        }

    def test_a_code_is_one_of_its_own_also_over_a_chain(self) -> None:
        hydrate = {"id": "CHEMBL3", "drug": "Alphaquine nitrate hydrate", "atccode": "A04AD02"}
        rows = BASE | {"atccode": "A04AD01"}, FORM, hydrate | {"form_of": "chembl:CHEMBL2"}
        assert forms(*rows) == {
            "Alphaquine": ["Alphaquine nitrate"],
            "Alphaquine nitrate hydrate": [],
        }


class TestChains:
    def of(self, *links: str) -> dict[str, list[str]]:
        """The drugs and their forms, from links such as `b>a`: b is a form of a."""
        pairs = [(link[0], link[2]) for link in links]
        ids = {drug: f"CHEMBL{ord(drug) + 100}" for pair in pairs for drug in pair}
        rows: list[Row] = [{"id": ids[drug], "drug": f"drug {drug}"} for drug in sorted(ids)]
        said: list[Row] = [
            {"drug": f"drug {one}", "form_of": f"chembl:{ids[other]}"} for one, other in pairs
        ]
        found = forms(*rows, *said)
        assert forms(*said[::-1], *rows[::-1]) == found
        return {drug[-1]: [form[-1] for form in of_drug] for drug, of_drug in found.items()}

    def test_a_form_of_a_form_is_one_of_the_last(self) -> None:
        assert self.of("c>b", "b>a") == {"a": ["b", "c"]}
        assert self.of("a>b", "b>c", "d>b") == {"c": ["a", "b", "d"]}

    def test_in_a_circle_the_first_id_decides(self) -> None:
        assert self.of("a>b", "b>a") == {"a": ["b"]}
        assert self.of("b>c", "c>d", "d>b", "a>d") == {"b": ["a", "c", "d"]}

    def test_several_ways_to_one_drug_are_no_contradiction(self) -> None:
        assert self.of("c>b", "c>a", "b>a") == {"a": ["b", "c"]}
        assert self.of("d>b", "d>c", "b>a", "c>a") == {"a": ["b", "c", "d"]}
        assert self.of("d>c", "d>a", "c>b", "b>a") == {"a": ["b", "c", "d"]}

    def test_ways_to_two_drugs_lead_to_neither(self) -> None:
        assert self.of("c>b", "c>a") == {"a": [], "b": [], "c": []}
        assert self.of("d>c", "c>b", "c>a") == {"a": [], "b": [], "c": ["d"]}

    def test_a_long_chain(self) -> None:
        rows = [
            {"id": f"CHEMBL{n + 1}", "drug": f"drug {n}", "form_of": f"chembl:CHEMBL{n + 2}"}
            for n in range(100)
        ]
        (drug,), merged = cleaned(*rows[::-1], {"id": "CHEMBL101", "drug": "last"})
        assert (drug["drug"], len(merged)) == ("last", 100)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_lists_makes_no_difference(links: list[tuple[int, int]], random: Any) -> None:
    rows: list[Row] = [
        {"id": f"CHEMBL{n}", "drug": f"drug {n}", "atccode": f"A04AD0{n}" if n < 3 else None}
        for n in range(1, 6)
    ]
    rows += [{"drug": f"drug {n}", "form_of": f"chembl:CHEMBL{m}"} for n, m in links]
    assert cleaned(*random.sample(rows, len(rows)))[0] == cleaned(*rows)[0]
