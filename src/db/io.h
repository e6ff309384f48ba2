/* Waiting for a socket under a deadline. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Until one of the poll events, or an error on the socket, comes. False when the deadline
 * (monotonic, us) passed. */
bool io_wait(int fd, short events, int64_t deadline_us);
