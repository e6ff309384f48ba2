/* Reads a JWKS from a file or a URL. Redirects are not followed: a JWKS URL is configured, not
 * found. */
#include "auth/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static void curl_freep(CURL **curl) { curl_easy_cleanup(*curl); }
static void curlu_freep(CURLU **url) { curl_url_cleanup(*url); }
static void slist_freep(struct curl_slist **list) { curl_slist_free_all(*list); }
static void part_freep(char **part) { curl_free(*part); }

static const char *const loopback[] = { "localhost", "127.0.0.1", "[::1]" };

bool fetch_is_url(const char *where) { return strstr(where, "://") != NULL; }

bool fetch_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }

void fetch_stop(void) { curl_global_cleanup(); }

static bool on_loopback(const char *host)
{
	for (size_t i = 0; i < COUNT_OF(loopback); i++)
		if (text_same_nocase(host, loopback[i]))
			return true;
	return false;
}

bool fetch_url_allowed(const char *url, struct problem *p)
{
	owned_by(curlu_freep) CURLU *parts = curl_url();
	owned_by(part_freep) char *scheme = NULL;
	owned_by(part_freep) char *host = NULL;
	owned_by(part_freep) char *user = NULL;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return problem(p, PROBLEM_INTERNAL, "the JWKS URL is not an https URL");
	if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
		return problem(p, PROBLEM_INTERNAL, "the JWKS URL has a user in it");
	if (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && on_loopback(host)))
		return true;
	return problem(p, PROBLEM_INTERNAL,
	               "the JWKS URL is neither https nor http on the loopback");
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
	return buf_add_bytes(context, bytes, size * count) ? size * count : 0;
}

static int ask_to_end(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const atomic_bool *ending = context;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(ending);
}

static bool set_up(CURL *curl, const char *url, struct curl_slist *headers, struct buf *body,
                   const atomic_bool *ending)
{
	bool plain = text_starts(url, "http://");

	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") ==
	               CURLE_OK &&
	       (!plain || curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS) ==
	               CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_TOTAL_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)FETCH_LIMIT) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_to_end) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_XFERINFODATA, ending) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static bool from_url(const char *url, const atomic_bool *ending, char **ret_text, size_t *ret_size,
                     struct problem *p)
{
	owned_by(curl_freep) CURL *curl = curl_easy_init();
	owned_by(slist_freep) struct curl_slist *headers =
		curl_slist_append(NULL, "Accept: application/jwk-set+json, application/json");
	buf_auto body = { .limit = FETCH_LIMIT };
	long status = 0;
	CURLcode code;

	if (!fetch_url_allowed(url, p))
		return false;
	if (!curl || !headers || !set_up(curl, url, headers, &body, ending))
		return problem(p, PROBLEM_INTERNAL,
		               "the JWKS URL cannot be asked: libcurl refuses");
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return problem(p, PROBLEM_INTERNAL,
		               "the JWKS URL gives no answer that can be used: %s",
		               curl_easy_strerror(code));
	if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
		return problem(p, PROBLEM_INTERNAL, "the JWKS URL answers with status %ld", status);
	if (body.size == 0)
		return problem(p, PROBLEM_INTERNAL, "the JWKS URL answers with nothing");
	*ret_size = body.size;
	*ret_text = buf_take(&body);
	return true;
}

bool fetch_text(const char *where, const atomic_bool *ending, char **ret_text, size_t *ret_size,
                struct problem *p)
{
	char *text;

	if (fetch_is_url(where))
		return from_url(where, ending, ret_text, ret_size, p);
	text = text_file(where, FETCH_LIMIT, ret_size);
	if (!text)
		return problem(p, PROBLEM_INTERNAL, "the JWKS file cannot be read: %s",
		               strerror(errno));
	*ret_text = text;
	return true;
}
