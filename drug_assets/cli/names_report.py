"""The command `names`: which names titles are searched for, of one drug, and why not for others.

What there is to tell, `answers.names` says; here it is written as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.cleaning.text import fold_string
from drug_assets.terms import NameKind
from drug_assets.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets.answers.names import ListedName, NamedDrug


def as_lines(drug: NamedDrug) -> Iterator[str]:
    """A drug with its names, as text: by list and kind, and below what is not searched for."""
    searched = [name for name in drug.names if name.searched]
    spellings = len({fold_string(name.name) for name in searched})
    ids = ", ".join(
        each
        for each in dict.fromkeys([drug.drug_id, *drug.codes, *drug.xrefs])
        if each != drug.drug
    )
    shown = f"{drug.drug} ({ids})" if ids else drug.drug
    yield f"{shown}: {count_of(spellings, 'name')} searched for"
    for source in dict.fromkeys(name.source_file for name in drug.names):
        yield f"  {source}"
        of_list = [name for name in drug.names if name.source_file == source]
        for kind in NameKind:
            if spelt := [
                _with_others(name) for name in of_list if name.kind == kind and name.searched
            ]:
                yield f"    {kind.value}: {'; '.join(spelt)}"
        for name in of_list:
            if not name.searched:
                yield f"    not searched for: {name.name} ({name.kind}), {name.reason}"


def _with_others(name: ListedName) -> str:
    return f"{name.name} (also {', '.join(name.also)})" if name.also else name.name
