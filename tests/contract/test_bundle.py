"""tools/bundle.py: what it makes of several files, and what it refuses."""
import json
import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "bundle.py"
ROOT = 'paths:\n  /a: { $ref: "f.yaml#/paths/~1a" }\ncomponents: { schemas: { X: { type: string } } }\n'


@pytest.fixture
def bundled(tmp_path):
    """bundled(family, root): the tool's result, and its document when it made one."""
    def run(family, root=ROOT):
        (tmp_path / "r.yaml").write_text(root, encoding="utf-8")
        (tmp_path / "f.yaml").write_text(family, encoding="utf-8")
        out = tmp_path / "o.json"
        out.unlink(missing_ok=True)
        done = subprocess.run(["/usr/bin/python3", TOOL, "--depfile", tmp_path / "o.d", tmp_path / "r.yaml", out,
                               tmp_path / "o.yaml"], capture_output=True, text=True, check=False)
        return done, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None
    return run


def test_references_between_files_become_references_inside(bundled, tmp_path):
    _, document = bundled('paths: { /a: { get: { x: { $ref: "#/components/schemas/Y" } } } }\n'
                          'components: { schemas: { Y: { items: { $ref: "r.yaml#/components/schemas/X" } } } }')

    assert document["paths"] == {"/a": {"get": {"x": {"$ref": "#/components/schemas/Y"}}}}
    assert document["components"]["schemas"] == {"X": {"type": "string"},
                                                 "Y": {"items": {"$ref": "#/components/schemas/X"}}}
    assert {"r.yaml", "f.yaml"} <= {pathlib.Path(name).name for name in (tmp_path / "o.d").read_text().split()}


def test_plain_words_are_text_as_yaml_1_2_says(bundled, tmp_path):
    _, document = bundled("paths: { /a: { get: { enum: [yes, no, on, off, 2026-11-22, true, null, 007] } } }")

    assert document["paths"]["/a"]["get"]["enum"] == ["yes", "no", "on", "off", "2026-11-22", True, None, 7]
    assert "'yes'" in (tmp_path / "o.yaml").read_text(), "the YAML means the same to a reader of YAML 1.1"


@pytest.mark.parametrize("family, reason", [
    ("paths: { /a: {} }\ncomponents: { schemas: { X: {} } }", "components/schemas/X is defined in r.yaml and in f.yaml"),
    ("paths: { /a: {}, /b: {} }", "/b is not among the paths of r.yaml"),
    ("paths: { /b: {} }", "leads nowhere"),
    ("paths: { /a: { get: 1, get: 2 } }", "`get` is given twice"),
    ('paths: { /a: { get: { $ref: "#/components/schemas/Z" } } }', "leads nowhere"),
    ('paths: { /a: { get: { $ref: "#/paths/~1a" } } }', "does not point to a component"),
    ('paths: { /a: { get: { $ref: "g.yaml#/components/schemas/Z" } } }', "g.yaml is not there"),
    ('paths: { /a: { get: { $ref: "https://example.org/x#/a" } } }', "is not a reference within the contract"),
    ("paths: { /a: { get: { 200: x } } }", "write it in quotes"),
    ("paths: { /a: { get: .inf } }", "is not JSON"),
    ("paths: { /a: [", "bundle: "),
])
def test_what_is_wrong_is_refused_with_its_reason(bundled, family, reason):
    done, document = bundled(family)

    assert done.returncode == 1 and document is None
    assert reason in done.stderr and "Traceback" not in done.stderr
