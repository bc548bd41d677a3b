/* digits.c - numbers as text. */
#include "common/digits.h"

#include <string.h>

/* Two digits per division: 00, 01, ... 99. */
static const char PAIRS[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

size_t digits_write_unsigned(char *text, uint64_t number)
{
	char digits[DIGITS_MAX];
	char *at = digits + sizeof digits;
	size_t length;

	while (number >= 100) {
		at -= 2;
		memcpy(at, PAIRS + 2 * (number % 100), 2);
		number /= 100;
	}
	if (number >= 10) {
		at -= 2;
		memcpy(at, PAIRS + 2 * number, 2);
	} else {
		*--at = (char)('0' + number);
	}
	length = (size_t)(digits + sizeof digits - at);
	memcpy(text, at, length);
	return length;
}

size_t digits_write(char *text, int64_t number)
{
	if (number >= 0) {
		return digits_write_unsigned(text, (uint64_t)number);
	}
	*text = '-';
	return 1 + digits_write_unsigned(text + 1, -(uint64_t)number);
}

void digits_write_padded(char *text, int width, uint64_t number)
{
	for (int i = width - 1; i >= 0; i--) {
		text[i] = (char)('0' + number % 10);
		number /= 10;
	}
}

void digits_write_hex(char *text, int width, uint64_t number)
{
	static const char HEX[] = "0123456789abcdef";

	for (int i = width - 1; i >= 0; i--) {
		text[i] = HEX[number & 15];
		number >>= 4;
	}
}
