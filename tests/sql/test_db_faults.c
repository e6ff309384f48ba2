/* PostgreSQL goes away, hangs, is killed, or wants a transaction again: what the caller is told,
 * and what is safe. */
#include "floor.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const struct db_query add = { "add",
	                             "INSERT INTO thing (id, council) VALUES ($1::int, 'one')", 1 };
static const struct db_query see = { "see", "SELECT id FROM thing ORDER BY id", 0 };
static const struct db_query touch = { "touch", "UPDATE thing SET n = n + 1 WHERE id = $1::int",
	                               1 };
static const struct db_query raise = { "raise", "SELECT refuse($1, 'no', NULL, NULL)", 1 };
static const struct db_query late = { "late", "INSERT INTO late VALUES ($1)", 1 };

static const char kill_all[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
			       "WHERE usename = 'floor_service' AND datname = current_database()";
static const char count_all[] = "SELECT count(*) FROM pg_stat_activity "
				"WHERE usename = 'floor_service' AND datname = current_database()";

/* The only one there is, once those of earlier tests have ended. */
static void kill_the_session(void)
{
	floor_wait(count_all, 1);
	assert_int_equal(floor_number(kill_all), 1);
	floor_wait(count_all, 0);
	relay_set(floor_relay(), RELAY_OPEN); /* its last words have arrived */
}

static void assert_unavailable(const struct problem *p)
{
	assert_int_equal(p->code, PROBLEM_UNAVAILABLE);
	assert_int_equal(p->retry_after, 1);
}

/* The statement fails with the SQLSTATE; says whether the transaction may be run again. */
static bool may_retry_after(struct db_pool *pool, struct db_call call, const char *sqlstate)
{
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	db_tx_auto *tx = NULL;

	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_false(db_last(tx, call, &rows, &p));
	assert_true(db_refused(tx, sqlstate));
	return db_may_retry(tx);
}

static void conflicts_between_transactions_may_be_retried(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	assert_true(may_retry_after(pool, CALL(raise, "40001"), "40001"));
	assert_true(may_retry_after(pool, CALL(raise, "40P01"), "40P01"));
	assert_false(may_retry_after(pool, CALL(raise, "40002"), "40002"));
	assert_false(may_retry_after(pool, CALL(raise, "CA409"), "CA409"));
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void a_conflict_that_comes_with_commit_may_be_retried(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	assert_true(may_retry_after(pool, CALL(late, "40001"), "40001"));
	assert_false(may_retry_after(pool, CALL(late, "23514"), "23514"));
	db_pool_free(pool);
}

struct rival {
	struct db_pool *pool;
	bool good, retry;
};

static void *update_two_then_one(void *context)
{
	struct rival *r = context;
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	db_tx_auto *tx = NULL;

	r->good = db_begin(r->pool, &council_one, DB_WRITE, false, &tx, &p) &&
	          db_queue(tx, CALL(touch, "8"), &p) && db_last(tx, CALL(touch, "7"), &rows, &p);
	r->retry = !r->good && db_may_retry(tx);
	return NULL;
}

static void of_two_in_a_deadlock_one_is_done_and_one_may_retry(void **state)
{
	struct rival here = { floor_pool(2, 1000, 5000), false, false },
		     there = { here.pool, false, false };
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL, *last = NULL;
	struct db_tx *tx = NULL;
	pthread_t thread;

	(void)state;
	floor_do(here.pool, CALL(add, "7"));
	floor_do(here.pool, CALL(add, "8"));
	assert_true(db_begin(here.pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_run(tx, CALL(touch, "7"), &rows, &p));
	assert_int_equal(pthread_create(&thread, NULL, update_two_then_one, &there), 0);
	floor_wait("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
	           "AND datname = current_database()",
	           1);
	here.good = db_last(tx, CALL(touch, "8"), &last, &p);
	here.retry = !here.good && db_may_retry(tx);
	db_end(tx);
	pthread_join(thread, NULL);
	assert_true(here.good != there.good);
	assert_true(here.retry == !here.good && there.retry == !there.good);
	assert_int_equal(floor_number("SELECT n FROM thing WHERE id = 7"), 1);
	db_pool_free(here.pool);
}

static void a_session_that_was_killed_at_rest_is_replaced_unseen(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	floor_do(pool, CALL(add, "7"));
	kill_the_session();
	floor_do(pool, CALL(add, "8"));
	assert_int_equal(db_pool_state(pool).reconnects, 1);
	db_pool_free(pool);
}

static void a_session_that_is_killed_in_a_transaction_may_be_retried(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL, *last = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_run(tx, CALL(add, "7"), &rows, &p));
	kill_the_session();
	assert_false(db_last(tx, CALL(add, "8"), &last, &p));
	assert_unavailable(&p);
	assert_true(db_may_retry(tx));
	db_end(tx);
	floor_do(pool, CALL(add, "7"));
	db_pool_free(pool);
}

/* Borrowed, then killed, then COMMIT is sent: PostgreSQL's farewell comes before any answer, so
 * nothing was done. */
static void a_farewell_before_begin_makes_a_write_safe_to_retry(void **state)
{
	static const char farewell[] = "E\0\0\0\x1fSFATAL\0VFATAL\0C57P01\0Mbye\0";
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	floor_do(pool, CALL(see, NULL));
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_queue(tx, CALL(add, "7"), &p));
	relay_say(floor_relay(), farewell, sizeof farewell);
	relay_set(floor_relay(), RELAY_REFUSE);
	assert_false(db_last(tx, CALL(add, "8"), &rows, &p));
	assert_unavailable(&p);
	assert_true(db_may_retry(tx));
	db_end(tx);
	db_pool_free(pool);
}

static void an_answer_lost_behind_commit_is_never_retried_for_a_write(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	floor_do(pool, CALL(add, "7"));
	relay_set(floor_relay(), RELAY_SWALLOW);
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_false(db_last(tx, CALL(add, "8"), &rows, &p));
	assert_unavailable(&p);
	assert_false(db_may_retry(tx));
	db_end(tx);
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id = 8"), 1);
	relay_set(floor_relay(), RELAY_OPEN);
	floor_do(pool, CALL(add, "9"));
	db_pool_free(pool);
}

static void a_read_and_an_unfinished_write_may_be_retried_when_the_answer_is_lost(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		db_tx_auto *tx = NULL;

		relay_set(floor_relay(), RELAY_OPEN);
		floor_do(pool, CALL(see, NULL));
		relay_set(floor_relay(), RELAY_SWALLOW);
		assert_true(db_begin(pool, &council_one,
		                     i == 0   ? DB_READ
		                     : i == 1 ? DB_READ_NOTED
		                              : DB_WRITE,
		                     i == 2, &tx, &p));
		assert_false(db_last(tx, CALL(see, NULL), &rows, &p));
		assert_unavailable(&p);
		assert_true(db_may_retry(tx));
	}
	db_pool_free(pool);
}

static void a_database_that_hangs_is_given_up(void **state)
{
	struct db_pool *pool = floor_pool(1, 200, 100);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	floor_do(pool, CALL(see, NULL));
	assert_true(db_begin(pool, &council_one, DB_WRITE, true, &tx, &p));
	relay_set(floor_relay(), RELAY_FROZEN);
	assert_false(db_last(tx, CALL(see, NULL), &rows, &p));
	assert_unavailable(&p);
	assert_string_equal(p.detail, "the database did not answer in time");
	db_end(tx);
	/* A new connection gets no answer either. */
	assert_false(floor_once(pool, CALL(see, NULL), &p));
	assert_string_equal(p.detail, "the database cannot be reached");
	relay_set(floor_relay(), RELAY_OPEN);
	while (!floor_once(pool, CALL(see, NULL), &p))
		assert_unavailable(&p);
	db_pool_free(pool);
}

/* A minute is allowed for a statement, but not for a database that does not answer anybody. */
static void a_database_that_answers_nobody_is_given_up_before_the_statement_is(void **state)
{
	struct db_pool *pool = floor_pool(3, 60000, 60000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL, *none = NULL;
	struct db_tx *first = NULL, *second = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, true, &first, &p));
	assert_true(db_begin(pool, &council_one, DB_WRITE, true, &second, &p));
	assert_true(db_queue(first, CALL(see, NULL), &p) &&
	            db_run(second, CALL(see, NULL), &rows, &p));
	db_end(second);
	assert_int_equal(db_pool_state(pool).open, 2);
	relay_set(floor_relay(), RELAY_FROZEN);
	assert_false(db_last(first, CALL(see, NULL), &none, &p));
	assert_unavailable(&p);
	assert_string_equal(p.detail, "the database did not answer in time");
	assert_true(db_may_retry(first));
	db_end(first);
	assert_int_equal(db_pool_state(pool).open, 0);
	assert_false(floor_once(pool, CALL(see, NULL), &p));
	assert_string_equal(p.detail, "the database cannot be reached");
	db_pool_free(pool);
}

static void a_slow_statement_is_waited_for_while_others_are_answered(void **state)
{
	static const struct db_query dawdle = { "dawdle", "SELECT pg_sleep(1.2)", 0 };
	struct db_pool *pool = floor_pool(1, 1000, 60000);

	(void)state;
	floor_do(pool, CALL(dawdle, NULL));
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

/* Each takes less time than it may; together they take more than one may. */
static void slow_statements_in_one_round_trip_are_each_given_their_time(void **state)
{
	static const struct db_query dawdle = { "dawdle", "SELECT pg_sleep(0.9)", 0 };
	struct db_pool *pool = floor_pool(1, 1000, 2000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	for (int i = 0; i < 3; i++)
		assert_true(db_queue(tx, CALL(dawdle, NULL), &p));
	assert_true(db_last(tx, CALL(dawdle, NULL), &rows, &p));
	db_end(tx);
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void a_database_that_is_gone_is_told_at_once_and_found_again(void **state)
{
	struct db_pool *pool = floor_pool(4, 1000, 5000);
	int64_t deadline_us = clock_monotonic_us() + 10000000;
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	floor_do(pool, CALL(see, NULL));
	relay_set(floor_relay(), RELAY_GONE);
	for (int i = 0; i < 100; i++) {
		assert_false(floor_once(pool, CALL(see, NULL), &p));
		assert_unavailable(&p);
		assert_string_equal(p.detail, "the database cannot be reached");
	}
	assert_int_equal(db_pool_state(pool).timeouts, 0);
	relay_set(floor_relay(), RELAY_OPEN);
	while (!floor_once(pool, CALL(see, NULL), &p))
		assert_true(clock_monotonic_us() < deadline_us);
	db_pool_free(pool);
}

static void a_statement_that_takes_too_long_is_ended(void **state)
{
	static const struct db_query dawdle = { "dawdle", "SELECT pg_sleep(10)", 0 };
	struct db_pool *pool = floor_pool(1, 1000, 50);
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_false(floor_once(pool, CALL(dawdle, NULL), &p));
	assert_unavailable(&p);
	assert_string_equal(p.detail, "the database took too long");
	floor_do(pool, CALL(see, NULL));
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void a_statement_whose_table_was_changed_may_be_retried(void **state)
{
	static const struct db_query all = { "all", "SELECT * FROM thing", 0 };
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	floor_do(pool, CALL(all, NULL));
	floor_sql("ALTER TABLE thing ADD COLUMN extra text");
	assert_true(may_retry_after(pool, CALL(all, NULL), "0A000"));
	floor_do(pool, CALL(all, NULL));
	floor_sql("ALTER TABLE thing DROP COLUMN extra");
	db_pool_free(pool);
}

static void words_while_at_rest_do_not_end_a_session_but_a_farewell_does(void **state)
{
	static const char parameter[] = "S\0\0\0\x1e"
					"application_name\0somebody";
	static const char farewell[] = "E\0\0\0\x1fSFATAL\0VFATAL\0C57P01\0Mbye\0";
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	floor_do(pool, CALL(see, NULL));
	relay_say(floor_relay(), parameter, sizeof parameter);
	floor_do(pool, CALL(see, NULL));
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	relay_say(floor_relay(), farewell, sizeof farewell);
	floor_do(pool, CALL(see, NULL));
	assert_int_equal(db_pool_state(pool).reconnects, 1);
	db_pool_free(pool);
}

static const struct CMUnitTest tests[] = {
	FLOOR_TEST(conflicts_between_transactions_may_be_retried),
	FLOOR_TEST(a_conflict_that_comes_with_commit_may_be_retried),
	FLOOR_TEST(of_two_in_a_deadlock_one_is_done_and_one_may_retry),
	FLOOR_TEST(a_session_that_was_killed_at_rest_is_replaced_unseen),
	FLOOR_TEST(a_session_that_is_killed_in_a_transaction_may_be_retried),
	FLOOR_TEST(a_farewell_before_begin_makes_a_write_safe_to_retry),
	FLOOR_TEST(an_answer_lost_behind_commit_is_never_retried_for_a_write),
	FLOOR_TEST(a_read_and_an_unfinished_write_may_be_retried_when_the_answer_is_lost),
	FLOOR_TEST(a_database_that_hangs_is_given_up),
	FLOOR_TEST(a_database_that_answers_nobody_is_given_up_before_the_statement_is),
	FLOOR_TEST(a_slow_statement_is_waited_for_while_others_are_answered),
	FLOOR_TEST(slow_statements_in_one_round_trip_are_each_given_their_time),
	FLOOR_TEST(a_database_that_is_gone_is_told_at_once_and_found_again),
	FLOOR_TEST(a_statement_that_takes_too_long_is_ended),
	FLOOR_TEST(a_statement_whose_table_was_changed_may_be_retried),
	FLOOR_TEST(words_while_at_rest_do_not_end_a_session_but_a_farewell_does),
};
FLOOR_MAIN(tests)
