"""The script and the style of the page: the files of `built/`, which `make explorer` makes.

They are committed and part of the package, so users need no Node. As the data of this module, they
count for the version of the page (`versions`).
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).with_suffix("")


def read_script() -> str:
    """The script: one classic script, without imports."""
    return (_FOLDER / "explorer.js").read_text(encoding="utf-8")


def read_style() -> str:
    """The style sheet."""
    return (_FOLDER / "explorer.css").read_text(encoding="utf-8")
