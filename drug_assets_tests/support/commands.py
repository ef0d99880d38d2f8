"""Commands of `drug-assets`: run in this process, or started as a shell does in the background."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from drug_assets.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def asked(*arguments: str | Path) -> Result:
    """What a command does; an exception that is no exit is the test's failure."""
    result = CliRunner().invoke(main, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def in_background(*command: str | Path) -> list[str]:
    """A command that is started with SIGINT ignored, as a script's shell does with `command &`."""
    return ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *map(str, command)]


def told(*arguments: str | Path) -> list[str]:
    """The lines that a command prints; it must succeed."""
    result = asked(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def as_object(*arguments: str | Path) -> Any:
    """What a command prints as JSON; it must succeed."""
    return json.loads("\n".join(told(*arguments, "--json")))
