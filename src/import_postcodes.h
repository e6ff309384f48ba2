/* The ONS Postcode Directory into its table. Rule D6. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"
#include "import.h"

struct postcode_sink {
	void (*tell)(void *context, unsigned long line, const char *sentence);
	void *context;
};

/* taken: rows with a place; placeless: ONS has no place for them; changed: rows of the table that
 * are new, or other than before. */
struct postcode_result {
	unsigned long long taken, placeless;
	uint64_t changed;
};

/* All rows that are good in one transaction; each bad one is told. Postcodes that the file does not
 * have any more stay. */
must_check bool import_postcodes(const char *conninfo, const struct import_text *file,
                                 const struct postcode_sink *sink,
                                 struct postcode_result *ret_result, struct problem *p);
