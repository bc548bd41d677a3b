"""Stories of the schema: migrations, who may do what, what is published.

On a server of its own: roles belong to a server, and here the migrations have to make them.
"""
import contextlib
import os
import shutil
import subprocess

import psycopg2
import pytest

from parts.postgres import Postgres
from parts.process import ROOT, Folder

MIGRATIONS = sorted((ROOT / "schemas/sql").glob("[0-9][0-9][0-9]_*.sql"))
HOST = ROOT / "tests/fixtures/host.sql"
PLAN = ROOT / "tests/fixtures/plan.sql"
PROGRAMS = {"calrelay_producer", "calrelay_worker", "calrelay_connect"}
ANNA, BEN = "00000000-0000-4000-8000-000000000101", "00000000-0000-4000-8000-000000000102"
OURS = ("calendar_connections", "synced_calendar_events", "calendar_sync_requests",
        "calrelay_partition_owner", "calrelay_partition_progress", "calrelay_source",
        "calrelay_oauth_states", "calrelay_armed", "calrelay_migrations")
S, I, U, D = "SELECT", "INSERT", "UPDATE", "DELETE"
# What each role may do with whole tables; nothing that is not here.
PRIVILEGES = {
    "calrelay_producer": {
        "projects": {S}, "project_assignments": {S}, "calendar_sync_requests": {S},
        "calrelay_source": {S, I, U}},
    "calrelay_worker": {
        "projects": {S}, "project_assignments": {S}, "calendar_connections": {S, U, D},
        "synced_calendar_events": {S, I, U}, "calendar_sync_requests": {S, I, U},
        "calrelay_partition_owner": {S, I, U}, "calrelay_partition_progress": {S, I, U},
        "calrelay_armed": {S, I, U}},
    "calrelay_connect": {
        "calendar_connections": {S, I, U, D}, "synced_calendar_events": {S},
        "calendar_sync_requests": {S, I}, "calrelay_oauth_states": {S, I, U, D}},
}
# What a role may do with single columns, beyond whole tables; nothing that is not here.
COLUMNS = {
    "calrelay_connect": {
        ("profiles", S): {"id", "email"},
        ("calendar_sync_requests", U): {"state", "error", "finished_at"}},
    "authenticated": {
        ("calendar_connections", S): {
            "id", "user_id", "provider", "token_expires_at", "outlook_email", "calendar_id",
            "created_at", "updated_at", "status", "status_reason", "scopes", "time_zone",
            "not_before", "last_synced_at", "token_version", "tenant_id", "account_id"},
        ("calendar_sync_requests", I): {"user_id", "kind"}},
}
BROWSERS = {"anon", "authenticated"}
# What PostgreSQL itself says a role may do, however it came to it: by a grant, another role or PUBLIC.
MAY_WITH_TABLES = """
SELECT role, relname, privilege
FROM unnest(%s) AS role, pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'
    ::text[]) AS privilege
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_table_privilege(role, c.oid, privilege)
"""
MAY_WITH_COLUMNS = """
SELECT role, relname, privilege, attname
FROM unnest(%s) AS role, pg_class c, pg_attribute a,
    unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) AS privilege
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    AND NOT has_table_privilege(role, c.oid, privilege)
    AND has_column_privilege(role, c.oid, attnum, privilege)
"""


# What a schema says of the plan's two tables: columns, constraints, policies, row security.
SAID = """
SELECT relname, 'column ' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'not null' END, pg_get_expr(adbin, adrelid))
FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0
    LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY (%(tables)s)
UNION SELECT relname, 'constraint', replace(pg_get_constraintdef(o.oid), 'plan.', '')
FROM pg_class c JOIN pg_constraint o ON conrelid = c.oid
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY (%(tables)s)
UNION SELECT tablename, policyname, concat_ws(' ', permissive, roles, cmd, qual, with_check)
FROM pg_policies WHERE schemaname = %(schema)s AND tablename = ANY (%(tables)s)
UNION SELECT relname, 'row security', relrowsecurity::text FROM pg_class
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY (%(tables)s)
"""


class Server(Postgres):
    """A PostgreSQL whose databases belong to an owner who is no superuser, as at Supabase."""

    def psql(self, database, *args, user="owner"):
        return subprocess.run(
            [f"{self.bin}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
             self.url(database, user), *map(str, args)], capture_output=True, text=True)

    def host(self, name):
        """A new database with the host's tables."""
        self.execute("postgres", f"CREATE DATABASE {name} OWNER owner")
        done = self.psql(name, "-f", HOST)
        assert done.returncode == 0, done.stderr
        return name

    def applier(self, database, *args, program=ROOT / "schemas/apply", **settings):
        return subprocess.Popen(
            [program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": f"{self.bin}:{os.environ['PATH']}",
                 "DATABASE_URL": self.url(database, "owner"), **settings})

    def apply(self, database, *args, **more):
        applier = self.applier(database, *args, **more)
        out, errors = applier.communicate(timeout=60)
        return applier.returncode, out, errors

    @contextlib.contextmanager
    def cursor(self, database, role=None, sub=None):
        """As the superuser, or in a role; sub is the subject of the request's JWT."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                if sub:
                    cursor.execute("SELECT set_config('request.jwt.claims', "
                                   "json_build_object('sub', %s)::text, false)", (sub,))
                if role:
                    cursor.execute(f"SET ROLE {role}")
                yield cursor
        finally:
            connection.close()

    def rows(self, database, statement, *values, role=None, sub=None):
        with self.cursor(database, role, sub) as cursor:
            cursor.execute(statement, values or None)
            return [tuple(row.values()) for row in cursor.fetchall()] if cursor.description else []


@pytest.fixture(scope="module")
def server():
    folder = Folder("calrelay-schema")
    server = Server(folder.path).start()
    server.execute("postgres", "CREATE ROLE owner LOGIN CREATEROLE")
    for role in ("anon", "authenticated", "service_role BYPASSRLS"):
        server.execute("postgres", f"CREATE ROLE {role}")
    yield server
    server.stop("immediate")
    folder.remove()


@pytest.fixture(scope="module")
def database(server):
    """The host's tables, our schema, two people who are connected, one assignment each."""
    name = server.host("amidash")
    status, _, errors = server.apply(name)
    assert status == 0, errors
    server.rows(name, "INSERT INTO profiles (id, email) VALUES (%s, 'anna@x.org'), "
                      "(%s, 'ben@x.org')", ANNA, BEN)
    server.rows(name, "WITH p AS (INSERT INTO projects (client_name) VALUES ('x') RETURNING id) "
                      "INSERT INTO project_assignments (project_id, user_id) "
                      "SELECT p.id, u.id FROM p, profiles u")
    server.rows(name, "INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
                      "token_expires_at) SELECT id, 'v1:k:a', 'v1:k:r', now() FROM profiles")
    server.rows(name, "INSERT INTO synced_calendar_events (assignment_id, connection_id) SELECT "
                      "a.id, c.id FROM project_assignments a JOIN calendar_connections c "
                      "USING (user_id)")
    return name


def refused(server, database, statement, *values, role, sub=None):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        server.rows(database, statement, *values, role=role, sub=sub)


# migrations


def test_each_migration_runs_by_itself_for_an_owner_who_is_no_superuser(server):
    name = server.host("one_by_one")
    for migration in MIGRATIONS:
        done = server.psql(name, "-f", migration)
        assert done.returncode == 0, f"{migration.name}: {done.stderr}"
    roles = {role for role, in server.rows(
        name, "SELECT rolname FROM pg_roles WHERE rolname ~ '^calrelay_' AND NOT rolcanlogin")}
    assert roles == PROGRAMS


def test_the_applier_applies_each_migration_once_and_records_it(server):
    name = server.host("applied")
    names = [migration.name for migration in MIGRATIONS]
    status, planned, _ = server.apply(name, "--dry-run")
    assert (status, planned.split("\n")[:-1]) == (0, [f"would apply {n}" for n in names])
    assert server.rows(name, "SELECT to_regclass('calrelay_migrations')") == [(None,)]
    status, out, errors = server.apply(name)
    assert status == 0, errors
    assert out.count("applied ") == len(names)
    status, out, _ = server.apply(name)
    assert status == 0 and "applied " not in out
    assert server.apply(name, "--dry-run") == (0, "", "")
    recorded = server.rows(name, "SELECT name FROM calrelay_migrations ORDER BY name")
    assert [recorded_name for recorded_name, in recorded] == names


def test_two_appliers_at_once_do_not_get_in_each_others_way(server):
    name = server.host("two_appliers")
    appliers = [server.applier(name) for _ in range(2)]
    outputs = [applier.communicate(timeout=60) for applier in appliers]
    assert [applier.returncode for applier in appliers] == [0, 0], outputs
    assert sum(out.count("applied ") for out, _ in outputs) == len(MIGRATIONS)


def test_a_migration_that_fails_leaves_nothing_behind_and_says_why(server, tmp_path):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas/sql/999_broken.sql").write_text(
        "CREATE TABLE half (id int);\nSELECT * FROM nowhere;\n")
    name = server.host("failing")
    status, out, errors = server.apply(name, program=tmp_path / "schemas/apply")
    assert status == 1 and out.count("applied ") == len(MIGRATIONS)
    assert 'psql:999_broken.sql:2: ERROR:  relation "nowhere" does not exist' in errors
    assert server.rows(name, "SELECT to_regclass('half')") == [(None,)]
    assert server.apply(name)[0] == 0  # the version without it has nothing to do


def test_a_migration_that_changed_after_it_ran_is_refused(server, tmp_path):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    name = server.host("changed")
    assert server.apply(name)[0] == 0
    with open(tmp_path / "schemas/sql" / MIGRATIONS[2].name, "a") as migration:
        migration.write("-- one line more\n")
    status, _, errors = server.apply(name, program=tmp_path / "schemas/apply")
    assert status == 1 and f"{MIGRATIONS[2].name} was changed after it had been applied" in errors


def test_the_applier_says_what_is_wrong_with_its_settings(server):
    name = server.host("settings")
    assert server.apply(name, "--nonsense")[0] == 64
    applier = subprocess.run([ROOT / "schemas/apply"], env={"PATH": os.environ["PATH"]},
                             capture_output=True, text=True)
    assert applier.returncode == 78
    assert applier.stderr == "schemas/apply: DATABASE_URL is not set: give the database's libpq URI\n"


@pytest.mark.parametrize("harm, said", [
    (("public", "Public"), "no plain lower-case SQL identifier: 'Public'"),
    (('"table": "projects"', '"table": "projects; DROP"'), "no plain lower-case SQL identifier"),
    (('"table": "profiles", ', ""), "a name is missing"),
    (("{", ""), "invalid input syntax for type json")])
def test_a_mapping_file_that_is_no_good_applies_nothing(server, tmp_path, harm, said):
    mapping = tmp_path / "mapping.json"
    mapping.write_text((ROOT / "common/amidash.mapping.json").read_text().replace(*harm, 1))
    name = server.host("unmapped")
    status, _, errors = server.apply(name, CALRELAY_MAPPING_FILE=mapping)
    tables = server.rows(name, "SELECT to_regclass('calrelay_migrations')")
    server.execute("postgres", f"DROP DATABASE {name}")
    assert status == 78 and said in errors
    assert tables == [(None,)]


def test_supabases_cli_gets_every_migration_once_and_in_order(server, tmp_path):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    later = tmp_path / "schemas/sql" / MIGRATIONS[-1].name
    folder = tmp_path / "migrations"
    folder.mkdir()

    def copied():
        done = subprocess.run([tmp_path / "schemas/apply", "--supabase", "migrations"],
                              cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return sorted(path.name for path in folder.iterdir())

    later.rename(tmp_path / "later.sql")
    for name in copied():
        (folder / name).rename(folder / f"2025{name[4:]}")  # and time passes
    first = {path.name for path in folder.iterdir()}
    assert set(copied()) == first
    (tmp_path / "later.sql").rename(later)
    files = copied()
    assert len({name.partition("_")[0] for name in files}) == len(files) == len(MIGRATIONS)
    assert [name.partition("_calrelay_")[2] for name in files] == [m.name for m in MIGRATIONS]
    name = server.host("by_supabase")
    for file in files:
        done = server.psql(name, "-f", folder / file)
        assert done.returncode == 0, done.stderr


def test_a_host_without_supabase_needs_neither_auth_uid_nor_its_roles(server):
    server.execute("postgres", "CREATE DATABASE plain OWNER owner")
    tables = HOST.read_text().partition("CREATE TABLE public.profiles")
    tables = "".join(tables[1:]).partition("CREATE POLICY")[0]
    done = server.psql("plain", "-c", tables)
    assert done.returncode == 0, done.stderr
    status, _, errors = server.apply("plain")
    assert status == 0, errors
    assert server.rows("plain", "SELECT policyname FROM pg_policies "
                                "WHERE policyname NOT LIKE 'calrelay%%'") == []


# the plan


def test_the_plans_tables_keep_its_columns_constraints_and_policies(server):
    """But for what 002 says: a removed assignment leaves its row, an intent has no event id yet."""
    name = server.host("as_planned")
    assert server.apply(name)[0] == 0
    server.rows(name, f"CREATE SCHEMA plan; SET search_path = plan, public; {PLAN.read_text()}")

    def said(schema):
        with server.cursor(name) as cursor:
            cursor.execute(SAID, {"schema": schema, "tables": [
                "calendar_connections", "synced_calendar_events"]})
            return {tuple(row.values()) for row in cursor.fetchall()}
    planned = said("plan")
    assert len(planned) == 15 + 7 + 4 + 2
    assert planned - said("public") == {
        ("synced_calendar_events", "column external_event_id", "text not null"),
        ("synced_calendar_events", "constraint", "FOREIGN KEY (assignment_id) REFERENCES "
                                                 "project_assignments(id) ON DELETE CASCADE")}


def test_a_disconnect_takes_effect_where_a_browser_inserts_its_row(server):
    name = server.host("ending")
    assert server.apply(name)[0] == 0
    server.rows(name, "INSERT INTO profiles (id, email) VALUES (%s, 'anna@x.org'), "
                      "(%s, 'ben@x.org')", ANNA, BEN)
    server.rows(name, "INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
                      "token_expires_at) SELECT id, 'v1:k:a', 'v1:k:r', now() FROM profiles")
    filed = "INSERT INTO calendar_sync_requests (user_id, kind) VALUES (%s, %s)"
    server.rows(name, filed, ANNA, "disconnect", role="authenticated", sub=ANNA)
    server.rows(name, filed, BEN, "full", role="authenticated", sub=BEN)
    assert server.rows(name, "SELECT user_id, status, access_token, refresh_token, token_version "
                             "FROM calendar_connections ORDER BY user_id") == [
        (ANNA, "disconnecting", "", "", 1), (BEN, "active", "v1:k:a", "v1:k:r", 0)]


# the browser


def test_the_browser_sees_its_own_connection_without_the_tokens(server, database):
    rows = server.rows(database, "SELECT user_id, status FROM calendar_connections",
                       role="authenticated", sub=ANNA)
    assert rows == [(ANNA, "active")]
    for column in ("access_token", "refresh_token", "*"):
        refused(server, database, f"SELECT {column} FROM calendar_connections",
                role="authenticated", sub=ANNA)


@pytest.mark.parametrize("statement", [
    "UPDATE calendar_connections SET outlook_email = 'x'",
    "DELETE FROM calendar_connections",
    "INSERT INTO calendar_connections (user_id, access_token, refresh_token, token_expires_at) "
    f"VALUES ('{ANNA}', 'a', 'r', now())"])
def test_the_browser_changes_no_connection(server, database, statement):
    refused(server, database, statement, role="authenticated", sub=ANNA)


def test_the_browser_files_its_own_requests_only(server, database):
    filed = "INSERT INTO calendar_sync_requests (user_id, kind) VALUES (%s, 'full')"
    server.rows(database, filed, ANNA, role="authenticated", sub=ANNA)
    rows = server.rows(database, "SELECT user_id, kind, state, total, remove_events "
                                 "FROM calendar_sync_requests")
    assert rows == [(ANNA, "full", "requested", 0, False)]
    refused(server, database, filed, BEN, role="authenticated", sub=ANNA)
    for column, value in (("state", "done"), ("remove_events", "true"), ("due_at", "now")):
        refused(server, database, f"INSERT INTO calendar_sync_requests (user_id, kind, {column}) "
                                  f"VALUES (%s, 'full', '{value}')", ANNA, role="authenticated",
                sub=ANNA)
    refused(server, database, filed, ANNA, role="anon", sub=ANNA)
    with pytest.raises(psycopg2.errors.CheckViolation):
        server.rows(database, "INSERT INTO calendar_sync_requests (user_id, kind) "
                              "VALUES (%s, 'purge')", ANNA, role="authenticated", sub=ANNA)


@pytest.mark.parametrize("role", sorted(BROWSERS))
def test_the_browser_reads_no_other_table_of_ours_and_nobody_elses_row(server, database, role):
    for table in OURS:
        refused(server, database, f"SELECT * FROM {table}", role=role, sub=ANNA)
        refused(server, database, f"DELETE FROM {table}", role=role, sub=ANNA)
        if table != "calendar_connections":
            refused(server, database, f"SELECT count(*) FROM {table}", role=role, sub=ANNA)
    if role == "authenticated":
        assert server.rows(database, "SELECT user_id FROM calendar_connections WHERE user_id <> %s",
                           ANNA, role=role, sub=ANNA) == []
        assert server.rows(database, "SELECT user_id FROM calendar_connections", role=role) == []


# every role


def may(server, database, roles):
    """{role: {table: privileges}} and {role: {(table, privilege): columns}}; for the browser, of
    our tables: what it may do with the host's is the host's affair."""
    tables, columns = {}, {}
    for role, table, privilege in server.rows(database, MAY_WITH_TABLES, sorted(roles)):
        if role not in BROWSERS or table in OURS:
            tables.setdefault(role, {}).setdefault(table, set()).add(privilege)
    for role, table, privilege, column in server.rows(database, MAY_WITH_COLUMNS, sorted(roles)):
        if role not in BROWSERS or table in OURS:
            columns.setdefault(role, {}).setdefault((table, privilege), set()).add(column)
    return tables, columns


def test_each_role_may_do_exactly_what_it_needs(server, database):
    """Whoever adds or takes a privilege changes the lists above."""
    tables, columns = may(server, database, PROGRAMS | BROWSERS)
    assert tables == PRIVILEGES
    assert columns == COLUMNS


def test_public_may_do_nothing_with_what_is_ours(server, database):
    """As a role that was granted nothing: what it may do, everybody may."""
    server.rows(database, "CREATE ROLE nobody_at_all")
    tables, columns = may(server, database, {"nobody_at_all"})
    assert (tables, columns) == ({}, {})
    assert server.rows(database, "SELECT relname FROM pg_class WHERE relkind = 'S' "
                                 "AND relnamespace = 'public'::regnamespace") == []


def test_no_function_of_ours_runs_with_its_owners_rights_and_the_callers_search_path(
        server, database):
    """And none at all that somebody could be led to another schema by."""
    unpinned = server.rows(
        database, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                  "AND prosecdef AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting "
                  "WHERE setting LIKE 'search_path=%%')")
    assert unpinned == []


def test_no_program_is_more_than_its_privileges(server, database):
    """No superuser, no way round row security, no other role's member; the schema is not theirs."""
    assert server.rows(
        database, "SELECT rolname FROM pg_roles r WHERE rolname ~ '^calrelay_' AND (rolsuper OR "
                  "rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin OR "
                  "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid))") == []
    assert server.rows(
        database, "SELECT rolname FROM pg_roles WHERE rolname ~ '^calrelay_' "
                  "AND has_schema_privilege(rolname, 'public', 'CREATE')") == []


# the programs


@pytest.mark.parametrize("role", sorted(PROGRAMS))
def test_row_security_hides_no_row_from_a_program_that_reads_the_table(server, database, role):
    for table in (table for table, may in PRIVILEGES[role].items() if S in may):
        everything = server.rows(database, f"SELECT count(*) FROM {table}")
        assert server.rows(database, f"SELECT count(*) FROM {table}", role=role) == everything, table


def test_row_security_is_on_for_every_table_of_ours(server, database):
    secured = {table for table, in server.rows(
        database, "SELECT relname FROM pg_class WHERE relrowsecurity "
                  "AND relnamespace = 'public'::regnamespace")}
    assert secured >= set(OURS)


def test_connect_reads_only_who_a_person_is(server, database):
    assert len(server.rows(database, "SELECT id, email FROM profiles", role="calrelay_connect")) == 2
    refused(server, database, "SELECT full_name FROM profiles", role="calrelay_connect")
    refused(server, database, "SELECT id FROM projects", role="calrelay_connect")


def test_the_producer_never_sees_a_token(server, database):
    refused(server, database, "SELECT access_token FROM calendar_connections",
            role="calrelay_producer")
    published = server.rows(database, "SELECT pubname, tablename FROM pg_publication_tables")
    assert set(published) == {("calrelay", "projects"), ("calrelay", "project_assignments"),
                              ("calrelay_requests", "calendar_sync_requests")}


# what the pipeline relies on


def test_a_removed_assignment_leaves_its_mapping(server, database):
    removed = server.rows(database, "DELETE FROM project_assignments WHERE user_id = %s "
                                    "RETURNING id", BEN)
    kept = server.rows(database, "SELECT assignment_id FROM synced_calendar_events WHERE "
                                 "assignment_id = %s", removed[0][0])
    assert kept == removed


def test_only_inserts_of_requests_are_published(server, database):
    rows = server.rows(database, "SELECT pubname, pubinsert, pubupdate, pubdelete "
                                 "FROM pg_publication ORDER BY pubname")
    assert rows == [("calrelay", True, True, True), ("calrelay_requests", True, False, False)]


def test_changes_say_what_was_there_before(server, database):
    rows = server.rows(database, "SELECT relname FROM pg_class WHERE relreplident = 'f' "
                                 "ORDER BY relname")
    assert rows == [("project_assignments",), ("projects",)]


def test_positions_compare_as_text_in_their_own_order(server, database):
    rows = server.rows(
        database, "SELECT attname FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation "
                  "WHERE attrelid = 'synced_calendar_events'::regclass AND collname = 'C' "
                  "ORDER BY attname")
    assert rows == [("applied_pos",), ("pending_pos",)]
