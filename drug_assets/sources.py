"""The three sources: which files are theirs, which fields their records have (SPEC section 1).

How a format is read belongs to `formats`, where files lie to `storage`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from drug_assets import contracts

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Separates the values of a field that can have several, in every raw table.
SEPARATOR = "|"
#: `citation_status` of a raw row that withdraws the earlier records of its PubMed id.
DELETED = "DeleteCitation"

_BOOKKEEPING = set(contracts.RawRecord.column_names())


@dataclass(frozen=True)
class Source:
    """One source of the landing zone."""

    name: str
    contract: contracts.Contract
    #: The fields of which a delimited file of this source has at least one.
    required: tuple[str, ...]
    #: Other spellings of a field in headers and JSON keys, normalized as by `normalized_header`.
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of a raw record, in the contract's order."""
        return tuple(c for c in self.contract.column_names() if c not in _BOOKKEEPING)

    def field_of(self, header: str) -> str | None:
        """The field a header or JSON key stands for, or None if it is not one of the source's."""
        name = normalized_header(header)
        by_name = {normalized_header(f): f for f in self.fields}
        return by_name.get(name) or self.aliases.get(name)


DRUGS = Source(
    "drugs",
    contracts.RawDrugs,
    required=("drug", "atc_name"),
    aliases={
        "atc": "atccode",
        "drugid": "id",
        # DrugBank's open vocabulary.
        "drugbankid": "id",
        "commonname": "drug",
        # The WHO's ATC/DDD table.
        "atclevelname": "atc_name",
    },
)
PUBMED = Source(
    "pubmed",
    contracts.RawPubmed,
    required=("title",),
    aliases={
        "pmid": "id",
        # What PubMed's site saves as CSV.
        "journal/book": "journal",
        "publicationyear": "date",
    },
)
CLINICAL_TRIALS = Source(
    "clinical_trials",
    contracts.RawClinicalTrials,
    required=("scientific_title", "brief_title"),
    aliases={
        "title": "scientific_title",
        "nctid": "id",
        # ClinicalTrials.gov's exports: the current one, then what differs in the legacy one, whose
        # title is the brief one too, but by its header cannot be told from any other list's.
        "nctnumber": "id",
        "officialtitle": "scientific_title",
        "studytitle": "brief_title",
        "studystatus": "status",
        "overallstatus": "status",
        "phases": "phase",
        "leadsponsor": "sponsor",
        "startdate": "date",
        "recruitment": "status",
        "sponsor/collaborators": "sponsor",
    },
)
ALL = (DRUGS, PUBMED, CLINICAL_TRIALS)


def normalized_header(header: str) -> str:
    """A header as it is compared: case, spaces, underscores and hyphens do not matter."""
    return re.sub(r"[\s_-]+", "", header).casefold()


def source_of(path: str) -> Source | None:
    """The source a landed file belongs to by its name or, failing that, by a folder above it.

    Names count by their start, in any case: `PubMed_2024.csv`, `clinical_trials/page1.json`.
    """
    for part in reversed(PurePosixPath(path).parts):
        for source in ALL:
            if part.casefold().startswith(source.name):
                return source
    return None


def is_documentation(path: str) -> bool:
    """Whether a file is none of the landing zone's business: hidden, `README*` or `*.md`."""
    parts = PurePosixPath(path).parts
    name = parts[-1].casefold()
    hidden = any(part.startswith(".") for part in parts)
    return hidden or name.startswith("readme") or name.endswith(".md")


def natural_key(path: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key for the order of delivery: `pubmed_2.csv` before `pubmed_10.csv`.

    PubMed numbers its update files so. Runs of digits compare as numbers, the rest case-folded;
    names equal so far compare as written.
    """
    parts = re.split(r"([0-9]+)", path)
    # What was split off stands at odd places; asking `isdigit` would take "²" for a number too.
    key = [
        (1, int(part), "") if place % 2 else (0, 0, part.casefold())
        for place, part in enumerate(parts)
        if part
    ]
    return (*key, (-1, 0, path))
