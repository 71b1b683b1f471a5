#!/usr/bin/env python3
"""Collects seeds for the fuzz targets from the test data: seeds.py OUT makes OUT/TARGET/*.

Beside them are those of tests/fuzz/seeds/TARGET, which are our own. Test data: $PORTCULLIS_TESTDATA, else
../shared/testdata beside the source tree.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_SEED = 64 * 1024  # a parser is not explored by size


class Seeds:
    def __init__(self, out):
        self.out = out
        self.count = 0

    def add(self, target, content):
        if isinstance(content, str):
            content = content.encode()
        if len(content) > MAX_SEED:
            return
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(content).hexdigest()[:16]).write_bytes(content)
        self.count += 1

    def add_files(self, target, files):
        for file in sorted(files):
            self.add(target, file.read_bytes())


def members(value, names):
    """Every value of a member of one of these names, however deep."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in names:
                yield member
            yield from members(member, names)
    elif isinstance(value, list):
        for item in value:
            yield from members(item, names)


def certificates(seeds, data):
    der = sorted(list(data.glob("snp/**/*.der")) + list(data.glob("x509/**/*.der")) + list(data.glob("x509/**/*.crt")))
    seeds.add_files("certificate", der)
    seeds.add_files("crl", sorted([*data.glob("tdx/collateral/*.der"), *data.glob("snp/synthetic/crl/*.der"),
                                   *data.glob("x509/pkits/crls/*.crl")]))
    seeds.add_files("leaf", data.glob("snp/**/v[cl]ek*.der"))
    seeds.add_files("certificate_table", data.glob("snp/exttable-*.bin"))
    seeds.add_files("pem", list(data.glob("x509/**/*.pem"))[:80])


def snp(seeds, data):
    for report in sorted(data.glob("snp/**/report.bin")):
        seeds.add("snp_report", report.read_bytes())
        leaves = [p for name in ("vcek.der", "vlek.der") for p in [report.parent / name] if p.exists()]
        evidence = {"attestation_report": base64.b64encode(report.read_bytes()).decode(),
                    "certificates": [base64.b64encode(p.read_bytes()).decode() for p in leaves]}
        seeds.add("attestation_request", attestation_request(evidence))
    for table in sorted(data.glob("snp/exttable-*.bin")):
        report = data / "snp/milan-v3-vlek-aws/report.bin"
        evidence = {"attestation_report": base64.b64encode(report.read_bytes()).decode(),
                    "auxblob": base64.b64encode(table.read_bytes()).decode()}
        seeds.add("attestation_request", attestation_request(evidence))


def azure(seeds, data):
    seeds.add_files("hcl_report", [*data.glob("tpm/*hcl-report.bin"), *data.glob("snp/*/hcl_report.bin"),
                                   *data.glob("tdx/azure/hcl-report.bin")])
    seeds.add_files("tpm_quote", [*data.glob("tpm/*.msg"), *data.glob("snp/*/quote.msg")])
    seeds.add_files("azure_evidence", [*data.glob("tpm/*evidence-v1.json"), *data.glob("snp/*-azure-vtpm*/evidence.json"),
                                       *data.glob("tdx/azure/evidence-v1.json")])
    seeds.add_files("coco_evidence", data.glob("snp/coco-evidence-json/evidence.json"))
    signature = json.loads((data / "tpm/tpm_evidence.json").read_text())["tpm_quote"]
    seeds.add("tpm_quote", base64.b64decode(signature["signature"]))
    seeds.add("tpm_quote", base64.b64decode(signature["message"]))


def attestation_request(evidence):
    key = json.loads((ROOT / "tests/fuzz/seeds/jwk/p256.json").read_text())
    key["alg"] = "ECDH-ES+A256KW"
    init_data = (ROOT / "tests/fuzz/seeds/init_data/claim.toml").read_text()
    return json.dumps({"init-data": {"format": "toml", "body": init_data},
                       "runtime-data": {"nonce": base64.b64encode(bytes(32)).decode(), "tee-pubkey": key},
                       "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""}})


def measure(seeds, data):
    seeds.add_files("ccel", data.glob("tdx/ccel/*.bin"))
    seeds.add_files("firmware", [*data.glob("snp-measure/ovmf_*.bin"), *data.glob("snp-measure/fw_*.bin")])
    seeds.add_files("id_block", data.glob("snp-measure/id_auth_block.bin"))


def sgx_extension(quote):
    """The value of Intel's extension in the first certificate of a quote; None where there is none."""
    pem = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", quote, re.DOTALL)
    der = base64.b64decode(pem.group(1)) if pem else b""
    at = der.find(bytes.fromhex("06092a864886f84d010d010482"))
    return None if at < 0 else der[at + 15:at + 15 + int.from_bytes(der[at + 13:at + 15], "big")]


def tdx(seeds, data):
    for file in sorted([*data.glob("tdx/quotes/*.bin"), *data.glob("tdx/synthetic/quotes/*.bin")]):
        seeds.add("tdx_quote", file.read_bytes())
        extension = sgx_extension(file.read_bytes())
        if extension:
            seeds.add("tdx_pck", extension)
    for target, name in (("tdx_tcb_info", "tcb*.json"), ("tdx_qe_identity", "qe*.json")):
        seeds.add_files(target, [*data.glob("tdx/collateral/" + name), *data.glob("tdx/synthetic/collateral/" + name)])
    seeds.add_files("collateral_file", sorted([*data.glob("tdx/collateral/*"), *data.glob("snp/**/vcek*.der")]))
    seeds.add_files("issuer_chain", data.glob("tdx/collateral/header-*.txt"))


def jose(seeds, data):
    for file in sorted(list(data.glob("jose/cookbook/**/*.json")) + list(data.glob("wycheproof/json_web_*.json"))):
        text = json.loads(file.read_text())
        for compact in members(text, {"compact", "jws", "jwe"}):
            if isinstance(compact, str):
                seeds.add("jwe" if compact.count(".") == 4 else "jws", compact)
        for flat in members(text, {"json", "json_flat"}):
            seeds.add("jwe" if "ciphertext" in flat else "jws", json.dumps(flat))
    for file in sorted(data.glob("jose/cookbook/jwk/*.json")):
        seeds.add("jwk", file.read_bytes())


def http(seeds, data):
    for case in json.loads((data / "http/battery.json").read_text())["cases"]:
        parts = [case] if "send" in case else case.get("parts", [])
        sent = "".join(part.get("repeat", "") * part.get("count", 0) + part.get("send", "") for part in parts)
        for name, value in {"HOST": "localhost", "GET": "/healthz", "POST": "/kbs/v0/auth", "BIGGET": "/v1/audit",
                            "LEN": "2", "BODYMAX+1": "1048577", "8000xa": "a" * 8000, "1000x0-,": "0-," * 1000}.items():
            sent = sent.replace("{{" + name + "}}", value)
        seeds.add("http_request", sent.encode("latin-1"))
        words = sent.split("\r\n")[0].split(" ")
        if len(words) > 1:
            seeds.add("http_target", words[1].encode("latin-1"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    data = pathlib.Path(os.environ.get("PORTCULLIS_TESTDATA") or ROOT.parent / "shared/testdata")
    if not data.is_dir():
        print(f"fuzz seeds: test data NOT FOUND at {data}; only the small seeds of tests/fuzz/seeds are used", file=sys.stderr)
        sys.exit(1 if os.environ.get("PORTCULLIS_REQUIRE_TESTDATA") else 0)
    seeds = Seeds(out)
    certificates(seeds, data)
    snp(seeds, data)
    azure(seeds, data)
    measure(seeds, data)
    tdx(seeds, data)
    jose(seeds, data)
    http(seeds, data)
    seeds.add_files("json", list(data.glob("json/**/*.json")))
    print(f"fuzz seeds: {seeds.count} files in {out}")


if __name__ == "__main__":
    main()
