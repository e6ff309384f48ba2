/* The number of a carer passport: made, and read as somebody typed it. */
#include "rules/passport_number.h"

#include <string.h>

/* Without I, L, O, which look like 1 and 0, and U: https://www.crockford.com/base32.html */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { DIGITS = PASSPORT_RANDOM + 1, GROUP = 4, NO_DIGIT = 255 };

/*
 * The digits are elements of GF(32), the coefficients of a polynomial: its value at x, a primitive
 * element, is 0. A wrong digit adds e x^k, two neighbours changed add (a + b) x^k (1 + x): neither
 * is 0.
 */
static uint8_t times_x(uint8_t digit)
{
	enum { MODULUS = 0x25 }; /* x^5 + x^2 + 1, primitive */

	return (uint8_t)(digit & 0x10 ? digit << 1 ^ MODULUS : digit << 1);
}

static uint8_t value_at_x(const uint8_t *digits, size_t count)
{
	uint8_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = (uint8_t)(times_x(value) ^ digits[i]);
	return value;
}

static void print(const uint8_t digits[static DIGITS], char ret_number[static PASSPORT_NUMBER])
{
	char *out = ret_number;

	*out++ = 'C';
	*out++ = 'P';
	for (size_t i = 0; i < DIGITS; i++) {
		if (i % GROUP == 0)
			*out++ = '-';
		*out++ = alphabet[digits[i]];
	}
	*out = '\0';
}

void passport_number_make(const uint8_t random[static PASSPORT_RANDOM],
                          char ret_number[static PASSPORT_NUMBER])
{
	uint8_t digits[DIGITS];

	for (size_t i = 0; i < PASSPORT_RANDOM; i++)
		digits[i] = random[i] & 31;
	digits[DIGITS - 1] = times_x(value_at_x(digits, PASSPORT_RANDOM));
	print(digits, ret_number);
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c; }

static uint8_t digit_of(char c)
{
	const char *at;

	c = upper(c);
	if (c == 'I' || c == 'L')
		c = '1';
	if (c == 'O')
		c = '0';
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (uint8_t)(at - alphabet) : NO_DIGIT;
}

/* Hyphens may stand anywhere: whoever types them means nothing by it. */
static bool read_digits(const char *text, uint8_t ret_digits[static DIGITS])
{
	size_t count = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (count == DIGITS || digit_of(*text) == NO_DIGIT)
			return false;
		ret_digits[count++] = digit_of(*text);
	}
	return count == DIGITS;
}

bool passport_number_read(const char *text, char ret_number[static PASSPORT_NUMBER])
{
	uint8_t digits[DIGITS];

	if (upper(text[0]) != 'C' || upper(text[1]) != 'P' || !read_digits(text + 2, digits) ||
	    value_at_x(digits, DIGITS) != 0)
		return false;
	print(digits, ret_number);
	return true;
}
