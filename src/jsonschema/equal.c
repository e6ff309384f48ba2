/* Deep equality and a hash that agrees with it. */
#include "jsonschema/equal.h"

#include <string.h>

#include "jsonschema/number.h"

static bool equal_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	struct number other = { 0 };
	const json_t *value = json_is_integer(a) ? b : a; /* a real */
	const json_t *rest = json_is_integer(a) ? a : b;
	other.whole = json_is_integer(rest);
	if (other.whole)
		other.integer = json_integer_value(rest);
	else
		other.real = json_real_value(rest);
	return js_number_compare(value, &other) == 0;
}

static bool equal_strings(const json_t *a, const json_t *b)
{
	size_t length = json_string_length(a);
	return length == json_string_length(b) &&
	       memcmp(json_string_value(a), json_string_value(b), length) == 0;
}

static bool equal_arrays(const json_t *a, const json_t *b, unsigned depth, bool *deep)
{
	size_t count = json_array_size(a);
	if (count != json_array_size(b))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!js_equal(json_array_get(a, i), json_array_get(b, i), depth, deep))
			return false;
	}
	return true;
}

static bool equal_objects(const json_t *a, const json_t *b, unsigned depth, bool *deep)
{
	const char *key;
	size_t length;
	json_t *value;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_keylen_foreach((json_t *)a, key, length, value)
	{
		const json_t *other = json_object_getn(b, key, length);
		if (!other || !js_equal(value, other, depth, deep))
			return false;
	}
	return true;
}

bool js_equal(const json_t *a, const json_t *b, unsigned depth, bool *deep)
{
	if (json_is_number(a) && json_is_number(b))
		return equal_numbers(a, b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (depth == 0) {
		*deep = true;
		return false;
	}
	switch (json_typeof(a)) {
	case JSON_STRING:
		return equal_strings(a, b);
	case JSON_ARRAY:
		return equal_arrays(a, b, depth - 1, deep);
	case JSON_OBJECT:
		return equal_objects(a, b, depth - 1, deep);
	default:
		return true;
	}
}

/* Both halves of a full product: each input bit reaches each output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = a;
	product *= b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const char *bytes, size_t length, uint64_t seed)
{
	uint64_t hash = seed ^ length * UINT64_C(0xa0761d6478bd642f);
	for (; length >= 8; bytes += 8, length -= 8) {
		uint64_t word;
		memcpy(&word, bytes, 8);
		hash = mix(hash ^ word, seed | UINT64_C(0x8000000000000001));
	}
	uint64_t last = 0;
	if (length)
		memcpy(&last, bytes, length);
	return mix(hash ^ last, UINT64_C(0xe7037ed1a0b428db) ^ seed);
}

static uint64_t hash_number(const json_t *value, uint64_t seed)
{
	struct number number = js_number_of(value);
	if (number.whole)
		return hash_bytes((const char *)&number.integer, sizeof(number.integer), seed);
	return hash_bytes((const char *)&number.real, sizeof(number.real), seed);
}

static uint64_t hash_array(const json_t *array, uint64_t seed, unsigned depth)
{
	uint64_t hash = mix(seed ^ json_array_size(array), UINT64_C(0x589965cc75374cc3));
	for (size_t i = 0; i < json_array_size(array); i++)
		hash = mix(hash ^ js_hash(json_array_get(array, i), seed, depth), seed | 1);
	return hash;
}

/* A sum, so that the order of the members does not count. */
static uint64_t hash_object(const json_t *object, uint64_t seed, unsigned depth)
{
	uint64_t hash = mix(seed ^ json_object_size(object), UINT64_C(0x1d8e4e27c47d124f));
	const char *key;
	size_t length;
	json_t *value;

	json_object_keylen_foreach((json_t *)object, key, length, value) hash +=
		mix(hash_bytes(key, length, seed) ^ js_hash(value, ~seed, depth), seed | 1);
	return hash;
}

uint64_t js_hash(const json_t *value, uint64_t seed, unsigned depth)
{
	if (depth == 0)
		return seed;
	switch (json_typeof(value)) {
	case JSON_STRING:
		return hash_bytes(json_string_value(value), json_string_length(value), seed);
	case JSON_INTEGER:
	case JSON_REAL:
		return hash_number(value, seed ^ 1);
	case JSON_ARRAY:
		return hash_array(value, seed, depth - 1);
	case JSON_OBJECT:
		return hash_object(value, seed, depth - 1);
	default:
		return mix(seed, (uint64_t)json_typeof(value) + 2);
	}
}
