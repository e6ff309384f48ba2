/* The cache of verified tokens: bounded, exact, never older than its keys nor the token's own end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "auth/cache.h"

enum { END = 1000 }; /* exp of the principals here */

static void cache_freep(struct cache **cache) { cache_free(*cache); }
#define cache_auto owned_by(cache_freep) struct cache

struct digest {
	uint8_t bytes[CACHE_KEY];
};

/* What SHA-256 would give: bytes that differ everywhere. */
static struct digest digest_of(uint32_t number)
{
	struct digest digest;

	for (size_t i = 0; i < CACHE_KEY; i += sizeof number) {
		number = number * 2654435761u + 97;
		memcpy(digest.bytes + i, &number, sizeof number);
	}
	return digest;
}

static void add(struct cache *cache, uint32_t number, uint64_t generation)
{
	struct digest digest = digest_of(number);
	char subject[16];
	principal_auto *who = NULL;

	snprintf(subject, sizeof subject, "%u", number);
	who = principal_new(&(struct principal){ .subject = subject, .expires = END });
	assert_non_null(who);
	cache_add(cache, digest.bytes, generation, who);
}

static bool has(struct cache *cache, uint32_t number, uint64_t generation, int64_t dead)
{
	struct digest digest = digest_of(number);
	principal_auto *who = cache_find(cache, digest.bytes, generation, dead);
	char subject[16];

	snprintf(subject, sizeof subject, "%u", number);
	return who && strcmp(who->subject, subject) == 0;
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
	cache_auto *cache = cache_new(100);
	struct digest near = digest_of(1);
	principal_auto *none = NULL;

	(void)state;
	add(cache, 1, 1);
	assert_true(has(cache, 1, 1, 0));
	assert_false(has(cache, 2, 1, 0));
	near.bytes[CACHE_KEY - 1] ^=
		1; /* the same shard and bucket: only the whole digest counts */
	none = cache_find(cache, near.bytes, 1, 0);
	assert_null(none);
	assert_int_equal(cache_count(cache), 1);
}

static void an_entry_is_forgotten_with_its_keys(void **state)
{
	cache_auto *cache = cache_new(100);

	(void)state;
	add(cache, 1, 1);
	assert_false(has(cache, 1, 2, 0));
	assert_int_equal(cache_count(cache), 0);
	assert_false(has(cache, 1, 1, 0));
}

static void an_entry_is_forgotten_at_its_end(void **state)
{
	cache_auto *cache = cache_new(100);

	(void)state;
	add(cache, 1, 1);
	assert_true(has(cache, 1, 1, END - 1));
	assert_false(has(cache, 1, 1, END));
	assert_int_equal(cache_count(cache), 0);
}

static void the_same_token_twice_is_one_entry(void **state)
{
	cache_auto *cache = cache_new(2);

	(void)state;
	for (int i = 0; i < 5; i++)
		add(cache, 7, 1);
	assert_int_equal(cache_count(cache), 1);
	assert_true(has(cache, 7, 1, 0));
}

static void a_full_cache_never_holds_more_than_it_may(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 100, 127, 128, 1000, 4096 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		cache_auto *cache = cache_new(sizes[i]);

		for (uint32_t number = 0; number < 3 * sizes[i] + 5; number++) {
			add(cache, number, 1);
			assert_true(has(cache, number, 1, 0));
			assert_in_range(cache_count(cache), 1, sizes[i]);
		}
	}
}

static void what_is_used_stays_and_what_is_not_goes(void **state)
{
	cache_auto *cache = cache_new(8);

	(void)state;
	for (uint32_t number = 0; number < 8; number++)
		add(cache, number, 1);
	for (uint32_t number = 8; number < 200; number++) {
		assert_true(has(cache, 0, 1, 0)); /* asked for all the time */
		add(cache, number, 1);
	}
	assert_true(has(cache, 0, 1, 0));
	assert_false(has(cache, 1, 1, 0));
	assert_int_equal(cache_count(cache), 8);
}

static void forgetting_and_adding_in_any_order_keeps_the_cache_whole(void **state)
{
	cache_auto *cache = cache_new(16);
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t number;

		random = random * 1664525 + 1013904223;
		number = random >> 16 & 63;
		if ((random >> 28) % 4 == 0)
			has(cache, number, 2, 0); /* of other keys: forgets it */
		else if (!has(cache, number, 1, 0))
			add(cache, number, 1);
		assert_in_range(cache_count(cache), 0, 16);
	}
}

static void a_held_principal_outlives_its_entry(void **state)
{
	struct cache *cache = cache_new(1);
	struct digest digest = digest_of(1);
	principal_auto *held = NULL;

	(void)state;
	add(cache, 1, 1);
	held = cache_find(cache, digest.bytes, 1, 0);
	add(cache, 2, 1);
	cache_free(cache);
	assert_string_equal(held->subject, "1");
}

enum { THREADS = 8, ROUNDS = 5000 };

static void *use(void *context)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t number = i * 7 % 300;
		uint64_t generation = 1 + i / (ROUNDS / 2);

		if (!has(context, number, generation, 0))
			add(context, number, generation);
	}
	return NULL;
}

static void many_threads_share_it(void **state)
{
	cache_auto *cache = cache_new(256);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, cache), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_in_range(cache_count(cache), 1, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_and_nothing_else),
		cmocka_unit_test(an_entry_is_forgotten_with_its_keys),
		cmocka_unit_test(an_entry_is_forgotten_at_its_end),
		cmocka_unit_test(the_same_token_twice_is_one_entry),
		cmocka_unit_test(a_full_cache_never_holds_more_than_it_may),
		cmocka_unit_test(what_is_used_stays_and_what_is_not_goes),
		cmocka_unit_test(forgetting_and_adding_in_any_order_keeps_the_cache_whole),
		cmocka_unit_test(a_held_principal_outlives_its_entry),
		cmocka_unit_test(many_threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
