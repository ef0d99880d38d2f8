"""A Spark of this machine: a Connect server with two executors, each in a process of its own.

Spark comes from an environment of its own, which `make spark` makes, its Java from the machine.
What is run on it does not belong here.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drug_assets_tests.support.local_servers import (
    HOST,
    PATIENCE_SECONDS,
    LocalServerError,
    listens,
    running,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

#: Folder of the virtual environment that holds Spark.
ENVIRONMENT = "DRUG_ASSETS_SPARK_VENV"
_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class SparkServer:
    """A running Spark Connect server."""

    port: int
    ui_port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"sc://{HOST}:{self.port}"

    def jobs(self, status: str) -> list[dict[str, Any]]:
        """The jobs of a status, such as `running`, as Spark's own page lists them."""
        (application,) = self._ask("applications")
        found: list[dict[str, Any]] = self._ask(
            f"applications/{application['id']}/jobs?status={status}"
        )
        return found

    def _ask(self, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"http://{HOST}:{self.ui_port}/api/v1/{path}"
        with opener.open(url, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)


def find_missing() -> str | None:
    """What is missing to run a Spark, in words; None if all is there."""
    if not (_environment() / "bin" / "spark-submit").exists():
        return f"no Spark at {_environment()}: `make spark` makes it; {ENVIRONMENT} names another"
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        return "no Java: Spark needs 17 or 21"
    return None


@contextmanager
def running_spark(variables: Mapping[str, str] | None = None) -> Iterator[SparkServer]:
    """A Spark with two executors of one core, ended with the block.

    Args:
        variables: variables of the executors' processes.

    Raises:
        LocalServerError: its environment is missing, or it does not start.
    """
    if missing := find_missing():
        raise LocalServerError(missing)
    environment = _environment()
    with tempfile.TemporaryDirectory(prefix="spark-") as name:
        folder = Path(name)

        def command(port: int, ui_port: int) -> list[str]:
            return _command(environment, port, ui_port, folder, variables or {})

        def is_ready(port: int, _ui_port: int) -> bool:
            return listens(port)

        surroundings = _surroundings(environment, folder)
        with running("Spark", command, is_ready, folder, surroundings, ports=2) as server:
            port, ui_port = server.ports
            yield SparkServer(port, ui_port, server.process)


def _environment() -> Path:
    return Path(os.environ.get(ENVIRONMENT) or _REPOSITORY / ".venv-spark").absolute()


def _command(
    environment: Path, port: int, ui_port: int, folder: Path, variables: Mapping[str, str]
) -> list[str]:
    # Little work is done: a quick start matters more than speed later.
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    settings = {
        "spark.log.level": "WARN",
        "spark.driver.extraJavaOptions": quick,
        "spark.executor.extraJavaOptions": quick,
        "spark.connect.grpc.binding.address": HOST,
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.memory": "1g",
        "spark.ui.port": str(ui_port),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.executorEnv.PYTHONPATH": str(_REPOSITORY),
        "spark.executorEnv.HOME": str(folder),
        **{f"spark.executorEnv.{name}": value for name, value in variables.items()},
    }
    return [
        str(environment / "bin" / "spark-submit"),
        *("--master", "local-cluster[2,1,1024]"),
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *(word for setting in settings.items() for word in ("--conf", "=".join(setting))),
        "spark-internal",
    ]


def _surroundings(environment: Path, folder: Path) -> dict[str, str]:
    (packages,) = environment.glob("lib/python*/site-packages")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
        "SPARK_HOME": str(packages / "pyspark"),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": str(environment / "bin" / "python"),
    }
