/*
 * What of a table of counts is not shown, so that nobody can be told from it: counts of 1 to 4, and
 * as many others as keep those from being computed. A 0 is shown: it counts nobody, and where all
 * cells are hidden alike a reader could not tell an empty table from a small one. See docs/adr/0020
 * for what this does not stop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SUPPRESS_UNDER = 5,  /* counts from 1 to one less are small */
	SUPPRESS_ROWS = 512, /* providers of one council, and the row of all of them */
	SUPPRESS_CELLS = 4   /* classes, and their total */
};

struct suppress_row {
	uint64_t n[SUPPRESS_CELLS];
	bool hidden[SUPPRESS_CELLS];
};

/*
 * Marks what is hidden. The last row is the sum of the others, the last cell of a row the sum of
 * its others; the whole table counts as published, whichever row of it is asked for. What is hidden
 * on entry stays hidden. count: 1 to SUPPRESS_ROWS; width: 2 to SUPPRESS_CELLS.
 */
void suppress(struct suppress_row *rows, size_t count, size_t width);
