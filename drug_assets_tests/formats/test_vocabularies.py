"""Vocabularies in the shape in which their owners deliver them; all substances are invented."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets import sources
from drug_assets.formats import FormatError
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    import polars as pl


def _read(name: str, text: str | bytes) -> pl.DataFrame:
    return raw_rows(name, text if isinstance(text, bytes) else text.encode(), DRUGS)


def _tabbed(*rows: tuple[str, ...]) -> str:
    return "".join("\t".join(row) + "\r\n" for row in rows)


# --- UNII


@pytest.mark.parametrize("display_name", ["Display Name", "PT"])
def test_names_of_unii_are_told_by_their_type(display_name: str) -> None:
    rows = _read(
        "UNII_Names_4Aug2026.txt",
        _tabbed(
            ("Name", "TYPE", "UNII", display_name),
            ("ZORBAMINE [USAN]", "of", "AB12345678", "ZORBAMINE"),
            ('2"-OXO-ZORBANE [JAN] [WHO-DD]', "sys", "AB12345678", "ZORBAMINE"),
            ("ZB-1234", "cd", "AB12345678", "ZORBAMINE"),
            ("ZORBEX", "bn", "AB12345678", "ZORBAMINE"),
            ("ZORBAMIN", "cn", "AB12345678", "ZORBAMINE"),
        ),
    )
    assert set(fields(rows, "drug", "unii")) == {(None, "AB12345678")}
    assert fields(rows, "synonyms", "research_codes", "brands") == [
        ("ZORBAMINE", None, None),
        ('2"-OXO-ZORBANE', None, None),
        (None, "ZB-1234", None),
        (None, None, "ZORBEX"),
        ("ZORBAMIN", None, None),
    ]
    assert rows["extra"].null_count() == 5
    assert issues(rows) == [["part_of_record"]] * 5


def test_bytes_that_an_owner_writes_are_not_odd() -> None:
    text = _tabbed(("Name", "TYPE", "UNII", "Display Name"), ("ZORBÉ", "bn", "A", "ZORBÉ"))
    for encoding in ("cp1252", "utf-8"):
        rows = _read("drugs/UNII_Names.txt", text.encode(encoding))
        assert fields(rows, "brands", "unii") == [("ZORBÉ", "A")]
        assert issues(rows) == [["part_of_record"]]


def test_records_of_unii_give_identifiers_and_organisms_are_no_drugs() -> None:
    header = (
        *("UNII", "Display Name", "RN", "EC", "NCIT", "RXCUI", "PUBCHEM", "ITIS", "NCBI", "PLANTS"),
        *("GRIN", "MPNS", "INN_ID", "USAN_ID", "MF", "INCHIKEY", "SMILES", "INGREDIENT_TYPE"),
        *("UUID", "SUBSTANCE_TYPE"),
    )

    def row(unii: str, **held: str) -> tuple[str, ...]:
        return tuple({"UNII": unii, **held}.get(name, "") for name in header)

    zorbane = {"RN": "50-78-2", "RXCUI": "77", "INCHIKEY": "ABCDEFGHIJKLMN-OPQRSTUVWX-Y"}
    rows = _read(
        "UNII_Records_4Aug2026.txt",
        _tabbed(
            header,
            row("AB12345678", **{"Display Name": "ZORBANE"}, **zorbane, SUBSTANCE_TYPE="chemical"),
            row("AB12345679", **{"Display Name": "ZORBA ZORBENSIS"}, NCBI="4242"),
            row(
                "AB12345670", **{"Display Name": "ZORB LEAF"}, SUBSTANCE_TYPE="structurallyDiverse"
            ),
            row("AB12345671", **{"Display Name": "ZORB-"}, INGREDIENT_TYPE="MOLECULAR FRAGMENT"),
        ),
    )
    assert fields(rows, "drug", "unii", "cas", "rxcui", "inchikey")[0] == (
        *("ZORBANE", "AB12345678"),
        *zorbane.values(),
    )
    assert issues(rows) == [[], *[["not_a_drug"]] * 3]
    assert json.loads(rows["extra"][1])["NCBI"] == "4242"


# --- ChEMBL


@pytest.mark.parametrize(("name", "separator"), [("chembl.csv", ";"), ("chembl.tsv", "\t")])
def test_compounds_of_chembl_come_with_quotes(name: str, separator: str) -> None:
    rows = _read(
        f"drugs/{name}",
        '"ChEMBL ID";"Name";"Synonyms";"Type";"Max Phase";"Smiles";"Inchi Key"\n'
        '"CHEMBL9";"ZORBANE";"Zorbex|ZB-1";"Small molecule";"4";"C;C";"A-B-N"\n'
        '"CHEMBL10";"";"";"Small molecule";"";"CC";"C-D-N"\n'.replace('";"', f'"{separator}"'),
    )
    assert fields(rows, "chembl", "drug", "synonyms", "inchikey") == [
        ("CHEMBL9", "ZORBANE", "Zorbex|ZB-1", "A-B-N"),
        (None, "", "", None),
    ]
    assert issues(rows) == [[], ["not_a_drug"]]


def _molecule(chembl_id: str, parent: str, **members: Any) -> dict[str, Any]:
    return {
        "atc_classifications": [],
        "cross_references": [{"xref_id": "1", "xref_src": "DailyMed"}],
        "molecule_chembl_id": chembl_id,
        "molecule_hierarchy": {
            "active_chembl_id": parent,
            "molecule_chembl_id": chembl_id,
            "parent_chembl_id": parent,
        },
        "molecule_structures": {"standard_inchi_key": f"KEY-{chembl_id}"},
        "molecule_synonyms": [],
        **members,
    }


def test_pages_of_chembl_tell_brands_codes_and_parents() -> None:
    synonyms = [
        {"molecule_synonym": name, "syn_type": kind, "synonyms": name.upper()}
        for name, kind in (
            *(("Zorbane", "INN"), ("Zorbex", "TRADE_NAME"), ("ZB-1", "RESEARCH_CODE")),
            *(("Zorbanum", "OTHER"), ("Zorbine", "TRADE_NAME")),
        )
    ]
    atc = ["A01AA01", "B02BB02"]
    page = {
        "molecules": [
            _molecule(
                *("CHEMBL9", "CHEMBL9"),
                pref_name="ZORBANE",
                molecule_synonyms=synonyms,
                atc_classifications=atc,
            ),
            _molecule("CHEMBL10", "CHEMBL9", pref_name="ZORBANE MESYLATE"),
            _molecule("CHEMBL11", "CHEMBL11", pref_name=None, molecule_structures=None),
        ],
        "page_meta": {"limit": 20, "next": None, "offset": 0, "total_count": 3},
    }
    rows = _read("drugs/chembl.json", json.dumps(page))
    names = ("drug", "synonyms", "brands", "research_codes", "atccode", "form_of")
    assert fields(rows, "chembl", "inchikey", *names) == [
        (
            *("CHEMBL9", "KEY-CHEMBL9", "ZORBANE", "Zorbane|Zorbanum", "Zorbex|Zorbine", "ZB-1"),
            *("A01AA01|B02BB02", "chembl:CHEMBL9"),
        ),
        (
            *("CHEMBL10", "KEY-CHEMBL10", "ZORBANE MESYLATE", None, None, None, None),
            "chembl:CHEMBL9",
        ),
        ("CHEMBL11", None, None, None, None, None, None, "chembl:CHEMBL11"),
    ]
    assert issues(rows) == [[], [], ["not_a_drug"]]
    assert rows["extra"].null_count() == 3


# --- EMA

_EMA_HEADER = (
    "Category,Name of medicine,EMA product number,Medicine status,"
    "International non-proprietary name (INN) / common name,Active substance,"
    "Therapeutic area (MeSH),Species (veterinary),ATC code (human)\n"
)


def test_the_header_of_ema_stands_below_lines_of_its_own() -> None:
    rows = _read(
        "medicines-output-medicines-report_en.csv",
        "Medicines,,,\nCreated on,01/10/2026,,\n\n,,,\n"
        + _EMA_HEADER
        + "Human,Zorbex (previously Zorbane Sun),EMEA/H/C/1,Authorised,zorbane,zorbane mesilate,"
        '"Pain; Fever",,A01AA01\n'
        "Human,Zorbduo,EMEA/H/C/2,Withdrawn,zorbane / quaxin,zorbane mesilate;quaxin,,,A01AA51\n"
        "Human,Quax,EMEA/H/C/3,Authorised,,quaxin,,,\n"
        "Veterinary,Zorbvet,EMEA/V/C/4,Authorised,zorbane,zorbane,,Dogs,\n",
    )
    assert fields(rows, "drug", "brands", "forms", "atccode") == [
        ("zorbane", "Zorbex|Zorbane Sun", "zorbane mesilate", "A01AA01"),
        ("zorbane / quaxin", "Zorbduo", "zorbane mesilate;quaxin", "A01AA51"),
        ("quaxin", "Quax", "quaxin", ""),
        ("zorbane", "Zorbvet", "zorbane", ""),
    ]
    assert issues(rows) == [[], [], [], ["not_a_drug"]]
    assert [json.loads(extra) for extra in rows["extra"].drop_nulls()] == [
        {"Category": "Veterinary"}
    ]


def test_the_json_of_ema_has_the_same_rows_below_its_own_description() -> None:
    def medicine(category: str, name: str, inn: str, substance: str, atc: str) -> dict[str, str]:
        return {
            "category": category,
            "name_of_medicine": name,
            "ema_product_number": "EMEA/H/C/1",
            "international_non_proprietary_name_common_name": inn,
            "active_substance": substance,
            "species_veterinary": "",
            "atc_code_human": atc,
        }

    report = {
        "meta": {"total_records": 3, "timestamp": "2026-10-01T06:00:00Z"},
        "data": [
            medicine("Human", "Zorbex (previously Zorbane Sun)", "zorbane", "zorbane", "A01AA01"),
            medicine("Human", "Quax", "", "quaxin", ""),
            medicine("Veterinary", "Zorbvet", "zorbane", "zorbane", ""),
        ],
    }
    rows = _read("medicines-output-medicines_json-report_en.json", json.dumps(report))
    assert fields(rows, "drug", "brands", "forms", "atccode") == [
        ("zorbane", "Zorbex|Zorbane Sun", "zorbane", "A01AA01"),
        ("quaxin", "Quax", "quaxin", ""),
        ("zorbane", "Zorbvet", "zorbane", ""),
    ]
    assert issues(rows) == [[], [], ["not_a_drug"]]


# --- The WHO's ATC/DDD table


def test_a_substance_with_several_doses_and_groups_of_the_atc_table() -> None:
    rows = _read(
        "drugs_atc.csv",
        '"atc_code","atc_name","ddd","uom","adm_r","note"\n'
        '"A01","STOMATOLOGICAL PREPARATIONS",NA,NA,NA,NA\n'
        '"A01AA01","zorbane",1.1,"mg","O","0.5 mg fluoride"\n'
        '"A01AA01","zorbane",2,"mg","P",NA\n'
        '"A01AA30","combinations",NA,NA,NA,NA\n',
    )
    records = DRUGS.clean_records(rows.lazy()).collect()
    assert records.select("drug", "codes", "reason").rows() == [
        ("STOMATOLOGICAL PREPARATIONS", ["A01"], "atc_group"),
        ("zorbane", ["A01AA01"], None),
        ("zorbane", ["A01AA01"], None),
        ("combinations", ["A01AA30"], None),
    ]


# --- Known tables in general


def test_a_list_is_no_known_table_if_it_lacks_one_of_its_columns() -> None:
    rows = _read("drugs.csv", "name,type,unii\nZorbane,cd,AB12345678\n")
    assert fields(rows, "drug", "unii", "research_codes") == [("Zorbane", "AB12345678", None)]
    with pytest.raises(FormatError, match="no column 'drug' or 'atc_name'"):
        _read("drugs.csv", "a,b\n" + _EMA_HEADER.replace("Category", "Kind"))


def test_a_header_that_comes_again_is_told_in_known_tables_too() -> None:
    rows = _read("medicines.csv", _EMA_HEADER + _EMA_HEADER + "Human,Quax,,,quaxin,quaxin,,,\n")
    assert issues(rows) == [["repeated_header"], []]
    assert fields(rows, "drug")[1] == ("quaxin",)


def test_only_so_many_lines_stand_before_the_header_of_a_known_table() -> None:
    row = "Human,Quax,,,quaxin,quaxin,,,\n"
    assert _read("drugs.csv", "a\n" * 19 + _EMA_HEADER + row).height == 1
    with pytest.raises(FormatError, match="no column 'drug'"):
        _read("drugs.csv", "a\n" * 20 + _EMA_HEADER + row)


# --- RxNorm


def _conso(rxcui: str, sab: str, tty: str, text: str, code: str = "", **held: str) -> str:
    language, suppress = held.get("lat", "ENG"), held.get("suppress", "N")
    cells = (rxcui, language, *[""] * 5, "101", "", "", "", sab, tty, code, text, "", suppress)
    return "|".join([*cells, "4096", "\n"])


def test_rows_of_rxnconso_are_read_by_source_and_type() -> None:
    rows = _read(
        "RXNCONSO.RRF",
        "".join(
            [
                _conso("7", "RXNORM", "IN", 'zorb"ane'),
                _conso("8", "RXNORM", "PIN", "zorbane sodium"),
                _conso("9", "RXNORM", "MIN", "quaxin / zorbane"),
                _conso("10", "RXNORM", "BN", "Zorbex", suppress="O"),
                _conso("11", "RXNORM", "SCD", "zorbane 5 MG Oral Tablet"),
                _conso("11", "RXNORM", "SY", "zorbane 5 MG Tab"),
                _conso("7", "MTHSPL", "SU", "ZORBANE", "AB12345678"),
                _conso("7", "VANDF", "IN", "ZORBANE HCL"),
                _conso("7", "MSH", "PM", "Ane, Zorb", "D000007"),
                _conso("7", "MSH", "ET", "Zorbanum", "D000007"),
                _conso("7", "MMSL", "GN", "zorbane of a licensed source"),
                _conso("7", "RXNORM", "SY", "suppressed", suppress="Y"),
                _conso("7", "RXNORM", "SY", "zorbano", lat="SPA"),
            ]
        ),
    )
    names = ("id", "rxcui", "drug", "synonyms", "brands", "products")
    part, none, unused = ["part_of_record"], ["not_a_drug"], ["not_for_use"]
    assert list(zip(fields(rows, *names), issues(rows), strict=True)) == [
        (("7", "7", 'zorb"ane', None, None, None), []),
        (("8", "8", "zorbane sodium", None, None, None), []),
        (("9", "9", "quaxin / zorbane", None, None, None), []),
        ((None, None, None, None, "Zorbex", "rxcui:10"), part),
        ((None,) * 6, none),
        ((None, "11", None, "zorbane 5 MG Tab", None, None), part),
        ((None, "7", None, "ZORBANE", None, None), part),
        ((None, "7", None, "ZORBANE HCL", None, None), part),
        ((None,) * 6, none),
        ((None, "7", None, "Zorbanum", None, None), part),
        ((None,) * 6, unused),
        ((None,) * 6, unused),
        ((None,) * 6, unused),
    ]
    told = json.loads(rows["extra"][10])
    assert told == {"lat": "ENG", "sab": "MMSL", "suppress": "N", "tty": "GN"}


def test_rows_of_rxnrel_that_relate_no_names_are_counted() -> None:
    def relation(first: str, second: str, rela: str, sab: str = "RXNORM") -> str:
        cells = (first, "", "CUI", "RN", second, "", "CUI", rela, "1", "", sab, *[""] * 5)
        return "|".join([*cells, "\n"])

    rows = _read(
        "drugs/RXNREL.RRF.gz",
        gzip.compress(
            "".join(
                [
                    relation("7", "10", "tradename_of"),
                    *(relation("1", "2", "isa") for _ in range(30)),
                    relation("7", "8", "form_of"),
                    relation("7", "8", "form_of", "SNOMEDCT_US"),
                ]
            ).encode()
        ),
    )
    assert fields(rows, "rxcui", "products", "form_of") == [
        ("7", "rxcui:10", None),
        ("8", None, "rxcui:7"),
        (None, None, None),
    ]
    assert issues(rows) == [["part_of_record"], ["part_of_record"], ["passed_over"]]
    assert rows["extra"].to_list() == [None, None, '{"rows":"31"}']


def test_a_table_without_a_header_needs_its_number_of_columns() -> None:
    with pytest.raises(FormatError, match=r"18 columns without a header, but .* has 3 values"):
        _read("RXNCONSO.RRF", "7|ENG|zorbane\n")
    rows = _read("RXNCONSO.RRF", _conso("7", "RXNORM", "IN", "zorbane").replace("|\n", "\n"))
    assert fields(rows, "drug") == [("zorbane",)]
    assert _read("RXNCONSO.RRF", "").height == 0


# --- BDPM


def test_substances_and_products_of_the_bdpm() -> None:
    composition = _tabbed(
        ("60000001", "comprimé", "00007", "ZORBANE SODIQUE", "5 mg", "un comprimé", "SA", "1", ""),
        ("60000001", "comprimé", "00008", "ZORBANE", "4 mg", "un comprimé", "FT", "1", ""),
        ("60000002", "gélule", "00008", "ZORBANE", "", "", "SA", "1", ""),
    )
    rows = _read("CIS_COMPO_bdpm.txt", composition.encode("cp1252"))
    assert fields(rows, "drug", "bdpm", "products", "moiety_in") == [
        ("ZORBANE SODIQUE", "00007", "bdpm:60000001/1", None),
        ("ZORBANE", "00008", None, "bdpm:60000001/1"),
        ("ZORBANE", "00008", "bdpm:60000002/1", None),
    ]
    assert issues(rows) == [[]] * 3
    names = {
        "ZORBEX 5 mg, comprimé sécable": "ZORBEX",
        "ZORBEX 0,05 %, pommade": "ZORBEX",
        "ZORB 3 FORT, gélule": "ZORB 3 FORT",
        "Z 313 200 000 UI POUR CENT, pommade": "Z 313",
        "ZORBANE/QUAXIN SUN 600 mg/300 mg, comprimé pelliculé": "ZORBANE/QUAXIN SUN",
        "ZORBIVAX JN.1 10 microgrammes/dose, dispersion injectable. Vaccin": "ZORBIVAX JN.1",
        "ZORB-6 1,2 g/100 g, solution": "ZORB-6",
        "ZORBEX": "ZORBEX",
    }
    products = _tabbed(
        *(
            (f"6000000{n}", name, "gélule", "orale", *["x"] * 4, "", "", " ZORB", "Non")
            for n, name in enumerate(names)
        )
    )
    rows = _read("drugs/CIS_bdpm.txt", products.encode("cp1252"))
    assert fields(rows, "brands") == [(name,) for name in names.values()]
    assert rows["products"][3] == "bdpm:60000003"
    assert issues(rows) == [["part_of_record"]] * len(names)


def test_the_codes_of_products_are_those_of_their_substance() -> None:
    rows = _read(
        "CIS_MITM.txt",
        _tabbed(("60000001", "A01AA01", "ZORBEX 5 mg, comprimé", "https://base.example/1")),
    )
    assert fields(rows, "products", "atccode") == [("bdpm:60000001", "A01AA01")]


def test_further_tables_of_a_delivery_are_passed_over_by_name() -> None:
    shape = DRUGS.record_shape()
    unread = {"RXNSAT.RRF", "x/RXNCUI.RRF.gz", "CIS_CIP_bdpm.txt", "HAS_LiensPageCT_bdpm.txt"}
    assert all(shape.unread_file(name) for name in unread)
    assert not shape.unread_file("RXNCONSO.RRF")
    for name in (*unread, "RXNCONSO.RRF", "CIS_InfoImportantes_20261001_bdpm.txt"):
        assert sources.source_of_file(name) is DRUGS
