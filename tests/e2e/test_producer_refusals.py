"""What the producer does not start with: each is one line, and doing what it says mends it."""
import subprocess

import pytest

from parts.pgbouncer import PgBouncer
from parts.postgres import Postgres
from parts.records import add_assignments, add_users

HARM = {
    "a publication that lacks a table": "ALTER PUBLICATION calrelay DROP TABLE project_assignments",
    "a publication that is gone": "DROP PUBLICATION calrelay",
    "a publication that hides deletions": "ALTER PUBLICATION calrelay SET (publish = 'insert')",
    "a publication that shows tokens": "ALTER PUBLICATION calrelay ADD TABLE calendar_connections",
    "requests published with their updates": "ALTER PUBLICATION calrelay_requests SET (publish = "
                                             "'insert, update')",
    "projects that hide their old row": "ALTER TABLE projects REPLICA IDENTITY DEFAULT",
    "rows that are hidden": "DROP POLICY calrelay_reads ON project_assignments",
    "a table that may not be read": "REVOKE SELECT ON projects FROM calrelay_producer",
}


def finding_of(system):
    """The one thing that --check finds, which is also what stops the program."""
    status, lines = system.producer.check()
    findings = [line.removeprefix("FAIL  ") for line in lines if line.startswith("FAIL  ")]
    assert status == 1 and len(findings) == 1, lines
    system.producer.start()
    assert system.producer.wait(30) == 1
    return findings[0]


def assert_said_at_the_start(system, finding):
    """JSON on the way out, so the quotes of an identifier would stand escaped."""
    assert finding.replace('"', '\\"') in system.producer.log_text()


@pytest.mark.parametrize("harm", HARM)
def test_what_is_wrong_with_the_database_is_said_in_a_line_that_mends_it(system, harm):
    """Bad inputs 58 and 59."""
    add_assignments(system, system.create_project(), add_users(system, 1))
    system.sql(HARM[harm])

    finding = finding_of(system)
    assert_said_at_the_start(system, finding)

    system.sql(finding.rpartition("run ")[2])
    system.producer.start().wait_ready()
    assert system.kafka.count(system.topic) == 1


def test_a_role_that_may_not_replicate_is_told_so_at_the_start(system):
    """Bad input 58."""
    system.sql("CREATE ROLE plain_login LOGIN IN ROLE calrelay_producer")
    try:
        system.producer.with_settings(
            DATABASE_URL=system.postgres.url(system.database, "plain_login"))
        system.producer.start()
        assert system.producer.wait(30) == 1
        assert "run ALTER ROLE plain_login REPLICATION" in system.producer.log_text()

        system.sql("ALTER ROLE plain_login REPLICATION")
        system.producer.start().wait_ready()
        system.producer.kill9()
    finally:
        system.sql("DROP ROLE plain_login")


def test_a_server_that_logs_too_little_is_told_how_to_log_more(system):
    """Bad input 58."""
    postgres = Postgres(system.folder, wal_level="replica").start()
    try:
        postgres.create_template()
        postgres.create_database(system.database)
        system.producer.with_settings(
            DATABASE_URL=postgres.url(system.database, "producer_login"))

        finding = finding_of(system)
        assert finding.startswith("wal_level is replica: run ")
        assert_said_at_the_start(system, finding)

        statement, _, rest = finding.partition(": run ")[2].partition(" and ")
        assert rest == "restart PostgreSQL"
        postgres.execute("postgres", statement)
        postgres.restart()
        system.producer.start().wait_ready()
        system.producer.kill9()
    finally:
        postgres.stop("immediate")


def test_check_says_what_a_start_will_do_about_the_slot(source):
    def said():
        return [line for line in source.producer.check()[1] if f"slot {source.slot} " in line]

    add_assignments(source, source.create_project(), add_users(source, 1))
    source.wait_published()
    assert said() == [f"ok    slot {source.slot} is there"]

    assert source.producer.sigterm() == 0
    source.sql("SELECT pg_drop_replication_slot(%s)", source.slot)
    [finding] = said()
    assert finding.startswith(f"FAIL  slot {source.slot} is gone")

    source.sql(finding.rpartition(": ")[2])
    assert said() == [f"ok    slot {source.slot} does not exist: it is created at the start"]


@pytest.mark.parametrize("ignored", ["", "replication"])
def test_a_pooler_in_front_of_the_server_is_recognized(system, ignored):
    """Also by the second connection, which meets what the first one left prepared behind it; and
    where it only drops the wish to replicate, and takes what follows for SQL."""
    pooler = PgBouncer(system.postgres, system.folder, "producer_login", ignored)
    pooler.start(system.database)
    system.producer.with_settings(DATABASE_URL=pooler.url(system.database))
    try:
        for _ in range(2):
            finding = finding_of(system)
            assert finding.startswith("DATABASE_URL leads to a connection pooler")
            assert "use the direct connection, port 5432" in finding
            assert_said_at_the_start(system, finding)
    finally:
        pooler.process.stop()

    system.producer.with_settings(
        DATABASE_URL=system.postgres.url(system.database, "producer_login"))
    system.producer.start().wait_ready()


@pytest.mark.parametrize("host", ["aws-0-eu-central-1.pooler.supabase.com", "db.x.supabase.co"])
def test_supabases_transaction_pooler_is_known_by_its_address(system, host):
    url = f"postgresql://postgres.x:secret@{host}:6543/postgres"
    system.producer.with_settings(DATABASE_URL=url)
    for option in ([], ["--check"]):
        done = subprocess.run([*system.producer.argv, *option], env=system.producer.env,
                              capture_output=True, text=True, timeout=20)
        [line] = (done.stdout + done.stderr).splitlines()
        assert done.returncode > 0
        assert "port 6543" in line and "use the direct connection, port 5432" in line
        assert "secret" not in line


def test_a_server_that_is_not_there_and_has_a_poolers_port_may_be_a_pooler(system):
    system.producer.with_settings(DATABASE_URL="postgresql://producer_login@127.0.0.1:6543/amidash")
    status, lines = system.producer.check()
    assert status == 1
    [finding] = [line for line in lines if line.startswith("FAIL  ")]
    assert "use the direct connection, port 5432" in finding
