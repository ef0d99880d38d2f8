"""The XML that the WHO's ICTRP exports -> raw rows of trials (SPEC 1).

One row per `Trial`, whose elements each hold a text, under the names that the ICTRP's tables have,
too (`sources.clinical_trials`). When the ICTRP refreshed its copy of a trial is not read: it says
nothing of how new the record of the registry is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drug_assets.formats import xml_records
from drug_assets.formats.xml_kind import XmlKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.formats.xml_kind import Row

#: By field, the elements that hold it: the first that holds something counts.
_ELEMENTS = {
    "id": ("TrialID",),
    "scientific_title": ("Scientific_title",),
    "brief_title": ("Public_title",),
    "date": ("Date_enrollement", "Date_registration"),
    "status": ("Recruitment_Status",),
    "phase": ("Phase",),
    "sponsor": ("Primary_sponsor",),
}
_FIELDS = tuple(_ELEMENTS)
_TITLES = (_FIELDS.index("scientific_title"), _FIELDS.index("brief_title"))
_READ = frozenset(element for elements in _ELEMENTS.values() for element in elements)


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly XML of the ICTRP."""
    return bool(KIND.root.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be XML of the ICTRP."""
    return KIND.may_begin(head)


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of raw rows (`xml_records`).

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated again if parsing in pieces fails.

    Raises:
        FormatError: broken, cut, hostile, without a title in any trial, or XML of another kind.
    """
    return xml_records.read_batches(KIND, shape, name, chunks)


def _read_trial(trial: Any) -> list[Row]:
    texts: dict[str, str] = {}
    for part in trial:
        text = part.text if part.tag in _READ else None
        if text and text.strip():
            texts.setdefault(part.tag, text)
    found = (filter(None, map(texts.get, elements)) for elements in _ELEMENTS.values())
    return [tuple(next(of_field, None) for of_field in found)]


KIND = XmlKind(
    owner="the ICTRP",
    fields=_FIELDS,
    sets=("Trials_downloaded_from_ICTRP",),
    records={"Trial": _read_trial},
    is_named=lambda row: any(row[title] is not None for title in _TITLES),
    cuts={"Trials_downloaded_from_ICTRP": (b"</Trial>", len(b"</Trial>"))},
)
