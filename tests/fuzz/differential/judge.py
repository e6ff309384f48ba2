"""Takes a disagreement, makes it small, and finds the cause for each validator that differs from ours."""
import dataclasses
import itertools

from causes import CAUSES, TOO_BIG
from peers import NAMES, signs
from shrink import shrink, size


@dataclasses.dataclass
class Finding:
    """One pair on which the three differ. `causes` is empty when there is something that nobody has explained."""
    seed: int
    schema: object
    instance: object
    answers: tuple
    causes: list

    @property
    def signs(self):
        return signs(self.answers)

    @property
    def size(self):
        return size(self.schema) + size(self.instance)


def kind(answers):
    """What must stay the same while a pair shrinks: the verdicts, and of errors their kind."""
    return tuple(answer if isinstance(answer, bool) else answer.split(":")[1] for answer in answers)


def rewritten(peers, causes, finding):
    """Whether the causes' rewritings bring their validator to our verdict, and leave ours as it was."""
    pair = finding.schema, finding.instance
    for cause in causes:
        pair = cause.rewrite(*pair)
    answers = peers.ask(*as_question(pair))[0]
    return answers[0] == finding.answers[0] and answers[NAMES.index(causes[0].peer)] == answers[0]


def proved(peers, name, tried, finding):
    """One cause of this validator that is proved by its rewriting, or two that are together; else none."""
    usable = [cause for cause in tried if cause.peer == name and cause.rewrite]
    for count in (1, 2):
        for causes in itertools.combinations(usable, count):
            if rewritten(peers, causes, finding):
                return list(causes)
    return []


def as_question(pair):
    return pair[0], [pair[1]]


def find_causes(peers, finding):
    """The causes by validator; those that need a witness come after those that prove themselves."""
    ours = finding.answers[0]
    if not isinstance(ours, bool):
        return [TOO_BIG] if "too big integer" in ours and TOO_BIG.applies(finding.schema, finding.instance) else []
    tried = [c for c in CAUSES if c.applies(finding.schema, finding.instance)]
    differ = {name: proved(peers, name, tried, finding)
              for name, answer in zip(NAMES[1:], finding.answers[1:]) if answer != ours}
    witness = len(differ) == 1 or any(differ.values())
    for cause in (c for c in tried if not c.rewrite and witness and c.peer in differ):
        differ[cause.peer] = differ[cause.peer] or [cause]
    return [cause for causes in differ.values() for cause in causes] if all(differ.values()) else []


def judge(peers, seed, schema, instance, answers):
    wanted = kind(answers)
    small = shrink(schema, instance, lambda s, i: kind(peers.ask(s, [i])[0]) == wanted)
    finding = Finding(seed, *small, peers.ask(*as_question(small))[0], [])
    finding.causes = find_causes(peers, finding)
    return finding
