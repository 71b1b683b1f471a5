#!/usr/bin/env python3
"""Holds every #include of src/, kbs/ and operator/ to the graph in src/CMakeLists.txt.

A folder may include itself and what it DEPENDS on, with what that depends on. Third-party headers are bound to the
folders that may use them. Prints each breach and exits 1."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])

# The programs' own folders, as kbs/CMakeLists.txt and operator/CMakeLists.txt link them.
PROGRAMS = {
    "kbs": ["policy", "audit", "keystore", "metrics", "http", "release", "endorsement"],
    "operator": ["kube", "policy", "metrics"],
    "agent/program": ["agent", "agent/tpm2"],
    "cli/program": ["cli"],
}
THIRD_PARTY = {
    r"^(cpprest|pplx)/": {"http", "kube", "codec"},
    r"^boost/": {"http"},
    r"^openssl/": {"crypto", "http"},
    r"^sqlite3\.h$": {"store"},
    r"^prometheus/": {"metrics"},
    r"^yaml-cpp/": {"codec"},
    r"^toml\+\+/": {"codec"},
    r"^zlib\.h$": {"codec"},
    r"^tss2/": {"agent/tpm2"},
    r"^CLI/": {"cli", "agent", "kbs", "operator"},
}
# A header that shows such types is for its own folder alone.
PRIVATE_TYPES = r"^(cpprest|pplx|prometheus|yaml-cpp|toml\+\+)/|^sqlite3\.h$"


def graph():
    edges = {}
    text = (root / "src/CMakeLists.txt").read_text()
    for match in re.finditer(r"portcullis_library\(([^)]*)\)", text):
        words = match.group(1).split()
        depends, take = [], False
        for word in words[1:]:
            if word in ("DEPENDS", "PRIVATE", "FAILPOINTS"):
                take = word == "DEPENDS"
            elif take:
                depends.append(word)
        edges[words[0]] = depends
    edges.update(PROGRAMS)
    return edges


def closure(edges, folder):
    seen, todo = set(), [folder]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(edges.get(current, []))
    return seen


def folder_of(path, edges):
    parts = path.relative_to(root).parts
    if parts[0] in ("kbs", "operator"):
        return parts[0]
    inside = "/".join(parts[1:-1])
    while inside not in edges and "/" in inside:
        inside = inside.rsplit("/", 1)[0]
    return inside


def target_of(include, edges):
    if include.startswith(("kbs/", "operator/")):
        return include.split("/")[0]
    inside = include.rsplit("/", 1)[0]
    while inside not in edges and "/" in inside:
        inside = inside.rsplit("/", 1)[0]
    return inside if inside in edges else None


def shows_private_types(header):
    return header.exists() and any(
        re.search(PRIVATE_TYPES, name) for name in re.findall(r'#\s*include\s+[<"]([^>"]+)', header.read_text()))


def breaches(files, edges):
    for path in files:
        folder = folder_of(path, edges)
        allowed = closure(edges, folder)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            include = match.group(2)
            where = f"{path.relative_to(root)}:{number}"
            if match.group(1) == '"' or (root / "src" / include).exists():
                target = target_of(include, edges)
                if target is None:
                    yield f"{where}: {include} is in no folder of the graph"
                elif target not in allowed:
                    yield f"{where}: {folder} may not include {target} ({include})"
                elif target != folder and shows_private_types(root / "src" / include):
                    yield f"{where}: {include} shows third-party types, so it is for its own folder"
            for pattern, users in THIRD_PARTY.items():
                if re.search(pattern, include) and not {folder, folder.split("/")[0]} & users:
                    yield f"{where}: {folder} may not include {include}"


def main():
    edges = graph()
    files = [f for d in ("src", "kbs", "operator") for f in sorted((root / d).rglob("*")) if f.suffix in (".h", ".cpp")]
    found = list(breaches(files, edges))
    # The walls that matter most, said outright.
    for wall, behind in (("operator", "keystore"), ("operator", "release"), ("kbs", "kube"), ("agent", "keystore")):
        if behind in closure(edges, wall):
            found.append(f"src/CMakeLists.txt: {wall} reaches {behind}")
    for line in found:
        print(line)
    print(f"layers: {len(files)} files, {len(edges)} folders, {len(found)} breaches")
    return 1 if found or len(files) < 100 else 0


sys.exit(main())
