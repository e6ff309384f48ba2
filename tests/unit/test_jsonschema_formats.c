/* The formats: the corners that the official suite leaves, and those of ours that it does not know.
 */
#include "jsonschema_unit.h"

static bool valid(const char *format, const char *text)
{
	return jsonschema_format_valid(format, text, strlen(text));
}

struct sample {
	const char *format;
	const char *good[12];
	const char *bad[16];
};

static const struct sample samples[] = {
	{ "nhs-number",
	  { "9434765919", "9990012377", "4010232137" },
	  { "9434765918", "943476591", "94347659190", "943 476 5919", "943476591a", "",
	    "1000000010" } },
	{ "postcode",
	  { "N1 2UD", "SW1A 1AA", "E10 5AB", "W1A 0AX", "EC1A 1BB", "CR2 6XH", "DN55 1PT",
	    "ZZ99 3VZ" },
	  { "n1 2ud", "N12UD", "N1  2UD", "SW1A1AA", " N1 2UD", "N1 2UD ", "N 2UD", "1N 2UD",
	    "SWA 1AA", "" } },
	{ "gss-code",
	  { "E09000011", "W06000001", "S12000036", "N09000003", "K02000001" },
	  { "E0900001", "E090000111", "e09000011", "X09000011", "E0900001A", "" } },
	{ "language",
	  { "en", "en-GB", "bfi", "zh-Hant-TW", "sl-rozaj-biske", "de-CH-1996", "x-private",
	    "en-a-bbb-x-a", "i-klingon", "sgn-BE-FR", "az-Arab-x-aze-derbend", "zh-yue" },
	  { "", "e", "english-gb-", "en_GB", "en--GB", "-en", "a-DE", "de-419-DE", "abcdefghi",
	    "en-x", "en-a", "12" } },
	{ "date",
	  { "2024-02-29", "0000-01-01", "9999-12-31" },
	  { "2023-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "2025-1-01", "2025-01-01Z",
	    "20250101", "" } },
	{ "date-time",
	  { "2025-06-30T14:05:00Z", "2025-06-30t14:05:00.123456z", "1998-12-31T23:59:60Z",
	    "1998-12-31T15:59:60-08:00" },
	  { "2025-06-30 14:05:00Z", "2025-06-30T14:05:00", "2025-06-30T24:00:00Z",
	    "2025-06-30T14:05:61Z", "2025-06-30T14:05:00.Z", "2025-06-30T14:05:00+24:00",
	    "2025-06-30T22:59:60Z" } },
	{ "duration",
	  { "P1Y2M3D", "P3D", "PT4H30M", "P4W", "P1DT1S" },
	  { "P", "PT", "P1Y3D", "PT1H1S", "1D", "P1W1D" } },
	{ "uuid",
	  { "019a98d2-cd00-7000-8000-000000000001", "019A98D2-CD00-7000-8000-00000000000F" },
	  { "019a98d2cd0070008000000000000001", "{019a98d2-cd00-7000-8000-000000000001}",
	    "019a98d2-cd00-7000-8000-00000000000g", "" } },
	{ "email",
	  { "a@b", "nadia.rahman@example.org", "\"a b\"@example.org", "a@[127.0.0.1]",
	    "a@[IPv6:::1]", "a+b@c.uk" },
	  { "a", "@b", "a@", "a..b@c", ".a@b", "a b@c", "a@b c", "a@-b.c", "a@b..c", "\"a@b",
	    "a@[127.0.0]" } },
	{ "hostname",
	  { "example.org", "a", "1.2.3.com", "xn--nxasmq6b" },
	  { "", ".", "example.org.", "-a", "a-", "a_b", "xn--X", "a..b" } },
	{ "ipv4",
	  { "0.0.0.0", "255.255.255.255" },
	  { "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "" } },
	{ "ipv6",
	  { "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4",
	    "1:2:3:4:5:6:1.2.3.4" },
	  { "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::1%lo",
	    "1:", ":1", "1:2:3:4:5:6:7:1.2.3.4" } },
	{ "uri",
	  { "https://example.org/a?b#c", "urn:isbn:123", "mailto:a@b", "http://[::1]:80/", "a:" },
	  { "/a", "http://a b", "http://[::1", "http://a:b/", "http://a/%zz", "http://a#b#c",
	    "1a:b", "" } },
	{ "uri-reference", { "", "/a", "?a", "#a", "a/b:c" }, { "a b", "\\a", "%", "1:b" } },
	{ "iri",
	  { "https://ex\xc3\xa4mple.org/\xe2\x82\xac" },
	  { "\xc3\xa4", "http://a/\xee\x80\x80" } },
	{ "uri-template",
	  { "", "/a{?b,c*}", "{+a:3}" },
	  { "{", "}", "{a", "{a:0}", "{}", "{ a}" } },
	{ "json-pointer", { "", "/", "/a~0b/~1" }, { "a", "/~", "/~2" } },
	{ "relative-json-pointer",
	  { "0", "1/a", "0#", "12#" },
	  { "", "01", "-1", "1#a", "#", "1a" } },
	{ "regex",
	  { "", "^a+$", "(?<n>a)\\k<n>", "[\\b]", "\\u{1f600}" },
	  { "(", "a{2,1}", "\\Z", "[b-a]", "*" } },
};

static void each_format_takes_the_good_and_refuses_the_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		const struct sample *s = &samples[i];
		assert_true(jsonschema_format_known(s->format));
		for (size_t k = 0; k < 12 && s->good[k]; k++) {
			if (!valid(s->format, s->good[k]))
				fail_msg("%s must be a %s", s->good[k], s->format);
		}
		for (size_t k = 0; k < 16 && s->bad[k]; k++) {
			if (valid(s->format, s->bad[k]))
				fail_msg("\"%s\" must not be a %s", s->bad[k], s->format);
		}
	}
}

/* Weights 10 to 2: only one of the ten last digits can be right, and for some numbers none is. */
static void at_most_one_check_digit_fits_an_nhs_number(void **state)
{
	unsigned without = 0;

	(void)state;
	for (unsigned stem = 999000000; stem < 999000500; stem++) {
		unsigned fitting = 0;
		for (unsigned digit = 0; digit < 10; digit++) {
			char text[16];
			snprintf(text, sizeof(text), "%09u%u", stem, digit);
			fitting += valid("nhs-number", text);
		}
		assert_true(fitting <= 1);
		without += fitting == 0;
	}
	assert_in_range(without, 40, 50); /* one in eleven */
}

static void a_nul_inside_a_text_is_not_its_end(void **state)
{
	(void)state;
	assert_false(jsonschema_format_valid("date", "2025-01-01\0", 11));
	assert_false(jsonschema_format_valid("email", "a\0b@example.org", 15));
	assert_false(jsonschema_format_valid("uri", "a:b\0", 4));
	assert_false(jsonschema_format_valid("hostname", "a\0", 2));
	assert_false(jsonschema_format_valid("uri-template", "a\0", 2));
	assert_false(jsonschema_format_valid("gss-code",
	                                     "\0"
	                                     "09000011",
	                                     9));
	assert_false(jsonschema_format_valid("idn-hostname", "\xc3\xa4\0b", 4));
}

static void an_unknown_format_is_never_valid(void **state)
{
	(void)state;
	assert_false(jsonschema_format_known("datum"));
	assert_false(valid("datum", "2025-01-01"));
}

static void formats_look_at_strings_only(void **state)
{
	(void)state;
	assert_true(js_accepts("{\"format\": \"date\"}", "20250101"));
	assert_true(js_accepts("{\"format\": \"date\"}", "[\"x\"]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_takes_the_good_and_refuses_the_bad),
		cmocka_unit_test(at_most_one_check_digit_fits_an_nhs_number),
		cmocka_unit_test(a_nul_inside_a_text_is_not_its_end),
		cmocka_unit_test(an_unknown_format_is_never_valid),
		cmocka_unit_test(formats_look_at_strings_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
