"""The modules of the package, parsed once for all tests of a process that look at them."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = runs.REPOSITORY / "drug_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def tree_of(module: Path) -> ast.Module:
    """The syntax of a module: not to be changed."""
    return ast.parse(module.read_text(encoding="utf-8"))


@cache
def texts_of(module: Path) -> frozenset[str]:
    """The texts that stand in a module's code."""
    return frozenset(
        node.value
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
