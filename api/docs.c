/* The documentation, from the files that were packaged into the program. */
#include <stdio.h>
#include <string.h>

#include "call/call.h"
#include "call/pages.h"
#include "modules.h"

enum { NAME = 100 }; /* bytes: the contract bounds what comes from the path */

static bool answer(struct call *c, const char *folder, const char *name, const char *media)
{
	const struct service *s = c->service;
	char path[NAME];

	snprintf(path, sizeof path, "%s%s", folder, name);
	for (size_t i = 0; i < s->page_count; i++)
		if (strcmp(s->pages[i].name, path) == 0)
			return call_page_file(c, media, &s->pages[i]);
	return problem(&c->problem, PROBLEM_NOT_FOUND,
	               "nothing of the documentation has this name");
}

static bool get_docs(struct call *c) { return answer(c, "", "", "text/html; charset=utf-8"); }

static bool get_guide(struct call *c)
{
	return answer(c, "guides/", call_path(c, "guide"), "text/html; charset=utf-8");
}

static bool get_script(struct call *c)
{
	return answer(c, "scripts/", call_path(c, "script"), "text/javascript; charset=utf-8");
}

static bool get_style(struct call *c)
{
	return answer(c, "styles/", call_path(c, "style"), "text/css; charset=utf-8");
}

static const struct operation docs[] = {
	{ "getDocs", get_docs },
	{ "getDocsGuide", get_guide },
	{ "getDocsScript", get_script },
	{ "getDocsStyle", get_style },
};
MODULE(docs);
