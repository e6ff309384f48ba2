/* Sets of JSON Web Keys, from text, from files and from a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>

#include "auth/fetch.h"
#include "auth/keys_own.h"
#include "forge.h"

static void keys_closep(struct keys **keys) { keys_close(*keys); }
#define keys_auto owned_by(keys_closep) struct keys

static EVP_PKEY *rsa, *rsa_weak, *p256;

static int set_up(void **state)
{
	(void)state;
	rsa = forge_rsa(2048);
	rsa_weak = forge_rsa(1024);
	p256 = forge_ec("P-256");
	return fetch_start() ? 0 : -1;
}

static int take_down(void **state)
{
	EVP_PKEY *keys[] = { rsa, rsa_weak, p256 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		EVP_PKEY_free(keys[i]);
	fetch_stop();
	return 0;
}

static json_t *encrypting(json_t *jwk)
{
	json_object_set_new(jwk, "use", json_string("enc"));
	return jwk;
}

static bool added(struct key_set *set, const char *text, struct problem *p)
{
	return key_set_add_jwks(set, text, strlen(text), JWK_PUBLISHED, p);
}

static void one_bad_key_does_not_stop_the_others(void **state)
{
	json_auto_t *document = json_pack(
		"{s:[o, o, n, o, o]}", "keys", forge_jwk(rsa_weak, "weak", "RS256", NULL),
		forge_jwk(rsa, "good", "RS256", NULL), forge_jwk(p256, "also", NULL, "P-256"),
		encrypting(forge_jwk(rsa, "good", "RS256", NULL)));
	text_auto *text = json_print(document);
	key_set_auto *set = key_set_new();
	struct problem p = { 0 };

	(void)state;
	assert_true(added(set, text, &p));
	assert_int_equal(set->count, 2);
	assert_non_null(key_set_find(set, "good"));
	assert_non_null(key_set_find(set, "also"));
}

static void a_kid_twice_in_a_jwks_is_a_failure(void **state)
{
	json_auto_t *document = json_pack("{s:[o, o]}", "keys", forge_jwk(rsa, "k", "RS256", NULL),
	                                  forge_jwk(p256, "k", "ES256", "P-256"));
	text_auto *text = json_print(document);
	key_set_auto *set = key_set_new();
	struct problem p = { 0 };

	(void)state;
	assert_false(added(set, text, &p));
	assert_string_equal(p.detail, "the key k is given twice");
}

static void what_is_not_a_jwks_is_refused(void **state)
{
	key_set_auto *set = key_set_new();
	struct problem p = { 0 };

	(void)state;
	assert_false(added(set, "<html>", &p));
	assert_string_equal(p.detail, "the JWKS is not JSON without duplicate keys");
	assert_false(added(set, "{\"keys\":[],\"keys\":[]}", &p));
	assert_string_equal(p.detail, "the JWKS is not JSON without duplicate keys");
	assert_false(added(set, "{\"keys\":{}}", &p));
	assert_string_equal(p.detail, "the JWKS has no array of keys");
	assert_false(added(set, "[]", &p));
	assert_string_equal(p.detail, "the JWKS has no array of keys");
	assert_int_equal(set->count, 0);
}

static void only_https_and_the_loopback_are_asked(void **state)
{
	static const struct {
		const char *url, *sentence;
	} urls[] = {
		{ "https://idp.example.org/jwks", NULL },
		{ "http://127.0.0.1:8080/jwks", NULL },
		{ "http://localhost/jwks", NULL },
		{ "http://[::1]:80/jwks", NULL },
		{ "http://idp.example.org/jwks",
		  "the JWKS URL is neither https nor http on the loopback" },
		{ "http://127.0.0.1.example.org/",
		  "the JWKS URL is neither https nor http on the loopback" },
		{ "http://localhost@example.org/", "the JWKS URL has a user in it" },
		{ "https://user:pass@idp.example.org/", "the JWKS URL has a user in it" },
		{ "ftp://127.0.0.1/jwks",
		  "the JWKS URL is neither https nor http on the loopback" },
		{ "file:///etc/passwd", "the JWKS URL is not an https URL" },
		{ "gopher://127.0.0.1/", "the JWKS URL is neither https nor http on the loopback" },
		{ "https://", "the JWKS URL is not an https URL" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct problem p = { 0 };

		if (fetch_url_allowed(urls[i].url, &p) != !urls[i].sentence)
			print_error("%s\n", urls[i].url);
		assert_string_equal(p.detail, urls[i].sentence ? urls[i].sentence : "");
	}
}

/* A server on the loopback that gives each connection the answer of the moment. */
struct server {
	int listening;
	char url[64];
	char *answer; /* the whole response; NULL: it ends */
	pthread_mutex_t lock;
	pthread_t thread;
};

static bool serve_one(struct server *server, int client)
{
	char request[4096];
	bool more;

	pthread_mutex_lock(&server->lock);
	more = server->answer != NULL;
	if (more && recv(client, request, sizeof request, 0) > 0)
		more = send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL) >= 0 ||
		       more;
	pthread_mutex_unlock(&server->lock);
	shutdown(client, SHUT_RDWR);
	close(client);
	return more;
}

static void *serve(void *context)
{
	struct server *server = context;
	int client;

	do
		client = accept(server->listening, NULL, NULL);
	while (client >= 0 && serve_one(server, client));
	return NULL;
}

static void answer(struct server *server, const char *head, const char *body)
{
	buf_auto text = { .limit = MIB };

	if (head && !buf_addf(&text, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n%s", head, body))
		abort();
	pthread_mutex_lock(&server->lock);
	free(server->answer);
	server->answer = buf_take(&text);
	pthread_mutex_unlock(&server->lock);
}

static void server_start(struct server *server)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;

	*server = (struct server){ .listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	pthread_mutex_init(&server->lock, NULL);
	assert_int_equal(bind(server->listening, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(server->listening, 8), 0);
	assert_int_equal(getsockname(server->listening, (struct sockaddr *)&at, &size), 0);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/jwks", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	answer(server, NULL, NULL);
	shutdown(server->listening, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listening);
	pthread_mutex_destroy(&server->lock);
}

static char *jwks_text(EVP_PKEY *key, const char *kid)
{
	json_auto_t *document = json_pack("{s:[o]}", "keys", forge_jwk(key, kid, NULL, "P-256"));

	return json_print(document);
}

static void a_url_is_read_at_the_start_and_again_for_an_unknown_kid(void **state)
{
	text_auto *first = jwks_text(p256, "first");
	text_auto *second = jwks_text(p256, "second");
	struct server server;
	keys_auto *keys = NULL;
	key_set_auto *set = NULL;
	struct problem p = { 0 };

	(void)state;
	server_start(&server);
	answer(&server, "200 OK", first);
	assert_true(keys_open(&(struct keys_config){ "", server.url, 3600 }, &keys, &p));
	assert_int_equal(keys_count(keys), 1);
	answer(&server, "200 OK", second);
	assert_true(keys_ask(keys));
	set = keys_hold(keys);
	assert_non_null(key_set_find(set, "second"));
	server_stop(&server);
}

static void a_url_that_does_not_answer_is_tried_again_and_stops_nothing(void **state)
{
	text_auto *jwks = jwks_text(p256, "late");
	struct server server;
	keys_auto *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	server_start(&server);
	answer(&server, "503 Service Unavailable", "");
	assert_true(keys_open(&(struct keys_config){ "", server.url, 3600 }, &keys, &p));
	assert_int_equal(keys_count(keys), 0);
	answer(&server, "200 OK", jwks);
	assert_true(keys_ask(keys));
	assert_int_equal(keys_count(keys), 1);
	answer(&server, "404 Not Found", "");
	assert_true(keys_reload(keys, &p));
	assert_int_equal(keys_count(keys), 1);
	server_stop(&server);
}

static void is_not_fetched(struct server *server, bool ending, const char *sentence)
{
	atomic_bool end = ending;
	text_auto *text = NULL;
	struct problem p = { 0 };
	size_t size;

	assert_false(fetch_text(server->url, &end, &text, &size, &p));
	assert_non_null(strstr(p.detail, sentence));
}

static void answers_that_are_no_jwks_are_not_taken(void **state)
{
	text_auto *large = malloc(FETCH_LIMIT + 2);
	struct server server;

	(void)state;
	memset(large, ' ', FETCH_LIMIT + 1);
	large[FETCH_LIMIT + 1] = '\0';
	server_start(&server);
	answer(&server, "302 Found\r\nLocation: file:///etc/passwd", "");
	is_not_fetched(&server, false, "the JWKS URL answers with status 302");
	answer(&server, "200 OK", "");
	is_not_fetched(&server, false, "the JWKS URL answers with nothing");
	answer(&server, "200 OK", large);
	is_not_fetched(&server, false, "the JWKS URL gives no answer that can be used");
	answer(&server, "200 OK\r\nContent-Length: 999999999", "{");
	is_not_fetched(&server, false, "the JWKS URL gives no answer that can be used");
	answer(&server, "200 OK", "{\"keys\":[]}");
	is_not_fetched(&server, true, "the JWKS URL gives no answer that can be used");
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bad_key_does_not_stop_the_others),
		cmocka_unit_test(a_kid_twice_in_a_jwks_is_a_failure),
		cmocka_unit_test(what_is_not_a_jwks_is_refused),
		cmocka_unit_test(only_https_and_the_loopback_are_asked),
		cmocka_unit_test(a_url_is_read_at_the_start_and_again_for_an_unknown_kid),
		cmocka_unit_test(a_url_that_does_not_answer_is_tried_again_and_stops_nothing),
		cmocka_unit_test(answers_that_are_no_jwks_are_not_taken),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
