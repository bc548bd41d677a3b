/* value.c - one column's text, as the JSON that Debezium makes of it.
 *
 * Source of the rules: Debezium 3.6.1's PostgresValueConverter, and the records it really wrote. */
#include "producer/value.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/base64.h"
#include "common/civil.h"
#include "common/digits.h"
#include "common/jsonw.h"
#include "producer/decimal.h"
#include "producer/pgtime.h"

#define VALUE_BYTES_MAX (512u << 20)
#define ARRAY_DEPTH_MAX 6 /* PostgreSQL's MAXDIM */
#define US_PER_DAY	INT64_C(86400000000)

/* What PgJDBC's infinite timestamps are in us. Source: PGStatement.DATE_POSITIVE_INFINITY (ms). */
#define TIMESTAMP_INFINITY_US	    INT64_C(9223372036825200000)
#define TIMESTAMP_MINUS_INFINITY_US INT64_C(-9223372036832400000)
#define DATE_INFINITY_YEAR	    (-5877611)

static bool write_boolean(struct buf *out, const char *text, size_t length)
{
	if (length != 1 || (*text != 't' && *text != 'f')) {
		return false;
	}
	buf_text(out, *text == 't' ? "true" : "false");
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As JSON has them: no leading zero. */
static bool write_integer(struct buf *out, const char *text, size_t length)
{
	size_t first = length > 0 && *text == '-' ? 1 : 0;

	if (first == length || (text[first] == '0' && length > first + 1)) {
		return false;
	}
	for (size_t i = first; i < length; i++) {
		if (!is_digit(text[i])) {
			return false;
		}
	}
	buf_add(out, text, length);
	return true;
}

static bool write_float(struct buf *out, const struct pgtype *type, const char *text, size_t length)
{
	return decimal_write_float(out, text, length, type->oid == PGTYPE_FLOAT4_OID);
}

static bool write_numeric(struct buf *out, const struct pgtype *type, const char *text,
			  size_t length)
{
	if (type->modifier < 4) {
		return decimal_write_variable(out, text, length);
	}
	return decimal_write_scaled(out, text, length, pgtype_scale(type));
}

/* $1,234.56 or -$1,234.56 (lc_monetary = C): money counts hundredths.  In any other form the point
 * might separate thousands. */
static bool write_money(struct buf *out, const char *text, size_t length)
{
	const char *at = text;
	const char *end = text + length;
	char plain[40];
	size_t used = 0;

	if (at < end && *at == '-') {
		plain[used++] = *at++;
	}
	if (end - at < 5 || *at++ != '$' || end[-3] != '.') {
		return false;
	}
	for (; at < end && used < sizeof plain; at++) {
		if (is_digit(*at) || at == end - 3) {
			plain[used++] = *at;
		} else if (*at != ',' || at > end - 3) {
			return false;
		}
	}
	return at == end && decimal_write_scaled(out, plain, used, 2);
}

static bool write_date(struct buf *out, const char *text, size_t length)
{
	int infinity = pgtime_infinity(text, length);
	struct pgtime date;

	if (infinity != 0) {
		jsonw_number(out, civil_day(DATE_INFINITY_YEAR, 6, infinity > 0 ? 21 : 22));
		return true;
	}
	if (!pgtime_read_date(text, length, &date)) {
		return false;
	}
	jsonw_number(out, civil_day(date.year, date.month, date.day));
	return true;
}

/* Microseconds, or milliseconds where the column keeps no more than those. */
static void write_micros(struct buf *out, const struct pgtype *type, int64_t micros)
{
	jsonw_number(out, pgtype_time_digits(type) <= 3 ? micros / 1000 : micros);
}

static bool write_time(struct buf *out, const struct pgtype *type, const char *text, size_t length)
{
	struct pgtime time;

	if (!pgtime_read_time(text, length, &time)) {
		return false;
	}
	write_micros(out, type, pgtime_day_us(&time));
	return true;
}

/* An int64 of microseconds ends in January 294247: what is later becomes the latest one. */
static void write_epoch(struct buf *out, const struct pgtype *type, int64_t days, int64_t day_us)
{
	if (pgtype_time_digits(type) <= 3) {
		jsonw_number(out, days * (US_PER_DAY / 1000) + day_us / 1000);
	} else if (days >= INT64_MAX / US_PER_DAY) {
		jsonw_number(out, INT64_MAX);
	} else if (days <= INT64_MIN / US_PER_DAY) {
		jsonw_number(out, INT64_MIN);
	} else {
		jsonw_number(out, days * US_PER_DAY + day_us);
	}
}

static bool write_timestamp(struct buf *out, const struct pgtype *type, const char *text,
			    size_t length)
{
	int infinity = pgtime_infinity(text, length);
	struct pgtime time;

	if (infinity != 0) {
		write_micros(out, type,
			     infinity > 0 ? TIMESTAMP_INFINITY_US : TIMESTAMP_MINUS_INFINITY_US);
		return true;
	}
	if (!pgtime_read_timestamp(text, length, &time)) {
		return false;
	}
	write_epoch(out, type, civil_day(time.year, time.month, time.day), pgtime_day_us(&time));
	return true;
}

/* `.` and exactly so many digits; nothing for none. */
static void write_fraction(struct buf *out, int32_t micros, int digits)
{
	char text[1 + 6] = {'.'};

	if (digits > 0) {
		digits_write_padded(text + 1, 6, (uint64_t)micros);
		buf_add(out, text, 1 + (size_t)digits);
	}
}

static void write_year(struct buf *out, int64_t year)
{
	char text[4];

	if (year < 0 || year > 9999) {
		buf_format(out, "%c%04" PRId64, year < 0 ? '-' : '+', year < 0 ? -year : year);
	} else {
		digits_write_padded(text, sizeof text, (uint64_t)year);
		buf_add(out, text, sizeof text);
	}
}

static void write_two(struct buf *out, char before, int number)
{
	char text[3] = {before};

	digits_write_padded(text + 1, 2, (uint64_t)number);
	buf_add(out, text, sizeof text);
}

static bool write_timestamptz(struct buf *out, const struct pgtype *type, const char *text,
			      size_t length)
{
	struct pgtime time;

	if (pgtime_infinity(text, length) != 0) {
		return false; /* as its own word */
	}
	if (!pgtime_read_timestamp(text, length, &time)) {
		return false;
	}
	pgtime_to_utc(&time);
	buf_char(out, '"');
	write_year(out, time.year);
	write_two(out, '-', time.month);
	write_two(out, '-', time.day);
	write_two(out, 'T', time.hour);
	write_two(out, ':', time.minute);
	write_two(out, ':', time.second);
	write_fraction(out, time.micros, pgtype_time_digits(type));
	buf_text(out, "Z\"");
	return true;
}

/* Java's ISO_OFFSET_TIME: as many digits as are needed. */
static bool write_timetz(struct buf *out, const char *text, size_t length)
{
	struct pgtime time;
	int digits = 6;

	if (!pgtime_read_time(text, length, &time)) {
		return false;
	}
	time.year = 2000;
	time.month = 1;
	time.day = 2;
	pgtime_to_utc(&time);
	for (int32_t rest = time.micros; digits > 0 && rest % 10 == 0; rest /= 10) {
		digits--;
	}
	write_two(out, '"', time.hour);
	write_two(out, ':', time.minute);
	write_two(out, ':', time.second);
	write_fraction(out, time.micros, digits);
	buf_text(out, "Z\"");
	return true;
}

static bool write_interval(struct buf *out, const char *text, size_t length)
{
	int64_t micros;

	if (!pgtime_read_interval_us(text, length, &micros)) {
		return false;
	}
	jsonw_number(out, micros);
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In quotes; what fails, memory included, fails out. */
static void write_base64(struct buf *out, const struct buf *bytes)
{
	if (bytes->failed) {
		out->failed = true;
		return;
	}
	buf_char(out, '"');
	base64_encode(out, buf_string(bytes), bytes->length);
	buf_char(out, '"');
}

/* \x0123 (bytea_output = hex) as base64. */
static bool write_bytea(struct buf *out, const char *text, size_t length)
{
	struct buf bytes;
	bool ok = length >= 2 && length % 2 == 0 && text[0] == '\\' && text[1] == 'x';

	buf_init(&bytes, VALUE_BYTES_MAX);
	for (size_t i = 2; ok && i < length; i += 2) {
		int high = hex_digit(text[i]);
		int low = hex_digit(text[i + 1]);

		ok = high >= 0 && low >= 0;
		if (ok) {
			buf_char(&bytes, (char)(high << 4 | low));
		}
	}
	if (ok) {
		write_base64(out, &bytes);
	}
	buf_close(&bytes);
	return ok;
}

static bool is_bits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '0' && text[i] != '1') {
			return false;
		}
	}
	return true;
}

/* Debezium's Bits: little-endian bytes up to the highest bit that is set; bit(1) is a boolean. */
static bool write_bit(struct buf *out, const struct pgtype *type, const char *text, size_t length)
{
	struct buf bytes;
	const char *first = length > 0 ? memchr(text, '1', length) : NULL;
	size_t used = first != NULL ? (size_t)(text + length - first) : 0;

	if (!is_bits(text, length)) {
		return false;
	}
	if (type->modifier == 1) {
		buf_text(out, first != NULL ? "true" : "false");
		return true;
	}
	buf_init(&bytes, VALUE_BYTES_MAX);
	for (size_t bit = 0; bit < used; bit += 8) {
		unsigned byte = 0;

		for (size_t i = bit; i < bit + 8 && i < used; i++) {
			byte |= (unsigned)(text[length - 1 - i] == '1') << (i - bit);
		}
		buf_char(&bytes, (char)byte);
	}
	write_base64(out, &bytes);
	buf_close(&bytes);
	return true;
}

static bool write_scalar(struct buf *out, const struct pgtype *type, const char *text,
			 size_t length)
{
	switch (type->kind) {
	case PGTYPE_TEXT:
		return false;
	case PGTYPE_BOOLEAN:
		return write_boolean(out, text, length);
	case PGTYPE_INTEGER:
		return write_integer(out, text, length);
	case PGTYPE_FLOAT:
		return write_float(out, type, text, length);
	case PGTYPE_NUMERIC:
		return write_numeric(out, type, text, length);
	case PGTYPE_MONEY:
		return write_money(out, text, length);
	case PGTYPE_DATE:
		return write_date(out, text, length);
	case PGTYPE_TIME:
		return write_time(out, type, text, length);
	case PGTYPE_TIMETZ:
		return write_timetz(out, text, length);
	case PGTYPE_TIMESTAMP:
		return write_timestamp(out, type, text, length);
	case PGTYPE_TIMESTAMPTZ:
		return write_timestamptz(out, type, text, length);
	case PGTYPE_INTERVAL:
		return write_interval(out, text, length);
	case PGTYPE_BYTEA:
		return write_bytea(out, text, length);
	case PGTYPE_BIT:
		return write_bit(out, type, text, length);
	}
	return false;
}

static void write_scalar_or_text(struct buf *out, const struct pgtype *type, const char *text,
				 size_t length)
{
	if (!write_scalar(out, type, text, length)) {
		jsonw_string(out, text, length);
	}
}

/* ---- arrays: {a,"b \" c",NULL,{nested}} ---- */

struct array_reader {
	const char *at;
	const char *end;
	struct buf element;
};

/* Reads "..." with its backslashes; at stands behind the closing quote afterwards. */
static bool read_quoted(struct array_reader *in)
{
	for (in->at++; in->at < in->end && *in->at != '"'; in->at++) {
		if (*in->at == '\\' && in->at + 1 < in->end) {
			in->at++;
		}
		buf_char(&in->element, *in->at);
	}
	return in->at < in->end && *in->at++ == '"';
}

static void read_bare(struct array_reader *in)
{
	while (in->at < in->end && *in->at != ',' && *in->at != '{' && *in->at != '}') {
		buf_char(&in->element, *in->at++);
	}
}

static bool write_element(struct array_reader *in, struct buf *out, const struct pgtype *type)
{
	const struct buf *element = &in->element;
	bool quoted = in->at < in->end && *in->at == '"';

	buf_reset(&in->element);
	if (quoted && !read_quoted(in)) {
		return false;
	}
	if (!quoted) {
		read_bare(in);
	}
	if (element->failed) {
		out->failed = true;
		return true;
	}
	if (!quoted && element->length == 0) {
		return false;
	}
	jsonw_comma(out);
	if (!quoted && element->length == 4 && memcmp(element->data, "NULL", 4) == 0) {
		buf_text(out, "null");
	} else {
		write_scalar_or_text(out, type, buf_string(element), element->length);
	}
	return true;
}

/* Walks the literal once: { item , item ... }, where an item is an element or again a list. */
static bool write_lists(struct array_reader *in, struct buf *out, const struct pgtype *type)
{
	char before = ','; /* or '{', or '}' for an item */
	int depth = 0;	   /* braces that are open */

	do {
		char c = '\0';

		if (in->at < in->end) {
			c = *in->at;
		}
		if (c == '}' && before != ',') {
			in->at++;
			buf_char(out, ']');
			depth--;
		} else if (before == '}') {
			if (c != ',') {
				return false;
			}
			in->at++;
		} else if (c == '{') {
			in->at++;
			jsonw_comma(out);
			buf_char(out, '[');
			depth++;
		} else if (depth == 0 || !write_element(in, out, type)) {
			return false;
		}
		before = '}';
		if (c == ',' || c == '{') {
			before = c;
		}
	} while (depth > 0 && depth <= ARRAY_DEPTH_MAX);
	return depth == 0 && in->at == in->end;
}

static bool write_array(struct buf *out, const struct pgtype *type, const char *text, size_t length)
{
	struct array_reader in = {.at = text, .end = text + length};
	struct pgtype element = *type;
	struct buf json;
	bool ok;

	if (length > 0 && *text == '[') { /* bounds that do not start at 1: [0:2]={...} */
		const char *equals = memchr(text, '=', length);

		in.at = equals != NULL ? equals + 1 : in.end;
	}
	element.is_array = false;
	buf_init(&in.element, VALUE_BYTES_MAX);
	buf_init(&json, VALUE_BYTES_MAX);
	ok = write_lists(&in, &json, &element);
	if (json.failed) {
		out->failed = true;
	} else if (ok) {
		buf_add(out, buf_string(&json), json.length);
	}
	buf_close(&json);
	buf_close(&in.element);
	return ok;
}

static void write_unavailable_bytes(struct buf *out)
{
	buf_char(out, '"');
	base64_encode(out, VALUE_UNAVAILABLE, strlen(VALUE_UNAVAILABLE));
	buf_char(out, '"');
}

/* Its characters as numbers. */
static void write_unavailable_numbers(struct buf *out)
{
	for (const char *at = VALUE_UNAVAILABLE; *at != '\0'; at++) {
		jsonw_comma(out);
		jsonw_number(out, *at);
	}
}

/* The content of an array that stands for one; false: no element could. */
static bool write_unavailable_elements(struct buf *out, const struct pgtype *type)
{
	switch (type->kind) {
	case PGTYPE_TEXT:
		jsonw_text(out, type->oid == PGTYPE_UUID_OID ? VALUE_UNAVAILABLE_UUID
							     : VALUE_UNAVAILABLE);
		return true;
	case PGTYPE_TIMETZ:
	case PGTYPE_TIMESTAMPTZ:
		jsonw_text(out, VALUE_UNAVAILABLE);
		return true;
	case PGTYPE_BYTEA:
		write_unavailable_bytes(out);
		return true;
	case PGTYPE_INTEGER:
	case PGTYPE_DATE:
	case PGTYPE_TIME:
	case PGTYPE_TIMESTAMP:
	case PGTYPE_INTERVAL:
		write_unavailable_numbers(out);
		return true;
	default:
		return false;
	}
}

void value_write_unavailable(struct buf *out, const struct pgtype *type, bool must_fit)
{
	struct buf elements;

	buf_init(&elements, VALUE_BYTES_MAX);
	if (type->is_array && write_unavailable_elements(&elements, type)) {
		buf_char(out, '[');
		buf_add(out, buf_string(&elements), elements.length);
		buf_char(out, ']');
	} else if (!type->is_array && type->kind == PGTYPE_BYTEA) {
		write_unavailable_bytes(out);
	} else if (must_fit && (type->is_array || type->kind != PGTYPE_TEXT)) {
		jsonw_text(out, NULL);
	} else {
		jsonw_text(out, VALUE_UNAVAILABLE);
	}
	out->failed = out->failed || elements.failed;
	buf_close(&elements);
}

bool value_write_exactly(struct buf *out, const struct pgtype *type, const char *text,
			 size_t length)
{
	return !type->is_array && write_scalar(out, type, text, length);
}

void value_write(struct buf *out, const struct pgtype *type, const char *text, size_t length)
{
	if (!type->is_array) {
		write_scalar_or_text(out, type, text, length);
	} else if (!write_array(out, type, text, length)) {
		jsonw_string(out, text, length);
	}
}
