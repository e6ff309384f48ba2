/* Which addresses a message may be sent to. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* A host of the public internet: no private, loopback, link-local, multicast or otherwise special
 * address of IANA's registries (RFC 6890 and what came after), and no IPv6 form of one. */
bool address_public(const struct sockaddr *address);
/* The same of an address as text; false of what is none. */
bool address_text_public(const char *text);
/* Whether the text is an IPv4 or IPv6 address (without brackets). */
bool address_text(const char *text);
