"""The version of the code that makes a table, computed from that code: never raised by hand.

A version covers the modules that a table's recipe can reach, their data files, the libraries that
they import, and the arguments of the recipe. A changed rule therefore remakes its tables; a changed
comment or docstring does not. Assets, parts and releases use these versions.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from drug_assets import syntax

if TYPE_CHECKING:
    from collections.abc import Callable

_PACKAGE = __name__.partition(".")[0]
_FOLDER = Path(__file__).parent
#: Rooms that decide where, when and for whom a table is made, but not its content. They do not
#: count. A test compares them with the layers that `pyproject.toml` declares.
OUTER_ROOMS = frozenset(
    {
        *("cli", "definitions", "defs", "engines", "fetch", "logs", "notify", "progress"),
        *("serving", "settings", "storage", "warehouse_sql"),
    }
)
_DATA_SUFFIXES = (".csv",)
_VERSION_CHARACTERS = 16


def compute_version(*made_by: Callable[..., object] | ModuleType, given: object = ()) -> str:
    """Compute the version of the results of functions or modules of this package.

    Args:
        made_by: the functions or modules. All code that their modules can reach in the package's
            inner rooms counts.
        given: any other value that decides the result. Its `repr` counts, so it must not contain
            memory addresses.
    """
    arguments, modules = zip(*map(_arguments_and_modules, made_by), strict=True)
    code, libraries = _collect_reachable(frozenset().union(*modules))
    return _digest(*code, *libraries, *arguments, repr(given))


def compute_rules_version(*digests: str, **choices: object) -> str:
    """Compute the version of all rules: the same landing zone and rules give the same outputs.

    The checks are rules, too: what passed fewer of them is released again.

    Args:
        digests: digests of what users choose by its content: the stop list (names that are not
            searched for), the trees of MeSH that are read.
        choices: settings that the outputs depend on (`settings.Settings.choices`).
    """
    # The modules are only parsed, not imported: importing them would load Dagster.
    modules = {f"{_PACKAGE}.defs.{module}" for module in ("assets", "checks")}
    code, libraries = _collect_reachable(frozenset(modules))
    return _digest(*code, *libraries, *digests, repr(sorted(choices.items())))


def list_libraries() -> list[str]:
    """The names of the libraries whose versions results depend on, those that are installed."""
    files = (path.relative_to(_FOLDER.parent) for path in _FOLDER.rglob("*.py"))
    modules = {".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}
    inner = frozenset(module for module in modules if _room(module) not in OUTER_ROOMS)
    _, libraries = _collect_reachable(inner)
    return sorted(name for name, _ in map(str.split, libraries) if name != "python")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_VERSION_CHARACTERS]


def _arguments_and_modules(made_by: Callable[..., object] | ModuleType) -> tuple[str, set[str]]:
    """The arguments that are bound to a function, and the modules that define it."""
    bound = []
    while isinstance(made_by, partial):
        bound += [repr(made_by.args), repr(sorted(made_by.keywords.items()))]
        made_by = made_by.func
    if isinstance(made_by, ModuleType):
        return "", {made_by.__name__}
    modules = {made_by.__module__}
    owner = getattr(made_by, "__self__", None)
    if owner is not None:
        # The result of a method can depend on every class that its object inherits from.
        classes = (owner if isinstance(owner, type) else type(owner)).__mro__
        modules |= {each.__module__ for each in classes}
    return " ".join(bound), {module for module in modules if module.startswith(f"{_PACKAGE}.")}


@cache
def _collect_reachable(modules: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The modules that these can reach, each with its digest; and the libraries, with versions."""
    digests: dict[str, str] = {}
    libraries: set[str] = set()
    pending = set(modules)
    while pending:
        module = pending.pop()
        digests[module], ours, others = _read(module)
        libraries |= others
        pending |= ours - digests.keys()
    syntax.keep()
    code = tuple(f"{module} {digest}" for module, digest in sorted(digests.items()))
    return code, tuple(sorted({known for name in libraries if (known := _library(name))}))


def _room(name: str) -> str:
    """The first folder or module below the package in a dotted name."""
    return name.partition(".")[2].partition(".")[0]


def _find_module(name: str) -> str | None:
    """The module that a dotted name refers to, or that defines it."""
    while name != _PACKAGE:
        if _path(name):
            return name
        name = name.rpartition(".")[0]
    return None


@cache
def _path(module: str) -> Path | None:
    below = _FOLDER.joinpath(*module.split(".")[1:])
    found = (path for path in (below.with_suffix(".py"), below / "__init__.py") if path.is_file())
    return next(found, None)


@cache
def _read(module: str) -> tuple[str, frozenset[str], frozenset[str]]:
    """A digest of a module's syntax and data file; the modules and libraries that it imports."""
    path = _path(module)
    if path is None:
        raise ValueError(f"{module} is no module of {_PACKAGE}")
    said = syntax.read_syntax(module, path.read_bytes())
    imported = {*said.imports}
    if path.name == "__init__.py" and "import_module" in {n.rpartition(".")[2] for n in imported}:
        # A package that calls `import_module` can import every module in it.
        imported |= {f"{module}.{sibling.stem}" for sibling in path.parent.glob("*.py")}
    digest = hashlib.sha256(said.digest.encode())
    # A data file belongs to the module of the same name, and so do the files of such a folder.
    data = [path.with_suffix(suffix) for suffix in _DATA_SUFFIXES]
    if path.name != "__init__.py":
        data += sorted(path.with_suffix("").glob("*"))
    for file in data:
        if file.is_file():
            digest.update(file.read_bytes())
    ours = {name for name in imported if name.partition(".")[0] == _PACKAGE}
    found = {_find_module(name) for name in ours if _room(name) not in OUTER_ROOMS}
    libraries = frozenset(name.partition(".")[0] for name in imported - ours)
    return digest.hexdigest(), frozenset(filter(None, found)), libraries


@cache
def _library(name: str) -> str | None:
    """A library with its version; the standard library counts as this version of Python."""
    if name in sys.stdlib_module_names:
        return "python {}.{}".format(*sys.version_info)
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return None
