/* UUIDs: parse, print, make version 7. */
#include "base/uuid.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

static const char digits[] = "0123456789abcdef";

static int nibble(char c)
{
	if (c >= 'A' && c <= 'F')
		c = (char)(c + ('a' - 'A'));
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool dash_at(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

bool uuid_parse(const char *text, uint8_t ret_uuid[static UUID_BYTES])
{
	uint8_t made[UUID_BYTES] = { 0 };
	size_t count = 0;

	if (strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT - 1; i++) {
		int value = nibble(text[i]);

		if (dash_at(i) && text[i] == '-')
			continue;
		if (dash_at(i) || value < 0)
			return false;
		made[count / 2] = (uint8_t)(made[count / 2] << 4 | value);
		count++;
	}
	memcpy(ret_uuid, made, UUID_BYTES);
	return true;
}

void uuid_print(const uint8_t uuid[static UUID_BYTES], char ret_text[static UUID_TEXT])
{
	char *out = ret_text;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (dash_at((size_t)(out - ret_text)))
			*out++ = '-';
		*out++ = digits[uuid[i] >> 4];
		*out++ = digits[uuid[i] & 15];
	}
	*out = '\0';
}

/* RFC 9562, 6.2, method 1 with a 12-bit fraction of the millisecond: the time never goes backwards
 * within the process. */
static uint64_t next_tick(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last;
	uint64_t us = (uint64_t)clock_now();
	uint64_t tick = us / 1000 << 12 | (us % 1000) * 4096 / 1000;

	pthread_mutex_lock(&lock);
	if (tick <= last)
		tick = last + 1;
	last = tick;
	pthread_mutex_unlock(&lock);
	return tick;
}

void uuid_make(char ret_text[static UUID_TEXT])
{
	uint8_t uuid[UUID_BYTES];
	uint64_t tick = next_tick();
	uint64_t ms = tick >> 12;

	random_bytes(uuid + 8, 8);
	for (unsigned i = 0; i < 6; i++)
		uuid[i] = (uint8_t)(ms >> (40 - 8 * i));
	uuid[6] = (uint8_t)(0x70 | (tick >> 8 & 0x0F));
	uuid[7] = (uint8_t)tick;
	uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3F));
	uuid_print(uuid, ret_text);
}
