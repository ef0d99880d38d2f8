"""The server of the application on an address."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING

import uvicorn

from drug_assets.errors import DrugAssetsError
from drug_assets.serving.app import make_app
from drug_assets.serving.patience import PatientProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drug_assets.serving.current import CurrentRelease

#: Names of this machine for itself: a page of another site cannot be of any of them, so that a
#: site whose name leads here learns nothing.
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
#: How long answers may take to end when the server ends.
_SECONDS_TO_END = 5
#: A name of a host, or all names below one.
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\*")
_LONGEST_REQUEST_BYTES = 16 * 1024
#: Connections that wait to be taken.
_BACKLOG = 1024


class AddressError(DrugAssetsError):
    """The address cannot be served on; the message says why."""


class Server:
    """A server that listens, and serves when it is told to."""

    def __init__(
        self, current: CurrentRelease, host: str, port: int, hosts: Sequence[str] = ()
    ) -> None:
        """Listen on an address.

        Args:
            current: the release that is served.
            host: the address, or a name of it.
            port: the port; 0 is any that is free.
            hosts: further names by which it may be asked for. Who listens for this machine alone
                answers only to names of it; who listens for others answers to any, if none is
                given.

        Raises:
            AddressError: the address cannot be listened on, or a name is none.
        """
        for name in hosts:
            if not _HOST.fullmatch(name):
                raise AddressError(f"{name} is no name of a host, such as drugs.example.org")
        self._socket = _listen(host, port)
        address, self.port = self._socket.getsockname()[:2]
        own = f"[{address}]" if ":" in address else address
        self.url = f"http://{'localhost' if own in _OWN_NAMES else own}:{self.port}/"
        is_open = not is_loopback(host) and not hosts
        allowed = ["*"] if is_open else [*_OWN_NAMES, own, *hosts]
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(current, allowed),
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=_LONGEST_REQUEST_BYTES,
                timeout_graceful_shutdown=_SECONDS_TO_END,
            )
        )

    def run(self) -> None:
        """Serve until the process is told to end, or `stop`."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._server.should_exit = True


def is_loopback(host: str) -> bool:
    """Whether an address, or a name of it, is that of this machine for itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Who comes before the server runs waits, and is not turned away.
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        raise AddressError(
            f"{host}:{port} cannot be listened on: {getattr(error, 'strerror', None) or error}"
        ) from error
    return listening
