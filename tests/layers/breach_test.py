#!/usr/bin/env python3
"""The layers test must fail where an include goes against the graph: shown on a copy with one wrong line."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(sys.argv[1])
CASES = [
    ("operator/options.h", '#include "keystore/keystore.h"', "may not include keystore"),
    ("kbs/options.h", '#include "kube/kube.h"', "may not include kube"),
    ("src/evidence/check.h", '#include "policy/policy.h"', "may not include policy"),
    ("src/release/broker.h", "#include <cpprest/json.h>", "may not include cpprest/json.h"),
]

failures = 0
for name, line, expected in CASES:
    with tempfile.TemporaryDirectory() as copy:
        for folder in ("src", "kbs", "operator"):
            shutil.copytree(root / folder, Path(copy) / folder)
        target = Path(copy) / name
        target.write_text(line + "\n" + target.read_text())
        run = subprocess.run([sys.executable, root / "tests/layers/layers_test.py", copy], capture_output=True, text=True)
        found = run.returncode == 1 and expected in run.stdout
        failures += not found
        print(("ok   " if found else "FAIL ") + f"{name} with {line}")
sys.exit(1 if failures else 0)
