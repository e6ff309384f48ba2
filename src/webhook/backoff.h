/* When a message that did not arrive is sent again. */
#pragma once

#include <stdint.h>

enum { BACKOFF_MOST_MS = 4 * 60 * 60 * 1000 };

/*
 * Milliseconds until the next attempt, after `failed` of them: three times as long each time from
 * `first_ms` on, four hours at most; of that between a half and one and a half, by `dice`, so that
 * what failed together does not come back together.
 */
int64_t backoff_ms(unsigned failed, unsigned first_ms, uint32_t dice);
