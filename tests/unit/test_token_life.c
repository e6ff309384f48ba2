/* Tokens over time: rotation of keys, the end of each token, the bounded cache, many threads at
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "forge.h"

enum { SKEW = 30, CACHE = 4 };

struct stage {
	struct forge_folder folder;
	EVP_PKEY *old, *new;
	struct keys *keys;
	struct tokens *tokens;
};

static EVP_PKEY *pairs[2];

static int make_pairs(void **state)
{
	(void)state;
	pairs[0] = forge_ec("P-256");
	pairs[1] = forge_ec("P-256");
	return 0;
}

static int free_pairs(void **state)
{
	(void)state;
	EVP_PKEY_free(pairs[0]);
	EVP_PKEY_free(pairs[1]);
	return 0;
}

static void publish(const struct stage *stage, EVP_PKEY *key, const char *kid)
{
	forge_jwks(&stage->folder, "jwks", json_pack("[o]", forge_jwk(key, kid, "ES256", "P-256")));
}

/* A service whose JWKS has the old key, at FORGE_NOW. */
static int set_up(void **state)
{
	static struct stage stage;
	struct tokens_config config = { FORGE_ISSUER, FORGE_AUDIENCE, SKEW, CACHE, NULL };
	struct problem p = { 0 };
	char path[256];

	stage = (struct stage){ .old = pairs[0], .new = pairs[1] };
	forge_folder_make(&stage.folder);
	publish(&stage, stage.old, "old");
	clock_hold((instant)FORGE_NOW * 1000000);
	if (!keys_open(&(struct keys_config){ "", forge_path(&stage.folder, "jwks", path), 3600 },
	               &stage.keys, &p))
		return -1;
	stage.tokens = tokens_new(&config, stage.keys);
	*state = &stage;
	return stage.tokens ? 0 : -1;
}

static int take_down(void **state)
{
	struct stage *stage = *state;

	tokens_free(stage->tokens);
	keys_close(stage->keys);
	forge_remove(&stage->folder, "jwks");
	return rmdir(stage->folder.path);
}

/* A token with this subject and life. */
static char *token_of(EVP_PKEY *key, const char *kid, const char *subject, int64_t exp)
{
	text_auto *private = forge_pem(key, true);
	text_auto *header = forge_header("ES256", kid);
	text_auto *claims = forge_claims("sub", json_string(subject));
	json_auto_t *json = json_loads(claims, 0, NULL);
	text_auto *text = NULL;

	json_object_set_new(json, "exp", json_integer(exp));
	text = json_print(json);
	return forge_texts("ES256", private, header, text);
}

static bool verified(struct stage *stage, const char *token, struct problem *p)
{
	principal_auto *who = NULL;

	return tokens_verify(stage->tokens, token, &who, p);
}

static void is_refused(struct stage *stage, const char *token, const char *sentence)
{
	struct problem p = { 0 };

	assert_false(verified(stage, token, &p));
	assert_string_equal(p.detail, sentence);
}

static void is_taken(struct stage *stage, const char *token)
{
	struct problem p = { 0 };

	assert_true(verified(stage, token, &p));
}

static void a_token_seen_before_is_a_hit(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);
	struct tokens_state counts;

	is_taken(stage, token);
	counts = tokens_state(stage->tokens);
	assert_int_equal(counts.hits, 0);
	assert_int_equal(counts.misses, 1);
	assert_int_equal(counts.cached, 1);
	is_taken(stage, token);
	is_taken(stage, token);
	counts = tokens_state(stage->tokens);
	assert_int_equal(counts.hits, 2);
	assert_int_equal(counts.misses, 1);
}

static void the_same_principal_is_shared_by_those_who_bring_its_token(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);
	principal_auto *first = NULL;
	principal_auto *second = NULL;
	struct problem p = { 0 };

	assert_true(tokens_verify(stage->tokens, token, &first, &p));
	assert_true(tokens_verify(stage->tokens, token, &second, &p));
	assert_ptr_equal(first, second);
}

static void a_bad_token_is_not_remembered(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->new, "old", "a", FORGE_NOW + 600);

	is_refused(stage, token, "the token's signature does not verify");
	is_refused(stage, token, "the token's signature does not verify");
	assert_int_equal(tokens_state(stage->tokens).cached, 0);
}

static void a_remembered_token_dies_at_its_exp_and_the_skew(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);

	is_taken(stage, token);
	clock_hold((instant)(FORGE_NOW + 600 + SKEW) * 1000000 - 1);
	is_taken(stage, token);
	assert_int_equal(tokens_state(stage->tokens).hits, 1);
	clock_hold((instant)(FORGE_NOW + 600 + SKEW) * 1000000);
	is_refused(stage, token, "the token has expired (exp)");
	assert_int_equal(tokens_state(stage->tokens).cached, 0);
}

static void a_rotated_key_is_picked_up_without_a_restart(void **state)
{
	struct stage *stage = *state;
	text_auto *old = token_of(stage->old, "old", "a", FORGE_NOW + 600);
	text_auto *new = token_of(stage->new, "new", "a", FORGE_NOW + 600);
	uint64_t before = keys_generation(stage->keys);

	is_taken(stage, old);
	publish(stage, stage->new, "new");
	is_taken(stage, new);
	assert_true(keys_generation(stage->keys) > before);
	is_refused(stage, old, "the token's key (kid) is not known here");
}

static void a_remembered_token_dies_with_its_key(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);
	struct problem p = { 0 };

	is_taken(stage, token);
	is_taken(stage, token);
	publish(stage, stage->new, "old"); /* the same kid */
	assert_true(keys_reload(stage->keys, &p));
	is_refused(stage, token, "the token's signature does not verify");
}

static void a_remembered_token_whose_key_stays_is_verified_again(void **state)
{
	struct stage *stage = *state;
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);
	struct problem p = { 0 };

	is_taken(stage, token);
	forge_jwks(&stage->folder, "jwks",
	           json_pack("[o, o]", forge_jwk(stage->old, "old", NULL, "P-256"),
	                     forge_jwk(stage->new, "new", NULL, "P-256")));
	assert_true(keys_reload(stage->keys, &p));
	is_taken(stage, token);
	assert_int_equal(tokens_state(stage->tokens).hits, 0);
	is_taken(stage, token);
	assert_int_equal(tokens_state(stage->tokens).hits, 1);
}

static void the_cache_is_bounded(void **state)
{
	struct stage *stage = *state;

	for (int i = 0; i < 5 * CACHE; i++) {
		text_auto *token = NULL;
		char subject[16];

		snprintf(subject, sizeof subject, "s%d", i);
		token = token_of(stage->old, "old", subject, FORGE_NOW + 600);
		is_taken(stage, token);
		assert_in_range(tokens_state(stage->tokens).cached, 1, CACHE);
	}
}

static void without_a_cache_every_token_is_verified(void **state)
{
	struct stage *stage = *state;
	struct tokens_config config = { FORGE_ISSUER, FORGE_AUDIENCE, SKEW, 0, NULL };
	struct tokens *tokens = tokens_new(&config, stage->keys);
	text_auto *token = token_of(stage->old, "old", "a", FORGE_NOW + 600);

	for (int i = 0; i < 3; i++) {
		principal_auto *who = NULL;
		struct problem p = { 0 };

		assert_true(tokens_verify(tokens, token, &who, &p));
	}
	assert_int_equal(tokens_state(tokens).cached, 0);
	tokens_free(tokens);
}

enum { THREADS = 8, ROUNDS = 300, DISTINCT = 6 };

struct crowd {
	struct stage *stage;
	char *tokens[DISTINCT];
};

/* Each token is the one of its subject whatever the others do; NULL when all went well. */
static void *use(void *context)
{
	struct crowd *crowd = context;

	for (int i = 0; i < ROUNDS; i++) {
		principal_auto *who = NULL;
		struct problem p = { 0 };
		char subject[16];

		snprintf(subject, sizeof subject, "s%d", i % DISTINCT);
		if (!tokens_verify(crowd->stage->tokens, crowd->tokens[i % DISTINCT], &who, &p) ||
		    strcmp(who->subject, subject) != 0)
			return crowd;
	}
	return NULL;
}

static void many_threads_verify_while_keys_are_read_again(void **state)
{
	struct crowd crowd = { .stage = *state };
	pthread_t threads[THREADS];
	struct problem p = { 0 };
	void *wrong;

	for (int i = 0; i < DISTINCT; i++) {
		char subject[16];

		snprintf(subject, sizeof subject, "s%d", i);
		crowd.tokens[i] = token_of(crowd.stage->old, "old", subject, FORGE_NOW + 600);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, &crowd), 0);
	for (int i = 0; i < 20; i++) {
		json_t *old = forge_jwk(crowd.stage->old, "old", NULL, "P-256");
		json_t *new = forge_jwk(crowd.stage->new, "new", NULL, "P-256");

		forge_jwks(&crowd.stage->folder, "jwks",
		           i % 2 ? json_pack("[o, o]", old, new) : json_pack("[o, o]", new, old));
		assert_true(keys_reload(crowd.stage->keys, &p));
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	for (int i = 0; i < DISTINCT; i++)
		free(crowd.tokens[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_token_seen_before_is_a_hit, set_up, take_down),
		cmocka_unit_test_setup_teardown(
			the_same_principal_is_shared_by_those_who_bring_its_token, set_up,
			take_down),
		cmocka_unit_test_setup_teardown(a_bad_token_is_not_remembered, set_up, take_down),
		cmocka_unit_test_setup_teardown(a_remembered_token_dies_at_its_exp_and_the_skew,
		                                set_up, take_down),
		cmocka_unit_test_setup_teardown(a_rotated_key_is_picked_up_without_a_restart,
		                                set_up, take_down),
		cmocka_unit_test_setup_teardown(a_remembered_token_dies_with_its_key, set_up,
		                                take_down),
		cmocka_unit_test_setup_teardown(
			a_remembered_token_whose_key_stays_is_verified_again, set_up, take_down),
		cmocka_unit_test_setup_teardown(the_cache_is_bounded, set_up, take_down),
		cmocka_unit_test_setup_teardown(without_a_cache_every_token_is_verified, set_up,
		                                take_down),
		cmocka_unit_test_setup_teardown(many_threads_verify_while_keys_are_read_again,
		                                set_up, take_down),
	};

	json_start();
	return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
