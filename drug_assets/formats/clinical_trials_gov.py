"""Studies as ClinicalTrials.gov's API v2 sends them -> flat records (SPEC 1).

A study object (`protocolSection` and its modules) becomes the members that `json_records` reads of
any flat record; a page (`{"studies": [...], "nextPageToken": ...}`) is told by its beginning, so
that its studies are read one by one and a page of a thousand is never in memory whole.

Of a study only what a field of the source asks for is kept. The rest (arms, outcomes, results,
locations: often megabytes) is not copied to `extra`, as that of other records is: the file in the
landing zone has it, under the `source_row` of the study.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from drug_assets.sources import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

Members: TypeAlias = tuple[tuple[str, object], ...]

#: Characters within which a page's `studies` begin: its other members are counts and tokens.
PAGE_HEAD_CHARS = 4096

_BLANKS = r"[ \t\n\r]*+"
_PLAIN = r'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+|null|true|false)'
_PLAIN_MEMBER = rf"{_PLAIN}{_BLANKS}:{_BLANKS}{_PLAIN}{_BLANKS}"
#: From the brace of a page to the bracket of its studies.
PAGE_START = re.compile(
    rf'\{{{_BLANKS}(?:{_PLAIN_MEMBER},{_BLANKS})*+"studies"{_BLANKS}:{_BLANKS}\['
)

#: Where a study has the text of each field: below `protocolSection`.
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


def flat_record(members: Members) -> Members | None:
    """The fields of a study as members of a flat record; None if the object is not a study.

    Args:
        members: The pairs of a JSON object; objects in it are tuples of pairs too.
    """
    protocol = _member(members, "protocolSection")
    if not isinstance(protocol, tuple):
        return None
    fields = [(field, _at(protocol, path)) for field, path in _PATHS.items()]
    return (*fields, ("reference_pmids", _pmids(_at(protocol, _REFERENCES))))


def _at(value: object, path: tuple[str, ...]) -> object:
    """What stands at a path of keys, None if nothing does."""
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
