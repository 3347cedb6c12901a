#!/usr/bin/env python3
"""Runs the test kit with openssl: each file's verdict against that of "openssl verify".

It fails where they differ, but for the cases of openssl-differs.list, and where one of
those no longer differs. README.md has the format of the files.
"""
import fnmatch
import functools
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime

HERE = os.path.dirname(os.path.abspath(__file__))
PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?-----END [A-Z0-9 ]+-----\n", re.S)
REASONS = {  # the errors of "openssl verify", man openssl-verification-options
    2: "unknown-authority", 18: "unknown-authority", 19: "unknown-authority",
    20: "unknown-authority", 21: "unknown-authority",
    9: "not-yet-valid", 10: "expired", 26: "usage", 62: "name", 47: "name", 48: "name",
    42: "policy", 43: "policy", 23: "revoked",
    3: "revocation-unknown", 11: "revocation-unknown", 12: "revocation-unknown",
}


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def read(path):
    """Returns the headers and the PEM blocks of each section."""
    with open(path, encoding="ascii") as file:
        head, *parts = file.read().split("\n\n[")
    headers = dict(line.split(": ", 1) for line in head.splitlines())
    sections = {}
    for part in parts:
        name, _, body = part.partition("]")
        sections.setdefault(name, []).extend(PEM.findall(body + "\n"))
    return headers, sections


@functools.lru_cache(maxsize=None)
class Certificate:
    def __init__(self, pem):
        self.pem = pem
        _, text = openssl("x509", "-noout", "-subject_hash", "-issuer_hash", "-issuer", "-pubkey", data=pem)
        lines = text.splitlines()
        if len(lines) < 3:
            lines = ["", "", ""]  # openssl cannot read it
        self.subject, self.issuer_hash, self.issuer = lines[:3]
        # Written by openssl, so that a key is its numbers and not its encoding.
        self.key = "".join(PEM.findall(text))


def path_by_names(certs, trusted):
    """Returns what the names of the leaf's issuers lead to, and whether that is a root."""
    found, queue, rooted = [], [certs[0]], False
    while queue:
        cert = queue.pop()
        found.append(cert)
        for other in certs[1:]:
            if other.subject == cert.issuer_hash and other not in found and other not in queue:
                queue.append(other)
                rooted = rooted or other.pem in trusted
    return found, rooted


def verdict(headers, sections):
    certs = [Certificate(pem) for name in ("chain", "known", "root") for pem in sections.get(name, [])]
    path, rooted = path_by_names(certs, sections["root"])
    if not rooted and any(re.search(r"CN ?= ?(TRIAL|ACCEPTATIE) ", cert.issuer) for cert in path):
        return "refuse test-certificate"
    withdrawn = {Certificate(pem).key for pem in sections.get("withdrawn", [])}
    with tempfile.TemporaryDirectory() as folder:
        def file(name, blocks):
            target = os.path.join(folder, name)
            with open(target, "w", encoding="ascii") as out:
                out.write("".join(blocks))
            return target

        seconds = str(int(datetime.fromisoformat(headers["time"].replace("Z", "+00:00")).timestamp()))
        args = ["verify", "-no-CApath", "-no-CAstore", "-attime", seconds, "-show_chain",
                "-CAfile", file("roots", sections["root"])]
        args += ["-untrusted", file("others", sections["chain"][1:] + sections.get("known", []))]
        if headers["purpose"] == "server":
            args += ["-purpose", "sslserver"]
        if "host" in headers:
            args += ["-verify_hostname", headers["host"]]
        if "policy" in headers:
            args += ["-policy", headers["policy"], "-explicit_policy"]
        if headers.get("profile") == "rfc5280":
            args += ["-x509_strict"]
        if headers.get("revocation") == "required":
            args += ["-crl_check_all"]
            if "crl" in sections:
                args += ["-CRLfile", file("lists", sections["crl"])]
        code, output = openssl(*args, file("leaf", sections["chain"][:1]))
    if any(cert.key in withdrawn for cert in path):
        return "refuse withdrawn"
    if code == 0:
        return "accept"
    error = re.search(r"error (\d+) at", output)
    return "refuse " + REASONS.get(int(error.group(1)) if error else 0, "malformed")


def main():
    differs = {}
    with open(os.path.join(HERE, "openssl-differs.list"), encoding="ascii") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                pattern, why = line.strip().split(": ", 1)
                differs[pattern] = why
    failed, agreed, used = 0, 0, set()
    for name in sorted(os.listdir(HERE)):
        if not name.endswith(".txt"):
            continue
        headers, sections = read(os.path.join(HERE, name))
        got, case = verdict(headers, sections), name[:-len(".txt")]
        if got == headers["verdict"]:
            agreed += 1
            if case in differs:
                failed += 1
                print("%s: openssl agrees, so take it off the list" % case)
            continue
        match = [pattern for pattern in differs if fnmatch.fnmatchcase(case, pattern)]
        used.update(match)
        if not match:
            failed += 1
            print("%s: %s is right, and openssl says: %s (%s)" % (case, headers["verdict"], got, headers["comment"]))
    for pattern in sorted(set(differs) - used):
        if "*" in pattern:
            failed += 1
            print("%s: nothing differs, so take it off the list" % pattern)
    print("%d cases agree, %d are listed as different, %d fail" % (agreed, len(used), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
