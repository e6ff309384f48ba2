#!/usr/bin/env python3
"""Finds the official JSON-Schema-Test-Suite and runs it: json_schema_suite.py RUNNER (tests/unit/jsonschema_suite.c).

The suite is JSON_SCHEMA_TEST_SUITE, or stands beside the project in ../shared/data/json-schema-test-suite, or comes out of
the source package of PyPI's `jsonschema`, whose version and digest are pinned here. Without any of them this fails.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BESIDE = ROOT.parent / "shared" / "data" / "json-schema-test-suite"
VERSION = "4.26.0"
DIGEST = "0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326"
KEPT = ROOT / ".dev-json-schema-suite" / VERSION  # .gitignore knows /.dev*/


def download(folder):
    """The package's file, checked against the digest."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--no-binary", "jsonschema", "--dest", folder, f"jsonschema=={VERSION}"],
                   check=True, stdout=sys.stderr)
    package = folder / f"jsonschema-{VERSION}.tar.gz"
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    if digest != DIGEST:
        sys.exit(f"jsonschema {VERSION} has the digest {digest}, not the pinned one")
    return package


def unpack(package, folder):
    """Only what stands below json/, as plain files."""
    prefix = f"jsonschema-{VERSION}/json/"
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            path = pathlib.PurePosixPath(member.name)
            if not member.isfile() or not member.name.startswith(prefix) or ".." in path.parts:
                continue
            target = folder / path.relative_to(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.extractfile(member).read())


def fetched():
    """The suite from the package, kept for the next time; complete or not there at all."""
    if not KEPT.exists():
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT.parent) as place:
            place = pathlib.Path(place)
            suite = place / "suite"
            unpack(download(place), suite)
            suite.rename(KEPT)
    return KEPT


def find():
    named = os.environ.get("JSON_SCHEMA_TEST_SUITE")
    if named:
        return pathlib.Path(named)
    return BESIDE if (BESIDE / "tests" / "draft2020-12").is_dir() else fetched()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        suite = find()
    except (OSError, subprocess.CalledProcessError, tarfile.TarError) as why:
        sys.exit(f"the JSON-Schema-Test-Suite is neither beside the project nor to be had from PyPI: {why}")
    sys.exit(subprocess.run([sys.argv[1], suite], check=False).returncode)


if __name__ == "__main__":
    main()
