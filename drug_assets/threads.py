"""Work in threads, for what releases the GIL: Polars, compression and hashing do."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_ahead(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    threads: int,
    ahead: int | None = None,
) -> Iterator[_Result]:
    """Call a function for each item, several at a time, while the results before are used.

    Items are taken one after the other, in the thread of the caller.

    Args:
        function: takes an item.
        items: the items.
        threads: how many calls there are at a time.
        ahead: how many results are made ahead at most, which limits the memory that they take; None
            for one for each thread.

    Returns:
        The results, in the order of the items.
    """
    ahead = ahead or threads
    pending: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            if len(pending) == ahead:
                yield pending.popleft().result()
            pending.append(pool.submit(function, item))
        while pending:
            yield pending.popleft().result()
