#!/usr/bin/env python3
"""src/jsonschema against ajv and python-jsonschema on random pairs of schema and instance; every disagreement is explained.

Exit 1 when one is not, or when a way to ask our library contradicts another. --write puts the report into docs/.
"""
import argparse
import collections
import json
import pathlib
import sys

import causes
import peers
from grammar import Grammar
from instances import Maker
from judge import judge

ROOT = peers.ROOT
REPORT = ROOT / "docs" / "schema-differential.md"
AGREED = ("vvv", "iii")
TITLES = {"ours": "src/jsonschema", "ajv": "ajv", "python": "python-jsonschema"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--driver", type=pathlib.Path, default=ROOT / "build-release" / "schema_driver",
                        help="tests/fuzz/schema_driver.c, built (default: the release build's)")
    parser.add_argument("--first", type=int, default=1, help="seed of the first schema (default 1); each has the next seed")
    parser.add_argument("--schemas", type=int, default=6000, help="how many (default 6000)")
    parser.add_argument("--instances", type=int, default=5, help="of each schema, at most (default 5)")
    parser.add_argument("--write", action="store_true", help="write docs/schema-differential.md")
    return parser.parse_args()


class Run:
    """The counts of a run and what it found."""

    def __init__(self, options):
        self.options, self.peers = options, peers.Peers(options.driver)
        self.verdicts, self.keywords, self.focus = collections.Counter(), collections.Counter(), collections.Counter()
        self.findings, self.broken = [], []

    def ask(self, schema, instances):
        """In one question; one by one where ours refuses the line for one of them."""
        answers = self.peers.ask(schema, instances)
        if any(not isinstance(answer[0], bool) for answer in answers):
            answers = [self.peers.ask(schema, [instance])[0] for instance in instances]
        return answers

    def one(self, seed):
        grammar = Grammar(seed)
        schema = grammar.make()
        instances = Maker(grammar, schema).make(self.options.instances)
        self.keywords.update(causes.keywords(schema))
        self.focus[grammar.focus] += 1
        for instance, answers in zip(instances, self.ask(schema, instances)):
            signs = peers.signs(answers)
            self.verdicts[signs] += 1
            if signs in AGREED:
                continue
            finding = judge(self.peers, seed, schema, instance, answers)
            self.findings.append(finding)
            if not finding.causes:
                self.broken.append(finding)
                show(finding)

    def whole(self):
        last = self.options.first + self.options.schemas
        for seed in range(self.options.first, last):
            self.one(seed)
            if seed % 500 == 0:
                print(f"seed {seed}: {sum(self.verdicts.values())} pairs, {len(self.findings)} disagreements", file=sys.stderr,
                      flush=True)
        self.peers.close()
        return self


def text(value):
    return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def show(finding):
    print(f"NOT EXPLAINED seed {finding.seed}: {text(finding.schema)} <- {text(finding.instance)}")
    for name, answer in zip(peers.NAMES, finding.answers):
        print(f"    {name}: {answer}")
    sys.stdout.flush()


def word(answer):
    return "valid" if answer is True else "invalid" if answer is False else "no verdict"


def by_cause(findings):
    """(validator, cause's name) -> its findings, the smallest first."""
    found = collections.defaultdict(list)
    for finding in findings:
        for cause in finding.causes:
            found[cause.peer, cause.name].append(finding)
    return {key: sorted(those, key=lambda f: (len(f.causes), f.size)) for key, those in found.items()}


def section(key, findings):
    """One cause: why, how often, how it is proved, the smallest example."""
    cause = next(c for c in [causes.TOO_BIG, *causes.CAUSES] if (c.peer, c.name) == key)
    least = findings[0]
    proof = {True: "Each was written anew without the cause, in a way that means the same, and the verdicts agreed.",
             False: "In each the third validator is on our side."}[cause.rewrite is not None]
    if cause.peer == "ours":
        proof = "The pair is refused before any schema is looked at."
    answers = ", ".join(f"{TITLES[name]} {word(answer)}" for name, answer in zip(peers.NAMES, least.answers))
    return [f"### {TITLES[cause.peer]}: {cause.name} ({len(findings)})", "", cause.why, "", proof, "",
            "```", "schema    " + text(least.schema), "instance  " + text(least.instance), "```", "", answers + ".", ""]


def report(run):
    total = sum(run.verdicts.values())
    valid = sum(count for signs, count in run.verdicts.items() if signs[0] == "v")
    versions = peers.schema_peers.versions()
    options = run.options
    lines = [
        "# src/jsonschema against ajv and python-jsonschema", "",
        "Made by `tests/fuzz/differential/run.py --write`; the next run of it replaces this file.", "",
        f"{total:,} pairs of schema and instance: {options.schemas:,} random schemas (seeds {options.first} to "
        f"{options.first + options.schemas - 1}), up to {options.instances} different instances of each; {valid * 100 / total:.0f}% of the "
        "pairs are valid. "
        f"ajv {versions['ajv']} (Ajv2020, strict off) on Node.js {versions['node']}; python-jsonschema {versions['python-jsonschema']} on "
        f"Python {versions['python']}. Formats annotate. Ours is asked in three ways for each pair (first fault, all faults, `basic` "
        "output), which must agree.", "",
        f"**{total - len(run.findings):,} pairs agree, {len(run.findings):,} do not. "
        + (f"{len(run.broken)} are not explained.**" if run.broken else "Each of these is explained below; in none is src/jsonschema wrong.**"),
        "",
        "A pair on which the three differ is made as small as it goes while all three keep their answers; then a known cause is tried on "
        "it (`causes.py`): the pair is written in another way that means the same by the specification and avoids the cause, and the "
        "validator must come to our verdict. Where nothing means the same, the third validator must be with us. What is left stops the run.",
        "", "| ours, ajv, python-jsonschema | pairs |", "|---|---|"]
    names = {"v": "valid", "i": "invalid", "e": "no verdict"}
    lines += [f"| {', '.join(names[sign] for sign in signs)} | {count:,} |" for signs, count in run.verdicts.most_common()]
    lines += ["", "Schemas by what they have more of: " + ", ".join(f"{name} {count:,}" for name, count in run.focus.most_common()) + ".",
              "", "Schemas with each keyword: " + ", ".join(f"{name} {count:,}" for name, count in run.keywords.most_common()
                                                             if name in MEANT) + ".", "", "## The disagreements", ""]
    for key, findings in sorted(by_cause(run.findings).items(), key=lambda item: -len(item[1])):
        lines += section(key, findings)
    return "\n".join(lines)


MEANT = """$id $schema $ref $anchor $dynamicRef $dynamicAnchor $defs $comment type const enum multipleOf minimum maximum exclusiveMinimum
exclusiveMaximum minLength maxLength pattern format contentEncoding prefixItems items contains minContains maxContains minItems
maxItems uniqueItems properties patternProperties additionalProperties propertyNames required minProperties maxProperties
dependentRequired dependentSchemas allOf anyOf oneOf not if then else unevaluatedItems unevaluatedProperties title description
default x-unknown""".split()


def main():
    run = Run(arguments()).whole()
    written = report(run)
    if run.options.write:
        REPORT.write_text(written, encoding="utf-8")
    print(written if not run.options.write else f"{REPORT.relative_to(ROOT)} is written")
    sys.exit(1 if run.broken or len(run.findings) == sum(run.verdicts.values()) else 0)


if __name__ == "__main__":
    main()
