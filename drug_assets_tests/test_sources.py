from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets import contracts, formats, sources, terms
from drug_assets.delivery import is_documentation, natural_key
from drug_assets.formats.record_shape import KnownTable, normalize_header
from drug_assets.sources import Source, source_of_file
from drug_assets.sources.pubmed import Pubmed
from drug_assets.sources.source import PublicationSource, SourceContracts
from drug_assets.sources.tables import (
    TABLES,
    Layer,
    list_columns,
    name_mention_counts,
    name_retraction_counts,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

CLINICAL_TRIALS_SPELT = (
    *("clinical_trials", "Clinical Trials", "clinical-trials", "clinicaltrials", "ClinicalTrials"),
    *("clinical_trial", "Clinical Trial (1)", "CLINICAL-TRIAL-2024", "_clinical  trials"),
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
        ("my_clinicaltrials.csv", None),
        # Blanks, hyphens, underscores and a missing plural do not matter.
        *((f"{name}.csv", CLINICAL_TRIALS) for name in CLINICAL_TRIALS_SPELT),
        ("ctg-studies.csv", CLINICAL_TRIALS),
        ("ctg-studies (2).json", CLINICAL_TRIALS),
        ("CTG_Studies/1.json", CLINICAL_TRIALS),
        ("Pub Med.csv", PUBMED),
        ("drug.csv", DRUGS),
        ("Drug list.csv", DRUGS),
        ("drug_2.csv", DRUGS),
        ("drug", DRUGS),
        ("drugstore.csv", DRUGS),
        # A missing plural, but the rest of another word.
        ("drugbank.csv", None),
        ("clinical_trialist.csv", None),
        ("ctg-studio.csv", None),
        # The names that owners give, whole: in any folder, packed or downloaded again.
        ("desc2026.xml", DRUGS),
        ("a/SUPP2026.xml.gz", DRUGS),
        ("desc2026.gz", DRUGS),
        ("desc2026.zip", DRUGS),
        ("supp2026 (1).xml", DRUGS),
        ("desc2026(12).xml.gz", DRUGS),
        ("full database.xml", DRUGS),
        ("drugbank_all_full_database.xml.gz", DRUGS),
        ("DrugBank/drugbank_all_full_database_5.1.xml.zip", DRUGS),
        ("full database.csv", None),
        ("a full database.xml", None),
        ("description.csv", None),
        ("desc2026.dtd", None),
        ("desc2026.csv", None),
        ("UNII_Names_4Aug2026.txt", DRUGS),
        ("unii records 4Aug2026 (1).txt.gz", DRUGS),
        ("a/medicines-output-medicines_json-report_en.json", DRUGS),
        ("medicines-output-medicines-report_en.xlsx", DRUGS),
        ("pubmed/CIS_COMPO_bdpm.txt", DRUGS),
        ("cis_CIP_Dispo_Spec.txt.gz", DRUGS),
        ("rxnconso.rrf", DRUGS),
        ("pubmed/cis_retinoids.csv", PUBMED),
        ("rxnconso.csv", None),
        ("medicines-output-herbal_medicines-report_en.csv", None),
        ("desc2026_notes.xml", None),
        ("my desc2026.xml", None),
        ("desc2026.xml/notes.txt", None),
        ("qual2026.xml", None),
        ("drugs/qual2026.xml", DRUGS),
    ],
)
def test_a_file_belongs_to_a_source_by_the_start_of_a_name(
    path: str, source: Source | None
) -> None:
    assert source_of_file(path) is source


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
    assert source.record_shape().field_of(header) == field


@pytest.mark.parametrize(
    "header",
    [
        *("\ufeffatc code", "\u200batc\u200c_code\u2060", "ï»¿ATC-Code", '"ï»¿atccode"'),
        *(
            ' "atc code" ',
            "“ATC code”",
            "‘atccode’",
            "«\xa0atc\xa0»",
            "'atccode'",
            "`atccode`",
        ),
    ],
)
def test_signs_without_width_quotes_and_blanks_around_a_header_do_not_matter(header: str) -> None:
    assert DRUGS.record_shape().field_of(header) == "atccode"


#: The headers of files that people have, by the field of the source that each means.
HEADERS = {
    DRUGS: {
        "id": ("id", "drug_id", "DrugBank ID"),
        "atccode": ("atccode", "ATC", "ATC code"),
        "drug": ("drug", "Common name"),
        "atc_name": ("atc_name", "ATC level name"),
        "synonyms": ("synonyms", "Synonyms"),
        "brands": ("brands", "Trade names"),
        "research_codes": ("research_codes",),
        "forms": ("forms",),
        "drugbank": ("drugbank",),
        "unii": ("unii", "UNII"),
        "chembl": ("Parent Molecule", "chembl", "ChEMBL ID"),
        "mesh": ("mesh", "MeSH UI"),
        "rxcui": ("rxcui", "RxCUI"),
        "bdpm": ("bdpm",),
        "cas": ("cas", "CAS Number"),
        "inchikey": ("inchikey", "Standard InChI Key"),
        "form_of": ("form_of",),
        "products": ("products",),
        "moiety_in": ("moiety_in", "Moiety in"),
        "mapped_to": ("mapped_to",),
        "tree_numbers": ("tree_numbers",),
        "class_names": ("class_names",),
    },
    PUBMED: {
        "id": ("id", "PMID"),
        "title": ("title", "Title"),
        "date": ("date", "Publication Year"),
        "journal": ("journal", "Journal/Book"),
        "nlm_id": ("nlm_id", "NLM ID"),
        "issn": ("issn", "ISSN"),
        "version": ("version",),
        "citation_status": ("citation_status",),
        "vernacular_title": ("vernacular_title", "Vernacular Title"),
        "publication_types": ("publication_types", "Publication Types"),
        "print_date": ("print_date",),
        "electronic_date": ("electronic_date",),
        "date_revised": ("date_revised", "Date revised"),
        "journal_abbreviations": ("journal_abbreviations",),
        "corrections": ("corrections",),
        "trial_ids": ("trial_ids",),
    },
    CLINICAL_TRIALS: {
        "id": ("id", "nct_id", "NCT Number"),
        "scientific_title": ("scientific_title", "title", "Official Title"),
        "date": ("date", "Start Date"),
        "journal": ("journal",),
        "nlm_id": ("nlm_id",),
        "issn": ("issn",),
        "brief_title": ("brief_title", "Study Title"),
        "status": ("status", "Study Status", "Overall Status", "Recruitment"),
        "phase": ("phase", "Phases"),
        "sponsor": ("sponsor", "Lead Sponsor", "Sponsor/Collaborators"),
        "reference_pmids": ("reference_pmids",),
        "result_pmids": ("result_pmids",),
        "derived_pmids": ("derived_pmids",),
        "last_update": ("last_update",),
    },
}


@pytest.mark.parametrize("source", HEADERS, ids=lambda s: s.name)
def test_every_header_of_a_source_means_its_field(source: Source) -> None:
    shape = source.record_shape()
    headers = HEADERS[source]
    assert [*headers] == [*shape.fields]
    assert {f: tuple(h for h in hs if shape.field_of(h) == f) for f, hs in headers.items()} == (
        headers
    )


#: The columns that tools and services write, and the fields that they hold.
EXPORTS = {
    "PubMed's site": (
        PUBMED,
        "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,DOI",
        {"id": (0,), "title": (1,), "journal": (5,), "date": (6,)},
    ),
    "easyPubMed": (
        PUBMED,
        "pmid,doi,title,abstract,year,month,day,jabbrv,journal,keywords,lastname",
        {"id": (0,), "title": (2,), "journal_abbreviations": (7,), "journal": (8,)},
    ),
    "pymed": (
        PUBMED,
        "pubmed_id,title,abstract,keywords,journal,publication_date,authors",
        {"id": (0,), "title": (1,), "journal": (4,), "date": (5,)},
    ),
    "a spreadsheet of drugs": (DRUGS, "name,class", {"drug": (0,)}),
    "a list with brands": (
        DRUGS,
        "Generic_Name,DrugName,ATC codes",
        {"drug": (1, 0), "atccode": (2,)},
    ),
    "ClinicalTrials.gov": (
        CLINICAL_TRIALS,
        "NCT Number,Study Title,Study URL,Study Status,Phases,Start Date,Last Update Posted",
        {"id": (0,), "brief_title": (1,), "status": (3,), "phase": (4,), "date": (5,)}
        | {"last_update": (6,)},
    ),
}


@pytest.mark.parametrize("export", EXPORTS)
def test_the_columns_of_known_exports_are_read(export: str) -> None:
    source, header, synonyms = EXPORTS[export]
    columns = source.record_shape().assign(header.split(","))
    assert columns.synonyms == synonyms
    assert columns.parts == ({"date": (4, 5, 6)} if export == "easyPubMed" else {})


@pytest.mark.parametrize("source", sources.ALL, ids=lambda s: s.name)
def test_forms_are_those_of_fields(source: Source) -> None:
    assert set(source.forms) <= set(source.record_shape().fields)


@pytest.mark.parametrize(
    ("form", "text", "matches"),
    [
        *(
            (terms.DATE_FORM, text, True)
            for text in ("2020-01-01", "1er janvier 2020", "2000 Spring")
        ),
        *((terms.DATE_FORM, text, True) for text in ("September 20, 2018", "01/02/20", "20200115")),
        *(
            (terms.DATE_FORM, text, False)
            for text in ("Marathon 2019", "5 mg 2019", "100", "J", "")
        ),
        *((terms.ID_FORM, text, True) for text in ("1", "NCT01", "PMID: 12", "9.0E+07")),
        *((terms.ID_FORM, text, False) for text in ("Aspirin", "1,2", "vitamin B12", "")),
        *((terms.ATC_CODES_FORM, text, True) for text in ("N02BA01|A01AD05", "n02b")),
        *((terms.ATC_CODES_FORM, text, False) for text in ("INSULIN", "A1")),
        *((terms.ISSN_FORM, text, True) for text in ("1234-567X", "ISSN 12345678; 1111-1111")),
        *((terms.PUBMED_IDS_FORM, text, True) for text in ("12", "12|13, 14")),
    ],
)
def test_forms_tell_values_apart(form: str, text: str, matches: bool) -> None:
    assert bool(re.fullmatch(form, text)) is matches


def test_the_fields_of_each_source_that_can_have_several_values() -> None:
    assert {source.name: sorted(source.listed) for source in sources.ALL} == {
        "drugs": [
            *("atccode", "bdpm", "brands", "cas", "chembl", "class_names", "drugbank", "form_of"),
            *("forms", "inchikey", "mapped_to", "mesh", "moiety_in", "products"),
            *("research_codes", "rxcui", "synonyms", "tree_numbers", "unii"),
        ],
        "pubmed": [
            "corrections",
            "issn",
            "journal_abbreviations",
            "publication_types",
            "trial_ids",
        ],
        "clinical_trials": ["derived_pmids", "phase", "reference_pmids", "result_pmids"],
    }


def test_the_fields_of_which_a_file_needs_one() -> None:
    assert {source.name: source.required for source in sources.ALL} == {
        "drugs": ("drug", "atc_name"),
        "pubmed": ("title",),
        "clinical_trials": ("scientific_title", "brief_title"),
    }


def test_the_formats_of_each_source_and_its_own_json() -> None:
    assert {source.name: source.formats for source in sources.ALL} == {
        "drugs": ("json", "csv", "mesh_xml", "drugbank_xml"),
        "pubmed": ("json", "csv", "pubmed_xml", "medline"),
        "clinical_trials": ("json", "csv", "ictrp_xml"),
    }
    with_json = [source.name for source in sources.ALL if source.json_shapes()]
    assert with_json == ["drugs", "pubmed", "clinical_trials"]


def test_the_words_for_publications_of_each_source() -> None:
    words = [(s.publications, s.document_type, s.pulled_from) for s in sources.PUBLICATIONS]
    assert words == [
        ("PubMed articles", "pubmed", "PubMed"),
        ("Clinical trials", "clinical_trial", "ClinicalTrials.gov"),
    ]


def test_the_titles_of_each_source_the_one_that_is_shown_first() -> None:
    assert [(s.titles, s.title_fields) for s in sources.PUBLICATIONS] == [
        (("title",), ("title", "vernacular_title")),
        (("title", "brief_title"), ("scientific_title", "brief_title")),
    ]


@pytest.mark.parametrize("source", sources.ALL, ids=lambda s: s.name)
class TestEverySource:
    def test_has_its_raw_table(self, source: Source) -> None:
        raw = source.contracts().raw
        assert TABLES[f"raw_{source.name}"].contract is raw
        assert [*source.record_shape().fields] == [
            c for c in raw.column_names() if c not in contracts.RawRecord.column_names()
        ]

    def test_needs_one_of_its_fields(self, source: Source) -> None:
        assert set(source.required) <= set(source.record_shape().fields)
        assert source.listed <= set(source.record_shape().fields)

    def test_knows_its_own_fields_and_aliases_as_they_are_compared(self, source: Source) -> None:
        shape = source.record_shape()
        assert [shape.field_of(field) for field in shape.fields] == [*shape.fields]
        for alias, field in source.aliases.items():
            assert normalize_header(alias) == alias
            assert field in shape.fields

    def test_has_its_other_tables(self, source: Source) -> None:
        assert TABLES[f"{source.name}_records"].contract is source.contracts().records
        assert TABLES[source.name].contract is source.contracts().cleaned
        assert f"merged_{source.name}" in TABLES

    def test_delivers_formats_that_are_read(self, source: Source) -> None:
        assert set(source.formats) <= {known.name for known in formats.FORMATS}

    def test_is_found_by_its_own_name(self, source: Source) -> None:
        assert source_of_file(f"{source.name}.csv") is source


class TestRegistry:
    def test_sources_are_in_their_order_and_of_different_names(self) -> None:
        assert [source.name for source in sources.ALL] == ["drugs", "pubmed", "clinical_trials"]
        assert sources.DRUGS is DRUGS
        assert sources.PUBLICATIONS == (PUBMED, CLINICAL_TRIALS)

    @pytest.mark.parametrize("source", sources.PUBLICATIONS, ids=lambda s: s.name)
    def test_titles_are_columns_of_records_and_of_the_table(
        self, source: PublicationSource
    ) -> None:
        own = source.contracts()
        for contract in (own.records, own.cleaned):
            assert set(source.titles) <= set(contract.column_names())
        assert set(source.title_fields) <= set(source.record_shape().fields)

    @pytest.mark.parametrize("source", sources.PUBLICATIONS, ids=lambda s: s.name)
    def test_what_is_pulled_from_a_service_is_of_the_source(
        self, source: PublicationSource
    ) -> None:
        assert source.service().source == source.name
        assert source.service().name == source.pulled_from

    def test_publications_of_no_service_are_not_pulled(self) -> None:
        class Leaflets(PublicationSource):
            name = "leaflets"

            def contracts(self) -> SourceContracts:
                return PUBMED.contracts()

        with pytest.raises(LookupError, match="leaflets is pulled from no service"):
            Leaflets().service()

    def test_of_several_claims_to_a_file_the_longest_holds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Preprints(Pubmed):
            name = "pubmed_preprints"

        preprints = Preprints()
        for every in ((PUBMED, preprints), (preprints, PUBMED)):
            monkeypatch.setattr(sources, "ALL", every)
            assert source_of_file("pubmed_preprints_1.csv") is preprints
            assert source_of_file("pubmed_1.csv") is PUBMED


class TestTables:
    @pytest.mark.parametrize("name", TABLES)
    def test_are_clustered_and_partitioned_by_columns_of_theirs(self, name: str) -> None:
        table = TABLES[name]
        assert table.name == name
        assert 1 <= len(table.clustering) <= 4
        by = {*table.clustering, *filter(None, [table.partitioned_by])}
        assert by <= set(list_columns(name))

    def test_are_in_the_order_of_the_pipeline(self) -> None:
        assert {layer: [n for n, t in TABLES.items() if t.layer == layer] for layer in Layer} == {
            "raw": ["landed_files", "raw_drugs", "raw_pubmed", "raw_clinical_trials"],
            "clean": [
                *("drugs_records", "pubmed_records", "clinical_trials_records"),
                *("drugs", "drug_names", "journals", "pubmed", "clinical_trials"),
                "rejected_records",
                *("merged_drugs", "merged_pubmed", "merged_clinical_trials", "trial_publications"),
            ],
            "mentions": ["pubmed_drugs_named", "clinical_trials_drugs_named", "mentions"],
            "published": [
                *("journal_drugs", "top_journal", "atc_classes", "new_mentions", "changed_names"),
            ],
        }

    def test_a_warehouse_has_all_but_what_is_within_the_pipeline(self) -> None:
        within = {"landed_files", *(name for name, table in TABLES.items() if table.by_file)}
        assert {name for name, table in TABLES.items() if not table.published} == within

    @pytest.mark.parametrize(
        ("name", "clustering", "partitioned_by"),
        [
            ("drugs", ("drug_id",), None),
            ("journals", ("journal_id",), None),
            ("pubmed", ("journal_id", "publication_id"), "date"),
            ("clinical_trials", ("journal_id", "publication_id"), "date"),
            ("rejected_records", ("source", "source_file", "source_row"), None),
            ("merged_pubmed", ("source_file", "source_row"), None),
            (
                "trial_publications",
                ("trial_id", "publication_id", "trial_source", "source"),
                "date",
            ),
            ("mentions", ("drug_id", "journal_id"), "date"),
            ("journal_drugs", ("journal_id", "drug_id"), None),
            ("top_journal", ("journal_id",), None),
            ("atc_classes", ("class",), None),
            ("new_mentions", ("drug_id", "journal_id"), "date"),
            ("changed_names", ("drug_id", "name"), None),
        ],
    )
    def test_lie_in_a_warehouse_as_people_ask_for_them(
        self, name: str, clustering: tuple[str, ...], partitioned_by: str | None
    ) -> None:
        assert TABLES[name].clustering == clustering
        assert TABLES[name].partitioned_by == partitioned_by

    def test_are_clustered_by_four_columns_at_most(self) -> None:
        table = TABLES["mentions"]
        five = replace(table, clustered_by=("drug_id", "source", "publication_id", "drug", "title"))
        assert five.clustering == ("drug_id", "source", "publication_id", "drug")

    def test_what_is_kept_by_file_tells_the_file_and_is_not_published(self) -> None:
        by_file = [name for name, table in TABLES.items() if table.by_file]
        assert by_file == [
            *(f"raw_{source.name}" for source in sources.ALL),
            *(f"{source.name}_records" for source in sources.ALL),
            *(f"{source.name}_drugs_named" for source in sources.PUBLICATIONS),
        ]
        assert all("source_file" in list_columns(name) for name in by_file)
        assert not any(TABLES[name].published for name in by_file)

    def test_journals_count_the_mentions_of_each_source(self) -> None:
        counts = name_mention_counts()
        assert list(counts) == [source.name for source in sources.PUBLICATIONS]
        by_retraction = name_retraction_counts()
        assert [c for c in list_columns("journal_drugs") if c.endswith("_mentions")] == [
            *counts.values(),
            *(column for columns in by_retraction.values() for column in columns),
        ]

    def test_sources_that_can_be_retracted_say_so_in_their_tables(self) -> None:
        for source in sources.PUBLICATIONS:
            for contract in (source.contracts().records, source.contracts().cleaned):
                assert ("retracted" in contract.column_names()) == source.can_be_retracted
            assert (source.name in name_retraction_counts()) == source.can_be_retracted


class TestNaturalKey:
    def test_numbers_compare_as_numbers(self) -> None:
        names = ["q.csv", "p_0011.csv", "p_10a.csv", "p_10.csv", "P_2.csv", "p_1.csv"]
        assert sorted(names, key=natural_key) == names[::-1]

    def test_superscripts_are_no_numbers(self) -> None:
        names = ["p2.csv", "p1²2.csv", "p1.csv"]
        assert sorted(names, key=natural_key) == names[::-1]

    @pytest.mark.slow
    @given(st.lists(st.text("0129aA²_./", max_size=6), max_size=6, unique=True))
    def test_different_names_have_an_order(self, names: list[str]) -> None:
        assert len({natural_key(name) for name in names}) == len(names)
        names.sort(key=natural_key)
        again = names[::-1]
        again.sort(key=natural_key)
        assert again == names


def test_columns_are_assigned_by_preference_synonyms_and_parts() -> None:
    shape = replace(
        PUBMED.record_shape(), preferred=frozenset({"pmid"}), parts={"date": ("year", "month")}
    )
    assigned = shape.assign(["id", "Title", "PMID", "title", "Month", "YEAR", "other"])
    assert assigned.synonyms == {"id": (2, 0), "title": (1,)}
    assert assigned.parts == {"date": (5, 4)}
    assert assigned.beyond == (3, 6)


def test_of_several_known_tables_the_one_with_most_columns_is_taken() -> None:
    few, more = KnownTable(("of", "a")), KnownTable(("of", "a", "b"))
    for tables in ((few, more), (more, few)):
        shape = replace(PUBMED.record_shape(), known_tables=tables)
        assert shape.known_table(["B", "A ", "O_F", "c"]) is more
        assert shape.known_table(["A", "of"]) is few
        assert shape.known_table(["A", "of", "title"]) is None
        assert shape.known_table(["of", "b"]) is None
    assert PUBMED.record_shape().known_table(["of", "a"]) is None


def test_the_number_of_the_registry_is_preferred_to_that_of_a_row() -> None:
    assigned = CLINICAL_TRIALS.record_shape().assign(["id", "nct_id", "brief_title"])
    assert assigned.synonyms["id"] == (1, 0)


@pytest.mark.parametrize("source", sources.ALL, ids=lambda source: source.name)
def test_known_tables_give_fields_of_their_source(source: Source) -> None:
    columns = source.contracts().records.column_names()
    assert ("is_part" in columns) == source.has_parts()
    shape = source.record_shape()
    given = {value.field for table in shape.known_tables for value in table.values}
    assert given <= set(shape.fields)
    for table in shape.known_tables:
        spelt = [*table.columns, *table.deciding_columns(), *(v.column for v in table.values)]
        assert list(map(normalize_header, spelt)) == spelt
        if table.file_word:
            assert set(spelt) == set(table.columns)


def test_parts_give_way_to_a_column_of_the_whole_field() -> None:
    shape = replace(PUBMED.record_shape(), parts={"date": ("year", "month")})
    assert shape.assign(["title", "year", "date"]).parts == {}
    assert shape.assign(["title", "month"]).parts == {}
