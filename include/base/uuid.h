/* UUIDs (RFC 9562): parse, print, and make version 7, whose order is the order of creation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { UUID_BYTES = 16, UUID_TEXT = sizeof "018f0000-0000-7000-8000-000000000000" };

must_check bool uuid_parse(const char *text, uint8_t ret_uuid[static UUID_BYTES]);
void uuid_print(const uint8_t uuid[static UUID_BYTES], char ret_text[static UUID_TEXT]);
/* A new version 7 id, as text. Within one process ids never go backwards. */
void uuid_make(char ret_text[static UUID_TEXT]);
