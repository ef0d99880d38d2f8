"""Files of PubMed, ClinicalTrials.gov, DrugBank and the WHO -> clean tables."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets import contracts, formats, sources
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.publications import clean_publications, collect_journals
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.raw import (
    Row,
    held_to,
    make_records,
    pubmed_rows,
    raw_rows,
    records_of,
    trial_rows,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from drug_assets.sources import PublicationSource, Source


def read(source: Source, **files: str) -> pl.LazyFrame:
    """Raw rows of landed files, in order of delivery; `__` in a name stands for the dot."""
    return pl.concat(
        batch
        for name, text in files.items()
        for batch in formats.read(source.record_shape(), name.replace("__", "."), text.encode())
    ).lazy()


def cleaned(
    source: PublicationSource, raw: pl.LazyFrame
) -> tuple[list[Row], dict[int, str], list[Row]]:
    """Kept records, ids that rows were merged into, rejected rows; nothing is lost."""
    records = records_of({source.name: raw})
    known = collect_journals(records.values())
    kept, merged = clean_publications(source, records[source.name], known)
    publications = held_to(TABLES[source.name].contract, kept)
    rejected = collect_rejected({source.name: raw}, records)
    held_to(contracts.RejectedRecords, rejected)
    counts = [table.select(pl.len()).collect().item() for table in (raw, kept, merged, rejected)]
    assert counts[0] == sum(counts[1:])
    into = dict(merged.select("source_row", "merged_into").collect().rows())
    return publications.to_dicts(), into, rejected.collect().to_dicts()


def reasons(rejected: list[Row]) -> list[tuple[str, int, list[str]]]:
    return [(row["source_file"], row["source_row"], row["reasons"]) for row in rejected]


class TestPubmed:
    def rows(self, *rows: Row) -> tuple[list[Row], dict[int, str], list[Row]]:
        return cleaned(PUBMED, pubmed_rows(*rows))

    def test_a_deletion_withdraws_what_was_delivered_before(self) -> None:
        first = {"source_file": "pubmed_2.xml"}
        later = {"source_file": "pubmed_10.xml"}
        kept, _, rejected = self.rows(
            {**later, "id": "1", "citation_status": DELETED},
            {**later, "id": "1", "title": "Delivered again"},
            {**first, "id": "1", "title": "Withdrawn"},
            {**first, "id": "2", "title": "Another"},
        )
        assert [(r["publication_id"], r["title"]) for r in kept] == [
            ("1", "Delivered again"),
            ("2", "Another"),
        ]
        assert reasons(rejected) == [
            ("pubmed_10.xml", 1, ["deletion"]),
            ("pubmed_2.xml", 1, ["deleted"]),
        ]

    def test_a_deletion_of_what_never_came_is_rejected_alone(self) -> None:
        kept, _, rejected = self.rows({"id": "1", "citation_status": DELETED})
        assert kept == []
        assert reasons(rejected) == [("pubmed.csv", 1, ["deletion"])]

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_the_highest_version_wins_whenever_it_came(self, order: tuple[int, ...]) -> None:
        versions = [
            {"id": "1", "version": version, "title": f"Version {version}"}
            for version in ("1", "2", "10")
        ]
        kept, merged, _ = self.rows(*(versions[n] for n in order))
        assert [(r["publication_id"], r["title"]) for r in kept] == [("1", "Version 10")]
        assert kept[0]["issues"] == ["conflicting_duplicate", "missing_date", "missing_journal"]
        assert set(merged.values()) == {"1"}

    def test_of_one_version_the_later_delivery_wins(self) -> None:
        kept, _, _ = self.rows(
            {"id": "1", "version": "1", "title": "Revised", "source_file": "pubmed_10.xml"},
            {"id": "1", "version": "1", "title": "First", "source_file": "pubmed_9.xml"},
        )
        assert [r["title"] for r in kept] == ["Revised"]

    def test_publication_types_and_retraction(self) -> None:
        kept, _, _ = self.rows(
            {
                "id": "1",
                "title": "A",
                "publication_types": "Journal Article|Retracted Publication",
            },
            {"id": "2", "title": "B", "publication_types": "Retraction of Publication"},
            {"id": "3", "title": "C"},
        )
        assert [(r["publication_types"], r["retracted"]) for r in kept] == [
            (["Journal Article", "Retracted Publication"], True),
            (["Retraction of Publication"], False),
            ([], None),
        ]

    def test_a_retraction_that_comes_later_is_known(self) -> None:
        article = {"id": "1", "title": "A", "date": "2020", "journal": "J", "version": "1"}
        kept, _, _ = self.rows(
            {**article, "source_file": "pubmed_1.xml", "publication_types": "Letter"},
            {
                **article,
                "source_file": "pubmed_2.xml",
                "publication_types": "Letter|Retracted Publication",
            },
        )
        assert [(r["retracted"], r["source_file"]) for r in kept] == [(True, "pubmed_2.xml")]

    def test_the_vernacular_title_stands_in_for_one_that_is_not_available(self) -> None:
        kept, _, rejected = self.rows(
            {"id": "1", "title": "[Not Available].", "vernacular_title": "Über Aspirin"},
            {"id": "2", "title": "[On aspirin].", "vernacular_title": " Über  Aspirin "},
            {"id": "3", "title": "[Not Available].", "vernacular_title": "NA"},
        )
        assert [(r["title"], r["vernacular_title"]) for r in kept] == [
            ("Über Aspirin", "Über Aspirin"),
            ("[On aspirin].", "Über Aspirin"),
        ]
        assert [row["issues"][-1] for row in kept] == ["vernacular_title", "missing_journal"]
        assert [row["reasons"] for row in rejected] == [["blank_title"]]

    def test_from_xml_to_the_table(self) -> None:
        article = (
            "<PubmedArticle><MedlineCitation><PMID Version='1'>7</PMID><Article><Journal>"
            "<ISSN>1234-5678</ISSN><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan"
            "</MedlineDate></PubDate></JournalIssue><Title>Acta of Tests</Title></Journal>"
            "<ArticleTitle>CO<sub>2</sub> &amp;\n  <i>aspirin</i>.</ArticleTitle></Article>"
            "<MedlineJournalInfo><NlmUniqueID>99</NlmUniqueID></MedlineJournalInfo>"
            "</MedlineCitation></PubmedArticle>"
        )
        text = f"<PubmedArticleSet>{article}</PubmedArticleSet>"
        (record,), _, _ = cleaned(PUBMED, read(PUBMED, pubmed__xml=text))
        shown = {k: record[k] for k in ("title", "journal", "journal_id", "date_precision")}
        assert shown == {
            "title": "CO2 & aspirin.",
            "journal": "Acta of Tests",
            "journal_id": "0000099",
            "date_precision": "month",
        }
        assert (record["date"].isoformat(), record["date_text"]) == (
            "1998-12-01",
            "1998 Dec-1999 Jan",
        )


class TestClinicalTrials:
    def rows(self, *rows: Row) -> list[Row]:
        return cleaned(CLINICAL_TRIALS, trial_rows(*rows))[0]

    def test_a_trial_without_official_title_is_known_by_its_brief_one(self) -> None:
        kept = self.rows(
            {"id": "1", "brief_title": "Brief"},
            {"id": "2", "title": "Official", "brief_title": " Brief "},
            {"id": "3", "title": "Same", "brief_title": "Same"},
        )
        assert [(r["title"], r["brief_title"]) for r in kept] == [
            ("Brief", "Brief"),
            ("Official", "Brief"),
            ("Same", None),
        ]

    def test_a_trial_without_any_title_is_rejected(self) -> None:
        _, _, rejected = cleaned(CLINICAL_TRIALS, trial_rows({"id": "1"}))
        assert reasons(rejected) == [("clinical_trials.csv", 1, ["blank_title"])]

    def test_lists_and_texts(self) -> None:
        (record,) = self.rows(
            {
                "id": "1",
                "title": "T",
                "phase": "PHASE1| PHASE2",
                "reference_pmids": "12|11||12",
                "status": " COMPLETED ",
                "sponsor": "Hospital|Another",
            }
        )
        assert (record["phases"], record["reference_pmids"]) == (["PHASE1", "PHASE2"], ["12", "11"])
        assert (record["status"], record["sponsor"]) == ("COMPLETED", "Hospital")

    def test_from_the_api_to_the_table(self) -> None:
        def study(nct_id: str, **identification: str) -> dict[str, Any]:
            return {
                "protocolSection": {
                    "identificationModule": {"nctId": nct_id, **identification},
                    "statusModule": {"startDateStruct": {"date": "2005-11"}},
                }
            }

        page = {"studies": [study("NCT1", briefTitle="Brief", officialTitle="Official")]}
        kept, _, _ = cleaned(
            CLINICAL_TRIALS,
            read(
                CLINICAL_TRIALS,
                clinical_trials__json=json.dumps(page),
                clinical_trials__csv="NCT Number,Study Title,Start Date\nNCT2,Brief,2018-09\n",
                clinical_trials_2__csv=(
                    'Rank,NCT Number,Title,Start Date\n1,NCT3,Brief,"September 20, 2018"\n'
                ),
            ),
        )
        columns = ("publication_id", "title", "brief_title", "date_precision", "journal")
        assert [tuple(r[c] for c in columns) for r in kept] == [
            ("NCT1", "Official", "Brief", "month", None),
            ("NCT2", "Brief", "Brief", "month", None),
            ("NCT3", "Brief", None, "day", None),
        ]

    def test_from_an_export_of_the_ictrp_to_the_table(self) -> None:
        header = (
            "TrialID,Last Refreshed on,Public title,Scientific title,Primary sponsor,"
            "Date registration,Date_enrollement,Recruitment Status,Phase"
        )
        kept, _, _ = cleaned(
            CLINICAL_TRIALS,
            read(
                CLINICAL_TRIALS,
                clinical_trials__csv=f"{header}\n"
                "ISRCTN00000001,1 May 2021,Brief,Official,Clinic,15/01/2020,01/03/2020,Open,2\n"
                "ISRCTN00000002,1 May 2021,Brief,,Clinic,15/01/2020,,Open,2\n",
            ),
        )
        columns = ("publication_id", "title", "brief_title", "date", "sponsor", "status", "phases")
        of_both = ("Clinic", "Open", ["2"])
        assert [tuple(r[c] for c in columns) for r in kept] == [
            ("ISRCTN00000001", "Official", "Brief", date(2020, 3, 1), *of_both),
            ("ISRCTN00000002", "Brief", "Brief", date(2020, 1, 15), *of_both),
        ]

    @pytest.mark.parametrize(
        ("exported_on", "status"), [("2024-07-01", "COMPLETED"), ("2023-07-01", "RECRUITING")]
    )
    def test_an_export_and_the_api_say_which_of_them_is_newer(
        self, exported_on: str, status: str
    ) -> None:
        study = {
            "protocolSection": {
                "identificationModule": {
                    "nctId": "NCT00000001",
                    "briefTitle": "Brief",
                    "officialTitle": "Official",
                },
                "statusModule": {
                    "overallStatus": "RECRUITING",
                    "startDateStruct": {"date": "2005-11"},
                    "lastUpdatePostDateStruct": {"date": "2024-01-02"},
                },
            }
        }
        header = "NCT Number,Study Title,Study Status,Last Update Posted"
        raw = read(
            CLINICAL_TRIALS,
            clinical_trials_2__json=json.dumps({"studies": [study]}),
            clinical_trials_1__csv=f"{header}\nNCT00000001,New brief,COMPLETED,{exported_on}\n",
        )
        (kept,), merged, _ = cleaned(CLINICAL_TRIALS, raw)
        assert (kept["title"], kept["status"], str(kept["date"])) == (
            "Official",
            status,
            "2005-11-01",
        )
        assert kept["brief_title"] == ("New brief" if status == "COMPLETED" else "Brief")
        assert len(merged) == 1
        assert "conflicting_duplicate" not in kept["issues"]


class TestVocabularies:
    DRUGBANK = (
        "DrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key\n"
        'DB1,BIOD1 | BTD1,Epinephrine,51-43-4,X,"Adrenaline | (-)-Adrenaline | Epi, nephrine",K\n'
        "DB2,,Caffeine,,,,\n"
    )
    WHO = (
        "ATC code,ATC level name,DDD,U,Adm.R,Note\n"
        "C,CARDIOVASCULAR SYSTEM,,,,\n"
        "C01,CARDIAC THERAPY,,,,\n"
        "C01C,CARDIAC STIMULANTS,,,,\n"
        "C01CA,Adrenergic agents,,,,\n"
        "C01CA24,epinephrine,0.5,mg,P,\n"
        "R03AA01,epinephrine,,,,\n"
        "N06BC01,caffeine,0.4,g,O,\n"
    )

    def drugs(self, **files: str) -> list[Row]:
        kept, merged, _ = clean_drugs(make_records(DRUGS, read(DRUGS, **files)))
        held_to(contracts.MergedRecords, merged)
        return held_to(contracts.Drugs, kept).to_dicts()

    def test_drugbank(self) -> None:
        adrenaline, caffeine = self.drugs(drugs__csv=self.DRUGBANK)
        assert (adrenaline["drug_id"], adrenaline["drug"]) == ("DB1", "Epinephrine")
        assert adrenaline["names"] == [
            "(-)-Adrenaline",
            "Adrenaline",
            "Epi, nephrine",
            "Epinephrine",
        ]
        assert (caffeine["drug_id"], caffeine["names"]) == ("DB2", ["Caffeine"])

    @pytest.mark.parametrize("header", ["ATC code,ATC level name", "atc_code,atc_name"])
    def test_the_whos_table(self, header: str) -> None:
        text = self.WHO.replace("ATC code,ATC level name", header)
        kept = self.drugs(drugs__csv=text)
        assert [(d["drug_id"], d["atc_codes"]) for d in kept] == [
            ("caffeine", ["N06BC01"]),
            ("epinephrine", ["C01CA24", "R03AA01"]),
        ]
        raw = {"drugs": read(DRUGS, drugs__csv=text)}
        rejected = collect_rejected(raw, records_of(raw)).collect()
        assert rejected["reasons"].to_list() == [["atc_group"]] * 4
        assert rejected["source_row"].to_list() == [1, 2, 3, 4]

    def test_three_lists_are_one(self) -> None:
        kept = self.drugs(
            drugs_bank__csv=self.DRUGBANK,
            drugs_who__csv=self.WHO,
            drugs__csv="atccode,drug\nA01AD01,ADRENALINE\n6302001,ASPIRIN\n",
        )
        assert [(d["drug_id"], d["codes"]) for d in kept] == [
            ("DB1", ["A01AD01", "C01CA24", "R03AA01"]),
            ("DB2", ["N06BC01"]),
            ("aspirin", ["6302001"]),
        ]


def test_rows_of_tests_have_every_field() -> None:
    for source in sources.ALL:
        assert raw_rows(source).collect_schema() == contracts.polars_schema(source.contracts().raw)
