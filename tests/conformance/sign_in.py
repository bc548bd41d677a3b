#!/usr/bin/python3
"""sign_in.py - signs one person in and prints a refresh token for the conformance suite.

Takes CONFORMANCE_LOGIN_URL, CONFORMANCE_TENANT_ID, CONFORMANCE_CLIENT_ID, CONFORMANCE_CLIENT_SECRET
and CONFORMANCE_REDIRECT_URI: a loopback address that is registered as a redirect of type web."""
import http.server
import os
import pathlib
import secrets
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from parts import microsoft  # noqa: E402

REDIRECT_URI = "http://localhost:8400/"
LOGIN_URL = "https://login.microsoftonline.com"


class Callback(http.server.BaseHTTPRequestHandler):
    """Notes the query of the one request that comes back from Microsoft."""

    def do_GET(self):  # noqa: N802: the name is http.server's
        self.server.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        text = b"Back to the terminal.\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments):
        pass  # the query holds a code


def application(settings=os.environ):
    return microsoft.Application(
        settings.get("CONFORMANCE_LOGIN_URL", LOGIN_URL), settings["CONFORMANCE_TENANT_ID"],
        settings["CONFORMANCE_CLIENT_ID"], settings["CONFORMANCE_CLIENT_SECRET"],
        settings.get("CONFORMANCE_REDIRECT_URI", REDIRECT_URI))


def sign_in(app, visit):
    """Lets visit(url) bring a browser to Microsoft; the tokens that the code brings."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    port = urllib.parse.urlsplit(app.redirect_uri).port
    with http.server.HTTPServer(("127.0.0.1", port), Callback) as server:
        server.query = {}
        visit(app.authorize_url(
            state=state, code_challenge=microsoft.challenge(verifier), prompt="select_account",
            scope=f"{microsoft.SCOPES} {microsoft.SETTINGS_SCOPE}"))
        while server.query.get("state") != state:
            server.handle_request()
    if "code" not in server.query:
        sys.exit(f"Microsoft said: {server.query}")
    answer = app.redeem(server.query["code"], verifier)
    if answer.status_code != 200:
        sys.exit(f"no tokens: {answer.status_code} {answer.text}")
    return answer.json()


if __name__ == "__main__":
    tokens = sign_in(application(), lambda url: print(f"visit {url}", file=sys.stderr))
    print(tokens["refresh_token"])
