"""MeSH's XML (`desc20NN.xml`, `supp20NN.xml`) -> raw rows of a drug list (SPEC 1).

One row per descriptor and per supplementary concept record; elements are those of the NLM's MeSH
DTDs. All terms of all concepts of a record are its names; the lexical tag tells trade names and
laboratory codes from others. Terms that MeSH only turns around ("Acid, Invented") are no spelling
of a title and left out: each repeats another term of its concept. Registry numbers are those of the
preferred concept, as the others are of narrower or related substances. What is evidently no
substance is marked `not_a_drug`; which trees are read is for `cleaning` to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drug_assets.formats import xml_records
from drug_assets.formats.xml_kind import READ_ISSUE, XmlKind
from drug_assets.terms import SEPARATOR, ReadIssue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.formats.xml_kind import Row

#: The names of its files as the NLM gives them, without `.gz`: the archive is named `desc2026.gz`.
OWNERS_FILES = (r"(?:desc|supp)[0-9]{4}(?:\.xml)?",)

_FIELDS = (
    *("id", "mesh", "drug", "synonyms", "brands", "research_codes", "cas", "unii"),
    *("mapped_to", "tree_numbers", READ_ISSUE),
)
_DRUG = _FIELDS.index("drug")

#: Lexical tags of terms that are no plain names, and the fields of these.
_TRADE_NAME, _LABORATORY_CODE = "TRD", "LAB"
#: How a term looks that is turned around, so that another word comes first.
_TURNED_AROUND = ", "
#: The branch of the trees that holds chemicals and drugs.
_CHEMICALS = "D"
#: The class of supplementary records of substances: the DTD's default. Others are protocols,
#: diseases, organisms, populations.
_SUBSTANCES = "1"

_CAS = re.compile(r"[0-9]{2,7}-[0-9]{2}-[0-9]")
_UNII = re.compile(r"[0-9A-Z]{10}")
#: A related number has the name of its substance behind it, in brackets.
_NUMBER = re.compile(r"\s*+(\S++)\s*+(?:\((.*)\)\s*+)?", re.DOTALL)


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly MeSH's XML."""
    return bool(KIND.root.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be MeSH's XML."""
    return KIND.may_begin(head)


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of raw rows (`xml_records`).

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated again if parsing in pieces fails.

    Raises:
        FormatError: broken, cut, hostile, without a name in any record, or XML of another kind.
    """
    return xml_records.read_batches(KIND, shape, name, chunks)


def _read_descriptor(record: Any) -> list[Row]:
    identifier = name = None
    trees: list[str] = []
    named = _NOTHING_NAMED
    for part in record:
        tag = part.tag
        if tag == "DescriptorUI":
            identifier = _read_text(part)
        elif tag == "DescriptorName":
            name = _read_string(part)
        elif tag == "TreeNumberList":
            trees = [_read_text(number) or "" for number in part]
        elif tag == "ConceptList":
            named = _read_concepts(part, name)
    is_chemical = any(tree.startswith(_CHEMICALS) for tree in trees)
    issue = None if is_chemical else ReadIssue.NOT_A_DRUG
    return [(identifier, identifier, name, *named, None, _join(trees), issue)]


def _read_supplementary(record: Any) -> list[Row]:
    identifier = name = None
    mapped: list[str] = []
    named = _NOTHING_NAMED
    for part in record:
        tag = part.tag
        if tag == "SupplementalRecordUI":
            identifier = _read_text(part)
        elif tag == "SupplementalRecordName":
            name = _read_string(part)
        elif tag == "HeadingMappedToList":
            # The asterisk marks the main heading of several.
            mapped = [(_read_text(ui) or "").lstrip("*") for ui in part.iter("DescriptorUI")]
        elif tag == "ConceptList":
            named = _read_concepts(part, name)
    is_substance = record.get("SCRClass", _SUBSTANCES).strip() == _SUBSTANCES
    issue = None if is_substance else ReadIssue.NOT_A_DRUG
    return [(identifier, identifier, name, *named, _join(mapped), None, issue)]


_NOTHING_NAMED: Row = (None,) * 5


def _read_concepts(concepts: Any, name: str | None) -> Row:
    """The synonyms, brands, research codes, CAS numbers and UNIIs that the concepts give."""
    # Dictionaries instead of sets, since they keep their order.
    synonyms: dict[str, None] = {}
    brands: dict[str, None] = {}
    codes: dict[str, None] = {}
    numbers: dict[str, None] = {}
    fields = {_TRADE_NAME: brands, _LABORATORY_CODE: codes}
    for concept in concepts:
        own: set[str] = set()
        for terms in concept.iterchildren("TermList"):
            for term in terms:
                text = _read_string(term)
                if not text:
                    continue
                own.add(text.casefold())
                if term.get("IsPermutedTermYN") != "Y" or _TURNED_AROUND not in text:
                    fields.get(term.get("LexicalTag"), synonyms)[text] = None
        if concept.get("PreferredConceptYN") == "Y":
            numbers.update(dict.fromkeys(_read_numbers(concept, own)))
    if name is not None:
        for names in (synonyms, brands, codes):
            names.pop(name, None)
    return (
        *map(_join, (synonyms, brands, codes)),
        *(_join(filter(form.fullmatch, numbers)) for form in (_CAS, _UNII)),
    )


def _read_numbers(concept: Any, own: Collection[str]) -> Iterator[str]:
    """The registry numbers of a concept, and the related ones that are of its substance itself.

    Args:
        concept: The concept.
        own: Its terms, folded.
    """
    # Since 2025 there can be several.
    for part in concept.iterchildren("RegistryNumber", "RegistryNumberList"):
        for number in part if len(part) else (part,):
            yield _read_text(number) or ""
    for related in concept.iterchildren("RelatedRegistryNumberList"):
        for number in related:
            found = _NUMBER.fullmatch(number.text or "")
            if found and (found[2] is None or found[2].strip().casefold() in own):
                yield found[1]


def _read_string(element: Any) -> str | None:
    """The text of the `String` of a name or term."""
    for part in element:
        if part.tag == "String":
            return _read_text(part)
    return None


def _read_text(element: Any) -> str | None:
    """The text of an element, without the white space that the NLM puts around some."""
    text: str | None = element.text
    return text.strip() or None if text else None


def _join(values: Iterable[str]) -> str | None:
    return SEPARATOR.join(filter(None, values)) or None


#: Roots of the NLM that hold no substances, and what to do.
_NO_SUBSTANCES = (
    "It holds {}, which are no substances: remove it, and land desc20NN.xml and supp20NN.xml."
)

KIND = XmlKind(
    owner="MeSH",
    fields=_FIELDS,
    sets=("DescriptorRecordSet", "SupplementalRecordSet"),
    records={"DescriptorRecord": _read_descriptor, "SupplementalRecord": _read_supplementary},
    is_named=lambda row: row[_DRUG] is not None,
    cuts={
        set_: (mark, len(mark))
        for set_, mark in (
            ("DescriptorRecordSet", b"</DescriptorRecord>"),
            ("SupplementalRecordSet", b"</SupplementalRecord>"),
        )
    },
    refused={
        "QualifierRecordSet": _NO_SUBSTANCES.format("qualifiers"),
        "PharmacologicalActionSet": _NO_SUBSTANCES.format("pharmacological actions"),
    },
)
