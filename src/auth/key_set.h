/* A set of verification keys: filled by one thread, then immutable, counted and shared. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "auth/jwk.h"
#include "auth/key.h"

enum { KEYS_MAX = 256 };

enum key_origin { KEY_FROM_FILES, KEY_FROM_JWKS };

struct key_entry {
	struct key key;
	enum key_origin origin;
};

struct key_set {
	atomic_uint holders;
	uint64_t generation; /* given when it takes its place */
	size_t count;
	struct key_entry entries[KEYS_MAX];
};

struct key_set *key_set_new(void); /* NULL when memory runs out */
struct key_set *key_set_hold(struct key_set *set);
void key_set_release(struct key_set *set); /* takes NULL */

/* "KID=ALG:FILE,..." or "". */
must_check bool key_set_add_files(struct key_set *set, const char *files, struct problem *p);
/* A JWKS document. A key of it that cannot be used is passed over with a line in the log. */
must_check bool key_set_add_jwks(struct key_set *set, const char *text, size_t size,
                                 enum jwk_source source, struct problem *p);
/* What another set has from there; `from` may be NULL. */
must_check bool key_set_add_from(struct key_set *set, const struct key_set *from,
                                 enum key_origin origin, struct problem *p);
const struct key *key_set_find(const struct key_set *set, const char *kid); /* NULL: no such kid */
bool key_set_same(const struct key_set *a, const struct key_set *b);

static inline void key_set_releasep(struct key_set **set) { key_set_release(*set); }
#define key_set_auto owned_by(key_set_releasep) struct key_set
