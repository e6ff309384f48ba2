/* The table of formats. */
#include "jsonschema/formats.h"

#include <string.h>

#include "jsonschema/jsonschema.h"
#include "jsonschema/regex.h"

static const struct format formats[] = {
	{ "date", js_is_date, "must be a date, such as 2025-06-30" },
	{ "date-time", js_is_date_time, "must be a date and time, such as 2025-06-30T14:05:00Z" },
	{ "duration", js_is_duration, "must be a duration, such as P3D or PT4H30M" },
	{ "email", js_is_email, "must be an e-mail address" },
	{ "gss-code", js_is_gss_code, "must be an ONS code, such as E09000011" },
	{ "hostname", js_is_hostname, "must be a host name" },
	{ "idn-email", js_is_idn_email, "must be an e-mail address" },
	{ "idn-hostname", js_is_idn_hostname, "must be a host name" },
	{ "ipv4", js_is_ipv4, "must be an IPv4 address" },
	{ "ipv6", js_is_ipv6, "must be an IPv6 address" },
	{ "iri", js_is_iri, "must be a full web address (an IRI)" },
	{ "iri-reference", js_is_iri_reference,
	  "must be a web address, full or relative (an IRI reference)" },
	{ "json-pointer", js_is_json_pointer, "must be a JSON pointer" },
	{ "language", js_is_language, "must be a language tag, such as en-GB" },
	{ "nhs-number", js_is_nhs_number,
	  "must be an NHS number: ten digits, the last a check digit" },
	{ "postcode", js_is_postcode,
	  "must be a postcode in capitals with one space, such as SW1A 1AA" },
	{ "regex", js_regex_valid, "must be a regular expression (ECMA-262)" },
	{ "relative-json-pointer", js_is_relative_json_pointer, "must be a relative JSON pointer" },
	{ "time", js_is_time, "must be a time, such as 14:05:00Z" },
	{ "uri", js_is_uri, "must be a full web address (a URI)" },
	{ "uri-reference", js_is_uri_reference,
	  "must be a web address, full or relative (a URI reference)" },
	{ "uri-template", js_is_uri_template, "must be a URI template" },
	{ "uuid", js_is_uuid, "must be a UUID" },
};

const struct format *js_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

bool jsonschema_format_known(const char *format) { return js_format(format) != NULL; }

bool jsonschema_format_valid(const char *format, const char *text, size_t length)
{
	const struct format *known = js_format(format);
	return known && known->valid(text, length);
}

uint32_t js_code_point(const char **at, const char *end)
{
	unsigned char lead = (unsigned char)*(*at)++;
	unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	uint32_t value = more ? lead & (0x3fu >> more) : lead;

	for (; more && *at < end; more--)
		value = value << 6 | ((unsigned char)*(*at)++ & 0x3f);
	return value;
}
