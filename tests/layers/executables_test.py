#!/usr/bin/env python3
"""The production executables can't be made to trust the lab's roots: they hold no code or name of it, no fail points,
and started with the lab's environment and files they still refuse the lab's evidence. Hardening flags are looked at in
the files too."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

bin_folder, root = Path(sys.argv[1]), Path(sys.argv[2])
PRODUCTION = ["portcullis-kbs", "portcullis-agent", "portcullis-operator", "portcullis"]
LAB = {"portcullis-kbs-lab": b"PORTCULLIS_LAB_PKI", "portcullis-agent-lab": b"PORTCULLIS_LAB_LAUNCH",
       "portcullis-operator-lab": b"PORTCULLIS_FAILPOINT"}
FORBIDDEN = [rb"PORTCULLIS_LAB", rb"PORTCULLIS_FAILPOINT", rb"portcullis3lab", rb"LabPki", rb"LoadAnchors"]
failures = []


def expect(holds, claim):
    print(("ok   " if holds else "FAIL ") + claim)
    if not holds:
        failures.append(claim)


for name in PRODUCTION:
    content = (bin_folder / name).read_bytes()
    for pattern in FORBIDDEN:
        expect(not re.search(pattern, content), f"{name} does not hold {pattern.decode()}")
    dynamic = subprocess.run(["readelf", "-W", "-d", "-l", bin_folder / name], capture_output=True, text=True).stdout
    expect("BIND_NOW" in dynamic or "NOW" in dynamic, f"{name} binds all symbols at start")
    expect("GNU_RELRO" in dynamic, f"{name} has RELRO")
    expect(re.search(r"GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s", dynamic) is not None, f"{name} has no executable stack")
    expect("PIE" in dynamic, f"{name} is position independent")
# The search itself must be able to find: the lab's executables hold what is forbidden above.
for name, marker in LAB.items():
    expect(marker in (bin_folder / name).read_bytes(), f"{name} holds {marker.decode()}")

# In use: the lab's evidence, offered to the production CLI with the lab's environment, is untrusted.
synthetic = Path(os.environ.get("PORTCULLIS_TESTDATA", root.parent / "shared/testdata")) / "snp/synthetic/good-milan"
if synthetic.is_dir():
    environment = dict(os.environ, PORTCULLIS_LAB_PKI=str(synthetic.parent / "roots"))
    run = subprocess.run([bin_folder / "portcullis", "verify", "snp", "--report", synthetic / "report.bin", "--cert",
                          synthetic / "vcek.der", "-o", "json"], capture_output=True, text=True, env=environment)
    expect(run.returncode == 3 and "ChainUntrusted" in run.stdout, "portcullis refuses evidence under other roots")
else:
    print("SKIPPED: no test data at", synthetic, "- the refusal of synthetic evidence did not run")
with tempfile.TemporaryDirectory() as folder:
    for option in ("--lab-roots", "--roots", "--insecure", "--trust"):
        run = subprocess.run([bin_folder / "portcullis-kbs", option, folder], capture_output=True, text=True)
        expect(run.returncode == 2, f"portcullis-kbs knows no option {option}")
sys.exit(1 if failures else 0)
