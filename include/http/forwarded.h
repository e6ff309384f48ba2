/* Who asks, where proxies stand in front: X-Forwarded-For is believed from those that the operator
 * names, and from nobody else. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/problem.h"

struct sockaddr;

enum { CLIENT_ADDRESS = 40, PROXIES_MAX = 32 };

/* A network of IPv4 ("10.0.0.0/8", one address without "/"), or the /64 of an IPv6 address, which
 * is what one client has to itself anyway. */
struct proxies {
	size_t count;
	struct {
		bool v6;
		unsigned char network[8];
		unsigned bits;
	} list[PROXIES_MAX];
};

/* From a comma-separated list; UNAVAILABLE with a sentence when an item of it is none. */
must_check bool proxies_read(const char *list, struct proxies *ret_proxies, struct problem *p);

/* The peer's address as text, for counting only; of an IPv6 one the /64. `peer` is of one of the
 * two families, and only its first 16 bytes are there (Ulfius keeps no more). `forwarded` is the
 * header, or NULL: its last address is the client, where a known proxy says so. */
void forwarded_client(const struct proxies *proxies, const struct sockaddr *peer,
                      const char *forwarded, char ret_text[static CLIENT_ADDRESS]);
