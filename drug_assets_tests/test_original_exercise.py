"""The exercise that this project grew from: its figures, and those of files shaped like its own.

Its own files are no part of the repository. Where they lie beside it, they are run too.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import pytest

from drug_assets.document import questions
from drug_assets_tests.support import runs

pytestmark = [pytest.mark.xdist_group("exercise"), pytest.mark.slow]

NURSING = "Journal of emergency nursing"
PSYCHOPHARMACOLOGY = "Psychopharmacology"
NEONATAL = "The journal of maternal-fetal & neonatal medicine"
OWN_FILES = runs.REPOSITORY.parent / "shared" / "real_inputs" / "original_exercise"

#: Every oddity of the exercise's files, record for record, under titles of our own.
SHAPED_ALIKE = {
    "drugs.csv": (
        "atccode,drug\nA04AD,DIPHENHYDRAMINE\nS03AA,TETRACYCLINE\nV03AB,ETHANOL\nA03BA,ATROPINE\n"
        "A01AD,EPINEPHRINE\n6302001,ISOPRENALINE\nR01AD,BETAMETHASONE"
    ),
    "pubmed.csv": (
        "id,title,date,journal\n"
        f'1,"Rash, itching and diphenhydramine, told again",01/01/2019,"{NURSING}"\n'
        f'2,"Old pills, and other so-called diphenhydramine pills.",01/01/2019,"{NURSING}"\n'
        '3,"Diphenhydramine after fish.",02/01/2019,"Paediatrics of Tests"\n'
        '4,"Tetracycline and what grows in milk.",01/01/2020,"Foods of Tests"\n'
        '5,"On Tetracycline in dogs.",02/01/2020,"Animals of Tests"\n'
        '6,"Fear in mice: tetracycline, ethanol withdrawal, and ethanol again.",2020-01-01,'
        f'"{PSYCHOPHARMACOLOGY}"\n'
        '7,"What Epinephrine costs.",01/02/2020,"Allergy of Tests"\n'
        '8,"How soon epinephrine is given.",01/03/2020,"Allergy of Tests"\n'
        "\t\n"
    ),
    "pubmed.json": (
        '[\n{"id": 9, "title": "Gold against isoprenaline in rats.", "date": "01/01/2020",'
        ' "journal": "Light of Tests"},\n'
        '{"id": 10, "title": "Doppler after betamethasone", "date": "01/01/2020",'
        f' "journal": "{NEONATAL}"}},\n'
        '{"id": "11", "title": "Betamethasone on the skin of mice.", "date": "01/01/2020",'
        ' "journal": "Backs of Tests"},\n'
        '{"id": "12", "title": "Needles in the trapezius.", "date": "01/03/2020",'
        ' "journal": "Backs of Tests"},\n'
        '{"id": "", "title": "Needles BETAMETHASONE in the ATROPINE trapezius.",'
        f' "date": "01/03/2020", "journal": "{NEONATAL}"}},\n]\n'
    ),
    "clinical_trials.csv": (
        "id,scientific_title,date,journal\n"
        f'NCT1,"Diphenhydramine for an hour","1 January 2020","{NURSING}"\n'
        f'NCT2,"QUIET™ against V Diphenhydramine","1 January 2020","{NURSING}"\n'
        f'NCT3,"  ","1 January 2020","{NURSING}"\n'
        f'NCT4,"In place of Diphenhydramine","1 January 2020","{NURSING}"\n'
        'NCT5,"Betamethasone before \\xc3\\xb1 surgery","1 January 2020","Hôpitaux de Test"\n'
        'NCT6,"Sugar in the blood",25/05/2020,""\n'
        f'"","Sugar in the blood",25/05/2020,"{NURSING}"\n'
        f'NCT7,"An acid against Epinephrine","27 April 2020","{NURSING}\\xc3\\x28"'
    ),
}


@pytest.fixture(scope="session", params=["shaped alike", "its own files"])
def exercise(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """A run of the exercise."""
    folder = tmp_path_factory.mktemp("exercise")
    if request.param == "its own files":
        if not OWN_FILES.is_dir():
            pytest.skip("the exercise's own files (original_exercise) are not beside this checkout")
        return runs.run(OWN_FILES, folder / "store")
    return runs.run(runs.landing_zone(folder / "landing", SHAPED_ALIKE), folder / "store")


def graph(exercise: runs.Run) -> dict[str, Any]:
    document = json.loads((exercise.graph).read_text(encoding="utf-8"))
    return {drug["drug"]: drug for drug in document}


def test_run_succeeds(exercise: runs.Run) -> None:
    assert exercise.succeeded, exercise.report


def test_seven_drugs_one_with_an_invalid_code(exercise: runs.Run) -> None:
    drugs = exercise.table("drugs")
    assert drugs.height == 7
    [invalid] = [d for d in drugs.to_dicts() if "invalid_atc_code" in d["issues"]]
    assert (invalid["drug"], invalid["codes"], invalid["atc_codes"]) == (
        "ISOPRENALINE",
        ["6302001"],
        [],
    )


@pytest.mark.parametrize(
    ("source", "raw", "kept", "merged", "rejected"),
    [("drugs", 7, 7, 0, 0), ("pubmed", 14, 13, 0, 1), ("clinical_trials", 8, 6, 1, 1)],
)
def test_nothing_lost(
    exercise: runs.Run, source: str, raw: int, kept: int, merged: int, rejected: int
) -> None:
    of_source = [r for r in exercise.table("rejected_records").to_dicts() if r["source"] == source]
    assert (
        exercise.table(f"raw_{source}").height,
        exercise.table(source).height,
        exercise.table(f"merged_{source}").height,
        len(of_source),
    ) == (raw, kept, merged, rejected)


def test_row_of_one_tab_is_the_one_pubmed_row_rejected(exercise: runs.Run) -> None:
    [row] = [r for r in exercise.table("rejected_records").to_dicts() if r["source"] == "pubmed"]
    assert (row["source_file"], row["source_row"]) == ("pubmed.csv", 9)


def test_mentions_of_each_drug(exercise: runs.Run) -> None:
    expected = {
        "DIPHENHYDRAMINE": 6,
        "BETAMETHASONE": 4,
        "TETRACYCLINE": 3,
        "EPINEPHRINE": 3,
        "ETHANOL": 1,
        "ATROPINE": 1,
        "ISOPRENALINE": 1,
    }
    assert Counter(exercise.table("mentions")["drug"]) == expected
    assert {name: len(drug["mentions"]) for name, drug in graph(exercise).items()} == expected


def test_dates_are_day_first(exercise: runs.Run) -> None:
    dates = dict(exercise.table("pubmed").select("publication_id", "date").iter_rows())
    assert dates["7"] == date(2020, 2, 1)


def test_journal_with_a_broken_escape_is_the_journal(exercise: runs.Run) -> None:
    [trial] = [
        trial
        for trial in exercise.table("clinical_trials").to_dicts()
        if trial["date"] == date(2020, 4, 27)
    ]
    assert trial["journal"] == NURSING


def test_merged_trial_has_both_id_and_journal(exercise: runs.Run) -> None:
    [trial] = [
        trial
        for trial in exercise.table("clinical_trials").to_dicts()
        if "merged_duplicate" in trial["issues"]
    ]
    assert trial["publication_id"].startswith("NCT")
    assert trial["journal"] == NURSING


def test_escaped_letter_is_read(exercise: runs.Run) -> None:
    titles = exercise.table("clinical_trials")["title"].to_list()
    assert any(" ñ " in title for title in titles)
    assert not any("\\x" in title for title in titles)


def test_three_journals_tie(exercise: runs.Run) -> None:
    answers = questions.top_journals(exercise.graph)
    assert [(a.journal, a.drug_count) for a in answers] == [
        (NURSING, 2),
        (PSYCHOPHARMACOLOGY, 2),
        (NEONATAL, 2),
    ]
    assert [tuple(row) for row in exercise.table("top_journal")["drugs"].to_list()] == [
        tuple(a.drugs) for a in answers
    ]


@pytest.mark.parametrize(
    ("drug", "related"), [("betamethasone", ["ATROPINE"]), ("Ethanol", ["TETRACYCLINE"])]
)
def test_related_drugs(exercise: runs.Run, drug: str, related: list[str]) -> None:
    answer = questions.related_drugs(exercise.graph, drug)
    assert [other.drug for other in answer.related] == related


def test_excluding_trial_journals_takes_nothing_from_betamethasone(exercise: runs.Run) -> None:
    graph = exercise.graph
    answer = questions.related_drugs(graph, "betamethasone", exclude_trial_journals=True)
    assert [other.drug for other in answer.related] == ["ATROPINE"]


def test_excluding_trial_journals_leaves_diphenhydramine_alone(exercise: runs.Run) -> None:
    # Its emergency journal mentions it in trials, too; the one that is left mentions no other drug.
    graph = exercise.graph
    answer = questions.related_drugs(graph, "diphenhydramine", exclude_trial_journals=True)
    assert answer.related == []


def test_report_tells_the_figures(exercise: runs.Run) -> None:
    lines = [line.split() for line in exercise.report.splitlines()]
    assert ["pubmed", "14", "13", "0", "1"] in [line[:5] for line in lines]
    assert ["clinical_trials", "8", "6", "1", "1"] in [line[:5] for line in lines]
    assert "19 mentions" in exercise.report
