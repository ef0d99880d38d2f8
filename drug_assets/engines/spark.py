"""Spark as an engine: executors do the tasks, which are sent through Spark Connect.

A stage is one query: rows with pickled tasks, a few to a partition, pass through `mapInArrow`, and
the answers come back in the order of the tasks. Executors read and write the objects that the tasks
name; only small results pass through here. If an executor is lost, Spark has another one do its
tasks again, which makes the same objects.
"""

from __future__ import annotations

import pickle
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from drug_assets.engines import executor
from drug_assets.engines.local import LocalMachine
from drug_assets.engines.sessions import (
    LAST_TRIES,
    SparkError,
    SparkUnavailableError,
    borrow_session,
    close_session,
    few_tries,
    hide_secrets,
    tell_error,
)
from drug_assets.versions import list_libraries
from drug_assets.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drug_assets.engines.sessions import Opened

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_PACKAGE = __name__.partition(".")[0]
#: Work on fewer bytes than this takes one machine a few seconds.
WORTH_BYTES = 256 * 1024**2
#: Each partition has a fixed cost: more tasks than this share partitions.
_MOST_PARTITIONS = 1000
#: Parts of Spark's messages: Python on executors is of another version than here; the session is
#: not there any more.
_OTHER_PYTHON = "PYTHON_VERSION_MISMATCH"
_NO_SESSION = "INVALID_HANDLE"
_SAME = (
    "they must run what runs here: install the same package and libraries, or use an image of them"
)


class ExecutorError(Exception):
    """Where on an executor an error was raised: the context of that error here."""


@dataclass(frozen=True)
class Spark:
    """Runs tasks on the executors of a Spark."""

    #: Where it is; see `sessions.open_session`. It can contain a token.
    address: str = field(repr=False)
    #: The image of its executors, where the service starts them.
    image: str | None = None
    #: Work on fewer bytes than this is done by this machine.
    worth_bytes: int = WORTH_BYTES
    #: Is told of each stage, and where to watch it.
    tell: Callable[[str], object] = str

    def leaves(self, size_bytes: int) -> bool:
        """Whether work on so many bytes leaves this machine: if it is worth it."""
        return size_bytes >= self.worth_bytes

    def run(
        self,
        function: Callable[[_Task], _Result],
        tasks: Sequence[_Task],
        *,
        size_bytes: int,
        fills_cores: bool,
    ) -> Iterator[_Result]:
        """Run a function once per task; see `Engine.run`.

        Each core of an executor does one task at a time, whether or not a call could use more.

        Raises:
            SparkError: Spark cannot be used, gave up, or its executors have other code.
        """
        if not tasks or not self.leaves(size_bytes):
            here = LocalMachine()
            yield from here.run(function, tasks, size_bytes=size_bytes, fills_cores=fills_cores)
            return
        opened = borrow_session(self.address, self.image)
        where = f"Spark at {hide_secrets(self.address)}"
        if opened.ui:
            where += f" ({opened.ui})"
        self.tell(f"{count_of(len(tasks), 'task')} for {where}")
        with _interrupt_what_is_left(opened):
            answers = _send(opened.spark, function, tasks)
            for number in range(len(tasks)):
                with _explain_errors(where):
                    answer = next(answers, None)
                if answer is None or answer.task != number:
                    raise SparkError(f"{where} did not answer task {number} of {len(tasks)}")
                yield _read(answer.outcome, bytes(answer.value), where)
            with _explain_errors(where):
                next(answers, None)  # read to their end, so that Spark forgets them


def _send(
    spark: Any, function: Callable[[_Task], _Result], tasks: Sequence[_Task]
) -> Iterator[Any]:
    """Send tasks; the rows of the answers, in the order of the tasks, as they come."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.cloudpickle import register_pickle_by_value

    register_pickle_by_value(executor)
    values = [pickle.dumps(task) for task in tasks]
    columns = [pa.array(range(len(tasks)), pa.int64()), pa.array(values, pa.binary())]
    # Rows that are sent are divided into so many partitions, in their order.
    partitions = min(len(tasks), _MOST_PARTITIONS)
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", str(partitions))
    rows = spark.createDataFrame(pa.table(columns, names=["task", "value"]))
    answer = partial(
        executor.answer_tasks,
        package=_PACKAGE,
        function=pickle.dumps(function),
        required=_list_required(),
    )
    yield from rows.mapInArrow(answer, executor.ANSWER).toLocalIterator()


def _list_required() -> dict[str, str]:
    """What executors must have: the code of this package, and what results depend on besides."""
    return executor.identify(_PACKAGE, [executor.CODE, executor.PYTHON, *list_libraries()])


def _read(outcome: str, value: bytes, where: str) -> Any:
    """What a function returned on an executor, of an answer to a task.

    Raises:
        SparkError: the executor has other code.
        BaseException: what the function raised.
    """
    answer = pickle.loads(value)  # noqa: S301 - of an executor, which runs what this machine sends
    if outcome == executor.RETURNED:
        return answer
    if outcome == executor.DIFFERS:
        raise SparkError(f"the executors of {where} {_tell_differences(answer)}; {_SAME}")
    raise _make_again(*answer)


def _tell_differences(found: Mapping[str, str]) -> str:
    """In what executors differ from this machine."""
    if found.get(executor.CODE) == "":
        return f"do not have the package {_PACKAGE}"
    told = []
    if executor.CODE in found:
        told.append(f"other code of {_PACKAGE}")
    here = _list_required()
    told += [
        f"{name} {there} instead of {here[name]}" if there else f"no {name}"
        for name, there in found.items()
        if name != executor.CODE
    ]
    return f"have {', '.join(told)}"


def _make_again(made_of: bytes, message: str, told: str, trace: str) -> BaseException:
    """An error that was raised on an executor, with the same type and message.

    Args:
        made_of: the pickled result of its `__reduce__`; empty if that cannot be pickled.
        message: its message.
        told: its type and message.
        trace: its traceback there.
    """
    error: BaseException | None = None
    # Whatever cannot be made again here is told in words.
    with suppress(Exception):
        kind, arguments, *state = pickle.loads(made_of)  # noqa: S301 - see `_read`
        # Some take other arguments than they pass on: only those of Python's own are called.
        error = kind.__new__(kind, *arguments)
        own = next(base for base in kind.__mro__ if base.__module__ == "builtins")
        own.__init__(error, *arguments)
        vars(error).update(*state)
    if error is None or str(error) != message:
        error = RuntimeError(told)
    # No note of the error, as those are told as part of its message.
    error.__context__ = ExecutorError(f"on an executor of Spark:\n{trace}")
    return error


@contextmanager
def _interrupt_what_is_left(opened: Opened) -> Iterator[None]:
    """End what this block has Spark do, if it fails or is left."""
    spark, tag = opened.spark, f"{_PACKAGE}-{secrets.token_hex(8)}"
    spark.addTag(tag)
    try:
        yield
    except BaseException:
        # A Spark that cannot be reached ends by itself what nobody asks for any more.
        with suppress(Exception), few_tries(spark, LAST_TRIES):
            spark.interruptTag(tag)
        raise
    finally:
        spark.removeTag(tag)


@contextmanager
def _explain_errors(where: str) -> Iterator[None]:
    """Replace errors of Spark and of its client by errors that explain what to do."""
    from grpc import RpcError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException, RetriesExceeded

    try:
        yield
    except (RpcError, PySparkException) as error:
        told = str(error)
        if isinstance(error, RpcError | RetriesExceeded) or _NO_SESSION in told:
            close_session()
            cause = error.__cause__ or error
            raise SparkUnavailableError(
                f"the connection to {where} was lost: {tell_error(cause)}"
            ) from error
        if _OTHER_PYTHON in told:
            raise SparkError(
                f"the executors of {where} have another Python than "
                f"{_list_required()[executor.PYTHON]}; {_SAME}"
            ) from error
        raise SparkError(f"{where} gave up: {tell_error(error)}") from error
