/* What only the floor itself does with the place of the keys. */
#pragma once

#include "auth/key_set.h"
#include "auth/keys.h"

enum {
	KEYS_ASK_EVERY_S = 10, /* an unknown kid has the JWKS read again no more often than this */
	KEYS_ASK_WAIT_MS = 2000, /* how long such a request waits for it */
	KEYS_ASK_WAITERS = 2,    /* how many may wait at once: the others are refused at once */
};

/* The current set, to be released. */
struct key_set *keys_hold(struct keys *keys);
/* A kid is unknown: true when the JWKS has been read again since, so that it is worth another look.
 */
bool keys_ask(struct keys *keys);
