"""Docstrings explain each of three or more arguments, exceptions, and the columns of frames."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = runs.REPOSITORY / "drug_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: With this many arguments or more, each is explained.
MANY = 3
#: Words of a docstring that lists the columns of a frame, or refers to the list.
COLUMNS = re.compile(r"\b(?:columns?|rows?|table|records?)\b|contracts\.|`raw_")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(module: Path) -> Iterator[tuple[str, Function]]:
    """Functions and methods that other modules may call, by name; not those that override."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def _is_declared_to_dagster(function: Function) -> bool:
    """Whether it is an asset, a check, a sensor or a command, which no other code calls."""
    return bool(function.decorator_list) and not any(
        re.search(r"cache|property|classmethod|staticmethod|contextmanager|abstract|rule", d)
        for d in map(ast.unparse, function.decorator_list)
    )


FUNCTIONS = [
    pytest.param(function, id=f"{module.relative_to(PACKAGE)}:{name}")
    for module in MODULES
    for name, function in public_functions(module)
    if not _is_declared_to_dagster(function)
]


def arguments(function: Function) -> list[ast.arg]:
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return [argument for argument in named if argument.arg not in {"self", "cls"}]


def docstring(function: Function) -> str:
    return ast.get_docstring(function) or ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_of_many_arguments_is_explained(function: Function) -> None:
    names = [argument.arg for argument in arguments(function)]
    text = docstring(function)
    if len(names) < MANY or re.search(r"\bsee `", text):
        return
    assert [n for n in names if not re.search(rf"^    \*?{n}: ", text, re.MULTILINE)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_raises_itself_is_told(function: Function) -> None:
    raised = {
        node.exc.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }
    told = docstring(function)
    # Exceptions of a module, such as `dg.Failure`, are not checked: Dagster shows them.
    assert [name for name in sorted(raised) if name[0].isupper() and f"{name}:" not in told] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_frames_say_their_columns(function: Function) -> None:
    frames = [
        argument.arg
        for argument in arguments(function)
        if argument.annotation is not None
        and re.search(r"LazyFrame|DataFrame", ast.unparse(argument.annotation))
    ]
    if frames:
        assert COLUMNS.search(docstring(function)), frames


def test_every_module_says_what_it_holds() -> None:
    silent = [m.name for m in MODULES if not ast.get_docstring(ast.parse(m.read_text("utf-8")))]
    assert silent == []
