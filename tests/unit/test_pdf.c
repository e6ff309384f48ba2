/* PDFs by their bytes: what is one, what is something else, and what acts. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "rules/pdf.h"

#define HEAD_ "%PDF-1.4\n"
#define TAIL_ "xref\n0 1\n0000000000 65535 f \ntrailer <<>>\nstartxref\n9\n%%EOF"
#define ZIP_  "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const char *fault(const char *bytes, size_t size)
{
	const char *sentence = pdf_fault(bytes, size);

	return sentence ? sentence : "";
}

#define BYTES_(text) text, sizeof text - 1

static void what_is_a_pdf_is_told_by_its_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *sentence;
	} cases[] = {
		{ BYTES_(HEAD_ TAIL_), "" },
		{ BYTES_("%PDF-2.0\r" TAIL_ "\r\n"), "" },
		{ BYTES_("%PDF-1.7\n1 0 obj\n<</Type /XRef>>\nstartxref\n9\n%%EOF\n"), "" },
		{ BYTES_(""), "there are none" },
		{ BYTES_("\x7f"
		         "ELF\2\1\1" TAIL_),
		  "they do not begin as one" },
		{ BYTES_("MZ\x90\0" HEAD_ TAIL_), "they do not begin as one" },
		{ BYTES_("<html>" HEAD_ TAIL_), "they do not begin as one" },
		{ BYTES_("PK\3\4" HEAD_ TAIL_), "they do not begin as one" },
		{ BYTES_("\n" HEAD_ TAIL_), "they do not begin as one" },
		{ BYTES_("%PDF-9.9\n" TAIL_), "they do not begin as one" },
		{ BYTES_("%PDF-"), "they do not begin as one" },
		{ BYTES_(HEAD_ "<script>alert(1)</script>"), "they do not end as one" },
		{ BYTES_(HEAD_ "%%EOF"), "they do not end as one" },
		{ BYTES_(HEAD_ "xref startxref\n9999999\n%%EOF"), "they do not end as one" },
		{ BYTES_(HEAD_ "xref startxref\n99999999999999999999999999\n%%EOF"),
		  "they do not end as one" },
		{ BYTES_(HEAD_ "nothing here\nstartxref\n9\n%%EOF"), "they do not end as one" },
		{ BYTES_(HEAD_ TAIL_ ZIP_ "\0\0"), "they are an archive, too" },
		{ BYTES_(HEAD_ TAIL_ ZIP_ "\7\0comment"), "they are an archive, too" },
		{ BYTES_(HEAD_ TAIL_ ZIP_ "\1\0comment"), "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *said = fault(cases[i].bytes, cases[i].size);

		if (strcmp(said, cases[i].sentence) != 0)
			fprintf(stderr, "case %zu\n", i);
		assert_string_equal(said, cases[i].sentence);
	}
}

static void what_is_cut_short_is_no_pdf(void **state)
{
	static const char whole[] = HEAD_ TAIL_;

	(void)state;
	for (size_t size = 0; size < sizeof whole - 1; size++) {
		char *cut = test_malloc(size + 1); /* so that reading on is seen */

		memcpy(cut, whole, size);
		assert_non_null(pdf_fault(cut, size));
		test_free(cut);
	}
}

static void what_acts_is_named(void **state)
{
	static const struct {
		const char *bytes, *name;
	} cases[] = {
		{ "<< /S /JavaScript /JS (app.alert(1)) >>", "/JavaScript" },
		{ "<< /S /J#61vaScript >>", "/JavaScript" },
		{ "<< /S /#4Caunch >>", "/Launch" },
		{ "<< /Names << /EmbeddedFiles 7 0 R >> >>", "/EmbeddedFile" },
		{ "<< /Subtype/RichMedia >>", "/RichMedia" },
		{ "JavaScript, /Launc, /Emb#6", NULL },
		{ "/", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *name = pdf_active(cases[i].bytes, strlen(cases[i].bytes));

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_pdf_is_told_by_its_bytes),
		cmocka_unit_test(what_is_cut_short_is_no_pdf),
		cmocka_unit_test(what_acts_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
