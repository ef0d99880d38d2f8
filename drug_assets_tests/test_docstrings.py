"""Docstrings explain each of three or more arguments, exceptions, and the columns of frames."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.modules import MODULES, PACKAGE, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: With this many arguments or more, each is explained.
MANY = 3
#: Words of a docstring that lists the columns of a frame, or refers to the list.
COLUMNS = re.compile(r"\b(?:columns?|rows?|table|records?)\b|contracts\.|`raw_")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(module: ast.Module) -> Iterator[tuple[str, Function]]:
    """The public functions and methods of a module, by name."""
    for node in module.body:
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


@cache
def functions() -> dict[str, Function]:
    """By module and name. One test checks them all: a test for each would take much longer."""
    return {
        f"{module.relative_to(PACKAGE).as_posix()}:{name}": function
        for module in MODULES
        for name, function in public_functions(tree_of(module))
        if not _is_declared_to_dagster(function)
    }


def arguments(function: Function) -> list[ast.arg]:
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return [argument for argument in named if argument.arg not in {"self", "cls"}]


def docstring(function: Function) -> str:
    return ast.get_docstring(function) or ""


def found(look: Callable[[Function], list[str]]) -> dict[str, list[str]]:
    """What is found in functions, by their names, without those in which nothing is."""
    assert "audit.py:nothing_lost" in functions()
    return {name: names for name, function in functions().items() if (names := look(function))}


def unexplained_arguments(function: Function) -> list[str]:
    names = [argument.arg for argument in arguments(function)]
    text = docstring(function)
    if len(names) < MANY or re.search(r"\bsee `", text):
        return []
    return [n for n in names if not re.search(rf"^    \*?{n}: ", text, re.MULTILINE)]


def untold_exceptions(function: Function) -> list[str]:
    raised = {
        node.exc.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }
    told = docstring(function)
    # Exceptions of a module, such as `dg.Failure`, are not checked: Dagster shows them.
    return [name for name in sorted(raised) if name[0].isupper() and f"{name}:" not in told]


def frames_without_columns(function: Function) -> list[str]:
    frames = [
        argument.arg
        for argument in arguments(function)
        if argument.annotation is not None
        and re.search(r"LazyFrame|DataFrame", ast.unparse(argument.annotation))
    ]
    return [] if COLUMNS.search(docstring(function)) else frames


def test_each_of_many_arguments_is_explained() -> None:
    assert found(unexplained_arguments) == {}


def test_what_a_function_raises_itself_is_told() -> None:
    assert found(untold_exceptions) == {}


def test_frames_say_their_columns() -> None:
    assert found(frames_without_columns) == {}


@pytest.mark.parametrize(
    ("look", "head", "told", "body", "names"),
    [
        (unexplained_arguments, "a, b, c", "Args:\n        a: y", "...", ["b", "c"]),
        (unexplained_arguments, "a, b", "x", "...", []),
        (unexplained_arguments, "a, b, c", "x; see `g`", "...", []),
        (untold_exceptions, "", "x", "raise ValueError(1)", ["ValueError"]),
        (untold_exceptions, "", "ValueError: x", "raise ValueError(1)", []),
        (frames_without_columns, "a: pl.LazyFrame", "x", "...", ["a"]),
        (frames_without_columns, "a: pl.LazyFrame", "column y", "...", []),
    ],
)
def test_what_is_missing_is_found(
    look: Callable[[Function], list[str]], head: str, told: str, body: str, names: list[str]
) -> None:
    text = f'def f({head}):\n    """X.\n\n    {told}\n    """\n    {body}\n'
    (function,) = ast.parse(text).body
    assert isinstance(function, Function)
    assert look(function) == names


def test_every_module_says_what_it_holds() -> None:
    assert [module for module in MODULES if not ast.get_docstring(tree_of(module))] == []
