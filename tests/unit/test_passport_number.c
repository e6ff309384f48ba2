/* Passport numbers: no two signs alike, typing errors told, read as people type them. */
#include "unit.h"

#include <string.h>

#include "base/attr.h"
#include "base/random.h"
#include "rules/passport_number.h"

static const char signs[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void make(char ret_number[static PASSPORT_NUMBER])
{
	uint8_t random[PASSPORT_RANDOM];

	random_bytes(random, sizeof random);
	passport_number_make(random, ret_number);
}

static void every_five_bits_have_a_sign_of_their_own_that_looks_like_no_other(void **state)
{
	uint8_t random[PASSPORT_RANDOM] = { 0 };
	char number[PASSPORT_NUMBER], seen[33] = "";

	(void)state;
	for (uint8_t bits = 0; bits < 32; bits++) {
		random[0] = (uint8_t)(bits | 0xE0); /* what stands above them does not count */
		passport_number_make(random, number);
		assert_null(strchr(seen, number[3]));
		assert_null(strchr("ILOU", number[3]));
		seen[bits] = number[3];
		seen[bits + 1] = '\0';
	}
	assert_string_equal(seen, signs);
}

static void a_number_is_grouped_and_reads_as_itself(void **state)
{
	char number[PASSPORT_NUMBER], read[PASSPORT_NUMBER];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		make(number);
		assert_int_equal(strlen(number), PASSPORT_NUMBER - 1);
		assert_memory_equal(number, "CP-", 3);
		assert_true(number[7] == '-' && number[12] == '-' && number[17] == '-');
		assert_true(passport_number_read(number, read));
		assert_string_equal(read, number);
	}
}

/* A number as it was worked out by hand once: the check character does not change with a release.
 */
static void the_check_character_is_the_one_that_was_printed(void **state)
{
	static const uint8_t ones[PASSPORT_RANDOM] = { [14] = 1 }, first[PASSPORT_RANDOM] = { 1 };
	char number[PASSPORT_NUMBER];

	(void)state;
	passport_number_make(ones, number);
	assert_string_equal(number, "CP-0000-0000-0000-0012"); /* x */
	passport_number_make(first, number);
	assert_string_equal(number, "CP-1000-0000-0000-000Z"); /* x^15 */
}

static void every_single_wrong_character_is_told(void **state)
{
	char number[PASSPORT_NUMBER], wrong[PASSPORT_NUMBER], read[PASSPORT_NUMBER];

	(void)state;
	for (int i = 0; i < 100; i++) {
		make(number);
		for (size_t at = 3; at < PASSPORT_NUMBER - 1; at++) {
			if (number[at] == '-')
				continue;
			for (const char *sign = signs; *sign; sign++) {
				memcpy(wrong, number, sizeof wrong);
				wrong[at] = *sign;
				assert_int_equal(passport_number_read(wrong, read),
				                 *sign == number[at]);
			}
		}
	}
}

static void two_neighbours_that_changed_places_are_told(void **state)
{
	char number[PASSPORT_NUMBER], wrong[PASSPORT_NUMBER], read[PASSPORT_NUMBER];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		make(number);
		for (size_t at = 3; at < PASSPORT_NUMBER - 2; at++) {
			size_t next = number[at + 1] == '-' ? at + 2 : at + 1;

			if (number[at] == '-' || number[at] == number[next])
				continue;
			memcpy(wrong, number, sizeof wrong);
			wrong[at] = number[next];
			wrong[next] = number[at];
			assert_false(passport_number_read(wrong, read));
		}
	}
}

static void a_number_is_read_as_people_type_it(void **state)
{
	static const char *const typed[] = {
		"CP-1000-0000-0000-000Z", "cp-1000-0000-0000-000z", "CP100000000000000Z",
		"cpi000-oooo-0O0O-000z",  "Cp-L000-0000-0000-000Z", "CP1-000-0000000-0000Z-",
	};
	char read[PASSPORT_NUMBER];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++) {
		assert_true(passport_number_read(typed[i], read));
		assert_string_equal(read, "CP-1000-0000-0000-000Z");
	}
}

static void what_is_no_number_is_not_read(void **state)
{
	static const char *const typed[] = {
		"",
		"C",
		"CP",
		"CP-",
		"CP-1000-0000-0000-000",
		"CP-1000-0000-0000-000ZZ",
		"1000-0000-0000-000Z",
		"XP-1000-0000-0000-000Z",
		"CP-1000-0000-0000-000U",
		"CP-1000 0000 0000 000Z",
		"CP-1000-0000-0000-000\xC3\x9F",
	};
	char read[PASSPORT_NUMBER];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++)
		assert_false(passport_number_read(typed[i], read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_five_bits_have_a_sign_of_their_own_that_looks_like_no_other),
		cmocka_unit_test(a_number_is_grouped_and_reads_as_itself),
		cmocka_unit_test(the_check_character_is_the_one_that_was_printed),
		cmocka_unit_test(every_single_wrong_character_is_told),
		cmocka_unit_test(two_neighbours_that_changed_places_are_told),
		cmocka_unit_test(a_number_is_read_as_people_type_it),
		cmocka_unit_test(what_is_no_number_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
