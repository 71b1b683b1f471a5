#!/usr/bin/env python3
"""Writes docs/reference/values.md from the comments in charts/portcullis/values.yaml.

Usage: tests/charts/values_doc.py [--check]

Each value has a comment that starts with "# -- " on the lines above it. --check writes nothing and fails where
the page differs, where a value has no comment, or where values.yaml and values.schema.json name different values.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "portcullis"
PAGE = ROOT / "docs" / "reference" / "values.md"

HEAD = """# Values of the chart

Every value of `charts/portcullis`; any other is refused. This page derives from the comments in
`charts/portcullis/values.yaml`; `tests/charts/values_doc.py` writes it and a test holds it to them.
How they go together is in [install.md](../install.md).

| value | default | meaning |
|---|---|---|
"""


def read_values(text):
    """Yields (path, default, comment or None) for each value that is no mere section."""
    lines = text.splitlines()
    stack, comment = [], None
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = stripped[5:]
            continue
        if stripped.startswith("#"):
            comment = comment + " " + stripped[1:].strip() if comment else None
            continue
        match = re.match(r"^( *)([A-Za-z]+):(?: (.*))?$", line)
        if not match:
            if not stripped:
                comment = None
            continue
        depth, name, inline = len(match[1]) // 2, match[2], match[3]
        del stack[depth:]
        stack.append(name)
        if comment is not None or inline is not None:
            yield ".".join(stack), inline or block_after(lines, number, len(match[1])), comment
        comment = None


def block_after(lines, number, indent):
    block = []
    for line in lines[number + 1:]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        if line.strip():
            block.append(line.strip())
    return " ".join(block)


def without_nested(rows):
    """Members of a value that is described as a whole are part of its default, not values of their own."""
    documented = [path for path, _, comment in rows if comment is not None]
    return [row for row in rows if not any(row[0].startswith(path + ".") for path in documented)]


def schema_paths(schema):
    """The values that the schema knows: leaves of its tree of objects with properties."""

    def resolve(node):
        while "$ref" in node:
            node = schema["definitions"][node["$ref"].rsplit("/", 1)[1]]
        return node

    def walk(node, path):
        node = resolve(node)
        if node.get("type") == "object" and node.get("properties") and path not in WHOLE:
            for name, child in node["properties"].items():
                yield from walk(child, f"{path}.{name}" if path else name)
        else:
            yield path

    return set(walk(schema, "")) - {"global"}


# Described in one row, though the schema looks inside.
WHOLE = {"kbs.resources", "controller.resources", "webhook.resources", "certManager.guest.issuerRef"}


def main():
    rows = without_nested(list(read_values((CHART / "values.yaml").read_text())))
    undescribed = [path for path, _, comment in rows if comment is None]
    page = HEAD + "".join(f"| `{path}` | `{default}` | {comment} |\n" for path, default, comment in rows if comment)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
        return 0
    known = schema_paths(json.loads((CHART / "values.schema.json").read_text()))
    described = {path for path, _, _ in rows}
    problems = [f"no comment above {path}" for path in undescribed]
    problems += [f"not in values.schema.json: {path}" for path in sorted(described - known)]
    problems += [f"not in values.yaml: {path}" for path in sorted(known - described)]
    if not PAGE.exists() or PAGE.read_text() != page:
        problems.append("docs/reference/values.md is out of date: run tests/charts/values_doc.py")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
