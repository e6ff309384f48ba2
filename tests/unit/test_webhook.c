/* Where messages may go, what they are signed with, when they come again. */
#include "unit.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/problem.h"
#include "webhook/address.h"
#include "webhook/backoff.h"
#include "webhook/signature.h"
#include "webhook/url.h"

/* clang-format off */
static const char *const open_addresses[] = {
	"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
	"172.15.255.255", "172.32.0.0", "192.169.0.1", "223.255.255.255", "2606:4700::1",
	"2a00:1450::1", "2001:4860:4860::8888",
};
static const char *const shut_addresses[] = {
	"0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
	"127.0.0.1", "127.255.0.9", "169.254.169.254", "172.16.0.1", "172.31.255.255",
	"192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
	"198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::8.8.8.8",
	"fc00::1", "fd12::1", "fe80::1", "ff02::1", "2001:db8::1",
	"2001::1", "2002:7f00:1::1", "3fff:0fff::1", "100::1", "4000::1",
	"localhost", "1.2.3", "",
};
/* clang-format on */

static void only_the_public_internet_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(open_addresses); i++)
		assert_true(address_text_public(open_addresses[i]));
	for (size_t i = 0; i < COUNT_OF(shut_addresses); i++)
		assert_false(address_text_public(shut_addresses[i]));
}

static bool allowed(const char *url, bool allow_private, const char *words)
{
	problem_auto p = { 0 };
	bool good = webhook_url_allowed(url, allow_private, &p);

	if (good)
		return true;
	assert_int_equal(p.code, PROBLEM_VALIDATION_FAILED);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(p.members, "errors"), 0), "pointer")),
		"/url");
	if (words)
		assert_string_equal(json_string_value(json_object_get(
					    json_array_get(json_object_get(p.members, "errors"), 0),
					    "message")),
		                    words);
	return false;
}

static void a_url_is_https_and_names_a_public_host(void **state)
{
	static const char *const good[] = { "https://hooks.example.org/a?b=c",
		                            "https://hooks.example.org:8443/", "https://1.1.1.1/",
		                            "https://[2606:4700::1]/x" };
	static const struct {
		const char *url, *words;
	} bad[] = {
		{ "http://hooks.example.org/", "must be an https URL" },
		{ "ftp://hooks.example.org/", "must be an https URL" },
		{ "file:///etc/passwd", "must be an https URL" },
		{ "hooks.example.org", NULL },
		{ "https://", "must be an https URL" },
		{ "https://me:secret@hooks.example.org/", "must not have a user in it" },
		{ "https://hooks.example.org/#top", "must not have a fragment" },
		{ "https://localhost/", "must name a host of the public internet" },
		{ "https://LOCALHOST./", "must name a host of the public internet" },
		{ "https://db.internal/", "must name a host of the public internet" },
		{ "https://printer.local/", "must name a host of the public internet" },
		{ "https://intranet/", "must name a host of the public internet" },
		{ "https://127.0.0.1/", "must name a host of the public internet" },
		{ "https://0x7f.1/", "must name a host of the public internet" },
		{ "https://2130706433/", "must name a host of the public internet" },
		{ "https://[::1]/", "must name a host of the public internet" },
		{ "https://[::ffff:10.0.0.1]/", "must name a host of the public internet" },
		{ "https://169.254.169.254/latest", "must name a host of the public internet" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(allowed(good[i], false, NULL));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(allowed(bad[i].url, false, bad[i].words));
	assert_true(allowed("http://127.0.0.1:8080/", true, NULL));
	assert_false(allowed("ftp://127.0.0.1/", true, "must be an https URL"));
}

/* The example of the libraries that Standard Webhooks publishes. */
static void signatures_are_those_of_standard_webhooks(void **state)
{
	const struct secrets one = { "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0", NULL };
	const struct secrets two = { one.current, one.current };
	buf_auto text = { .limit = 256 };
	buf_auto both = { .limit = 256 };

	(void)state;
	assert_true(signature_write(one, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	                            "{\"test\": 2432232314}", &text));
	assert_string_equal(buf_text(&text), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_true(signature_write(two, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
	                            "{\"test\": 2432232314}", &both));
	assert_string_equal(buf_text(&both), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
	                                     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void a_secret_that_is_none_signs_nothing(void **state)
{
	static const char *const secrets[] = { "", "abc", "zz", "AB" };
	buf_auto text = { .limit = 256 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		assert_false(signature_write((struct secrets){ secrets[i], NULL }, "a", "1", "{}",
		                             &text));
}

static void pauses_grow_to_four_hours_and_differ_by_chance(void **state)
{
	static const int64_t middle[] = { 5000,    15000,   45000,    135000,   405000,
		                          1215000, 3645000, 10935000, 14400000, 14400000 };

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(middle); i++) {
		uint32_t span = (uint32_t)middle[i] + 1;

		assert_int_equal(backoff_ms(i + 1, 5000, 0), middle[i] / 2);
		assert_int_equal(backoff_ms(i + 1, 5000, span - 1), middle[i] / 2 + middle[i]);
		assert_int_equal(backoff_ms(i + 1, 5000, span), middle[i] / 2);
	}
	assert_int_equal(backoff_ms(1000000, 5000, 0), BACKOFF_MOST_MS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_public_internet_is_told),
		cmocka_unit_test(a_url_is_https_and_names_a_public_host),
		cmocka_unit_test(signatures_are_those_of_standard_webhooks),
		cmocka_unit_test(a_secret_that_is_none_signs_nothing),
		cmocka_unit_test(pauses_grow_to_four_hours_and_differ_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
