"""Engines run work over landed files: an engine takes a function and tasks, and decides where.

`storage.landing` and `storage.kept` define the work. A task names the objects that its worker reads
and writes; only small results are returned. The function and the tasks must be picklable, since a
worker can be another process or machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Engine(Protocol):
    """Runs tasks."""

    def leaves(self, size_bytes: int) -> bool:
        """Whether work on so many bytes leaves this machine: others may not see its folders."""
        ...

    def run(
        self,
        function: Callable[[_Task], _Result],
        tasks: Sequence[_Task],
        *,
        size_bytes: int,
        fills_cores: bool,
    ) -> Iterator[_Result]:
        """Run a function once per task.

        Args:
            function: takes a task; defined at the top level of a module.
            tasks: the tasks.
            size_bytes: total size of the data that the tasks read: small work is not worth
                distributing.
            fills_cores: whether one call uses all cores of a machine, as Polars does; if not, a
                machine runs as many calls at once as it has cores.

        Returns:
            The results, in the order of the tasks.
        """
        ...
