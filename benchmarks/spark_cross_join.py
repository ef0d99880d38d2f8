"""The design that this project replaces: PySpark compares every title with every drug.

It is measured on a sample and extrapolated by the number of pairs of a title and a name.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Figures, NotInstalledError, peer, timed
from benchmarks.mentions import names_of, titles_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def cross_join(title_files: Sequence[str], titles: int, names_file: str, names: int) -> Figures:
    """`title.contains(drug)` over a cross join, on all cores, with cached inputs, after a warm-up.

    `pairs_per_second` follows from the difference between the sample and a tenth of it, so that the
    fixed cost of a query does not count.
    """
    sql = peer("pyspark.sql")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise NotInstalledError("java")
    session = _session(sql)
    try:
        listed = session.createDataFrame([(n,) for n in names_of(names_file, names)], ["drug"])
        searched = titles_of(title_files, titles)
        sample, tenth = (
            session.createDataFrame([(t,) for t in searched[:count]], ["title"])
            .repartition(session.sparkContext.defaultParallelism)
            .cache()
            for count in (titles, titles // 10)
        )
        listed = listed.cache()
        for frame in (listed, sample, tenth):
            frame.count()
        _mentions(sql, tenth, listed)  # warm up
        with timed() as short:
            _mentions(sql, tenth, listed)
        with timed() as watch:
            found = _mentions(sql, sample, listed)
    finally:
        session.stop()
    pairs = (titles - titles // 10) * names
    return watch.figures() | {
        "titles": titles,
        "names": names,
        "found": found,
        "pairs_per_second": pairs / max(watch.seconds - short.seconds, 1e-9),
    }


def _session(sql: Any) -> Any:
    return (
        sql.SparkSession.builder.master("local[*]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.memory", "4g")
        .getOrCreate()
    )


def _mentions(sql: Any, titles: Any, drugs: Any) -> int:
    lower = sql.functions.lower
    contains = lower(titles["title"]).contains(lower(drugs["drug"]))
    found: int = titles.crossJoin(drugs).filter(contains).count()
    return found
