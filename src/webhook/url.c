/* URLs are taken apart by libcurl, which calls them later: what it would call is what is looked at.
 */
#include "webhook/url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/text.h"
#include "webhook/address.h"

static void curlu_freep(CURLU **url) { curl_url_cleanup(*url); }
static void part_freep(char **part) { curl_free(*part); }

static const char *const private_domains[] = { ".localhost", ".local", ".internal", ".home.arpa" };

static bool refuse(struct problem *p, const char *why)
{
	return problem_fault(p, PROBLEM_VALIDATION_FAILED, "/url", "format", "%s", why);
}

static bool has_part(CURLU *url, CURLUPart part)
{
	owned_by(part_freep) char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size >= tail && text_same_nocase(text + size - tail, end);
}

static bool name_public(const char *host)
{
	if (!strchr(host, '.'))
		return false;
	for (size_t i = 0; i < COUNT_OF(private_domains); i++)
		if (ends_with(host, private_domains[i]))
			return false;
	return true;
}

/* Without the brackets of an IPv6 address and the dot at the end of a name. */
static bool host_public(char *host)
{
	size_t size = strlen(host);

	if (*host == '[' && host[size - 1] == ']') {
		host[size - 1] = '\0';
		return address_text_public(host + 1);
	}
	if (size > 1 && host[size - 1] == '.')
		host[size - 1] = '\0';
	return address_text(host) ? address_text_public(host) : name_public(host);
}

bool webhook_url_allowed(const char *url, bool allow_private, struct problem *p)
{
	owned_by(curlu_freep) CURLU *parts = curl_url();
	owned_by(part_freep) char *scheme = NULL;
	owned_by(part_freep) char *host = NULL;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return refuse(p, "must be an https URL");
	if (strcmp(scheme, "https") != 0 && !(allow_private && strcmp(scheme, "http") == 0))
		return refuse(p, "must be an https URL");
	if (has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD))
		return refuse(p, "must not have a user in it");
	if (has_part(parts, CURLUPART_FRAGMENT))
		return refuse(p, "must not have a fragment");
	if (!allow_private && !host_public(host))
		return refuse(p, "must name a host of the public internet");
	return true;
}
