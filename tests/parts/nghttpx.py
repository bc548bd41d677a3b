"""nghttpx.py - TLS with HTTP/2 in front of the fake Microsoft, under an authority of its own."""
import collections
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .process import Process, free_port, wait_until

LOG_FORMAT = "$alpn $remote_port $status $request"
Served = collections.namedtuple("Served", "alpn client_port status request")


class Authority:
    """Signs certificates for addresses; its own lies in .file."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "authority.pem"
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), self._name("calrelay tests")
        self.file.write_bytes(self._pem(self._certificate(
            self.name, self.key, x509.BasicConstraints(ca=True, path_length=0))))

    def issue(self, address, name):
        """A key file and a certificate file for an IP address."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._certificate(self._name(address), key, names)
        files = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        files[0].touch(0o600)
        files[0].write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        files[1].write_bytes(self._pem(certificate))
        return files

    def _certificate(self, subject, key, extension):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=1))
                .add_extension(extension, critical=False).sign(self.key, hashes.SHA256()))

    @staticmethod
    def _name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    @staticmethod
    def _pem(certificate):
        return certificate.public_bytes(serialization.Encoding.PEM)


class Nghttpx:
    """Serves h2 and http/1.1 over TLS and passes everything on by http/1.1."""

    def __init__(self, backends, authority, address="127.0.0.1", name="nghttpx"):
        """backends: ADDRESS,PORT of each server behind it."""
        self.port = free_port()
        self.url = f"https://{address}:{self.port}"
        self.access_log = authority.folder / f"{name}.access"
        self.process = Process(name, [
            "/usr/sbin/nghttpx", "--conf=/dev/null", "--single-process",
            "--no-location-rewrite",
            f"--frontend={address},{self.port}", *[f"--backend={one}" for one in backends],
            f"--accesslog-file={self.access_log}", f"--accesslog-format={LOG_FORMAT}",
            *authority.issue(address, name)], authority.folder / f"{name}.log",
            env={"PATH": os.environ["PATH"]})

    def start(self):
        self.process.start()
        wait_until(self.access_log.exists, 30, "nghttpx serves", [self.process])
        return self

    def served(self, path=""):
        """What was answered, of requests whose line has path in it."""
        lines = self.access_log.read_text().splitlines()
        return [Served(*line.split(" ", 3)) for line in lines if path in line]
