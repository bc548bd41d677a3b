"""pgbouncer.py - a connection pooler in front of a database, as hosters put one there."""
import os
import pwd

from .postgres import connect_to
from .process import Process, free_port, wait_until

SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server} user={login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
ignore_startup_parameters = {ignored}
"""


class PgBouncer:
    """In transaction mode, which is what Supabase's port 6543 is."""

    def __init__(self, postgres, folder, login, ignored=""):
        self.login, self.port = login, free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(server=postgres.port, login=login, port=self.port,
                                            ignored=ignored))
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # it refuses to be root
        folder.chmod(0o711)
        self.process = Process("pgbouncer", ["/usr/sbin/pgbouncer", settings],
                               folder / "pgbouncer.log", env={"PATH": os.environ["PATH"]},
                               user=user)

    def url(self, database):
        return f"postgresql://{self.login}@127.0.0.1:{self.port}/{database}"

    def start(self, database):
        self.process.start()
        wait_until(lambda: connect_to(self.url(database)).close() is None, 10,
                   "PgBouncer accepts", [self.process])
        return self
