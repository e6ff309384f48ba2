/* Counters and histograms of requests. */
#include "http/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

static const int64_t bounds_us[] = { 500,   1000,   2500,   5000,   10000,   25000,
	                             50000, 100000, 250000, 500000, 1000000, 2500000 };

struct series {
	_Atomic uint64_t by_class[6]; /* 1xx ... 5xx at 1 ... 5 */
	_Atomic uint64_t buckets[COUNT_OF(bounds_us) + 1];
	_Atomic uint64_t sum_us;
};

struct metrics {
	const struct contract *contract;
	size_t count; /* endpoints, each with its method and with QUERY; then what fits none */
	struct series series[];
};

struct metrics *metrics_new(const struct contract *contract)
{
	size_t count = 2 * contract_count(contract);
	struct metrics *metrics =
		calloc(1, sizeof *metrics + (count + 1) * sizeof metrics->series[0]);

	if (!metrics)
		return NULL;
	metrics->contract = contract;
	metrics->count = count;
	return metrics;
}

void metrics_free(struct metrics *metrics) { free(metrics); }

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void metrics_count(struct metrics *metrics, const struct endpoint *endpoint, bool query, int status,
                   int64_t duration_us)
{
	struct series *series =
		&metrics->series[endpoint ? 2 * endpoint->index + query : metrics->count];
	size_t bucket = 0;

	while (bucket < COUNT_OF(bounds_us) && duration_us > bounds_us[bucket])
		bucket++;
	add(&series->by_class[status / 100 % 6], 1);
	add(&series->buckets[bucket], 1);
	add(&series->sum_us, (uint64_t)duration_us);
}

enum { LABELS = 128 };

/* HEAD counts as the GET that it is. */
static const char *labels_of(const struct metrics *metrics, size_t i, char text[static LABELS])
{
	const struct endpoint *e =
		i < metrics->count ? contract_endpoint(metrics->contract, i / 2) : NULL;
	enum method method = e && i % 2 == 0 ? e->method : METHOD_QUERY;

	snprintf(text, LABELS, "operation=\"%s\",method=\"%s\"", e ? e->id : "none",
	         e ? method_name(method) : "none");
	return text;
}

static bool write_requests(const struct metrics *metrics, struct buf *text)
{
	char labels[LABELS];
	bool good = buf_add(text, "# HELP carers_requests_total Requests by operation, method and "
	                          "class of status.\n"
	                          "# TYPE carers_requests_total counter\n");

	for (size_t i = 0; i <= metrics->count; i++)
		for (unsigned class = 1; class < 6 && good; class ++) {
			uint64_t n = atomic_load(&metrics->series[i].by_class[class]);

			if (n > 0)
				good = buf_addf(text,
				                "carers_requests_total{%s,status=\"%uxx\"} %llu\n",
				                labels_of(metrics, i, labels), class,
				                (unsigned long long)n);
		}
	return good;
}

static bool write_histogram(const struct metrics *metrics, size_t i, struct buf *text)
{
	const struct series *series = &metrics->series[i];
	char labels[LABELS];
	unsigned long long sum = 0;
	bool good = true;

	for (size_t b = 0; b <= COUNT_OF(bounds_us); b++)
		sum += atomic_load(&series->buckets[b]);
	if (sum == 0)
		return true;
	labels_of(metrics, i, labels);
	sum = 0;
	for (size_t b = 0; b < COUNT_OF(bounds_us) && good; b++) {
		sum += atomic_load(&series->buckets[b]);
		good = buf_addf(text, "carers_request_seconds_bucket{%s,le=\"%g\"} %llu\n", labels,
		                (double)bounds_us[b] / 1e6, sum);
	}
	sum += atomic_load(&series->buckets[COUNT_OF(bounds_us)]);
	return good && buf_addf(text,
	                        "carers_request_seconds_bucket{%s,le=\"+Inf\"} %llu\n"
	                        "carers_request_seconds_sum{%s} %g\n"
	                        "carers_request_seconds_count{%s} %llu\n",
	                        labels, sum, labels, (double)atomic_load(&series->sum_us) / 1e6,
	                        labels, sum);
}

bool metrics_write(const struct metrics *metrics, struct buf *text)
{
	bool good = write_requests(metrics, text) &&
	            buf_add(text, "# HELP carers_request_seconds Time from the whole request to "
	                          "its response.\n"
	                          "# TYPE carers_request_seconds histogram\n");

	for (size_t i = 0; i <= metrics->count && good; i++)
		good = write_histogram(metrics, i, text);
	return good;
}
