"""Studies of ClinicalTrials.gov's API v2 -> flat records (SPEC 1).

A study object (`protocolSection` and its modules) becomes a flat record, which `json_records` reads
like any other. A page (`{"studies": [...], "nextPageToken": ...}`) is recognized by its beginning,
so that its studies are read one by one, and a page of a thousand studies is never in memory whole.

Only the members of a study that are fields of the source are kept. The others (arms, outcomes,
results, locations: often megabytes) are not copied to `extra`, unlike those of other records. They
can be found in the landed file, under the `source_row` of the study.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drug_assets.formats.record_shape import JsonShape
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.formats.record_shape import Members

#: The `studies` of a page begin within this many characters: before them are counts and tokens.
_PAGE_HEAD_CHARS = 4096

_BLANKS = r"[ \t\n\r]*+"
_PLAIN = r'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+|null|true|false)'
_PLAIN_MEMBER = rf"{_PLAIN}{_BLANKS}:{_BLANKS}{_PLAIN}{_BLANKS}"
#: From the brace of a page to the bracket of its studies.
_PAGE_START = re.compile(
    rf'\{{{_BLANKS}(?:{_PLAIN_MEMBER},{_BLANKS})*+"studies"{_BLANKS}:{_BLANKS}\['
)

#: The path to each field in a study, below `protocolSection`.
_PATHS: Mapping[str, tuple[str, ...]] = {
    "id": ("identificationModule", "nctId"),
    "scientific_title": ("identificationModule", "officialTitle"),
    "brief_title": ("identificationModule", "briefTitle"),
    "date": ("statusModule", "startDateStruct", "date"),
    "status": ("statusModule", "overallStatus"),
    "sponsor": ("sponsorCollaboratorsModule", "leadSponsor", "name"),
    "phase": ("designModule", "phases"),
}
_REFERENCES = ("referencesModule", "references")


def flatten_study(members: Members) -> Members | None:
    """Return the fields of a study as members of a flat record; None if it is not a study.

    Args:
        members: The key-value pairs of a JSON object; objects in it are tuples of pairs too.
    """
    protocol = _member(members, "protocolSection")
    if not isinstance(protocol, tuple):
        return None
    fields = [(field, _at(protocol, path)) for field, path in _PATHS.items()]
    return (*fields, ("reference_pmids", _pmids(_at(protocol, _REFERENCES))))


def _at(value: object, path: tuple[str, ...]) -> object:
    """The value at a path of keys, None if there is none."""
    for key in path:
        if not isinstance(value, tuple):
            return None
        value = _member(value, key)
    return value


def _member(members: Members, key: str) -> object:
    return next((value for known, value in members if known == key), None)


def _pmids(references: object) -> str | None:
    """The PubMed ids of the references that have one, in their order."""
    found = references if isinstance(references, list) else []
    pmids = [_at(reference, ("pmid",)) for reference in found]
    return SEPARATOR.join(pmid for pmid in pmids if isinstance(pmid, str)) or None


#: The JSON of the API v2: studies, alone or on pages.
API_V2 = JsonShape("clinical_trials_gov", _PAGE_START, _PAGE_HEAD_CHARS, flatten_study)
