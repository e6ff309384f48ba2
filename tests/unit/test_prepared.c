/* Which statements a session has prepared. */
#include "unit.h"

#include <string.h>

#include "db/prepared.h"

static void each_query_and_class_has_one_statement_that_stays_where_it_is(void **state)
{
	static const char *const classes[] = { "", "carers_council", "carers_self" };
	static struct db_query queries[200];
	static struct statement *first[200][COUNT_OF(classes)];
	struct prepared prepared = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		queries[i] = (struct db_query){ "a_query", "SELECT 1", 0 };
		for (size_t j = 0; j < COUNT_OF(classes); j++) {
			char class[32]; /* told apart by its text, not by where that stands */

			memcpy(class, classes[j], strlen(classes[j]) + 1);
			first[i][j] = prepared_get(&prepared, &queries[i], class);
			assert_non_null(first[i][j]);
			assert_false(first[i][j]->parsed);
			first[i][j]->parsed = true;
		}
	}
	assert_int_equal(prepared.count, COUNT_OF(queries) * COUNT_OF(classes));
	for (size_t i = 0; i < COUNT_OF(queries); i++)
		for (size_t j = 0; j < COUNT_OF(classes); j++) {
			assert_ptr_equal(prepared_get(&prepared, &queries[i], classes[j]),
			                 first[i][j]);
			assert_ptr_equal(first[i][j]->query, &queries[i]);
			assert_string_equal(first[i][j]->class, classes[j]);
		}
	prepared_clear(&prepared);
	assert_int_equal(prepared.count, 0);
}

static void a_statement_is_named_after_both(void **state)
{
	static const struct db_query query = { "carer_by_id", "SELECT 1", 0 };
	struct prepared prepared = { 0 };

	(void)state;
	assert_string_equal(prepared_get(&prepared, &query, "carers_self")->name,
	                    "carer_by_id@carers_self");
	assert_string_equal(prepared_get(&prepared, &query, "")->name, "carer_by_id@");
	prepared_clear(&prepared);
}

/* PostgreSQL would cut it, and take two statements for one. */
static void a_name_that_is_too_long_is_refused(void **state)
{
	static const struct db_query query = { "a_name_of_forty_characters_in_its_length",
		                               "SELECT 1", 0 };
	struct prepared prepared = { 0 };

	(void)state;
	assert_non_null(prepared_get(&prepared, &query, "a_class_of_22_letters_"));
	assert_null(prepared_get(&prepared, &query, "a_class_of_23_letters__"));
	assert_null(prepared_get(&prepared, &query, "a_class_of_23_letters__"));
	prepared_clear(&prepared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_query_and_class_has_one_statement_that_stays_where_it_is),
		cmocka_unit_test(a_statement_is_named_after_both),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
