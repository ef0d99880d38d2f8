"""Prints the requirements of pyproject.toml, one per line, for an image layer without the code.

Usage: `python requirements.py pyproject.toml [EXTRA ...] [--without PACKAGE ...]`. pip has no such
command; installing the project itself would put its code into the layer of the dependencies.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str], without: list[str]) -> list[str]:
    """The dependencies of the project and of these extras, as written in pyproject.toml.

    Args:
        pyproject: the file.
        extras: the extras.
        without: packages that are left out.

    Raises:
        SystemExit: the project does not declare one of the extras, or needs none of a package that
            is to be left out; the message says which.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    declared = project.get("optional-dependencies", {})
    unknown = [extra for extra in extras if extra not in declared]
    if unknown:
        raise SystemExit(
            f"{pyproject} declares no extra {', '.join(unknown)}; it has {', '.join(declared)}"
        )
    lines = [*project["dependencies"], *(line for extra in extras for line in declared[extra])]
    names = {line: re.split(r"[^\w.-]", line)[0] for line in lines}
    if superfluous := sorted({*without} - {*names.values()}):
        raise SystemExit(f"nothing needs {', '.join(superfluous)}, so it cannot be left out")
    return [line for line in lines if names[line] not in without]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("pyproject", type=Path)
    parser.add_argument("extras", nargs="*", default=[])
    parser.add_argument("--without", nargs="+", default=[])
    given = parser.parse_args()
    listed = requirements(given.pyproject, given.extras, given.without)
    sys.stdout.write("\n".join(listed) + "\n")
