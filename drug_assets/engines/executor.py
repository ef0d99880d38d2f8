"""What an executor of Spark runs: it compares its code with the driver's, then does its tasks.

This module is sent to executors as it is, since what is installed there may be another version of
the package, or none. So it imports nothing of the package, and other modules only inside functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: The columns of what an executor answers, one row per task.
ANSWER = "task long, outcome string, value binary"
#: Outcomes: the value is what the function returned, the error that it raised, or in what the
#: executor differs from the driver.
RETURNED, RAISED, DIFFERS = "returned", "raised", "differs"
#: Names of what is compared besides libraries.
CODE, PYTHON = "code", "python"


def answer_tasks(
    batches: Iterator[Any], package: str, function: bytes, required: Mapping[str, str]
) -> Iterator[Any]:
    """Do the tasks of a partition, one after the other.

    Args:
        batches: Arrow batches with the columns `task` (a number) and `value` (pickled).
        package: the package that the function is of.
        function: the pickled function.
        required: what must be installed here, by name; see `identify`.

    Yields:
        Arrow batches with the columns of `ANSWER`, one per task. An error ends the partition.
    """
    import pickle

    _limit_threads()
    found = identify(package, required)
    differs = {name: there for name, there in found.items() if there != required[name]}
    call: Any = None
    for batch in batches:
        for row in batch.to_pylist():
            if differs:
                yield _answer(row["task"], DIFFERS, pickle.dumps(differs))
                return
            try:
                call = call or pickle.loads(function)  # noqa: S301 - the driver's
                value = pickle.dumps(call(pickle.loads(row["value"])))  # noqa: S301 - the driver's
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:  # noqa: BLE001 - raised again by the driver
                yield _answer(row["task"], RAISED, _describe(error))
                return
            yield _answer(row["task"], RETURNED, value)


def identify(package: str, names: Iterable[str]) -> dict[str, str]:
    """What is installed here, by name; "" for what is not.

    Args:
        package: the package whose files are digested.
        names: `CODE`, `PYTHON` or the name of a library.
    """
    import sys
    from importlib import metadata

    found = {}
    for name in names:
        if name == CODE:
            found[name] = _digest_files(package)
        elif name == PYTHON:
            found[name] = "{}.{}".format(*sys.version_info)
        else:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = ""
    return found


def _digest_files(package: str) -> str:
    """A digest of the package's modules and their data; "" if there is no such package."""
    import hashlib
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ""
    folder = Path(spec.origin).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".csv"}:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _limit_threads() -> None:
    """Let Polars use the cores of this task alone; too late if this process has loaded it."""
    import os

    from pyspark import TaskContext

    context = TaskContext.get()
    if context is not None:
        os.environ.setdefault("POLARS_MAX_THREADS", str(context.cpus()))


def _answer(task: int, outcome: str, value: bytes) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]

    columns = [pa.array([task], pa.int64()), pa.array([outcome]), pa.array([value], pa.binary())]
    return pa.RecordBatch.from_arrays(columns, names=["task", "outcome", "value"])


def _describe(error: BaseException) -> bytes:
    """An error, pickled: what makes it again if that can be pickled, its message, its traceback."""
    import pickle
    import traceback

    try:
        made_of = pickle.dumps(error.__reduce__())
    except Exception:  # noqa: BLE001 - then its message must do
        made_of = b""
    told = f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    return pickle.dumps((made_of, str(error), told, trace))
