"""The sizes of the measurements: `full` is what RESULTS.md holds, `tiny` is for tests."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import explorer


@dataclass(frozen=True)
class Plan:
    """The sizes of the measurements, and how often each is made."""

    name: str
    #: Rounds of the measurements that are compared.
    rounds: int
    #: Numbers of titles and of names; the package and the other libraries run on each combination.
    titles: tuple[int, ...]
    names: tuple[int, ...]
    #: Titles and names of the measurement at scale, of the package alone.
    many_titles: int
    many_titles_names: int
    #: Titles and names of the largest search, from files, batch by batch.
    most_titles: int
    most_names: int
    #: Titles for the slow libraries; their time is extrapolated to the most titles.
    entity_recognition_titles: int
    spark_titles: int
    agreement_titles: int
    #: Size of the landing zones of the whole run, and number of runs.
    records: int
    files: int
    runs: int
    #: Size of a landing zone of CSV with very many records, run cold once and with one more file.
    large_records: int
    large_files: int
    #: Size of the largest landing zone of CSV, which is run cold, once.
    most_records: int
    most_files: int
    #: Number of files of XML that are read in a measurement of reading alone, on all cores.
    landing_files: int
    #: How often a file is repeated in one document, to check that memory does not grow.
    repeated: int
    #: Number of mentions in the graph document.
    mentions: int
    #: Drugs and mentions of the explorer's pages.
    pages: tuple[tuple[int, int], ...]
    #: Drugs and mentions of the exports.
    exported: tuple[int, int]
    #: Requests of each measurement of the server.
    requests: int
    #: Records of the landing zone that Spark's engine is tried on.
    spark_records: int

    @property
    def all_names(self) -> int:
        """The number of names that titles are made with."""
        return max(*self.names, self.most_names)


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name="full",
            rounds=5,
            titles=(100_000, 1_000_000),
            names=(7, 1_000, 20_000, 100_000),
            many_titles=10_000_000,
            many_titles_names=20_000,
            most_titles=40_000_000,
            most_names=108_000,
            entity_recognition_titles=100_000,
            spark_titles=4_000,
            agreement_titles=1_000_000,
            records=1_000_000,
            files=50,
            runs=3,
            large_records=10_000_000,
            large_files=300,
            most_records=40_000_000,
            most_files=1_200,
            landing_files=8,
            repeated=20,
            mentions=10_000_000,
            pages=explorer.SIZES,
            exported=(20_000, 1_000_000),
            requests=3_000,
            spark_records=1_000_000,
        ),
        Plan(
            name="short",
            rounds=3,
            titles=(100_000, 1_000_000),
            names=(7, 20_000, 100_000),
            many_titles=10_000_000,
            many_titles_names=20_000,
            most_titles=10_000_000,
            most_names=100_000,
            entity_recognition_titles=20_000,
            spark_titles=1_000,
            agreement_titles=200_000,
            records=200_000,
            files=10,
            runs=2,
            large_records=1_000_000,
            large_files=30,
            most_records=2_000_000,
            most_files=60,
            landing_files=4,
            repeated=5,
            mentions=1_000_000,
            pages=explorer.SIZES[:-1],
            exported=(1_000, 100_000),
            requests=1_000,
            spark_records=200_000,
        ),
        Plan(
            name="tiny",
            rounds=1,
            titles=(100,),
            names=(7, 50),
            many_titles=300,
            many_titles_names=50,
            most_titles=400,
            most_names=60,
            entity_recognition_titles=20,
            spark_titles=20,
            agreement_titles=100,
            records=100,
            files=5,
            runs=1,
            large_records=150,
            large_files=5,
            most_records=200,
            most_files=5,
            landing_files=2,
            repeated=2,
            mentions=500,
            pages=((7, 21), (50, 400)),
            exported=(50, 400),
            requests=20,
            spark_records=200,
        ),
    )
}
