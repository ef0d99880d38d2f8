"""Versions: what changes them, and what does not."""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import syntax, versions
from drug_assets.cleaning import drugs, text
from drug_assets.mentions import Vocabulary
from drug_assets.sources import PublicationSource
from drug_assets.versions import compute_rules_version, compute_version
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: A package as small as one can be: what `recipe` reaches.
PACKAGE: Mapping[str, str] = {
    "recipe.py": '"""A recipe."""\n\nimport json\n\nfrom drug_assets.tools import sharpen\n',
    "tools.py": "from drug_assets.shed import saw\n\n\ndef sharpen() -> int:\n    return 1\n",
    "shed/__init__.py": "saw = 1\n",
    "shed/nails.py": "nails = 1\n",
    "apart.py": "apart = 1\n",
    "cli/__init__.py": "told = 1\n",
    "defs/checks.py": "ALL = True\n",
    "defs/assets.py": "from drug_assets import recipe\n",
}


def forget() -> None:
    """Let this process read modules and libraries again."""
    for cached in (
        *(versions._collect_reachable, versions._path, versions._read, versions._library),
        syntax._Kept.of,
    ):
        cached.cache_clear()


class Package:
    """A package whose files are in a folder, in place of this one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.write(PACKAGE)

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def version(self, module: str = "recipe") -> str:
        forget()
        return compute_version(ModuleType(f"drug_assets.{module}"))

    def after(self, files: Mapping[str, str]) -> str:
        self.write(files)
        return self.version()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        elsewhere.setattr(versions, "_FOLDER", tmp_path / "package")
        package = Package(tmp_path / "package")
        yield package
    forget()


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in PACKAGE[name]
    return {name: PACKAGE[name].replace(old, new)}


@pytest.mark.parametrize(
    "change",
    [
        changed("recipe.py", '"""A recipe."""', "x = 1"),
        changed("tools.py", "return 1", "return 2"),
        changed("tools.py", "return 1", "return 1.0"),
        changed("tools.py", "return 1", "return (1,)"),
        changed("tools.py", "def sharpen()", "def sharpen(x: int = 1)"),
        changed("shed/__init__.py", "saw = 1", "saw = 2"),
        {"recipe.csv": "a data file of the same name"},
        {"tools.csv": "1"},
        {"tools/hammer.js": "a file of a folder of the same name"},
    ],
    ids=[
        "its own",
        "what it calls",
        "a number of another type",
        "a tuple",
        "a signature",
        "further away",
        "its data",
        "data further away",
        "a folder of data",
    ],
)
def test_whatever_a_recipe_reaches_changes_its_version(
    package: Package, change: dict[str, str]
) -> None:
    before = package.version()
    assert package.after(change) != before


@pytest.mark.parametrize(
    "change",
    [
        changed("recipe.py", "A recipe.", "Some recipe."),
        changed("recipe.py", "import json", "import json  # to write it down"),
        changed("tools.py", "    return 1", '    """Sharpen it."""\n    return 1'),
        changed("tools.py", "\n\n\n", "\n\n\n\n"),
        changed("apart.py", "1", "2"),
        changed("shed/nails.py", "1", "2"),
        changed("cli/__init__.py", "1", "2"),
        changed("defs/assets.py", "recipe", "apart"),
        {"other.csv": "a data file of no module"},
        {"recipe.txt": "no data"},
    ],
    ids=[
        "a docstring", "a comment", "a docstring of a function", "blank lines", "another module",
        "another module of a package", "an outer room", "what asks for it", "another data file",
        "notes",
    ],
)  # fmt: skip
def test_whatever_decides_no_result_leaves_the_version(
    package: Package, change: dict[str, str]
) -> None:
    before = package.version()
    assert package.after(change) == before


def test_every_data_file_of_the_package_is_that_of_a_module() -> None:
    # Another one would change outputs, and no version would tell.
    package = Path(versions.__file__).parent
    data = [path for suffix in versions._DATA_SUFFIXES for path in package.rglob(f"*{suffix}")]
    owned = {path: path.with_suffix(".py") for path in data}
    assert len(owned) >= 3
    assert [path.name for path, module in owned.items() if not module.is_file()] == []
    unread = [
        path.name
        for path, module in owned.items()
        if "with_suffix" not in module.read_text("utf-8")
    ]
    assert unread == []


IMPORTS = {
    "a module": "import drug_assets.apart\n",
    "a module by another name": "import json, drug_assets.apart as beside\n",
    "what is in a module": "from drug_assets.apart import apart\n",
    "all that is in a module": "from drug_assets.apart import *\n",
    "at the top": "from drug_assets import apart\n",
    "in a function": "def f() -> None:\n    from drug_assets import apart\n",
    "in a branch": "if 1:\n    pass\nelse:\n    from drug_assets import apart\n",
    "where it may fail": "try:\n    pass\nexcept ValueError:\n    from drug_assets import apart\n",
    "at last": "try:\n    pass\nfinally:\n    from drug_assets import apart\n",
    "in a case": "match 1:\n    case 1:\n        from drug_assets import apart\n",
    "in a method": "class C:\n    def m(self) -> None:\n        from drug_assets import apart\n",
    "for whoever runs it": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n"
        "    from drug_assets import apart\n"
    ),
}


@pytest.mark.parametrize("where", IMPORTS)
def test_imports_are_found_wherever_they_stand(package: Package, where: str) -> None:
    before = package.after({"recipe.py": IMPORTS[where]})
    assert package.after(changed("apart.py", "1", "2")) != before


@pytest.mark.parametrize(
    ("imports", "reached"),
    [
        ("import polars\n", True),
        ("import polars.exceptions as odd\n", True),
        ("from polars.exceptions import ComputeError\n", True),
        ("def f() -> None:\n    from polars import col\n", True),
        ("from drug_assets import apart\n", True),
        ("import dagster\n", False),
        ("import json\n", False),
    ],
)
def test_another_version_of_a_library_that_is_reached_is_another_version(
    package: Package, monkeypatch: pytest.MonkeyPatch, imports: str, *, reached: bool
) -> None:
    files = {"recipe.py": imports, "apart.py": "from polars import lit\n"}
    before = package.after(files)
    monkeypatch.setattr(
        versions, "version", lambda name: "99.0" if name == "polars" else installed_version(name)
    )
    assert (package.version() != before) == reached


def test_another_python_is_another_version(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = package.version()
    monkeypatch.setattr(sys, "version_info", (3, 99))
    assert package.version() != before


def test_what_a_type_checker_alone_imports_is_not_reached(package: Package) -> None:
    checked = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from drug_assets import apart\n"
    )
    before = package.after({"recipe.py": checked})
    assert package.after(changed("apart.py", "1", "2")) == before


@pytest.mark.parametrize("room", sorted(versions.OUTER_ROOMS))
def test_outer_rooms_are_not_entered(package: Package, room: str) -> None:
    package.write({f"{room}/__init__.py": "x = 1\n", f"{room}/inside.py": "x = 1\n"})
    imports = f"from drug_assets import {room}\nfrom drug_assets.{room} import inside\n"
    before = package.after({"recipe.py": imports})
    outer = {f"{room}/__init__.py": "x = 2\n", f"{room}/inside.py": "x = 2\n"}
    assert package.after(outer) == before


def test_a_package_that_imports_by_name_reaches_all_of_its_modules(package: Package) -> None:
    by_name = "from importlib import import_module\n"
    before = package.after({"shed/__init__.py": by_name})
    assert package.after(changed("shed/nails.py", "1", "2")) != before
    # A module that does so reaches none of its neighbours.
    before = package.after({"shed/__init__.py": "", "recipe.py": by_name})
    assert package.after(changed("apart.py", "1", "2")) == before


def test_modules_that_import_each_other_have_a_version(package: Package) -> None:
    circle = {
        "apart.py": "from drug_assets import recipe\n",
        "recipe.py": "import drug_assets.apart\n",
    }
    assert len(package.after(circle)) == 16


def test_a_module_that_is_none_is_refused(package: Package) -> None:
    with pytest.raises(ValueError, match=r"drug_assets\.nothing is no module of drug_assets"):
        package.version("nothing")


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("json", "python {}.{}".format(*sys.version_info)),
        ("polars", f"polars {pl.__version__}"),
        ("no_such_library", None),
    ],
)
def test_a_library_is_told_with_its_version(library: str, told: str | None) -> None:
    assert versions._library(library) == told


def test_rules_follow_from_the_code_and_the_choices(package: Package) -> None:
    def rules(
        stop_list: str, files: Mapping[str, str], trees: str = "D02", **choices: object
    ) -> str:
        package.after(files)
        return compute_rules_version(stop_list, trees, **{"a": 1, "b": 2, **choices})

    before = rules("list", {})
    assert rules("list", {}) == before
    assert rules("other list", {}) != before
    assert rules("list", {}, "D03") != before
    assert rules("list", {}, a=2) != before
    assert rules("list", {}, a="1") != before
    assert rules("list", {}, b=2, a=1) == before
    assert rules("list", changed("tools.py", "return 1", "return 2")) != before
    assert rules("list", PACKAGE) == before
    # What the assets themselves say decides, too.
    assert rules("list", changed("defs/assets.py", "recipe", "recipe, tools")) != before


# What is bound to a function


def bound(*arguments: object, **keywords: object) -> Callable[..., object]:
    function: Callable[..., object] = text.fold_text
    return partial(function, *arguments, **keywords)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (bound(), bound(1)),
        (bound(1), bound(2)),
        (bound(1, 2), bound(2, 1)),
        (bound(a=1), bound(a=2)),
        (bound(a=1), bound(b=1)),
        (bound(1), bound(a=1)),
        (partial(bound(1), 2), partial(bound(1), 3)),
        (partial(bound(1), 3), partial(bound(2), 3)),
        (text.fold_text, drugs.clean_drugs),
    ],
)
def test_other_arguments_or_another_function_are_another_version(
    one: Callable[..., object], other: Callable[..., object]
) -> None:
    assert compute_version(one) == compute_version(one)
    assert compute_version(one) != compute_version(other)


def test_keywords_count_in_no_order() -> None:
    assert compute_version(bound(a=1, b=2)) == compute_version(bound(b=2, a=1))


def test_a_module_stands_for_its_functions() -> None:
    assert compute_version(text) == compute_version(text.fold_text)


def test_whatever_else_is_given_counts() -> None:
    plain = compute_version(text)
    assert compute_version(text, given=()) == plain
    assert len({plain, compute_version(text, given=1), compute_version(text, given="1")}) == 3


def test_several_functions_are_one_version_of_all_of_them() -> None:
    both = compute_version(text.fold_text, drugs.clean_drugs)
    assert both not in {compute_version(text.fold_text), compute_version(bound(1), bound(2))}


def test_a_method_depends_on_every_class_of_its_object() -> None:
    """Sources inherit what cleans their records."""
    for source in (PUBMED, CLINICAL_TRIALS):
        _, modules = versions._arguments_and_modules(source.clean_records)
        classes = {each.__module__ for each in type(source).__mro__}
        assert modules == {module for module in classes if module.startswith("drug_assets.")}
        assert {type(source).__module__, PublicationSource.__module__} <= modules
    # Sources of publications refer to each other, so each depends on how the other reads its ids.
    assert compute_version(PUBMED.clean_records) != compute_version(DRUGS.clean_records)


def test_a_class_method_depends_on_its_class() -> None:
    class Inheriting(Vocabulary):
        """A class of another module."""

    _, modules = versions._arguments_and_modules(Inheriting.of)
    assert modules == {Vocabulary.__module__}
