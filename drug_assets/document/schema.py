"""The content of the graph document and of the document of names, declared once (SPEC 5).

Writing takes the members from these types, reading decodes to them and so checks each line, and the
JSON Schema is generated from them. The `…InBrief` types declare only the members that questions
need: the decoder skips all others, and `reading` passes over the mentions.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec

from drug_assets import sources
from drug_assets.terms import ATC_CODE, DatePrecision, SpanOrigin, TrialPublicationKind

#: Names of the objects of the documents in a store.
FILE = "graph.json"
NAMES_FILE = "names.json"

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Position: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
#: In Python, `$` also matches before a final line end. This matches only at the very end, both in
#: Python and in JavaScript.
_END = r"(?![\s\S])"
AtcCode: TypeAlias = Annotated[str, msgspec.Meta(pattern=ATC_CODE.removesuffix("$") + _END)]
Spans: TypeAlias = Annotated[
    list[tuple[Position, Position]],
    msgspec.Meta(
        min_length=1,
        description="Where the title names the drug, in characters: start, and one past the end.",
    ),
]
Spellings: TypeAlias = Annotated[
    list[Text], msgspec.Meta(description="Every spelling that titles are searched for.")
]
Retracted: TypeAlias = Annotated[
    bool | None,
    msgspec.Meta(
        description="Whether the publication was retracted; null if no record says, and for types "
        "of publications that cannot be retracted."
    ),
]
if TYPE_CHECKING:
    PublicationType: TypeAlias = str
    Precision: TypeAlias = str
    Kind: TypeAlias = str
    Rule: TypeAlias = str
else:
    PublicationType = Literal[tuple(source.document_type for source in sources.PUBLICATIONS)]
    Kind = Literal[tuple(term.value for term in TrialPublicationKind)]
    Precision = Literal[tuple(term.value for term in DatePrecision)]
    Rule = Literal[tuple(term.value for term in SpanOrigin if term is not SpanOrigin.NAME)]


class _Whole(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A JSON object that must have all declared members, but for unset ones, and no others."""


class _Brief(msgspec.Struct, gc=False):
    """A JSON object that must have all declared members; others are skipped."""


class MentionByJournal(_Whole):
    """A mention, seen from the journal: journal -> drug."""

    date: dt.date | None
    type: PublicationType
    id: Text
    retracted: Retracted


class Journal(_Whole):
    """A journal that mentions the drug."""

    journal: Text
    journal_id: Text
    mentions: Annotated[list[MentionByJournal], msgspec.Meta(min_length=1)]


class PublicationOfTrial(_Whole):
    """A publication that belongs to a trial: trial -> publication -> journal."""

    type: PublicationType
    id: Text
    kind: Kind
    journal: Text | None
    journal_id: Text | None
    date: dt.date | None
    date_precision: Precision | None
    retracted: Retracted


class TrialOfPublication(_Whole):
    """A trial that a publication belongs to: publication -> trial."""

    type: PublicationType
    id: Text
    kind: Kind


class SpanByRule(_Whole):
    """A span that a rule found: it is no name of the drug."""

    by: Rule
    span: tuple[Position, Position]


class Mention(_Whole):
    """A publication whose title names the drug: drug -> publication -> journal."""

    type: PublicationType
    id: Text
    title: Text
    journal: Text | None
    journal_id: Text | None
    date: dt.date | None
    date_precision: Precision | None
    retracted: Retracted
    spans: Spans
    publications: Annotated[
        list[PublicationOfTrial], msgspec.Meta(description="Of a trial: what belongs to it.")
    ]
    trials: Annotated[
        list[TrialOfPublication],
        msgspec.Meta(description="Of any other publication: the trials that it belongs to."),
    ]
    rules: (
        Annotated[
            list[SpanByRule],
            msgspec.Meta(
                min_length=1, description="Those of the spans that rules found; absent without any."
            ),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class ListedDrug(_Whole):
    """A drug of the list: one that no title names, in the document of names."""

    drug_id: Text
    drug: Text
    names: Spellings
    atc_codes: list[AtcCode]


class Drug(ListedDrug):
    """A drug of the list, with its mentions."""

    mentions: list[Mention]
    journals: list[Journal]


class MentionInBrief(_Brief):
    """The members of `MentionByJournal` that questions need.

    Documents of versions that knew of no retractions are read, too: nothing is known of them.
    """

    type: PublicationType
    retracted: bool | None = None


class JournalInBrief(_Brief):
    """The members of `Journal` that questions need."""

    journal: str
    journal_id: str
    mentions: list[MentionInBrief]


class DrugInBrief(_Brief):
    """The members of `Drug` that questions need; without codes, it is of no class."""

    drug_id: str
    drug: str
    names: list[str]
    journals: list[JournalInBrief]
    atc_codes: list[str] = []


class ListedDrugInBrief(_Brief):
    """The members of `ListedDrug` that questions need."""

    drug: str
    names: list[str]
    atc_codes: list[str] = []


class PublicationOfTrialInBrief(_Brief):
    """The members of `PublicationOfTrial` that questions about results of trials need."""

    type: PublicationType
    id: str
    kind: str
    journal: str | None
    journal_id: str | None
    retracted: bool | None
    date: dt.date | None = None
    #: Documents of earlier versions have none: then only the year of the date is known.
    date_precision: str | None = None


class MentionWithResults(_Brief):
    """The members of `Mention` that questions about results of trials need.

    Documents of versions that knew of no such publications are read, too: there are none in them.
    """

    type: PublicationType
    id: str
    publications: list[PublicationOfTrialInBrief] = []


class DrugWithResults(DrugInBrief, kw_only=True):
    """The members of `Drug` that questions about results of trials need."""

    mentions: list[MentionWithResults]


class MentionWithDate(MentionWithResults):
    """The members of `Mention` that questions about periods need."""

    journal: str | None = None
    journal_id: str | None = None
    date: dt.date | None = None
    date_precision: str | None = None
    retracted: bool | None = None


class DrugWithDates(DrugInBrief, kw_only=True):
    """The members of `Drug` that questions about periods need."""

    mentions: list[MentionWithDate]


class MentionToCompare(_Brief):
    """The members of `Mention` that tell it from another one; earlier versions knew only some."""

    type: PublicationType
    id: str
    title: str
    journal: str | None = None
    journal_id: str | None = None
    date: dt.date | None = None
    date_precision: str | None = None


class ListedDrugToCompare(_Brief):
    """The members of `ListedDrug` that tell it from another one."""

    drug_id: str
    drug: str
    names: list[str] = []


class DrugToCompare(ListedDrugToCompare, kw_only=True):
    """The members of `Drug` that tell it from another one."""

    mentions: list[MentionToCompare]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the graph document: an array of drugs."""
    return _schema_of(
        Drug,
        "Drug, publication and journal graph",
        f"Every drug of the list that is not in {NAMES_FILE}, sorted by name, one line per drug.",
    )


def names_json_schema() -> dict[str, Any]:
    """The JSON Schema of the document of names: an array of drugs without mentions."""
    return _schema_of(
        ListedDrug,
        "Drugs that no title names",
        f"Of a long list, every drug that is not in {FILE}, sorted by name, one line per drug.",
    )


def _schema_of(element: type[msgspec.Struct], title: str, description: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        **msgspec.json.schema(list[element]),  # type: ignore[valid-type]
    }
