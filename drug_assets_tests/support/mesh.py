"""Invented records of MeSH, as the NLM writes its XML: descriptors and supplementary records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = (
    '<?xml version="1.0"?>\n'
    '<!DOCTYPE {root} SYSTEM "https://www.nlm.nih.gov/databases/dtd/nlm{dtd}_20260101.dtd">\n'
    '<{root} LanguageCode = "eng">\n'
)


@dataclass(frozen=True)
class Term:
    """A term of a concept."""

    text: str
    lexical: str = "NON"
    permuted: bool = False


@dataclass(frozen=True)
class Concept:
    """A concept of a record; the first one of a record is the preferred one."""

    terms: tuple[Term, ...] = ()
    numbers: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A descriptor, or a supplementary record if its id begins with C."""

    ui: str = "D990001"
    name: str = "Inventol"
    concepts: tuple[Concept, ...] = (Concept(),)
    trees: tuple[str, ...] = ("D02.111.222",)
    mapped: tuple[str, ...] = ("*D990001",)
    scr_class: str | None = "1"

    @property
    def supplementary(self) -> bool:
        """Whether it is a supplementary record."""
        return self.ui.startswith("C")


def descriptors() -> st.SearchStrategy[Record]:
    """Descriptors with any names, numbers and trees."""
    return _records("D99{:04}")


def supplementary_records() -> st.SearchStrategy[Record]:
    """Supplementary records with any names, numbers and mappings."""
    return _records("C99{:04}")


def _records(ui: str) -> st.SearchStrategy[Record]:
    words = st.sampled_from(["Inventol", "fictine", "α<β", "p&q", "(+)-testil", "N-1"])
    names = st.lists(words, min_size=1, max_size=3).map(" ".join)
    terms = st.builds(
        Term, names, st.sampled_from(["NON", "TRD", "LAB", "ABB"]), permuted=st.booleans()
    )
    numbers = st.sampled_from(["0", "50-00-0", "EC 1.1.1.1", "12345ABCDE", "txid9606"])
    concepts = st.builds(
        Concept,
        st.lists(terms, max_size=4).map(tuple),
        st.lists(numbers, max_size=2, unique=True).map(tuple),
        st.lists(st.sampled_from(["50-00-0 (Inventol)", "64-17-5 (salt)"]), max_size=2).map(tuple),
    )
    return st.builds(
        Record,
        ui=st.integers(0, 9999).map(ui.format),
        name=names,
        concepts=st.lists(concepts, min_size=1, max_size=3).map(tuple),
        trees=st.lists(st.sampled_from(["D02.1", "D27.5", "E05.1"]), max_size=2).map(tuple),
        mapped=st.lists(st.sampled_from(["*D990001", "D990002"]), max_size=2).map(tuple),
        scr_class=st.sampled_from([None, "1", "2", "4"]),
    )


def to_mesh_xml(records: Iterable[Record], *, supplementary: bool | None = None) -> bytes:
    """A document of records, all of one kind: by default that of the first of them."""
    records = list(records)
    if supplementary is None:
        supplementary = bool(records) and records[0].supplementary
    kind = "Supplemental" if supplementary else "Descriptor"
    root = f"{kind}RecordSet"
    head = _HEAD.format(root=root, dtd=root.lower())
    return (head + "".join(map(to_mesh_record, records)) + f"</{root}>\n").encode()


def to_mesh_record(record: Record) -> str:
    """The element of one record."""
    kind = "Supplemental" if record.supplementary else "Descriptor"
    text = _list("TreeNumber", record.trees)
    start = ' DescriptorClass = "1"'
    if record.supplementary:
        start = "" if record.scr_class is None else f' SCRClass = "{record.scr_class}"'
        mapped = "".join(
            "<HeadingMappedTo><DescriptorReferredTo>"
            f"<DescriptorUI>{ui}</DescriptorUI><DescriptorName><String>Another</String>"
            "</DescriptorName></DescriptorReferredTo></HeadingMappedTo>"
            for ui in record.mapped
        )
        text = f"<HeadingMappedToList>{mapped}</HeadingMappedToList>"
    named = f"{kind}Record" if record.supplementary else kind
    concepts = "".join(
        _to_concept(concept, preferred=not place) for place, concept in enumerate(record.concepts)
    )
    return (
        f"<{kind}Record{start}>\n  <{named}UI>{record.ui}</{named}UI>\n  <{named}Name>\n"
        f"   <String>{escape(record.name)}</String>\n  </{named}Name>\n"
        "  <DateCreated><Year>1999</Year></DateCreated>\n"
        f"  {text}\n  <ConceptList>\n{concepts}  </ConceptList>\n</{kind}Record>\n"
    )


def _to_concept(concept: Concept, *, preferred: bool) -> str:
    terms = "".join(
        f'<Term  ConceptPreferredTermYN="N"  IsPermutedTermYN="{_yes(term.permuted)}"  '
        f'LexicalTag="{term.lexical}"  RecordPreferredTermYN="N">\n<TermUI>T1</TermUI>\n'
        f"<String>{escape(term.text)}</String></Term>\n"
        for term in concept.terms
    )
    return (
        f'<Concept PreferredConceptYN="{_yes(preferred)}"><ConceptUI>M1</ConceptUI>\n'
        "<ConceptName>\n<String>A concept</String></ConceptName>\n"
        f"{_list('RegistryNumber', concept.numbers)}"
        "<ScopeNote>It was invented.\n    </ScopeNote>"
        f"{_list('RelatedRegistryNumber', concept.related)}"
        f"<TermList>{terms}</TermList></Concept>\n"
    )


def _yes(holds: bool) -> str:
    return "Y" if holds else "N"


def _list(element: str, values: Iterable[str]) -> str:
    inner = "".join(f"<{element}>{escape(value)}</{element}>\n" for value in values)
    return f"<{element}List>\n{inner}</{element}List>\n" if inner else ""
