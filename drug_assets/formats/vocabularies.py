"""Vocabularies of drugs as their owners deliver them, as declared tables and layouts (SPEC 1).

Each row gives what it says itself: rows of several files that belong together are joined by their
identifiers (`cleaning.drugs`). docs/data.md says where each is had, and what it is good for. XML
has modules of its own.
"""

from __future__ import annotations

from drug_assets.formats.json_shapes import Among, Having, HavingNone, JsonShape, Within
from drug_assets.formats.record_shape import Condition, KnownTable, Mark, TableValue
from drug_assets.terms import ReadIssue

# --- FDA's unique ingredient identifiers: UNII_Names_*.txt and UNII_Records_*.txt.

#: The name of a substance was `PT` in older deliveries.
_UNII_DISPLAY_NAMES = ("displayname", "pt")
#: A name has the lists that use it behind it: `ASPIRIN [USP-RS]`.
_BEFORE_LISTS = r"(.+?)(?:\s+\[[A-Z][^\[\]]*\])*"
#: Columns that hold something if the substance is an organism.
_UNII_TAXA = ("itis", "ncbi", "plants", "grin", "mpns", "catalogueoflife")
_NO_SUBSTANCE = (
    *(Mark(ReadIssue.NOT_A_DRUG, (Condition(taxon, ("",), holds=False),)) for taxon in _UNII_TAXA),
    Mark(ReadIssue.NOT_A_DRUG, (Condition("substancetype", ("structurallydiverse", "concept")),)),
    Mark(ReadIssue.NOT_A_DRUG, (Condition("ingredienttype", ("molecular fragment",)),)),
)
_CODE, _BRAND = Condition("type", ("cd",)), Condition("type", ("bn",))
_OTHER_NAME = Condition("type", ("cd", "bn"), holds=False)
_UNII_NAMES = tuple(
    KnownTable(
        ("name", "type", "unii", name),
        (
            TableValue("unii", "unii"),
            TableValue("drug", name),
            TableValue("synonyms", "name", (_OTHER_NAME,), _BEFORE_LISTS),
            TableValue("research_codes", "name", (_CODE,), _BEFORE_LISTS),
            TableValue("brands", "name", (_BRAND,), _BEFORE_LISTS),
        ),
        quoted=False,
        windows_1252=True,
        keeps_others=False,
    )
    for name in _UNII_DISPLAY_NAMES
)
_UNII_RECORDS = tuple(
    KnownTable(
        ("unii", name, "rn", "inchikey", "ingredienttype"),
        (
            TableValue("unii", "unii"),
            TableValue("drug", name),
            TableValue("cas", "rn"),
            TableValue("rxcui", "rxcui"),
            TableValue("inchikey", "inchikey"),
        ),
        _NO_SUBSTANCE,
        quoted=False,
        windows_1252=True,
        keeps_others=False,
    )
    for name in _UNII_DISPLAY_NAMES
)

# --- ChEMBL: compounds from the web interface, and pages of the API's molecules.

_CHEMBL_COMPOUNDS = KnownTable(
    ("chemblid", "name", "synonyms", "type", "maxphase"),
    (
        TableValue("chembl", "chemblid"),
        TableValue("drug", "name"),
        TableValue("synonyms", "synonyms"),
        TableValue("inchikey", "inchikey"),
    ),
    # Most compounds of ChEMBL are only known by their structure.
    (Mark(ReadIssue.NOT_A_DRUG, (Condition("name", ("",)),)),),
    keeps_others=False,
)
_SYNONYMS = "molecule_synonyms"
_BRAND_OR_CODE = ("TRADE_NAME", "RESEARCH_CODE")
_CHEMBL_MOLECULE = JsonShape(
    name="ChEMBL",
    marks=(("molecule_chembl_id",),),
    paths={
        "chembl": (("molecule_chembl_id",),),
        "drug": (("pref_name",),),
        "synonyms": (
            (
                _SYNONYMS,
                HavingNone("syn_type", ("TRADE_NAME", "RESEARCH_CODE")),
                "molecule_synonym",
            ),
        ),
        "brands": ((_SYNONYMS, Having("syn_type", "TRADE_NAME"), "molecule_synonym"),),
        "research_codes": ((_SYNONYMS, Having("syn_type", "RESEARCH_CODE"), "molecule_synonym"),),
        "inchikey": (("molecule_structures", "standard_inchi_key"),),
        "atccode": (("atc_classifications",),),
        "form_of": (("molecule_hierarchy", "parent_chembl_id", Within("(.+)", "chembl:")),),
    },
    certain=True,
    keeps_others=False,
)

# --- EMA's table of medicines: as JSON, and as CSV of its spreadsheet, below lines of its own.

#: A medicine has its former name behind it: `Spikevax (previously COVID-19 Vaccine Moderna)`.
_WITH_FORMER_NAME = r"(.+?)(?:\s+\((?:previously|formerly)(?: known as)?\s+(.+?)\))?"
_EMA_MEDICINES = KnownTable(
    ("category", "nameofmedicine", "activesubstance"),
    (
        TableValue("brands", "nameofmedicine", pattern=_WITH_FORMER_NAME),
        # A product of several substances is a drug of its own, named by all of them.
        TableValue("drug", "internationalnonproprietaryname(inn)/commonname"),
        TableValue("drug", "internationalnonproprietarynamecommonname"),
        TableValue("drug", "activesubstance"),
        TableValue("forms", "activesubstance"),
        TableValue("atccode", "atccode(human)"),
        TableValue("atccode", "atccodehuman"),
        TableValue("atccode", "atccode"),
    ),
    (Mark(ReadIssue.NOT_A_DRUG, (Condition("category", ("veterinary",)),)),),
    keeps_others=False,
)
_EMA_MEDICINE = JsonShape(
    name="EMA",
    marks=(("name_of_medicine",),),
    paths={
        "brands": (("name_of_medicine", Within(_WITH_FORMER_NAME)),),
        "drug": (("international_non_proprietary_name_common_name",), ("active_substance",)),
        "forms": (("active_substance",),),
        "atccode": (("atc_code_human",),),
    },
    certain=True,
    keeps_others=False,
    issues=((ReadIssue.NOT_A_DRUG, ("category", Among(("veterinary",)))),),
)

KNOWN_TABLES = (*_UNII_NAMES, *_UNII_RECORDS, _CHEMBL_COMPOUNDS, _EMA_MEDICINES)
JSON_SHAPES = (_CHEMBL_MOLECULE, _EMA_MEDICINE)
