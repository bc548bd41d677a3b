"""secrets.py - what no log may hold, and the tokens in a system's database, opened apart from our C."""
import base64
import re

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# States, verifiers, nonces, codes, tokens, cookies and sealed text are 256 bits or more in base64; a
# JWT begins with a brace in it.
RANDOM = re.compile(r"eyJ[A-Za-z0-9_-]{10,}|[A-Za-z0-9_-]{43,}")


def opened_tokens(system):
    """The access and refresh tokens of every connection."""
    name, key = (system.folder / "token-keys").read_text().strip().split(":", 1)
    tokens = []
    for row in system.sql("SELECT id, access_token, refresh_token FROM calendar_connections"):
        for column in ("access_token", "refresh_token"):
            version, key_id, sealed = row[column].split(":")
            assert (version, key_id) == ("v1", name)
            raw = base64.b64decode(sealed, validate=True)
            place = f"calendar_connections|{row['id']}|{column}".encode()
            tokens.append(AESGCM(base64.b64decode(key)).decrypt(raw[:12], raw[12:], place).decode())
    return tokens


def looks_random(text):
    """Names and numbers of that length don't mix all three."""
    return all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def leaks(text, known):
    """What a log shows of the known secrets and of what looks like one, shortened."""
    found = [secret for secret in known if secret in text]
    found += [run for run in RANDOM.findall(text) if looks_random(run)]
    return [f"{secret[:6]}…" for secret in found]
