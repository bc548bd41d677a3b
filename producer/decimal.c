/* decimal.c - decimal numbers as Kafka Connect and Java write them. */
#include "producer/decimal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/jsonw.h"

/* PostgreSQL's numeric: 131072 before the point, 16383 behind */
#define DECIMAL_DIGITS_MAX 150000

/* digits d1 d2 ... dn stand for 0.d1d2...dn * 10^point */
struct decimal {
	bool negative;
	struct buf digits; /* characters, no leading zero; none at all is zero */
	int point;
};

static bool read_digits(struct decimal *number, const char **at, const char *end)
{
	bool behind_point = false;
	bool any = false;

	for (; *at < end; (*at)++) {
		char c = **at;

		if (c == '.' && !behind_point) {
			behind_point = true;
			continue;
		}
		if (c < '0' || c > '9') {
			break;
		}
		any = true;
		if (number->digits.length > 0 || c != '0') {
			buf_char(&number->digits, c);
			number->point += behind_point ? 0 : 1;
		} else if (behind_point) {
			number->point--;
		}
	}
	return any;
}

/* At most five digits: no float has more. */
static bool read_exponent(struct decimal *number, const char **at, const char *end)
{
	bool minus = false;
	int exponent = 0;

	if (*at == end || (**at != 'e' && **at != 'E')) {
		return *at == end;
	}
	(*at)++;
	if (*at < end && (**at == '-' || **at == '+')) {
		minus = *(*at)++ == '-';
	}
	if (*at == end || end - *at > 5) {
		return false;
	}
	for (; *at < end; (*at)++) {
		if (**at < '0' || **at > '9') {
			return false;
		}
		exponent = exponent * 10 + (**at - '0');
	}
	number->point += minus ? -exponent : exponent;
	return true;
}

/* Leaves number->digits failed where memory is. */
static bool decimal_read(struct decimal *number, const char *text, size_t length, bool is_float)
{
	const char *at = text;
	const char *end = text + length;

	*number = (struct decimal){0};
	buf_init(&number->digits, DECIMAL_DIGITS_MAX);
	if (length > DECIMAL_DIGITS_MAX) {
		return false;
	}
	if (at < end && (*at == '-' || *at == '+')) {
		number->negative = *at++ == '-';
	}
	return read_digits(number, &at, end) &&
	       (is_float ? read_exponent(number, &at, end) : at == end);
}

static void strip_trailing_zeros(struct decimal *number)
{
	struct buf *digits = &number->digits;

	while (digits->length > 0 && digits->data[digits->length - 1] == '0') {
		digits->data[--digits->length] = '\0';
	}
}

/* ---- the unscaled number as bytes ---- */

/* limbs = limbs * 10 + digit; the least significant limb comes first. */
static size_t limbs_push(uint32_t *limbs, size_t count, uint32_t factor, uint32_t digit)
{
	uint64_t carry = digit;

	for (size_t i = 0; i < count; i++) {
		carry += (uint64_t)limbs[i] * factor;
		limbs[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry > 0) {
		limbs[count++] = (uint32_t)carry;
	}
	return count;
}

/* The first `wanted` digits of the number, zeros appended where it has fewer, as an integer. */
static size_t limbs_of(uint32_t *limbs, const struct decimal *number, size_t wanted)
{
	const struct buf *digits = &number->digits;
	size_t count = 0;

	for (size_t i = 0; i < wanted;) {
		uint32_t group = 0;
		uint32_t factor = 1;

		for (; factor < 1000000000 && i < wanted; i++, factor *= 10) {
			group = group * 10 +
				(i < digits->length ? (uint32_t)(digits->data[i] - '0') : 0);
		}
		count = limbs_push(limbs, count, factor, group);
	}
	return count;
}

/* Big-endian two's complement, as short as it can be, from the limbs of the absolute value. */
static void write_twos_complement(struct buf *out, const uint32_t *limbs, size_t count,
				  bool negative)
{
	size_t size = count * 4 + 1;
	size_t skip = 0;
	unsigned carry = 1;
	uint8_t *bytes = calloc(1, size);

	if (bytes == NULL) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < count * 4; i++) {
		bytes[size - 1 - i] = (uint8_t)(limbs[i / 4] >> 8 * (i % 4));
	}
	for (size_t i = size; negative && i > 0; i--) {
		carry += (uint8_t)~bytes[i - 1];
		bytes[i - 1] = (uint8_t)carry;
		carry >>= 8;
	}
	while (skip + 1 < size && ((bytes[skip] == 0x00 && bytes[skip + 1] < 0x80) ||
				   (bytes[skip] == 0xff && bytes[skip + 1] >= 0x80))) {
		skip++;
	}
	buf_char(out, '"');
	base64_encode(out, bytes + skip, size - skip);
	buf_char(out, '"');
	free(bytes);
}

/* How many digits number * 10^scale has, cut to an integer. */
static int64_t unscaled_digits(const struct decimal *number, int scale)
{
	int64_t wanted = (int64_t)number->point + scale;

	return wanted < 0 || number->digits.length == 0 ? 0 : wanted;
}

static void write_unscaled(struct buf *out, const struct decimal *number, size_t wanted)
{
	uint32_t *limbs = calloc(wanted / 9 + 2, sizeof *limbs);

	if (limbs == NULL || number->digits.failed) {
		out->failed = true;
	} else {
		write_twos_complement(out, limbs, limbs_of(limbs, number, wanted),
				      number->negative && wanted > 0);
	}
	free(limbs);
}

bool decimal_write_scaled(struct buf *out, const char *text, size_t length, int scale)
{
	struct decimal number;
	bool ok = decimal_read(&number, text, length, false);
	int64_t wanted = ok ? unscaled_digits(&number, scale) : 0;

	ok = ok && wanted <= DECIMAL_DIGITS_MAX;
	if (ok) {
		write_unscaled(out, &number, (size_t)wanted);
	}
	buf_close(&number.digits);
	return ok;
}

bool decimal_write_variable(struct buf *out, const char *text, size_t length)
{
	struct decimal number;
	bool ok = decimal_read(&number, text, length, false);
	int64_t wanted = 0;
	int scale = 0;

	if (ok) {
		strip_trailing_zeros(&number);
		scale = (int)number.digits.length - number.point;
		scale = scale < 0 || number.digits.length == 0 ? 0 : scale;
		wanted = unscaled_digits(&number, scale);
		ok = wanted <= DECIMAL_DIGITS_MAX;
	}
	if (ok) {
		buf_format(out, "{\"scale\":%d,\"value\":", scale);
		write_unscaled(out, &number, (size_t)wanted);
		buf_char(out, '}');
	}
	buf_close(&number.digits);
	return ok;
}

/* ---- floats ---- */

static void write_range(struct buf *out, const struct buf *digits, int from, int to)
{
	for (int i = from; i < to; i++) {
		char zero = '0';

		buf_add(out, i >= 0 && i < (int)digits->length ? &digits->data[i] : &zero, 1);
	}
}

/* From 10^-3 up to 10^7 in plain notation, beyond with E; always a digit on each side of the
 * point. Source: java.lang.Double.toString. */
static void write_java(struct buf *out, const struct decimal *number)
{
	const struct buf *digits = &number->digits;
	int count = (int)digits->length;
	int point = number->point;

	if (number->negative) {
		buf_char(out, '-');
	}
	if (count == 0) {
		buf_text(out, "0.0");
	} else if (point > -3 && point <= 7) {
		int whole = point > 0 ? point : 1;
		int first = point > 0 ? 0 : point - 1;

		write_range(out, digits, first, first + whole);
		buf_char(out, '.');
		write_range(out, digits, first + whole, count > point ? count : point + 1);
	} else {
		buf_char(out, digits->data[0]);
		buf_char(out, '.');
		write_range(out, digits, 1, count > 1 ? count : 2);
		buf_format(out, "E%d", point - 1);
	}
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* Java wants two digits, and of those the nearest: next to zero, where one tells a number from its
 * neighbours, that is not a zero behind it (4.9E-324 where PostgreSQL writes 5e-324). */
static bool add_second_digit(struct decimal *number, bool is_single)
{
	bool negative = number->negative;
	char text[32];
	double exact;
	double two;

	if (number->digits.length != 1 || number->point > (is_single ? -37 : -307)) {
		return true;
	}
	snprintf(text, sizeof text, "%ce%d", number->digits.data[0], number->point - 1);
	exact = is_single ? (double)strtof(text, NULL) : strtod(text, NULL);
	snprintf(text, sizeof text, "%.1e", exact);
	two = is_single ? (double)strtof(text, NULL) : strtod(text, NULL);
	if (exact <= 0 || two < exact || two > exact) {
		return true;
	}
	buf_close(&number->digits);
	if (!decimal_read(number, text, strlen(text), true)) {
		return false;
	}
	number->negative = negative;
	strip_trailing_zeros(number);
	return true;
}

bool decimal_write_float(struct buf *out, const char *text, size_t length, bool is_single)
{
	struct decimal number;
	bool ok;

	if (is_word(text, length, "NaN") || is_word(text, length, "Infinity") ||
	    is_word(text, length, "-Infinity")) {
		jsonw_string(out, text, length); /* as Jackson does: JSON has no such number */
		return true;
	}
	ok = decimal_read(&number, text, length, true);
	if (ok) {
		strip_trailing_zeros(&number);
		ok = add_second_digit(&number, is_single);
	}
	if (ok && number.digits.failed) {
		out->failed = true;
	} else if (ok) {
		write_java(out, &number);
	}
	buf_close(&number.digits);
	return ok;
}
