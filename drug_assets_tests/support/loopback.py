"""The guard that keeps tests off the network. Nothing that starts or serves belongs here."""

from __future__ import annotations

import socket
from typing import Any


class OutsideLoopbackError(Exception):
    """A test reached for another machine."""


def refuse_other_hosts() -> None:
    """From here on, this process reaches no address but loopback: no name is looked up either."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo
    own = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", socket.gethostname()}  # noqa: S104

    def require_own(host: object) -> None:
        host = host.decode() if isinstance(host, bytes) else host
        if host not in own:
            raise OutsideLoopbackError(f"a test reached for {host}: tests use loopback only")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            require_own(address[0])
        connect(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        require_own(host)
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = guarded_connect  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = guarded_getaddrinfo
