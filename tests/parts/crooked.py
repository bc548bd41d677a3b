"""crooked.py - a Microsoft that answers whatever a test tells it to, and keeps what it was asked.

The fake is strict and right; this is for what Microsoft, or something in between, should never say.
"""
import base64
import email.utils
import http.server
import json
import threading
import time
import urllib.parse

TENANT = "11111111-2222-3333-4444-555555555555"
ACCOUNT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
GRANTED = "https://graph.microsoft.com/Calendars.ReadWrite https://graph.microsoft.com/User.Read"


class Answer:
    def __init__(self, body, status=200, **headers):
        self.body, self.status = body, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Crooked(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked, self.answers = [], {}
        self.clock_off_s = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def say(self, **answers):
        """What is answered from now on, by the path's last part."""
        self.answers = answers
        self.asked.clear()

    def paths(self):
        return [path for _, path in self.asked]

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() + self.server.clock_off_s, usegmt=True)

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, path))
        answer = self.server.answers.get(path.rsplit("/", 1)[1].replace("-", "_"))
        answer = answer or Answer({"error": "unexpected"}, 404)
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def log_message(self, *_):
        pass


def tokens(crooked, nonce, claims=None, **changes):
    """A good answer of the token endpoint but for the changes; None takes a member away."""
    now = int(time.time()) + crooked.clock_off_s
    payload = {"iss": f"{crooked.url}/{TENANT}/v2.0", "aud": "calrelay-client", "nonce": nonce,
               "tid": TENANT, "oid": ACCOUNT, "iat": now, "exp": now + 3600,
               "preferred_username": "ada@example.com", **(claims or {})}
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    answer = {"token_type": "Bearer", "scope": GRANTED, "expires_in": 3599,
              "access_token": "an-access-token", "refresh_token": "a-refresh-token",
              "id_token": f"e30.{encoded}.c2ln", **changes}
    return {name: value for name, value in answer.items() if value is not None}
