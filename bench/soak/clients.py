"""Clients under a fault: writers who repeat until they are answered well, readers who take what comes, and the count of it all."""
import http.client
import itertools
import json
import threading
import time

from stage import ALG, LIMIT_SECONDS, SOON_SECONDS

WRITERS, READERS = 8, 4
HANGS = 30.0  # no answer by then is a hang
OFTEN = 0.25  # seconds before a writer repeats; less than Retry-After asks for, to try the service harder
_runs = itertools.count(1)


class Answer:
    """One answer, or none at all (status 0: the connection broke; -1: no answer within HANGS)."""

    def __init__(self, status, seconds, headers=None, body=b""):
        self.status, self.seconds, self.headers, self.body = status, seconds, headers or {}, body

    def is_problem(self, slug):
        return self.headers.get("Content-Type") == "application/problem+json" and json.loads(self.body)["type"].endswith(f"/problems/{slug}")

    def later(self):
        """Whether it is to be asked again: no answer, 503, or the first request with its key still runs, although its client was told 503."""
        return self.status in (503, 0, -1) or self.status == 409 and self.is_problem("idempotency-in-flight")

    def good_refusal(self):
        """Whether it is the problem that was promised, and says when to ask again."""
        return self.headers.get("Retry-After", "").isdigit() and (self.is_problem("unavailable") or self.status == 409)


class Client:
    """A connection that is made anew when it breaks."""

    def __init__(self, here, number, caller="council"):
        self.port, tokens = here.port, here.tokens(ALG, caller)
        self.token, self.connection = tokens[number % len(tokens)], None

    def ask(self, method, path, body=None, **headers):
        began = time.monotonic()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = f"application/{'merge-patch+' if method == 'PATCH' else ''}json"
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGS)
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            return Answer(answer.status, time.monotonic() - began, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as fault:
            self.connection.close()
            self.connection = None
            return Answer(-1 if isinstance(fault, TimeoutError) else 0, time.monotonic() - began)


class Crowd:
    """Writers and readers at once; `answers`: (when, kind, Answer) of all."""

    def __init__(self, here):
        self.here, self.mark = here, f"Fault{next(_runs)}x{time.time_ns() % 10**9}x"
        self.ended, self.answers, self.faults = threading.Event(), [], []
        self.given_up = float("inf")
        self.made, self.patched, self.noted = [], 0, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.guard, args=(work, number), daemon=True)
                        for work, count in ((self.write, WRITERS), (self.read, READERS)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.given_up = time.monotonic() + HANGS
        for thread in self.threads:
            thread.join(max(0.0, self.given_up + HANGS - time.monotonic()))

    def guard(self, work, number):
        try:
            work(Client(self.here, number), number)
        except Exception as fault:  # whatever it is, judge() tells of it
            self.faults.append(f"{type(fault).__name__}: {fault}")

    def note(self, kind, answer):
        self.answers.append((time.monotonic(), kind, answer))
        return answer

    # --- who writes

    def until(self, good, kind, *request, **headers):
        """Repeats the request until it is answered with one of `good`."""
        client, *rest = request
        while True:
            answer = self.note(kind, client.ask(*rest, **headers))
            if answer.status in good:
                return answer
            if time.monotonic() > self.given_up:
                raise AssertionError(f"{kind} is answered {answer.status} still, {HANGS:.0f} s after the last fault")
            if not answer.later():
                raise AssertionError(f"{kind} was answered {answer.status}: {answer.body[:300]!r}")
            time.sleep(OFTEN)

    def write(self, client, number):
        """Each writer in turn records a carer, patches her with If-Match, and records a contact; nothing is begun after the end."""
        for serial in itertools.count(1):
            if self.ended.is_set():
                return
            name = f"{self.mark}{number}x{serial}"
            made = self.until((201,), "create", client, "POST", "/v1/carers", {
                "council": "E09000019", "kind": "adult", "given_name": "Nadia", "family_name": name,
                "contact": {"phone": "+447700900123"}, "identification": {"source": "gp", "identified_on": "2025-02-16"}},
                Idempotency_Key=f"c-{name}")
            path = f"/v1/carers/{json.loads(made.body)['id']}"
            self.patch(client, path, made.headers["ETag"])
            self.until((201,), "contact", client, "POST", f"{path}/contacts",
                       {"channel": "phone", "direction": "outbound", "reason": "welfare_check", "outcome": "no_answer"},
                       Idempotency_Key=f"k-{name}")
            with self.lock:
                self.made.append(name)
                self.patched += 1
                self.noted += 1

    def patch(self, client, path, etag):
        """A patch has no key: when it is refused for its ETag after a failure, the record tells whether it was ours."""
        answer = self.until((200, 412), "patch", client, "PATCH", path, {"preferred_language": "cy"}, If_Match=etag)
        if answer.status == 412:
            record = json.loads(self.until((200,), "read back", client, "GET", path).body)
            assert record["preferred_language"] == "cy", f"{path} was refused for its ETag, and does not have our change"

    # --- who reads

    def read(self, client, number):
        number = 100_000_000_000 + 2 * number
        paths = itertools.cycle(["/v1/carers?limit=20", f"/v1/carers/0190a000-0000-7000-8000-{number}", "/v1/changes?limit=20&after=latest"])
        while not self.ended.is_set():
            answer = self.note("read", client.ask("GET", next(paths)))
            if answer.status not in (200, 503, 0, -1):
                raise AssertionError(f"a read was answered {answer.status}: {answer.body[:300]!r}")
            time.sleep(0.02 if answer.status == 200 else OFTEN)

    # --- what came of it

    def done(self, since=0.0, kinds=None):
        """How many were answered well since then."""
        return sum(1 for at, kind, a in list(self.answers) if at >= since and 200 <= a.status < 300 and (not kinds or kind in kinds))

    def await_good(self, since, kinds, seconds):
        """Seconds from `since` to the first good answer; None: none came."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for at, kind, answer in list(self.answers):
                if at - answer.seconds >= since and kind in kinds and 200 <= answer.status < 300:
                    return at - since
            time.sleep(0.02)
        return None


def on_record(here, mark):
    """Of what a crowd wrote: carers, distinct names, patches, contacts, and what the feed and the keys hold of it."""
    query = f"""SELECT count(*), count(DISTINCT c.family_name), coalesce(sum(c.version - 1), 0),
        (SELECT count(*) FROM contact k JOIN carer d ON d.id = k.carer_id WHERE d.family_name LIKE '{mark}%'),
        (SELECT count(*) FROM event e JOIN carer d ON d.id = e.carer_id WHERE d.family_name LIKE '{mark}%')
        FROM carer c WHERE c.family_name LIKE '{mark}%'"""
    return [int(cell) for cell in here.sql(query)[0]]


def judge(told, here, crowd, refusals_wanted=True):
    """The promises that hold whatever the fault was."""
    statuses = {}
    for _, kind, answer in crowd.answers:
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    told.figure("answers by status (0: connection broke)", ", ".join(f"{s}: {n:,}" for s, n in sorted(statuses.items())))
    told.promise("nothing is answered but what was asked for, 503, or 409 `idempotency-in-flight`", crowd.faults or "so it is", not crowd.faults)
    told.promise("no connection breaks, nothing hangs", f"{statuses.get(0, 0)} broken, {statuses.get(-1, 0)} without an answer in {HANGS:.0f} s",
                 not statuses.get(0) and not statuses.get(-1))
    refusals = [answer for _, _, answer in crowd.answers if answer.status > 0 and answer.later()]
    odd = sum(not answer.good_refusal() for answer in refusals)
    told.promise("503 is the problem `unavailable`, and it and 409 have Retry-After", f"{len(refusals) - odd:,} of {len(refusals):,}",
                 odd == 0 and (refusals or not refusals_wanted))
    worst = max((answer.seconds for _, _, answer in crowd.answers), default=0.0)
    told.promise(f"every answer comes within {LIMIT_SECONDS:.1f} s", f"the longest took {worst:.2f} s", worst <= LIMIT_SECONDS)
    refusals = [answer for answer in refusals if answer.status == 503]
    if refusals:
        ordered = sorted(answer.seconds for answer in refusals)
        told.goal("the slowest 503", f"{SOON_SECONDS:.0f} s", f"{ordered[-1]:.2f} s (p50 {ordered[len(ordered) // 2]:.2f} s)",
                  ordered[-1] <= SOON_SECONDS)
    carers, names, patches, contacts, events = on_record(here, crowd.mark)
    wanted = len(crowd.made)
    told.promise("no write is lost, none is done twice",
                 f"acknowledged {wanted} carers, {crowd.patched} patches, {crowd.noted} contacts; "
                 f"on record {carers} ({names} names), {patches}, {contacts}",
                 (carers, names, patches, contacts) == (wanted, wanted, crowd.patched, crowd.noted))
    told.promise("an event for each change", f"{events} for {carers + patches + contacts}", events == carers + patches + contacts)


def recovered(told, took, most=10.0):
    told.promise(f"the service recovers by itself within {most:.0f} s", "never" if took is None else f"after {took:.2f} s",
                 took is not None and took <= most)
