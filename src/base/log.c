/* Events as JSON lines, through yder's callback mode: yder keeps the level and the life cycle, we
 * keep the line. */
#include "base/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yder.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"

static const struct {
	const char *word;
	unsigned long yder;
} levels[] = {
	[LOG_DEBUG] = { "debug", Y_LOG_LEVEL_DEBUG },
	[LOG_INFO] = { "info", Y_LOG_LEVEL_INFO },
	[LOG_WARNING] = { "warning", Y_LOG_LEVEL_WARNING },
	[LOG_ERROR] = { "error", Y_LOG_LEVEL_ERROR },
};

static enum log_level least = LOG_INFO;

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		if (strcmp(text, levels[i].word) != 0)
			continue;
		*ret_level = (enum log_level)i;
		return true;
	}
	return false;
}

/* Ours begin with "{"; anything else is a library's own remark (Ulfius logs through yder too). */
static void write_line(void *context, const char *app, const time_t when, const unsigned long level,
                       const char *message)
{
	char line[4 * KIB];
	int size;

	(void)context;
	(void)app;
	(void)when;
	(void)level;
	if (message[0] == '{')
		size = snprintf(line, sizeof line, "%s\n", message);
	else
		size = snprintf(line, sizeof line,
		                "{\"level\":\"warning\",\"event\":\"library\"}\n");
	if (size > 0 && (size_t)size < sizeof line && write(STDERR_FILENO, line, (size_t)size) < 0)
		return; /* there is nowhere to say it */
}

bool log_open(enum log_level level)
{
	least = level;
	return y_init_logs("carers-api", Y_LOG_MODE_CALLBACK, levels[level].yder, NULL, NULL) &&
	       y_set_logs_callback(write_line, NULL, NULL);
}

void log_close(void) { y_close_logs(); }

static json_t *event_new(enum log_level level, const char *event)
{
	char at[CLOCK_TEXT];

	clock_print(clock_now(), true, at);
	return json_pack("{s:s, s:s, s:s}", "at", at, "level", levels[level].word, "event", event);
}

void log_event(enum log_level level, const char *event, ...)
{
	json_auto_t *line = NULL;
	const char *key;
	char *text;
	va_list ap;

	if (level < least)
		return;
	line = event_new(level, event);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (value)
			json_object_set_new(line, key, json_string(value));
	}
	va_end(ap);
	text = json_dumps(line, JSON_COMPACT);
	if (text)
		y_log_message(levels[level].yder, "%s", text);
	free(text);
}
