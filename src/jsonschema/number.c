/* Comparing and dividing integers and reals without losing a digit. */
#include "jsonschema/number.h"

#include <math.h>

/* All integers up to here are exact as reals. */
static const double two_53 = 9007199254740992.0;
/* 2^63, the first real that no int64_t reaches. */
static const double two_63 = 9223372036854775808.0;
/* Powers of ten up to here are exact in a double, so that dividing by them rounds once. */
enum { PLACES_LIMIT = 18 };

static double power_of_ten(int places)
{
	double power = 1;
	while (places-- > 0)
		power *= 10;
	return power;
}

bool js_number_is_integer(double value) { return value == trunc(value) && isfinite(value); }

static bool fits_integer(double value)
{
	return value >= -two_63 && value < two_63 && value == trunc(value);
}

/*
 * Finds the shortest decimal that a real is the nearest double of: 0.01 gives 1 / 10^2. The
 * division rounds correctly (both sides are exact), so equality proves it.
 */
static void find_decimal(struct number *number)
{
	number->places = -1;
	for (int places = 0; places <= PLACES_LIMIT; places++) {
		double power = power_of_ten(places);
		double scaled = nearbyint(number->real * power);
		if (!(fabs(scaled) < two_53))
			return;
		if (scaled != 0 && scaled / power == number->real) {
			number->digits = (int64_t)scaled;
			number->places = places;
			return;
		}
	}
}

struct number js_number_of(const json_t *value)
{
	struct number number = { 0 };
	if (json_is_integer(value)) {
		number.whole = true;
		number.integer = json_integer_value(value);
		number.real = (double)number.integer;
		number.digits = number.integer;
		return number;
	}
	number.real = json_real_value(value);
	if (fits_integer(number.real)) {
		number.whole = true;
		number.integer = (int64_t)number.real;
		number.digits = number.integer;
		return number;
	}
	find_decimal(&number);
	return number;
}

static int compare_integers(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_reals(double a, double b) { return (a > b) - (a < b); }

/* The real's whole part is compared first, exactly; its fraction decides between equals. */
static int compare_mixed(int64_t a, double b)
{
	if (b >= two_63)
		return -1;
	if (b < -two_63)
		return 1;
	double whole = trunc(b);
	int order = compare_integers(a, (int64_t)whole);
	return order ? order : compare_reals(whole, b);
}

int js_number_compare(const json_t *value, const struct number *other)
{
	if (json_is_integer(value)) {
		int64_t integer = json_integer_value(value);
		return other->whole ? compare_integers(integer, other->integer)
		                    : compare_mixed(integer, other->real);
	}
	double real = json_real_value(value);
	if (!other->whole)
		return compare_reals(real, other->real);
	/* An integer that a real cannot hold is rounded, but stays on its side of this one. */
	if (fabs(real) < two_53)
		return compare_reals(real, (double)other->integer);
	return -compare_mixed(other->integer, real);
}

static int64_t remainder_scaled(int64_t integer, const struct number *divisor)
{
	int64_t power = (int64_t)power_of_ten(divisor->places);
	return (int64_t)(__extension__(__int128)(integer % divisor->digits) * power %
	                 divisor->digits);
}

/* A real with as many decimal places as the divisor, or it is no multiple. */
static bool real_multiple(double real, const struct number *divisor)
{
	double power = power_of_ten(divisor->places);
	double scaled = nearbyint(real * power);
	if (fabs(scaled) < two_53)
		return scaled / power == real && (int64_t)scaled % divisor->digits == 0;
	if (!js_number_is_integer(real))
		return fmod(real, divisor->real) == 0;
	double rest = fmod(real, (double)divisor->digits); /* exact */
	if (fabs((double)divisor->digits) >= two_53)
		return rest == 0;
	return remainder_scaled((int64_t)rest, divisor) == 0;
}

bool js_number_multiple(const json_t *value, const struct number *divisor)
{
	if (divisor->places < 0) {
		double real = json_number_value(value);
		double quotient = real / divisor->real;
		if (!isfinite(quotient))
			return fmod(real, divisor->real) == 0;
		return js_number_is_integer(quotient) ||
		       nearbyint(quotient) * divisor->real == real;
	}
	if (json_is_integer(value))
		return remainder_scaled(json_integer_value(value), divisor) == 0;
	double real = json_real_value(value);
	if (fits_integer(real))
		return remainder_scaled((int64_t)real, divisor) == 0;
	return real_multiple(real, divisor);
}
