/* The client's address: the peer's, or what a known proxy says. */
#include "http/forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { V4_BITS = 32, V6_BITS = 64 };

struct address {
	bool v6;
	unsigned char bytes[8]; /* four of IPv4, the first eight of IPv6 */
};

static bool address_of_text(const char *text, size_t size, struct address *ret_address)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[sizeof(struct in6_addr)];

	*ret_address = (struct address){ .v6 = false };
	if (size == 0 || size >= sizeof copy)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (inet_pton(AF_INET, copy, ret_address->bytes) == 1)
		return true;
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	ret_address->v6 = true;
	memcpy(ret_address->bytes, bytes, sizeof ret_address->bytes);
	return true;
}

static bool address_of_peer(const struct sockaddr *peer, struct address *ret_address)
{
	unsigned char bytes[sizeof *peer];

	*ret_address = (struct address){ .v6 = false };
	if (!peer || (peer->sa_family != AF_INET && peer->sa_family != AF_INET6))
		return false;
	memcpy(bytes, peer, sizeof bytes);
	ret_address->v6 = peer->sa_family == AF_INET6;
	memcpy(ret_address->bytes, bytes + (ret_address->v6 ? 8 : 4), ret_address->v6 ? 8 : 4);
	return true;
}

static bool within(const unsigned char *address, const unsigned char *network, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

static bool is_proxy(const struct proxies *proxies, const struct address *address)
{
	for (size_t i = 0; i < proxies->count; i++)
		if (proxies->list[i].v6 == address->v6 &&
		    within(address->bytes, proxies->list[i].network, proxies->list[i].bits))
			return true;
	return false;
}

/* "ADDRESS" or, of IPv4, "ADDRESS/BITS". */
static bool add_proxy(struct proxies *proxies, const char *item, size_t size)
{
	const char *slash = memchr(item, '/', size);
	size_t length = slash ? (size_t)(slash - item) : size;
	char word[4] = "";
	struct address address;
	uint64_t bits = V4_BITS;

	if (proxies->count == PROXIES_MAX || !address_of_text(item, length, &address) ||
	    (slash && (address.v6 || size - length - 1 >= sizeof word)))
		return false;
	if (slash) {
		memcpy(word, slash + 1, size - length - 1);
		if (!text_number(word, 0, V4_BITS, &bits))
			return false;
	}
	proxies->list[proxies->count].v6 = address.v6;
	proxies->list[proxies->count].bits = address.v6 ? V6_BITS : (unsigned)bits;
	memcpy(proxies->list[proxies->count].network, address.bytes, sizeof address.bytes);
	proxies->count++;
	return true;
}

bool proxies_read(const char *list, struct proxies *ret_proxies, struct problem *p)
{
	ret_proxies->count = 0;
	while (*list) {
		size_t size = strcspn(list, ",");

		if (!add_proxy(ret_proxies, list, size))
			return problem(
				p, PROBLEM_UNAVAILABLE,
				"CARERS_TRUSTED_PROXIES: %.*s is no address, or one too many",
				(int)(size < 60 ? size : 60), list);
		list += size + (list[size] == ',');
	}
	return true;
}

/* The last one: those before it are what the client itself may have written. */
static bool last_forwarded(const char *forwarded, struct address *ret_address)
{
	const char *comma = forwarded ? strrchr(forwarded, ',') : NULL;
	const char *last = comma ? comma + 1 : forwarded;
	size_t size;

	if (!last)
		return false;
	last += strspn(last, " \t");
	size = strcspn(last, " \t");
	return last[size + strspn(last + size, " \t")] == '\0' &&
	       address_of_text(last, size, ret_address);
}

static void print(const struct address *address, char ret_text[static CLIENT_ADDRESS])
{
	const unsigned char *b = address->bytes;

	if (!address->v6)
		snprintf(ret_text, CLIENT_ADDRESS, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else
		for (size_t i = 0; i < sizeof address->bytes; i++)
			snprintf(ret_text + 2 * i, CLIENT_ADDRESS - 2 * i, "%02x", b[i]);
}

void forwarded_client(const struct proxies *proxies, const struct sockaddr *peer,
                      const char *forwarded, char ret_text[static CLIENT_ADDRESS])
{
	struct address from, client;

	*ret_text = '\0';
	if (!address_of_peer(peer, &from))
		return;
	print(is_proxy(proxies, &from) && last_forwarded(forwarded, &client) ? &client : &from,
	      ret_text);
}
