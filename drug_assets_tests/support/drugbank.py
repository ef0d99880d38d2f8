"""Invented drugs as DrugBank writes its XML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<drugbank xmlns="http://www.drugbank.ca" xmlns:xsi="http://www.w3.org/2001/'
    'XMLSchema-instance" xsi:schemaLocation="http://www.drugbank.ca http://www.drugbank.ca/docs/'
    'drugbank.xsd" version="5.1" exported-on="2026-01-01">\n'
)
END = "</drugbank>\n"


@dataclass(frozen=True)
class Drug:
    """One drug; products and brands are names, mixtures and salts names with what they consist of.

    The identifier of a salt is its UNII.
    """

    id: str = "DB99001"
    name: str = "Inventol"
    synonyms: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    mixtures: tuple[tuple[str, str], ...] = ()
    salts: tuple[tuple[str, str], ...] = ()
    codes: tuple[str, ...] = ()
    cas: str = ""
    unii: str = ""
    inchikey: str = ""
    #: By resource, identifiers in other databases.
    others: tuple[tuple[str, str], ...] = ()
    #: Drugs in its pathways.
    pathway: tuple[str, ...] = ()


def drugs() -> st.SearchStrategy[Drug]:
    """Drugs with any names, salts, mixtures and pathways."""
    names = st.sampled_from(["Inventol", "Fictine", "α<β", "p&q", "Testil 5 mg", "Fictine Plus"])
    listed = st.lists(names, max_size=3).map(tuple)
    mixed = st.tuples(names, st.sampled_from(["Inventol", "Inventol + Fictine"]))
    return st.builds(
        Drug,
        id=st.integers(99000, 99999).map("DB{}".format),
        name=names,
        synonyms=listed,
        products=listed,
        brands=listed,
        mixtures=st.lists(mixed, max_size=2).map(tuple),
        salts=st.lists(st.tuples(names, st.just("12345ABCDE")), max_size=2).map(tuple),
        codes=st.lists(st.sampled_from(["N02BA01", "B01AC06"]), max_size=2).map(tuple),
        pathway=listed,
    )


def to_drugbank_xml(listed: Iterable[Drug]) -> bytes:
    """A document of drugs."""
    return (HEAD + "".join(map(to_drug, listed)) + END).encode()


def to_drug(drug: Drug, created: str = "2005-06-13") -> str:
    """The element of one drug."""
    salts = [{"drugbank-id": "DBSALT1", "name": name, "unii": unii} for name, unii in drug.salts]
    mixtures = [{"name": name, "ingredients": of} for name, of in drug.mixtures]
    others = [{"resource": name, "identifier": value} for name, value in drug.others]
    calculated = [{"kind": "InChIKey", "value": drug.inchikey, "source": "ChemAxon"}]
    codes = "".join(
        f'<atc-code code="{code}">\n<level code="{code[:5]}">Low class</level>\n'
        f'<level code="{code[:1]}">HIGH CLASS</level>\n</atc-code>\n'
        for code in drug.codes
    )
    within = [{"drugbank-id": "DB1", "name": name} for name in drug.pathway]
    parts = (
        _children({"name": drug.name, "description": "It was invented."}),
        _children({"cas-number": drug.cas, "unii": drug.unii}),
        _list("salt", salts),
        f"<synonyms>\n{''.join(map(_to_synonym, drug.synonyms))}</synonyms>\n",
        _list("product", [{"name": name, "labeller": "A company"} for name in drug.products]),
        _list("international-brand", [{"name": n, "company": "B company"} for n in drug.brands]),
        _list("mixture", mixtures),
        f"<atc-codes>\n{codes}</atc-codes>\n",
        _list("drug-interaction", [{"drugbank-id": "DB2", "name": "Another"}]),
        _list("property", calculated if drug.inchikey else [], "calculated-properties"),
        _list("external-identifier", others),
        f"<pathways><pathway><name>Way</name>{_list('drug', within)}</pathway></pathways>\n",
        "<targets><target><name>A target</name></target></targets>\n",
    )
    return (
        f'<drug type="small molecule" created="{created}" updated="2026-01-01">\n'
        f'  <drugbank-id primary="true">{drug.id}</drugbank-id>\n'
        f"  <drugbank-id>DB00000</drugbank-id>\n{''.join(parts)}</drug>\n"
    )


def _to_synonym(name: str) -> str:
    return f'<synonym language="english" coder="inn">{escape(name)}</synonym>\n'


def _list(element: str, items: Iterable[Mapping[str, str]], parent: str | None = None) -> str:
    inner = "".join(f"<{element}>\n{_children(item)}</{element}>\n" for item in items)
    parent = parent or f"{element}s"
    return f"<{parent}>\n{inner}</{parent}>\n"


def _children(values: Mapping[str, str]) -> str:
    return "".join(
        f"  <{element}>{escape(text)}</{element}>\n" if text else f"  <{element}/>\n"
        for element, text in values.items()
    )
