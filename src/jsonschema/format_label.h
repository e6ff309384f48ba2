/* Labels of host names, for the plain and the internationalised. */
#pragma once

#include "jsonschema/formats.h"

/* Octets of a label and of a name (RFC 1035), and of a name before it is encoded. */
enum { LABEL_LIMIT = 63, NAME_LIMIT = 253, WIDE_LIMIT = 4 * NAME_LIMIT };

bool js_is_ldh_label(const char *label, size_t length); /* an A-label is one too, if it is right */
bool js_is_a_label(const char *label, size_t length);   /* at most LABEL_LIMIT octets */
bool js_is_idn_name(const char *text, size_t length, bool normalise);
