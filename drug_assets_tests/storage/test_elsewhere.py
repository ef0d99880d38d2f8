"""Work for other machines: what they are asked first, and how their errors come back.

`test_spark.py` has others do it; here, processes of this machine do.
"""

from __future__ import annotations

import pickle
from functools import partial
from typing import TYPE_CHECKING

import pytest

from drug_assets.engines import executor, spark
from drug_assets.engines.local import LocalMachine
from drug_assets.storage import elsewhere
from drug_assets.storage.landing import UnreadableFilesError
from drug_assets.storage.objects import ChangedObjectError, LocalFolder, StorageError

if TYPE_CHECKING:
    from pathlib import Path


class OddError(Exception):
    """Takes other arguments than it passes on."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")
        self.second = second


class HeldError(Exception):
    """Holds what no other process can be given."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.held = lambda: message


def raised(error: BaseException) -> BaseException:
    """An error as it is raised."""
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a word"),
        OddError("one", "another"),
        FileNotFoundError(2, "No such file", "/a/file"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        ChangedObjectError("gs://a/b"),
        UnreadableFilesError(["a", "b"]),
        KeyError("key"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_an_executor_is_made_again_with_its_message(error: Exception) -> None:
    again = spark._make_again(*pickle.loads(executor._describe(raised(error))))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert "test_elsewhere.py" in str(again.__context__)


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    told = pickle.loads(executor._describe(raised(HeldError("held"))))  # noqa: S301
    again = spark._make_again(*told)
    assert repr(again) == "RuntimeError('HeldError: held')"


class Elsewhere(LocalMachine):
    """Leaves this process for others, which see the folders that it sees."""

    def leaves(self, size_bytes: int) -> bool:  # noqa: ARG002
        return True


def read_mark(task: tuple[LocalFolder, str]) -> bytes:
    return task[0].read(task[1])


@pytest.mark.slow
@pytest.mark.processes
def test_other_machines_are_asked_first_whether_they_see_the_places(tmp_path: Path) -> None:
    (tmp_path / "landed.csv").write_text("here")
    zone, store = LocalFolder(tmp_path), LocalFolder(tmp_path / "store")
    work = partial(
        elsewhere.run, Elsewhere(0), read_mark, size_bytes=1, fills_cores=False, store=store
    )
    tasks = [(zone, "landed.csv")] * 3
    assert list(work(tasks=tasks, landed=(zone, "landed.csv"))) == [b"here"] * 3
    assert list(store.objects()) == []
    told = rf"^{tmp_path} is not seen by the machines that the work was given to: name a bucket"
    with pytest.raises(StorageError, match=told):
        list(work(tasks=tasks, landed=(zone, "of_another_machine.csv")))
    assert list(store.objects()) == []
