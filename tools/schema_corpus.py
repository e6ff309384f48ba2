#!/usr/bin/env python3
"""Seeds for tests/fuzz/fuzz_schema_*.c out of the JSON-Schema-Test-Suite: schema_corpus.py SUITE FOLDER.

Writes FOLDER/compile and FOLDER/validate. libFuzzer's -merge=1 then keeps what reaches something new.
"""
import hashlib
import json
import pathlib
import sys


def write(folder, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    suite, target = map(pathlib.Path, sys.argv[1:])
    for path in sorted((suite / "tests" / "draft2020-12").rglob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            schema = group["schema"]
            if isinstance(schema, dict):
                schema.pop("$schema", None)
            texts = [json.dumps(item, separators=(",", ":"), ensure_ascii=False)
                     for item in [schema] + [test["data"] for test in group["tests"]]]
            write(target / "compile", b"1" + texts[0].encode())
            write(target / "validate", ("[" + ",".join(texts) + "]").encode())


if __name__ == "__main__":
    main()
