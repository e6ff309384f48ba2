/*
 * Suppression of small counts, primary and secondary, in a table with its sums.
 *
 * Every row and every column gives a reader one equation. Take rows and columns as the points of a
 * graph and hidden cells as its lines: what is hidden can be computed exactly if it is a bridge,
 * the only line from one part of the graph to the rest. (The equations of that part, added up,
 * leave nothing unknown but it.) So a bridge gets a second line beside it. One that is not zero is
 * always there: with the signs of sums the cells from a part to the rest add up to nothing, and a
 * bridge that is not zero is no such sum alone.
 */
#include "rules/suppression.h"

struct table {
	struct suppress_row *rows;
	size_t count, width;
};

/* Candidates for hiding. */
struct choice {
	bool may[SUPPRESS_ROWS][SUPPRESS_CELLS];
};

/* For each point of the graph, rows first, a point that stands for its part. */
struct parts {
	size_t of[SUPPRESS_ROWS + SUPPRESS_CELLS];
};

static bool small(uint64_t n) { return n > 0 && n < SUPPRESS_UNDER; }

static size_t part_of(struct parts *parts, size_t point)
{
	while (parts->of[point] != point)
		point = parts->of[point] = parts->of[parts->of[point]];
	return point;
}

/* The parts of the graph without the line of one cell. */
static void parts_without(const struct table *t, size_t row, size_t cell, struct parts *ret_parts)
{
	for (size_t i = 0; i < SUPPRESS_ROWS + SUPPRESS_CELLS; i++)
		ret_parts->of[i] = i;
	for (size_t r = 0; r < t->count; r++)
		for (size_t k = 0; k < t->width; k++)
			if (t->rows[r].hidden[k] && (r != row || k != cell))
				ret_parts->of[part_of(ret_parts, r)] =
					part_of(ret_parts, SUPPRESS_ROWS + k);
}

/* Hides the smallest of the candidates in the first rows that are not zero, all that are as small:
 * which of them it was would tell something, too. False when there is none. */
static bool hide_smallest_of(const struct table *t, const struct choice *choice, size_t count)
{
	uint64_t least = 0;

	for (size_t r = 0; r < count; r++)
		for (size_t k = 0; k < t->width; k++) {
			uint64_t n = t->rows[r].n[k];

			if (choice->may[r][k] && !t->rows[r].hidden[k] && n &&
			    (!least || n < least))
				least = n;
		}
	for (size_t r = 0; r < count && least; r++)
		for (size_t k = 0; k < t->width; k++)
			if (choice->may[r][k] && t->rows[r].n[k] == least)
				t->rows[r].hidden[k] = true;
	return least > 0;
}

/* The row of all is touched last: it is the one that is asked for most. */
static bool hide_smallest(const struct table *t, const struct choice *choice)
{
	size_t last = t->count - 1;
	bool touched = false;

	for (size_t k = 0; k < t->width; k++)
		touched |= t->rows[last].hidden[k];
	return (!touched && hide_smallest_of(t, choice, last)) ||
	       hide_smallest_of(t, choice, t->count);
}

/* If the cell is a bridge: which cells would close a ring with it, and which would lead on from its
 * part of the graph. */
static void beside(const struct table *t, size_t row, size_t cell, struct choice *rings,
                   struct choice *ways)
{
	struct parts parts;
	size_t here, there;

	parts_without(t, row, cell, &parts);
	here = part_of(&parts, row);
	there = part_of(&parts, SUPPRESS_ROWS + cell);
	if (here == there)
		return;
	for (size_t r = 0; r < t->count; r++)
		for (size_t k = 0; k < t->width; k++) {
			size_t a = part_of(&parts, r), b = part_of(&parts, SUPPRESS_ROWS + k);

			rings->may[r][k] |= (a == here && b == there) || (a == there && b == here);
			ways->may[r][k] |= (a == here) != (b == here);
		}
}

/* All bridges at once: the outcome must not depend on the order of providers and classes, which
 * tells nothing. */
static bool hide_beside_bridges(const struct table *t)
{
	struct choice rings = { 0 }, ways = { 0 };

	for (size_t r = 0; r < t->count; r++)
		for (size_t k = 0; k < t->width; k++)
			if (t->rows[r].hidden[k])
				beside(t, r, k, &rings, &ways);
	return hide_smallest(t, &rings) || hide_smallest(t, &ways);
}

/*
 * What is left of a shown sum when what is shown is taken from it is a count itself: it may not be
 * small, and not such that all of its cells are at the upper end of small, or they could be
 * guessed. `down`: a column, otherwise a row.
 */
static bool hide_in_line(const struct table *t, bool down, size_t line)
{
	size_t last = (down ? t->count : t->width) - 1;
	bool *sum_hidden = &t->rows[down ? last : line].hidden[down ? line : last];
	struct choice choice = { 0 };
	uint64_t left = 0, cells = 0;

	for (size_t i = 0; i < last; i++) {
		size_t r = down ? i : line, k = down ? line : i;

		choice.may[r][k] = true;
		left += t->rows[r].hidden[k] ? t->rows[r].n[k] : 0;
		cells += t->rows[r].hidden[k] && t->rows[r].n[k];
	}
	if (*sum_hidden || cells == 0)
		return false;
	if (!small(left) && left != cells * (SUPPRESS_UNDER - 1))
		return false;
	if (!hide_smallest(t, &choice))
		*sum_hidden = true;
	return true;
}

static bool hide_in_lines(const struct table *t)
{
	bool more = false;

	for (size_t r = 0; r < t->count; r++)
		more |= hide_in_line(t, false, r);
	for (size_t k = 0; k < t->width; k++)
		more |= hide_in_line(t, true, k);
	return more;
}

void suppress(struct suppress_row *rows, size_t count, size_t width)
{
	struct table t = { rows, count, width };

	for (size_t r = 0; r < count; r++)
		for (size_t k = 0; k < width; k++)
			rows[r].hidden[k] |= small(rows[r].n[k]);
	while (hide_beside_bridges(&t) || hide_in_lines(&t))
		; /* each turn hides more */
}
