/* Migrations: applied once, in order, by one at a time, and never when the database is not what it
 * should be. */
#include "floor.h"

#include <pthread.h>
#include <string.h>

#include "db/migrate.h"

#define FIRST                                                                                     \
	{                                                                                         \
		"0001_first", "CREATE TABLE one (n int); INSERT INTO one VALUES (1)", "aa", false \
	}
#define SECOND                                                           \
	{                                                                \
		"0002_second", "INSERT INTO one VALUES (2)", "bb", false \
	}

static const struct db_migration right[] = { FIRST, SECOND };
static const struct db_migration other[] = {
	FIRST, { "0002_second", "INSERT INTO one VALUES (3)", "cc", false }
};
static const struct db_migration squeezed[] = { FIRST,
	                                        { "0001_zwischen", "SELECT 1", "dd", false },
	                                        SECOND };
static const struct db_migration failing[] = {
	FIRST, SECOND, { "0003_broken", "INSERT INTO one VALUES (9); SELECT 1/0", "ee", false }
};
static const struct db_migration departing[] = {
	FIRST, SECOND, { "0003_leaving", "INSERT INTO one VALUES (9); COMMIT", "ff", false }
};
static const struct db_migration expanding[] = {
	FIRST, { "0002_wider", "ALTER TABLE one ADD COLUMN m int", "cd", .expands = true }
};
static const struct db_migration contracting[] = {
	FIRST,
	{ "0002_wider", "ALTER TABLE one ADD COLUMN m int", "cd", .expands = true },
	{ "0003_narrower", "ALTER TABLE one DROP COLUMN m", "ce", false }
};
static const struct db_migration dawdling[] = {
	{ "0001_slow", "CREATE TABLE one AS SELECT 1 AS n FROM pg_sleep(0.1)", "aa", false }
};

static const struct db_migration hooked[] = {
	FIRST,
	{ "0002_hook",
	  "CREATE FUNCTION migrated() RETURNS void LANGUAGE sql AS 'UPDATE one SET n = n + 1'",
	  "ab", false }
};

static const struct db_migrations one = { right, 1 }, two = { right, 2 }, changed = { other, 2 };
static const struct db_migrations squeezed_in = { squeezed, 3 }, broken = { failing, 3 },
				  leaving = { departing, 3 };
static const struct db_migrations wider = { expanding, 2 }, narrower = { contracting, 3 };
static const struct db_migrations slow = { dawdling, 1 }, hooks = { hooked, 2 };

static int empty_database(void **state)
{
	floor_sql("DROP TABLE IF EXISTS schema_migration, one; DROP FUNCTION IF EXISTS migrated()");
	return floor_fresh(state);
}

static void count(void *context, const char *name)
{
	(void)name;
	++*(int *)context;
}

/* Applies them and says how many that were; fails the test when they are refused. */
static int migrate(const struct db_migrations *migrations)
{
	problem_auto p = { .code = PROBLEM_NONE };
	int applied = 0;

	if (!db_migrate(floor_owner(), migrations, count, &applied, &p))
		fail_msg("%s", p.detail);
	return applied;
}

static void assert_refused(const struct db_migrations *migrations, enum problem_code code,
                           const char *detail)
{
	problem_auto p = { .code = PROBLEM_NONE };

	assert_false(db_migrate(floor_owner(), migrations, NULL, NULL, &p));
	assert_int_equal(p.code, code);
	assert_string_equal(p.detail, detail);
}

static void assert_not_migrated(const struct db_migrations *migrations, const char *detail)
{
	problem_auto p = { .code = PROBLEM_NONE }, unready = { .code = PROBLEM_NONE };
	struct db_pool *pool = floor_pool(1, 1000, 5000);

	assert_false(db_migrated(floor_service(), migrations, &p));
	assert_int_equal(p.code, PROBLEM_CONFLICT);
	assert_string_equal(p.detail, detail);
	assert_false(db_pool_ready(pool, migrations, &unready));
	assert_int_equal(unready.code, PROBLEM_UNAVAILABLE);
	assert_string_equal(unready.detail, detail);
	db_pool_free(pool);
}

static void each_is_applied_once(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_int_equal(migrate(&one), 1);
	assert_int_equal(migrate(&two), 1);
	assert_int_equal(migrate(&two), 0);
	assert_int_equal(floor_number("SELECT sum(n) FROM one"), 3);
	assert_true(db_migrated(floor_service(), &two, &p));
	assert_true(db_pool_ready(pool, &two, &p));
	db_pool_free(pool);
}

static void a_database_without_all_of_them_is_told_from_one_that_has(void **state)
{

	(void)state;
	assert_not_migrated(&one, "the database is empty: run `carers-api migrate` first");
	assert_int_equal(migrate(&one), 1);
	assert_not_migrated(&two,
	                    "migration 0002_second is not applied: run `carers-api migrate` first");
}

static void an_older_program_goes_on_while_the_newer_migrations_only_expand(void **state)
{
	struct db_pool *pool = floor_pool(1, 1000, 5000);
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_int_equal(migrate(&wider), 2);
	assert_true(db_migrated(floor_service(), &one, &p));
	assert_true(db_pool_ready(pool, &one, &p));
	assert_int_equal(migrate(&one), 0);
	db_pool_free(pool);
	assert_int_equal(migrate(&narrower), 1);
	assert_not_migrated(
		&one, "the database has migration 0003_narrower, which this program does not know");
	assert_not_migrated(
		&wider,
		"the database has migration 0003_narrower, which this program does not know");
}

static void the_schemas_own_last_step_is_taken_each_time(void **state)
{
	(void)state;
	assert_int_equal(migrate(&hooks), 2);
	assert_int_equal(floor_number("SELECT n FROM one"), 2);
	assert_int_equal(migrate(&hooks), 0);
	assert_int_equal(floor_number("SELECT n FROM one"), 3);
}

static void one_that_was_changed_is_refused(void **state)
{
	static const char words[] = "migration 0002_second was changed after it was applied";

	(void)state;
	assert_int_equal(migrate(&two), 2);
	assert_refused(&changed, PROBLEM_CONFLICT, words);
	assert_not_migrated(&changed, words);
	assert_int_equal(floor_number("SELECT sum(n) FROM one"), 3);
}

static void one_that_is_not_known_is_refused(void **state)
{
	static const char words[] =
		"the database has migration 0002_second, which this program does not know";

	(void)state;
	assert_int_equal(migrate(&two), 2);
	assert_refused(&one, PROBLEM_CONFLICT, words);
	assert_not_migrated(&one, words);
}

static void one_that_comes_too_late_is_refused(void **state)
{

	(void)state;
	assert_int_equal(migrate(&two), 2);
	assert_refused(&squeezed_in, PROBLEM_CONFLICT,
	               "migration 0001_zwischen is missing although 0002_second, which comes after "
	               "it, was applied");
}

static void one_that_fails_leaves_nothing_and_the_ones_before_stay(void **state)
{
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_refused(&broken, PROBLEM_INTERNAL, "0003_broken failed: 22012 division by zero");
	assert_int_equal(floor_number("SELECT sum(n) FROM one"), 3);
	assert_true(db_migrated(floor_service(), &two, &p));
}

static void one_that_ends_its_own_transaction_is_refused(void **state)
{

	(void)state;
	assert_refused(&leaving, PROBLEM_INTERNAL, "0003_leaving ends its own transaction");
	assert_int_equal(floor_number("SELECT count(*) FROM schema_migration"), 2);
}

static void *migrate_slowly(void *context)
{
	problem_auto p = { .code = PROBLEM_NONE };

	return db_migrate(floor_owner(), &slow, count, context, &p) ? context : NULL;
}

static void of_several_at_once_one_applies_and_the_others_find_it_done(void **state)
{
	int applied[4] = { 0 };
	pthread_t threads[4];
	void *done;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, migrate_slowly, &applied[i]), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &done);
		assert_ptr_equal(done, &applied[i]);
	}
	assert_int_equal(applied[0] + applied[1] + applied[2] + applied[3], 1);
	assert_int_equal(floor_number("SELECT count(*) FROM one"), 1);
}

static void without_a_database_it_is_unavailable(void **state)
{
	problem_auto p = { .code = PROBLEM_NONE }, q = { .code = PROBLEM_NONE };

	(void)state;
	relay_set(floor_relay(), RELAY_GONE);
	assert_false(db_migrate(floor_service(), &one, NULL, NULL, &p));
	assert_int_equal(p.code, PROBLEM_UNAVAILABLE);
	assert_false(db_migrated(floor_service(), &one, &q));
	assert_int_equal(q.code, PROBLEM_UNAVAILABLE);
}

#define MIGRATION_TEST(test) cmocka_unit_test_setup(test, empty_database)

static const struct CMUnitTest tests[] = {
	MIGRATION_TEST(each_is_applied_once),
	MIGRATION_TEST(a_database_without_all_of_them_is_told_from_one_that_has),
	MIGRATION_TEST(an_older_program_goes_on_while_the_newer_migrations_only_expand),
	MIGRATION_TEST(the_schemas_own_last_step_is_taken_each_time),
	MIGRATION_TEST(one_that_was_changed_is_refused),
	MIGRATION_TEST(one_that_is_not_known_is_refused),
	MIGRATION_TEST(one_that_comes_too_late_is_refused),
	MIGRATION_TEST(one_that_fails_leaves_nothing_and_the_ones_before_stay),
	MIGRATION_TEST(one_that_ends_its_own_transaction_is_refused),
	MIGRATION_TEST(of_several_at_once_one_applies_and_the_others_find_it_done),
	MIGRATION_TEST(without_a_database_it_is_unavailable),
};
FLOOR_MAIN(tests)
