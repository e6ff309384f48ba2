#!/usr/bin/env python3
"""openapi.yaml and the families beside it -> one document, as JSON and as YAML.

    bundle.py [--depfile FILE] ROOT OUT.json OUT.yaml

References between files become references inside the document; the components of every file that is reached are gathered
under `components`; schemas without an example get one of the bodies that have them (tools/illustrate.py). The same input gives the same bytes. Stops, naming the place, at a reference that leads nowhere, a key
given twice, a component that two files define, a path that no file reaches, and anything that is not JSON.
"""
import argparse
import json
import pathlib
import re
import sys

import shared
import yaml
from illustrate import illustrate


class Stop(Exception):
    """What is wrong with the contract, in one sentence."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML 1.2's view of plain words: only true and false are booleans, dates stay text; keys are there once."""

    def construct_mapping(self, node, deep=False):
        own = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for key in own:
            if own.count(key) > 1:
                raise Stop(f"{node.start_mark.name}:{node.start_mark.line + 1}: `{key}` is given twice")
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers
           if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


class Dumper(yaml.SafeDumper):
    """No anchors: what is shared is written out."""

    def ignore_aliases(self, data):
        return True


def check(value, where):
    """Nothing but JSON: YAML also has numeric keys, sets, binary, infinities."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise Stop(f"{where}: the key {key!r} is not text: write it in quotes")
            check(member, f"{where}/{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            check(item, f"{where}/{number}")
    elif not isinstance(value, (str, int, float, bool, type(None))) or value in (float("inf"), float("-inf")):
        raise Stop(f"{where}: {value!r} is not JSON")


def tokens(pointer):
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


class Bundle:
    """The files that were reached, and what they define."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.files = {}
        self.components = {}  # (section, name) -> file that defines it
        self.paths = set()    # (file, path) that the root refers to

    def load(self, path):
        if path not in self.files:
            if not path.is_file():
                raise Stop(f"{self.name(path)} is not there")
            with path.open(encoding="utf-8") as text:
                document = yaml.load(text, Loader)
            check(document, self.name(path))
            self.files[path] = document
            self.gather(path, document)
        return self.files[path]

    def name(self, path):
        return str(path.relative_to(self.root.parent)) if path.is_relative_to(self.root.parent) else str(path)

    def gather(self, path, document):
        for section, members in document.get("components", {}).items():
            for name in members:
                first = self.components.setdefault((section, name), path)
                if first != path:
                    raise Stop(f"components/{section}/{name} is defined in {self.name(first)} and in {self.name(path)}")

    def target(self, reference, home):
        """The file and the pointer of a reference that stands in the file `home`."""
        file, mark, pointer = reference.partition("#")
        if not mark or "://" in file:
            raise Stop(f"{self.name(home)}: {reference} is not a reference within the contract")
        path = (home.parent / file).resolve() if file else home
        found = self.load(path)
        for token in tokens(pointer):
            if not isinstance(found, dict) or token not in found:
                raise Stop(f"{self.name(home)}: {reference} leads nowhere")
            found = found[token]
        return path, pointer, found

    def inside(self, value, home):
        """The value with its references turned into references inside the one document."""
        if isinstance(value, list):
            return [self.inside(item, home) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: self.reference(member, home) if key == "$ref" and isinstance(member, str)
                else self.inside(member, home) for key, member in value.items()}

    def reference(self, reference, home):
        _, pointer, _ = self.target(reference, home)
        if not pointer.startswith("/components/"):
            raise Stop(f"{self.name(home)}: {reference} does not point to a component")
        return f"#{pointer}"

    def path_item(self, template, item):
        if "$ref" not in item:
            return self.inside(item, self.root)
        if len(item) > 1:
            raise Stop(f"{template}: nothing stands beside the $ref of a path")
        home, pointer, found = self.target(item["$ref"], self.root)
        if tokens(pointer) != ["paths", template]:
            raise Stop(f"{template}: {item['$ref']} is another path")
        self.paths.add((home, template))
        return self.inside(found, home)

    def document(self):
        root = self.load(self.root)
        whole = {key: self.inside(value, self.root) for key, value in root.items() if key not in ("paths", "components")}
        whole["paths"] = {template: self.path_item(template, item) for template, item in root.get("paths", {}).items()}
        whole["components"] = {}
        done = set()
        while todo := [key for key in self.components if key not in done]:  # what they refer to may bring more files
            for section, name in todo:
                home = self.components[section, name]
                one = self.inside(self.files[home]["components"][section][name], home)
                whole["components"].setdefault(section, {})[name] = one
            done.update(todo)
        for path, document in self.files.items():
            for template in document.get("paths", {}) if path != self.root else ():
                if (path, template) not in self.paths:
                    raise Stop(f"{self.name(path)}: {template} is not among the paths of {self.root.name}")
        shared.spread(whole)
        return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depfile")
    parser.add_argument("root")
    parser.add_argument("json")
    parser.add_argument("yaml")
    given = parser.parse_args()
    bundle = Bundle(given.root)
    try:
        document = bundle.document()
    except (Stop, shared.Stop, yaml.YAMLError) as fault:
        sys.exit(f"bundle: {fault}")
    illustrate(document)
    text = json.dumps(document, ensure_ascii=False, indent=1)
    pathlib.Path(given.json).write_text(text + "\n", encoding="utf-8")
    plain = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    pathlib.Path(given.yaml).write_text(plain, encoding="utf-8")
    if given.depfile:
        files = " ".join(str(path).replace(" ", "\\ ") for path in bundle.files)
        pathlib.Path(given.depfile).write_text(f"{given.json} {given.yaml}: {files}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
