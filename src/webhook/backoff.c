/* Exponential back-off with jitter. */
#include "webhook/backoff.h"

int64_t backoff_ms(unsigned failed, unsigned first_ms, uint32_t dice)
{
	int64_t base = first_ms;

	for (unsigned i = 1; i < failed && base < BACKOFF_MOST_MS; i++)
		base *= 3;
	if (base > BACKOFF_MOST_MS)
		base = BACKOFF_MOST_MS;
	return base / 2 + (int64_t)(dice % (uint32_t)(base + 1));
}
