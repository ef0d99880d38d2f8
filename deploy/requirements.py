"""The requirements that pyproject.toml declares, one a line, for an image layer without the code.

Usage: `python requirements.py pyproject.toml [EXTRA ...]`. pip has no such command; installing the
project itself would put its code into the layer that holds the dependencies.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """The project's dependencies and those of its extras, as written.

    Raises:
        SystemExit: an extra that the project does not declare, with those that it does.
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
