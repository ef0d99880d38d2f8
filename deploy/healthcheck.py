"""The image's HEALTHCHECK: exits with 0 if the program of this container is healthy.

One image runs several programs; the command line of the container's first process shows which. The
webserver must answer, the code server must serve, the daemon's heartbeats must be recent. The job
is healthy as long as it runs. Standard library only, because the check runs every half minute.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

TIMEOUT_SECONDS = 15


def healthy(command: list[str]) -> bool:
    """Whether the process with this command line is healthy."""
    names = {Path(word).name for word in command[:4]}
    if "dagster-webserver" in names:
        return _answers(int(_option(command, ("--port", "-p"), "3000")))
    if "dagster-daemon" in names:
        return _succeeds("dagster-daemon", "liveness-check")
    if "code-server" in names:
        port = _option(command, ("--port", "-p"), "4000")
        return _succeeds("dagster", "api", "grpc-health-check", "--port", port)
    return True


def _option(command: list[str], names: tuple[str, ...], default: str) -> str:
    for word, following in zip(command, [*command[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else following
    return default


def _answers(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/server_info"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    first_process = Path("/proc/1/cmdline").read_text(encoding="utf-8").split("\0")
    sys.exit(0 if healthy(first_process) else 1)
