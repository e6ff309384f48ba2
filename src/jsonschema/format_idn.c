/* Internationalised host names: IDNA2008 by libidn2, and the Bidi rule of RFC 5893 by PCRE2's
 * Unicode tables. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <idn2.h>
#include <pcre2.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "jsonschema/format_label.h"

#define R_AL "\\p{bc:R}\\p{bc:AL}"
#define ANY  "\\p{bc:EN}\\p{bc:ES}\\p{bc:CS}\\p{bc:ET}\\p{bc:ON}\\p{bc:BN}\\p{bc:NSM}"

/* RFC 5893, section 2: rules 2 to 4 for labels that run to the left, 5 and 6 for the others. */
static const char bidi_rule[] =
	"\\A(?:"
	"(?!.*\\p{bc:EN}.*\\p{bc:AN})(?!.*\\p{bc:AN}.*\\p{bc:EN})"
	"[" R_AL "][" R_AL "\\p{bc:AN}" ANY "]*"
	"(?<=[" R_AL "\\p{bc:EN}\\p{bc:AN}])\\p{bc:NSM}*"
	"|\\p{bc:L}[\\p{bc:L}" ANY "]*(?<=[\\p{bc:L}\\p{bc:EN}])\\p{bc:NSM}*)\\z";
/* Section 1.4: what makes a name a Bidi name. */
static const char right_to_left[] = "[" R_AL "\\p{bc:AN}]";

/* Made at first use, and kept for the life of the process. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pcre2_code *rule_code, *right_to_left_code;

static pcre2_code *compiled(const char *pattern)
{
	int error;
	PCRE2_SIZE offset;
	return pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOTALL,
	                     &error, &offset, NULL);
}

static void compile_rules(void)
{
	rule_code = compiled(bidi_rule);
	right_to_left_code = compiled(right_to_left);
}

static bool matches(const pcre2_code *code, const char *text, size_t length)
{
	pcre2_match_data *data = code ? pcre2_match_data_create(1, NULL) : NULL;
	if (!data)
		return false;
	int found = pcre2_match(code, (PCRE2_SPTR)text, length, 0, 0, data, NULL);
	pcre2_match_data_free(data);
	return found >= 0;
}

bool js_is_a_label(const char *label, size_t length)
{
	char text[LABEL_LIMIT + 1];
	char *plain = NULL;
	uint8_t *again = NULL;

	memcpy(text, label, length);
	text[length] = '\0';
	/* It must be what IDNA2008 makes of the U-label that it stands for. */
	bool fine = idn2_to_unicode_8z8z(text, &plain, 0) == IDN2_OK && plain &&
	            idn2_register_u8((const uint8_t *)plain, NULL, &again, 0) == IDN2_OK &&
	            strcasecmp((const char *)again, text) == 0;
	idn2_free(again);
	idn2_free(plain);
	return fine;
}

/* The length of the A-label of a U-label; 0 if it is none. */
static size_t u_label(const char *label, size_t length, int flags)
{
	char text[WIDE_LIMIT + 1];
	uint8_t *found = NULL;

	memcpy(text, label, length);
	text[length] = '\0';
	size_t encoded = 0;
	bool whole = strlen(text) == length; /* no NUL in it */
	if (whole && idn2_register_u8((const uint8_t *)text, NULL, &found, flags) == IDN2_OK)
		encoded = strlen((const char *)found);
	idn2_free(found);
	return encoded;
}

static bool is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return true;
}

/* The length of the label separator at `text`: a dot, or one of the three that IDNA counts as dots.
 */
static size_t separator(const char *text, size_t left)
{
	static const char *const dots[] = { "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };
	if (left && text[0] == '.')
		return 1;
	for (size_t i = 0; i < sizeof(dots) / sizeof(*dots); i++) {
		if (left >= 3 && memcmp(text, dots[i], 3) == 0)
			return 3;
	}
	return 0;
}

/* One label of the name; its length as an A-label, or 0 if it is wrong. */
static size_t check_label(const char *label, size_t length, bool bidi, int flags)
{
	bool plain = is_ascii(label, length);
	if (bidi && !matches(rule_code, label, length))
		return 0;
	if (plain)
		return js_is_ldh_label(label, length) ? length : 0;
	return u_label(label, length, flags);
}

static bool is_wide_name(const char *text, size_t length, int flags)
{
	size_t start = 0;
	size_t encoded = 0;

	pthread_once(&once, compile_rules);
	bool bidi = matches(right_to_left_code, text, length);
	for (size_t at = 0; at <= length;) {
		size_t dot = separator(text + at, length - at);
		if (at < length && !dot) {
			at++;
			continue;
		}
		size_t label = check_label(text + start, at - start, bidi, flags);
		if (!label)
			return false;
		encoded += label + (dot != 0);
		at += dot ? dot : 1;
		start = at;
	}
	return encoded <= NAME_LIMIT;
}

bool js_is_idn_name(const char *text, size_t length, bool normalise)
{
	/* An ASCII name costs no allocation (unless it has A-labels). */
	if (is_ascii(text, length))
		return js_is_hostname(text, length);
	return length <= WIDE_LIMIT && is_wide_name(text, length, normalise ? IDN2_NFC_INPUT : 0);
}

bool js_is_idn_hostname(const char *text, size_t length)
{
	return js_is_idn_name(text, length, false);
}
