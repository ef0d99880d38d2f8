"""A proxy on loopback that passes requests on to a service and fails when it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What a service or a network does for a moment: refuse, break off, carry out and break off.
PASSING_FAULTS = ("503", "429", "reset", "answer lost")
#: Besides: any other status, and an answer with one bit changed.
DAMAGED = "damaged"

_NOT_PASSED_ON = {"content-length", "connection", "transfer-encoding"}
_RESET = struct.pack("ii", 1, 0)


def no_fault(_: int) -> None:
    """Let everything pass."""


@dataclass
class FaultyProxy:
    """A service behind a proxy."""

    #: Host and port of the service.
    target: str
    url: str = ""
    #: What befalls a request, given its number from 1: a fault, or None.
    fault: Callable[[int], str | None] = no_fault
    #: Method and path of every request so far.
    requests: list[str] = field(default_factory=list)

    def count_anew(self, fault: Callable[[int], str | None] = no_fault) -> None:
        """Let faults befall the requests from here on."""
        self.requests.clear()
        self.fault = fault


@contextmanager
def faulty_proxy(service: str) -> Iterator[FaultyProxy]:
    """A proxy in front of the service at a URL."""
    proxy = FaultyProxy(urlsplit(service).netloc)
    with _Server(proxy) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: FaultyProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the body
    server: _Server

    def answer(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.requests.append(f"{self.command} {self.path}")
        fault = proxy.fault(len(proxy.requests))
        if fault == "reset":
            self.break_off()
            return
        if fault and fault.isdigit():
            error = {"error": {"code": int(fault), "message": "injected"}}
            self.pass_on(int(fault), [], json.dumps(error).encode())
            return
        status, headers, text = self.carried_out(body)
        if fault == "answer lost":
            self.break_off()
        elif fault == DAMAGED:
            self.pass_on(status, headers, text[:-1] + bytes([text[-1] ^ 1]))
        else:
            self.pass_on(status, headers, text)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

    def carried_out(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.proxy.target, timeout=600)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def pass_on(self, status: int, headers: list[tuple[str, str]], text: bytes) -> None:
        proxy = self.server.proxy
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _NOT_PASSED_ON:
                # Where an upload goes on: through the proxy, too.
                self.send_header(name, value.replace(proxy.target, urlsplit(proxy.url).netloc))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def break_off(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()
        self.close_connection = True

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *args: object) -> None:
        pass
