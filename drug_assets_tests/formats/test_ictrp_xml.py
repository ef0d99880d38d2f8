"""The XML of the WHO's ICTRP: what of a trial is read, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets.formats import FormatError, detect_format
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

if TYPE_CHECKING:
    import polars as pl

TRIAL = """<Trial><Export_date>08/28/2026 20:14:44</Export_date>
    <Internal_Number>1
    </Internal_Number>
    <TrialID>ISRCTN00000001
    </TrialID>
    <Last_Refreshed_on>24 August 2026
    </Last_Refreshed_on>
    <Public_title>Aspirin &amp; invented tests
    </Public_title>
    <Scientific_title>A trial of aspirin in invented tests
    </Scientific_title>
    <Acronym/>
    <Primary_sponsor>Invented Hospital
    </Primary_sponsor>
    <Date_registration3>20200115
    </Date_registration3>
    <Date_registration>2020-01-15
    </Date_registration>
    <Recruitment_Status>Recruiting
    </Recruitment_Status>
    <Date_enrollement>01/03/2020
    </Date_enrollement>
    <Phase>Phase 2
    </Phase>
  </Trial>"""


def read(*trials: str) -> pl.DataFrame:
    name = "Trials_downloaded_from_ICTRP"
    text = f"<?xml version='1.0' encoding='UTF-8' ?>\n<{name}>\n  {''.join(trials)}\n</{name}>\n"
    return raw_rows("clinical_trials.xml", text.encode(), CLINICAL_TRIALS)


def test_a_trial_gives_its_id_titles_start_status_phase_and_sponsor() -> None:
    rows = read(TRIAL)
    (row,) = rows.select(CLINICAL_TRIALS.record_shape().fields).to_dicts()
    assert {field: text.strip() for field, text in row.items() if text is not None} == {
        "id": "ISRCTN00000001",
        "scientific_title": "A trial of aspirin in invented tests",
        "brief_title": "Aspirin & invented tests",
        "date": "01/03/2020",
        "status": "Recruiting",
        "phase": "Phase 2",
        "sponsor": "Invented Hospital",
    }
    assert issues(rows) == [[]]


@pytest.mark.parametrize(
    "enrolled", ["<Date_enrollement/>", "<Date_enrollement> </Date_enrollement>", ""]
)
def test_a_trial_without_start_has_the_date_of_its_registration(enrolled: str) -> None:
    registered = "<Public_title>T</Public_title><Date_registration>2020</Date_registration>"
    trial = f"<Trial>{registered}{enrolled}</Trial>"
    assert fields(read(trial, TRIAL.replace("01/03/2020", "2021")), "date")[0] == ("2020",)


def test_damage_of_a_trial_costs_no_other_one() -> None:
    rows = read(TRIAL, TRIAL.replace("Hospital", "<b Hospital"), TRIAL.replace("000001", "000002"))
    assert [(text or "").strip() for text in rows["id"]] == ["ISRCTN00000001", "", "ISRCTN00000002"]
    assert issues(rows) == [[], ["damaged_record"], []]


def test_it_is_known_by_its_root_under_any_name_of_trials_only() -> None:
    data = b"<Trials_downloaded_from_ICTRP><Trial/></Trials_downloaded_from_ICTRP>"
    shape = CLINICAL_TRIALS.record_shape()
    assert detect_format(shape, "clinical_trials.xml", data) == "ictrp_xml"
    assert detect_format(shape, "clinical_trials", data) == "ictrp_xml"
    with pytest.raises(FormatError, match="its root is Trials_downloaded_from_ICTRP, on line 1"):
        raw_rows("pubmed.xml", data, PUBMED)


@pytest.mark.parametrize("trials", ["<Trial><TrialID>1</TrialID></Trial>", "<Study/>"])
def test_a_file_without_title_or_with_others_than_trials_is_refused(trials: str) -> None:
    with pytest.raises(FormatError, match=r"no record has '|Study on line 3 is no record"):
        read(trials)
