"""The floors of the house: no module imports what stands above it (docs: ARCHITECTURE)."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = runs.REPOSITORY / "drug_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))
GROUND_FLOOR = (
    *("contracts", "sources", "formats", "cleaning", "mentions", "graph", "questions", "audit"),
    "rules",
)
STORAGE = ("storage",)
#: For each floor, what it must not import: modules of ours, and packages.
BANNED = {
    GROUND_FLOOR: (
        *("drug_assets.storage", "drug_assets.defs", "drug_assets.definitions"),
        *("drug_assets.settings", "drug_assets.cli", "drug_assets.fetch"),
        *("dagster", "google", "dagster_gcp", "click", "rich", "httpx", "logging", "os"),
    ),
    STORAGE: (
        *("drug_assets.defs", "drug_assets.definitions", "drug_assets.cli"),
        *("drug_assets.cleaning", "drug_assets.mentions", "drug_assets.graph"),
        *("drug_assets.audit", "drug_assets.questions", "drug_assets.settings"),
    ),
    ("defs",): ("drug_assets.cli", "google", "os"),
}


def name_of(module: Path) -> str:
    parts = module.relative_to(runs.REPOSITORY).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports(tree: ast.AST, *, inside_functions: bool = True) -> Iterator[str]:
    """Modules, and names in them, that are imported; what only a type checker sees is not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []), inside_functions=inside_functions)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, inside_functions=inside_functions)


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def reached(names: Iterator[str], banned: tuple[str, ...]) -> set[str]:
    return {name for name in names if any(f"{name}.".startswith(f"{b}.") for b in banned)}


def floor_of(module: Path) -> str:
    """The folder or module just below the package."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_reaches_above_its_floor(module: Path) -> None:
    for floors, banned in BANNED.items():
        if floor_of(module) in floors:
            assert not reached(imports(tree_of(module)), banned)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_clouds_are_imported_where_they_are_used_alone(module: Path) -> None:
    if module.parent.name == "storage" and module.stem.startswith(("gcs", "bigquery", "google")):
        assert reached(imports(tree_of(module)), ("google", "dagster_gcp", "drug_assets"))
        return
    at_import = imports(tree_of(module), inside_functions=False)
    clouds = ("google", "dagster_gcp", "drug_assets.storage.gcs", "drug_assets.storage.bigquery")
    assert not reached(at_import, clouds)


@pytest.mark.parametrize("module", sorted((PACKAGE / "defs").glob("*.py")), ids=name_of)
def test_annotations_that_dagster_reads_are_no_strings(module: Path) -> None:
    # With them, an annotated `context` or `Config` of an asset or a check is refused.
    assert "__future__.annotations" not in set(imports(tree_of(module)))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_says_what_it_holds(module: Path) -> None:
    assert ast.get_docstring(tree_of(module))


def test_environment_is_named_in_one_place() -> None:
    for module in MODULES:
        names = {
            node.value
            for node in ast.walk(tree_of(module))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if module.relative_to(PACKAGE).as_posix() != "settings.py":
            assert "DRUG_ASSETS_ENV" not in names, name_of(module)


def test_ground_floor_says_what_is_banned_and_there_is_such_a_floor() -> None:
    floors = {floor_of(module) for module in MODULES}
    assert all(floor in floors for group in BANNED for floor in group)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("drug_assets", "polars dagster click"),
        ("drug_assets.cli", "polars dagster rich drug_assets.contracts"),
        ("drug_assets.questions", "polars dagster json"),
        ("drug_assets.definitions", "google dagster_gcp drug_assets.storage.gcs"),
        ("drug_assets.cli.in_process", "google dagster_gcp drug_assets.storage.gcs"),
    ],
)
def test_import_stays_light(module: str, absent: str) -> None:
    script = (
        "import importlib, sys\n"
        f"importlib.import_module({module!r})\n"
        f"print(*[name for name in {absent.split()!r} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=runs.REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == []
