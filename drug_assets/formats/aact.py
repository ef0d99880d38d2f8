"""The tables of AACT, the copy of ClinicalTrials.gov as flat files, as declared columns (SPEC 1).

`studies` has a row per trial and is a file of records like any other. All other tables are parts:
`nct_id` names the trial, `id` only counts the rows. So is any table that a later version adds with
the columns of one of these.
"""

from __future__ import annotations

from drug_assets.formats.record_shape import Condition, KnownTable, Mark, TableValue
from drug_assets.terms import ReadIssue

_TRIAL = "nctid"
_OF_A_TRIAL = ("id", _TRIAL)


def _table(columns: tuple[str, ...], *values: TableValue) -> KnownTable:
    """A table whose rows are parts of the trials that they name."""
    trial = TableValue("id", _TRIAL)
    return KnownTable(columns, (trial, *values), (Mark(ReadIssue.PART_OF_RECORD),))


def _pmids(field: str, *kinds: str) -> TableValue:
    """The PubMed ids of references of these kinds, or of all."""
    when = (Condition("referencetype", kinds),) if kinds else ()
    return TableValue(field, "pmid", when)


#: The references of trials. The type is `RESULT` and the like; it was `results_reference`.
_STUDY_REFERENCES = _table(
    (*_OF_A_TRIAL, "pmid", "referencetype"),
    _pmids("reference_pmids"),
    _pmids("result_pmids", "result", "results_reference"),
    _pmids("derived_pmids", "derived"),
)
_SPONSORS = _table(
    (*_OF_A_TRIAL, "leadorcollaborator", "name"),
    TableValue("sponsor", "name", (Condition("leadorcollaborator", ("lead",)),)),
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
KNOWN_TABLES = (
    _STUDY_REFERENCES,
    _SPONSORS,
    *(_table((*_OF_A_TRIAL, *columns.split())) for columns in _OTHERS),
    *(_table(("id", *columns.split())) for columns in _OF_NO_TRIAL),
)
