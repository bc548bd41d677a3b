/* schema.c - Kafka Connect's schemas of keys and values.
 *
 * Source of the rules: Debezium 3.6.1's PostgresValueConverter.schemaBuilder, its
 * PostgresDefaultValueConverter, and the records it really wrote (tests/golden). */
#include "producer/schema.h"

#include <stdlib.h>
#include <string.h>

#include "common/jsonw.h"
#include "producer/value.h"

#define OID_INT2     21
#define OID_INT4     23
#define OID_INT8     20
#define OID_JSON     114
#define OID_XML	     142
#define OID_BPCHAR   1042
#define OID_VARCHAR  1043
#define OID_TEXT     25
#define OID_TSVECTOR 3614
#define OID_JSONB    3802

static const char SOURCE[] =
    "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,\"field\":"
    "\"version\"},{\"type\":\"string\",\"optional\":false,\"field\":\"connector\"},"
    "{\"type\":\"string\",\"optional\":false,\"field\":\"name\"},{\"type\":\"int64\","
    "\"optional\":false,\"field\":\"ts_ms\"},{\"type\":\"string\",\"optional\":true,\"name\":"
    "\"io.debezium.data.Enum\",\"version\":1,\"parameters\":{\"allowed\":\"true,first,"
    "first_in_data_collection,last_in_data_collection,last,false,incremental\"},\"default\":"
    "\"false\",\"field\":\"snapshot\"},{\"type\":\"string\",\"optional\":false,\"field\":\"db\"},"
    "{\"type\":\"string\",\"optional\":true,\"field\":\"sequence\"},{\"type\":\"int64\","
    "\"optional\":true,\"field\":\"ts_us\"},{\"type\":\"int64\",\"optional\":true,\"field\":"
    "\"ts_ns\"},{\"type\":\"string\",\"optional\":false,\"field\":\"schema\"},{\"type\":"
    "\"string\",\"optional\":false,\"field\":\"table\"},{\"type\":\"int64\",\"optional\":true,"
    "\"field\":\"txId\"},{\"type\":\"int64\",\"optional\":true,\"field\":\"lsn\"},{\"type\":"
    "\"int64\",\"optional\":true,\"field\":\"xmin\"},{\"type\":\"string\",\"optional\":true,"
    "\"field\":\"origin\"},{\"type\":\"int64\",\"optional\":true,\"field\":\"origin_lsn\"}],"
    "\"optional\":false,\"name\":\"io.debezium.connector.postgresql.Source\",\"version\":1,"
    "\"field\":\"source\"}";

static const char BEHIND_SOURCE[] =
    ",{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,\"field\":\"id\"},"
    "{\"type\":\"int64\",\"optional\":false,\"field\":\"total_order\"},{\"type\":\"int64\","
    "\"optional\":false,\"field\":\"data_collection_order\"}],\"optional\":true,\"name\":"
    "\"event.block\",\"version\":1,\"field\":\"transaction\"},{\"type\":\"string\",\"optional\":"
    "false,\"field\":\"op\"},{\"type\":\"int64\",\"optional\":true,\"field\":\"ts_ms\"},{\"type\":"
    "\"int64\",\"optional\":true,\"field\":\"ts_us\"},{\"type\":\"int64\",\"optional\":true,"
    "\"field\":\"ts_ns\"}";

/* ---- one type ---- */

struct description {
	const char *type;
	const char *fields; /* of a struct */
	const char *name;
	const char *doc;
	const char *parameter; /* its name */
	const char *text;      /* its value, or else: */
	int64_t number;
	int64_t precision; /* a second parameter of decimals; 0: none */
};

static struct description describe_text(const struct pgtype *type, const struct schema_facts *facts)
{
	struct description it = {.type = "string"};

	if (facts->labels != NULL) {
		it.name = "io.debezium.data.Enum";
		it.parameter = "allowed";
		it.text = facts->labels;
	} else if (facts->type_name != NULL && strcmp(facts->type_name, "ltree") == 0) {
		it.name = "io.debezium.data.Ltree";
	} else if (type->oid == PGTYPE_UUID_OID) {
		it.name = "io.debezium.data.Uuid";
	} else if (type->oid == OID_JSON || type->oid == OID_JSONB) {
		it.name = "io.debezium.data.Json";
	} else if (type->oid == OID_XML) {
		it.name = "io.debezium.data.Xml";
	} else if (type->oid == OID_TSVECTOR) {
		it.name = "io.debezium.data.Tsvector";
	}
	return it;
}

static struct description describe_number(const struct pgtype *type)
{
	if (type->kind == PGTYPE_FLOAT) {
		return (struct description){.type = type->oid == PGTYPE_FLOAT4_OID ? "float"
										   : "double"};
	}
	return (struct description){.type = type->oid == OID_INT2   ? "int16"
					    : type->oid == OID_INT4 ? "int32"
								    : "int64"};
}

static struct description describe_decimal(const struct pgtype *type)
{
	struct description it = {.type = "bytes",
				 .name = "org.apache.kafka.connect.data.Decimal",
				 .parameter = "scale",
				 .number = 2};

	if (type->kind == PGTYPE_NUMERIC && type->modifier < 4) {
		return (struct description){
		    .type = "struct",
		    .fields =
			"{\"type\":\"int32\",\"optional\":false,\"field\":\"scale\"},{\"type\":"
			"\"bytes\",\"optional\":false,\"field\":\"value\"}",
		    .name = "io.debezium.data.VariableScaleDecimal",
		    .doc = "Variable scaled decimal"};
	}
	if (type->kind == PGTYPE_NUMERIC) {
		it.number = pgtype_scale(type);
		it.precision = (type->modifier - 4) >> 16;
	}
	return it;
}

static struct description describe_time(const struct pgtype *type)
{
	bool is_milli = pgtype_time_digits(type) <= 3;

	switch (type->kind) {
	case PGTYPE_DATE:
		return (struct description){.type = "int32", .name = "io.debezium.time.Date"};
	case PGTYPE_TIME:
		return (struct description){.type = is_milli ? "int32" : "int64",
					    .name = is_milli ? "io.debezium.time.Time"
							     : "io.debezium.time.MicroTime"};
	case PGTYPE_TIMETZ:
		return (struct description){.type = "string", .name = "io.debezium.time.ZonedTime"};
	case PGTYPE_TIMESTAMP:
		return (struct description){.type = "int64",
					    .name = is_milli ? "io.debezium.time.Timestamp"
							     : "io.debezium.time.MicroTimestamp"};
	case PGTYPE_TIMESTAMPTZ:
		return (struct description){.type = "string",
					    .name = "io.debezium.time.ZonedTimestamp"};
	default:
		return (struct description){.type = "int64",
					    .name = "io.debezium.time.MicroDuration"};
	}
}

static struct description describe(const struct pgtype *type, const struct schema_facts *facts)
{
	switch (type->kind) {
	case PGTYPE_TEXT:
		return describe_text(type, facts);
	case PGTYPE_BOOLEAN:
		return (struct description){.type = "boolean"};
	case PGTYPE_INTEGER:
	case PGTYPE_FLOAT:
		return describe_number(type);
	case PGTYPE_NUMERIC:
	case PGTYPE_MONEY:
		return describe_decimal(type);
	case PGTYPE_BYTEA:
		return (struct description){.type = "bytes"};
	case PGTYPE_BIT:
		if (type->modifier == 1) {
			return (struct description){.type = "boolean"};
		}
		return (struct description){.type = "bytes",
					    .name = "io.debezium.data.Bits",
					    .parameter = "length",
					    .number =
						type->modifier > 0 ? type->modifier : INT32_MAX};
	default:
		return describe_time(type);
	}
}

static void write_parameters(struct buf *out, const struct description *it)
{
	if (it->parameter == NULL) {
		return;
	}
	buf_format(out, ",\"parameters\":{\"%s\":", it->parameter);
	if (it->text != NULL) {
		jsonw_text(out, it->text);
	} else {
		buf_format(out, "\"%lld\"", (long long)it->number);
	}
	if (it->precision > 0) {
		buf_format(out, ",\"connect.decimal.precision\":\"%lld\"",
			   (long long)it->precision);
	}
	buf_char(out, '}');
}

static void write_description(struct buf *out, const struct description *it, bool is_optional)
{
	buf_format(out, "{\"type\":\"%s\"", it->type);
	if (it->fields != NULL) {
		buf_format(out, ",\"fields\":[%s]", it->fields);
	}
	buf_format(out, ",\"optional\":%s", is_optional ? "true" : "false");
	if (it->name != NULL) {
		buf_format(out, ",\"name\":\"%s\",\"version\":1", it->name);
	}
	if (it->doc != NULL) {
		buf_format(out, ",\"doc\":\"%s\"", it->doc);
	}
	write_parameters(out, it);
}

/* ---- defaults ---- */

/* What Debezium puts in place of a function's result; NULL: nothing. */
static const char *placeholder(const struct pgtype *type)
{
	switch (type->kind) {
	case PGTYPE_TEXT:
		return type->oid == PGTYPE_UUID_OID ? "00000000-0000-0000-0000-000000000000"
		       : type->oid == OID_JSON || type->oid == OID_JSONB ? "{}"
									 : "";
	case PGTYPE_BOOLEAN:
		return "false";
	case PGTYPE_INTEGER:
	case PGTYPE_FLOAT:
	case PGTYPE_NUMERIC:
		return "0";
	case PGTYPE_DATE:
		return "1970-01-01";
	case PGTYPE_TIME:
	case PGTYPE_INTERVAL:
		return "00:00:00";
	case PGTYPE_TIMESTAMP:
		return "1970-01-01 00:00:00";
	case PGTYPE_TIMESTAMPTZ:
		return "1970-01-01 00:00:00+00";
	default:
		return NULL;
	}
}

static bool may_have_default(const struct pgtype *type, const struct schema_facts *facts)
{
	switch (type->kind) {
	case PGTYPE_TEXT:
		return facts->labels != NULL || type->oid == OID_TEXT || type->oid == OID_VARCHAR ||
		       type->oid == OID_BPCHAR || type->oid == PGTYPE_UUID_OID ||
		       type->oid == OID_JSON || type->oid == OID_JSONB || type->oid == OID_XML;
	case PGTYPE_INTEGER:
		return type->oid == OID_INT2 || type->oid == OID_INT4 || type->oid == OID_INT8;
	case PGTYPE_NUMERIC:
		return type->modifier >= 4;
	case PGTYPE_MONEY:
	case PGTYPE_BYTEA:
	case PGTYPE_TIMETZ:
		return false;
	default:
		return true;
	}
}

/* Nothing where the text is an expression that is no value of the type. */
static void write_default(struct buf *out, const struct relation_column *column,
			  const struct schema_facts *facts)
{
	const struct pgtype *type = &column->type;
	const char *text = facts->is_computed ? placeholder(type) : facts->fallback;
	struct buf json;

	if (text == NULL || type->is_array || !may_have_default(type, facts) ||
	    (column->oid >= PGTYPE_FIRST_OWN_OID && facts->labels == NULL)) {
		return;
	}
	buf_init(&json, SCHEMA_MAX_BYTES);
	if (type->kind == PGTYPE_BOOLEAN) {
		buf_text(&json, strcmp(text, "true") == 0 ? "true" : "false");
	} else if (type->kind == PGTYPE_TEXT) {
		jsonw_text(&json, text);
	} else if (!value_write_exactly(&json, type, text, strlen(text))) {
		buf_reset(&json);
	}
	if (json.length > 0) {
		buf_format(out, ",\"default\":");
		buf_add(out, buf_string(&json), json.length);
	}
	out->failed = out->failed || json.failed;
	buf_close(&json);
}

/* ---- columns ---- */

bool schema_describe(struct relation_column *column, const struct schema_facts *facts)
{
	static const struct schema_facts NONE;
	struct description it;
	struct buf out;

	facts = facts != NULL ? facts : &NONE;
	it = describe(&column->type, facts);
	buf_init(&out, SCHEMA_MAX_BYTES);
	if (column->type.is_array) {
		buf_text(&out, "{\"type\":\"array\",\"items\":");
		write_description(&out, &it, true);
		buf_format(&out, "},\"optional\":%s", column->is_required ? "false" : "true");
	} else {
		write_description(&out, &it, !column->is_required);
	}
	write_default(&out, column, facts);
	free(column->schema);
	column->schema = buf_steal(&out);
	return column->schema != NULL;
}

static const struct relation_column *find_same(const struct relation *known,
					       const struct relation_column *column)
{
	for (int i = 0; i < known->column_count; i++) {
		const struct relation_column *other = &known->columns[i];

		if (strcmp(other->name, column->name) == 0 && other->oid == column->oid &&
		    other->type.modifier == column->type.modifier) {
			return other;
		}
	}
	return NULL;
}

bool schema_adopt(struct relation *relation, const struct relation *known)
{
	bool all = true;

	for (int i = 0; i < relation->column_count; i++) {
		struct relation_column *column = &relation->columns[i];
		const struct relation_column *same = find_same(known, column);

		if (same == NULL || same->schema == NULL) {
			all = false;
			continue;
		}
		free(column->schema);
		column->schema = strdup(same->schema);
		column->is_required = same->is_required;
		all = all && column->schema != NULL;
	}
	return all;
}

/* ---- tables ---- */

static void write_field(struct buf *out, const struct relation_column *column, const char *name)
{
	jsonw_comma(out);
	buf_text(out, column->schema);
	buf_text(out, ",\"field\":");
	jsonw_text(out, name);
	buf_char(out, '}');
}

static void write_name(struct buf *out, const struct relation *relation, const char *prefix,
		       const char *what)
{
	buf_format(out, ",\"name\":\"%s.%s.%s.%s\"", prefix, relation->schema, relation->table,
		   what);
}

static void write_row(struct buf *out, const struct relation *relation, const char *prefix,
		      const char *field)
{
	jsonw_comma(out);
	buf_text(out, "{\"type\":\"struct\",\"fields\":[");
	for (int i = 0; i < relation->column_count; i++) {
		write_field(out, &relation->columns[i], relation->columns[i].name);
	}
	buf_text(out, "],\"optional\":true");
	write_name(out, relation, prefix, "Value");
	buf_format(out, ",\"field\":\"%s\"}", field);
}

static void write_project(struct buf *out, const struct relation *shown, const char *prefix)
{
	static const char *const NAMES[] = {"id", "client_name", "start_date", "end_date", "notes"};

	buf_text(out, ",{\"type\":\"struct\",\"fields\":[");
	for (int i = 0; i < 5; i++) {
		write_field(out, &shown->columns[i], NAMES[i]);
	}
	buf_text(out, "],\"optional\":true");
	write_name(out, shown, prefix, "Project");
	buf_text(out, ",\"field\":\"project\"}");
}

static char *value_head(const struct relation *relation, const struct relation *shown,
			const char *prefix)
{
	struct buf out;

	buf_init(&out, SCHEMA_MAX_BYTES);
	buf_text(&out, "{\"schema\":{\"type\":\"struct\",\"fields\":[");
	write_row(&out, relation, prefix, "before");
	write_row(&out, relation, prefix, "after");
	buf_char(&out, ',');
	buf_text(&out, SOURCE);
	buf_text(&out, BEHIND_SOURCE);
	if (shown != NULL) {
		write_project(&out, shown, prefix);
	}
	buf_text(&out, "],\"optional\":false");
	write_name(&out, relation, prefix, "Envelope");
	buf_text(&out, ",\"version\":2},\"payload\":");
	return buf_steal(&out);
}

static char *key_head(const struct relation *relation, const char *prefix)
{
	struct buf out;

	buf_init(&out, SCHEMA_MAX_BYTES);
	buf_text(&out, "{\"schema\":{\"type\":\"struct\",\"fields\":[");
	write_field(&out, &relation->columns[relation->at.user_id], "user_id");
	write_field(&out, &relation->columns[relation->at.id], "id");
	buf_text(&out, "],\"optional\":false");
	write_name(&out, relation, prefix, "Key");
	buf_text(&out, "},\"payload\":");
	return buf_steal(&out);
}

bool schema_open(struct relation *relation, const struct relation *shown, const char *prefix)
{
	for (int i = 0; i < relation->column_count; i++) {
		struct relation_column *column = &relation->columns[i];

		if (column->schema == NULL && !schema_describe(column, NULL)) {
			return false;
		}
	}
	free(relation->value_head);
	free(relation->key_head);
	relation->value_head = value_head(relation, shown, prefix);
	relation->key_head = key_head(relation, prefix);
	return relation->value_head != NULL && relation->key_head != NULL;
}
