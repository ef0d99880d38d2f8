"""Landing zones of faulty files, each with its right outcome (`../shared/cases`, if it is there).

The rules that make the outcomes right have tests of their own, each in the room of its rule.
"""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets_tests.support import runs
from drug_assets_tests.support.pipeline import Made, make_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = runs.REPOSITORY.parent / "shared" / "cases"
CHECKS: dict[str, Callable[[Case], None]] = {}


class Case:
    """What was made of the landing zone of a case."""

    def __init__(self, folder: Path, made: Made, tmp_path: Path) -> None:
        self.folder = folder
        self.made = made
        self._tmp_path = tmp_path

    def without(self, *files: str) -> Case:
        """The same landing zone without some of its files."""
        landing = self._tmp_path / "without"
        shutil.copytree(self.folder, landing)
        for file in files:
            (landing / file).unlink()
        return Case(landing, make_all(landing, self._tmp_path / "store_without"), self._tmp_path)

    def is_refused(self, file: str, *words: str, never: str = "\0") -> bool:
        """Whether that file alone is refused, with these words in its message."""
        return bool(self.made.refused) and all(
            problem.startswith(f"{file}: ")
            and never not in problem
            and all(word in problem for word in words)
            for problem in self.made.refused
        )

    def by_title(self, source: str = "pubmed") -> dict[str, dict[str, Any]]:
        """The publications of a source by their titles, which must differ."""
        assert not self.made.refused
        rows = {row["title"]: row for row in self.made.rows(source)}
        assert len(rows) == self.made.tables[source].height
        return rows

    def ids(self, source: str = "pubmed") -> dict[str, str | None]:
        """By title, the id of a publication; null for a surrogate."""
        return {
            title: None if row["publication_id"].startswith(f"{source}:") else row["publication_id"]
            for title, row in self.by_title(source).items()
        }

    def column(self, name: str, source: str = "pubmed") -> dict[str, Any]:
        """By id, or by title where there is none, a column of the publications of a source."""
        assert not self.made.refused
        return {self._id_or_title(row, source): row[name] for row in self.made.rows(source)}

    def _id_or_title(self, row: dict[str, Any], source: str) -> str:
        id_: str = row["publication_id"]
        title: str = row["title"]
        return title if id_.startswith(f"{source}:") else id_

    def dates(self) -> dict[str, str]:
        """By id of a PubMed record, date and precision."""
        precisions = self.column("date_precision")
        return {id_: f"{date} {precisions[id_]}" for id_, date in self.column("date").items()}

    def flagged(self, issue: str, table: str = "pubmed") -> set[str]:
        """The titles of the publications, or names of the drugs, with an issue."""
        shown = "drug" if table == "drugs" else "title"
        return {row[shown] for row in self.made.rows(table) if issue in row["issues"]}

    def rejected(self) -> dict[tuple[str, int], list[str]]:
        """By file and row, the reasons of rejected rows."""
        assert not self.made.refused
        return {
            (row["source_file"], row["source_row"]): row["reasons"]
            for row in self.made.rows("rejected_records")
        }

    def mentions(self, source: str = "pubmed") -> dict[str, str]:
        """By id of a publication, or by title where there is none, the names of its drugs."""
        assert not self.made.refused
        found: dict[str, list[str]] = {}
        for row in self.made.rows("mentions"):
            if row["source"] == source:
                found.setdefault(self._id_or_title(row, source), []).append(row["drug"])
        return {id_: " + ".join(sorted(drugs)) for id_, drugs in found.items()}

    def spans(self) -> dict[str, list[str]]:
        """By id of a PubMed record, the texts that name a drug."""
        return {
            row["publication_id"]: [span["text"] for span in row["spans"]]
            for row in self.made.rows("mentions")
            if row["source"] == "pubmed"
        }

    def journals(self) -> list[set[str]]:
        """The ids of PubMed records of each journal."""
        found: dict[str, set[str]] = {}
        for id_, journal in self.column("journal_id").items():
            found.setdefault(journal, set()).add(id_)
        return sorted(found.values(), key=sorted)


def case(check: Callable[[Case], None]) -> Callable[[Case], None]:
    CHECKS[check.__name__] = check
    return check


def pubmed(*numbers: int) -> set[str]:
    """Ids of PubMed."""
    return {str(90000000 + number) for number in numbers}


@case
def files_01_sep_hint(case: Case) -> None:
    (row,) = case.made.rows("pubmed")
    assert (row["publication_id"], row["title"]) == ("1", "Aspirin in invented hearts")
    assert (row["date"], row["journal"]) == (dt.date(2020, 2, 1), "Invented Heart")
    assert case.made.tables["raw_pubmed"].height == 1
    assert case.mentions() == {"1": "ASPIRIN"}


@case
def files_02_backslash_quotes(case: Case) -> None:
    assert case.ids() == {
        'Effects of "aspirin" on invented sleep': "1",
        'The "SUNRISE", a trial of aspirin and ibuprofen': "2",
        "Plain ibuprofen in sleep": "3",
        'What people call "metformin"': "4",
    }
    assert case.column("journal") == {
        "1": "Journal A",
        "2": "Journal B",
        "3": "Journal A",
        "4": "Journal C",
    }
    assert case.column("date") == {str(day): dt.date(2020, 1, day) for day in range(1, 5)}
    assert case.mentions()["2"] == "ASPIRIN + IBUPROFEN"


@case
def files_03_repeated_header(case: Case) -> None:
    assert case.made.tables["drugs"].height == 5
    assert set(case.column("title")) == {"1", "2"}
    assert case.rejected() == {
        ("drugs.csv", 5): ["repeated_header"],
        ("pubmed.csv", 2): ["repeated_header"],
    }


@case
def files_04_typography(case: Case) -> None:
    lines = {
        "5-FLUOROURACIL": (1, 2, 3, 4, 5, 16),
        "ST JOHN'S WORT": (6, 7, 8, 9),
        "N-ACETYLCYSTEINE": (10,),
        "VITAMIN B12": (11, 18, 19),
        "ASPIRIN": (12, 17, 20, 21, 22, 23, 25),
        "INTERFERON BETA-1A": (13,),
        "2'-DEOXYADENOSINE": (14,),
        "FLUOXETINE": (15,),
    }
    assert case.mentions() == {str(line): drug for drug in lines for line in lines[drug]}


@case
def files_05_journal_typography(case: Case) -> None:
    journals = case.journals()
    assert journals[0] == {"1", "2", "3"}
    assert journals[1] == {"4", "5"}
    assert journals[2:] in ([{"6"}, {"7"}], [{"6", "7"}])


@case
def files_06_nan_json(case: Case) -> None:
    assert case.ids() == {"Aspirin one": "1", "Ibuprofen two": None, "Metformin three": "3"}
    assert case.rejected() == {("pubmed.json", 4): ["blank_title"]}
    assert case.column("journal") == {"1": None, "Ibuprofen two": None, "3": "Real Journal"}
    assert case.by_title()["Ibuprofen two"]["date"] is None
    assert case.flagged("missing_date") == {"Ibuprofen two"}
    assert case.flagged("missing_id") == {"Ibuprofen two"}


@case
def files_07_na_words(case: Case) -> None:
    assert case.ids() == {
        "Aspirin one": "1",
        "Ibuprofen two": None,
        "Metformin three": None,
        "Paracetamol five": "5",
        "Aspirin six": "6",
        "Ibuprofen seven": None,
    }
    assert case.rejected() == {
        ("drugs.csv", 7): ["blank_name"],
        ("pubmed.csv", 4): ["blank_title"],
    }
    assert set(case.column("journal").values()) == {None}
    dated = {"Aspirin one", "Aspirin six"}
    assert case.flagged("missing_date") == set(case.ids()) - dated
    assert not case.flagged("unreadable_date")
    assert case.flagged("missing_code", "drugs") == {"CAFFEINE", "ATROPINE"}
    codes = {row["drug"]: row["codes"] for row in case.made.rows("drugs")}
    assert (codes["CAFFEINE"], codes["ATROPINE"]) == ([], [])
    assert len(codes) == 6


@case
def files_12a_wrapped_results(case: Case) -> None:
    assert case.ids() == {"Aspirin one": "1", "Ibuprofen two": "2"}
    assert set(case.column("journal").values()) == {"J1"}


@case
def files_12c_columns_orient(case: Case) -> None:
    if not case.is_refused("pubmed.json", "title"):
        files_12a_wrapped_results(case)


@case
def files_13a_full_studies_v1(case: Case) -> None:
    if not case.is_refused("clinical_trials_full.json", "FullStudiesResponse", "API v2"):
        assert case.ids("clinical_trials") == {"Ibuprofen official": "NCT90000002"}


@case
def files_16_markup(case: Case) -> None:
    titles = case.column("title")
    assert titles == {
        "1": "Aspirin in italics",
        "2": "Vitamin B12 with a tag",
        "3": "Vitamin B12 escaped",
        "4": "Ibuprofen of Crossref",
        "5": "paracetamol half bold",
        "6": "Inhaled CO2 gas",
        "7": titles["7"],  # documented: a footnote may become part of the word
        "8": "p < 0.05 and metformin > placebo",
    }
    found = case.mentions()
    found.pop("7", None)
    assert found == {
        "1": "ASPIRIN",
        "2": "VITAMIN B12",
        "3": "VITAMIN B12",
        "4": "IBUPROFEN",
        "5": "PARACETAMOL",
        "6": "CO2",
        "8": "METFORMIN",
    }


@case
def files_17_list_names(case: Case) -> None:
    found = case.mentions()
    assert set(found) == {"1", "2", "3", "4", "6", "7", "8", "9", "10"}
    titles = case.column("title")
    for id_, drug in found.items():
        word = titles[id_].partition(" ")[0].rstrip("®").casefold()
        assert drug.casefold().startswith(word)
        assert " + " not in drug


@case
def files_20f_unquoted_commas(case: Case) -> None:
    expected = {"Metformin two": "2"}
    if case.rejected() != {("pubmed.csv", 1): ["misaligned_row"]}:
        assert case.rejected() == {}
        expected = {"Aspirin, ibuprofen and sleep": "1", **expected}
        assert case.mentions()["1"] == "ASPIRIN + IBUPROFEN"
    assert case.ids() == expected
    assert set(case.column("journal").values()) <= {"J1", "J2"}
    assert set(case.column("date").values()) == {dt.date(2020, 1, 1)}


@case
def files_22_header_junk(case: Case) -> None:
    (row,) = case.made.rows("pubmed")
    assert (row["publication_id"], row["title"]) == ("1", "Aspirin one")
    assert row["journal"] == "J1"
    (file,) = [r for r in case.made.rows("landed_files") if r["source_file"] == "pubmed.csv"]
    assert file["unread_fields"] == ["Date (publication)"]


@case
def files_24_names(case: Case) -> None:
    assert {r["source_file"]: r["source"] for r in case.made.rows("landed_files")} == {
        "Clinical Trials.csv": "clinical_trials",
        "clinical-trials.csv": "clinical_trials",
        "clinical_trials.csv": "clinical_trials",
        "clinicaltrials.csv": "clinical_trials",
        "ctg-studies.csv": "clinical_trials",
        "drug.csv": "drugs",
        "drugs.csv": "drugs",
        "pubmed.csv": "pubmed",
    }
    assert set(case.column("title", "clinical_trials")) == {"NCT90000001", "NCT90000009"}
    assert case.made.tables["drugs"].height == 4


@case
def files_25_na_ids(case: Case) -> None:
    missing = {"Aspirin one", "Ibuprofen two", "Metformin three"}
    assert case.ids() == {**dict.fromkeys(missing), "Paracetamol four": "4"}
    assert case.flagged("missing_id") == missing


@case
def files_27_list_typography(case: Case) -> None:
    assert set(case.mentions()) == {"1", "2", "3", "4", "5", "6"}
    assert case.made.tables["drugs"].height == 1


@case
def files_31_float_dupe(case: Case) -> None:
    assert case.ids() == {
        "Aspirin one": "9",
        "Ibuprofen two corrected": "10",
        "Metformin three": None,
    }


@case
def files_36_name_of_drug(case: Case) -> None:
    (drug,) = case.made.rows("drugs")
    assert drug["drug"] == "Aspirin"
    assert len(case.ids()) == 4


@case
def files_39_drug_na_ids(case: Case) -> None:
    assert case.made.tables["drugs"].height == 4
    assert case.mentions() == {
        "1": "ASPIRIN + IBUPROFEN",
        "2": "METFORMIN",
        "3": "PARACETAMOL",
    }


@case
def pubmed_01_not_available_vernacular(case: Case) -> None:
    assert case.column("title") == {
        "90000001": "Aspirine et grossesse inventée.",
        "90000002": "Metformina en pruebas inventadas.",
        "90000003": "Warfarin bei erfundenen Tests.",
        "90000004": "[Aspirin in invented tests].",
    }
    flagged = case.flagged("vernacular_title")
    assert flagged == {case.column("title")[id_] for id_ in pubmed(1, 2, 3)}
    assert case.rejected() == {("pubmed24n0001.xml", 5): ["blank_title"]}
    assert case.mentions() == {
        "90000001": "aspirin",
        "90000002": "metformin",
        "90000003": "warfarin",
        "90000004": "aspirin",
    }


@case
def pubmed_02_escaped_markup(case: Case) -> None:
    titles = case.column("title")
    assert titles["90000103"] == "Vitamin D3 in invented mice"
    assert titles["90000105"] == "p<0.05 for aspirin, x>3 for metformin: keep <all>"
    assert case.mentions() == {
        **dict.fromkeys(pubmed(101, 102, 111, 112), "acetylcysteine"),
        "90000103": "vitamin D3",
        "90000104": "aspirin + metformin",
        "90000105": "aspirin + metformin",
    }
    spans = case.spans()
    for id_ in pubmed(101, 102, 111, 112):
        assert spans[id_] == ["N-acetylcysteine"]


@case
def pubmed_03_journal_abbreviation(case: Case) -> None:
    assert case.journals() == [pubmed(201, 202, 203, 204)]
    (top,) = case.made.rows("top_journal")
    assert top["drug_count"] == 4


@case
def pubmed_06_nbib(case: Case) -> None:
    assert case.column("title") == {
        "90000501": "Aspirin in invented tests: a long title that goes on in the next line.",
        "90000502": "Metformin in invented tests.",
    }
    assert case.dates() == {"90000501": "2020-01-15 day", "90000502": "2020-04-01 season"}
    assert len(case.journals()) == 1
    (journal,) = case.made.rows("journals")
    assert "9900001" in journal["journal_id"]
    assert journal["journal"] == "Journal of Invented Tests"


@case
def pubmed_07b_europepmc_json(case: Case) -> None:
    preprint = "Metformin in invented tests"
    assert case.ids() == {"Aspirin in invented in vitro tests.": "90000611", preprint: None}
    assert case.flagged("invalid_id") == {preprint}
    assert case.column("journal") == {"90000611": "J Invent Tests", preprint: None}
    assert case.dates() == {"90000611": "2020-01-15 day", preprint: "2021-02-03 day"}
    (journal,) = case.made.rows("journals")
    assert journal["issns"] == ["1234-5679", "2345-6780"]


@case
def pubmed_08_pmid_forms(case: Case) -> None:
    invalid = {"Enalapril in invented tests", "Methotrexate in invented tests"}
    ids = case.ids()
    assert sorted(filter(None, ids.values())) == ["90000701", "90000702"]
    assert {title for title, id_ in ids.items() if id_ is None} == {
        "Metformin in invented tests",
        *invalid,
    }
    assert case.flagged("invalid_id") == invalid
    assert {case.by_title()[title]["id_text"] for title in invalid} == {"9.00007E+07"}
    assert case.made.tables["mentions"].height == 5


@case
def pubmed_10_concatenated_xml(case: Case) -> None:
    assert set(case.column("title")) == pubmed(901, 902)


@case
def pubmed_10e_error_json(case: Case) -> None:
    assert case.is_refused("pubmed_page1.json", "API rate limit exceeded", never="198.51")


@case
def pubmed_11b_bad_electronic_date(case: Case) -> None:
    assert case.dates() == {
        "90001101": "2019-03-05 day",
        "90001102": "2005-09-01 month",
        "90001103": "2019-03-01 month",
        "90001104": "2019-03-05 day",
        "90001105": "1962-03-05 day",
        "90001106": "2019-03-05 day",
    }
    assert case.column("print_date") == case.column("date")
    electronic = case.column("electronic_date")
    assert electronic.pop("90001101") in (None, dt.date(2019, 1, 1))  # 2019-02-30
    assert electronic == {
        "90001102": dt.date(2005, 5, 31),
        "90001103": dt.date(2019, 3, 1),
        "90001104": None,
        "90001105": dt.date(2006, 11, 2),
        "90001106": dt.date(2019, 1, 1),
    }


@case
def pubmed_12_typographic(case: Case) -> None:
    assert case.mentions() == {
        **dict.fromkeys(pubmed(1201, 1202, 1203, 1204), "5-fluorouracil"),
        **dict.fromkeys(pubmed(1205, 1206), "vitamin D3"),
        "90001207": "co-trimoxazole",
        "90001208": "aspirin + metformin",
        "90001211": "warfarin",
        "90001212": "enalapril",
        "90001213": "metformin",
        "90001214": "acetylcysteine",
        "90001215": "methotrexate",
    }
    assert case.spans()["90001214"] == ["N‐acetylcysteine"]


@case
def pubmed_15_retractions(case: Case) -> None:
    assert case.column("retracted") == {
        **dict.fromkeys(pubmed(1501, 1502, 1511, 1512, 1513), True),
        **dict.fromkeys(pubmed(1503, 1504, 1505, 1506), False),
    }


@case
def pubmed_17_journal_ids(case: Case) -> None:
    assert case.journals() == [
        pubmed(1701, 1702, 1705, 1709),
        pubmed(1703),
        pubmed(1704),
        pubmed(1706, 1707),
        pubmed(1708),
    ]


@case
def pubmed_18b_pymed_json(case: Case) -> None:
    assert case.ids() == {"Metformin in invented tests.": "90001811"}
    assert case.column("journal") == {"90001811": "Journal of Invented Tests"}
    assert case.dates() == {"90001811": "2020-01-15 day"}


@case
def pubmed_21_json_lists(case: Case) -> None:
    assert case.column("title") == {
        "90002101": "Aspirin in invented tests",
        "90002102": "Metformin in invented tests",
        "90002104": "Enalapril in invented tests",
    }
    assert case.column("journal") == {
        "90002101": "Journal of Invented Tests",
        "90002102": None,
        "90002104": "Journal of Invented Tests",
    }
    dates = case.column("date")
    assert dates.pop("90002102") in (None, dt.date(2020, 1, 15))  # date-parts, as in CSL JSON
    assert set(dates.values()) == {dt.date(2020, 1, 15)}
    assert case.rejected() == {("pubmed_crossref.json", 3): ["blank_title"]}
    raw = case.made.tables["raw_pubmed"]
    assert raw["read_issues"].list.len().to_list() == [0, 1, 1, 0]


@case
def pubmed_22_error_page_among_good(case: Case) -> None:
    error = "pubmed_page2.json"
    assert case.is_refused(error, "API rate limit exceeded", never="198.51")
    case = case.without(error)
    assert len(case.ids()) == 62
    assert case.made.tables["merged_pubmed"].height == 98
    raw = case.made.tables["raw_pubmed"]
    assert raw.filter(source_file="pubmed_page3.json").height == 100


@case
def pubmed_23_retracted_unknown(case: Case) -> None:
    assert case.column("retracted") == {"90002301": None}


@case
def pubmed_26_excel_ids(case: Case) -> None:
    assert len(case.ids()) == 5
    assert set(case.ids().values()) == {None}
    assert case.flagged("invalid_id") == set(case.ids())
    assert {row["id_text"] for row in case.made.rows("pubmed")} == {"9.00E+07"}


@case
def pubmed_30_own_pull_and_updates(case: Case) -> None:
    assert case.column("retracted") == {"90003001": True}
    assert sorted(case.rejected().values()) == [["deleted"], ["deletion"]]
    assert case.made.tables["merged_pubmed"].height == 1


@pytest.mark.skipif(not CASES.is_dir(), reason="shared/cases is not there")
def test_every_case_is_checked() -> None:
    assert set(CHECKS) == {folder.name for folder in CASES.iterdir() if folder.is_dir()}


@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason="shared/cases is not there")
@pytest.mark.parametrize("name", CHECKS)
def test_case_ends_as_it_should(name: str, tmp_path: Path) -> None:
    CHECKS[name](Case(CASES / name, make_all(CASES / name, tmp_path / "store"), tmp_path))
