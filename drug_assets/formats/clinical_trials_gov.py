"""The JSON of ClinicalTrials.gov's APIs, as declared paths (SPEC 1).

Only the members of a study that are fields of the source are kept. The others (arms, outcomes,
results, locations: often megabytes) are not copied to `extra`, unlike those of other records. They
can be found in the landed file, under the `source_row` of the study.
"""

from __future__ import annotations

from drug_assets.formats.json_shapes import Having, JsonShape

_IDENTITY = ("protocolSection", "identificationModule")
_STATUS = ("protocolSection", "statusModule")
_REFERENCES = ("protocolSection", "referencesModule", "references")

#: A study of the API v2, alone or on pages.
API_V2 = JsonShape(
    name="ClinicalTrials.gov",
    marks=(("protocolSection",),),
    paths={
        "id": ((*_IDENTITY, "nctId"),),
        "scientific_title": ((*_IDENTITY, "officialTitle"),),
        "brief_title": ((*_IDENTITY, "briefTitle"),),
        "date": ((*_STATUS, "startDateStruct", "date"),),
        "last_update": ((*_STATUS, "lastUpdatePostDateStruct", "date"),),
        "status": ((*_STATUS, "overallStatus"),),
        "sponsor": (("protocolSection", "sponsorCollaboratorsModule", "leadSponsor", "name"),),
        "phase": (("protocolSection", "designModule", "phases"),),
        "reference_pmids": ((*_REFERENCES, "pmid"),),
        "result_pmids": ((*_REFERENCES, Having("type", "RESULT"), "pmid"),),
        "derived_pmids": ((*_REFERENCES, Having("type", "DERIVED"), "pmid"),),
    },
    certain=True,
    keeps_others=False,
)

#: What the registry's former API returned. It was switched off in 2024.
API_V1 = JsonShape(
    name="ClinicalTrials.gov (former API)",
    marks=(("FullStudiesResponse",), ("StudyFieldsResponse",)),
    cure="an answer of the former API of ClinicalTrials.gov, which was switched off in 2024. "
    "Pull the same studies from the API v2, as `drug-assets fetch` does, and land these.",
)
