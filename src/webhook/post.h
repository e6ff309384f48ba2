/* One attempt to hand a message to its receiver, as a transfer of libcurl. */
#pragma once

#include <curl/curl.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/uuid.h"

struct post_config {
	unsigned timeout_ms;
	bool allow_private;  /* http too, and any address */
	const char *ca_file; /* "": the system's */
};

/* All borrowed. */
struct message {
	const char *delivery_id, *attempt, *url, *message_id, *body;
	const char *secret, *previous; /* in hexadecimal; previous may be NULL */
	unsigned failed;               /* attempts before this one */
};

struct post {
	CURL *curl; /* its CURLOPT_PRIVATE is the post */
	struct curl_slist *headers;
	char *body;
	char delivery_id[UUID_TEXT], attempt[12];
	unsigned failed;
	int64_t began_us;
	const struct post_config *config;
	bool forbidden; /* an address was refused */
};

struct post_result {
	const char *outcome;             /* webhook_attempt.outcome */
	long status;                     /* 0: there was no answer */
	int64_t took_ms, retry_after_ms; /* the latter as the receiver asked, an hour at most */
};

/* NULL when memory runs out. `config` is borrowed for the life of the post. */
struct post *post_new(const struct message *message, const struct post_config *config);
void post_free(struct post *post);
/* What came of it, by what libcurl said at its end. */
struct post_result post_result(const struct post *post, CURLcode code);
