"""certificates - a CA of a test's own, made by the openssl program.

SPDX-License-Identifier: ISC
"""
import ssl
import subprocess
from pathlib import Path


def openssl(*argv, stdin=b""):
    done = subprocess.run(["openssl", *map(str, argv)], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Authority:
    """`pem` is its certificate; issue() gives (certificate, key) as paths."""

    def __init__(self, scratch, name="ca"):
        self.dir = Path(scratch)
        self.name = name
        self.pem, self.key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", 2, "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.pem)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=1):
        """days below 0: expired."""
        cert, key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        request = openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={name}", "-keyout", key)
        ext = self.dir / f"{name}.ext"
        ext.write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
            "-days", days, "-extfile", ext, "-out", cert, stdin=request)
        key.chmod(0o600)
        return cert, key


def server_context(pair, clients=None):
    """For the end that is dialled; clients: the CA file of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca, pair=None):
    context = ssl.create_default_context(cafile=ca)
    if pair:
        context.load_cert_chain(*pair)
    return context
