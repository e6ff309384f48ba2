/* A valid instance costs no allocation; and a schema that runs out of memory says so and leaks
 * nothing. */
#include "jsonschema_unit.h"

#include <stdlib.h>

static size_t allocations;

#if defined(__SANITIZE_ADDRESS__)
#define COUNTED_BY_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTED_BY_ASAN 1
#endif
#endif

#ifdef COUNTED_BY_ASAN
/* Of sanitizer/allocator_interface.h, which gcc's packages lack. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void count_allocation(const volatile void *memory, size_t size)
{
	(void)memory;
	(void)size;
	allocations++;
}

static void ignore_free(const volatile void *memory) { (void)memory; }

static int start_counting(void **state)
{
	(void)state;
	return __sanitizer_install_malloc_and_free_hooks(count_allocation, ignore_free) > 0 ? 0
	                                                                                    : -1;
}
#else
/* glibc lets a program stand before its malloc, for every library in it. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocations++;
	return __libc_realloc(memory, size);
}

static int start_counting(void **state)
{
	(void)state;
	return 0;
}
#endif

static void allocations_are_counted(void **state)
{
	size_t before = allocations;
	(void)state;
	json_decref(json_string("a"));
	assert_true(allocations > before);
}

/* One that uses every keyword, each format and both kinds of pattern. */
static const char schema_text[] =
	"{\"type\": \"object\", \"required\": [\"id\", \"name\"], \"minProperties\": 1, "
	"\"maxProperties\": 40,"
	"\"properties\": {\"id\": {\"type\": \"string\", \"format\": \"uuid\"},"
	"\"name\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 40, \"pattern\": "
	"\"^\\\\S(.*\\\\S)?$\"},"
	"\"letters\": {\"pattern\": \"^(?=\\\\p{L})[\\\\p{L} '-]+$\"},"
	"\"kind\": {\"enum\": [\"adult\", \"young\", 1, null]}, \"fixed\": {\"const\": {\"a\": [1, "
	"2.0]}},"
	"\"age\": {\"type\": \"integer\", \"minimum\": 0, \"exclusiveMaximum\": 150, "
	"\"multipleOf\": 1},"
	"\"rate\": {\"type\": \"number\", \"multipleOf\": 0.01, \"maximum\": 100, "
	"\"exclusiveMinimum\": 0},"
	"\"tags\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"minItems\": 1, "
	"\"maxItems\": 500, "
	"\"uniqueItems\": true, \"contains\": {\"const\": \"t1\"}, \"maxContains\": 1},"
	"\"pair\": {\"prefixItems\": [true, {\"type\": \"null\"}], \"unevaluatedItems\": false},"
	"\"tree\": {\"$ref\": \"#/$defs/tree\"}, \"formats\": {\"$ref\": \"#/$defs/formats\"}},"
	"\"patternProperties\": {\"^x-\": true}, \"propertyNames\": {\"maxLength\": 20},"
	"\"dependentRequired\": {\"id\": [\"name\"]}, \"dependentSchemas\": {\"id\": "
	"{\"required\": [\"name\"]}},"
	"\"allOf\": [{\"minProperties\": 1}], \"anyOf\": [{\"required\": [\"none\"]}, "
	"{\"properties\": {\"extra\": true}}],"
	"\"oneOf\": [{\"required\": [\"none\"]}, {\"required\": [\"id\"]}], \"not\": "
	"{\"required\": [\"none\"]},"
	"\"if\": {\"required\": [\"none\"]}, \"then\": false, \"else\": true, "
	"\"unevaluatedProperties\": false,"
	"\"$defs\": {\"tree\": {\"$id\": \"tree\", \"$dynamicAnchor\": \"node\", \"properties\": "
	"{\"children\": {\"items\": "
	"{\"$dynamicRef\": \"#node\"}}}}, \"formats\": {\"properties\": {\"date\": {\"format\": "
	"\"date\"}, \"time\": "
	"{\"format\": \"time\"}, \"date-time\": {\"format\": \"date-time\"}, \"duration\": "
	"{\"format\": \"duration\"}, "
	"\"email\": {\"format\": \"email\"}, \"idn-email\": {\"format\": \"idn-email\"}, "
	"\"hostname\": {\"format\": "
	"\"hostname\"}, \"idn-hostname\": {\"format\": \"idn-hostname\"}, \"ipv4\": {\"format\": "
	"\"ipv4\"}, \"ipv6\": "
	"{\"format\": \"ipv6\"}, \"uri\": {\"format\": \"uri\"}, \"iri\": {\"format\": \"iri\"}, "
	"\"uri-template\": {\"format\": "
	"\"uri-template\"}, \"regex\": {\"format\": \"regex\"}, \"json-pointer\": {\"format\": "
	"\"json-pointer\"}, \"nhs\": "
	"{\"format\": \"nhs-number\"}, \"postcode\": {\"format\": \"postcode\"}, \"gss\": "
	"{\"format\": \"gss-code\"}, "
	"\"language\": {\"format\": \"language\"}}, \"additionalProperties\": false}}}";

static const char instance_text[] =
	"{\"id\": \"019a98d2-cd00-7000-8000-000000000001\", \"name\": \"Nadia Rahman\", "
	"\"letters\": \"Zo\\u00eb O'Neil\","
	"\"kind\": \"adult\", \"fixed\": {\"a\": [1.0, 2]}, \"age\": 57, \"rate\": 19.99, "
	"\"pair\": [1, null], \"x-a\": 1, "
	"\"extra\": 1, \"tree\": {\"children\": [{\"children\": []}]}, \"formats\": {\"date\": "
	"\"2026-11-20\", \"time\": "
	"\"10:00:00Z\", \"date-time\": \"2026-11-20T10:00:00Z\", \"duration\": \"P1D\", \"email\": "
	"\"a@example.org\", "
	"\"idn-email\": \"a@example.org\", \"hostname\": \"example.org\", \"idn-hostname\": "
	"\"example.org\", \"ipv4\": "
	"\"127.0.0.1\", \"ipv6\": \"::1\", \"uri\": \"https://example.org/\", \"iri\": "
	"\"https://example.org/\\u00e9\", "
	"\"uri-template\": \"/a{?b}\", \"regex\": \"^(?<a>b)\\\\k<a>$\", \"json-pointer\": \"/a\", "
	"\"nhs\": \"9434765919\", "
	"\"postcode\": \"N1 2UD\", \"gss\": \"E09000011\", \"language\": \"en-GB\"}}";

static void a_valid_instance_costs_no_allocation(void **state)
{
	jsonschema_auto *schema = js_compiled(schema_text);
	json_auto_t *instance = js_parse(instance_text);
	json_t *tags = json_array();
	char tag[16];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		json_array_append_new(tags, json_string(tag));
	}
	json_object_set_new(instance, "tags", tags);
	assert_string_equal(js_faults_of(schema_text, instance_text), "");
	size_t before = allocations;
	bool valid = jsonschema_validate(schema, instance, js_add_line, NULL);
	size_t after = allocations;
	assert_true(valid);
	assert_int_equal(after - before, 0);
}

static size_t left; /* how many allocations still succeed */

static void *scarce_malloc(size_t size)
{
	if (!left)
		return NULL;
	left--;
	return malloc(size);
}

/* jansson's own memory is the part that a test can take away; what is left of the rest, ASan
 * watches. */
static void a_compilation_without_memory_fails_cleanly(void **state)
{
	json_auto_t *document = js_parse(schema_text);
	struct jsonschema_error error;
	bool compiled = false;

	(void)state;
	for (size_t limit = 0; !compiled && limit < 5000; limit++) {
		jsonschema_registry_auto *registry = jsonschema_registry_new();
		assert_non_null(registry);
		json_set_alloc_funcs(scarce_malloc, free);
		left = limit;
		jsonschema_auto *schema = NULL;
		if (jsonschema_registry_add(registry, "https://test.example/s", document, &error))
			schema = jsonschema_compile(registry, "https://test.example/s", NULL,
			                            &error);
		json_set_alloc_funcs(malloc, free);
		compiled = schema != NULL;
	}
	assert_true(compiled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_counted),
		cmocka_unit_test(a_valid_instance_costs_no_allocation),
		cmocka_unit_test(a_compilation_without_memory_fails_cleanly),
	};
	return cmocka_run_group_tests(tests, start_counting, NULL);
}
