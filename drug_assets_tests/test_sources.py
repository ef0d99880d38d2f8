from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets import contracts, sources
from drug_assets.sources import (
    CLINICAL_TRIALS,
    DRUGS,
    PUBMED,
    Source,
    is_documentation,
    natural_key,
    source_of,
)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("drugs.csv", DRUGS),
        ("PubMed_2024.json", PUBMED),
        ("pubmed24n0001.xml.gz", PUBMED),
        ("CLINICAL_TRIALS", CLINICAL_TRIALS),
        ("a/b/c/drugs_list.tsv", DRUGS),
        ("clinical_trials/page1.json", CLINICAL_TRIALS),
        ("PubMed_baseline/2024/n0001.xml", PUBMED),
        # A name says more than the folder it lies in, a near folder more than a far one.
        ("drugs/pubmed.csv", PUBMED),
        ("drugs/pubmed/x.csv", PUBMED),
        ("my_drugs.csv", None),
        ("clinical.csv", None),
        ("clinicaltrials.csv", None),
    ],
)
def test_a_file_belongs_to_a_source_by_the_start_of_a_name(
    path: str, source: Source | None
) -> None:
    assert source_of(path) is source


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("README", True),
        ("a/readme.txt", True),
        ("drugs.MD", True),
        (".drugs.csv", True),
        (".git/drugs.csv", True),
        ("drugs.csv", False),
        ("my_readme.txt", False),
        ("drugs.md.csv", False),
    ],
)
def test_documentation(path: str, is_one: bool) -> None:
    assert is_documentation(path) is is_one


@pytest.mark.parametrize(
    ("source", "header", "field"),
    [
        (DRUGS, "ATC Code", "atccode"),
        (DRUGS, "atc", "atccode"),
        (DRUGS, "DRUG", "drug"),
        (DRUGS, "Drug-ID", "id"),
        (PUBMED, "PMID", "id"),
        (PUBMED, " Title ", "title"),
        (PUBMED, "scientific_title", None),
        (CLINICAL_TRIALS, "Scientific Title", "scientific_title"),
        (CLINICAL_TRIALS, "title", "scientific_title"),
        (CLINICAL_TRIALS, "NCT_Id", "id"),
        # Where a row stood is not for the file to say.
        (PUBMED, "source_file", None),
        (PUBMED, "extra", None),
    ],
)
def test_headers_match_whatever_their_case_spaces_or_underscores(
    source: Source, header: str, field: str | None
) -> None:
    assert source.field_of(header) == field


@pytest.mark.parametrize("source", sources.ALL, ids=lambda s: s.name)
class TestEverySource:
    def test_has_its_raw_table(self, source: Source) -> None:
        assert contracts.TABLES[f"raw_{source.name}"] is source.contract
        assert [*source.fields] == [
            c for c in source.contract.column_names() if c not in contracts.RawRecord.column_names()
        ]

    def test_needs_one_of_its_fields(self, source: Source) -> None:
        assert set(source.required) <= set(source.fields)

    def test_knows_its_own_fields_and_aliases_as_they_are_compared(self, source: Source) -> None:
        assert [source.field_of(field) for field in source.fields] == [*source.fields]
        for alias, field in source.aliases.items():
            assert sources.normalized_header(alias) == alias
            assert field in source.fields


class TestNaturalKey:
    def test_numbers_compare_as_numbers(self) -> None:
        names = ["q.csv", "p_0011.csv", "p_10a.csv", "p_10.csv", "P_2.csv", "p_1.csv"]
        assert sorted(names, key=natural_key) == names[::-1]

    def test_superscripts_are_no_numbers(self) -> None:
        names = ["p2.csv", "p1²2.csv", "p1.csv"]
        assert sorted(names, key=natural_key) == names[::-1]

    @given(st.lists(st.text("0129aA²_./", max_size=6), max_size=6, unique=True))
    def test_different_names_have_an_order(self, names: list[str]) -> None:
        assert len({natural_key(name) for name in names}) == len(names)
        names.sort(key=natural_key)
        again = names[::-1]
        again.sort(key=natural_key)
        assert again == names
