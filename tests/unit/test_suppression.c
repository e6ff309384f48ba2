/* Suppression against its readers: of all tables that look the same, no hidden cell has one value
 * only. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "rules/suppression.h"

enum { ROWS = 3, MOST = ROWS * SUPPRESS_CELLS, NOT_SHOWN = 255 };

/* A table as it is, as it is published, and which of its cells are hidden for being computable
 * otherwise. */
struct seen {
	unsigned char value[MOST], shown[MOST];
	bool hidden[MOST];
	bool counts[MOST]; /* hidden in a row whose zeros are shown */
	unsigned greatest; /* of the inner cells */
};

/* `inner` has providers x classes counts; sums are added. */
static void table_of(const unsigned char *inner, size_t providers, size_t classes,
                     struct suppress_row *ret_rows)
{
	memset(ret_rows, 0, (providers + 1) * sizeof *ret_rows);
	for (size_t r = 0; r < providers; r++)
		for (size_t k = 0; k < classes; k++) {
			unsigned char n = inner[r * classes + k];

			ret_rows[r].n[k] = n;
			ret_rows[r].n[classes] += n;
			ret_rows[providers].n[k] += n;
			ret_rows[providers].n[classes] += n;
		}
}

/* As the report shows it: with its total a row goes as a whole. */
static void see(const unsigned char *inner, size_t providers, size_t classes, struct seen *ret_seen)
{
	struct suppress_row rows[ROWS];
	size_t width = classes + 1;

	*ret_seen = (struct seen){ 0 };
	table_of(inner, providers, classes, rows);
	suppress(rows, providers + 1, width);
	for (size_t r = 0; r <= providers; r++)
		for (size_t k = 0; k < width; k++) {
			size_t at = r * width + k;
			bool shown = !rows[r].hidden[k] && !rows[r].hidden[classes];

			ret_seen->value[at] = (unsigned char)rows[r].n[k];
			ret_seen->shown[at] = shown ? ret_seen->value[at] : NOT_SHOWN;
			ret_seen->hidden[at] = rows[r].hidden[k];
			ret_seen->counts[at] = rows[r].hidden[k] && !rows[r].hidden[classes];
		}
	for (size_t i = 0; i < providers * classes; i++)
		if (inner[i] > ret_seen->greatest)
			ret_seen->greatest = inner[i];
}

/* Every table with cells up to `most`. */
static struct seen *see_all(size_t providers, size_t classes, unsigned most, size_t *ret_count)
{
	unsigned char inner[MOST] = { 0 };
	size_t cells = providers * classes, count = 1, digit;
	struct seen *all;

	for (size_t i = 0; i < cells; i++)
		count *= most + 1;
	all = calloc(count, sizeof *all);
	assert_non_null(all);
	for (size_t i = 0; i < count; i++) {
		see(inner, providers, classes, &all[i]);
		for (digit = 0; digit < cells && inner[digit] == most; digit++)
			inner[digit] = 0;
		if (digit < cells)
			inner[digit]++;
	}
	*ret_count = count;
	return all;
}

/* Whether the other table could be the one. A reader who knows the rule compares what it makes of
 * both; another knows that what is hidden beside a shown total is not 0. */
static bool alike(const struct seen *one, const struct seen *other, bool knows_rule)
{
	if (knows_rule)
		return memcmp(one->shown, other->shown, sizeof one->shown) == 0;
	for (size_t c = 0; c < MOST; c++)
		if ((one->shown[c] != NOT_SHOWN && one->shown[c] != other->value[c]) ||
		    (one->counts[c] && other->value[c] == 0))
			return false;
	return true;
}

static void assert_not_computable(const struct seen *one, const struct seen *all, size_t count,
                                  bool knows_rule)
{
	bool open[MOST];
	size_t left = 0;

	memcpy(open, one->hidden, sizeof open);
	for (size_t c = 0; c < MOST; c++)
		left += open[c];
	for (size_t i = 0; i < count && left; i++) {
		if (!alike(one, &all[i], knows_rule))
			continue;
		for (size_t c = 0; c < MOST; c++)
			if (open[c] && all[i].value[c] != one->value[c]) {
				open[c] = false;
				left--;
			}
	}
	assert_int_equal(left, 0);
}

static void nothing_hidden_is_computed_from_what_is_shown(void **state)
{
	/* Tables with cells up to `most` are looked through, and asserted up to `asserted`: their
	 * look-alikes are among them. */
	static const struct {
		size_t providers, classes;
		unsigned asserted, most;
		bool knows_rule;
	} sizes[] = { { 1, 3, 12, 14, true },
		      { 2, 1, 20, 30, true },
		      { 2, 2, 7, 10, false },
		      { 2, 3, 3, 4, false } };

	(void)state;
	for (size_t s = 0; s < COUNT_OF(sizes); s++) {
		size_t count;
		struct seen *all =
			see_all(sizes[s].providers, sizes[s].classes, sizes[s].most, &count);

		for (size_t i = 0; i < count; i++)
			if (all[i].greatest <= sizes[s].asserted)
				assert_not_computable(&all[i], all, count, sizes[s].knows_rule);
		free(all);
	}
}

static void assert_small_is_hidden(const unsigned char inner[static 3])
{
	struct suppress_row rows[2];

	table_of(inner, 1, 3, rows);
	suppress(rows, 2, 4);
	for (size_t k = 0; k < 4; k++) {
		uint64_t n = rows[0].n[k];

		assert_true(rows[0].hidden[k] || n == 0 || n >= SUPPRESS_UNDER);
		assert_false(rows[0].hidden[k] && n == 0);
	}
}

static void small_counts_are_hidden_and_zeros_are_shown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 13 * 13 * 13; i++) {
		const unsigned char inner[] = { (unsigned char)(i % 13),
			                        (unsigned char)(i / 13 % 13),
			                        (unsigned char)(i / 169) };

		assert_small_is_hidden(inner);
	}
}

static void as_little_is_hidden_as_protects(void **state)
{
	static const struct {
		unsigned char inner[3];
		const char *shown; /* a dot is hidden; the last is the total */
	} rows[] = {
		{ { 60, 30, 10 }, "####" }, { { 60, 30, 3 }, "#..#" }, { { 60, 3, 0 }, "..##" },
		{ { 60, 3, 4 }, "#..#" },   { { 60, 1, 1 }, "...#" },  { { 60, 4, 4 }, "...#" },
		{ { 0, 0, 3 }, "##.." },    { { 0, 0, 0 }, "####" },   { { 9, 9, 2 }, "...#" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct suppress_row table[2];
		char shown[5] = "####";

		table_of(rows[i].inner, 1, 3, table);
		suppress(table, 2, 4);
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(table[0].hidden[k], table[1].hidden[k]);
			shown[k] = table[0].hidden[k] ? '.' : '#';
		}
		assert_string_equal(shown, rows[i].shown);
	}
}

static void the_council_less_one_provider_does_not_tell_of_another(void **state)
{
	/* improved, unchanged, deteriorated, total; the last row is the council's */
	struct suppress_row rows[] = {
		{ .n = { 30, 20, 10, 60 } },
		{ .n = { 1, 1, 1, 3 } },
		{ .n = { 31, 21, 11, 63 } },
	};

	(void)state;
	suppress(rows, COUNT_OF(rows), 4);
	for (size_t k = 0; k < 4; k++) {
		assert_true(rows[0].hidden[k]);
		assert_true(rows[1].hidden[k]);
		assert_false(rows[2].hidden[k]);
	}
}

static void three_providers_do_not_tell_of_the_fourth(void **state)
{
	struct suppress_row rows[] = {
		{ .n = { 30, 20, 10, 60 } },   { .n = { 40, 20, 10, 70 } },
		{ .n = { 50, 20, 10, 80 } },   { .n = { 30, 20, 2, 52 } },
		{ .n = { 150, 80, 32, 262 } },
	};
	size_t hidden = 0;

	(void)state;
	suppress(rows, COUNT_OF(rows), 4);
	assert_true(rows[3].hidden[2]);
	for (size_t r = 0; r < 4; r++)
		hidden += rows[r].hidden[2];
	assert_true(hidden >= 2);
	assert_false(rows[4].hidden[2]);
}

/* How many cells of a line are hidden. */
static unsigned hidden_in(const struct suppress_row *rows, size_t count, bool down, size_t line)
{
	unsigned hidden = 0;

	for (size_t i = 0; i < (down ? count : SUPPRESS_CELLS); i++)
		hidden += down ? rows[i].hidden[line] : rows[line].hidden[i];
	return hidden;
}

static void no_line_of_a_large_table_has_one_hidden_cell(void **state)
{
	enum { PROVIDERS = 40 };
	static struct suppress_row rows[PROVIDERS + 1];
	unsigned char inner[PROVIDERS * 3];
	uint32_t seed = 7;

	(void)state;
	for (unsigned turn = 0; turn < 300; turn++) {
		size_t providers = 1 + turn % PROVIDERS;

		for (size_t i = 0; i < providers * 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			inner[i] = (unsigned char)((seed >> 24) % (turn % 2 ? 40 : 9));
		}
		table_of(inner, providers, 3, rows);
		suppress(rows, providers + 1, SUPPRESS_CELLS);
		for (size_t r = 0; r <= providers; r++)
			assert_int_not_equal(hidden_in(rows, providers + 1, false, r), 1);
		for (size_t k = 0; k < SUPPRESS_CELLS; k++)
			assert_int_not_equal(hidden_in(rows, providers + 1, true, k), 1);
	}
}

static void what_is_hidden_on_entry_stays_hidden(void **state)
{
	struct suppress_row rows[] = { { .n = { 20, 30, 50 }, .hidden = { true } },
		                       { .n = { 40, 50, 90 } },
		                       { .n = { 60, 80, 140 } } };

	(void)state;
	suppress(rows, COUNT_OF(rows), 3);
	assert_true(rows[0].hidden[0]);
	assert_true(rows[0].hidden[1] && rows[1].hidden[0] && rows[1].hidden[1]);
	assert_false(rows[2].hidden[0] || rows[2].hidden[1] || rows[2].hidden[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_hidden_is_computed_from_what_is_shown),
		cmocka_unit_test(small_counts_are_hidden_and_zeros_are_shown),
		cmocka_unit_test(as_little_is_hidden_as_protects),
		cmocka_unit_test(the_council_less_one_provider_does_not_tell_of_another),
		cmocka_unit_test(three_providers_do_not_tell_of_the_fourth),
		cmocka_unit_test(no_line_of_a_large_table_has_one_hidden_cell),
		cmocka_unit_test(what_is_hidden_on_entry_stays_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
