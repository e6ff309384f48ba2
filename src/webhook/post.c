/* What is sent, to whom it may be sent, and what an end means. */
#include "webhook/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "webhook/address.h"
#include "webhook/signature.h"

enum { CONNECT_MOST_MS = 5000, HEADER_MOST = 512, RETRY_AFTER_MOST_S = 60 * 60 };

/* The receiver's words are of no use to us: its status says all. */
static size_t throw_away(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

/* After the name was resolved, for each address that is tried. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct post *post = context;

	(void)purpose;
	if (!post->config->allow_private && !address_public(&to->addr)) {
		post->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Connected, also by a connection of an earlier message, and before anything is said. */
static int before_request(void *context, char *peer, char *own, int peer_port, int own_port)
{
	struct post *post = context;

	(void)own;
	(void)peer_port;
	(void)own_port;
	if (post->config->allow_private || address_text_public(peer))
		return CURL_PREREQFUNC_OK;
	post->forbidden = true;
	return CURL_PREREQFUNC_ABORT;
}

static bool add_header(struct post *post, const char *name, const char *value)
{
	char line[HEADER_MOST];
	int size = snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *longer;

	if (size < 0 || (size_t)size >= sizeof line)
		return false;
	longer = curl_slist_append(post->headers, line);
	if (!longer)
		return false;
	post->headers = longer;
	return true;
}

static bool add_headers(struct post *post, const struct message *m)
{
	const struct secrets secrets = { m->secret, m->previous };
	buf_auto signature = { .limit = 256 };
	char timestamp[24];

	snprintf(timestamp, sizeof timestamp, "%lld", (long long)clock_seconds());
	return signature_write(secrets, m->message_id, timestamp, m->body, &signature) &&
	       add_header(post, "Content-Type", "application/cloudevents+json") &&
	       add_header(post, "webhook-id", m->message_id) &&
	       add_header(post, "webhook-timestamp", timestamp) &&
	       add_header(post, "webhook-signature", buf_text(&signature)) &&
	       add_header(post, "User-Agent", "carers-api/" CARERS_VERSION) &&
	       add_header(post, "Expect", "");
}

/* Where it goes: no proxy of the environment, no redirect, no address that is not looked at. */
static bool set_way(struct post *post, const char *url)
{
	CURL *curl = post->curl;
	const char *protocols = post->config->allow_private ? "http,https" : "https";

	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, post) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PREREQDATA, post) == CURLE_OK &&
	       (!*post->config->ca_file ||
	        curl_easy_setopt(curl, CURLOPT_CAINFO, post->config->ca_file) == CURLE_OK);
}

/* How long it may take; an end that comes too early must not wait for a slow resolver. */
static bool set_pace(struct post *post)
{
	CURL *curl = post->curl;
	long all = post->config->timeout_ms;
	long connect = all < CONNECT_MOST_MS ? all : CONNECT_MOST_MS;

	return curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, all) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
	               CURLE_OK;
}

static bool set_message(struct post *post)
{
	CURL *curl = post->curl;

	return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(post->body)) ==
	               CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, throw_away) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PRIVATE, post) == CURLE_OK;
}

struct post *post_new(const struct message *message, const struct post_config *config)
{
	struct post *post = calloc(1, sizeof *post);

	if (!post)
		return NULL;
	post->config = config;
	post->failed = message->failed;
	post->began_us = clock_monotonic_us();
	snprintf(post->delivery_id, sizeof post->delivery_id, "%s", message->delivery_id);
	snprintf(post->attempt, sizeof post->attempt, "%s", message->attempt);
	post->body = strdup(message->body);
	post->curl = curl_easy_init();
	if (post->body && post->curl && add_headers(post, message) && set_way(post, message->url) &&
	    set_pace(post) && set_message(post))
		return post;
	post_free(post);
	return NULL;
}

void post_free(struct post *post)
{
	if (!post)
		return;
	curl_easy_cleanup(post->curl);
	curl_slist_free_all(post->headers);
	free(post->body);
	free(post);
}

static const char *answered(long status)
{
	if (status >= 200 && status < 300)
		return "delivered";
	if (status == 410)
		return "gone";
	return status >= 300 && status < 400 ? "redirected" : "status";
}

static const char *unanswered(const struct post *post, CURLcode code)
{
	if (post->forbidden)
		return "forbidden_address";
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "unresolved";
	case CURLE_OPERATION_TIMEDOUT:
		return "timed_out";
	case CURLE_COULDNT_CONNECT:
		return "refused";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return "tls";
	case CURLE_ABORTED_BY_CALLBACK:
		return "interrupted";
	default:
		return "broken";
	}
}

struct post_result post_result(const struct post *post, CURLcode code)
{
	struct post_result result = {
		.took_ms = (clock_monotonic_us() - post->began_us) / 1000,
	};
	curl_off_t retry_after_s = 0;

	if (code != CURLE_OK) {
		result.outcome = unanswered(post, code);
		return result;
	}
	curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &result.status);
	curl_easy_getinfo(post->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	result.outcome = answered(result.status);
	if (retry_after_s > RETRY_AFTER_MOST_S)
		retry_after_s = RETRY_AFTER_MOST_S;
	result.retry_after_ms = (int64_t)retry_after_s * 1000;
	return result;
}
