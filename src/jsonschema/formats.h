/* The formats: each a predicate over UTF-8 text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool format_fn(const char *text, size_t length);

struct format {
	const char *name;
	format_fn *valid;
	const char *message;
};

const struct format *js_format(const char *name); /* NULL: unknown */

format_fn js_is_date, js_is_time, js_is_date_time, js_is_duration;
format_fn js_is_ipv4, js_is_ipv6, js_is_hostname, js_is_idn_hostname, js_is_email, js_is_idn_email;
format_fn js_is_uri, js_is_uri_reference, js_is_iri, js_is_iri_reference, js_is_uri_template;
format_fn js_is_uuid, js_is_json_pointer, js_is_relative_json_pointer, js_is_language;
format_fn js_is_nhs_number, js_is_postcode, js_is_gss_code;

static inline bool ascii_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool ascii_alpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
static inline bool ascii_alnum(char c) { return ascii_digit(c) || ascii_alpha(c); }
static inline bool ascii_hex(char c)
{
	return ascii_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The code point at `*at` (valid UTF-8), which moves behind it. */
uint32_t js_code_point(const char **at, const char *end);
