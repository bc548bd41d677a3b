"""crowd.py - many connected people: tokens straight from the fake, rows into PostgreSQL."""
import base64
import collections
import hashlib
import os
import urllib.parse
import uuid

import psycopg2.extras
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from parts import murmur2
from parts.system import CLIENT_ID, CLIENT_SECRET

SCOPES = "openid profile offline_access User.Read Calendars.ReadWrite"
NONCE_BYTES = 12
VERIFIER = "v" * 43
PROFILES = "INSERT INTO profiles (id, email, full_name) VALUES %s"
CONNECTIONS = """
INSERT INTO calendar_connections (id, user_id, access_token, refresh_token, token_expires_at,
    outlook_email, status, scopes, time_zone, adopted_at) VALUES %s
"""
CONNECTION = ("(%s, %s, %s, %s, now() + interval '59 minutes', %s, 'active', %s, 'Europe/Berlin', "
              "now())")

Member = collections.namedtuple("Member", "user_id email token refresh")


def add_members(system, count, partitions):
    """Profiles, mailboxes, and active connections as if each had gone through connect's routes; as
    many of one partition as of another."""
    known = system.value("SELECT count(*) FROM profiles")
    members = [sign_up(system, known + number, number % partitions, partitions)
               for number in range(count)]
    rows = [(str(member.user_id), member.email, member.email) for member in members]
    insert(system, PROFILES, rows)
    insert(system, CONNECTIONS, [connection_of(system, member) for member in members], CONNECTION)
    return members


def insert(system, statement, rows, template=None):
    connection = system.postgres.connect(system.database)
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, statement, rows, template, page_size=1000)
    connection.close()


BROWSER = requests.Session()


def user_id_in(partition, partitions):
    while True:
        user_id = uuid.uuid4()
        if murmur2.partition(str(user_id).encode(), partitions) == partition:
            return user_id


def sign_up(system, number, partition, partitions):
    email = f"member{number}@example.com"
    system.fake.add_account(email, f"Member {number}", time_zone="Europe/Berlin")
    redirect = system.worker.settings["MICROSOFT_REDIRECT_URI"]
    asked = {"client_id": CLIENT_ID, "redirect_uri": redirect, "response_type": "code",
             "scope": SCOPES, "state": "s", "nonce": "n", "code_challenge": challenge(),
             "code_challenge_method": "S256", "fake_account": email}
    answer = BROWSER.get(f"{system.fake.url}/common/oauth2/v2.0/authorize", params=asked,
                         allow_redirects=False, timeout=20)
    assert answer.status_code == 302, f"{answer.status_code} {answer.text}"
    query = urllib.parse.urlsplit(answer.headers["Location"]).query
    answer = BROWSER.post(f"{system.fake.url}/common/oauth2/v2.0/token", timeout=20, data={
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": redirect,
        "grant_type": "authorization_code", "code": urllib.parse.parse_qs(query)["code"][0],
        "code_verifier": VERIFIER})
    assert answer.ok, f"{answer.status_code} {answer.text}"
    tokens = answer.json()
    return Member(user_id_in(partition, partitions), email, tokens["access_token"],
                  tokens["refresh_token"])


def challenge():
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def connection_of(system, member):
    row_id = str(uuid.uuid4())
    return (row_id, str(member.user_id), sealed(system, row_id, "access_token", member.token),
            sealed(system, row_id, "refresh_token", member.refresh), member.email, SCOPES)


def sealed(system, row_id, column, token):
    """As common/seal.h says: AES-256-GCM, bound to row and column."""
    name, _, key = (system.folder / "token-keys").read_text().strip().partition(":")
    nonce = os.urandom(NONCE_BYTES)
    place = f"calendar_connections|{row_id}|{column}"
    secret = AESGCM(base64.b64decode(key)).encrypt(nonce, token.encode(), place.encode())
    return f"v1:{name}:{base64.b64encode(nonce + secret).decode()}"
