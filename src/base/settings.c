/* Settings by the table in settings.def: environment over file over default. */
#include "base/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

struct faults {
	settings_fault_fn *report;
	void *context;
	bool any;
};

enum kind { KIND_TEXT, KIND_NUMBER, KIND_FLAG, KIND_LEVEL };

static const struct row {
	const char *variable, *preset;
	size_t offset;
	enum kind kind;
	uint64_t min, max;
} rows[] = {
#define X(field, kind_, variable_, preset_, min_, max_, sentence) \
	{ .variable = (variable_),                                \
	  .preset = (preset_),                                    \
	  .offset = offsetof(struct settings, field),             \
	  .kind = KIND_##kind_,                                   \
	  .min = (min_),                                          \
	  .max = (max_) },
#include "base/settings.def"
#undef X
};

static void fault(struct faults *faults, const char *fmt, const char *name) printf_like(2, 0);

static void fault(struct faults *faults, const char *fmt, const char *name)
{
	char sentence[256];

	snprintf(sentence, sizeof sentence, fmt, name);
	faults->any = true;
	faults->report(faults->context, sentence);
}

static const struct row *row_of(const char *variable, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strlen(rows[i].variable) == size &&
		    strncmp(rows[i].variable, variable, size) == 0)
			return &rows[i];
	return NULL;
}

/* One NAME=value line of the file; `values` has a place for each row. */
static void take_line(const char *line, size_t size, char *values[], struct faults *faults)
{
	const char *equals = memchr(line, '=', size);
	const struct row *row = equals ? row_of(line, (size_t)(equals - line)) : NULL;
	char name[64];

	if (size == 0 || *line == '#')
		return;
	if (!row) {
		snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - line : 0), line);
		fault(faults, "the settings file has a line that is no setting: %s", name);
		return;
	}
	free(values[row - rows]);
	values[row - rows] = text_copy_n(equals + 1, size - (size_t)(equals + 1 - line));
}

static void read_file(const char *file, char *values[], struct faults *faults)
{
	text_auto *data = text_file(file, 64 * KIB, NULL);
	const char *end;

	if (!data) {
		fault(faults, "the settings file %s cannot be read", file);
		return;
	}
	for (const char *line = data; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		take_line(line, (size_t)(end - line), values, faults);
	}
}

static void set_text(void *field, const struct row *row, const char *value, struct faults *faults)
{
	size_t size = strlen(value);

	if (size < row->min || size > row->max)
		fault(faults, "%s is too short or too long", row->variable);
	free(*(char **)field);
	*(char **)field = text_copy(value);
}

/* Also 1 and 0, as people set them in a shell. */
static bool read_flag(const char *value, bool *ret_flag)
{
	*ret_flag = strcmp(value, "1") == 0;
	return *ret_flag || strcmp(value, "0") == 0 || text_bool(value, ret_flag);
}

static void set(struct settings *s, const struct row *row, const char *value, struct faults *faults)
{
	void *field = (char *)s + row->offset;

	switch (row->kind) {
	case KIND_TEXT:
		set_text(field, row, value, faults);
		break;
	case KIND_NUMBER:
		if (!text_number(value, row->min, row->max, field))
			fault(faults, "%s is not a whole number within its bounds", row->variable);
		break;
	case KIND_FLAG:
		if (!read_flag(value, field))
			fault(faults, "%s is none of true, false, 1, 0", row->variable);
		break;
	case KIND_LEVEL:
		if (!log_level_parse(value, field))
			fault(faults, "%s is none of debug, info, warning, error", row->variable);
		break;
	}
}

/* A misspelt CARERS_ variable must not vanish. */
static void refuse_unknown(struct faults *faults)
{
	for (char **e = environ; *e; e++) {
		size_t size = strcspn(*e, "=");
		char name[64];

		if (!text_starts(*e, "CARERS_") || text_starts(*e, "CARERS_TEST_") ||
		    row_of(*e, size))
			continue;
		snprintf(name, sizeof name, "%.*s", (int)size, *e);
		fault(faults, "%s is not a setting of this program", name);
	}
}

bool settings_load(struct settings *ret_settings, const char *file, settings_fault_fn *report,
                   void *context)
{
	struct faults faults = { .report = report, .context = context };
	char *values[COUNT_OF(rows)] = { 0 };

	*ret_settings = (struct settings){ 0 };
	if (file)
		read_file(file, values, &faults);
	refuse_unknown(&faults);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *value = getenv(rows[i].variable);

		if (!value)
			value = values[i];
		set(ret_settings, &rows[i], value ? value : rows[i].preset, &faults);
		free(values[i]);
	}
	return !faults.any;
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].kind == KIND_TEXT)
			free(*(char **)((char *)settings + rows[i].offset));
	*settings = (struct settings){ 0 };
}

unsigned settings_sessions(const struct settings *settings)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->sessions > 0)
		return (unsigned)settings->sessions;
	return cores > 2 ? 4 * (unsigned)cores : 8;
}
