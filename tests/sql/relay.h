/*
 * A relay between a client and PostgreSQL's unix socket, with which a test takes the database away:
 * it closes, freezes, or loses answers exactly when it is told to. One thread of its own.
 */
#pragma once

#include <stddef.h>

enum relay_mode {
	RELAY_OPEN,    /* everything passes */
	RELAY_GONE,    /* nobody listens, and every connection is closed */
	RELAY_FROZEN,  /* connections stand, and nothing moves */
	RELAY_REFUSE,  /* what a client sends is not passed on: its connection is closed */
	RELAY_SWALLOW, /* PostgreSQL gets what the client sends; its answer is not passed on: the
	                  connection is closed */
};

struct relay;

/* `upstream`: the path of PostgreSQL's socket. NULL when it cannot be made. */
struct relay *relay_start(const char *upstream);
void relay_stop(struct relay *relay);
/* The folder to give libpq as its host. */
const char *relay_folder(const struct relay *relay);
/* Returns when it is so, and all that came before has been dealt with in the old mode. */
void relay_set(struct relay *relay, enum relay_mode mode);
/* Sends bytes to every client, as if PostgreSQL had. */
void relay_say(struct relay *relay, const void *bytes, size_t size);
/* How many times a client has sent something: what travels in one write counts once. */
size_t relay_heard(struct relay *relay);
