-- The workload of the golden files.  Every id and every time is written down, so that two runs differ
-- in LSNs, transaction ids and commit times alone.  psql runs one section after the other; a section
-- begins with a line of four dashes, and before it the recorder waits until everybody has read the
-- last one, because Debezium looks at the tables as they are when it reads, not as they were.
-- Statements about several rows reach them by id, one after the other (no scan but that of an index).

---- before: what stands in the tables when both are started, for their snapshots
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('happy', 'sad', 'it''s "so" so');
CREATE DOMAIN price AS numeric(8, 2);
CREATE DOMAIN dearer AS price CHECK (value > 0);
CREATE DOMAIN short_text AS varchar(10) DEFAULT 'short';
CREATE DOMAIN moment AS timestamp(3);
ALTER TABLE project_assignments
    ADD c_bool bool, ADD c_int2 int2, ADD c_int4 int4, ADD c_int8 int8, ADD c_oid oid,
    ADD c_float4 float4, ADD c_float8 float8, ADD c_numeric numeric(12, 3), ADD c_whole numeric(30, 0),
    ADD c_any numeric, ADD c_money money, ADD c_date date, ADD c_time time, ADD c_time3 time(3),
    ADD c_timetz timetz, ADD c_ts timestamp, ADD c_ts0 timestamp(0), ADD c_ts3 timestamp(3),
    ADD c_tstz timestamptz, ADD c_tstz3 timestamptz(3), ADD c_interval interval, ADD c_bytea bytea,
    ADD c_bit1 bit(1), ADD c_bit bit(11), ADD c_varbit varbit, ADD c_varbit9 varbit(9), ADD c_text text,
    ADD c_varchar varchar(20), ADD c_char char(6), ADD c_chr "char", ADD c_citext citext,
    ADD c_ltree ltree, ADD c_uuid uuid, ADD c_json json, ADD c_jsonb jsonb, ADD c_xml xml,
    ADD c_inet inet, ADD c_cidr cidr, ADD c_mac macaddr, ADD c_mac8 macaddr8, ADD c_tsvector tsvector,
    ADD c_int4range int4range, ADD c_int8range int8range, ADD c_numrange numrange,
    ADD c_tsrange tsrange, ADD c_tstzrange tstzrange, ADD c_daterange daterange, ADD c_mood mood,
    ADD c_price price, ADD c_dearer dearer, ADD c_short short_text, ADD c_moment moment,
    ADD a_text text[], ADD a_varchar varchar(9)[], ADD a_bool bool[], ADD a_int2 int2[],
    ADD a_int4 int4[], ADD a_int8 int8[], ADD a_float4 float4[], ADD a_float8 float8[],
    ADD a_numeric numeric(8, 2)[], ADD a_any numeric[], ADD a_date date[], ADD a_time time[],
    ADD a_timetz timetz[], ADD a_ts timestamp[], ADD a_ts3 timestamp(3)[], ADD a_tstz timestamptz[],
    ADD a_bytea bytea[], ADD a_uuid uuid[], ADD a_json json[], ADD a_jsonb jsonb[], ADD a_inet inet[],
    ADD a_citext citext[], ADD a_oid oid[], ADD a_char char(3)[], ADD a_numrange numrange[],
    ADD t_text text, ADD t_bytea bytea, ADD t_array text[],
    ADD d_text text DEFAULT 'it''s', ADD d_int int NOT NULL DEFAULT 42, ADD d_numeric numeric(6, 2) DEFAULT 1.5,
    ADD d_bool bool DEFAULT true, ADD d_date date DEFAULT '2026-03-01', ADD d_mood mood DEFAULT 'sad',
    ADD d_sum int DEFAULT 1 + 2, ADD d_day date DEFAULT current_date, ADD d_json jsonb DEFAULT '{"a": 1}',
    ADD d_uuid uuid DEFAULT gen_random_uuid(), ADD d_bigint bigint DEFAULT '-5'::bigint,
    ADD d_varchar varchar(20) NOT NULL DEFAULT '', ADD d_null text DEFAULT NULL,
    ADD d_float float8 DEFAULT 0.5, ADD d_ts timestamp(3) DEFAULT '2026-03-01 12:00:00.5',
    ADD d_tstz timestamptz DEFAULT '2026-03-01 12:00:00+02', ADD d_time time DEFAULT '12:34';
ALTER TABLE projects ADD g_length int GENERATED ALWAYS AS (length(notes)) STORED;
ALTER TABLE project_assignments ALTER notes SET STORAGE EXTERNAL, ALTER t_text SET STORAGE EXTERNAL,
    ALTER t_bytea SET STORAGE EXTERNAL, ALTER t_array SET STORAGE EXTERNAL;
INSERT INTO profiles (id, email) VALUES
    ('aaaaaaaa-0000-4000-8000-000000000001', 'ada@example.com'),
    ('aaaaaaaa-0000-4000-8000-000000000002', 'alan@example.com'),
    ('aaaaaaaa-0000-4000-8000-000000000003', 'edsger@example.com');
INSERT INTO projects (id, client_name, start_date, end_date, notes, created_at, updated_at) VALUES
    ('bbbbbbbb-0000-4000-8000-000000000001', 'Acme', '2026-03-02', '2026-03-06', NULL, '2026-01-01Z', '2026-01-01Z'),
    ('bbbbbbbb-0000-4000-8000-000000000002', 'Globex', NULL, NULL, E'line\nline', '2026-01-01Z', '2026-01-01Z');
CREATE FUNCTION add(number int, project int, person int, text text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO project_assignments (id, project_id, user_id, notes, created_at, updated_at, d_day, d_uuid) VALUES
        (format('cccccccc-0000-4000-8000-%s', lpad(number::text, 12, '0'))::uuid,
         format('bbbbbbbb-0000-4000-8000-%s', lpad(project::text, 12, '0'))::uuid,
         format('aaaaaaaa-0000-4000-8000-%s', lpad(person::text, 12, '0'))::uuid, text,
         '2026-01-01 00:00:00Z', '2026-01-01 00:00:00.5Z', '2026-01-01', '00000000-0000-4000-8000-000000000000')
$$;
SELECT add(number, number % 2 + 1, number % 3 + 1, 'was there') FROM generate_series(1, 7) number;

---- every type, at its edges
BEGIN;
SELECT add(100, 1, 1, 'nothing else');
UPDATE project_assignments SET c_bool = true, c_int2 = -32768, c_int4 = 2147483647, c_int8 = -9223372036854775808,
    c_oid = 4294967295, c_float4 = 0.1, c_float8 = 1e300, c_numeric = -0.001, c_whole = 18446744073709551616,
    c_any = 3.1400, c_money = -12.5, c_date = '2026-11-23', c_time = '24:00:00', c_time3 = '01:02:03.567',
    c_timetz = '01:02:03.5+05:30', c_ts = '1969-12-31 23:59:59.999999', c_ts0 = '2026-01-02 03:04:05',
    c_ts3 = '2026-01-02 03:04:05.678', c_tstz = '2026-11-23 10:00:00+01', c_tstz3 = '2026-11-23 10:00:00.12+01',
    c_interval = '1 year 2 days -3 seconds', c_bytea = '\x00ff10', c_bit1 = B'1', c_bit = B'10101010101',
    c_varbit = B'1000000001', c_varbit9 = B'101', c_text = 'x', c_varchar = 'y', c_char = 'ab', c_chr = 'c', c_citext = 'Abc',
    c_ltree = 'Top.Science', c_uuid = '00000000-0000-0000-0000-00000000000a', c_json = '{"a" : [1, null]}',
    c_jsonb = '{"b": {"c": 1e3}}', c_xml = '<a>b &amp; c</a>', c_inet = '10.0.0.1/8', c_cidr = '10.0.0.0/8',
    c_mac = '08:00:2b:01:02:03', c_mac8 = '08:00:2b:01:02:03:04:05', c_tsvector = 'fat:2 cat:3A',
    c_int4range = '[1,5]', c_int8range = '(,5)', c_numrange = 'empty', c_tsrange = '[2026-01-01, 2026-01-02)',
    c_tstzrange = '[2026-01-01 00:00+02, infinity)', c_daterange = '[2026-01-01, 2026-01-05]',
    c_mood = 'it''s "so" so', c_price = 12.5, c_dearer = 0.01, c_short = 'abc', c_moment = '2026-01-02 03:04:05.678'
    WHERE id = 'cccccccc-0000-4000-8000-000000000100';
UPDATE project_assignments SET c_bool = false, c_float4 = 'NaN', c_float8 = '-Infinity', c_numeric = 999999999.999,
    c_whole = -128, c_any = 1e30, c_money = 1234567.89, c_date = 'infinity', c_time = '00:00:00.000001',
    c_timetz = '23:59:59.999999-12', c_ts = 'infinity', c_ts3 = '-infinity', c_tstz = '-infinity',
    c_tstz3 = '10000-01-01 00:00Z', c_interval = '-1 year -2 mons 3 days -04:05:06.789', c_bytea = '',
    c_bit1 = B'0', c_bit = B'00000000000', c_varbit = B'', c_char = '', c_numrange = '[1.0,5)'
    WHERE id = 'cccccccc-0000-4000-8000-000000000100';
UPDATE project_assignments SET c_float4 = 3.4028235e38, c_float8 = 5e-324, c_any = -0.000001, c_date = '0044-03-15 BC',
    c_ts = '0044-03-15 12:00:00 BC', c_tstz = '0044-03-15 12:00:00Z BC', c_interval = '1.000001 sec',
    c_numeric = 0, c_whole = 0, c_money = 0
    WHERE id = 'cccccccc-0000-4000-8000-000000000100';
UPDATE project_assignments SET c_float4 = 1e-45, c_float8 = 12345678, c_any = 0, c_date = '-infinity',
    c_ts = '1500-02-28', c_tstz = '1500-02-28Z', c_interval = '178000000 years'
    WHERE id = 'cccccccc-0000-4000-8000-000000000100';
COMMIT;

---- arrays
UPDATE project_assignments SET a_text = ARRAY['a', 'b c', NULL, 'NULL', '', 'q"\,{}'], a_varchar = ARRAY['é', U&'\+01F600'],
    a_bool = '{t,f,NULL}', a_int2 = '{1,NULL,-2}', a_int4 = '{}', a_int8 = '{9007199254740993}', a_float4 = '{0.1,NaN}',
    a_float8 = '{0.5,Infinity,1e10}', a_numeric = '{1.5,NULL,-2}', a_any = '{1.5,100}', a_date = '{2026-11-23,NULL}',
    a_time = '{01:02:03.5}', a_timetz = '{01:02:03+02}', a_ts = '{2026-01-02 03:04:05.678901}',
    a_ts3 = '{2026-01-02 03:04:05.678}', a_tstz = '{2026-01-02 03:04:05.678901+00,infinity}', a_bytea = ARRAY['\x00ff'::bytea, ''],
    a_uuid = '{00000000-0000-0000-0000-00000000000a}', a_json = ARRAY['{"a": 1}'::json], a_jsonb = ARRAY['[1]'::jsonb, NULL],
    a_inet = '{10.0.0.1}', a_citext = '{Abc}', a_oid = '{5}', a_char = '{a,b}', a_numrange = '{"[1,5)"}'
    WHERE id = 'cccccccc-0000-4000-8000-000000000001';
UPDATE project_assignments SET a_text = '[0:1]={x,y}', a_int4 = ARRAY[NULL]::int[], a_varchar = NULL
    WHERE id = 'cccccccc-0000-4000-8000-000000000001';

---- texts
UPDATE project_assignments
    SET notes = E'\u0001\b\t\n\f\r\u001f\u007f\u0080\u009f "\\/'' \u00e5\u65e5\u2028\u2029\ufeff\ufffd\ue000\uffff \U0001F600\U0010FFFF'
    WHERE id = 'cccccccc-0000-4000-8000-000000000002';
UPDATE project_assignments SET notes = '', c_char = 'é', c_varchar = E'\U0001F4C5' WHERE id = 'cccccccc-0000-4000-8000-000000000002';
UPDATE project_assignments SET notes = NULL WHERE id = 'cccccccc-0000-4000-8000-000000000002';

---- large values, which the log leaves out where they did not change
UPDATE project_assignments SET t_text = repeat('0123456789abcdef', 130), t_bytea = decode(repeat('00ff', 1050), 'hex'),
    t_array = ARRAY[repeat('é', 500), NULL, repeat('x', 1100)] WHERE id = 'cccccccc-0000-4000-8000-000000000003';
UPDATE project_assignments SET booking_status = 'confirmed' WHERE id = 'cccccccc-0000-4000-8000-000000000003';
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000002' WHERE id = 'cccccccc-0000-4000-8000-000000000003';
UPDATE project_assignments SET t_text = 'short' WHERE id = 'cccccccc-0000-4000-8000-000000000003';
DELETE FROM project_assignments WHERE id = 'cccccccc-0000-4000-8000-000000000003';

---- NULL where there is a default
UPDATE project_assignments SET d_text = NULL, d_numeric = NULL, d_bool = NULL, d_mood = NULL, d_date = NULL, d_uuid = NULL
    WHERE id = 'cccccccc-0000-4000-8000-000000000004';

---- many rows at once
SELECT add(number, 1, number % 3 + 1, 'one statement') FROM generate_series(10, 14) number;
COPY project_assignments (id, project_id, user_id, notes, created_at, updated_at, d_day, d_uuid) FROM STDIN;
cccccccc-0000-4000-8000-000000000020	bbbbbbbb-0000-4000-8000-000000000001	aaaaaaaa-0000-4000-8000-000000000001	\N	2026-01-01 00:00:00Z	2026-01-01 00:00:00Z	2026-01-01	\N
cccccccc-0000-4000-8000-000000000021	bbbbbbbb-0000-4000-8000-000000000002	aaaaaaaa-0000-4000-8000-000000000002	tab\there	2026-01-01 00:00:00Z	2026-01-01 00:00:00Z	2026-01-01	\N
cccccccc-0000-4000-8000-000000000022	bbbbbbbb-0000-4000-8000-000000000002	aaaaaaaa-0000-4000-8000-000000000002	é	2026-01-01 00:00:00Z	2026-01-01 00:00:00Z	2026-01-01	\N
cccccccc-0000-4000-8000-000000000023	bbbbbbbb-0000-4000-8000-000000000001	aaaaaaaa-0000-4000-8000-000000000003		2026-01-01 00:00:00Z	2026-01-01 00:00:00Z	2026-01-01	\N
\.
UPDATE project_assignments SET booking_status = 'option'
    WHERE id BETWEEN 'cccccccc-0000-4000-8000-000000000010' AND 'cccccccc-0000-4000-8000-000000000014';
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000003'
    WHERE id BETWEEN 'cccccccc-0000-4000-8000-000000000010' AND 'cccccccc-0000-4000-8000-000000000014';
UPDATE project_assignments SET notes = notes WHERE id = 'cccccccc-0000-4000-8000-000000000010';
DELETE FROM project_assignments
    WHERE id BETWEEN 'cccccccc-0000-4000-8000-000000000013' AND 'cccccccc-0000-4000-8000-000000000014';

---- transactions: savepoints, what is taken back, subtransactions
BEGIN;
SELECT add(30, 1, 1, 'stays');
SAVEPOINT one;
SELECT add(31, 1, 1, 'goes');
SAVEPOINT two;
UPDATE project_assignments SET notes = 'goes' WHERE id = 'cccccccc-0000-4000-8000-000000000030';
ROLLBACK TO one;
UPDATE projects SET client_name = 'Acme 2' WHERE id = 'bbbbbbbb-0000-4000-8000-000000000001';
SAVEPOINT three;
SELECT add(32, 2, 2, 'stays, too');
RELEASE three;
UPDATE project_assignments SET notes = 'twice' WHERE id = 'cccccccc-0000-4000-8000-000000000032';
UPDATE project_assignments SET notes = 'thrice' WHERE id = 'cccccccc-0000-4000-8000-000000000032';
COMMIT;
BEGIN;
SELECT add(33, 1, 1, 'never');
ROLLBACK;
DO $$
BEGIN
    PERFORM add(34, 2, 3, 'outside');
    BEGIN
        PERFORM add(35, 2, 3, 'inside');
        RAISE 'no';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    BEGIN
        PERFORM add(36, 2, 3, 'inside and stays');
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
END
$$;
BEGIN;
SELECT add(37, 1, 1, 'comes and goes');
DELETE FROM project_assignments WHERE id = 'cccccccc-0000-4000-8000-000000000037';
COMMIT;
BEGIN;
SELECT count(*) FROM pg_logical_emit_message(true, 'somebody', 'says');
SELECT add(38, 1, 2, 'behind a message');
COMMIT;
SELECT count(*) FROM pg_logical_emit_message(false, 'somebody', 'says in passing');
UPDATE projects SET sales_amount = 3.5 WHERE id = 'bbbbbbbb-0000-4000-8000-000000000002';

---- what was first elsewhere
SELECT pg_replication_origin_create('elsewhere "1"')
    WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = 'elsewhere "1"');
SELECT pg_replication_origin_session_setup('elsewhere "1"');
BEGIN;
SELECT pg_replication_origin_xact_setup('2/1234', '2026-01-02 03:04:05.678901Z');
SELECT add(42, 1, 2, 'from elsewhere');
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000003' WHERE id = 'cccccccc-0000-4000-8000-000000000042';
COMMIT;
SELECT pg_replication_origin_session_reset();
UPDATE project_assignments SET notes = 'from here' WHERE id = 'cccccccc-0000-4000-8000-000000000042';

---- keys that change
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000003' WHERE id = 'cccccccc-0000-4000-8000-000000000030';
UPDATE project_assignments SET id = 'cccccccc-0000-4000-8000-000000000039' WHERE id = 'cccccccc-0000-4000-8000-000000000032';
BEGIN;
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000001' WHERE id = 'cccccccc-0000-4000-8000-000000000034';
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000002' WHERE id = 'cccccccc-0000-4000-8000-000000000034';
UPDATE project_assignments SET user_id = 'aaaaaaaa-0000-4000-8000-000000000003' WHERE id = 'cccccccc-0000-4000-8000-000000000034';
COMMIT;
DELETE FROM project_assignments WHERE id = 'cccccccc-0000-4000-8000-000000000034';
INSERT INTO project_assignments (id, project_id, user_id, notes, created_at, updated_at, d_day, d_uuid)
    SELECT id, project_id, user_id, 'upserted', created_at, updated_at, d_day, d_uuid FROM project_assignments
    WHERE id = 'cccccccc-0000-4000-8000-000000000036' ON CONFLICT (id) DO UPDATE SET notes = excluded.notes;
MERGE INTO project_assignments a USING (VALUES (36), (38)) s(n)
    ON a.id = format('cccccccc-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid
    WHEN MATCHED AND n = 36 THEN DELETE WHEN MATCHED THEN UPDATE SET notes = 'merged';

---- the table changes: a column and a type more
CREATE TYPE colour AS ENUM ('red', 'blue');
ALTER TABLE project_assignments ADD n_text text, ADD n_int int NOT NULL DEFAULT 7, ADD n_colour colour DEFAULT 'red';
UPDATE project_assignments SET n_text = 'new', n_colour = 'blue' WHERE id = 'cccccccc-0000-4000-8000-000000000038';
SELECT add(40, 1, 1, 'with new columns');

---- the table changes: another type more, one column less
CREATE DOMAIN weight AS numeric(9, 4);
ALTER TABLE project_assignments ADD n_weight weight, DROP c_varchar;
UPDATE project_assignments SET n_weight = 7.625 WHERE id = 'cccccccc-0000-4000-8000-000000000040';

---- the table changes: another name, other types
ALTER TABLE project_assignments RENAME c_text TO n_renamed;
ALTER TABLE project_assignments ALTER c_int2 TYPE int8, ALTER c_numeric TYPE numeric(15, 5), ALTER c_mood TYPE text,
    ALTER c_date TYPE text;
UPDATE project_assignments SET n_renamed = 'renamed', c_int2 = 9007199254740993, c_numeric = 1.00001, c_mood = 'fine',
    c_date = 'a date' WHERE id = 'cccccccc-0000-4000-8000-000000000040';

---- a project that takes its assignments along
INSERT INTO projects (id, client_name, created_at, updated_at) VALUES
    ('bbbbbbbb-0000-4000-8000-000000000003', 'Initech', '2026-01-01Z', '2026-01-01Z');
SELECT add(50, 3, 1, 'goes along'), add(51, 3, 2, 'goes along');
DELETE FROM projects WHERE id = 'bbbbbbbb-0000-4000-8000-000000000003';

---- all that is left goes without a word, and the next change has its place
TRUNCATE project_assignments;
SELECT add(60, 1, 1, 'the last');
