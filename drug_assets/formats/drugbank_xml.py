"""DrugBank's XML (`full database.xml`) -> raw rows of a drug list (SPEC 1).

One row per drug; elements are those of DrugBank's schema. Names of products and international
brands are brands, unless they only name mixtures with other substances. Of a salt only the name is
read: its identifiers are not those of the drug. Drugs that stand in the pathways of another one are
no rows of their own.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from drug_assets.formats import xml_records
from drug_assets.formats.xml_kind import XmlKind
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.formats.xml_kind import Row

#: The names of its file as DrugBank gives them, within its archive and of the archive.
OWNERS_FILES = (r"(?:drugbank[\s_-]*)?(?:all[\s_-]*)?full[\s_-]*database.*\.xml",)

_FIELDS = (
    *("id", "drug", "synonyms", "brands", "forms", "atccode"),
    *("cas", "unii", "inchikey", "rxcui", "chembl", "class_names"),
)
_DRUG = _FIELDS.index("drug")

#: By element of a drug, the field that its text gives, or that its children's names give.
_TEXTS = {"name": "drug", "cas-number": "cas", "unii": "unii"}
_NAMES = {"products": "brands", "international-brands": "brands", "salts": "forms"}
#: By element, the element of its children that tells the kind of the value in another one, and the
#: field that it gives, by kind.
_VALUES = {
    "external-identifiers": ("resource", "identifier", {"RxCUI": "rxcui", "ChEMBL": "chembl"}),
    "calculated-properties": ("kind", "value", {"InChIKey": "inchikey"}),
}
#: What stands between the ingredients of a mixture.
_PLUS = " + "


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly DrugBank's XML."""
    return bool(KIND.root.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be DrugBank's XML."""
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


def _read_drug(drug: Any) -> list[Row]:
    space = drug.tag.removesuffix("drug")
    found: dict[str, list[str]] = {field: [] for field in _FIELDS}
    for part in drug:
        element = part.tag.removeprefix(space)
        if element in _TEXTS:
            found[_TEXTS[element]].append(part.text or "")
        elif element in _NAMES:
            found[_NAMES[element]] += _list_texts(part, f"{space}name")
        elif element in _VALUES:
            kind, value, fields = _VALUES[element]
            for field, text in _list_values(part, f"{space}{kind}", f"{space}{value}"):
                if field in fields:
                    found[fields[field]].append(text)
        elif element == "drugbank-id":
            # The primary one comes first, or else the first one counts.
            found["id"].insert(0 if part.get("primary") == "true" else 1, part.text or "")
        elif element == "synonyms":
            found["synonyms"] += (synonym.text or "" for synonym in part)
        elif element == "atc-codes":
            found["atccode"] += (code.get("code", "") for code in part)
            found["class_names"] += (
                f"{level.get('code')} {level.text}"
                for level in part.iterdescendants(f"{space}level")
                if level.text
            )
    del found["id"][1:]
    mixtures = _read_mixtures(drug, space)
    found["brands"] = [name for name in found["brands"] if not mixtures.get(name.casefold())]
    return [tuple(map(_join, found.values()))]


def _read_mixtures(drug: Any, space: str) -> dict[str, bool]:
    """By folded name of a mixture, whether all mixtures of this name have several ingredients."""
    read: dict[str, bool] = {}
    for mixture in chain.from_iterable(drug.iterchildren(f"{space}mixtures")):
        ingredients = " ".join(_list_texts([mixture], f"{space}ingredients"))
        for name in _list_texts([mixture], f"{space}name"):
            folded = name.casefold()
            read[folded] = read.get(folded, True) and _PLUS in ingredients
    return read


def _list_texts(parents: Iterable[Any], tag: str) -> Iterator[str]:
    """The texts of the elements with this tag directly below any of these."""
    return (element.text or "" for parent in parents for element in parent.iterchildren(tag))


def _list_values(parts: Any, kind: str, value: str) -> Iterator[tuple[str, str]]:
    """The kind and the value of each child that has both, by the tags of these."""
    for part in parts:
        yield from zip(_list_texts([part], kind), _list_texts([part], value), strict=False)


def _join(values: Iterable[str]) -> str | None:
    return SEPARATOR.join(dict.fromkeys(filter(None, values))) or None


KIND = XmlKind(
    owner="DrugBank",
    fields=_FIELDS,
    sets=("drugbank",),
    records={"drug": _read_drug},
    nested=frozenset({"drug"}),
    namespaces=(
        *("http://www.drugbank.ca", "https://www.drugbank.ca"),
        *("http://drugbank.ca", "https://drugbank.ca", ""),
    ),
    is_named=lambda row: row[_DRUG] is not None,
    cuts={"drugbank": (b"<drug ", 0)},
)
