"""nginx, really started with the configuration that we ship: only addresses, certificate and logs are those of the test."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLSocket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ports import held_port

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "cds.hospital.example"
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


@dataclass
class Proxy:
    """A running nginx.

    Args:
        port: for https.
        folder: of its files.
    """

    port: int
    folder: Path

    def connect(self, protocol: str = "http/1.1") -> SSLSocket:
        """A connection to it, its certificate verified."""
        trusting = SSLContext(PROTOCOL_TLS_CLIENT)
        trusting.load_verify_locations(self.folder / "certificate.pem")
        trusting.set_alpn_protocols([protocol])
        return trusting.wrap_socket(create_connection(("127.0.0.1", self.port), timeout=30), server_hostname=NAME)

    def log(self, until: str) -> str:
        """What it wrote down, once that has come up: it is written after the answer was sent."""
        deadline = time.monotonic() + 10
        while until not in (text := self._written()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return text

    def _written(self) -> str:
        return "".join(file.read_text("utf-8") for file in sorted(self.folder.glob("*.log")))


@contextmanager
def nginx(folder: Path, upstreams: Sequence[int]) -> Iterator[Proxy]:
    """Start it.

    Args:
        folder: for its files.
        upstreams: ports of the services that it stands before.
    """
    assert PROGRAM, "nginx is missing; run scripts/ensure-nginx.sh"
    _make_certificate(folder)
    with held_port() as port:
        yield from _started(folder, port, upstreams)


def _started(folder: Path, port: int, upstreams: Sequence[int]) -> Iterator[Proxy]:
    (folder / "site.conf").write_text(_adapted(folder, port, upstreams), "utf-8")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/start.log;"
        f"events {{ worker_connections 2048; }} http {{ {temporary} include {folder}/site.conf; }}",
        "utf-8",
    )
    with subprocess.Popen([PROGRAM, "-c", folder / "nginx.conf", "-e", folder / "start.log"], stderr=subprocess.PIPE) as process:
        try:
            _wait_for(port, process)
            yield Proxy(port, folder)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _adapted(folder: Path, port: int, upstreams: Sequence[int]) -> str:
    """The file that we ship, with the lines that a site adapts."""
    text = SHIPPED.read_text("utf-8")
    for pattern, replacement in (
        (r"    server 127\.0\.0\.1:8000;", "\n".join(f"    server 127.0.0.1:{upstream};" for upstream in upstreams)),
        (r"listen 443 ", f"listen 127.0.0.1:{port} "),
        (r"/etc/myositis-cds/tls/", f"{folder}/"),
        (r"/var/log/nginx/", f"{folder}/"),
    ):
        text, found = re.subn(pattern, replacement, text)
        assert found, f"{pattern} is no longer in deploy/nginx.conf"
    return text


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        try:
            create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx did not start")


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
