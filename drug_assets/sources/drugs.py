"""Drug lists: a formulary, DrugBank's open vocabulary, the WHO's ATC/DDD table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drug_assets.sources.source import DrugList, SourceContracts
from drug_assets.terms import ATC_CODES_FORM, ID_FORM, IdentifierScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from drug_assets.fetch import Vocabulary
    from drug_assets.formats.json_shapes import JsonShape
    from drug_assets.formats.record_shape import KnownTable


class Drugs(DrugList):
    """Drugs by name, with codes and synonyms."""

    name = "drugs"
    order = 1
    required = ("drug", "atc_name")
    aliases: ClassVar[Mapping[str, str]] = {
        "atc": "atccode",
        "drugid": "id",
        # DrugBank's open vocabulary.
        "drugbankid": "id",
        "commonname": "drug",
        # Spreadsheets.
        "drugname": "drug",
        "nameofdrug": "drug",
        "genericname": "drug",
        "name": "drug",
        "atccodes": "atccode",
        "synonym": "synonyms",
        "brand": "brands",
        "brandname": "brands",
        "brandnames": "brands",
        "tradename": "brands",
        "tradenames": "brands",
        "researchcode": "research_codes",
        "casnumber": "cas",
        "casno": "cas",
        "casrn": "cas",
        "casregistrynumber": "cas",
        "uniicode": "unii",
        "standardinchikey": "inchikey",
        "rxnormid": "rxcui",
        "rxnormcui": "rxcui",
        "chemblid": "chembl",
        # ChEMBL's export of drugs.
        "parentmolecule": "chembl",
        "meshid": "mesh",
        "meshui": "mesh",
        # The WHO's ATC/DDD table.
        "atclevelname": "atc_name",
    }
    ignored = frozenset(
        {
            "accessionnumbers",  # DrugBank's open vocabulary
            *("ddd", "uom", "admr", "adm.r", "note"),  # the WHO's ATC/DDD table
        }
    )
    preferred = frozenset({"drug", "drugname"})
    forms: ClassVar[Mapping[str, str]] = {"id": ID_FORM, "atccode": ATC_CODES_FORM}
    listed = frozenset(
        {
            *("atccode", "synonyms", "brands", "research_codes", "forms", "form_of"),
            *("products", "moiety_in", "mapped_to", "tree_numbers", "class_names"),
            *IdentifierScheme,
        }
    )
    formats = ("json", "csv", "mesh_xml", "drugbank_xml")
    owners_files = (
        r"unii[ _]?(?:names|records).*\.txt",
        r"medicines[_-]output[_-]medicines.*\.(?:json|csv|xlsx)",
        r"rxn[a-z]+\.rrf",
        r"cis_(?:[a-z_]+_)?bdpm\.(?:txt|csv)",
        r"cis_(?:mitm|cip_dispo_spec|infoimportantes.*)\.(?:txt|csv)",
        r"has_lienspagect_bdpm\.(?:txt|csv)",
    )
    cluster_by = ("drug_id",)
    vocabularies: ClassVar[Mapping[str, str]] = {
        "mesh": "the NLM's MeSH: descriptors and supplementary records",
        "unii": "FDA's UNII list: names and records",
        "rxnorm": "the NLM's RxNorm: current prescribable content",
        "bdpm": "the French public drug database",
    }

    def known_tables(self) -> tuple[KnownTable, ...]:
        """The tables of vocabularies."""
        from drug_assets.formats.vocabularies import KNOWN_TABLES

        return KNOWN_TABLES

    def unread_files(self) -> Mapping[str, str]:
        """The tables of vocabularies that name no substance."""
        from drug_assets.formats.vocabularies import UNREAD_FILES

        return UNREAD_FILES

    def json_shapes(self) -> tuple[JsonShape, ...]:
        """The JSON of vocabularies."""
        from drug_assets.formats.vocabularies import JSON_SHAPES

        return JSON_SHAPES

    def vocabulary(self, name: str) -> Vocabulary:
        """The vocabulary of a name of `vocabularies`.

        Raises:
            LookupError: there is no such vocabulary.
        """
        from drug_assets.fetch import VOCABULARIES

        return VOCABULARIES[name]

    def contracts(self) -> SourceContracts:
        """Its contracts."""
        from drug_assets import contracts

        return SourceContracts(contracts.RawDrugs, contracts.DrugRecords, contracts.Drugs)

    def clean_records(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Clean each raw row by itself; see `cleaning.records`."""
        from drug_assets.cleaning.records import clean_drug_records

        return clean_drug_records(self, raw)


SOURCE = Drugs()
