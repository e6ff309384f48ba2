/* The pool: bounded, last in first out, a timed wait, and refusals in the service's own words. */
#include "floor.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static const struct db_query who = { "who", "SELECT pg_backend_pid() AS pid", 0 };
static const struct db_query raise = { "raise", "SELECT refuse($1, $2, $3, $4)", 4 };
static const struct db_query add = { "add",
	                             "INSERT INTO thing (id, council, nhs_number, n) "
	                             "VALUES ($1::int, $2, $3, $4::int)",
	                             4 };

static struct db_tx *begin(struct db_pool *pool, char *ret_pid, size_t size)
{
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	assert_true(db_begin(pool, &council_one, DB_READ, true, &tx, &p));
	assert_true(db_last(tx, CALL(who, NULL), &rows, &p));
	assert_true(db_size(rows, 0, "pid") < size);
	memcpy(ret_pid, db_text(rows, 0, "pid"), db_size(rows, 0, "pid") + 1);
	return tx;
}

static void the_session_that_came_back_last_is_lent_first(void **state)
{
	struct db_pool *pool = floor_pool(3, 1000, 5000);
	char first[16], second[16], next[16];
	struct db_tx *a = begin(pool, first, sizeof first), *b = begin(pool, second, sizeof second);

	(void)state;
	assert_int_equal(db_pool_state(pool).busy, 2);
	db_end(b);
	db_end(a);
	a = begin(pool, next, sizeof next);
	assert_string_equal(next, first);
	b = begin(pool, next, sizeof next);
	assert_string_equal(next, second);
	assert_int_equal(db_pool_state(pool).open, 2);
	db_end(a);
	db_end(b);
	assert_int_equal(db_pool_state(pool).busy, 0);
	db_pool_free(pool);
}

static void who_finds_no_session_free_in_time_is_told_so(void **state)
{
	struct db_pool *pool = floor_pool(1, 20, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	char pid[16];
	struct db_tx *tx = begin(pool, pid, sizeof pid);

	(void)state;
	assert_false(floor_once(pool, CALL(who, NULL), &p));
	assert_int_equal(p.code, PROBLEM_UNAVAILABLE);
	assert_int_equal(p.retry_after, 1);
	assert_string_equal(p.detail, "every database session is busy");
	assert_int_equal(db_pool_state(pool).timeouts, 1);
	db_end(tx);
	floor_do(pool, CALL(who, NULL));
	db_pool_free(pool);
}

static void *ask_once(void *context)
{
	problem_auto p = { .code = PROBLEM_NONE };

	return floor_once(context, CALL(who, NULL), &p) ? context : NULL;
}

static void who_waits_gets_the_session_that_comes_back(void **state)
{
	struct db_pool *pool = floor_pool(1, 10000, 5000);
	int64_t deadline_us = clock_monotonic_us() + 10000000;
	char pid[16];
	struct db_tx *tx = begin(pool, pid, sizeof pid);
	pthread_t threads[4];
	void *done;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, pool), 0);
	while (db_pool_state(pool).waiting < COUNT_OF(threads))
		assert_true(clock_monotonic_us() < deadline_us);
	db_end(tx);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &done);
		assert_ptr_equal(done, pool);
	}
	assert_int_equal(db_pool_state(pool).open, 1);
	assert_int_equal(db_pool_state(pool).borrowed, 5);
	db_pool_free(pool);
}

static void many_threads_share_few_sessions(void **state)
{
	struct db_pool *pool = floor_pool(3, 10000, 5000);
	pthread_t threads[32];
	void *done;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, pool), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &done);
		assert_ptr_equal(done, pool);
	}
	assert_true(db_pool_state(pool).open <= 3);
	assert_int_equal(db_pool_state(pool).borrowed, 32);
	db_pool_free(pool);
}

static void who_waits_is_told_when_the_database_is_gone(void **state)
{
	struct db_pool *pool = floor_pool(1, 10000, 5000);
	char pid[16];
	struct db_tx *tx = begin(pool, pid, sizeof pid);
	int64_t deadline_us = clock_monotonic_us() + 10000000;
	pthread_t thread;
	void *done;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, ask_once, pool), 0);
	while (db_pool_state(pool).waiting < 1)
		assert_true(clock_monotonic_us() < deadline_us);
	relay_set(floor_relay(), RELAY_GONE);
	db_end(tx);
	pthread_join(thread, &done);
	assert_null(done);
	assert_int_equal(db_pool_state(pool).timeouts, 0);
	db_pool_free(pool);
}

static void a_session_too_many_for_the_server_does_not_stop_the_others(void **state)
{
	struct db_pool *pool = floor_pool(2, 50, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	char pid[16];
	struct db_tx *tx = begin(pool, pid, sizeof pid);

	(void)state;
	floor_limit(0);
	assert_false(floor_once(pool, CALL(who, NULL), &p));
	assert_string_equal(p.detail, "every database session is busy");
	db_end(tx);
	floor_do(pool, CALL(who, NULL));
	floor_limit(-1);
	db_pool_free(pool);
}

static const struct {
	const char *argv[4], *detail, *member, *value;
	enum problem_code code;
} ours[] = {
	/* clang-format off */
	{ { "CA404", "there is no such carer", NULL, NULL },
	  "there is no such carer", NULL, NULL, PROBLEM_NOT_FOUND },
	{ { "CA422", "a name is needed", "C1", NULL },
	  "a name is needed", "/rule", "C1", PROBLEM_RULE_VIOLATED },
	{ { "CA409", "it is closed", NULL, "{\"state\": \"closed\"}" },
	  "it is closed", "/state", "closed", PROBLEM_STATE_CONFLICT },
	{ { "CA42V", "is not yours", "/council", NULL },
	  "/council is not yours", "/errors/0/pointer", "/council", PROBLEM_VALIDATION_FAILED },
	{ { "CA400", "is no cursor", "/query/cursor", NULL },
	  "/query/cursor is no cursor", "/errors/0/pointer", "/query/cursor",
	  PROBLEM_INVALID_PARAMETER },
	/* clang-format on */
};

static void our_own_refusals_keep_their_words(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		problem_auto p = { .code = PROBLEM_NONE };

		assert_false(floor_once(
			pool, (struct db_call){ .query = &raise, .argv = ours[i].argv }, &p));
		assert_int_equal(p.code, ours[i].code);
		assert_string_equal(p.detail, ours[i].detail);
		if (ours[i].member)
			assert_string_equal(json_string_value(json_at(p.members, ours[i].member)),
			                    ours[i].value);
	}
	db_pool_free(pool);
}

static void what_postgresql_refuses_is_told_in_other_words(void **state)
{
	static const struct {
		const char *argv[4], *detail;
		enum problem_code code;
	} cases[] = {
		{ { "7", "one", "9434765919", "0" },
		  "another carer has this NHS number",
		  PROBLEM_POSSIBLE_DUPLICATE },
		{ { "1", "one", NULL, "0" },
		  "something with the same identity is there already",
		  PROBLEM_CONFLICT },
		{ { "7", "one", NULL, "-1" },
		  "a value is not allowed here",
		  PROBLEM_VALIDATION_FAILED },
		{ { "7", "one", NULL, NULL },
		  "a value that must be there is missing",
		  PROBLEM_VALIDATION_FAILED },
		{ { "7", "one", NULL, "99999999999" },
		  "a value is out of range or not well-formed",
		  PROBLEM_VALIDATION_FAILED },
		{ { "7", "two", NULL, "0" }, "this caller may not do this", PROBLEM_FORBIDDEN },
	};
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		problem_auto p = { .code = PROBLEM_NONE };

		assert_false(floor_once(
			pool, (struct db_call){ .query = &add, .argv = cases[i].argv }, &p));
		assert_int_equal(p.code, cases[i].code);
		assert_string_equal(p.detail, cases[i].detail);
	}
	db_pool_free(pool);
}

static const struct CMUnitTest tests[] = {
	FLOOR_TEST(the_session_that_came_back_last_is_lent_first),
	FLOOR_TEST(who_finds_no_session_free_in_time_is_told_so),
	FLOOR_TEST(who_waits_gets_the_session_that_comes_back),
	FLOOR_TEST(many_threads_share_few_sessions),
	FLOOR_TEST(who_waits_is_told_when_the_database_is_gone),
	FLOOR_TEST(a_session_too_many_for_the_server_does_not_stop_the_others),
	FLOOR_TEST(our_own_refusals_keep_their_words),
	FLOOR_TEST(what_postgresql_refuses_is_told_in_other_words),
};
FLOOR_MAIN(tests)
