/*
 * Connections that take too long: libmicrohttpd ends one on which nothing moves, but a client that
 * sends, or reads, a byte now and then would hold it for ever. Here a request that is not whole
 * within the timeout, which runs anew when its first line has come, loses its connection, and so
 * does an answer that is not read within a longer one. While the service works at an answer nobody
 * is late: statements have their own ceilings.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct watch;
struct watched; /* one connection */

/* Starts a thread. NULL when that fails. */
struct watch *watch_new(unsigned request_s, unsigned answer_s);
void watch_free(struct watch *watch); /* takes NULL; every connection must have been closed */
/* NULL when memory runs out: the connection is then not watched. All that follow take that NULL. */
struct watched *watch_open(struct watch *watch, int fd);
void watch_request(struct watch *watch, struct watched *connection); /* one begins, or is over */
void watch_pause(struct watched *connection);                       /* it is whole, and worked at */
void watch_answer(struct watch *watch, struct watched *connection); /* it is ready to be read */
void watch_close(struct watch *watch, struct watched *connection);  /* before the fd is closed */
