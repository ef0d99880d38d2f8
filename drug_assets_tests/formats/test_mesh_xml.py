"""MeSH's XML: what of a descriptor and of a supplementary record is read, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, detect_format, mesh_xml, xml_records
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.mesh import (
    Concept,
    Record,
    Term,
    descriptors,
    supplementary_records,
    to_mesh_record,
    to_mesh_xml,
)
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    import polars as pl

    Row = dict[str, object]

SUPPLEMENTARY = "C990001"


def read(data: bytes, name: str = "drugs/desc2026.xml") -> pl.DataFrame:
    return raw_rows(name, data, DRUGS)


def row(record: Record) -> Row:
    """The fields of a record that hold something."""
    (found,) = read(to_mesh_xml([record])).to_dicts()
    outside = {"source_file", "source_row"}
    return {field: value for field, value in found.items() if value and field not in outside}


def names(*terms: Term, name: str = "Inventol") -> Row:
    found = row(Record(name=name, concepts=(Concept(terms),)))
    return {k: found[k] for k in ("synonyms", "brands", "research_codes") if k in found}


def test_a_descriptor_gives_its_id_names_numbers_and_trees() -> None:
    preferred = Concept((Term("Inventol"), Term("Inventole")), ("12345ABCDE", "50-00-0"))
    narrower = Concept((Term("Inventol sodium"),), ("ABCDE12345", "64-17-5"))
    assert row(Record(concepts=(preferred, narrower), trees=("D02.1", "D27.5"))) == {
        "id": "D990001",
        "mesh": "D990001",
        "drug": "Inventol",
        "synonyms": "Inventole|Inventol sodium",
        "cas": "50-00-0",
        "unii": "12345ABCDE",
        "tree_numbers": "D02.1|D27.5",
    }


def test_a_supplementary_record_gives_what_it_maps_to_without_the_asterisk() -> None:
    record = Record(SUPPLEMENTARY, mapped=("*D990001", "D990002"))
    assert row(record) == {
        "id": SUPPLEMENTARY,
        "mesh": SUPPLEMENTARY,
        "drug": "Inventol",
        "mapped_to": "D990001|D990002",
    }


def test_trade_names_and_laboratory_codes_are_kinds_of_their_own() -> None:
    assert names(
        Term("Inventole"), Term("Fictex", "TRD"), Term("IV-123", "LAB"), Term("INV", "ABB")
    ) == {"synonyms": "Inventole|INV", "brands": "Fictex", "research_codes": "IV-123"}


def test_a_name_counts_once_and_the_records_own_is_no_synonym() -> None:
    assert names(Term("Inventol"), Term("Inventole"), Term("Inventole")) == {
        "synonyms": "Inventole"
    }


def test_a_term_that_is_only_turned_around_is_no_name() -> None:
    assert names(
        Term("Fictional Acid"),
        Term("Acid, Fictional", permuted=True),
        Term("IV 123", permuted=True),
        Term("2,4-Inventane", permuted=True),
        Term("Fictine, invented"),
    ) == {"synonyms": "Fictional Acid|IV 123|2,4-Inventane|Fictine, invented"}


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        ("50-00-0", "cas", "50-00-0"),
        ("12345ABCDE", "unii", "12345ABCDE"),
        ("\n 12345ABCDE \n", "unii", "12345ABCDE"),
        ("0", None, None),
        ("EC 1.1.1.1", None, None),
        ("txid999999", None, None),
        ("", None, None),
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["since 2025", "until 2024"])
def test_a_registry_number_is_one_of_cas_or_a_unii(
    number: str, field: str | None, value: str | None, listed: bool
) -> None:
    data = to_mesh_xml([Record(concepts=(Concept(numbers=("@",)),))]).replace(b"@", number.encode())
    if not listed:
        data = re.sub(rb"</?RegistryNumberList>", b"", data)
    (found,) = read(data).to_dicts()
    assert {k: found[k] for k in ("cas", "unii") if found[k]} == ({field: value} if field else {})


@pytest.mark.parametrize(
    ("related", "cas"),
    [
        ("50-00-0", "50-00-0"),
        ("50-00-0 (Inventol)", "50-00-0"),
        ("50-00-0 (inventol)", "50-00-0"),
        ("50-00-0 (IV(2))", "50-00-0"),
        ("50-00-0 (sodium salt)", None),
        ("", None),
        ("(Inventol)", None),
    ],
)
def test_a_related_number_counts_if_it_is_of_the_concept_itself(
    related: str, cas: str | None
) -> None:
    concept = Concept((Term("Inventol"), Term("IV(2)")), related=(related,))
    assert row(Record(concepts=(concept,))).get("cas") == cas


@pytest.mark.parametrize(
    ("trees", "is_none"),
    [((), True), (("E05.1",), True), (("E05.1", "D08.2"), False), (("D27.5",), False)],
)
def test_a_descriptor_outside_the_branch_of_chemicals_is_no_drug(
    trees: tuple[str, ...], is_none: bool
) -> None:
    rows = read(to_mesh_xml([Record(trees=trees)]))
    assert issues(rows) == [["not_a_drug"] if is_none else []]
    assert rows["drug"][0] == "Inventol"


@pytest.mark.parametrize(("scr_class", "is_none"), [(None, False), ("1", False), ("2", True)])
def test_a_supplementary_record_of_another_class_is_no_drug(
    scr_class: str | None, is_none: bool
) -> None:
    rows = read(to_mesh_xml([Record(SUPPLEMENTARY, scr_class=scr_class)]))
    assert issues(rows) == [["not_a_drug"] if is_none else []]


def test_a_record_without_parts_is_a_row() -> None:
    data = (
        b"<DescriptorRecordSet><DescriptorRecord/><DescriptorRecord><DescriptorName><String>X"
        b"</String></DescriptorName></DescriptorRecord></DescriptorRecordSet>"
    )
    assert fields(read(data), "id", "drug") == [(None, None), (None, "X")]


@pytest.mark.parametrize("name", ["drugs/mesh.xml", "desc2026.gz", "supp2026.xml.gz", "drugs.txt"])
def test_it_is_recognized_by_its_root(name: str) -> None:
    for record in (Record(), Record(SUPPLEMENTARY)):
        data = to_mesh_xml([record])
        data = gzip.compress(data) if name.endswith(".gz") else data
        assert detect_format(DRUGS.record_shape(), name, data) == "mesh_xml"
        assert read(data, name).height == 1


@pytest.mark.parametrize(
    ("root", "holds"),
    [
        ("QualifierRecordSet", "qualifiers"),
        ("PharmacologicalActionSet", "pharmacological actions"),
    ],
)
def test_what_else_the_owner_delivers_is_refused_with_the_cure(root: str, holds: str) -> None:
    data = f'<?xml version="1.0"?>\n<{root} LanguageCode = "eng"><X/></{root}>'.encode()
    with pytest.raises(FormatError) as refused:
        read(data, "drugs/qual2026.xml")
    assert str(refused.value) == (
        f"drugs/qual2026.xml: XML, but not MeSH's: its root is {root}, on line 2, not "
        f"DescriptorRecordSet. It holds {holds}, which are no substances: remove it, and land "
        "desc20NN.xml and supp20NN.xml."
    )


@pytest.mark.parametrize(
    "data", [b"<html><body>busy</body></html>", b"<PubmedArticleSet></PubmedArticleSet>"]
)
def test_other_markup_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="content is markup"):
        read(data)


def test_a_file_of_records_without_names_is_refused() -> None:
    data = to_mesh_xml([Record()]).replace(b"String>", b"Text>")
    with pytest.raises(FormatError, match="no record has 'drug' or 'atc_name': found 'Descr"):
        read(data)


def test_the_usual_file_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_records, "_PIECE_BYTES", 2000)
    for ui in ("D99{:04}", "C99{:04}"):
        records = [Record(ui.format(n)) for n in range(20)]
        data = to_mesh_xml(records)
        pieces = list(xml_records._parse_in_pieces(mesh_xml.KIND, [data]))
        assert len(pieces) > 3
        assert [row[0] for rows in pieces for row in rows] == [record.ui for record in records]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(descriptors(), max_size=6), st.lists(supplementary_records(), max_size=6))
def test_however_it_is_read_the_rows_are_the_same(some: list[Record], others: list[Record]) -> None:
    """In pieces, fed, and record by record; several documents are read one behind the other."""
    documents = to_mesh_xml(some), to_mesh_xml(others, supplementary=True)
    apart = [read(document).drop("source_row").rows() for document in documents]
    for document, rows in zip(documents, apart, strict=True):
        fed = document.replace(b"<?xml", b"<!-- a comment -->\n<?xml").replace(
            b'<?xml version="1.0"?>\n', b""
        )
        assert read(fed).drop("source_row").rows() == rows
    assert read(b"\n".join(documents)).drop("source_row").rows() == [*apart[0], *apart[1]]


@pytest.mark.parametrize("damage", [b"&eacute;", b"<b>", b"\xe9", b"&#1;"])
def test_damage_costs_its_own_record_at_most(damage: bytes) -> None:
    records = [Record(f"D99000{n}", f"Inventol {n}") for n in range(3)]
    whole = read(to_mesh_xml(records))
    damaged = to_mesh_record(records[1]).encode().replace(b"1</Str", b"1%b</Str" % damage, 1)
    rows = read(to_mesh_xml(records).replace(to_mesh_record(records[1]).encode(), damaged))
    assert rows[[0, 2]].equals(whole[[0, 2]])
    mended = {
        b"\xe9": ("Inventol 1é", ["not_utf8"]),
        b"&#1;": ("Inventol 1", ["control_character"]),
    }
    if damage in mended:
        assert (rows["drug"][1], issues(rows)[1]) == mended[damage]
    else:
        assert issues(rows)[1] == ["damaged_record"]
        assert json.loads(rows["extra"][1])["raw"].startswith("<DescriptorRecord")


def test_a_row_that_is_no_drug_keeps_its_other_issues() -> None:
    data = to_mesh_xml([Record(trees=(), name="Inventol @")]).replace(b"@", b"\xe9")
    assert issues(read(data)) == [["not_a_drug", "not_utf8"]]
