"""What the project relies on in its dependencies: read these first when an upgrade fails."""

import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.io.plugins import register_io_source

from drug_assets.cli.unkept import make_unkept_instance

pytestmark = pytest.mark.upstream


@dg.asset
def made() -> int:
    return 1


@dg.asset(deps=[made])
def release() -> None: ...


def _gate(severity: dg.AssetCheckSeverity, *, blocking: bool) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=made, blocking=blocking)
    def gate() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=severity)

    return gate


ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


# Dagster: what stops a run


@pytest.mark.parametrize(
    ("severity", "blocking", "stops"),
    [(ERROR, True, True), (WARN, True, False), (ERROR, False, False), (WARN, False, False)],
)
def test_blocking_check_of_severity_error_alone_stops_downstream(
    severity: dg.AssetCheckSeverity, blocking: bool, stops: bool
) -> None:
    gate = _gate(severity, blocking=blocking)
    result = dg.materialize([made, release, gate], raise_on_error=False)
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    assert result.success is not stops
    assert (release.key in materialized) is not stops


def test_asset_is_materialized_before_its_checks_block() -> None:
    # Checks come after the write: hence what a run makes is staged until its release.
    result = dg.materialize([made, _gate(ERROR, blocking=True)], raise_on_error=False)
    assert [e.asset_key for e in result.get_asset_materialization_events()] == [made.key]


# Dagster: what a step knows


@pytest.mark.parametrize(("selection", "ends_in_release"), [("*", True), ("made", False)])
def test_step_knows_whether_the_release_is_selected(selection: str, ends_in_release: bool) -> None:
    seen: list[bool] = []

    class Looking(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: Any) -> None:  # noqa: ARG002
            keys = context.step_context.job_def.asset_layer.selected_asset_keys
            seen.append(release.key in keys)

        def load_input(self, context: dg.InputContext) -> Any:
            raise NotImplementedError

    dg.materialize([made, release], selection=selection, resources={"io_manager": Looking()})
    assert set(seen) == {ends_in_release}


def test_context_outside_of_a_run_has_no_step() -> None:
    for context in (dg.build_output_context(), dg.build_input_context()):
        with pytest.raises(dg.DagsterInvariantViolationError):
            _ = context.step_context


def test_events_are_listened_to_while_they_happen() -> None:
    heard: list[str] = []
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_event_listener(
            run_id,
            lambda entry: (
                heard.append(entry.dagster_event_type.value) if entry.dagster_event_type else None
            ),
        )
        job = dg.Definitions([made]).resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=instance, run_id=run_id)
    assert {"STEP_START", "ASSET_MATERIALIZATION", "STEP_SUCCESS"} <= set(heard)
    assert heard.index("STEP_START") < heard.index("ASSET_MATERIALIZATION")


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_does_not_need_what_its_instance_keeps(tmp_path: Path, *, fails: bool) -> None:
    tries: list[int] = []

    @dg.asset(code_version="1", retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
    def first() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise dg.RetryRequested(max_retries=1, seconds_to_wait=0)
        return 1

    @dg.asset_check(asset=first, blocking=True)
    def sound() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=not fails)

    @dg.asset(code_version="2")
    def second(first: int) -> int:
        return first

    heard: list[str] = []
    run_id = str(uuid.uuid4())
    with make_unkept_instance(tmp_path) as instance:
        instance.add_event_listener(run_id, lambda entry: heard.append(entry.run_id))
        job = dg.Definitions(
            [first, second], asset_checks=[sound]
        ).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False)
        assert instance.all_logs(run_id) == []
        (run,) = instance.get_runs()
    assert result.success is not fails
    assert run.is_failure is fails
    assert len(tries) == 2
    made = {event.step_key for event in result.get_asset_materialization_events()}
    assert made == ({"first"} if fails else {"first", "second"})
    assert set(heard) == {run_id}
    assert len(heard) >= len(result.all_events)


def test_resource_in_a_resource_still_warns_of_dagsters_own_deprecation() -> None:
    # When this fails, the filter for it in pyproject.toml can go.
    class Inner(dg.ConfigurableResource[Any]):
        name: str

    class Outer(dg.ConfigurableResource[Any]):
        inner: Inner

    @dg.asset
    def asking(outer: Outer) -> None: ...

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dg.materialize([asking], resources={"outer": Outer(inner=Inner(name="x"))})
    assert any("InitResourceContext.dagster_run is deprecated" in str(w.message) for w in caught)


# Polars


def test_sinking_a_lazy_frame_streams(tmp_path: Path) -> None:
    rows = 16_000_000
    script = (
        "import polars as pl, resource, sys\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\n"
        f"rows = pl.LazyFrame().select(a=pl.int_range({rows}))\n"
        "wide = rows.with_columns(b=pl.col('a') + 1, c=pl.col('a') * 2, d=pl.col('a') * 3)\n"
        "wide.sink_parquet(sys.argv[1], maintain_order=True)\n"
        "print(peak() - before)\n"
    )
    path = tmp_path / "x.parquet"
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert pl.scan_parquet(path).select(pl.len()).collect().item() == rows
    assert int(ended.stdout) < rows * 4 * 8 * 0.8, "all of it was in memory"


def test_batches_of_a_generator_are_sunk_as_they_come_and_the_metadata_last(tmp_path: Path) -> None:
    seen: list[int] = []

    def batches(*_: object) -> Iterator[pl.DataFrame]:
        for number in range(100):
            seen.append(number)
            yield pl.DataFrame({"n": [number] * 1000})

    rows = register_io_source(batches, schema={"n": pl.Int64()})
    path = tmp_path / "rows.parquet"
    rows.sink_parquet(
        path, maintain_order=True, row_group_size=5000, metadata=lambda _: {"seen": str(len(seen))}
    )
    assert pl.read_parquet_metadata(path)["seen"] == "100"
    assert pl.read_parquet(path)["n"].to_list() == [n for n in range(100) for _ in range(1000)]


@pytest.mark.parametrize("error", [RecursionError("deep"), MemoryError(), KeyboardInterrupt()])
def test_an_error_of_a_generator_comes_out_of_the_sink_as_it_is(
    error: BaseException, tmp_path: Path
) -> None:
    def batches(*_: object) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"n": [1]})
        raise error

    rows = register_io_source(batches, schema={"n": pl.Int64()})
    with pytest.raises(type(error)) as raised:
        rows.sink_parquet(tmp_path / "rows.parquet")
    assert raised.value is error


def test_parquet_of_the_same_rows_has_the_same_bytes(tmp_path: Path) -> None:
    rows = pl.LazyFrame({"a": range(100_000), "b": [["x", str(n % 7)] for n in range(100_000)]})
    for name in ("one", "two"):
        rows.sink_parquet(tmp_path / name, maintain_order=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_metadata_of_a_parquet_file_is_kept_beside_its_schema(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x", metadata={"sha256": "abc"})
    metadata = pl.read_parquet_metadata(tmp_path / "x")
    assert metadata["sha256"] == "abc"
    assert metadata.keys() <= {"sha256", "ARROW:schema"}


def test_scan_of_files_given_as_a_list_keeps_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b", "a", "c")]
    for path in paths:
        pl.DataFrame({"name": [path.name] * 1_000}).write_parquet(path)
    names = pl.scan_parquet(paths).collect()["name"].unique(maintain_order=True)
    assert names.to_list() == ["b", "a", "c"]


def test_names_with_patterns_in_them_are_names_where_globbing_is_off(tmp_path: Path) -> None:
    # Stores may lie below folders with such names.
    folder = tmp_path / "[a]*?"
    folder.mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(folder / "x.parquet")
    assert pl.scan_parquet([folder / "x.parquet"], glob=False).collect().height == 1


def test_lines_are_read_whole_in_order_empty_ones_too() -> None:
    numbers = range(200_000)
    text = "\n".join(f"{n}\n" for n in numbers) + "\nlast"
    lines = pl.scan_lines(text.encode()).collect().to_series().to_list()
    assert lines == [line for n in numbers for line in (str(n), "")] + ["last"]


def test_batches_of_a_lazy_frame_come_in_order(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(300_000)}).write_parquet(tmp_path / "x", row_group_size=10_000)
    scanned = pl.scan_parquet(tmp_path / "x").filter(pl.col("a") % 3 == 0)
    batches = list(scanned.collect_batches(maintain_order=True, lazy=True))
    assert len(batches) > 1
    assert pl.concat(batches)["a"].to_list() == list(range(0, 300_000, 3))


def test_hashes_wrap_around_when_they_are_added() -> None:
    hashes = pl.DataFrame({"hash": [2**64 - 1]}, schema={"hash": pl.UInt64})
    assert hashes.select(2 * pl.col("hash") + pl.col("hash")).item() == 3 * (2**64 - 1) % 2**64


# Polars: what it does to lists


FILTERED = """
import polars as pl

chunks = [
    pl.DataFrame({"kept": kept, "words": [["a", "c"]] * len(kept)})
    for kept in ([False], [True, True])
]
rows = pl.concat(chunks, rechunk=False).lazy().filter("kept")
words = pl.col("words").list
try:
    rows.select(words.set_intersection(["a", "b"])).collect(engine="streaming")
except pl.exceptions.PanicException:
    print("panic")
found = rows.select(words.filter(pl.element().is_in(["a", "b"])).list.unique())
assert found.collect(engine="streaming")["words"].to_list() == [["a"], ["a"]]
"""


@pytest.mark.processes
def test_set_of_a_list_and_a_literal_panics_and_a_filtered_list_does_not() -> None:
    # `cleaning.rejected` filters for that reason; whoever writes `set_intersection` finds this.
    ended = subprocess.run(
        [sys.executable, "-c", FILTERED],
        env={**os.environ, "POLARS_MAX_THREADS": "2"},  # one thread leaves no chunk empty
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "panic\n"


JOINED = """
import time

import drug_assets  # sets the variable, which Polars reads as it is loaded

import polars as pl
from polars.io.plugins import register_io_source

read, read_before_the_other = [], []

def many(*_):
    for batch in range(100):
        read.append(batch)
        yield pl.DataFrame({"key": range(batch * 10_000, (batch + 1) * 10_000)})

def few(*_):
    before = -1
    while len(read) != before:
        before = len(read)
        time.sleep(0.2)
    read_before_the_other.append(before)
    yield pl.DataFrame({"key": [5, 7]})

one, other = (register_io_source(rows, schema={"key": pl.Int64}) for rows in (many, few))
assert one.join(other, on="key").collect(engine="streaming").height == 2
print(*read_before_the_other)
"""


@pytest.mark.processes
def test_a_join_chooses_its_side_before_it_has_read_much_of_the_other() -> None:
    """So `drug_assets` sets it; by itself, Polars holds up to ten million rows meanwhile."""
    ended = subprocess.run(
        [sys.executable, "-c", JOINED], capture_output=True, text=True, check=True
    )
    assert int(ended.stdout) < 50


# pytest-xdist


def test_tests_are_not_distributed_by_their_groups_alone(tmp_path: Path) -> None:
    # So `support.markers` names the groups. Once this fails, what it does for that can go.
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.xdist_group('ours')\ndef test_it() -> None: ...\n"
    )
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "1", "--dist", "loadgroup"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "PASSED test_it.py::test_it" in told
    assert "@ours" not in told
