#!/usr/bin/env python3
"""Asks our verifiers and those that others wrote the same questions and accounts for every difference.

docs/development/differential.md says what is asked and how to read the result.
"""
import argparse
import base64
import collections
import concurrent.futures
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import cases

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/development/differential.md"
FOREIGN = {"go-sev-guest": "snp", "sev": "snp", "go-tdx-guest": "tdx", "dcap-qvl": "tdx"}
BATCH = 128


class Verifier:
    """A long-running process: a question a line, a verdict a line, in order."""

    def __init__(self, name, command):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, lines):
        # Written beside the reading: neither pipe may fill up while the other side waits.
        with concurrent.futures.ThreadPoolExecutor(1) as writer:
            written = writer.submit(self._write, lines)
            answers = [self._read() for _ in lines]
            written.result()
        return answers

    def _write(self, lines):
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            said = self.log.read().decode(errors="replace")[-2000:]
            sys.exit(f"{self.name} ended before its answer: {said}")
        try:
            return json.loads(line)
        except ValueError:
            sys.exit(f"{self.name} answered {line[:200]!r}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def line_of(case):
    encoded = {key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
               for key, value in case["question"].items()}
    return json.dumps(encoded).encode() + b"\n"


def is_asked(verifier, case):
    """The crate `sev` neither reads revocation lists nor bounds a certificate table, and has no clock."""
    question = case["question"]
    return not (verifier == "sev" and ("crl" in question or "table" in question or case["family"] == "clock"))


def error_class(text):
    """An error without what varies from case to case."""
    text = re.sub(r'"[^"]*"', '""', text)
    text = re.sub(r"\[[0-9 ,]+\]", "[..]", text)
    text = re.sub(r"\b(0x)?[0-9a-fA-F]{4,}\b|\d+", "#", text)
    return text[:160]


def our_refusals(verifier, ours):
    if not ours["allowed"]:
        return ours["checks"]
    # That library accepts no other status; with us a policy says which.
    if verifier == "go-tdx-guest" and ours.get("status") != "UpToDate":
        return [f"tcb-status-{ours.get('status')}"]
    return []


def differences(verifier, ours, theirs):
    """What this case shows: [] where both say the same."""
    refusals = our_refusals(verifier, ours)
    if refusals and theirs["allowed"]:
        return [("ours", check) for check in refusals]
    if not refusals and not theirs["allowed"]:
        return [("theirs", error_class(theirs["error"]))]
    if not refusals and "status" in theirs and theirs["status"] != ours.get("status"):
        return [("status", f"{ours.get('status')} with us, {theirs['status']} with them")]
    return []


class Explanations:
    """explained.json: which differences are known, where they may show, and why they are."""

    def __init__(self):
        self.entries = json.loads((HERE / "explained.json").read_text())
        self.seen = collections.Counter()

    def covers(self, verifier, side, what, case):
        places = [case["family"], *(f"{case['family']} of {base}" for base in case["bases"])]
        for number, entry in enumerate(self.entries):
            if (verifier in entry["verifiers"] and side == entry["refused_by"] and re.fullmatch(entry["as"], what)
                    and any(re.fullmatch(where, place) for where in entry["where"] for place in places)):
                self.seen[number] += 1
                return True
        return False

    def unseen(self, verifiers):
        return [entry["as"] for number, entry in enumerate(self.entries)
                if not self.seen[number] and any(verifier in verifiers for verifier in entry["verifiers"])]

    def table(self):
        cell = lambda text: text.replace("|", "\\|")
        lines = ["| Verifier | Refused by | As | Where | Verdict | Why |", "| --- | --- | --- | --- | --- | --- |"]
        for entry in self.entries:
            side = {"ours": "us only", "theirs": "them only", "status": "nobody; the TCB status differs"}
            lines.append(" | ".join(["| " + ", ".join(f"`{v}`" for v in entry["verifiers"]), side[entry["refused_by"]],
                                     f"`{cell(entry['as'])}`", cell(", ".join(entry["where"])), entry["verdict"],
                                     cell(entry["why"]) + " |"]))
        return "\n".join(lines) + "\n"


class Tally:
    """What came of one foreign verifier."""

    def __init__(self, verifier, explanations):
        self.verifier, self.explanations = verifier, explanations
        self.counts = collections.Counter()
        self.classes = collections.defaultdict(list)
        self.unexplained = collections.defaultdict(list)

    def add(self, case, ours, theirs):
        self.counts["mutated" if case["family"] != cases.AS_IS else cases.AS_IS] += 1
        found = differences(self.verifier, ours, theirs)
        if not found:
            self.counts["both allow" if theirs["allowed"] else "both refuse"] += 1
        else:
            self.counts["differ"] += 1
        for side, what in found:
            known = self.explanations.covers(self.verifier, side, what, case)
            (self.classes if known else self.unexplained)[(side, what)].append((case, ours, theirs))

    def report(self, verbose):
        print(f"{self.verifier}: {self.counts['as-is']} cases as they are, {self.counts['mutated']} mutations; "
              f"both allow {self.counts['both allow']}, both refuse {self.counts['both refuse']}, "
              f"differ {self.counts['differ']}")
        for title, found in (("explained", self.classes if verbose else {}), ("NOT EXPLAINED", self.unexplained)):
            for (side, what), examples in sorted(found.items()):
                places = collections.Counter(case["family"] for case, _, _ in examples)
                bases = collections.Counter(base for case, _, _ in examples for base in case["bases"][:1])
                print(f"  {title}: {self.sides[side]} {what!r}\n    in {counted(places)}\n    of {counted(bases)}")
                if title != "explained":
                    case, ours, theirs = examples[0]
                    print(f"    first {case['name']!r}\n      ours {json.dumps(ours)}\n      theirs {json.dumps(theirs)}")

    sides = {"ours": "only we refuse,", "theirs": "only they refuse,", "status": "TCB status"}


def counted(counter, most=8):
    shown = ", ".join(f"{name} ({count})" for name, count in counter.most_common(most))
    return shown + (f" and {len(counter) - most} more" if len(counter) > most else "")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--testdata", help="folder with snp and tdx")
    parser.add_argument("--ours", help="portcullis-verdict")
    parser.add_argument("--go", help="foreign-verdicts of tests/differential/go")
    parser.add_argument("--rust", help="foreign-verdicts of tests/differential/rust")
    parser.add_argument("--tee", choices=["snp", "tdx"], action="append", help="only this one")
    parser.add_argument("--mutations", type=int, default=10000, help="at least, for each verifier (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="list the explained differences too")
    parser.add_argument("--write-table", action="store_true", help=f"rewrite the table in {PAGE.name}, ask nothing")
    parser.add_argument("--check-table", action="store_true", help="fail unless the page has the table, ask nothing")
    parser.add_argument("--dump", metavar="NAME", help="print the question of one case, ask nothing")
    return parser.parse_args()


def commands(arguments, tee):
    out = {"ours": [arguments.ours, arguments.testdata]}
    for verifier, of in FOREIGN.items():
        if of == tee:
            tool = arguments.go if verifier.startswith("go-") else arguments.rust
            out[verifier] = [tool, verifier, arguments.testdata]
    return out


def compare(arguments, tee, explanations):
    verifiers = {name: Verifier(name, command) for name, command in commands(arguments, tee).items()}
    tallies = {name: Tally(name, explanations) for name in verifiers if name != "ours"}
    bases = cases.as_is(tee, arguments.testdata)
    with concurrent.futures.ThreadPoolExecutor(len(verifiers)) as pool:

        def put(batch):
            """Asks everybody, adds up, and returns the names of the cases that anybody allowed."""
            lines = [line_of(case) for case in batch]
            answers = dict(zip(verifiers, pool.map(lambda v: v.ask(lines), verifiers.values())))
            for number, case in enumerate(batch):
                for name, tally in tallies.items():
                    if is_asked(name, case):
                        tally.add(case, answers["ours"][number], answers[name][number])
            return {case["name"] for number, case in enumerate(batch)
                    if any(answers[name][number]["allowed"] for name in verifiers)}

        stream = cases.mutations(tee, bases, arguments.seed, put(bases))
        while any(tally.counts["mutated"] < arguments.mutations for tally in tallies.values()):
            put(list(itertools.islice(stream, BATCH)))
    for verifier in verifiers.values():
        verifier.close()
    return list(tallies.values())


def replace_table(page, table):
    begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
    before, rest = page.split(begin)
    return before + begin + table + end + rest.split(end)[1]


def main():
    arguments = parse_arguments()
    explanations = Explanations()
    page = replace_table(PAGE.read_text(), explanations.table())
    if arguments.write_table:
        PAGE.write_text(page)
        return 0
    if page != PAGE.read_text():
        print("the table of docs/development/differential.md is not that of explained.json; --write-table makes it so")
        return 1
    if arguments.check_table:
        return 0
    tees = arguments.tee or ["snp", "tdx"]
    if arguments.dump:
        found = [case for tee in tees for case in cases.as_is(tee, arguments.testdata)
                 if case["name"] == arguments.dump]
        sys.stdout.buffer.write(line_of(found[0]))
        return 0
    tallies = [tally for tee in tees for tally in compare(arguments, tee, explanations)]
    for tally in tallies:
        tally.report(arguments.verbose)
    failures = sum(len(found) for tally in tallies for found in tally.unexplained.values())
    # A run in which nothing is allowed would agree on everything.
    idle = [tally.verifier for tally in tallies if tally.counts["both allow"] < 20]
    stale = explanations.unseen([t.verifier for t in tallies]) if arguments.mutations >= 10000 else []
    for what in stale:
        print(f"  explained, but never seen: {what}")
    for verifier in idle:
        print(f"  {verifier} and we hardly ever both allowed: nothing was compared")
    print(f"{sum(t.counts['as-is'] + t.counts['mutated'] for t in tallies) - failures} passed, "
          f"{failures + len(stale) + len(idle)} failed")
    return 1 if failures or stale or idle else 0


if __name__ == "__main__":
    sys.exit(main())
