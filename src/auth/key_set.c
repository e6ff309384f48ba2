/* Sets of verification keys: one kid, one key, one algorithm. */
#include "auth/key_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

struct key_set *key_set_new(void)
{
	struct key_set *set = calloc(1, sizeof *set);

	if (set)
		atomic_init(&set->holders, 1);
	return set;
}

struct key_set *key_set_hold(struct key_set *set)
{
	atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
	return set;
}

void key_set_release(struct key_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->count; i++)
		key_done(&set->entries[i].key);
	free(set);
}

const struct key *key_set_find(const struct key_set *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->entries[i].key.kid, kid) == 0)
			return &set->entries[i].key;
	return NULL;
}

bool key_set_same(const struct key_set *a, const struct key_set *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!key_same(&a->entries[i].key, &b->entries[i].key))
			return false;
	return true;
}

/* Takes the key over, also on failure. */
static bool add(struct key_set *set, struct key *key, enum key_origin origin, struct problem *p)
{
	key_auto taken = *key;

	*key = (struct key){ 0 };
	if (key_set_find(set, taken.kid))
		return problem(p, PROBLEM_INTERNAL, "the key %s is given twice", taken.kid);
	if (set->count == KEYS_MAX)
		return problem(p, PROBLEM_INTERNAL, "there are more than %d keys", KEYS_MAX);
	set->entries[set->count++] = (struct key_entry){ .key = taken, .origin = origin };
	taken = (struct key){ 0 };
	return true;
}

bool key_set_add_from(struct key_set *set, const struct key_set *from, enum key_origin origin,
                      struct problem *p)
{
	for (size_t i = 0; from && i < from->count; i++) {
		key_auto copy = { 0 };

		if (from->entries[i].origin != origin)
			continue;
		if (!key_copy(&from->entries[i].key, &copy))
			return problem(p, PROBLEM_INTERNAL,
			               "the keys cannot be kept: memory runs out");
		if (!add(set, &copy, origin, p))
			return false;
	}
	return true;
}

struct item {
	const char *kid, *alg, *file;
};

/* "KID=ALG:FILE", cut in place. */
static bool cut(char *text, struct item *ret_item)
{
	char *equals = strchr(text, '=');
	char *colon = equals ? strchr(equals, ':') : NULL;

	if (!colon || colon[1] == '\0')
		return false;
	*equals = *colon = '\0';
	*ret_item = (struct item){ text, equals + 1, colon + 1 };
	return true;
}

static bool add_file(struct key_set *set, const struct item *item, struct problem *p)
{
	struct key_name name = { item->kid, alg_by_name(item->alg) };
	struct problem why = { 0 };
	key_auto key = { 0 };
	text_auto *data = NULL;
	size_t size = 0;
	bool good;

	if (!kid_well_formed(item->kid))
		return problem(p, PROBLEM_INTERNAL, "a kid is 1 to %d of A-Z a-z 0-9 . _ ~ -",
		               KID_LIMIT);
	if (!name.alg)
		return problem(p, PROBLEM_INTERNAL,
		               "the key %s has an algorithm that is not known here", item->kid);
	data = text_file(item->file, KEY_FILE_LIMIT, &size);
	if (!data)
		return problem(p, PROBLEM_INTERNAL, "the file of the key %s cannot be read: %s",
		               item->kid, strerror(errno));
	good = name.alg->kind == ALG_HMAC ? key_from_secret(&name, data, size, &key, &why)
	                                  : key_from_pem(&name, data, size, &key, &why);
	explicit_bzero(data, size);
	if (!good)
		return problem(p, PROBLEM_INTERNAL, "the key %s %s", item->kid, why.detail);
	return add(set, &key, KEY_FROM_FILES, p);
}

bool key_set_add_files(struct key_set *set, const char *files, struct problem *p)
{
	text_auto *copy = text_copy(files);
	char *next = copy;

	if (!copy)
		return problem(p, PROBLEM_INTERNAL, "the keys cannot be read: memory runs out");
	while (next && *next) {
		struct item item;

		if (!cut(strsep(&next, ","), &item))
			return problem(p, PROBLEM_INTERNAL, "a key file is given as KID=ALG:FILE");
		if (!add_file(set, &item, p))
			return false;
	}
	return true;
}

static void log_refused(const json_t *jwk, const char *why)
{
	const char *kid = json_text(jwk, "kid");

	log_event(LOG_WARNING, "jwks_key_refused", "kid", kid && kid_well_formed(kid) ? kid : NULL,
	          "why", why, NULL);
}

bool key_set_add_jwks(struct key_set *set, const char *text, size_t size, enum jwk_source source,
                      struct problem *p)
{
	json_auto_t *document = NULL;
	const json_t *keys, *jwk;
	size_t i;

	if (!json_read(text, size, &document, p))
		return problem(p, PROBLEM_INTERNAL, "the JWKS is not JSON without duplicate keys");
	keys = json_object_get(document, "keys");
	if (!json_is_array(keys))
		return problem(p, PROBLEM_INTERNAL, "the JWKS has no array of keys");
	json_array_foreach (keys, i, jwk) {
		struct problem why = { 0 };
		key_auto key = { 0 };

		if (jwk_for_others(jwk))
			continue;
		if (!jwk_read(jwk, source, &key, &why))
			log_refused(jwk, why.detail);
		else if (!add(set, &key, KEY_FROM_JWKS, p))
			return false;
	}
	return true;
}
