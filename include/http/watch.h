/*
 * Connections that take too long: libmicrohttpd ends one on which nothing moves, but a client that
 * sends a byte now and then would hold it for ever. Here a request that is not whole within the
 * timeout loses its connection.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct watch;
struct watched; /* one connection */

/* Starts a thread. NULL when that fails. */
struct watch *watch_new(unsigned timeout_s);
void watch_free(struct watch *watch); /* takes NULL; every connection must have been closed */
/* NULL when memory runs out: the connection is then not watched. */
struct watched *watch_open(struct watch *watch, int fd);
void watch_touch(struct watched *connection); /* a request begins or ends; takes NULL */
void watch_close(struct watch *watch,
                 struct watched *connection); /* before the fd is closed; takes NULL */
