/* Events as JSON lines, through yder's callback mode: yder keeps the level and the life cycle, we
 * keep the line. */
#include "base/log.h"

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

/* A line that is being written: pairs of quoted texts. What finds no room is left out whole. */
struct line {
	char text[2 * KIB];
	size_t size;
};

static bool put(struct line *line, const char *bytes, size_t size)
{
	if (line->size + size >= sizeof line->text)
		return false;
	memcpy(line->text + line->size, bytes, size);
	line->size += size;
	line->text[line->size] = '\0';
	return true;
}

/* JSON's escapes (RFC 8259, 7). The texts are ours, so control characters become a space. */
static bool put_quoted(struct line *line, const char *text)
{
	bool good = put(line, "\"", 1);

	for (const char *c = text; *c && good; c++) {
		if (*c == '"' || *c == '\\')
			good = put(line, "\\", 1) && put(line, c, 1);
		else
			good = put(line, (unsigned char)*c < ' ' ? " " : c, 1);
	}
	return good && put(line, "\"", 1);
}

static void put_pair(struct line *line, const char *key, const char *value)
{
	size_t before = line->size;

	if (put(line, before > 1 ? "," : "", before > 1) && put_quoted(line, key) &&
	    put(line, ":", 1) && put_quoted(line, value))
		return;
	line->size = before;
	line->text[before] = '\0';
}

void log_event(enum log_level level, const char *event, ...)
{
	struct line line = { .text = "{", .size = 1 };
	char at[CLOCK_TEXT];
	const char *key;
	va_list ap;

	if (level < least)
		return;
	clock_print(clock_now(), true, at);
	put_pair(&line, "at", at);
	put_pair(&line, "level", levels[level].word);
	put_pair(&line, "event", event);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (value)
			put_pair(&line, key, value);
	}
	va_end(ap);
	y_log_message(levels[level].yder, "%s}", line.text);
}
