"""The questions that are asked of every verifier: all test data as it is, then seeded mutations of it.

A case is {"name", "bases", "family", "question"}; the question's members are those of docs/development/differential.md, with
bytes where the protocol has base64. The family says where a mutation was made, since the same difference is harmless
in one place and a bug in another; the bases, which cases it was made of.
"""
import base64
import datetime
import itertools
import json
import pathlib
import random

AS_IS = "as-is"
DAY = 86400
P384_ORDER = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)
P256_ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


# --- SNP -----------------------------------------------------------------------------------------------------------

SNP_NOW = seconds("2026-11-24T00:00:00Z")
SNP_VLEK_NOW = seconds("2025-06-01T00:00:00Z")  # a VLEK is valid for a year only
REPORT_SIZE = 0x4A0
SIGNATURE_R, SIGNATURE_S, SCALAR = 0x2A0, 0x2E8, 48  # each in a field of 72 bytes, the rest of it zero
SNP_TCBS = (0x38, 0x180, 0x1E0, 0x1F0)  # of eight bytes, those in the middle reserved
SNP_RESERVED = [*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x208, 0x2A0)]


def snp_product(folder):
    for product in ("milan", "genoa", "turin"):
        if product in folder.name.replace("fms-to-milan", ""):
            return product.capitalize()
    return "Genoa" if folder.name == "coco-evidence-json" else "Milan"


def snp_question(folder, roots):
    leaf = next(folder / name for name in ("vcek.der", "vlek.der") if (folder / name).exists())
    now = SNP_VLEK_NOW if leaf.name == "vlek.der" and roots == "amd" else SNP_NOW
    return {"tee": "snp", "roots": roots, "product": snp_product(folder), "now": now,
            "report": (folder / "report.bin").read_bytes(), "leaf": leaf.read_bytes(),
            "vlek": leaf.name == "vlek.der"}


def with_leaf(folder):
    return (folder / "report.bin").exists() and any((folder / name).exists() for name in ("vcek.der", "vlek.der"))


def snp_bases(testdata):
    root = pathlib.Path(testdata) / "snp"
    real = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and with_leaf(folder)]
    synthetic = [folder for folder in sorted((root / "synthetic").iterdir()) if folder.is_dir() and with_leaf(folder)]
    out = [(folder.name, snp_question(folder, "amd")) for folder in real]
    out += [(f"synthetic/{folder.name}", snp_question(folder, "synthetic")) for folder in synthetic]
    # Names are AMD's, the root is not.
    out += [(f"synthetic/{folder.name} under AMD's root", snp_question(folder, "amd")) for folder in synthetic]
    questions = dict(out)
    for table in sorted(root.glob("exttable-*.bin")):
        owner = "milan-v3-vlek-aws" if "vlek" in table.name else "milan-v3-gcp-oak-rel"
        out.append((table.name, questions[owner] | {"table": table.read_bytes()}))
    for crl in sorted((root / "synthetic/crl").glob("*.der")):
        out.append((f"synthetic/{crl.name}", questions["synthetic/good-milan"] | {"crl": crl.read_bytes()}))
    for leaf in sorted(root.glob("vcek-*.der")):
        owner = "turin-v5-gcp" if "turin" in leaf.name else "milan-v3-gcp-oak-rel"
        out.append((leaf.name, questions[owner] | {"leaf": leaf.read_bytes()}))
    return out


def flipped(rng, data, positions):
    out = bytearray(data)
    positions = [p for p in positions if p < len(out)]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if positions:
            out[rng.choice(positions)] ^= rng.choice((1, 0x80, rng.randrange(1, 256)))
    return bytes(out)


def resized(rng, data):
    if rng.random() < 0.5:
        return data[:rng.randrange(len(data))]
    return data + bytes(rng.choice((0, 0xAA)) for _ in range(rng.choice((1, 16, 4096))))


def swapped(rng, part, bases):
    name, question = rng.choice(bases)
    return f"{part}.swap", {part: question[part]}, name.split(" under ")[0]


def other_scalar(rng, order, size, value):
    """A scalar of a signature that is special: the mirrored one is as valid as the first."""
    return rng.choice((order - value, order - value, 0, order, order + value, 1)) % (1 << 8 * size)


def snp_report_parts(product):
    """Where the parts of a report lie, by family."""
    reserved_in_tcb = range(4, 7) if product == "Turin" else range(2, 6)
    tcb = [at + byte for at in SNP_TCBS for byte in reserved_in_tcb]
    scalars = [*range(SIGNATURE_R, SIGNATURE_R + SCALAR), *range(SIGNATURE_S, SIGNATURE_S + SCALAR)]
    return {"report.signed": [at for at in range(SIGNATURE_R) if at not in tcb and at not in SNP_RESERVED],
            "report.head": [at for at in range(0x4C) if at not in tcb],
            "report.reserved": SNP_RESERVED, "report.reserved-in-tcb": tcb, "report.signature": scalars,
            "report.signature-padding": [at for at in range(SIGNATURE_R, 0x330) if at not in scalars],
            "report.tail": range(0x330, REPORT_SIZE)}


def mutate_snp_report(rng, question):
    report, parts = question["report"], snp_report_parts(question["product"])
    family = rng.choice([*parts, "report.signed", "report.scalar", "report.length"])
    if family == "report.scalar" and len(report) == REPORT_SIZE:
        at = rng.choice((SIGNATURE_R, SIGNATURE_S))
        scalar = other_scalar(rng, P384_ORDER, SCALAR, int.from_bytes(report[at:at + SCALAR], "little"))
        return family, {"report": report[:at] + scalar.to_bytes(SCALAR, "little") + report[at + SCALAR:]}
    if family not in parts:
        return "report.length", {"report": resized(rng, report)}
    return family, {"report": flipped(rng, report, parts[family])}


def der_element(data, at):
    """Where the content of an element starts, and where it ends."""
    length, start = data[at + 1], at + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[at + 2:start], "big")
    return start, start + length


def certificate_parts(der):
    """What is signed, and what is not: the outer algorithm and the signature."""
    content, end = der_element(der, 0)
    _, signed_end = der_element(der, content)
    _, algorithm_end = der_element(der, signed_end)
    return {"signed": range(content, signed_end), "algorithm": range(signed_end, algorithm_end),
            "signature": range(algorithm_end, end), "frame": range(content)}


def mutate_leaf(rng, question):
    leaf = question["leaf"]
    parts = certificate_parts(leaf)
    part = rng.choice([*parts, "signed", "signed", "length"])
    return f"leaf.{part}", {"leaf": flipped(rng, leaf, parts[part]) if part in parts else resized(rng, leaf)}


def mutate_snp(rng, question, bases):
    kind = rng.random()
    if "table" in question and kind < 0.7:
        if rng.random() < 0.2:
            return "table.length", {"table": resized(rng, question["table"])}
        return "table.bytes", {"table": flipped(rng, question["table"], range(rng.choice((128, 128, 8192))))}
    if "crl" in question and kind < 0.7:
        if rng.random() < 0.2:
            return "crl.length", {"crl": resized(rng, question["crl"])}
        return "crl.bytes", {"crl": flipped(rng, question["crl"], range(len(question["crl"])))}
    if kind < 0.55:
        return mutate_snp_report(rng, question)
    if kind < 0.85:
        return mutate_leaf(rng, question)
    if kind < 0.93:
        return swapped(rng, "leaf", bases)
    return "clock", {"now": question["now"] + rng.randrange(-20 * 365, 20 * 365) * DAY}


# --- TDX -----------------------------------------------------------------------------------------------------------

HEADER, BODY_V4, REPORT_SGX = 48, 584, 384


def tdx_question(folder, case, quote, root, pck_chains):
    read = lambda name: (folder / case[name]).read_bytes()
    return {"tee": "tdx", "now": seconds(case["now"]), "quote": quote.read_bytes(), "tcbinfo": read("tcbinfo"),
            "qeid": read("qeid"), "tcb_chain": read("tcb_chain"), "pck_crl": read("pck_crl"),
            "pck_crl_chain": pck_chains["processor" if "processor" in case["pck_crl"] else "platform"],
            "root_crl": read("root_crl"), "root": root}


def pem_blocks(text):
    begin = b"-----BEGIN CERTIFICATE-----"
    return [begin + block.split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"
            for block in text.split(begin)[1:]]


def der_of(pem):
    return base64.b64decode(b"".join(pem.split(b"-----")[2].split()))


def pem_ranges(text, at, end):
    """Where each block of a chain lies: up to the next one, the last up to `end`."""
    begins = []
    while (at := text.find(b"-----BEGIN", at, end)) >= 0:
        begins.append(at)
        at += 1
    return [range(*pair) for pair in zip(begins, [*begins[1:], end])]


def chain_in(quote):
    """The CA and root that a well-formed quote carries, as the issuer chain of a PCK CRL."""
    blocks = pem_blocks(quote)
    return b"".join(blocks[1:3])


def intel_sample(folder, root):
    """Intel's demonstration set, under its own root and under the real one."""
    read = lambda name: (folder / name).read_bytes()
    own = der_of(pem_blocks(read("trustedRootCaCert.pem"))[0])
    question = {"tee": "tdx", "now": seconds("2025-06-01T00:00:00Z"), "quote": read("quote.dat"),
                "tcbinfo": read("tcbInfo.json"), "qeid": read("qeIdentity.json"),
                "tcb_chain": read("tcbSignChain.pem"), "pck_crl": read("intermediateCaCrl.der"),
                "pck_crl_chain": read("pckSignChain.pem"), "root_crl": read("rootCaCrl.der"), "root": root}
    return [("intel-sample", question | {"root": own}), ("intel-sample under Intel's root", question)]


def tdx_bases(testdata):
    root = pathlib.Path(testdata) / "tdx"
    real_chains = {ca: (root / f"collateral/chain-pck-{ca}.pem").read_bytes() for ca in ("platform", "processor")}
    intel = (root / "roots/intel-sgx-root-ca.der").read_bytes()
    out = []
    for case in json.loads((root / "cases-real.json").read_text())["cases"]:
        out.append((case["name"], tdx_question(root, case, root / case["quote"], intel, real_chains)))
    out += intel_sample(root / "intel-sample", intel)
    folder = root / "synthetic"
    quotes = folder / "quotes"
    chains = {"platform": chain_in((quotes / "good-v4.bin").read_bytes()),
              "processor": chain_in(next(quotes.glob("*processor*.bin")).read_bytes())}
    synthetic_root = der_of(pem_blocks((folder / "collateral/chain-tcb.pem").read_bytes())[1])
    for case in json.loads((folder / "cases.json").read_text())["cases"]:
        quote = quotes / f"{case['quote']}.bin"
        question = tdx_question(folder / "collateral", case, quote, synthetic_root, chains)
        out.append((f"synthetic/{case['name']}", question))
        out.append((f"synthetic/{case['name']} under Intel's root", question | {"root": intel}))
    return out


def quote_parts(quote):
    """Where the parts of a quote lie, by family; only as far as its lengths make sense."""
    version = int.from_bytes(quote[:2], "little")
    at = HEADER + BODY_V4
    parts = {"quote.header": range(HEADER), "quote.body": range(HEADER, at)}
    if version == 5:
        at = HEADER + 6 + int.from_bytes(quote[HEADER + 2:HEADER + 6], "little")
        parts["quote.body"] = range(HEADER + 6, at)
        parts["quote.lengths"] = [*range(HEADER, HEADER + 6)]
    lengths = parts.setdefault("quote.lengths", [])
    lengths += range(at, at + 4)
    at += 4
    parts["quote.signature"] = range(at, at + 64)
    parts["quote.attestation-key"] = range(at + 64, at + 128)
    lengths += range(at + 128, at + 134)
    at += 134
    parts["quote.qe-report"] = range(at, at + REPORT_SGX)
    parts["quote.qe-signature"] = range(at + REPORT_SGX, at + REPORT_SGX + 64)
    at += REPORT_SGX + 64
    auth = int.from_bytes(quote[at:at + 2], "little")
    lengths += range(at, at + 2)
    parts["quote.qe-auth"] = range(at + 2, at + 2 + auth)
    at += 2 + auth
    lengths += range(at, at + 6)
    size = int.from_bytes(quote[at + 2:at + 6], "little")
    names = ("quote.pck", "quote.ca", "quote.root")
    parts |= dict(zip(names, pem_ranges(quote, at + 6, at + 6 + size)))
    parts["quote.padding"] = range(at + 6 + size, len(quote))
    return {family: where for family, where in parts.items() if len(where) > 0 and where[-1] < len(quote)}


def mutate_quote(rng, question):
    quote = question["quote"]
    parts = quote_parts(quote)
    family = rng.choice([*parts, "quote.length", "quote.scalar"])
    if family == "quote.length":
        return family, {"quote": resized(rng, quote)}
    if family == "quote.scalar" and "quote.signature" in parts and "quote.qe-signature" in parts:
        at = parts[rng.choice(("quote.signature", "quote.qe-signature"))].start + rng.choice((0, 32))
        scalar = other_scalar(rng, P256_ORDER, 32, int.from_bytes(quote[at:at + 32], "big"))
        return family, {"quote": quote[:at] + scalar.to_bytes(32, "big") + quote[at + 32:]}
    if family not in parts:
        return "quote.length", {"quote": resized(rng, quote)}
    return family, {"quote": flipped(rng, quote, parts[family])}


def mutate_json(rng, text):
    """Changes to a signed document that are more than a flipped byte."""
    first = text.index(b"{") + 1 if b"{" in text else 0
    key = text[first:].split(b":", 1)[0].strip()
    changes = (
        ("space-outside", b" \n" + text + b"\n "),
        ("space-inside", text.replace(b",", b", ", 1)),
        ("duplicate-member", text[:first] + key + b":{}," + text[first:]),
        ("extra-member", text[:first] + b'"other":{"tcbInfo":{}},' + text[first:]),
        ("case-of-names", text.replace(b'"signature"', b'"Signature"')),
        ("signature-case", text[:-140] + text[-140:].upper().replace(b'"SIGNATURE"', b'"signature"')),
        ("trailing", text + b"{}"),
    )
    return changes[rng.randrange(len(changes))]


def mutate_tdx(rng, question, bases):
    kind = rng.random()
    if kind < 0.5:
        return mutate_quote(rng, question)
    if kind < 0.8:
        part = rng.choice(("tcbinfo", "qeid", "tcb_chain", "pck_crl", "root_crl", "pck_crl_chain"))
        what = rng.random()
        if part in ("tcbinfo", "qeid") and what < 0.3:
            change, text = mutate_json(rng, question[part])
            return f"{part}.{change}", {part: text}
        if what < 0.4:
            return f"{part}.length", {part: resized(rng, question[part])}
        if part.endswith("_chain"):
            blocks = dict(zip(("issuer", "root"), pem_ranges(question[part], 0, len(question[part]))))
            block = rng.choice([*blocks])
            return f"{part}.{block}", {part: flipped(rng, question[part], blocks[block])}
        return f"{part}.bytes", {part: flipped(rng, question[part], range(len(question[part])))}
    if kind < 0.92:
        part = rng.choice(("tcbinfo", "qeid", "tcb_chain", "pck_crl", "root_crl", "quote"))
        return swapped(rng, part, bases)
    return "clock", {"now": question["now"] + rng.randrange(-3 * 365, 3 * 365) * DAY}


# --- Both ----------------------------------------------------------------------------------------------------------

TEES = {"snp": (snp_bases, mutate_snp), "tdx": (tdx_bases, mutate_tdx)}


def as_is(tee, testdata):
    return [{"name": name, "bases": [name], "family": AS_IS, "question": question}
            for name, question in TEES[tee][0](testdata)]


def mutations(tee, bases, seed, fertile):
    """Without end. Most are of the `fertile` cases, since changing what everybody refuses anyway shows little."""
    mutate = TEES[tee][1]
    rng = random.Random(f"{tee}/{seed}")
    pairs = [(case["name"], case["question"]) for case in bases]
    good = [pair for pair in pairs if pair[0] in fertile]
    for number in itertools.count():
        name, question = rng.choice(good if good and rng.random() < 0.9 else pairs)
        family, changes, *other = mutate(rng, question, pairs)
        yield {"name": f"{name} #{number}", "bases": [name, *other], "family": family,
               "question": question | changes}
