/* The ground floor: text, encodings, JSON under our rules, ids, time, problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"

static void numbers_are_whole_texts_within_bounds(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(text_number("200", 1, 200, &n));
	assert_int_equal(n, 200);
	for (const char *const *bad =
	             (const char *const[]){ "", "201", "0", "-1", "+1", " 1", "1 ", "01", "1.0",
	                                    "18446744073709551616", NULL };
	     *bad; bad++)
		assert_false(text_number(*bad, 1, 200, &n));
	assert_int_equal(n, 200);
}

static void utf8_is_taken_strictly(void **state)
{
	(void)state;
	assert_true(text_utf8("Zo\xC3\xAB \xF0\x9F\x98\x80", 9));
	assert_false(text_utf8("\xC0\xAF", 2));     /* overlong */
	assert_false(text_utf8("\xED\xA0\x80", 3)); /* surrogate */
	assert_false(text_utf8("\xF5\x80\x80\x80", 4));
	assert_false(text_utf8("\xE2\x82", 2)); /* cut */
	assert_false(text_utf8("a\0b", 3));
}

static void base64url_has_one_text_for_one_value(void **state)
{
	unsigned char bytes[8];
	char text[16];
	size_t size;

	(void)state;
	assert_true(text_base64url_decode("AQID", 4, bytes, &size));
	assert_memory_equal(bytes, "\1\2\3", size);
	text_base64url_encode(bytes, 2, text);
	assert_string_equal(text, "AQI");
	assert_false(text_base64url_decode("AQJ", 3, bytes, &size)); /* spare bits set */
	assert_false(text_base64url_decode("A", 1, bytes, &size));
	assert_false(text_base64url_decode("AQ==", 4, bytes, &size));
	assert_false(text_base64url_decode("A+/B", 4, bytes, &size));
}

static void percent_encoding_hides_no_nul_and_no_broken_text(void **state)
{
	char text[32];

	(void)state;
	assert_true(text_percent_decode("a%20b+c", 7, true, text));
	assert_string_equal(text, "a b c");
	assert_false(text_percent_decode("a%00", 4, false, text));
	assert_false(text_percent_decode("a%2", 3, false, text));
	assert_false(text_percent_decode("a%zz", 4, false, text));
	assert_false(text_percent_decode("%ff", 3, false, text));
}

static void assert_malformed(const char *bytes, size_t size, const char *part_of_detail)
{
	problem_auto p = { 0 };
	json_t *json = NULL;

	assert_false(json_read(bytes, size, &json, &p));
	assert_int_equal(p.code, PROBLEM_MALFORMED_JSON);
	assert_non_null(strstr(p.detail, part_of_detail));
}

static void broken_json_is_refused_with_its_reason(void **state)
{
	char deep[80] = { 0 };

	(void)state;
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	assert_malformed(deep, 66, "32 levels");
	assert_malformed("{\"a\":1,\"a\":2}", 13, "the same key twice");
	assert_malformed("{\"a\":", 5, "ends too early");
	assert_malformed("{} x", 4, "something follows");
	assert_malformed("\"\xC0\xAF\"", 4, "not UTF-8");
	assert_malformed("\"a\0b\"", 5, "NUL");
	assert_malformed("\"\\u0000\"", 8, "NUL");
	assert_malformed("9223372036854775808", 19, "out of range");
	assert_malformed("1e400", 5, "out of range");
	assert_malformed("", 0, "ends too early");
}

static void brackets_in_strings_are_not_depth(void **state)
{
	const char *text = "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"";
	json_auto_t *json = NULL;
	problem_auto p = { 0 };

	(void)state;
	assert_true(json_read(text, strlen(text), &json, &p));
}

static void pointers_find_their_way_through_escapes(void **state)
{
	json_auto_t *json = json_pack("{s:{s:[i,i]}}", "a/b", "c~d", 1, 2);
	buf_auto pointer = { .limit = KIB };

	(void)state;
	assert_int_equal(json_integer_value(json_at(json, "/a~1b/c~0d/1")), 2);
	assert_null(json_at(json, "/a~1b/c~0d/2"));
	assert_null(json_at(json, "/a~1b/c~0d/01"));
	assert_true(json_pointer_add(&pointer, "a/b") && json_pointer_add(&pointer, "c~d"));
	assert_string_equal(buf_text(&pointer), "/a~1b/c~0d");
}

static void ids_are_of_version_7_and_in_order(void **state)
{
	char last[UUID_TEXT] = "", id[UUID_TEXT];
	uint8_t bytes[UUID_BYTES];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uuid_make(id);
		assert_true(strcmp(last, id) < 0);
		memcpy(last, id, sizeof last);
	}
	assert_true(uuid_parse(id, bytes));
	assert_int_equal(bytes[6] >> 4, 7);
	assert_int_equal(bytes[8] >> 6, 2);
	assert_false(uuid_parse("018f0000-0000-7000-8000-00000000000", bytes));
	assert_false(uuid_parse("018f00000000-7000-8000-0000-000000000", bytes));
	assert_false(uuid_parse("018f0000-0000-7000-8000-00000000000g", bytes));
}

static void a_buffer_stops_at_its_ceiling_and_keeps_what_it_has(void **state)
{
	buf_auto b = { .limit = 5 };

	(void)state;
	assert_true(buf_add(&b, "abc"));
	assert_false(buf_add(&b, "def"));
	assert_true(buf_addf(&b, "%d", 42));
	assert_string_equal(buf_text(&b), "abc42");
}

static void time_is_printed_as_rfc_3339(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	clock_print(INT64_C(1795356660000001), false, text);
	assert_string_equal(text, "2026-11-22T14:11:00Z");
	clock_print(INT64_C(1795356660000001), true, text);
	assert_string_equal(text, "2026-11-22T14:11:00.000001Z");
}

/* By the wall clock, this deadline would have passed half a century ago. */
static void a_wait_lasts_as_long_as_it_was_given(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition;
	int64_t began = clock_monotonic_us();
	struct timespec until = clock_in_ms(20);
	int rc = 0;

	(void)state;
	clock_condition(&condition);
	pthread_mutex_lock(&lock);
	while (rc == 0)
		rc = pthread_cond_timedwait(&condition, &lock, &until);
	pthread_mutex_unlock(&lock);
	assert_int_equal(rc, ETIMEDOUT);
	assert_true(clock_monotonic_us() - began >= 20000);
	pthread_cond_destroy(&condition);
}

static void every_fault_is_kept_and_counted(void **state)
{
	problem_auto p = { 0 };

	(void)state;
	problem_fault(&p, PROBLEM_VALIDATION_FAILED, "/a", "type", "must be a string");
	assert_string_equal(p.detail, "/a must be a string");
	problem_fault(&p, PROBLEM_VALIDATION_FAILED, "/b", "required", "is required");
	assert_int_equal(json_array_size(json_object_get(p.members, "errors")), 2);
	assert_non_null(strstr(p.detail, "2 things"));
}

static void text_that_was_cut_ends_in_a_whole_character(void **state)
{
	static const struct {
		const char *text;
		size_t whole;
	} rows[] = { { "", 0 },
		     { "Zoe", 3 },
		     { "Zo\xC3\xAB", 4 },
		     { "Zo\xC3", 2 },
		     { "Z\xE2\x82\xAC", 4 },
		     { "Z\xE2\x82", 1 },
		     { "\xF0\x9F\x98\x80", 4 },
		     { "\xF0\x9F\x98", 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		text_auto *text = text_copy(rows[i].text);

		text_whole(text);
		assert_int_equal(strlen(text), rows[i].whole);
		assert_true(text_utf8(text, strlen(text)));
	}
}

/* One byte before the accents moves the cut into a character. */
static void a_problem_about_a_long_name_is_whole_text(void **state)
{
	char pointer[402] = "/";

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(pointer + 1 + 2 * i, "\xC3\xA9", 3);
	for (size_t from = 0; from < 2; from++) {
		problem_auto p = { 0 };
		char all[sizeof pointer + 2];

		snprintf(all, sizeof all, "/%s%s", from ? "a" : "", pointer + 1);
		problem_fault(&p, PROBLEM_VALIDATION_FAILED, all, "additionalProperties",
		              "is unknown");
		assert_string_equal(p.detail, "one thing is wrong; `errors` says what and where");
		assert_int_equal(json_array_size(json_object_get(p.members, "errors")), 1);
		problem(&p, PROBLEM_VALIDATION_FAILED, "%s", all);
		assert_true(text_utf8(p.detail, strlen(p.detail)));
		assert_true(strlen(p.detail) > sizeof p.detail - 4);
	}
}

static void a_decimal_is_printed_as_it_went_in(void **state)
{
	static const struct {
		int64_t units;
		unsigned places;
		const char *text;
	} rows[] = { { 30, 2, "0.3" },
		     { 1798, 2, "17.98" },
		     { -241, 2, "-2.41" },
		     { 583, 3, "0.583" },
		     { 500, 2, "5.0" },
		     { 0, 2, "0.0" },
		     { -5, 2, "-0.05" },
		     { 7, 0, "7.0" },
		     { 999, 3, "0.999" },
		     { 1, 3, "0.001" },
		     { 123456789012345, 2, "1234567890123.45" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_auto_t *json = json_decimal(rows[i].units, rows[i].places);
		text_auto *text = json_print(json);

		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_texts_within_bounds),
		cmocka_unit_test(utf8_is_taken_strictly),
		cmocka_unit_test(base64url_has_one_text_for_one_value),
		cmocka_unit_test(percent_encoding_hides_no_nul_and_no_broken_text),
		cmocka_unit_test(broken_json_is_refused_with_its_reason),
		cmocka_unit_test(brackets_in_strings_are_not_depth),
		cmocka_unit_test(pointers_find_their_way_through_escapes),
		cmocka_unit_test(ids_are_of_version_7_and_in_order),
		cmocka_unit_test(a_buffer_stops_at_its_ceiling_and_keeps_what_it_has),
		cmocka_unit_test(time_is_printed_as_rfc_3339),
		cmocka_unit_test(a_wait_lasts_as_long_as_it_was_given),
		cmocka_unit_test(a_decimal_is_printed_as_it_went_in),
		cmocka_unit_test(every_fault_is_kept_and_counted),
		cmocka_unit_test(text_that_was_cut_ends_in_a_whole_character),
		cmocka_unit_test(a_problem_about_a_long_name_is_whole_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
