/* Counters and histograms of requests, in Prometheus' text format. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "contract/document.h"

struct buf;
struct metrics;

/* NULL when memory runs out. The contract is borrowed. */
struct metrics *metrics_new(const struct contract *contract);
void metrics_free(struct metrics *metrics);
/* endpoint NULL: the request fitted none. `query`: it came by QUERY, which counts apart from the
 * endpoint's own method. */
void metrics_count(struct metrics *metrics, const struct endpoint *endpoint, bool query, int status,
                   int64_t duration_us);
must_check bool metrics_write(const struct metrics *metrics, struct buf *text);
