"""Progress: what is counted, how fast it went, and when people are told, by a clock set by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets.progress import Count, Done, Interval, Lines, Speed, Stopwatch, ignore


class Time:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def done(files: int, of_files: int = 4, *, size_bytes: int = 0, rows: int = 0) -> Done:
    return Done(files, of_files, size_bytes, 1000, rows)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))))
def test_what_is_done_is_reported_from_nothing_to_all(
    added: list[tuple[int, int, int]],
) -> None:
    files, of_bytes = sum(a[0] for a in added), sum(a[1] for a in added)
    reports: list[Done] = []
    count = Count(reports.append, of_files=files, of_bytes=of_bytes)
    for each in added:
        count.add(files=each[0], size_bytes=each[1], rows=each[2])
    if not added:
        assert reports == [], "nothing to do is not told"
        return
    assert reports[0] == Done(0, files, 0, of_bytes, 0)
    steps = [(b.files - a.files, b.size_bytes - a.size_bytes, b.rows - a.rows)
             for a, b in pairwise(reports)]  # fmt: skip
    assert steps == added
    assert [report.is_all for report in reports] == [*([False] * len(added)), True]
    Count(ignore, of_files=1, of_bytes=1).add(files=1, size_bytes=1, rows=1)


def test_speed_is_rows_by_time_and_what_is_left_by_bytes(time: Time) -> None:
    stopwatch = Stopwatch(time)
    assert stopwatch.measure(done(0)) == Speed(0, None, None)
    time.now += 10
    assert stopwatch.measure(done(0)) == Speed(10, None, None)
    assert stopwatch.measure(done(1, size_bytes=0, rows=0)) == Speed(10, 0, None)
    assert stopwatch.measure(done(1, size_bytes=100, rows=30)) == Speed(10, 3, 90)
    time.now += 10
    assert stopwatch.measure(done(4, size_bytes=1000, rows=50)) == Speed(20, 2.5, 0)


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (Speed(1, None, None), ""),
        (Speed(1, 1234.4, None), "1,234 rows/s"),
        (Speed(1, 0.6, 125), "1 rows/s, 2 min 5 s left"),
    ],
)
def test_speed_is_told_as_far_as_it_is_known(speed: Speed, words: str) -> None:
    assert speed.describe() == words


def test_something_is_due_once_in_an_interval(time: Time) -> None:
    interval = Interval(10, time)
    found = []
    for seconds in (0, 9, 1, 1, 8, 1, 30, 1):
        time.now += seconds
        found.append(interval.is_due())
    assert found == [False, False, True, False, False, True, True, False]


def told(time: Time, *reports: tuple[float, Done]) -> list[str]:
    """The lines that are told, of reports with the seconds before each."""
    lines: list[str] = []
    tell = Lines(lines.append, "pubmed_records", 10, time)
    for seconds, report in reports:
        time.now += seconds
        tell(report)
    return lines


def test_a_long_step_has_a_line_now_and_then_and_one_at_its_end(time: Time) -> None:
    assert told(
        time,
        (0, done(0)),
        (5, done(1, size_bytes=50, rows=900)),
        (5, done(2, size_bytes=100, rows=1000)),
        (1, done(3, size_bytes=150, rows=1100)),
        (89, done(4, size_bytes=1000, rows=20000)),
    ) == [
        "pubmed_records: 2 of 4 files, 1,000 rows, 100 rows/s, 1 min 30 s left",
        "pubmed_records: all 4 files, 20,000 rows, in 1 min 40 s",
    ]


def test_a_short_step_is_not_told(time: Time) -> None:
    assert told(time, (0, done(0)), (9, done(3)), (0.9, done(4))) == []
    assert told(time, (0, done(0, 1)), (90, done(1, 1))) == [], "its end is told by the run's log"


def test_before_the_first_file_is_done_no_speed_is_told(time: Time) -> None:
    assert told(time, (0, done(0)), (11, done(0)), (10, done(1, size_bytes=0))) == [
        "pubmed_records: 0 of 4 files, 0 rows",
        "pubmed_records: 1 of 4 files, 0 rows, 0 rows/s",
    ]
