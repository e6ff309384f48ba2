/* Bytes that nobody can guess, from the kernel. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Never fails: it waits for the kernel, which has them from a moment after its start. */
void random_bytes(uint8_t *ret_bytes, size_t size);
