/* Settings: from an optional file (NAME=value lines) and the environment, which wins; defaults in
 * settings.def. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/log.h"

#define SETTING_TYPE_TEXT   char *
#define SETTING_TYPE_NUMBER uint64_t
#define SETTING_TYPE_FLAG   bool
#define SETTING_TYPE_LEVEL  enum log_level

struct settings {
#define X(field, kind, variable, preset, min, max, sentence) SETTING_TYPE_##kind field;
#include "base/settings.def"
#undef X
};

/* Called once for each thing that is wrong, with a sentence that names the variable and never its
 * value. */
typedef void settings_fault_fn(void *context, const char *sentence);

/* `file` may be NULL. False when anything was wrong; all of it has been reported by then. */
must_check bool settings_load(struct settings *ret_settings, const char *file,
                              settings_fault_fn *fault, void *context);
void settings_free(struct settings *settings);
/* Sessions with PostgreSQL as configured, or four for each core and at least eight. */
unsigned settings_sessions(const struct settings *settings);
