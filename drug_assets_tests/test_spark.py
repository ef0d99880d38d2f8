"""Spark as the engine: the same results as on this machine, whatever happens to an executor.

These tests run on a Spark of this machine (`make test-spark`). `DRUG_ASSETS_SPARK_RECORDS` sets how
many records of each format they make.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from benchmarks import synthetic
from drug_assets import sources, versions
from drug_assets.engines import spark as spark_engine
from drug_assets.engines.local import LocalMachine
from drug_assets.engines.sessions import (
    SparkError,
    SparkUnavailableError,
    borrow_session,
    close_session,
    require_server,
)
from drug_assets.engines.spark import Spark
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.kept.by_file import Recipe, make_parts
from drug_assets.storage.landing import UnreadableFilesError, read_landing_zone
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets.storage.places import open_store
from drug_assets_tests.support import clouds, runs, spark_work
from drug_assets_tests.support.drugbank import Drug, to_drugbank_xml
from drug_assets_tests.support.services import eventually
from drug_assets_tests.support.spark_work import DyingOnce, OddError, OwnDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drug_assets.engines import Engine
    from drug_assets.storage.objects import ObjectStore
    from drug_assets_tests.support.emulators import GcsEmulator
    from drug_assets_tests.support.spark_server import SparkServer

pytest.importorskip("pyspark", reason="Spark's client is not installed: pip's extra `spark`")
pytestmark = pytest.mark.spark

RECORDS = int(os.environ.get("DRUG_ASSETS_SPARK_RECORDS", "1000"))
ORIGINAL_EXERCISE = runs.REPOSITORY.parent / "shared" / "real_inputs" / "original_exercise"
#: More tasks than the executors have cores.
TASKS = list(range(7))
#: A gzip file that is cut, JSON nested deeper than any reader goes, and bytes that are no text.
HOSTILE = {
    "pubmed_5_cut.csv.gz": b"\x1f\x8b\x08\x00cut",
    "pubmed_6_deep.json": b"[" * 200_000,
    "pubmed_7_binary.csv": b"\x00\xff" * 1000,
}


@pytest.fixture
def spark(spark_server: SparkServer) -> Iterator[Spark]:
    """An engine that gives any work to Spark, however little."""
    yield Spark(spark_server.address, worth_bytes=0)
    close_session()


@pytest.fixture
def spark_by_settings(spark_server: SparkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process use Spark, also for little work."""
    monkeypatch.setattr(spark_engine, "WORTH_BYTES", 0)
    monkeypatch.setenv("DRUG_ASSETS_SPARK", spark_server.address)


def run_on_spark(landing: Path, store: Path) -> runs.Run:
    """A whole run, with `spark_by_settings`."""
    variables = {"DRUG_ASSETS_ENGINE": "spark", "DRUG_ASSETS_SPARK": "sc://see-the-environment"}
    return runs.run(landing, store, **variables)


def make(zone: ObjectStore, kept: ObjectStore, engine: Engine) -> dict[str, bytes]:
    """The parts of raw rows and records that follow from landed files, by name."""
    landed = read_landing_zone(zone, kept, engine)
    for source in sources.ALL:
        recipe = Recipe(of=f"raw_{source.name}", make=source.clean_records)
        records = f"{source.name}_records"
        make_parts(records, recipe, landed.raw[source.name], kept, engine)
    return {f.name: kept.read(f.name) for f in kept.objects() if f.name.endswith(".parquet")}


def land_all_formats(landing: Path, records: int) -> Path:
    """Land this many records in each of the formats that hold many."""
    names = synthetic.drug_names(500)
    zone = synthetic.Zone(records, 1, names, "csv")
    csv = synthetic.write_zone_file(landing, zone, 0)
    rows = pl.read_csv(csv, infer_schema=False)
    rows.write_csv(landing / "pubmed_tabbed.tsv", separator="\t")
    rows.write_ndjson(landing / "pubmed_lines.ndjson")
    rows.write_json(landing / "pubmed_list.json")
    medline = pl.format(
        "PMID- {}\nTI  - {}\nDP  - {}\nJT  - {}\n", "id", "title", "date", "journal"
    )
    text = "\n".join(rows.select(medline).to_series())
    (landing / "pubmed_saved.nbib").write_text(text, encoding="utf-8")
    synthetic.write_zone_file(landing, synthetic.Zone(records, 1, names, "xml"), 0)
    trials = rows.rename({"title": "scientific_title"}).with_columns(id="NCT" + pl.col("id"))
    trials.write_csv(landing / "clinical_trials.csv")
    drugs = [Drug(id=f"DB{number:05}", name=name) for number, name in enumerate(names)]
    (landing / "drugs_bank.xml").write_bytes(to_drugbank_xml(drugs))
    return landing


# Results


def test_results_come_in_the_order_of_the_tasks(spark: Spark) -> None:
    found = spark.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False)
    assert list(found) == [spark_work.square(task) for task in TASKS]
    assert list(spark.run(spark_work.square, [], size_bytes=1, fills_cores=False)) == []


def test_tasks_beyond_the_partitions_share_them_in_their_order(
    spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_engine, "_MOST_PARTITIONS", 3)
    found = spark.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False)
    assert list(found) == [spark_work.square(task) for task in TASKS]


def test_work_that_is_not_worth_it_stays_and_opens_no_session() -> None:
    engine = Spark("sc://127.0.0.1:1", worth_bytes=100)
    found = engine.run(spark_work.surroundings, TASKS, size_bytes=99, fills_cores=False)
    assert {each["process"] for each in found} == {os.getpid()}


def test_workers_stay_for_further_stages_and_use_a_core_each(spark: Spark) -> None:
    def ask() -> list[dict[str, Any]]:
        return list(spark.run(spark_work.surroundings, TASKS, size_bytes=1, fills_cores=True))

    first, second = ask(), ask()
    processes = {each["process"] for each in first}
    assert os.getpid() not in processes
    assert {each["process"] for each in second} & processes
    assert {each["threads"] for each in first + second} == {1}


def test_a_whole_run_makes_the_same_bytes_as_on_this_machine(
    sample_run: runs.Run, spark_by_settings: None, tmp_path: Path
) -> None:
    run = run_on_spark(runs.SAMPLE, tmp_path / "store")
    assert run.succeeded, run.report
    assert runs.outputs(run.store) == runs.outputs(sample_run.store)
    parts = [path.relative_to(run.store) for path in run.store.glob(".kept/**/*.parquet")]
    assert parts
    assert all((sample_run.store / p).read_bytes() == (run.store / p).read_bytes() for p in parts)
    assert runs.left_over(run.store) == []


@pytest.mark.skipif(not ORIGINAL_EXERCISE.exists(), reason="the original exercise is not here")
def test_the_original_exercise_gives_the_same_bytes(
    spark_by_settings: None, tmp_path: Path
) -> None:
    here = runs.run(ORIGINAL_EXERCISE, tmp_path / "here")
    there = run_on_spark(ORIGINAL_EXERCISE, tmp_path / "there")
    assert here.succeeded
    assert there.succeeded, there.report
    assert runs.outputs(there.store) == runs.outputs(here.store)


def test_every_format_gives_the_same_bytes(spark: Spark, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    zone = LocalFolder(land_all_formats(tmp_path / "landing", RECORDS))
    here = make(zone, LocalFolder(tmp_path / "here"), LocalMachine())
    there = make(zone, LocalFolder(tmp_path / "there"), spark)
    assert len(here) == 16
    assert there == here


def test_executors_read_and_write_objects_of_a_bucket(
    spark: Spark, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    bucket = clouds.new_bucket(gcs_emulator)
    clouds.upload(gcs_emulator, runs.SAMPLE, bucket, "landing")
    zone, kept = open_store(f"gs://{bucket}/landing"), open_store(f"gs://{bucket}/store")
    there = make(zone, kept, spark)
    here = make(zone, LocalFolder(tmp_path / "here"), LocalMachine())
    assert there, "else nothing was landed"
    assert there == here
    assert not any("marks/" in found.name for found in kept.objects())


# Faults


def test_an_executor_that_is_lost_changes_nothing(spark: Spark, tmp_path: Path) -> None:
    class Mortal:
        """The engine, with an executor that dies in the middle of the first stage."""

        leaves = spark.leaves

        def run(
            self, function: Callable[[Any], Any], tasks: Sequence[Any], **of_tasks: Any
        ) -> Iterator[Any]:
            dying = DyingOnce(function, str(tmp_path))
            yield from spark.run(dying, tasks, **of_tasks)

    zone = LocalFolder(runs.SAMPLE)
    here = make(zone, LocalFolder(tmp_path / "here"), LocalMachine())
    there = make(zone, LocalFolder(tmp_path / "there"), Mortal())
    assert (tmp_path / "died").exists()
    assert there == here


def test_hostile_files_in_the_middle_are_told_as_on_this_machine(
    spark: Spark, tmp_path: Path
) -> None:
    files = {f"pubmed_{number}.csv": f"id,title\n{number},x\n" for number in range(10)}
    zone = LocalFolder(runs.landing_zone(tmp_path / "landing", {**files, **HOSTILE}))
    told, kept = [], []
    for name, engine in (("here", LocalMachine()), ("there", spark)):
        store = LocalFolder(tmp_path / name)
        with pytest.raises(UnreadableFilesError) as refused:
            read_landing_zone(zone, store, engine)
        told.append(str(refused.value))
        kept.append({found.name: store.read(found.name) for found in store.objects(".kept/raw")})
    assert told[0] == told[1]
    assert all(name in told[0] for name in HOSTILE)
    assert kept[0] == kept[1]
    assert len(kept[0]) == 10


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("odd", OddError, "one and another"),
        ("missing file", FileNotFoundError, "[Errno 2] No such file: '/of/an/executor'"),
        ("text", UnicodeDecodeError, "'utf-8' codec can't decode byte 0xff in position 0"),
        ("no pickle", RuntimeError, "UnpicklableError: holds a lambda"),
    ],
)
def test_what_a_task_raises_is_raised_here_in_its_place(
    spark: Spark, kind: str, error: type[Exception], message: str
) -> None:
    run = spark.run(spark_work.fail, ["a", "b", kind, "c"], size_bytes=1, fills_cores=False)
    assert [next(run), next(run)] == [1, 1]
    with pytest.raises(error, match=re.escape(message)) as raised:
        next(run)
    assert "spark_work.py" in str(raised.value.__context__)


def test_a_broken_contract_is_told_as_on_this_machine(spark: Spark, tmp_path: Path) -> None:
    recipe = Recipe(of="raw_drugs", make=spark_work.break_contract)
    told = []
    for engine in (LocalMachine(), spark):
        kept = LocalFolder(tmp_path / "store")
        raw = read_landing_zone(LocalFolder(runs.SAMPLE), kept, LocalMachine()).raw["drugs"]
        with pytest.raises(ContractBrokenError) as broken:
            make_parts("drugs_records", recipe, raw, kept, engine)
        told.append(str(broken.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("unseen", ["landing", "store"])
def test_a_folder_that_executors_do_not_see_is_refused_before_anything_is_made(
    spark: Spark, tmp_path: Path, unseen: str
) -> None:
    runs.landing_zone(tmp_path / "landing")
    places = {
        name: (OwnDisk if name == unseen else LocalFolder)(tmp_path / name)
        for name in ("landing", "store")
    }
    with pytest.raises(StorageError) as refused:
        read_landing_zone(places["landing"], places["store"], spark)
    assert re.search(
        rf"{unseen}-of-another-machine is not seen by the mac.*: name a bucket", str(refused.value)
    )
    assert not list(tmp_path.rglob("*.parquet"))
    assert not list(tmp_path.rglob("marks/*"))


def test_a_folder_is_the_same_wherever_an_executor_stands(
    spark: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.landing_zone(tmp_path / "landing")
    monkeypatch.chdir(tmp_path)
    landed = read_landing_zone(LocalFolder(Path("landing")), LocalFolder(Path("store")), spark)
    assert landed.raw["pubmed"].count_rows(LocalFolder(Path("store"))) == 3


def test_executors_with_other_code_are_refused(spark_server: SparkServer, tmp_path: Path) -> None:
    """A run of another version of the package, where one line differs."""
    shutil.copytree(runs.REPOSITORY / "drug_assets", tmp_path / "drug_assets")
    with (tmp_path / "drug_assets" / "graph.py").open("a") as file:
        file.write("# Another version.\n")
    script = (
        "from drug_assets.engines.spark import Spark\n"
        f"engine = Spark({spark_server.address!r}, worth_bytes=0)\n"
        "list(engine.run(len, ['task'], size_bytes=1, fills_cores=False))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    told = f"SparkError: the executors of Spark at {spark_server.address} have other code of "
    assert told in ended.stderr


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"polars": "0.0.1"}, f"have polars {pl.__version__} instead of 0.0.1; they must"),
        ({"no-such-library": "1"}, "have no no-such-library; they must run what runs here"),
        ({"python": "3.0"}, "have python 3."),
    ],
)
def test_executors_with_other_libraries_are_refused(
    spark: Spark, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], told: str
) -> None:
    """What this machine says of itself is changed; the executors are as they are."""
    required = {**spark_engine._list_required(), **changed}
    monkeypatch.setattr(spark_engine, "_list_required", lambda: required)
    with pytest.raises(SparkError, match=re.escape(told)):
        list(spark.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False))


def test_executors_without_the_package_are_refused(
    spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = spark_engine._list_required()
    monkeypatch.setattr(spark_engine, "_list_required", lambda: required)
    monkeypatch.setattr(spark_engine, "_PACKAGE", "no_such_package")
    with pytest.raises(SparkError, match=r"^the executors of Spark at .* do not have the package"):
        list(spark.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False))


def test_an_executor_that_is_lost_each_time_is_told(spark: Spark) -> None:
    told = r"^Spark at sc://.* gave up: Job aborted .*ExecutorLostFailure"
    with pytest.raises(SparkError, match=told):
        list(spark.run(spark_work.die, [1], size_bytes=1, fills_cores=False))


def test_what_executors_are_asked_for_are_the_libraries_that_versions_count() -> None:
    assert {"dataframely", "lxml", "msgspec", "numpy", "polars"} <= set(versions.list_libraries())
    assert "dagster" not in versions.list_libraries()


@pytest.mark.parametrize("how", ["interrupted", "left", "failed"])
def test_a_run_that_ends_early_ends_its_work(
    spark: Spark, spark_server: SparkServer, tmp_path: Path, how: str
) -> None:
    (tmp_path / "begun").mkdir()
    tasks = ["" if how == "interrupted" else "return", *[str(tmp_path / "begun")] * 3]
    if how == "failed":
        tasks[0] = "raise"
    run: Any = spark.run(spark_work.wait, tasks, size_bytes=1, fills_cores=False)
    if how == "interrupted":
        tasks[0] = tasks[1]
        interrupting = threading.Thread(target=_interrupt_once_begun, args=(tmp_path / "begun",))
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            next(run)
        interrupting.join()
    elif how == "left":
        assert next(run) == 0
        run.close()
    else:
        with pytest.raises(ValueError, match="as asked"):
            next(run)
    eventually("the end of its jobs", lambda: spark_server.jobs("running") == [])
    begun = [int(path.name) for path in (tmp_path / "begun").iterdir()]
    eventually(
        "the end of its workers",
        lambda: not any(Path(f"/proc/{process}").exists() for process in begun),
    )


def _interrupt_once_begun(folder: Path) -> None:
    eventually("two tasks that have begun", lambda: len(list(folder.iterdir())) == 2)
    os.kill(os.getpid(), signal.SIGINT)


# The session


def test_a_server_that_is_not_there_is_told_at_once_and_without_its_token() -> None:
    engine = Spark("sc://127.0.0.1:1/;token=secret", worth_bytes=0)
    assert "secret" not in repr(engine)
    with pytest.raises(SparkUnavailableError) as failed:
        list(engine.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False))
    assert str(failed.value).startswith("Spark at sc://127.0.0.1:1 cannot be reached: ")
    assert "secret" not in str(failed.value)


def test_an_old_server_is_refused() -> None:
    require_server("4.0.1", "sc://host")
    require_server("5.1.0-preview", "sc://host")
    with pytest.raises(SparkError, match=r"Spark at sc://host is 3.5.8, older than its client"):
        require_server("3.5.8", "sc://host")


def test_a_lost_session_is_opened_again(spark: Spark) -> None:
    def ask() -> list[int]:
        return list(spark.run(spark_work.square, [2], size_bytes=1, fills_cores=False))

    assert ask() == [4]
    borrow_session(spark.address).spark.client.release_session()
    with pytest.raises(SparkUnavailableError, match=r"the connection to Spark at .* was lost"):
        ask()
    assert ask() == [4]
