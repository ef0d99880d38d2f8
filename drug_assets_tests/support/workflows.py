"""Plays a workflow of Google Cloud as its file says it; Google has no emulator of Workflows.

What the project's own workflows use is known: assign, switch, for, try, raise, return, jumps, and
calls, which end the play. Anything else is an error of the test.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What jumps out of the steps of a loop.
_CONTINUE = "continue"


class WorkflowError(Exception):
    """What a workflow raised."""


@dataclass(frozen=True)
class Called:
    """The call that a workflow came to, with its arguments."""

    function: str
    args: dict[str, Any]


class _Map(dict[str, Any]):
    """A map whose values are also its members."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def play(workflow: Mapping[str, Any], event: Mapping[str, Any], **environment: str) -> Called:
    """Play a workflow to its first call.

    Args:
        workflow: the content of its file.
        event: its argument.
        environment: its environment variables.

    Raises:
        WorkflowError: it raised an error.
    """
    main = workflow["main"]
    (name,) = main["params"]
    ended = _Play({name: _as_maps(event)}, _functions(environment)).steps(main["steps"])
    assert isinstance(ended, Called), ended
    return ended


class _Play:
    """The variables of a workflow while it is played."""

    def __init__(self, variables: dict[str, Any], functions: dict[str, Any]) -> None:
        self._variables, self._functions = variables, functions

    def steps(self, steps: Sequence[Mapping[str, Any]]) -> Called | str | None:
        """The call that ended them, the step elsewhere that they jump to, or None at their end."""
        named = {name: body for step in steps for name, body in step.items()}
        names = list(named)
        place = 0
        while place < len(names):
            body = named[names[place]]
            target = self._step(body)
            if isinstance(target, Called):
                return target
            target = target or body.get("next")
            if target is None:
                place += 1
            elif target in named:
                place = names.index(target)
            else:
                return target
        return None

    def _step(self, body: Mapping[str, Any]) -> Called | str | None:
        kinds = {
            "assign": self._assign,
            "call": self._call,
            "for": self._for,
            "raise": self._raise,
            "switch": self._switch,
            "try": self._try,
        }
        (kind,) = set(body) - {"args", "except", "next", "result"}
        return kinds[kind](body)

    def _assign(self, body: Mapping[str, Any]) -> None:
        for assignment in body["assign"]:
            ((name, given),) = assignment.items()
            member = re.fullmatch(r"(\w+)\[(\w+)\]", name)
            if member:
                self._variables[member[1]][self._variables[member[2]]] = self._value(given)
            else:
                self._variables[name] = self._value(given)

    def _call(self, body: Mapping[str, Any]) -> Called:
        return Called(body["call"], self._value(body["args"]))

    def _for(self, body: Mapping[str, Any]) -> Called | str | None:
        for each in self._value(body["for"]["in"]):
            self._variables[body["for"]["value"]] = each
            ended = self.steps(body["for"]["steps"])
            if ended not in {None, _CONTINUE}:
                return ended
        return None

    def _raise(self, body: Mapping[str, Any]) -> None:
        raise WorkflowError(self._value(body["raise"]))

    def _switch(self, body: Mapping[str, Any]) -> str | None:
        for choice in body["switch"]:
            if self._value(choice["condition"]):
                target: str = choice["next"]
                return target
        return None

    def _try(self, body: Mapping[str, Any]) -> Called | str | None:
        try:
            return self.steps(body["try"]["steps"])
        except (LookupError, TypeError, ValueError, WorkflowError) as error:
            self._variables[body["except"]["as"]] = str(error)
            return self.steps(body["except"]["steps"])

    def _value(self, given: Any) -> Any:
        if isinstance(given, dict):
            return _Map({name: self._value(each) for name, each in given.items()})
        if isinstance(given, list):
            return [self._value(each) for each in given]
        expression = re.fullmatch(r"\$\{(.*)\}", given) if isinstance(given, str) else None
        if expression is None:
            return given
        # The operators are those of Python; the files are the project's own.
        return eval(expression[1], {"__builtins__": {}} | self._functions, self._variables)  # noqa: S307


def _as_maps(given: Any) -> Any:
    if isinstance(given, dict):
        return _Map({name: _as_maps(each) for name, each in given.items()})
    return [_as_maps(each) for each in given] if isinstance(given, list) else given


def _functions(environment: Mapping[str, str]) -> dict[str, Any]:
    """Functions of the standard library of Workflows, by name."""
    return {
        "base64": SimpleNamespace(decode=base64.b64decode),
        "default": lambda given, otherwise: otherwise if given is None else given,
        "int": int,
        "json": SimpleNamespace(decode=lambda data: _as_maps(json.loads(data))),
        "keys": list,
        "list": SimpleNamespace(concat=lambda given, more: [*given, more]),
        "map": SimpleNamespace(get=lambda given, name: given.get(name)),
        "string": lambda given: given if isinstance(given, str) else json.dumps(given),
        "sys": SimpleNamespace(get_env=lambda name: environment[name]),
        "text": SimpleNamespace(
            match_regex=lambda given, pattern: bool(re.search(pattern, given)),
            replace_all=lambda given, old, new: given.replace(old, new),
        ),
        "time": SimpleNamespace(parse=_parse_time),
    }


def _parse_time(given: str) -> float:
    """The seconds since 1970 of a moment in the form of RFC 3339."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})", given):
        raise ValueError(f"{given} is no time of RFC 3339")
    return dt.datetime.fromisoformat(given).timestamp()
