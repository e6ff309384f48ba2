/* Special addresses: https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-. */
#include "webhook/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct block {
	const char *start;
	unsigned bits;
};

static const struct block special_4[] = {
	{ "0.0.0.0", 8 },      { "10.0.0.0", 8 },     { "100.64.0.0", 10 }, { "127.0.0.0", 8 },
	{ "169.254.0.0", 16 }, { "172.16.0.0", 12 },  { "192.0.0.0", 24 },  { "192.0.2.0", 24 },
	{ "192.88.99.0", 24 }, { "192.168.0.0", 16 }, { "198.18.0.0", 15 }, { "198.51.100.0", 24 },
	{ "203.0.113.0", 24 }, { "224.0.0.0", 4 },    { "240.0.0.0", 4 },
};

/* Of 2000::/3, outside which nothing is public. 2002::/16 and 2001::/32 have IPv4 addresses in
 * them. */
static const struct block special_6[] = {
	{ "2001::", 23 },
	{ "2001:db8::", 32 },
	{ "2002::", 16 },
	{ "3fff::", 20 },
};

static bool within(const uint8_t *address, const uint8_t *start, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(address, start, whole) == 0 &&
	       (rest == 0 || (address[whole] ^ start[whole]) >> (8 - rest) == 0);
}

static bool in_any(int family, const uint8_t *address, const struct block blocks[], size_t count)
{
	uint8_t start[16];

	for (size_t i = 0; i < count; i++)
		if (inet_pton(family, blocks[i].start, start) != 1 ||
		    within(address, start, blocks[i].bits))
			return true;
	return false;
}

static bool public_4(const uint8_t *address)
{
	return !in_any(AF_INET, address, special_4, COUNT_OF(special_4));
}

static bool public_6(const uint8_t *address)
{
	return address[0] >> 5 == 1 && !in_any(AF_INET6, address, special_6, COUNT_OF(special_6));
}

bool address_public(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		return public_4((const uint8_t *)&v4.sin_addr);
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof v6);
	return public_6(v6.sin6_addr.s6_addr);
}

bool address_text_public(const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return public_4(bytes);
	return inet_pton(AF_INET6, text, bytes) == 1 && public_6(bytes);
}

bool address_text(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}
