/* Bytes that nobody can guess, from the kernel. */
#include "base/random.h"

#include <sys/random.h>

void random_bytes(uint8_t *ret_bytes, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = getrandom(ret_bytes + have, size - have, 0);

		if (got > 0)
			have += (size_t)got;
	}
}
