"""Prints the requirements of pyproject.toml, one per line, for an image layer without the code.

Usage: `python requirements.py pyproject.toml [EXTRA ...]`. pip has no such command; installing the
project itself would put its code into the layer of the dependencies.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """The dependencies of the project and of these extras, as written in pyproject.toml.

    Raises:
        SystemExit: the project does not declare one of the extras; the message lists those it has.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    declared = project.get("optional-dependencies", {})
    unknown = [extra for extra in extras if extra not in declared]
    if unknown:
        raise SystemExit(
            f"{pyproject} declares no extra {', '.join(unknown)}; it has {', '.join(declared)}"
        )
    return [*project["dependencies"], *(line for extra in extras for line in declared[extra])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path(sys.argv[1]), sys.argv[2:])) + "\n")
