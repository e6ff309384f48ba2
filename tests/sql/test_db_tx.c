/* Transactions against PostgreSQL: what travels, under whose name, what is prepared, what is
 * undone. */
#include "floor.h"

#include <string.h>

static const struct db_query see = { "see", "SELECT id, council, nhs_number FROM thing ORDER BY id",
	                             0 };
static const struct db_query add = { "add",
	                             "INSERT INTO thing (id, council) VALUES ($1::int, 'one')", 1 };
static const struct db_query setting = { "setting", "SELECT current_setting($1) AS value", 1 };
static const struct db_query divide = { "divide", "SELECT 1 / $1::int AS value", 1 };
static const struct db_query prepared = {
	"prepared", "SELECT name FROM pg_prepared_statements WHERE name LIKE $1 ORDER BY name", 1
};
static const struct db_query broken = { "broken", "SELECT nothing FROM nowhere", 0 };

static const char *ask(struct db_tx *tx, struct db_call call, struct db_rows **rows,
                       const char *column)
{
	problem_auto p = { .code = PROBLEM_NONE };

	db_rows_free(*rows);
	*rows = NULL;
	assert_true(db_run(tx, call, rows, &p));
	assert_int_equal(db_count(*rows), 1);
	return db_text(*rows, 0, column);
}

static void one_statement_is_one_round_trip(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	size_t heard;

	(void)state;
	floor_do(pool, CALL(see, NULL));
	heard = relay_heard(floor_relay());
	floor_do(pool, CALL(see, NULL));
	assert_int_equal(relay_heard(floor_relay()) - heard, 1);
	/* A statement that is new to the session needs none of its own. */
	floor_do(pool, CALL(divide, "1"));
	assert_int_equal(relay_heard(floor_relay()) - heard, 2);
	assert_int_equal(db_pool_state(pool).round_trips, 3);
	db_pool_free(pool);
}

static void nothing_travels_before_the_first_statement(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	struct db_tx *tx = NULL;

	(void)state;
	relay_set(floor_relay(), RELAY_GONE);
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_commit(tx, &p));
	db_end(tx);
	assert_int_equal(db_pool_state(pool).borrowed, 0);
	db_pool_free(pool);
}

static void the_claims_are_told_and_forgotten_with_the_transaction(void **state)
{
	static const struct db_claims nobody = { .class = "floor_council" };
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	const struct db_claims *callers[] = { &council_one, &nobody };
	const char *subjects[] = { "subject-1", "" }, *councils[] = { "{one}", "" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		db_tx_auto *tx = NULL;

		assert_true(db_begin(pool, callers[i], DB_READ, false, &tx, &p));
		assert_string_equal(ask(tx, CALL(setting, "app.subject"), &rows, "value"),
		                    subjects[i]);
		assert_string_equal(ask(tx, CALL(setting, "app.councils"), &rows, "value"),
		                    councils[i]);
		assert_string_equal(ask(tx, CALL(setting, "role"), &rows, "value"),
		                    "floor_council");
		assert_true(db_commit(tx, &p));
	}
	db_pool_free(pool);
}

static void each_class_of_caller_sees_its_own_rows(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	const struct db_claims *callers[] = { &council_one, &council_two, &partner, &council_one };
	const char *ids[] = { "1", "2", "2", "1" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		db_tx_auto *tx = NULL;

		assert_true(db_begin(pool, callers[i], DB_READ, false, &tx, &p));
		assert_true(db_last(tx, CALL(see, NULL), &rows, &p));
		assert_int_equal(db_count(rows), 1);
		assert_string_equal(db_text(rows, 0, "id"), ids[i]);
	}
	db_pool_free(pool);
}

static void without_claims_the_login_role_itself_asks(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	db_tx_auto *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, NULL, DB_READ, false, &tx, &p));
	assert_string_equal(ask(tx, CALL(setting, "role"), &rows, "value"), "none");
	assert_false(db_last(tx, CALL(see, NULL), &rows, &p));
	assert_int_equal(p.code, PROBLEM_FORBIDDEN);
	assert_true(db_refused(tx, "42501"));
	db_endp(&tx);
	tx = NULL;
	db_pool_free(pool);
}

static void the_mode_decides_what_may_be_written(void **state)
{
	static const struct {
		enum db_mode mode;
		const char *read_only, *waits;
	} cases[] = { { DB_READ, "on", "on" },
		      { DB_READ_NOTED, "off", "off" },
		      { DB_WRITE, "off", "on" } };
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		db_tx_auto *tx = NULL;

		assert_true(db_begin(pool, &council_one, cases[i].mode, false, &tx, &p));
		assert_string_equal(ask(tx, CALL(setting, "transaction_read_only"), &rows, "value"),
		                    cases[i].read_only);
		assert_string_equal(ask(tx, CALL(setting, "synchronous_commit"), &rows, "value"),
		                    cases[i].waits);
		assert_int_equal(db_queue(tx, CALL(add, "7"), &p) && db_commit(tx, &p),
		                 cases[i].mode != DB_READ);
		assert_int_equal(p.code,
		                 cases[i].mode == DB_READ ? PROBLEM_INTERNAL : PROBLEM_NONE);
		floor_sql("DELETE FROM thing WHERE id = 7");
	}
	db_pool_free(pool);
}

static void a_refusal_undoes_all_and_leaves_the_session_usable(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	struct db_tx *tx = NULL;
	db_rows_auto *rows = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_queue(tx, CALL(add, "7"), &p));
	assert_false(db_last(tx, CALL(divide, "0"), &rows, &p));
	assert_int_equal(p.code, PROBLEM_VALIDATION_FAILED);
	assert_true(db_refused(tx, "22012"));
	assert_false(db_may_retry(tx));
	assert_null(rows);
	assert_false(db_commit(tx, &p));
	assert_int_equal(p.code, PROBLEM_INTERNAL);
	db_end(tx);
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id = 7"), 0);
	floor_do(pool, CALL(add, "7"));
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id = 7"), 1);
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void what_is_queued_goes_out_with_the_next_statement(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_queue(tx, CALL(add, "7"), &p));
	assert_true(db_queue(tx, CALL(add, "8"), &p));
	assert_true(db_last(tx, CALL(see, NULL), &rows, &p));
	assert_int_equal(db_count(rows), 3);
	db_end(tx);
	assert_int_equal(db_pool_state(pool).round_trips, 1);
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id IN (7, 8)"), 2);
	db_pool_free(pool);
}

static void a_queue_longer_than_the_pipeline_is_sent_in_parts(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	for (char id[] = "100"; id[2] <= '9'; id[2]++)
		for (id[1] = '0'; id[1] <= '9'; id[1]++)
			assert_true(db_queue(tx, CALL(add, id), &p));
	assert_true(db_commit(tx, &p));
	db_end(tx);
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id >= 100"), 100);
	db_pool_free(pool);
}

static void what_is_queued_and_never_sent_is_undone(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct db_tx *tx = NULL;

		assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
		assert_true(db_queue(tx, i == 0 ? CALL(add, "7") : CALL(divide, "0"), &p));
		db_end(tx);
	}
	assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id = 7"), 0);
	floor_do(pool, CALL(add, "8"));
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void a_held_transaction_is_committed_by_db_commit_alone(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (int commits = 0; commits < 2; commits++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		struct db_tx *tx = NULL;

		assert_true(db_begin(pool, &council_one, DB_WRITE, true, &tx, &p));
		assert_true(db_last(tx, CALL(add, "7"), &rows, &p));
		assert_true(db_queue(tx, CALL(add, "8"), &p));
		if (commits)
			assert_true(db_commit(tx, &p) && db_commit(tx, &p));
		db_end(tx);
		assert_int_equal(floor_number("SELECT count(*) FROM thing WHERE id IN (7, 8)"),
		                 2 * commits);
	}
	db_pool_free(pool);
}

static void nothing_comes_after_the_end(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
	assert_true(db_last(tx, CALL(see, NULL), &rows, &p));
	assert_true(db_commit(tx, &p));
	assert_false(db_queue(tx, CALL(add, "7"), &p));
	assert_int_equal(p.code, PROBLEM_INTERNAL);
	db_end(tx);
	db_pool_free(pool);
}

static void a_statement_is_prepared_once_for_each_class(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	const struct db_claims *callers[] = { &council_one, &partner, &council_two, &partner };
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		db_rows_auto *seen = NULL;

		assert_true(db_begin(pool, callers[i], DB_READ, false, &tx, &p));
		assert_true(db_last(tx, CALL(see, NULL), &seen, &p));
		db_end(tx);
	}
	assert_true(db_begin(pool, NULL, DB_READ, false, &tx, &p));
	assert_true(db_last(tx, CALL(prepared, "see@%"), &rows, &p));
	assert_int_equal(db_count(rows), 2);
	assert_string_equal(db_text(rows, 0, "name"), "see@floor_council");
	assert_string_equal(db_text(rows, 1, "name"), "see@floor_partner");
	db_end(tx);
	db_pool_free(pool);
}

/* Whether PostgreSQL has a statement depends on whether its Parse was reached, not on how the
 * transaction ended. */
static void what_is_prepared_is_known_exactly_also_after_failures(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		db_rows_auto *rows = NULL;
		db_tx_auto *tx = NULL;

		assert_true(db_begin(pool, &council_one, DB_WRITE, false, &tx, &p));
		/* `add` is parsed and undone; `divide` fails; the Parse of `see` and that of COMMIT
		 * are skipped. */
		assert_true(db_queue(tx, CALL(add, "7"), &p));
		assert_true(db_queue(tx, CALL(divide, "0"), &p));
		assert_false(db_last(tx, CALL(see, NULL), &rows, &p));
		assert_true(db_refused(tx, "22012"));
	}
	for (int i = 0; i < 2; i++) {
		problem_auto p = { .code = PROBLEM_NONE };

		assert_false(floor_once(pool, CALL(broken, NULL), &p));
		assert_int_equal(p.code, PROBLEM_INTERNAL);
		assert_string_equal(p.detail, "the database refused a statement");
		floor_do(pool, CALL(see, NULL));
	}
	assert_int_equal(db_pool_state(pool).reconnects, 0);
	db_pool_free(pool);
}

static void answers_have_text_size_and_null(void **state)
{
	static const struct db_query query = { "values",
		                               "SELECT 'abc' AS body, NULL AS nothing, '' AS empty",
		                               0 };
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	assert_true(db_begin(pool, &council_one, DB_READ, false, &tx, &p));
	assert_true(db_last(tx, CALL(query, NULL), &rows, &p));
	db_end(tx);
	db_pool_free(pool);
	assert_string_equal(db_text(rows, 0, "body"), "abc");
	assert_int_equal(db_size(rows, 0, "body"), 3);
	assert_null(db_text(rows, 0, "nothing"));
	assert_string_equal(db_text(rows, 0, "empty"), "");
	assert_null(db_text(rows, 0, "no such column"));
	assert_null(db_text(rows, 1, "body"));
	assert_int_equal(db_size(rows, 1, "body"), 0);
}

static void a_mebibyte_passes_both_ways(void **state)
{
	static const struct db_query query = { "echo", "SELECT $1::text || $1::text AS value", 1 };
	static char large[1 << 20];
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	struct db_tx *tx = NULL;

	(void)state;
	memset(large, 'x', sizeof large - 1);
	assert_true(db_begin(pool, &council_one, DB_READ, false, &tx, &p));
	assert_true(db_last(tx, CALL(query, large), &rows, &p));
	assert_int_equal(db_size(rows, 0, "value"), 2 * (sizeof large - 1));
	db_end(tx);
	assert_int_equal(db_pool_state(pool).round_trips, 1);
	db_pool_free(pool);
}

static const struct CMUnitTest tests[] = {
	FLOOR_TEST(one_statement_is_one_round_trip),
	FLOOR_TEST(nothing_travels_before_the_first_statement),
	FLOOR_TEST(the_claims_are_told_and_forgotten_with_the_transaction),
	FLOOR_TEST(each_class_of_caller_sees_its_own_rows),
	FLOOR_TEST(without_claims_the_login_role_itself_asks),
	FLOOR_TEST(the_mode_decides_what_may_be_written),
	FLOOR_TEST(a_refusal_undoes_all_and_leaves_the_session_usable),
	FLOOR_TEST(what_is_queued_goes_out_with_the_next_statement),
	FLOOR_TEST(a_queue_longer_than_the_pipeline_is_sent_in_parts),
	FLOOR_TEST(what_is_queued_and_never_sent_is_undone),
	FLOOR_TEST(a_held_transaction_is_committed_by_db_commit_alone),
	FLOOR_TEST(nothing_comes_after_the_end),
	FLOOR_TEST(a_statement_is_prepared_once_for_each_class),
	FLOOR_TEST(what_is_prepared_is_known_exactly_also_after_failures),
	FLOOR_TEST(answers_have_text_size_and_null),
	FLOOR_TEST(a_mebibyte_passes_both_ways),
};
FLOOR_MAIN(tests)
