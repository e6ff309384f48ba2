/*
 * Some members of a list's items. The text is cut where it stands: what stays keeps its bytes, so
 * that a number is written as PostgreSQL wrote it, and nothing is parsed, copied or allocated.
 */
#include <stdlib.h>
#include <string.h>

#include "call/shape.h"

static const char *past_space(const char *at) { return at + strspn(at, " \t\r\n"); }

static const char *past_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* Past a sign, and the space about it. */
static const char *past_sign(const char *at)
{
	at = past_space(at);
	return *at ? past_space(at + 1) : at;
}

/* Past one value: a string, a number or a word, or all that its brackets hold. */
static const char *past_value(const char *at)
{
	static const char signs[] = "{}[],:";
	size_t depth = 0;

	do {
		at = depth > 0 ? past_space(at) : at;
		if (*at == '"') {
			at = past_string(at);
		} else if (*at && strchr(signs, *at)) {
			depth += *at == '{' || *at == '[';
			depth -= depth > 0 && (*at == '}' || *at == ']');
			at++;
		} else {
			at += strcspn(at, "{}[],:\" \t\r\n");
		}
	} while (*at && depth > 0);
	return at;
}

/* What was read up to `at` and written up to `out`, which never overtakes it. */
struct cut {
	const char *at;
	char *out;
	const json_t *names;
};

static void keep(struct cut *c, const char *end)
{
	size_t size = (size_t)(end - c->at);

	memmove(c->out, c->at, size);
	c->out += size;
	c->at = end;
}

/* `key`: with its quotes. */
static bool is(const char *key, size_t size, const char *name)
{
	return size == strlen(name) + 2 && strncmp(key + 1, name, size - 2) == 0;
}

static bool wanted(const struct cut *c, const char *key, size_t size)
{
	const json_t *name;
	size_t i;

	json_array_foreach (c->names, i, name)
		if (is(key, size, json_string_value(name)))
			return true;
	return is(key, size, "id");
}

static const char *past_comma(const char *end)
{
	end = past_space(end);
	return *end == ',' ? past_space(end + 1) : end;
}

static void cut_item(struct cut *c)
{
	bool first = true;

	keep(c, past_sign(c->at));
	while (*c->at == '"') {
		const char *key = c->at, *key_end = past_string(key);
		const char *end = past_value(past_sign(key_end));

		if (wanted(c, key, (size_t)(key_end - key))) {
			if (!first)
				*c->out++ = ',';
			first = false;
			keep(c, end);
		}
		c->at = past_comma(end);
	}
	keep(c, c->at + (*c->at == '}'));
}

static void cut_items(struct cut *c)
{
	keep(c, past_sign(c->at));
	while (*c->at == '{') {
		cut_item(c);
		keep(c, past_comma(c->at));
	}
}

size_t fields_keep(char *text, const json_t *names)
{
	struct cut c = { .at = text, .out = text, .names = names };

	keep(&c, past_sign(c.at));
	while (*c.at == '"') {
		const char *key = c.at, *key_end = past_string(key);

		keep(&c, past_sign(key_end));
		if (is(key, (size_t)(key_end - key), "items") && *c.at == '[')
			cut_items(&c); /* up to its `]` */
		keep(&c, past_comma(past_value(c.at)));
	}
	keep(&c, c.at + strlen(c.at));
	*c.out = '\0';
	return (size_t)(c.out - text);
}

void call_shape_fields(struct call *c)
{
	const char *text = c->endpoint->takes_fields ? call_query(c, "fields") : NULL;
	json_auto_t *names = text ? json_loads(text, 0, NULL) : NULL;

	if (names && c->reply.body && c->reply.status == 200)
		c->reply.size = fields_keep(c->reply.body, names);
}
