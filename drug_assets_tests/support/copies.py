"""A copy of the package that a test may change, and commands that run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = runs.REPOSITORY / "drug_assets"


@dataclass(frozen=True)
class Copy:
    """A copy of the package, below a folder of its own."""

    folder: Path

    @classmethod
    def below(cls, folder: Path) -> Copy:
        """A fresh copy."""
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, folder / "drug_assets", ignore=ignored)
        return cls(folder)

    def add(self, module: str, text: str) -> None:
        """Add a module, or text at the end of one."""
        path = self.folder / "drug_assets" / module
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{before}{text}", encoding="utf-8")

    def replace(self, module: str, old: str, new: str) -> None:
        """Replace text that stands once in a module."""
        path = self.folder / "drug_assets" / module
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (module, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `drug-assets` as the copy has it."""
        return self.python("from drug_assets.cli import main; main()", *arguments, **variables)

    def json(self, script: str, *arguments: str) -> Any:
        """What a script that runs in the copy prints as JSON."""
        ended = self.python(script, *arguments)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def python(
        self, script: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in the copy."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_ASSETS", "DAGSTER"))}
        environment = {"PYTHONPATH": str(self.folder), "DAGSTER_DISABLE_TELEMETRY": "yes"}
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=self.folder,
            env=kept | environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
