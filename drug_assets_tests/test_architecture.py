"""The rooms and layers of the package: what `make lint` does not check of them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.versions import OUTER_ROOMS
from drug_assets_tests.support import runs
from drug_assets_tests.support.modules import MODULES, PACKAGE, texts_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = tomllib.loads((runs.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]
(LAYERS,) = (contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
MAP = (runs.REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
#: The lowest layer of rooms that decide where, when and for whom something is made.
LOWEST_OUTER = "engines | settings | logs | notify | progress"
#: What the rooms below that layer must not import.
NOT_IN_INNER_ROOMS = ("click", "rich", "httpx", "logging", "os", "multiprocessing", "subprocess")


def name_of(module: Path) -> str:
    parts = module.relative_to(runs.REPOSITORY).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room_of(module: Path) -> str:
    """The folder or module just below the package."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms(layers: list[str]) -> set[str]:
    return {room for layer in layers for room in re.split(r"\s*[|:]\s*", layer)}


def imports(tree: ast.AST, *, inside_functions: bool = True) -> Iterator[str]:
    """The modules that code imports, and names in them, but for what only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []), inside_functions=inside_functions)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, inside_functions=inside_functions)


def reached(names: Iterator[str], banned: tuple[str, ...]) -> set[str]:
    return {name for name in names if any(f"{name}.".startswith(f"{b}.") for b in banned)}


def test_every_room_has_a_floor_and_rooms_that_decide_no_result_are_the_upper_ones() -> None:
    there = {room_of(module) for module in MODULES} - {"__init__"}
    assert rooms(LAYERS) == there
    outer = rooms(LAYERS[: LAYERS.index(LOWEST_OUTER) + 1])
    # `fetch` is a lower layer and decides no result either: it lands files before any is read.
    assert outer | {"fetch"} == OUTER_ROOMS


def test_the_map_has_a_line_for_every_room_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_/]+)(?:\.py)?` \|", MAP, re.MULTILINE)
    mapped = [room.removesuffix("/") for room in rows]
    there = {room_of(module) for module in MODULES} - {"__init__"}
    folders = {room for room in mapped if "/" in room}
    assert sorted(set(mapped) - folders) == sorted(there)
    assert all((PACKAGE / folder).is_dir() for folder in folders)
    assert len(mapped) == len(set(mapped))


def test_what_the_map_names_is_there() -> None:
    """Names such as `storage.landing.read_landing_zone` lead to modules and what is in them."""
    named = re.findall(r"`((?:[a-z_]+\.)+[a-z_]+)`", MAP)
    assert len(named) > 10
    files = {"py", "md", "toml", "json", "csv"}
    for name in named:
        if name.rpartition(".")[2] in files:
            continue
        module, _, member = f"drug_assets.{name}".rpartition(".")
        try:
            found: object = import_module(f"drug_assets.{name}")
        except ModuleNotFoundError:
            found = getattr(import_module(module), member, None)
        assert found is not None, name


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if room_of(m) not in OUTER_ROOMS | {"__init__", "syntax", "versions"}],
    ids=name_of,
)
def test_inner_rooms_know_no_terminal_no_network_and_no_process(module: Path) -> None:
    assert not reached(imports(tree_of(module)), NOT_IN_INNER_ROOMS)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_clouds_are_imported_where_they_are_used_alone(module: Path) -> None:
    if module.parent.name == "google" or module.stem in {"google_places", "run_launcher"}:
        return
    at_import = imports(tree_of(module), inside_functions=False)
    assert not reached(at_import, ("google", "dagster_gcp", "drug_assets.storage.google.bucket")), (
        "Google's modules take seconds"
    )


@pytest.mark.parametrize("module", sorted((PACKAGE / "defs").glob("*.py")), ids=name_of)
def test_annotations_that_dagster_reads_are_no_strings(module: Path) -> None:
    # Dagster refuses an asset or a check whose `context` or `Config` has a string as annotation.
    assert "__future__.annotations" not in set(imports(tree_of(module)))


def test_environment_is_named_in_one_place() -> None:
    naming = [name_of(module) for module in MODULES if "DRUG_ASSETS_ENV" in texts_of(module)]
    assert naming == ["drug_assets.settings"]


def test_no_source_is_known_by_name_outside_its_own_module() -> None:
    own = {module.stem for module in (PACKAGE / "sources").glob("*.py")}
    # `drugs` is also the name of a table and of a command.
    names = own - {"__init__", "source", "tables", "drugs"}
    assert names
    # Questions are about PubMed and trials; a service names the source whose records it has.
    allowed = {"document/questions.py", "fetch/pubmed.py", "fetch/clinical_trials.py"}
    for module in MODULES:
        path = module.relative_to(PACKAGE).as_posix()
        if path.startswith("sources/") or path in allowed:
            continue
        assert texts_of(module).isdisjoint(names), name_of(module)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("drug_assets", "polars dagster click"),
        ("drug_assets.cli", "polars dagster rich drug_assets.contracts"),
        ("drug_assets.sources", "polars dataframely inspect"),
        ("drug_assets.storage.releases", "polars dataframely dagster"),
        ("drug_assets.document.questions", "polars dagster json"),
        ("drug_assets.periods", "polars dataframely"),
        ("drug_assets.answers.mentions", "dataframely drug_assets.contracts"),
        (
            "drug_assets.definitions",
            "google dagster_gcp drug_assets.storage.google.bucket pyspark",
        ),
        ("drug_assets.cli.in_process", "google dagster_gcp drug_assets.storage.google.bucket"),
    ],
)
def test_import_stays_light(module: str, absent: str) -> None:
    own = {name for name in absent.split() if name.startswith("drug_assets.")}
    assert own <= {name_of(path) for path in MODULES}
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
