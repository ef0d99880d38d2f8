"""Which code a comparison runs: a commit, the working tree as it stands, environments of each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import checkouts
from benchmarks.checkouts import CheckoutError, both
from drug_assets_tests.support import repositories

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.processes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return repositories.repository(
        tmp_path / "repository",
        {
            "drug_assets/__init__.py": "VERSION = 'committed'\n",
            "pyproject.toml": "",
            "constraints.txt": "one==1\n",
            "gone.txt": "",
            ".gitignore": "output/\n",
        },
    )


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return repositories.lent_python(tmp_path / "lent", "raise SystemExit('is not run')")


def code_of(checkout: checkouts.Checkout) -> str:
    return (checkout.tree / "drug_assets" / "__init__.py").read_text(encoding="utf-8")


def test_the_base_is_the_commit_and_the_head_is_the_working_tree_as_it_stands(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    (repository / "drug_assets" / "__init__.py").write_text("VERSION = 'edited'\n")
    (repository / "drug_assets" / "new.py").write_text("")
    (repository / "gone.txt").unlink()
    (repository / "output").mkdir()
    (repository / "output" / "ignored.txt").write_text("")

    compared = tmp_path / "compared"
    with both(repository, "HEAD", compared, base_python=python, head_python=python) as sides:
        base, head = sides
        assert code_of(base) == "VERSION = 'committed'\n"
        assert code_of(head) == "VERSION = 'edited'\n"
        assert (base.tree / "gone.txt").exists()
        assert not (head.tree / "gone.txt").exists()
        assert (head.tree / "drug_assets" / "new.py").exists()
        assert not (head.tree / "output").exists()
        assert base.label.endswith(" The first commit")
        assert head.label == f"{base.label}, with changes that are not committed"
        # What is edited from now on changes nothing.
        (repository / "drug_assets" / "__init__.py").write_text("VERSION = 'too late'\n")
        assert code_of(head) == "VERSION = 'edited'\n"

    assert repositories.git(repository, "worktree", "list").count("\n") == 1
    assert not base.tree.exists()


def test_a_worktree_that_was_left_behind_is_made_anew(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    compared = tmp_path / "compared"
    with both(repository, "HEAD", compared, base_python=python, head_python=python) as (base, _):
        pass
    repositories.git(repository, "worktree", "add", "--detach", str(base.tree), "HEAD")
    (base.tree / "drug_assets" / "__init__.py").write_text("VERSION = 'stale'\n")
    with both(repository, "HEAD", compared, base_python=python, head_python=python) as (base, _):
        assert code_of(base) == "VERSION = 'committed'\n"


@pytest.mark.parametrize("base", ["nothing-of-that-name", "--all", ""])
def test_what_is_no_commit_is_refused(
    repository: Path, python: Path, tmp_path: Path, base: str
) -> None:
    with (
        pytest.raises(CheckoutError, match="is no commit"),
        both(repository, base, tmp_path / "compared", base_python=python, head_python=python),
    ):
        pass


def test_one_comparison_at_a_time(repository: Path, python: Path, tmp_path: Path) -> None:
    lent: dict[str, Any] = {"base_python": python, "head_python": python}
    with (
        both(repository, "HEAD", tmp_path / "compared", **lent),
        pytest.raises(CheckoutError, match="another comparison uses"),
        both(repository, "HEAD", tmp_path / "compared", **lent),
    ):
        pass


def test_an_interpreter_without_the_command_line_is_refused(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    python.with_name("drug-assets").unlink()
    with (
        pytest.raises(CheckoutError, match="no drug-assets beside"),
        both(repository, "HEAD", tmp_path / "compared", base_python=python, head_python=python),
    ):
        pass


def test_code_that_is_not_the_checkouts_is_refused(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    repositories.git(repository, "mv", "drug_assets", "renamed")
    with (
        pytest.raises(CheckoutError, match=r"runs .* instead of .*head"),
        both(repository, "HEAD", tmp_path / "compared", base_python=python, head_python=python),
    ):
        pass


def test_what_the_caller_chose_does_not_reach_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DRUG_ASSETS_STOP_LIST", "DAGSTER_HOME", "PYTHONPATH", "NCBI_API_KEY"):
        monkeypatch.setenv(name, "chosen")
    checkout = checkouts.Checkout("label", tmp_path, Path(sys.executable))
    variables = checkout.environment(DRUG_ASSETS_STORE="store")
    assert variables["DRUG_ASSETS_STOP_LIST"] is variables["NCBI_API_KEY"] is None
    assert variables["PYTHONPATH"] == str(tmp_path)
    assert variables["DAGSTER_HOME"] == ""
    assert variables["DRUG_ASSETS_STORE"] == "store"


def installing(monkeypatch: pytest.MonkeyPatch, exit_code: int = 0) -> list[list[str]]:
    """Commands that would install, as they come; each ends with that exit code."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
        return subprocess.CompletedProcess(command, exit_code, "", "no such package")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_an_environment_is_made_of_its_checkout(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = installing(monkeypatch)
    folder = tmp_path / "environment"
    python = checkouts.made_environment(repository, folder)
    assert python == folder / "bin" / "python"
    venv, install = commands
    assert venv == [sys.executable, "-m", "venv", str(folder)]
    assert install[0] == str(python)
    assert install[-4:] == [
        *("--constraint", str(repository / "constraints.txt")),
        *("--editable", str(repository)),
    ]


def _pinned_otherwise(repository: Path) -> None:
    (repository / "constraints.txt").write_text("one==2\n")


def _specified_otherwise(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[project]\n")


def _coded_otherwise(repository: Path) -> None:
    (repository / "drug_assets" / "__init__.py").write_text("VERSION = 'edited'\n")


@pytest.mark.parametrize(
    ("change", "commands_more"),
    [(_coded_otherwise, 0), (_pinned_otherwise, 2), (_specified_otherwise, 2)],
)
def test_it_is_kept_until_what_it_is_made_of_changes(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    commands_more: int,
) -> None:
    commands = installing(monkeypatch)
    checkouts.made_environment(repository, tmp_path / "environment")
    change(repository)
    checkouts.made_environment(repository, tmp_path / "environment")
    assert len(commands) == 2 + commands_more


def test_one_that_cannot_be_installed_is_told_and_tried_again(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installing(monkeypatch, exit_code=1)
    with pytest.raises(CheckoutError, match=r"venv[\s\S]*no such package"):
        checkouts.made_environment(repository, tmp_path / "environment")
    commands = installing(monkeypatch)
    checkouts.made_environment(repository, tmp_path / "environment")
    assert len(commands) == 2
