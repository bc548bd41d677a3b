"""A database that was copied or set back writes to no calendar before somebody arms it."""
import contextlib
import subprocess

import pytest
import requests

from parts.process import free_port


@pytest.fixture
def movable(system):
    """The whole pipeline on a server of its own, whose place another one may take: the programs know
    two addresses, as behind a failover, and go where they may write."""
    shared = system.postgres
    system.move_to_own_server()
    yield system
    for program in system.programs:
        program.kill9()
    for server in system.servers:
        server.stop("immediate")
    system.move_to(shared)


def also_at(system, port):
    """A server that comes to listen there may take the place of the first."""
    for program in (system.producer, system.connect, system.worker):
        url = program.settings["DATABASE_URL"]
        program.with_settings(DATABASE_URL=url.replace(
            "/" + system.database, f",127.0.0.1:{port}/{system.database}"
            "?target_session_attrs=read-write"))


def command(system, *words):
    """(exit status, stdout, stderr) of the worker's program."""
    done = subprocess.run([*map(str, system.worker.argv), *words], env=system.worker.env,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def committed(system):
    return [system.kafka.committed(system.group, topic)
            for topic in (system.topic, system.requests_topic)]


def wait_held(system, why):
    def says_so():
        ready = requests.get(system.worker.url + "/readyz", timeout=5)
        return ready.status_code == 503 and why in ready.text
    system.wait_until(says_so, 60, "calendars are held")
    assert system.worker.metric("calrelay_worker_disarmed") == 1
    assert system.worker.is_live()


def assert_nothing_is_done(system, why):
    """Neither by the worker that runs nor by commands; whoever asks is told the way out."""
    before, mark = committed(system), system.fake.mark()
    rows = "SELECT * FROM synced_calendar_events ORDER BY id"
    mapping = system.sql(rows)
    system.sql("UPDATE calendar_connections SET token_expires_at = now()")
    system.sql("INSERT INTO calendar_sync_requests (user_id, kind) "
               "SELECT user_id, 'full' FROM calendar_connections")
    system.wait_published(60)

    status, said, _ = command(system, "--check")
    assert status == 1 and f"FAIL  armed: {why}" in said and "calrelay-worker arm" in said
    status, _, problem = command(system, "verify")
    assert status != 0 and why in problem

    assert system.worker.metric("calrelay_worker_disarmed") == 1
    # the two commands have looked whether Microsoft is there
    assert system.fake.requests(mark, kinds={"token", "batch", "list", "create", "update",
                                             "delete"}) == []
    assert committed(system) == before and system.sql(rows) == mapping
    assert system.worker.log_text().count("calendars are held") == 1


def goes_on_armed(system):
    status, said, problem = command(system, "arm")
    assert (status, problem) == (0, ""), problem
    first, second = said.splitlines()
    assert first.startswith("was armed: ") and second.startswith("is armed: ")
    assert first.partition(": ")[2] != second.partition(": ")[2]
    system.worker.wait_ready()
    system.wait_calendars_equal_plan(60)
    system.wait_committed(60)
    status, said, _ = command(system, "arm")  # once more changes nothing
    assert status == 0 and [line.partition(": ")[2] for line in said.splitlines()] == \
        [second.partition(": ")[2]] * 2


def planned(system, people):
    project = system.create_project("Acme Corp", "2026-03-02", "2026-03-06")
    assignments = system.create_assignments(project, people * 2)
    system.wait_calendars_equal_plan(60)
    system.wait_committed()
    return project, assignments


def plan_on(system, project, people, assignments):
    """What a backup taken before does not have, in everybody's calendar."""
    system.create_assignments(project, people)
    system.bulk_update_assignment_status(assignments, "confirmed")
    system.wait_calendars_equal_plan(60)
    system.wait_committed()


@contextlib.contextmanager
def restored(system):
    """The dump of the database as another one of the same server, which the programs then use."""
    original, slot, copy = system.database, system.slot, system.database + "_copy"
    dump = subprocess.run(["pg_dump", "-d", system.postgres.url(original)], check=True,
                          capture_output=True, text=True).stdout

    def restore():
        system.postgres.execute("postgres", f"CREATE DATABASE {copy} TEMPLATE template0")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                        system.postgres.url(copy)], input=dump, text=True, check=True,
                       stdout=subprocess.DEVNULL)
        system.database = system.slot = copy
        system.move_to(system.postgres)
        system.producer.with_settings(CALRELAY_SLOT=copy)
    yield restore
    for program in system.programs:
        program.kill9()
    if system.database == copy:
        system.database, system.slot = original, slot
        system.move_to(system.postgres)
        system.postgres.drop_database(copy, copy)


def test_a_restored_dump_writes_to_no_calendar_before_it_is_armed(pipeline):
    people = pipeline.connect_people(3)
    project, assignments = planned(pipeline, people)
    with restored(pipeline) as restore:
        plan_on(pipeline, project, people, assignments)
        for program in (pipeline.worker, pipeline.producer, pipeline.connect):
            assert program.sigterm() == 0
        restore()
        pipeline.redate_project(project, "2026-06-01", "2026-06-02")
        for program in (pipeline.producer, pipeline.connect, pipeline.worker):
            program.start()

        wait_held(pipeline, "another one was armed here")
        assert_nothing_is_done(pipeline, "this database is a copy")
        assert pipeline.differences()

        goes_on_armed(pipeline)


def test_a_server_that_is_failed_over_goes_on_by_itself(movable):
    standby = movable.postgres.standby(movable.folder / "standby")
    movable.servers.append(standby)
    also_at(movable, standby.port)
    people = movable.start().connect_people(3)
    project, assignments = planned(movable, people)
    movable.wait_until(lambda: movable.value(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'walreceiver' "
        "AND replay_lsn = pg_current_wal_lsn()") == 1)

    movable.postgres.stop("immediate")
    standby.promote()
    movable.postgres, movable._connection = standby, None

    movable.wait_until(lambda: movable.value("SELECT NOT pg_is_in_recovery()"))
    plan_on(movable, project, people, assignments)
    assert movable.sql("SELECT timeline FROM calrelay_armed") == [{"timeline": 2}]
    assert "calendars are held" not in movable.worker.log_text()


def test_a_server_that_is_set_back_while_workers_run_is_held_before_it_is_armed(movable):
    """Everything that the server says of itself is as before, but for the timeline; and Kafka has
    what its tables lost."""
    port = free_port()
    also_at(movable, port)
    people = movable.start().connect_people(3)
    project, assignments = planned(movable, people)
    backup = movable.postgres.base_backup(movable.folder / "backup").listen_at(port)
    movable.servers.append(backup)
    plan_on(movable, project, people, assignments)

    movable.postgres.stop("immediate")
    backup.recover()
    movable.postgres, movable._connection = backup, None

    wait_held(movable, "was set back")
    assert_nothing_is_done(movable, "this database was set back")
    assert movable.differences()

    goes_on_armed(movable)
