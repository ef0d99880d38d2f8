"""The script and the style of the page, as `make explorer` builds them; committed, never edited.

Users need no Node: the files are part of the package. Their bytes count for the version of the
page (`versions`).
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def read_script() -> str:
    """The script: one classic script, without imports."""
    return (_FOLDER / "explorer.js").read_text(encoding="utf-8")


def read_style() -> str:
    """The style sheet."""
    return (_FOLDER / "explorer.css").read_text(encoding="utf-8")
