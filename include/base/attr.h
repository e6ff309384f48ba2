/* The macros of the house; CONTRIBUTING.md says which others there may be. */
#pragma once

#define must_check             __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define owned_by(fn)           __attribute__((cleanup(fn)))
#define COUNT_OF(a)            (sizeof(a) / sizeof((a)[0]))
/* Give a pointer away: the expression yields it, the variable forgets it. */
#define TAKE(p)                             \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})
