"""Work in threads: results in order, few of them ahead, errors where they belong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from drug_assets.threads import map_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An upper limit that no machine reaches.
LONG = 60


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ahead", [None, 1, 3, 100])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_results_come_in_the_order_of_the_items(
    threads: int, ahead: int | None, count: int
) -> None:
    assert list(map_ahead(str, range(count), threads, ahead)) == [str(n) for n in range(count)]


def test_calls_run_at_the_same_time() -> None:
    both = threading.Barrier(2)
    assert sorted(map_ahead(lambda _: both.wait(LONG), range(2), 2)) == [0, 1]


@pytest.mark.parametrize(("ahead", "taken"), [(None, 2), (1, 1), (3, 3)])
def test_few_items_are_taken_ahead(ahead: int | None, taken: int) -> None:
    seen: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            seen.append(number)
            yield number

    results = map_ahead(lambda number: number, items(), 2, ahead)
    assert next(results) == 0
    # The item after those is taken before the first result is given away, and not begun yet.
    assert len(seen) == taken + 1
    results.close()  # type: ignore[attr-defined]
    assert len(seen) == taken + 1


def test_an_error_is_raised_in_the_place_of_its_result() -> None:
    results = map_ahead(lambda divisor: 6 // divisor, [2, 3, 0, 1], 2)
    assert [next(results), next(results)] == [3, 2]
    with pytest.raises(ZeroDivisionError):
        next(results)
