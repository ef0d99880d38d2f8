"""DrugBank's XML: what of a drug is read, also where drugs stand within drugs."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, detect_format, drugbank_xml, xml_records
from drug_assets_tests.support.drugbank import END, HEAD, Drug, drugs, to_drug, to_drugbank_xml
from drug_assets_tests.support.frames import issues, raw_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    import polars as pl

NAME = "drugs/full database.xml"
#: A drug with drugs in its pathways.
WITHIN = Drug(pathway=("Fictine", "Testil"))
SEVERAL = [replace(WITHIN, id=f"DB9900{n}", name=f"Inventol {n}") for n in range(8)]


def read(data: bytes, name: str = NAME) -> pl.DataFrame:
    return raw_rows(name, data, DRUGS)


def row(drug: Drug) -> dict[str, object]:
    """The fields of a drug that hold something."""
    (found,) = read(to_drugbank_xml([drug])).to_dicts()
    outside = {"source_file", "source_row"}
    return {field: value for field, value in found.items() if value and field not in outside}


def test_a_drug_gives_its_names_codes_and_identifiers() -> None:
    drug = Drug(
        synonyms=("Inventole", "Fictine", "Inventole"),
        products=("Testil 5 mg", "Testil 10 mg"),
        brands=("Testil 5 mg", "Testan"),
        salts=(("Inventol sodium", "ABCDE12345"),),
        codes=("N02BA01", "B01AC06"),
        cas="50-00-0",
        unii="12345ABCDE",
        inchikey="AAAAAAAAAAAAAA-BBBBBBBBBB-N",
        others=(("RxCUI", "991"), ("ChEMBL", "CHEMBL99"), ("Wikipedia", "Inventol")),
        pathway=("Another",),
    )
    assert row(drug) == {
        "id": "DB99001",
        "drug": "Inventol",
        "synonyms": "Inventole|Fictine",
        "brands": "Testil 5 mg|Testil 10 mg|Testan",
        "forms": "Inventol sodium",
        "atccode": "N02BA01|B01AC06",
        "cas": "50-00-0",
        "unii": "12345ABCDE",
        "inchikey": "AAAAAAAAAAAAAA-BBBBBBBBBB-N",
        "rxcui": "991",
        "chembl": "CHEMBL99",
        "class_names": "N02BA Low class|N HIGH CLASS|B01AC Low class|B HIGH CLASS",
    }


def test_a_drug_can_have_a_name_alone() -> None:
    assert row(Drug()) == {"id": "DB99001", "drug": "Inventol"}
    assert read(f"{HEAD}<drug/>{to_drug(Drug())}{END}".encode())["drug"].to_list() == [
        None,
        "Inventol",
    ]


@pytest.mark.parametrize(
    ("mixtures", "brands"),
    [
        ((("Testil plus", "Inventol + Fictine"),), "Testil"),
        ((("TESTIL PLUS", "Inventol + Fictine"),), "Testil"),
        ((("Testil plus", "Inventol"),), "Testil|Testil Plus"),
        (
            (("Testil Plus", "Inventol + Fictine"), ("Testil Plus", "Inventol")),
            "Testil|Testil Plus",
        ),
        (
            (("Testil Plus", "Inventol"), ("Testil Plus", "Inventol + Fictine")),
            "Testil|Testil Plus",
        ),
        ((), "Testil|Testil Plus"),
    ],
)
def test_a_product_of_several_substances_is_no_brand_of_one_of_them(
    mixtures: tuple[tuple[str, str], ...], brands: str
) -> None:
    drug = Drug(products=("Testil", "Testil Plus"), brands=("Testil Plus",), mixtures=mixtures)
    assert row(drug)["brands"] == brands


def test_the_primary_of_several_ids_counts_wherever_it_stands() -> None:
    data = to_drugbank_xml([Drug()])
    first = b'<drugbank-id primary="true">DB99001</drugbank-id>'
    second = b"<drugbank-id>DB00000</drugbank-id>"
    turned = data.replace(first, b"@").replace(second, first).replace(b"@", second)
    assert turned != data
    for each in (data, turned):
        assert read(each)["id"].to_list() == ["DB99001"]
    assert read(data.replace(first, b""))["id"].to_list() == ["DB00000"]


@pytest.mark.parametrize(
    "space", ["", ' xmlns="http://drugbank.ca"', ' xmlns="https://www.drugbank.ca"']
)
def test_the_namespace_is_any_that_the_owner_used(space: str) -> None:
    data = f"<drugbank{space}>{to_drug(WITHIN)}</drugbank>".encode()
    assert read(data)["drug"].to_list() == ["Inventol"]


@pytest.mark.parametrize(
    "name", ["full database.xml", "drugbank_all_full_database.xml.gz", "drugs.txt"]
)
def test_it_is_recognized_by_its_root(name: str) -> None:
    data = to_drugbank_xml([Drug()])
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert detect_format(DRUGS.record_shape(), name, data) == "drugbank_xml"
    assert read(data, name).height == 1


def test_one_drug_can_be_a_document() -> None:
    data = to_drug(WITHIN).replace("<drug ", '<drug xmlns="http://www.drugbank.ca" ', 1).encode()
    assert read(data)["drug"].to_list() == ["Inventol"]


def test_another_namespace_is_refused() -> None:
    with pytest.raises(FormatError, match="its root is drugbank of another namespace, on line 1"):
        read(b'<drugbank xmlns="http://elsewhere.example"/>')


@pytest.mark.parametrize("size", [0, 61])
def test_a_document_in_another_namespace_is_refused_or_its_drugs_are(size: int) -> None:
    sound = to_drugbank_xml(SEVERAL[:2])
    strange = sound.replace(b'"http://www.drugbank.ca"', b'"http://elsewhere.example"')

    def read_in_chunks(data: bytes) -> list[list[str]]:
        ends = range(0, len(data), size or len(data))
        chunks = [data[at : at + (size or len(data))] for at in ends]
        batches = drugbank_xml.read_batches(DRUGS.record_shape(), NAME, chunks)
        return [found for batch in batches for found in issues(batch)]

    with pytest.raises(FormatError, match="its root is drugbank"):
        read_in_chunks(strange + sound)
    assert read_in_chunks(sound + strange) == [[], [], ["damaged_record"], ["damaged_record"]]


def test_the_usual_file_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_records, "_PIECE_BYTES", 2000)
    pieces = list(xml_records._parse_in_pieces(drugbank_xml.KIND, [to_drugbank_xml(SEVERAL)]))
    assert len(pieces) > 3
    assert [row[0] for rows in pieces for row in rows] == [drug.id for drug in SEVERAL]


@pytest.mark.parametrize("damage", [b"&eacute;", b"<b>", b"\xe9", b"&#1;"])
@pytest.mark.parametrize("place", [0, 3, 7])
def test_damage_costs_its_own_drug_at_most_though_it_holds_others(
    damage: bytes, place: int
) -> None:
    whole = read(to_drugbank_xml(SEVERAL))
    sound = to_drug(SEVERAL[place]).encode()
    rows = read(
        to_drugbank_xml(SEVERAL).replace(sound, sound.replace(b"invented", b"in" + damage, 1))
    )
    others = [n for n in range(8) if n != place]
    assert rows[others].equals(whole[others])
    assert len(issues(rows)[place]) == 1


def test_a_drug_without_end_is_refused() -> None:
    data = to_drugbank_xml(SEVERAL).replace(b"</drug>\n<drug type", b"<drug type", 1)
    with pytest.raises(FormatError, match="what begins on line 3 does not end"):
        read(data)


@pytest.mark.parametrize("size", [7, 61, 1_000_000])
def test_what_follows_a_drug_does_not_change_where_it_ends(size: int) -> None:
    data = to_drugbank_xml(SEVERAL[:2]).replace(END.encode(), b"<druG/>" + END.encode())
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    with pytest.raises(FormatError, match=r"druG on line [0-9]+ is no record"):
        list(drugbank_xml.read_batches(DRUGS.record_shape(), NAME, chunks))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(drugs(), max_size=5), st.integers(0, 5))
def test_however_it_is_read_the_rows_are_the_same(listed: list[Drug], cut: int) -> None:
    """In pieces, fed, and record by record; several documents are read one behind the other."""
    document = to_drugbank_xml(listed)
    rows = read(document).rows()
    assert len(rows) == len(listed)
    fed = b"<!-- a comment -->" + document.partition(b"\n")[2]
    assert read(fed).rows() == rows
    parts = [to_drugbank_xml(part) for part in (listed[:cut], listed[cut:])]
    assert read(b"\n".join(parts)).rows() == rows
