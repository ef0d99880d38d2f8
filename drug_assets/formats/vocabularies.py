"""Vocabularies of drugs as their owners deliver them, as declared tables and layouts (SPEC 1).

Each row gives what it says itself. Rows of several files that belong together are joined by their
identifiers (`cleaning.drug_joins`), and what only adds to a substance, or to the one substance of a
product, by `cleaning.drug_parts`. docs/data.md says where each is had, and what it is good for. XML
has modules of its own.
"""

from __future__ import annotations

from dataclasses import replace

from drug_assets.formats.json_shapes import Among, Having, HavingNone, JsonShape, Within
from drug_assets.formats.record_shape import Condition, KnownTable, Mark, TableValue
from drug_assets.terms import ReadIssue

_PART = ReadIssue.PART_OF_RECORD

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
            TableValue("synonyms", "name", (_OTHER_NAME,), _BEFORE_LISTS),
            TableValue("research_codes", "name", (_CODE,), _BEFORE_LISTS),
            TableValue("brands", "name", (_BRAND,), _BEFORE_LISTS),
        ),
        # A name does not say whether it is that of a drug: the records do, or another list.
        (Mark(_PART),),
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
            TableValue("id", "unii"),
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

_NAMED = Condition("name", ("",), holds=False)
_CHEMBL_COMPOUNDS = KnownTable(
    ("chemblid", "name", "synonyms", "type", "maxphase"),
    (
        TableValue("id", "chemblid", (_NAMED,)),
        TableValue("chembl", "chemblid", (_NAMED,)),
        TableValue("drug", "name"),
        TableValue("synonyms", "synonyms"),
        TableValue("inchikey", "inchikey", (_NAMED,)),
    ),
    # Most compounds of ChEMBL are only known by their structure.
    (Mark(ReadIssue.NOT_A_DRUG, (replace(_NAMED, holds=True),)),),
    keeps_others=False,
)
_SYNONYMS = "molecule_synonyms"
_BRAND_OR_CODE = ("TRADE_NAME", "RESEARCH_CODE")
_CHEMBL_MOLECULE = JsonShape(
    name="ChEMBL",
    marks=(("molecule_chembl_id",),),
    paths={
        "id": (("molecule_chembl_id",),),
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
    issues_without=((ReadIssue.NOT_A_DRUG, ("pref_name",)),),
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

# --- RxNorm: RXNCONSO.RRF has a row per name, RXNREL.RRF one per relation of two concepts. Without
# a header and quotes, with a bar behind the last column.

_CONSO = (
    *("rxcui", "lat", "ts", "lui", "stt", "sui", "ispref", "rxaui", "saui", "scui", "sdui"),
    *("sab", "tty", "code", "str", "srl", "suppress", "cvf"),
)
#: The sources that the UMLS licence puts under no restriction of their own (level 0) and that name
#: substances, each with the types of its names of them.
_NAMES_OF_FREE_SOURCES = {
    "rxnorm": ("in", "pin", "min", "bn", "sy", "tmsy"),
    "mthspl": ("su",),
    "vandf": ("in",),
    "drugbank": ("in", "sy", "fsy"),
    "msh": ("mh", "nm", "et", "pep", "pce"),
}
#: Obsolete names are used: old titles have them.
_USED = (Condition("lat", ("eng",)), Condition("suppress", ("e", "y"), holds=False))


def _names(sab: str, *types: str) -> tuple[Condition, ...]:
    """Names of a source, of these types, or of all of its types that name substances."""
    of_types = types or _NAMES_OF_FREE_SOURCES[sab]
    return (Condition("sab", (sab,)), Condition("tty", of_types), *_USED)


_SUBSTANCE = _names("rxnorm", "in", "pin", "min")
_BRAND_NAME = _names("rxnorm", "bn")
#: What has the number of a concept, but does not say of what kind that is.
_OTHER_NAMES = (
    _names("rxnorm", "sy", "tmsy"),
    *(_names(sab) for sab in _NAMES_OF_FREE_SOURCES if sab != "rxnorm"),
)
_RXNCONSO = KnownTable(
    _CONSO,
    (
        TableValue("id", "rxcui", _SUBSTANCE),
        TableValue("drug", "str", _SUBSTANCE),
        *(TableValue("rxcui", "rxcui", names) for names in (_SUBSTANCE, *_OTHER_NAMES)),
        *(TableValue("synonyms", "str", names) for names in _OTHER_NAMES),
        TableValue("brands", "str", _BRAND_NAME),
        # A brand has a concept of its own; RXNREL says of which substances it is one.
        TableValue("products", "rxcui", _BRAND_NAME, prefix="rxcui:"),
    ),
    (
        *(Mark(_PART, names) for names in (_BRAND_NAME, *_OTHER_NAMES)),
        Mark(
            ReadIssue.NOT_FOR_USE,
            (Condition("sab", tuple(_NAMES_OF_FREE_SOURCES), holds=False),),
        ),
        *(
            Mark(ReadIssue.NOT_FOR_USE, (replace(condition, holds=not condition.holds),))
            for condition in _USED
        ),
        *(
            Mark(
                ReadIssue.NOT_A_DRUG,
                (Condition("sab", (sab,)), Condition("tty", types, holds=False), *_USED),
            )
            for sab, types in _NAMES_OF_FREE_SOURCES.items()
        ),
    ),
    file_word="rxnconso",
    separator="|",
    keeps_others=False,
)
_TRADENAME = (Condition("rela", ("tradename_of",)),)
_FORM = (Condition("rela", ("form_of",)),)
#: The second concept is a trade name, or a form, of the first one.
_RXNREL = KnownTable(
    (
        *("rxcui1", "rxaui1", "stype1", "rel", "rxcui2", "rxaui2", "stype2", "rela", "rui"),
        *("srui", "sab", "sl", "dir", "rg", "suppress", "cvf"),
    ),
    (
        TableValue("rxcui", "rxcui1", _TRADENAME),
        TableValue("products", "rxcui2", _TRADENAME, prefix="rxcui:"),
        TableValue("rxcui", "rxcui2", _FORM),
        TableValue("form_of", "rxcui1", _FORM, prefix="rxcui:"),
    ),
    (Mark(_PART),),
    file_word="rxnrel",
    separator="|",
    keeps_others=False,
    speaks=(Condition("rela", ("tradename_of", "form_of")), Condition("sab", ("rxnorm",))),
)

# --- The French public drug database (BDPM), without headers, separated by tabs. A product has a
# CIS code; what it consists of is a row per substance.

_OF_PRODUCT = "bdpm:"
_DOSED = (
    r"(?:%|pour ?cent|(?:milli|micro|nano|kilo)?grammes?|[mkµn]?g|[mc]?l|litres?|m?u\.?i\.?|u|"
    r"unit[ée]s?|millions?|m?mol|meq|[kmg]?bq|c?h|dh|ppm|kcal|mcg|doses?)"
)
#: What stands before the first amount, or before the first comma; three characters or more.
_BEFORE_DOSAGE = rf"(?i)([^,]{{3,}}?)(?:\s+[0-9][0-9\s.,/]*\s?{_DOSED}(?![^\W\d_]).*|,.*)?"
_ACTIVE, _MOIETY = Condition("nature", ("sa",)), Condition("nature", ("ft", "st"))
_CIS = KnownTable(
    (
        *("cis", "denomination", "form", "routes", "status", "procedure", "marketed", "date"),
        *("bdmstatus", "european", "holder", "monitored"),
    ),
    (
        TableValue("products", "cis", prefix=_OF_PRODUCT),
        TableValue("brands", "denomination", pattern=_BEFORE_DOSAGE),
    ),
    (Mark(_PART),),
    file_word="cis_bdpm",
    windows_1252=True,
    keeps_others=False,
)
#: The active substance and its therapeutic moiety have one number: that of their place.
_CIS_COMPO = KnownTable(
    ("cis", "element", "code", "name", "dosage", "reference", "nature", "link"),
    (
        TableValue("drug", "name"),
        TableValue("bdpm", "code"),
        TableValue("products", "cis", (_ACTIVE,), prefix=_OF_PRODUCT, place="link"),
        TableValue("moiety_in", "cis", (_MOIETY,), prefix=_OF_PRODUCT, place="link"),
    ),
    file_word="cis_compo_bdpm",
    windows_1252=True,
    keeps_others=False,
)
_CIS_MITM = KnownTable(
    ("cis", "atc", "denomination", "address"),
    (
        TableValue("products", "cis", prefix=_OF_PRODUCT),
        TableValue("atccode", "atc"),
    ),
    (Mark(_PART),),
    file_word="cis_mitm",
    windows_1252=True,
    keeps_others=False,
)

KNOWN_TABLES = (
    *(*_UNII_NAMES, *_UNII_RECORDS, _CHEMBL_COMPOUNDS, _EMA_MEDICINES),
    *(_RXNCONSO, _RXNREL, _CIS, _CIS_COMPO, _CIS_MITM),
)
JSON_SHAPES = (_CHEMBL_MOLECULE, _EMA_MEDICINE)
#: Further tables of these deliveries, by a word in their names: what they hold.
UNREAD_FILES = {
    "rxnsat": "attributes of RxNorm's concepts",
    "rxnsty": "semantic types of RxNorm's concepts",
    "rxnsab": "the sources of RxNorm",
    "rxndoc": "what the words of RxNorm's tables mean",
    "rxncui": "numbers of RxNorm's concepts that were retired",
    "rxncuichanges": "numbers of RxNorm's concepts that changed",
    "rxnatomarchive": "names that RxNorm no longer has",
    "cis_cip_bdpm": "packages and prices of the BDPM",
    "cis_cip_dispo_spec": "shortages of the BDPM",
    "cis_cpd_bdpm": "conditions of prescription of the BDPM",
    "cis_gener_bdpm": "groups of generics of the BDPM",
    "cis_has_smr_bdpm": "opinions on products of the BDPM",
    "cis_has_asmr_bdpm": "opinions on products of the BDPM",
    "has_lienspagect_bdpm": "links to opinions on products of the BDPM",
    "cis_infoimportantes": "safety notices of the BDPM",
}
