/* Verification keys from files, and the place where the current set stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "auth/keys_own.h"
#include "forge.h"

static void keys_closep(struct keys **keys) { keys_close(*keys); }
#define keys_auto owned_by(keys_closep) struct keys

static struct forge_folder folder;
static EVP_PKEY *rsa, *rsa_other, *rsa_weak, *p256, *p384;

static void write_public(const char *name, EVP_PKEY *key)
{
	text_auto *pem = forge_pem(key, false);

	forge_write(&folder, name, pem, strlen(pem));
}

static int set_up(void **state)
{
	text_auto *private = NULL;

	(void)state;
	forge_folder_make(&folder);
	rsa = forge_rsa(2048);
	rsa_other = forge_rsa(2048);
	rsa_weak = forge_rsa(1024);
	p256 = forge_ec("P-256");
	p384 = forge_ec("P-384");
	private = forge_pem(rsa, true);
	write_public("rsa", rsa);
	write_public("weak", rsa_weak);
	write_public("p256", p256);
	write_public("p384", p384);
	forge_write(&folder, "private", private, strlen(private));
	forge_write(&folder, "secret", "0123456789abcdef0123456789abcdef", 32);
	forge_write(&folder, "short", "0123456789abcdef0123456789abcde", 31);
	forge_write(&folder, "words", "these are no keys", 17);
	return 0;
}

static int take_down(void **state)
{
	static const char *const files[] = { "rsa",    "weak",  "p256",  "p384", "private",
		                             "secret", "short", "words", "jwks" };
	EVP_PKEY *keys[] = { rsa, rsa_other, rsa_weak, p256, p384 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		EVP_PKEY_free(keys[i]);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		forge_remove(&folder, files[i]);
	return rmdir(folder.path);
}

/* "KID=ALG:NAME,..." with each NAME in the folder. */
static void files_of(const char *entries, char ret_files[static 2048])
{
	buf_auto files = { .limit = 2000 };

	for (const char *c = entries; *c; c++)
		assert_true(*c == '@' ? buf_addf(&files, "%s/", folder.path)
		                      : buf_add_bytes(&files, c, 1));
	memcpy(ret_files, buf_text(&files), files.size + 1);
}

static bool opened(const char *entries, const char *jwks, struct keys **ret_keys, struct problem *p)
{
	char files[2048], path[256];

	files_of(entries, files);
	return keys_open(
		&(struct keys_config){ files, *jwks ? forge_path(&folder, jwks, path) : "", 3600 },
		ret_keys, p);
}

static bool knows(struct keys *keys, const char *kid)
{
	key_set_auto *set = keys_hold(keys);

	return key_set_find(set, kid) != NULL;
}

static void each_key_is_found_by_its_kid_with_its_algorithm(void **state)
{
	keys_auto *keys = NULL;
	key_set_auto *set = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_true(opened("a=RS256:@rsa,b=RS512:@rsa,c=ES256:@p256,d=ES384:@p384,e=HS256:@secret",
	                   "", &keys, &p));
	assert_int_equal(keys_count(keys), 5);
	set = keys_hold(keys);
	assert_string_equal(key_set_find(set, "a")->alg->name, "RS256");
	assert_string_equal(key_set_find(set, "b")->alg->name, "RS512");
	assert_string_equal(key_set_find(set, "d")->alg->name, "ES384");
	assert_int_equal(key_set_find(set, "e")->size, 32);
	assert_null(key_set_find(set, "f"));
	assert_null(key_set_find(set, ""));
}

static void no_keys_at_all_is_a_set_too(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_true(opened("", "", &keys, &p));
	assert_int_equal(keys_count(keys), 0);
	assert_false(knows(keys, "a"));
}

static void each_fault_of_a_key_file_has_its_sentence(void **state)
{
	static const struct {
		const char *entries, *sentence;
	} faults[] = {
		{ "a=RS256:@none",
		  "the file of the key a cannot be read: No such file or directory" },
		{ "a=RS256", "a key file is given as KID=ALG:FILE" },
		{ "a=RS256:", "a key file is given as KID=ALG:FILE" },
		{ "RS256:@rsa", "a key file is given as KID=ALG:FILE" },
		{ "../a=RS256:@rsa", "a kid is 1 to 128 of A-Z a-z 0-9 . _ ~ -" },
		{ "=RS256:@rsa", "a kid is 1 to 128 of A-Z a-z 0-9 . _ ~ -" },
		{ "a=none:@rsa", "the key a has an algorithm that is not known here" },
		{ "a=rs256:@rsa", "the key a has an algorithm that is not known here" },
		{ "a=PS256:@rsa", "the key a has an algorithm that is not known here" },
		{ "a=HS512:@secret", "the key a has an algorithm that is not known here" },
		{ "a=HS256:@short", "the key a is weak: a secret has at least 32 bytes" },
		{ "a=RS256:@weak", "the key a is weak: RSA has at least 2048 bits" },
		{ "a=RS256:@words", "the key a is not a public key that OpenSSL reads" },
		{ "a=RS256:@private",
		  "the key a is a private key: a service that verifies holds public ones" },
		{ "a=RS256:@p256", "the key a is not an RSA key, but its algorithm wants one" },
		{ "a=ES256:@rsa", "the key a is not an EC key, but its algorithm wants one" },
		{ "a=ES256:@p384", "the key a is on another curve than P-256, which ES256 wants" },
		{ "a=ES512:@p256", "the key a is on another curve than P-521, which ES512 wants" },
		{ "a=RS256:@rsa,a=ES256:@p256", "the key a is given twice" },
		{ "a=RS256:@rsa,a=RS256:@rsa", "the key a is given twice" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct keys *keys = NULL;
		struct problem p = { 0 };

		assert_false(opened(faults[i].entries, "", &keys, &p));
		assert_null(keys);
		assert_string_equal(p.detail, faults[i].sentence);
	}
}

static void a_kid_of_128_characters_is_the_longest(void **state)
{
	char entries[256];
	keys_auto *keys = NULL;
	struct keys *none = NULL;
	struct problem p = { 0 };

	(void)state;
	memset(entries, 'k', 130);
	snprintf(entries + 128, sizeof entries - 128, "=RS256:@rsa");
	assert_true(opened(entries, "", &keys, &p));
	snprintf(entries + 128, sizeof entries - 128, "k=RS256:@rsa");
	assert_false(opened(entries, "", &none, &p));
	assert_string_equal(p.detail, "a kid is 1 to 128 of A-Z a-z 0-9 . _ ~ -");
}

static void write_jwks(EVP_PKEY *key, const char *kid)
{
	forge_jwks(&folder, "jwks", json_pack("[o]", forge_jwk(key, kid, "RS256", NULL)));
}

static void a_rewritten_jwks_is_another_generation(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };
	uint64_t before;

	(void)state;
	write_jwks(rsa, "old");
	assert_true(opened("f=ES256:@p256", "jwks", &keys, &p));
	assert_true(knows(keys, "old"));
	before = keys_generation(keys);
	write_jwks(rsa_other, "new");
	assert_true(keys_reload(keys, &p));
	assert_true(keys_generation(keys) > before);
	assert_true(knows(keys, "new"));
	assert_true(knows(keys, "f"));
	assert_false(knows(keys, "old"));
}

static void the_same_kid_with_another_key_is_another_generation(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };
	uint64_t before;

	(void)state;
	write_jwks(rsa, "same");
	assert_true(opened("", "jwks", &keys, &p));
	before = keys_generation(keys);
	write_jwks(rsa_other, "same");
	assert_true(keys_reload(keys, &p));
	assert_true(keys_generation(keys) > before);
}

static void reading_the_same_keys_again_forgets_nothing(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };
	uint64_t before;

	(void)state;
	write_jwks(rsa, "old");
	assert_true(opened("f=ES256:@p256", "jwks", &keys, &p));
	before = keys_generation(keys);
	assert_true(keys_reload(keys, &p));
	assert_true(keys_generation(keys) == before);
}

static void a_reload_that_fails_keeps_the_old_set(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };
	uint64_t before;

	(void)state;
	write_jwks(rsa, "old");
	assert_true(opened("f=ES256:@p256", "jwks", &keys, &p));
	before = keys_generation(keys);
	forge_write(&folder, "jwks", "{", 1);
	assert_false(keys_reload(keys, &p));
	assert_string_equal(p.detail, "the JWKS is not JSON without duplicate keys");
	assert_true(keys_generation(keys) == before);
	assert_true(knows(keys, "old"));
}

static void a_kid_that_files_and_jwks_both_have_is_a_failure(void **state)
{
	struct keys *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	write_jwks(rsa, "a");
	assert_false(opened("a=ES256:@p256", "jwks", &keys, &p));
	assert_string_equal(p.detail, "the key a is given twice");
}

static void an_unknown_kid_has_the_jwks_read_again_but_not_at_once_again(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	write_jwks(rsa, "old");
	assert_true(opened("", "jwks", &keys, &p));
	write_jwks(rsa_other, "new");
	assert_true(keys_ask(keys));
	assert_true(knows(keys, "new"));
	assert_false(keys_ask(keys));
}

static void a_jwks_that_breaks_later_keeps_its_keys(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	write_jwks(rsa, "old");
	assert_true(opened("", "jwks", &keys, &p));
	forge_remove(&folder, "jwks");
	assert_true(keys_ask(keys));
	assert_true(knows(keys, "old"));
}

static void without_a_jwks_an_unknown_kid_asks_nobody(void **state)
{
	keys_auto *keys = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_true(opened("f=ES256:@p256", "", &keys, &p));
	assert_false(keys_ask(keys));
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *look_up(void *context)
{
	for (int i = 0; i < ROUNDS; i++)
		if (!knows(context, "one"))
			return context;
	return NULL;
}

static void many_threads_look_up_while_the_set_is_swapped(void **state)
{
	keys_auto *keys = NULL;
	pthread_t threads[THREADS];
	struct problem p = { 0 };
	void *wrong;

	(void)state;
	write_jwks(rsa, "one");
	assert_true(opened("", "jwks", &keys, &p));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up, keys), 0);
	for (int i = 0; i < 20; i++) {
		write_jwks(i % 2 ? rsa : rsa_other, "one");
		assert_true(keys_reload(keys, &p));
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(keys_generation(keys), 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_found_by_its_kid_with_its_algorithm),
		cmocka_unit_test(no_keys_at_all_is_a_set_too),
		cmocka_unit_test(each_fault_of_a_key_file_has_its_sentence),
		cmocka_unit_test(a_kid_of_128_characters_is_the_longest),
		cmocka_unit_test(a_rewritten_jwks_is_another_generation),
		cmocka_unit_test(the_same_kid_with_another_key_is_another_generation),
		cmocka_unit_test(reading_the_same_keys_again_forgets_nothing),
		cmocka_unit_test(a_reload_that_fails_keeps_the_old_set),
		cmocka_unit_test(a_kid_that_files_and_jwks_both_have_is_a_failure),
		cmocka_unit_test(an_unknown_kid_has_the_jwks_read_again_but_not_at_once_again),
		cmocka_unit_test(a_jwks_that_breaks_later_keeps_its_keys),
		cmocka_unit_test(without_a_jwks_an_unknown_kid_asks_nobody),
		cmocka_unit_test(many_threads_look_up_while_the_set_is_swapped),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
