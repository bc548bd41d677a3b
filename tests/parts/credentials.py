"""credentials.py - what an application proves itself with at Microsoft instead of a secret."""
import base64
import datetime
import time
import uuid

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PEM = serialization.Encoding.PEM


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Certificate:
    """A self-signed certificate and its key, as an app registration takes it."""

    def __init__(self, days=365, key=None):
        self.key = key or rsa_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "calrelay")])
        ends = datetime.datetime.utcnow() + datetime.timedelta(days=days, minutes=1)
        self.certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(ends - datetime.timedelta(days=730)).not_valid_after(ends)
            .sign(self.key, hashes.SHA256()))
        self.pem = self.certificate.public_bytes(PEM).decode()
        self.key_pem = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption()).decode()

    def thumbprint(self):
        digest = self.certificate.fingerprint(hashes.SHA256())
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def thumbprint_hex(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def assertion(self, client_id, token_url, algorithm="PS256", header=None, **changes):
        """As Microsoft wants it, but for the changes; None leaves a claim or a header out."""
        now = int(time.time())
        claims = {"aud": token_url, "iss": client_id, "sub": client_id, "jti": str(uuid.uuid4()),
                  "nbf": now, "iat": now, "exp": now + 300, **changes}
        header = {"x5t#S256": self.thumbprint(), **(header or {})}
        return jwt.encode(_without_none(claims), self.key, algorithm, _without_none(header))


class Issuer:
    """A Kubernetes cluster that signs its service accounts' tokens."""

    def __init__(self, name="https://kubernetes.example"):
        self.name, self.key = name, rsa_key()
        self.pem = self.key.public_key().public_bytes(
            PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, account="calrelay-worker", **changes):
        now = int(time.time())
        claims = {"iss": self.name, "sub": f"system:serviceaccount:calrelay:{account}",
                  "aud": ["api://AzureADTokenExchange"], "jti": str(uuid.uuid4()),
                  "nbf": now, "iat": now, "exp": now + 3600, **changes}
        return jwt.encode(_without_none(claims), self.key, "RS256", {"kid": "1"})


def _without_none(members):
    return {name: value for name, value in members.items() if value is not None}
