/*
 * The number of a carer passport: CP- and sixteen characters of Crockford's base 32 in fours. The
 * first fifteen are random, 75 bits that nobody can guess; the last one is the check character,
 * which tells every single wrong character and every two neighbours that have changed places.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { PASSPORT_NUMBER = sizeof "CP-0000-0000-0000-0000", PASSPORT_RANDOM = 15 };

/* The low five bits of each byte make a character. */
void passport_number_make(const uint8_t random[static PASSPORT_RANDOM],
                          char ret_number[static PASSPORT_NUMBER]);
/*
 * The number as it was issued from the number as somebody typed it: in any case, with or without
 * hyphens, I and L for 1, O for 0. False when that is none, or fails its check.
 */
must_check bool passport_number_read(const char *text, char ret_number[static PASSPORT_NUMBER]);
