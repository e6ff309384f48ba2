#!/usr/bin/env python3
"""The pages of /docs -> C: the viewer's page with its scripts and styles, and the guides of docs/guides as HTML.

    docs.py [--depfile FILE] [--viewer FOLDER] OUT.h OUT.c

FOLDER is the npm package of tools/docs/package.json. When it is not there, /docs says that it was not packaged. Stops at a guide
that is not in GUIDES, a link that leads to none of them, and HTML in a guide.
"""
import argparse
import html
import pathlib
import re
import sys

import markdown
from embed import LONG, MADE, c_text, version_of

ROOT = pathlib.Path(__file__).resolve().parents[1]
GUIDES = ("first-call", "council-front-end", "charity-integrator", "mobile-app", "roles-and-scopes", "errors", "paging", "idempotency",
          "offline-copy", "webhooks")
VIEWER = (("scripts/swagger-ui.js", "swagger-ui-bundle.js"), ("styles/swagger-ui.css", "swagger-ui.css"))
OURS = (("scripts/docs.js", "docs.js"), ("styles/docs.css", "docs.css"))
ABSENT = """<p id="absent">The interactive documentation was not packaged into this program: it was built on a machine without npm. The
guides are here, and the contract is at <a href="openapi.json">openapi.json</a> and <a href="openapi.yaml">openapi.yaml</a>.</p>"""


def title_of(text, path):
    found = re.match(r"# (.+)\n", text)
    if not found:
        sys.exit(f"docs: {path} begins with no title")
    return found[1]


def read_guides(folder):
    """name -> (title, text), in the order of GUIDES."""
    there = {path.stem: path for path in folder.glob("*.md")}
    if set(there) != set(GUIDES):
        sys.exit(f"docs: GUIDES and docs/guides differ in {', '.join(sorted(set(there) ^ set(GUIDES)))}")
    texts = {name: there[name].read_text(encoding="utf-8") for name in GUIDES}
    return {name: (title_of(text, there[name]), text) for name, text in texts.items()}


def links(guides, prefix, here=None):
    return "\n".join(f'<li><a href="{prefix}{name}"{" aria-current=page" if name == here else ""}>{html.escape(title)}</a></li>'
                     for name, (title, _) in guides.items())


def relink(body, name):
    """Links between guides, as they stand in docs/guides, become links between pages."""
    def one(match):
        target, mark, part = match[1].partition("#")
        if "://" in target or target.startswith("../../") or not target:
            return match[0]
        if not target.endswith(".md") or target[:-3] not in GUIDES:
            sys.exit(f"docs: {name}.md links to {target}, which is not served")
        return f'href="{target[:-3]}{mark}{part}"'
    return re.sub(r'href="([^"]*)"', one, body)


def guide_page(template, guides, name):
    title, text = guides[name]
    text = re.sub(r"<!--.*?-->\n", "", text)  # the marks of tools/tables.py
    if re.search(r"^<", text, re.MULTILINE):
        sys.exit(f"docs: {name}.md has HTML")
    body = relink(markdown.markdown(text, extensions=["tables", "fenced_code", "toc"]), name).replace('href="../../', 'href="../')
    return fill(template, title=html.escape(title), guides=links(guides, "", name), body=body)


def fill(template, **parts):
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def pages_of(viewer, used):
    """(name, bytes) of every page; `used` collects what they were made from."""
    def text(path):
        used.append(path)
        return path.read_text(encoding="utf-8")

    ours = ROOT / "tools" / "docs"
    folder = ROOT / "docs" / "guides"
    guides = read_guides(folder)
    used.extend([folder, *(folder / f"{name}.md" for name in guides)])
    packaged = all((viewer / source).is_file() for _, source in VIEWER)
    used.extend(viewer / source for _, source in VIEWER)
    body = text(ours / "viewer.html") if packaged else ABSENT
    yield "", fill(text(ours / "index.html"), guides=links(guides, "docs/guides/"), body=body).encode()
    template = text(ours / "guide.html")
    for name in guides:
        yield f"guides/{name}", guide_page(template, guides, name).encode()
    for name, source in OURS:
        yield name, text(ours / source).encode()
    for name, source in VIEWER if packaged else ():
        yield name, (viewer / source).read_bytes()


def write(path, text):
    """Only when it is another one: nothing is compiled again for nothing."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depfile", type=pathlib.Path)
    parser.add_argument("--viewer", type=pathlib.Path, default=ROOT / ".dev-docs" / "node_modules" / "swagger-ui-dist")
    parser.add_argument("out_h", type=pathlib.Path)
    parser.add_argument("out_c", type=pathlib.Path)
    given = parser.parse_args()
    used = []
    pages = list(pages_of(ROOT / given.viewer, used))
    rows = [f'\t{{ "{name}",\n\t{c_text(data)},\n\t{len(data)}, "{version_of(data)}" }},\n' for name, data in pages]
    write(given.out_h, MADE + '#pragma once\n\n#include "call/pages.h"\n\nextern const struct page pages[];\nextern const size_t page_count;\n')
    write(given.out_c, MADE + f'#include "{given.out_h.name}"\n\n' + LONG + "const struct page pages[] = {\n" + "".join(rows) + "};\n" +
          f"const size_t page_count = {len(pages)};\n")
    if given.depfile:
        given.depfile.write_text(f"{given.out_h} {given.out_c}: {' '.join(str(path).replace(' ', chr(92) + ' ') for path in used)}\n",
                                 encoding="utf-8")


if __name__ == "__main__":
    main()
