"""steady: mixed load at 70% of what was measured just before. No error, memory that does not grow, a p99 that stays."""
from ground import DATABASE
from mixed import bad, capacity, middle, mixed
from stage import Watch, slope, stage

TITLE = "An hour of mixed load at 70% of capacity"
MINUTES, SHORT = 60, 0.25
SHARE = 0.7
WARM_SECONDS = 300      # memory may grow for so long: caches, prepared statements, a heap for each thread
LONG_MINUTES = 10       # below it the service only warms up, and the bounds are for a leak that is plain
GROWTH_MIB = 2.0        # of the line through the samples, over all the time after that
SHORT_GROWTH_MIB = 12.0
FLAT, FLAT_MS = 1.5, 2.0  # the last quarter's p99 against the first's


def play(told, options):
    long = options.minutes >= LONG_MINUTES
    with stage(options) as here:
        here.configure(dict.fromkeys(DATABASE))  # with its checkpoints: an hour has them
        most = capacity(here, 5 if long else 2, 5 if long else 2)
        told.figure("capacity, as fast as 32 connections go", f"{most:,.0f} requests/s")
        seconds = options.minutes * 60
        watch = Watch(here)
        found = mixed(here, SHARE * most, seconds, window=10.0 if long else 2.0)
        samples = watch.stop()
    judge(told, found, samples, WARM_SECONDS if long else seconds / 3, long)


def judge(told, found, samples, warm, long):
    told.figure("requests", f"{found['count']:,}, {found['count'] / found['seconds']:,.0f}/s")
    wrong = bad(found)
    told.promise("no error", wrong or f"0 of {found['count']:,}", not wrong and not found["unanswered"])
    if long:
        told.promise("the rate is held", f"{found['unsent']:,} requests were still waiting to be sent at the end", found["unsent"] < 100)
    else:
        told.figure("requests that waited to be sent at the end", f"{found['unsent']:,}")
    after = [(t, kib / 1024) for t, kib in samples if t >= warm] or [(t, kib / 1024) for t, kib in samples]
    grown, most = slope(after), GROWTH_MIB if long else SHORT_GROWTH_MIB
    told.promise(f"memory grows by less than {most:.0f} MiB after the first {warm:.0f} s",
                 f"{grown:+.1f} MiB in {after[-1][0] - after[0][0]:.0f} s ({after[0][1]:.1f} -> {after[-1][1]:.1f} MiB)", grown < most)
    windows = found["windows"][len(found["windows"]) // 10:]
    quarter = max(1, len(windows) // 4)
    first, last = middle(windows[:quarter], 2), middle(windows[-quarter:], 2)
    flat = last <= FLAT * first + FLAT_MS
    text = f"{first:.1f} -> {last:.1f} ms (medians of the first and last quarter's windows)"
    if long:
        told.promise(f"p99 stays within {FLAT} times + {FLAT_MS:.0f} ms", text, flat)
    else:
        told.goal("p99 stays", f"{FLAT} times + {FLAT_MS:.0f} ms", text, flat)
    told.figure("p99 by quarter", ", ".join(f"{middle(windows[i * quarter:(i + 1) * quarter], 2):.1f}" for i in range(4)) + " ms")
    told.figure("worst", f"{max(w[3] for w in found['windows']):.0f} ms")
    told.figure("p50 and p99 by kind, ms", ", ".join(f"{kind} {p50:.1f}, {p99:.1f}" for kind, (p50, p99) in found["by_kind"].items()))
