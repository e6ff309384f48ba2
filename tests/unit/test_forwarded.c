/* X-Forwarded-For is believed from known proxies, and only its last address. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/forwarded.h"
#include "unit.h"

static struct proxies read_list(const char *list)
{
	struct proxies proxies;
	problem_auto p = { .code = PROBLEM_NONE };

	if (!proxies_read(list, &proxies, &p))
		fail_msg("%s", p.detail);
	return proxies;
}

static const char *client(const char *list, const char *peer, const char *forwarded)
{
	static char text[CLIENT_ADDRESS];
	const struct proxies proxies = read_list(list);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;

	memset(&from, 0, sizeof from);
	from.any.sa_family = strchr(peer, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(from.any.sa_family, peer,
	                           strchr(peer, ':') ? (void *)&from.v6.sin6_addr
	                                             : (void *)&from.v4.sin_addr),
	                 1);
	forwarded_client(&proxies, &from.any, forwarded, text);
	return text;
}

static void nobody_is_believed_unless_he_is_named(void **state)
{
	(void)state;
	assert_string_equal(client("", "127.0.0.1", "203.0.113.7"), "127.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.2", "203.0.113.7"), "10.0.0.2");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("192.0.2.1,10.0.0.1", "10.0.0.1", "203.0.113.7"), "203.0.113.7");
}

static void networks_of_ipv4_go_by_their_bits(void **state)
{
	(void)state;
	assert_string_equal(client("172.16.0.0/12", "172.31.9.9", "203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("172.16.0.0/12", "172.32.0.1", "203.0.113.7"), "172.32.0.1");
	assert_string_equal(client("0.0.0.0/0", "198.51.100.1", "203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("0.0.0.0/0", "2001:db8::1", "203.0.113.7"), "20010db800000000");
	assert_string_equal(client("10.1.2.3/31", "10.1.2.2", "203.0.113.7"), "203.0.113.7");
}

static void ipv6_goes_by_its_64_network(void **state)
{
	(void)state;
	assert_string_equal(client("::1", "::1", "2001:db8:1:2:3:4:5:6"), "20010db800010002");
	assert_string_equal(client("2001:db8::9", "2001:db8::1", "203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("2001:db8::9", "2001:db8:0:1::1", "203.0.113.7"),
	                    "20010db800000001");
}

static void only_the_last_address_is_the_proxys_word(void **state)
{
	(void)state;
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "1.1.1.1, 2.2.2.2,\t203.0.113.7 "),
	                    "203.0.113.7");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", NULL), "10.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", ""), "10.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "203.0.113.7,"), "10.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "203.0.113.7 x"), "10.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "unknown"), "10.0.0.1");
	assert_string_equal(client("10.0.0.1", "10.0.0.1", "203.0.113.7:4711"), "10.0.0.1");
}

static void a_list_that_is_none_is_refused_by_what_is_wrong(void **state)
{
	static const char *const wrong[] = { "proxy.example", "10.0.0.0/33",  "10.0.0.0/",
		                             "10.0.0.0/-1",   "::1/64",       "10.0.0.1,,",
		                             "10.0.0.1 ",     "10.0.0.0/0008" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct proxies proxies;
		problem_auto p = { .code = PROBLEM_NONE };

		if (proxies_read(wrong[i], &proxies, &p))
			fail_msg("%s was taken", wrong[i]);
		assert_non_null(strstr(p.detail, "CARERS_TRUSTED_PROXIES"));
	}
}

static void there_is_room_for_32(void **state)
{
	char list[33 * 9 + 1] = "";
	struct proxies proxies;
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	for (size_t i = 0; i < PROXIES_MAX; i++)
		memcpy(list + i * 9, "10.0.0.1,", 10);
	assert_int_equal(read_list(list).count, PROXIES_MAX);
	memcpy(list + 32 * 9, "10.0.0.1,", 10);
	assert_false(proxies_read(list, &proxies, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_believed_unless_he_is_named),
		cmocka_unit_test(networks_of_ipv4_go_by_their_bits),
		cmocka_unit_test(ipv6_goes_by_its_64_network),
		cmocka_unit_test(only_the_last_address_is_the_proxys_word),
		cmocka_unit_test(a_list_that_is_none_is_refused_by_what_is_wrong),
		cmocka_unit_test(there_is_room_for_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
