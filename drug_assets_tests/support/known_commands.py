"""The commands of other programs that documents tell people to type, and the options they know.

`known_commands.json` beside the tests of documents keeps, for each program, the commands that
documents and GitHub's workflows use with all their options. What is missing is taken from the help
of the programs that are named; after an upgrade of one, remove its commands first:

    python -m drug_assets_tests.support.known_commands gcloud bq terraform

The entries of `gh` were read in its source (cli/cli, pkg/cmd), as it has no package to install.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from drug_assets_tests.support.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KNOWN = Path(__file__).parent.parent / "known_commands.json"
PROGRAMS = ("bq", "gcloud", "gh", "terraform")

_STARTS = re.compile(rf"(?:^|[\s(;&|])({'|'.join(PROGRAMS)}) (?=[a-z-])")
#: How a help writes an option, at the start of its line or in a synopsis.
_OPTION = re.compile(r"(?<![\w-])(--?)(\[no\])?([a-z][\w-]*)")
#: `terraform plan` lists the options of planning; these plan, too.
_PLANS = {"apply", "destroy"}


def typed(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each command of the programs in lines of shell: the program, and its words.

    A word is what the shell would pass, with its quotes taken off.
    """
    for line in lines:
        for found in _STARTS.finditer(line):
            yield found[1], _words(line[found.end() :])


def _words(rest: str) -> list[str]:
    """The words up to where a shell would end the command, or a substitution around it."""
    reader = shlex.shlex(rest, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    words: list[str] = []
    try:
        for word in reader:
            if set(word) <= set("();<>|&"):
                break
            words.append(word)
    except ValueError:
        # The quote that ends the string around a substitution.
        pass
    return words


def commands_of(workflow: Path) -> list[str]:
    """The lines of shell in a workflow of GitHub, without comments."""
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    steps = [step.get("run", "") for job in jobs for step in job["steps"]]
    lines = [line for step in steps for line in step.replace("\\\n", " ").splitlines()]
    return [re.sub(r"(^|\s)#\s.*", "", line) for line in lines]


def load() -> dict[str, Any]:
    """What is kept: program => its version, the options of all its commands, its commands."""
    known: dict[str, Any] = json.loads(KNOWN.read_text("utf-8"))
    return known


def wrong_use(program: str, words: list[str], known: dict[str, Any]) -> str | None:
    """What a program does not know of the words that follow its name."""
    commands = known[program]["commands"]
    path = [word for word in words if not word.startswith("-")]
    while path and " ".join(path) not in commands:
        path.pop()
    if not path:
        return f"{program} {' '.join(words[:4])}: not in {KNOWN.name}"
    options = set(commands[" ".join(path)]) | set(known[program]["everywhere"])
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    unknown = next((option for option in given if option not in options), None)
    return None if unknown is None else f"{program} {' '.join(path)} {unknown}: no such option"


def _help(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Bold and underlined letters.
    return re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)


def _options(text: str) -> list[str]:
    found = set()
    for dashes, negated, name in _OPTION.findall(text):
        found.add(f"{dashes}{name}")
        if negated:
            found.add(f"{dashes}no{name}")
    return sorted(found)


def _gcloud(path: list[str]) -> tuple[str, list[str]]:
    text = _help("gcloud", *path, "--help")
    named = re.search(r"^ +gcloud ((?:[a-z][\w-]* )+)-", text, re.MULTILINE)
    assert named is not None, path
    return named[1].strip(), _options(re.sub(r"(?ms)^EXAMPLES$.*?(?=^[A-Z])", "", text))


def _bq(path: list[str]) -> tuple[str, list[str]]:
    text = _help("bq", "help", path[0])
    return path[0], _options(text.partition("Flags for ")[2])


def _terraform(path: list[str]) -> tuple[str, list[str]]:
    text = "".join(
        _help("terraform", name, "-help") for name in [path[0], *(["plan"] * (path[0] in _PLANS))]
    )
    return path[0], _options("\n".join(re.findall(r"^  -.*", text, re.MULTILINE)))


_READERS = {"gcloud": _gcloud, "bq": _bq, "terraform": _terraform}


def derive(program: str, lines: Iterable[str], known: dict[str, list[str]]) -> dict[str, list[str]]:
    """The commands of a program in lines of shell that are not known: each with its options."""
    paths = {
        path
        for name, words in typed(lines)
        if name == program
        if (path := tuple(word for word in words if not word.startswith("-")))
        if not any(" ".join(path[:end]) in known for end in range(len(path) + 1))
    }
    # Commands have names in lower case; arguments begin with the first other word.
    named = {path[: next((i for i, w in enumerate(path) if not w.islower()), 9)] for path in paths}
    return dict(sorted(_READERS[program](list(path)) for path in named if path))


def main(programs: list[str]) -> None:
    """Keep what the programs say."""
    from drug_assets_tests.test_docs import DOCUMENTS, code

    known = load()
    lines = [line for document in DOCUMENTS for line in code(document)]
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        lines += commands_of(workflow)
    for program in programs:
        commands = known[program]["commands"]
        commands |= derive(program, lines, commands)
    KNOWN.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
