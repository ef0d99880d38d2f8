"""Google's service of Spark sessions on loopback: its API, its tunnel, and the log-in.

Google's clients run for real against it. The service makes sessions in memory, whose tunnel leads
to one Spark Connect server: a real one, or `version_server`. What is asserted of them does not
belong here.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
import uuid
from concurrent import futures
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

#: The token that the log-in gives, and that the tunnel is given.
TOKEN = "a-token"  # noqa: S105 - of nobody
ACCOUNT = "runner@drugs-production-1.iam.gserviceaccount.com"
_SERVICE = "google.cloud.dataproc.v1.SessionController"
_ENDPOINT = "Spark Connect Server"


@dataclass
class FakeDataproc:
    """The service: what it was asked for, and how it answers."""

    #: The sessions by name, as the service has them.
    sessions: dict[str, Any] = field(default_factory=dict)
    #: The requests, in their order: method and message.
    requests: list[tuple[str, Any]] = field(default_factory=list)
    #: By method, the answers of its next calls: a status code and details, in their order.
    refusals: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    #: Whether a new session starts; if not, it stays in creation until it is terminated.
    starts: bool = True
    #: Log-ins of the tunnel.
    tunnels: list[str] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """The methods that were called, without those that only ask for a state."""
        return [name for name, _ in self.requests if not name.startswith("Get")]

    def create(self, request: Any, context: Any) -> Any:
        """Answer CreateSession."""
        from google.cloud import dataproc_v1

        self._note("CreateSession", request, context)
        made = dataproc_v1.Session(request.session)
        made.name, made.uuid = f"{request.parent}/sessions/{request.session_id}", str(uuid.uuid4())
        made.state = made.State.ACTIVE if self.starts else made.State.CREATING
        if self.starts:
            made.runtime_info.endpoints[_ENDPOINT] = "sc://localhost"
        self.sessions[made.name] = made
        return self._operation(made.name)

    def get(self, request: Any, context: Any) -> Any:
        """Answer GetSession."""
        self._note("GetSession", request, context)
        return self._find(request.name, context)

    def terminate(self, request: Any, context: Any) -> Any:
        """Answer TerminateSession."""
        self._note("TerminateSession", request, context)
        found = self._find(request.name, context)
        found.state = found.State.TERMINATED
        return self._operation(found.name)

    def look(self, request: Any, context: Any) -> Any:
        """Answer GetOperation."""
        self._note("GetOperation", request, context)
        return self._operation(request.name.partition("/operations/")[0])

    def _note(self, method: str, request: Any, context: Any) -> None:
        self.requests.append((method, request))
        if refusals := self.refusals.get(method):
            context.abort(*refusals.pop(0))

    def _find(self, name: str, context: Any) -> Any:
        import grpc  # type: ignore[import-untyped]

        if name not in self.sessions:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{name} is not there")
        return self.sessions[name]

    def _operation(self, name: str) -> Any:
        from google.cloud import dataproc_v1
        from google.longrunning import operations_pb2  # type: ignore[import-untyped]

        answer = operations_pb2.Operation(name=f"{name}/operations/1")
        made = self.sessions[name]
        if made.state == made.State.ACTIVE:
            answer.done = True
            answer.response.Pack(dataproc_v1.Session.pb(made))
        return answer


@contextmanager
def running_dataproc(
    folder: Path, spark_port: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeDataproc]:
    """The service, and variables that lead Google's clients to it.

    Args:
        folder: for keys and certificates.
        spark_port: the port of the Spark Connect server of all sessions.
        monkeypatch: sets the variables, and the port of the tunnel, which is always 443.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for path, content in zip((certificate, key), _make_certificate(), strict=True):
        path.write_bytes(content)
    service = FakeDataproc()
    with ExitStack() as stack:
        api_port = stack.enter_context(_running_api(service, certificate, key))
        tunnel_port = stack.enter_context(_running_tunnel(service, certificate, key, spark_port))
        token_port = stack.enter_context(_running_token_server())
        login = _write_login(folder, token_port)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(login))
        monkeypatch.setenv("GOOGLE_CLOUD_DATAPROC_API_ENDPOINT", f"localhost:{api_port}")
        monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(certificate))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        _lead_tunnels_to(tunnel_port, monkeypatch)
        yield service


def _lead_tunnels_to(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.cloud.dataproc_spark_connect.client import proxy

    connect = proxy.websocketclient.connect

    def connect_to_port(address: str, **arguments: Any) -> Any:
        host, _, path = address.removeprefix("wss://").partition("/")
        return connect(f"wss://{host}:{port}/{path}", **arguments)

    monkeypatch.setattr(proxy.websocketclient, "connect", connect_to_port)


@cache
def _make_certificate() -> tuple[bytes, bytes]:
    """A certificate for localhost that signs itself, and its key; gRPC reads one per process."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def _write_login(folder: Path, token_port: int) -> Path:
    """A key file of a service account of nobody."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    login = folder / "login.json"
    content = {
        "type": "service_account",
        "project_id": "drugs-production-1",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": ACCOUNT,
        "token_uri": f"http://127.0.0.1:{token_port}/token",
    }
    login.write_text(json.dumps(content), "utf-8")
    return login


@contextmanager
def _running_token_server() -> Iterator[int]:
    """What exchanges a key for a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = json.dumps(
                {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _running_api(service: FakeDataproc, certificate: Path, key: Path) -> Iterator[int]:
    """The API over gRPC and TLS."""
    import grpc
    from google.cloud import dataproc_v1
    from google.longrunning import operations_pb2

    def handler(answer: Any, request: Any, response: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=request, response_serializer=response
        )

    packed = operations_pb2.Operation.SerializeToString
    methods = {
        _SERVICE: {
            "CreateSession": handler(
                service.create, dataproc_v1.CreateSessionRequest.deserialize, packed
            ),
            "GetSession": handler(
                service.get,
                dataproc_v1.GetSessionRequest.deserialize,
                dataproc_v1.Session.serialize,
            ),
            "TerminateSession": handler(
                service.terminate, dataproc_v1.TerminateSessionRequest.deserialize, packed
            ),
        },
        "google.longrunning.Operations": {
            "GetOperation": handler(
                service.look, operations_pb2.GetOperationRequest.FromString, packed
            )
        },
    }
    server = grpc.server(futures.ThreadPoolExecutor(8))
    for name, of_it in methods.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, of_it),))
    pair = (key.read_bytes(), certificate.read_bytes())
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def _running_tunnel(
    service: FakeDataproc, certificate: Path, key: Path, spark_port: int
) -> Iterator[int]:
    """The tunnel: each WebSocket is a connection to Spark, whose bytes are sent as hexadecimals."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import serve

    def forward(connection: Any) -> None:
        service.tunnels.append(connection.request.headers["Authorization"])
        with socket.create_connection(("127.0.0.1", spark_port)) as spark:

            def send_back() -> None:
                with suppress(OSError, ConnectionClosed):
                    while received := spark.recv(1 << 16):
                        connection.send(received.hex())
                with suppress(Exception):
                    connection.close()

            back = threading.Thread(target=send_back)
            back.start()
            with suppress(ConnectionClosed, OSError):
                for message in connection:
                    spark.sendall(bytes.fromhex(message))
            with suppress(OSError):
                spark.shutdown(socket.SHUT_RDWR)
            back.join()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve(forward, "localhost", 0, ssl=context, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def version_server(version: str) -> Iterator[int]:
    """A Spark Connect server that knows nothing but its version; yields its port."""
    import grpc
    from pyspark.sql.connect.proto import base_pb2

    def analyze(request: Any, context: Any) -> Any:
        answer = base_pb2.AnalyzePlanResponse(session_id=request.session_id)
        answer.spark_version.version = version
        return answer

    handler = grpc.unary_unary_rpc_method_handler(
        analyze,
        request_deserializer=base_pb2.AnalyzePlanRequest.FromString,
        response_serializer=base_pb2.AnalyzePlanResponse.SerializeToString,
    )
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service = grpc.method_handlers_generic_handler(
        "spark.connect.SparkConnectService", {"AnalyzePlan": handler}
    )
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()
