/* A PDF by its bytes: that it is one, and that it does nothing by itself. Rule D7. */
#pragma once

#include <stddef.h>

/* What keeps the bytes from being a PDF (ISO 32000), as a sentence about them; NULL: they are one.
 */
const char *pdf_fault(const char *bytes, size_t size);
/* The name of what acts or hides something in it ("/JavaScript"), as far as it stands in clear;
 * NULL: nothing does. */
const char *pdf_active(const char *bytes, size_t size);
