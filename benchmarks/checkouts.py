"""Two checkouts of this repository, each with an environment of its own; measuring is elsewhere.

The base is a commit in a temporary Git worktree. The head is a copy of the current working tree,
which can therefore be edited while the copy is measured. Both are below one folder and are
installed in the same way. Environments are kept for the next time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import print_status

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The files that decide the contents of an environment.
_SPECIFICATIONS = ("pyproject.toml", "constraints.txt")
#: Prefixes of the caller's variables that would change the measured commands.
_CHOICES = ("DRUG_ASSETS_", "NCBI_", "DAGSTER_", "PYTHON", "CLOUD_RUN_JOB", "K_SERVICE")


#: What measuring itself writes is no change of what is measured.
_MEASURED = ("benchmarks/RESULTS.md", "benchmarks/results")
#: How the label of a working tree ends that differs from its commit.
CHANGED = ", with changes that are not committed"
#: Names of the sides of a comparison.
BASE, HEAD = "base", "head"


class CheckoutError(Exception):
    """A checkout or its environment cannot be made, or is not the right one."""


@dataclass(frozen=True)
class Checkout:
    """Code, and the interpreter whose `drug-assets` runs it."""

    #: The commit, for people.
    label: str
    tree: Path
    python: Path

    def command(self, *arguments: str) -> list[str]:
        """A command of the environment's `drug-assets`; run it with `environment`."""
        return [str(self.python.with_name("drug-assets")), *arguments]

    def environment(self, **variables: str) -> dict[str, str | None]:
        """Variables that run this code, whatever the caller's own are; None removes one."""
        chosen: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith(_CHOICES)
        }
        return chosen | {
            # An interpreter that the caller chose may have another checkout's code installed.
            "PYTHONPATH": str(self.tree),
            # Dagster then keeps runs in memory: a growing history would slow each run.
            "DAGSTER_HOME": "",
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            **variables,
        }


def here(repository: Path) -> Checkout:
    """The working tree itself, run by this interpreter."""
    return Checkout(label_of(repository), repository, Path(sys.executable))


def label_of(repository: Path) -> str:
    """The commit of a working tree, and whether there are changes, for people."""
    label = _label(repository, "HEAD")
    others = [f":!{path}" for path in _MEASURED]
    if _git(repository, "status", "--porcelain", "--", ".", *others):
        label += CHANGED
    return label


@contextmanager
def both(
    repository: Path,
    base: str,
    folder: Path,
    *,
    base_python: Path | None = None,
    head_python: Path | None = None,
) -> Iterator[tuple[Checkout, Checkout]]:
    """Make the checkouts of base and head, and remove the base's afterwards.

    Args:
        repository: the working tree, which is the head.
        base: a commit, in any form that Git accepts.
        folder: folder of checkouts and environments; Git should ignore it. Only one comparison at
            a time can use it.
        base_python: an interpreter with this project's dependencies and its `drug-assets` beside
            it, used instead of an environment for the base.
        head_python: the same for the head.

    Raises:
        CheckoutError: there is no such commit, an environment cannot be made, another comparison is
            running, or an interpreter runs other code than its checkout's.
    """
    commit = _git(repository, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if commit is None:
        raise CheckoutError(f"{base!r} is no commit of {repository}")
    folder = folder.resolve()
    with _locked(folder), _worktree(repository, commit, folder / commit[:12] / "tree") as tree:
        copy = _copied(repository, folder / "head" / "tree")
        checkouts = (
            Checkout(
                _label(repository, commit),
                tree,
                _absolute(base_python) or made_environment(tree, tree.with_name("environment")),
            ),
            Checkout(
                label_of(repository),
                copy,
                _absolute(head_python) or made_environment(copy, copy.with_name("environment")),
            ),
        )
        for checkout in checkouts:
            _require_own_code(checkout)
        yield checkouts


def _absolute(python: Path | None) -> Path | None:
    """The absolute path; links are not followed, because an environment's interpreter is one."""
    return python and python.absolute()


def made_environment(tree: Path, folder: Path) -> Path:
    """Make the environment of a checkout if necessary, and return its interpreter.

    It is kept until the specifications, the interpreter or the path of the checkout change.

    Args:
        tree: the checkout; it is installed in editable mode.
        folder: folder of the environment.

    Raises:
        CheckoutError: the checkout cannot be installed.
    """
    python, ready = folder / "bin" / "python", folder / "made_of"
    made_of = _made_of(tree)
    if ready.exists() and ready.read_text(encoding="utf-8") == made_of:
        return python
    print_status(f"environment of {tree}")
    shutil.rmtree(folder, ignore_errors=True)
    constraints = tree / "constraints.txt"
    pinned = ["--constraint", str(constraints)] if constraints.exists() else []
    install = [str(python), "-m", "pip", "install", "--quiet", "--quiet", *pinned]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [*install, "--editable", str(tree)],
    ):
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CheckoutError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    ready.write_text(made_of, encoding="utf-8")
    return python


def _made_of(tree: Path) -> str:
    parts = [sys.version, str(tree)]
    for name in _SPECIFICATIONS:
        path = tree / name
        parts.append(hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none")
    return "\n".join(parts)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CheckoutError(f"another comparison uses {folder}") from error
        yield


@contextmanager
def _worktree(repository: Path, commit: str, tree: Path) -> Iterator[Path]:
    # A killed comparison may have left its worktree behind.
    shutil.rmtree(tree, ignore_errors=True)
    tree.parent.mkdir(exist_ok=True)
    command = ("worktree", "add", "--quiet", "--force", "--detach", str(tree), commit)
    if _git(repository, *command) is None:
        raise CheckoutError(f"git {' '.join(command)} failed")
    try:
        yield tree
    finally:
        _git(repository, "worktree", "remove", "--force", str(tree))


def _copied(repository: Path, tree: Path) -> Path:
    """Copy a working tree as Git sees it: without ignored and without deleted files."""
    listed = _git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is None:
        raise CheckoutError(f"{repository} is no working tree of Git")
    shutil.rmtree(tree, ignore_errors=True)
    for name in filter(None, listed.split("\0")):
        source, copy = repository / name, tree / name
        if source.is_file() or source.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    return tree


def _label(repository: Path, commit: str) -> str:
    return _git(repository, "log", "-1", "--format=`%h` %s", commit) or commit


def _git(repository: Path, *arguments: str) -> str | None:
    """The output of a Git command; None if it fails, and then Git has printed the reason."""
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else done.stdout.strip()


def _require_own_code(checkout: Checkout) -> None:
    if not Path(checkout.command()[0]).exists():
        raise CheckoutError(f"there is no drug-assets beside {checkout.python}")
    variables = {name: value for name, value in checkout.environment().items() if value is not None}
    imported = subprocess.run(
        [str(checkout.python), "-c", "import drug_assets; print(drug_assets.__file__)"],
        cwd=checkout.tree.parent,  # a folder without a package that Python would find first
        env={"PATH": os.environ.get("PATH", ""), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if not imported.stdout.startswith(f"{checkout.tree}{os.sep}"):
        found = imported.stdout.strip() or imported.stderr[-2000:]
        raise CheckoutError(f"{checkout.python} runs {found} instead of {checkout.tree}")
