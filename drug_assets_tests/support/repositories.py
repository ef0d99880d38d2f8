"""Git repositories for tests, and interpreters with a `drug-assets` that is not the project's."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """What a command of Git says, run in a folder.

    Raises:
        CalledProcessError: it failed.
    """
    command = ["git", "-C", str(folder), *_AUTHOR, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with these files in its only commit."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The first commit")
    return folder


def lent_python(folder: Path, drug_assets: str) -> Path:
    """This interpreter, with a `drug-assets` beside it that runs the given code."""
    folder.mkdir(parents=True)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    command = folder / "drug-assets"
    command.write_text(f"#!{sys.executable}\n{drug_assets}\n", encoding="utf-8")
    for path in (python, command):
        path.chmod(0o755)
    return python
