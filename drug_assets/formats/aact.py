"""The tables of AACT, the copy of ClinicalTrials.gov as flat files, as declared columns (SPEC 1).

`studies` has a row per trial and is a file of records like any other. All other tables are parts:
`nct_id` names the trial, `id` only counts the rows. So is any table that a later version adds with
the columns of one of these.
"""

from __future__ import annotations

from drug_assets.formats.record_shape import PartTable, PartValue

_TRIAL = "nctid"
_OF_A_TRIAL = ("id", _TRIAL)

#: The references of trials. The type is `RESULT` and the like; it was `results_reference`.
_STUDY_REFERENCES = PartTable(
    _TRIAL,
    (*_OF_A_TRIAL, "pmid", "referencetype"),
    (
        PartValue("reference_pmids", "pmid"),
        PartValue("result_pmids", "pmid", "referencetype", ("result", "results_reference")),
        PartValue("derived_pmids", "pmid", "referencetype", ("derived",)),
    ),
)
_SPONSORS = PartTable(
    _TRIAL,
    (*_OF_A_TRIAL, "leadorcollaborator", "name"),
    (PartValue("sponsor", "name", "leadorcollaborator", ("lead",)),),
)
#: Columns by which further tables are known. A title in them is not that of a trial.
_OTHERS = (
    *("affiliation", "agreement", "allocation", "contacttype", "criteria", "ctgovgroupcode"),
    *("ctgovgroupcode title", "description", "documenttype", "downcasename", "eventdate"),
    *("eventtype", "facilityid", "grouptype title", "idvalue", "interventionid"),
    *("interventiontype", "measure", "meshterm", "name", "name removed", "numberoffacilities"),
    *("city country", "organization", "outcomeanalysisid", "outcomeid", "outcometype title"),
    *("recruitmentdetails", "referenceid", "responsiblepartytype title", "resulttype title"),
    *("sha", "studysearchid", "url"),
)
#: The same of tables that name no trial: headings, and searches that AACT makes.
_OF_NO_TRIAL = ("qualifier heading", "qualifier treenumber", "savetsv query")

#: All tables but `studies`.
PART_TABLES = (
    _STUDY_REFERENCES,
    _SPONSORS,
    *(PartTable(_TRIAL, (*_OF_A_TRIAL, *columns.split())) for columns in _OTHERS),
    *(PartTable(_TRIAL, ("id", *columns.split())) for columns in _OF_NO_TRIAL),
)
