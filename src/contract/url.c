/* A request target taken apart. */
#include "contract/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Where decoded text goes: memory as long as the target is enough, since decoding never grows. */
struct writer {
	char *at;
};

static bool decode(struct writer *w, const char *text, size_t size, bool query,
                   const char **ret_text)
{
	char *start = w->at;

	if (!text_percent_decode(text, size, query, start))
		return false;
	w->at += strlen(start) + 1;
	*ret_text = start;
	return true;
}

static bool bad_path(struct problem *p, const char *why)
{
	return problem_fault(p, PROBLEM_INVALID_PARAMETER, "/path", "encoding", "%s", why);
}

static bool take_segment(struct url *url, struct writer *w, const char *text, size_t size,
                         struct problem *p)
{
	const char *segment;

	if (url->segment_count == ROUTE_SEGMENTS || size == 0)
		return problem(p, PROBLEM_NOT_FOUND, "nothing is served at this path");
	if (!decode(w, text, size, false, &segment))
		return bad_path(p, "has an escape that is not valid UTF-8 text, or a NUL");
	if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
		return bad_path(p, "has a dot segment");
	if (strchr(segment, '/'))
		return bad_path(p, "has an escaped slash");
	url->segments[url->segment_count++] = segment;
	return true;
}

static bool take_path(struct url *url, struct writer *w, const char *path, size_t size,
                      struct problem *p)
{
	const char *end = path + size;

	if (size == 0 || *path != '/')
		return problem(p, PROBLEM_NOT_FOUND, "nothing is served at this path");
	if (size == 1)
		return true;
	while (path < end) {
		const char *start = path + 1;
		const char *slash = memchr(start, '/', (size_t)(end - start));

		url->slash = start == end;
		if (url->slash)
			return true;
		path = slash ? slash : end;
		if (!take_segment(url, w, start, (size_t)(path - start), p))
			return false;
	}
	return true;
}

static bool take_pair(struct url *url, struct writer *w, const char *text, size_t size,
                      struct problem *p)
{
	const char *equals = memchr(text, '=', size);
	size_t name = equals ? (size_t)(equals - text) : size;
	size_t value = equals ? size - name - 1 : 0;

	if (size == 0)
		return true;
	if (url->pair_count == URL_PAIRS)
		return problem_fault(p, PROBLEM_INVALID_PARAMETER, "/query", "maxItems",
		                     "has more than %d parameters", URL_PAIRS);
	if (!decode(w, text, name, true, &url->pairs[url->pair_count].name) ||
	    !decode(w, equals ? equals + 1 : text + size, value, true,
	            &url->pairs[url->pair_count].value))
		return problem_fault(p, PROBLEM_INVALID_PARAMETER, "/query", "encoding",
		                     "has an escape that is not valid UTF-8 text, or a NUL");
	url->pair_count++;
	return true;
}

static bool take_query(struct url *url, struct writer *w, const char *query, struct problem *p)
{
	while (*query) {
		size_t size = strcspn(query, "&");

		if (!take_pair(url, w, query, size, p))
			return false;
		query += size;
		query += *query == '&';
	}
	return true;
}

bool url_parse(const char *target, struct url *ret_url, struct problem *p)
{
	size_t size = strnlen(target, URL_LIMIT + 1);
	size_t path = strcspn(target, "?");
	struct writer w;

	ret_url->memory = NULL;
	ret_url->slash = false;
	ret_url->segment_count = ret_url->pair_count = 0;
	if (size > URL_LIMIT)
		return bad_path(p, "is too long");
	ret_url->memory = malloc(size + ROUTE_SEGMENTS + 2 * URL_PAIRS + 1);
	if (!ret_url->memory)
		return problem(p, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
	w.at = ret_url->memory;
	return take_path(ret_url, &w, target, path, p) &&
	       (target[path] == '\0' || take_query(ret_url, &w, target + path + 1, p));
}

void url_free(struct url *url)
{
	free(url->memory);
	url->memory = NULL;
}
