/* Patterns: ECMA-262's grammar, and that the tables and PCRE2 answer alike. */
#include "jsonschema_unit.h"

#include "jsonschema/regex_private.h"

static const char *const wrong[] = { "(",
	                             ")",
	                             "[",
	                             "a**",
	                             "+",
	                             "{",
	                             "a{2,1}",
	                             "}",
	                             "]",
	                             "\\",
	                             "\\a",
	                             "\\Z",
	                             "\\A",
	                             "\\-",
	                             "\\_",
	                             "\\1",
	                             "(a)\\2",
	                             "\\k<a>",
	                             "(?<a>)(?<a>)",
	                             "(?<1>a)",
	                             "(?i)a",
	                             "(?P<a>b)",
	                             "(?#c)",
	                             "(?>a)",
	                             "(?=a)*",
	                             "\\b+",
	                             "^*",
	                             "[b-a]",
	                             "[\\d-a]",
	                             "\\p{Nope}",
	                             "\\p",
	                             "\\pL",
	                             "\\p{gc=Q}",
	                             "\\x1",
	                             "\\u12",
	                             "\\u{110000}",
	                             "\\c1",
	                             "\\01",
	                             "a{,3}",
	                             "[\\B]",
	                             "(?<n>a)\\k",
	                             "[a-\\d]" };

static void what_javascript_refuses_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (js_regex_valid(wrong[i], strlen(wrong[i])))
			fail_msg("%s must be refused", wrong[i]);
	}
}

static void what_javascript_takes_is_taken(void **state)
{
	static const char *const right[] = { "",
		                             "a|",
		                             "()",
		                             "(?:)",
		                             "[]",
		                             "[^]",
		                             "[-a]",
		                             "[a-]",
		                             "[\\-]",
		                             "a{2}",
		                             "a{2,}?",
		                             "\\k<b>(?<b>x)",
		                             "(?<!a+)b",
		                             "\\/",
		                             "\\0",
		                             "\\cZ",
		                             "\\x41",
		                             "\\u0041",
		                             "\\ud83d\\ude00",
		                             "\\p{Lu}",
		                             "\\p{Script=Greek}",
		                             "\\P{ASCII}",
		                             "[\\p{L}\\d]",
		                             "(?<$_\xc3\xa4>a)",
		                             "[[a]" };
	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		if (!js_regex_valid(right[i], strlen(right[i])))
			fail_msg("%s must be taken", right[i]);
	}
}

static const char *const patterns[] = { "",
	                                "a",
	                                "^a",
	                                "a$",
	                                "^a$",
	                                "^$",
	                                "$^",
	                                "a|^b",
	                                "(a|b)*c",
	                                "^(a|b)*c$",
	                                "a{2}",
	                                "^a{2,4}$",
	                                "a{0}b",
	                                "^(a?b){3}$",
	                                "a*?b",
	                                "(^a|b$)",
	                                "^.$",
	                                "^[^]$",
	                                "[]",
	                                "^[^a]$",
	                                "^\\s+$",
	                                "\\S",
	                                "^\\w\\W$",
	                                "^\\d+\\D$",
	                                "^\\u{1f600}$",
	                                "[\\u{80}-\\u{7ff}]",
	                                "[\\u{800}-\\u{ffff}]",
	                                "[\\u{10000}-\\u{10ffff}]",
	                                "[^\\u{e9}]b",
	                                "[\\ud800-\\udfff]",
	                                "^.{2,3}$",
	                                "(a*)*b",
	                                "(a|aa)+$",
	                                "a(b|$)",
	                                "(^|b)a",
	                                "x*",
	                                "^(?:a|ab)(?:c|bcd)$",
	                                "[a-cx-z]",
	                                "^[\\s\\S]*$",
	                                "\\r\\n",
	                                "(?:^a)*b",
	                                "(?:a$)?b",
	                                "()",
	                                "a{3,}",
	                                "[^\\W\\d]" };
static const char *const texts[] = { "",
	                             "a",
	                             "b",
	                             "c",
	                             "aa",
	                             "ab",
	                             "ba",
	                             "bb",
	                             "abc",
	                             "aab",
	                             "aaa",
	                             "aaaa",
	                             "aaaaa",
	                             "abab",
	                             "bab",
	                             "b a",
	                             " ",
	                             "\t",
	                             "\n",
	                             "a\n",
	                             "\r\n",
	                             "1",
	                             "12a",
	                             "_-",
	                             "x",
	                             "z",
	                             "\xc2\x80",
	                             "\xdf\xbf",
	                             "\xc3\xa9",
	                             ("\xc3\xa9"
	                              "b"),
	                             "\xe0\xa0\x80",
	                             "\xef\xbf\xbf",
	                             "\xf0\x9f\x98\x80",
	                             "\xf4\x8f\xbf\xbf",
	                             "\xe2\x80\xa8",
	                             "\xef\xbb\xbf",
	                             "\xc2\xa0",
	                             "abcd",
	                             "\xed\x9f\xbf",
	                             "\xee\x80\x80" };

/* Each pattern can be run both ways; each text is asked of each. */
static void tables_and_pcre2_answer_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct arena arena = { 0 };
		const char *why;
		char what[100];
		const struct re *tree =
			js_regex_parse(&arena, patterns[i], strlen(patterns[i]), &why);
		assert_non_null(tree);
		struct dfa *dfa = js_dfa_new(&arena, tree);
		struct pcre *pcre = js_pcre_new(&arena, tree, what, sizeof(what));
		assert_non_null(dfa);
		assert_non_null(pcre);
		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
			unsigned long steps = 1000000;
			bool table = js_dfa_match(dfa, texts[k], strlen(texts[k]));
			if (js_pcre_match(pcre, texts[k], strlen(texts[k]), &steps) !=
			    (table ? REGEX_YES : REGEX_NO))
				fail_msg("%s on \"%s\": the table says %s", patterns[i], texts[k],
				         table ? "yes" : "no");
		}
		js_pcre_release(pcre);
		js_arena_release(&arena);
	}
}

static void what_needs_pcre2_is_left_to_it(void **state)
{
	static const struct {
		const char *pattern, *good, *bad;
	} cases[] = {
		{ "^(?=.*\\d)[a-z\\d]{3}$", "ab1", "abc" },
		{ "^(a+)b\\1$", "aabaa", "aaba" },
		{ "^(?<x>a)\\k<x>$", "aa", "a" },
		{ "\\bcare\\b", "take care!", "carer" },
		{ "(?<!un)paid", "paid", "unpaid" },
		{ "^\\p{Lu}\\p{Lowercase_Letter}+$", "\xc3\x89mile", "\xc3\xa9mile" },
		{ "^\\p{Script=Greek}+$", "\xce\xb1\xce\xb2", "ab" },
		{ "^[^\\p{Nd}]$", "a", "\xd9\xa1" },
		{ "^\\P{L}$", "1", "a" },
		{ "^(?:(a)|b)\\1$", "b",
		  "ab" }, /* a group that took no part remembers nothing, which matches */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char what[100];
		unsigned long steps = 1000000;
		struct regex *regex = js_regex_new(cases[i].pattern, strlen(cases[i].pattern), what,
		                                   sizeof(what));
		assert_non_null(regex);
		assert_int_equal(
			js_regex_match(regex, cases[i].good, strlen(cases[i].good), &steps),
			REGEX_YES);
		assert_int_equal(js_regex_match(regex, cases[i].bad, strlen(cases[i].bad), &steps),
		                 REGEX_NO);
		js_regex_release(regex);
	}
}

/* The steps are what is counted, not the time: the answer is the same on any machine. */
static void no_pattern_takes_more_than_its_steps(void **state)
{
	static const char *const hard[] = { "(?=.)(a+)+$", "^(\\p{L}+)*$", "(?=.)(a|aa|aaa)+$",
		                            "^(\\p{L}+\\s?)*$" };
	char text[2001];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '!';
	for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++) {
		char what[100];
		unsigned long steps = 100000;
		struct regex *regex = js_regex_new(hard[i], strlen(hard[i]), what, sizeof(what));
		assert_non_null(regex);
		assert_int_equal(js_regex_match(regex, text, sizeof(text), &steps), REGEX_TOO_HARD);
		js_regex_release(regex);
	}
}

static void a_match_that_is_deep_gets_the_stack_it_needs(void **state)
{
	jsonschema_auto *schema =
		js_compiled("{\"pattern\": \"^(?:\\\\p{L}|\\\\p{N}\\\\p{L})*$\"}");
	static char text[200001];
	json_auto_t *instance = NULL;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	instance = json_string(text);
	assert_true(jsonschema_validate(schema, instance, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_javascript_refuses_is_refused),
		cmocka_unit_test(what_javascript_takes_is_taken),
		cmocka_unit_test(tables_and_pcre2_answer_alike),
		cmocka_unit_test(what_needs_pcre2_is_left_to_it),
		cmocka_unit_test(no_pattern_takes_more_than_its_steps),
		cmocka_unit_test(a_match_that_is_deep_gets_the_stack_it_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
