/*
 * One event = one JSON line on standard error, through yder. Never a name, a token, a body, a query
 * or a SQL text: callers pass identifiers, counts and words of our own.
 */
#pragma once

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Opens yder with our writer. `level`: the least that is written. False when yder cannot start. */
bool log_open(enum log_level level);
void log_close(void);
/* Pairs of key and text, ended by NULL. A NULL text leaves its pair out. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
bool log_level_parse(const char *text, enum log_level *ret_level);
