"""Clinical trials: API v2 and exports of ClinicalTrials.gov, and spreadsheets of trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drug_assets.sources.source import (
    Links,
    PublicationSource,
    Reference,
    SourceContracts,
    TrialSource,
)
from drug_assets.terms import (
    DATE_FORM,
    PUBMED_IDS_FORM,
    TRIAL_ID,
    TRIAL_ID_SIGN,
    TrialPublicationKind,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from drug_assets.fetch import PublicService
    from drug_assets.formats.json_shapes import JsonShape
    from drug_assets.formats.record_shape import KnownTable

#: Columns of AACT's table of studies that are no field.
_UNREAD_OF_STUDIES = (
    *("nlmdownloaddatedescription", "studyfirstsubmitteddate", "resultsfirstsubmitteddate"),
    *("dispositionfirstsubmitteddate", "lastupdatesubmitteddate", "studyfirstsubmittedqcdate"),
    *("studyfirstposteddate", "studyfirstposteddatetype", "resultsfirstsubmittedqcdate"),
    *("resultsfirstposteddate", "resultsfirstposteddatetype", "dispositionfirstsubmittedqcdate"),
    *("dispositionfirstposteddate", "dispositionfirstposteddatetype"),
    *("lastupdatesubmittedqcdate", "lastupdateposteddatetype", "startmonthyear", "startdatetype"),
    *("verificationmonthyear", "verificationdate", "completionmonthyear", "completiondatetype"),
    *("primarycompletionmonthyear", "primarycompletiondatetype", "targetduration"),
    *("baselinepopulation", "lastknownstatus", "enrollmenttype", "source", "sourceclass"),
    *("limitationsandcaveats", "numberofarms", "numberofgroups", "whystopped", "hasexpandedaccess"),
    *("expandedaccesstypeindividual", "expandedaccesstypeintermediate"),
    *("expandedaccesstypetreatment", "hasdmc", "isfdaregulateddrug", "isfdaregulateddevice"),
    *("isunapproveddevice", "isppsd", "isusexport", "biospecretention", "biospecdescription"),
    *("ipdtimeframe", "ipdaccesscriteria", "ipdurl", "plantoshareipd"),
    *("plantoshareipddescription", "createdat", "updatedat", "delayedposting"),
    *("expandedaccessnctid", "expandedaccessstatusfornctid", "fdaaa801violation"),
    "baselinetypeunitsanalyzed",
)
#: Columns of the ICTRP that are no field. When it refreshed its copy of a trial says nothing of how
#: new the record of the registry is.
_UNREAD_OF_ICTRP = (
    *("internalnumber", "lastrefreshedon", "dateregistration3", "exportdate", "sourceregister"),
    *("webaddress", "otherrecords", "inclusionagemin", "inclusionagemax", "inclusiongender"),
    *("targetsize", "countries", "contactfirstname", "contactlastname", "contactaddress"),
    *("contactemail", "contacttel", "contactaffiliation", "inclusioncriteria", "exclusioncriteria"),
    *("condition", "intervention", "primaryoutcome", "secondaryoutcome", "secondaryid"),
    *("secondaryids", "secondarysponsor", "sourcesupport", "resultsdateposted", "resultsurllink"),
    *("resultsdatecompleted", "resultsyesno", "retrospectiveflag", "bridgingflagtruefalse"),
    *("bridgedtype", "prospectiveregistration", "publicationurl", "ethicsreviewstatus"),
    *("ethicsreviewapprovaldate", "ethicsreviewcontactname", "ethicsreviewcontactaddress"),
    *("ethicsreviewcontactphone", "ethicsreviewcontactemail"),
)


class ClinicalTrials(TrialSource):
    """Trials, with an official and a brief title."""

    name = "clinical_trials"
    order = 3
    publications = "Clinical trials"
    document_type = "clinical_trial"
    links = Links("ClinicalTrials.gov", "^NCT[0-9]{8}$", "https://clinicaltrials.gov/study/{id}")
    titles = ("title", "brief_title")
    #: The official title; if it is missing, the brief title.
    title_fields = ("scientific_title", "brief_title")
    required = ("scientific_title", "brief_title")
    aliases: ClassVar[Mapping[str, str]] = {
        "title": "scientific_title",
        "nctid": "id",
        # ClinicalTrials.gov's exports: the current one, then the headers that differ in the legacy
        # one. Its `title` is a brief title, too, but the header does not distinguish it from the
        # `title` of other lists.
        "nctnumber": "id",
        "officialtitle": "scientific_title",
        "studytitle": "brief_title",
        "studystatus": "status",
        "overallstatus": "status",
        "phases": "phase",
        "leadsponsor": "sponsor",
        "startdate": "date",
        "recruitment": "status",
        "lastupdateposted": "last_update",
        "sponsor/collaborators": "sponsor",
        "lastupdateposteddate": "last_update",
        # The WHO's ICTRP, which spells the enrolment in its own way.
        "trialid": "id",
        "publictitle": "brief_title",
        "dateenrollement": "date",
        "dateenrollment": "date",
        "dateregistration": "date",
        "recruitmentstatus": "status",
        "primarysponsor": "sponsor",
    }
    # In AACT `id` counts the rows of a table. A trial's date is that of its start.
    preferred = frozenset({"nctid", "dateenrollement", "dateenrollment"})
    # ClinicalTrials.gov's exports, the current and the legacy one, then AACT's table of studies.
    ignored = frozenset(
        {
            *("studyurl", "acronym", "briefsummary", "studyresults", "conditions", "interventions"),
            *("primaryoutcomemeasures", "secondaryoutcomemeasures", "otheroutcomemeasures"),
            *("collaborators", "sex", "age", "enrollment", "fundertype", "studytype"),
            *("studydesign", "otherids", "primarycompletiondate", "completiondate", "firstposted"),
            *("resultsfirstposted", "locations", "studydocuments"),
            *("rank", "outcomemeasures", "gender", "phases", "fundedbys", "studydesigns", "url"),
            *_UNREAD_OF_STUDIES,
            *_UNREAD_OF_ICTRP,
        }
    )
    forms: ClassVar[Mapping[str, str]] = {
        **PublicationSource.forms,
        "reference_pmids": PUBMED_IDS_FORM,
        "result_pmids": PUBMED_IDS_FORM,
        "derived_pmids": PUBMED_IDS_FORM,
        "last_update": DATE_FORM,
    }
    formats = ("json", "csv", "ictrp_xml")
    listed = frozenset({"phase", "reference_pmids", "result_pmids", "derived_pmids"})
    revision_field = "last_update"
    pulled_from = "ClinicalTrials.gov"
    id_in_text = TRIAL_ID
    sign_of_id = TRIAL_ID_SIGN
    references = (
        Reference("result_pmids", "pubmed", TrialPublicationKind.RESULT),
        Reference("derived_pmids", "pubmed", TrialPublicationKind.DERIVED),
        Reference("reference_pmids", "pubmed", TrialPublicationKind.BACKGROUND),
    )

    @property
    def file_names(self) -> tuple[str, ...]:
        """Its own name, and the one that ClinicalTrials.gov gives to its exports."""
        return (self.name, "ctg-studies")

    def contracts(self) -> SourceContracts:
        """Its contracts."""
        from drug_assets import contracts

        return SourceContracts(
            contracts.RawClinicalTrials, contracts.ClinicalTrialsRecords, contracts.ClinicalTrials
        )

    def referred_sources(self) -> tuple[PublicationSource, ...]:
        """PubMed, whose ids the registry gives."""
        from drug_assets.sources.pubmed import SOURCE as PUBMED

        return (PUBMED,)

    def json_shapes(self) -> tuple[JsonShape, ...]:
        """Studies as the API v2 returns them; answers of the former API are refused."""
        from drug_assets.formats.clinical_trials_gov import API_V1, API_V2

        return API_V2, API_V1

    def known_tables(self) -> tuple[KnownTable, ...]:
        """The tables of AACT beside that of studies."""
        from drug_assets.formats.aact import KNOWN_TABLES

        return KNOWN_TABLES

    def read_id(self, text: pl.Expr) -> pl.Expr:
        """Ids of any registry, or of the team's own."""
        from drug_assets.cleaning.ids import read_trial_id

        return read_trial_id(text)

    def own_columns(self) -> Mapping[str, pl.Expr]:
        """The columns of `contracts.ClinicalTrialsColumns`."""
        import polars as pl

        from drug_assets.cleaning.text import clean_field, split_values
        from drug_assets.terms import SEPARATOR

        brief = pl.col("brief_title")
        return {
            # Where it stands in for the official title, title and brief title are the same. Where
            # both are given and are the same, it is none.
            "brief_title": pl.when(
                (brief != pl.col("title")) | pl.col("scientific_title").is_null()
            ).then(brief),
            "status": clean_field(pl.col("status")),
            "phases": split_values("phase"),
            # The registry's legacy export lists the collaborators after the lead sponsor.
            "sponsor": clean_field(pl.col("sponsor").str.split(SEPARATOR).list.first()),
        }

    def service(self) -> PublicService:
        """The registry's API v2."""
        from drug_assets.fetch.clinical_trials import SERVICE

        return SERVICE


SOURCE = ClinicalTrials()
