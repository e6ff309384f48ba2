/* SWEMWBS scored by the published table. */
#include "swemwbs.h"

const char *const swemwbs_items[SWEMWBS_ITEMS] = {
	"optimism",       "usefulness", "relaxation",    "problem_handling",
	"clear_thinking", "closeness",  "own_decisions",
};

/* Raw 7-35 to metric, in hundredths: Stewart-Brown et al. 2009, Health Qual Life Outcomes 7:15
 * (doi 10.1186/1477-7525-7-15), as the University of Warwick publishes it. */
static const unsigned short metric_of[SWEMWBS_RAW_MAX - SWEMWBS_RAW_MIN + 1] = {
	700,  951,  1125, 1240, 1333, 1408, 1475, 1532, 1584, 1636, 1688, 1743, 1798, 1859, 1925,
	1998, 2073, 2154, 2235, 2321, 2411, 2503, 2602, 2703, 2813, 2931, 3070, 3255, 3500,
};

/* Bands of the English norms: Ng Fat et al. 2017, Qual Life Res 26:1129
 * (doi 10.1007/s11136-016-1454-8). */
static const struct {
	unsigned raw_max;
	const char *name;
} bands[] = { { 21, "low" }, { 30, "average" }, { SWEMWBS_RAW_MAX, "high" } };

static const char *band_of(unsigned raw)
{
	for (unsigned i = 0;; i++)
		if (raw <= bands[i].raw_max)
			return bands[i].name;
}

unsigned swemwbs_metric(unsigned raw) { return metric_of[raw - SWEMWBS_RAW_MIN]; }

struct swemwbs swemwbs_score(const unsigned char answers[static SWEMWBS_ITEMS])
{
	struct swemwbs result = { 0 };
	unsigned sum = 0;

	for (unsigned i = 0; i < SWEMWBS_ITEMS; i++) {
		result.answered += answers[i] > 0;
		sum += answers[i];
	}
	result.complete = result.answered == SWEMWBS_ITEMS;
	if (!result.complete)
		return result;
	result.raw = sum;
	result.metric = swemwbs_metric(sum);
	result.band = band_of(sum);
	return result;
}
