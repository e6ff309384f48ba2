/* The good answer made of a query's row; the rows are libpq's, made here instead of by a server. */
#include "unit.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/text.h"
#include "call/call.h"

/* A row of `body`, `version` and `created`. */
static struct db_rows *row(const char *body, const char *version, const char *created)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char names[][8] = { "body", "version", "created" };
	PGresAttDesc columns[3] = { { .name = names[0] },
		                    { .name = names[1] },
		                    { .name = names[2] } };
	const char *values[] = { body, version, created };

	assert_non_null(result);
	assert_int_equal(PQsetResultAttrs(result, 3, columns), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(PQsetvalue(result, 0, i, (char *)values[i],
		                            values[i] ? (int)strlen(values[i]) : -1),
		                 1);
	return (struct db_rows *)result;
}

static const struct service service = { .base_url = "https://carers.example.org" };
static const struct endpoint put = { .method = METHOD_PUT };
#define PLAN "/v1/carers/1/contingency-plan"

static struct call call_of(void)
{
	return (struct call){ .service = &service, .endpoint = &put, .target_text = PLAN "?x=1" };
}

static void a_put_that_makes_is_201_and_says_where(void **state)
{
	struct call c = call_of();
	db_rows_auto *rows = row("{\"a\":1}", "1", "t");

	(void)state;
	assert_true(call_put(&c, rows));
	assert_int_equal(c.reply.status, 201);
	assert_string_equal(c.reply.location, "https://carers.example.org" PLAN);
	assert_string_equal(c.reply.etag, "\"v1\"");
	assert_string_equal(c.reply.body, "{\"a\":1}");
	reply_done(&c.reply);
}

static void a_put_that_replaces_is_200_without_a_location(void **state)
{
	const char *const replaced[] = { "f", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(replaced); i++) {
		struct call c = call_of();
		db_rows_auto *rows = row("{}", "2", replaced[i]);

		assert_true(call_put(&c, rows));
		assert_int_equal(c.reply.status, 200);
		assert_string_equal(c.reply.location, "");
		assert_string_equal(c.reply.etag, "\"v2\"");
		reply_done(&c.reply);
	}
}

static void what_is_created_below_the_path_is_found_there(void **state)
{
	struct call c = call_of();
	db_rows_auto *rows = row("{}", "1", NULL);

	(void)state;
	assert_true(call_created(&c, "7", rows));
	assert_int_equal(c.reply.status, 201);
	assert_string_equal(c.reply.location, "https://carers.example.org" PLAN "/7");
	reply_done(&c.reply);
}

static void a_location_below_the_longest_base_url_is_whole(void **state)
{
	char base[256] = "https://", path[256] = "/v1/";
	const struct service far = { .base_url = base };
	struct call c = { .service = &far, .endpoint = &put, .target_text = "/" };
	db_rows_auto *rows = row("{}", "1", NULL);

	(void)state;
	memset(base + 8, 'b', sizeof base - 9);
	memset(path + 4, 'p', 200);
	assert_true(call_created_at(&c, path, "7", rows));
	assert_int_equal(strlen(c.reply.location), 255 + 204 + 2);
	assert_true(text_ends(c.reply.location, "pp/7"));
	reply_done(&c.reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_that_makes_is_201_and_says_where),
		cmocka_unit_test(a_put_that_replaces_is_200_without_a_location),
		cmocka_unit_test(what_is_created_below_the_path_is_found_there),
		cmocka_unit_test(a_location_below_the_longest_base_url_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
