// Certificates for an evening: an authority of our own, and what it has signed. Made by the `openssl` of the system.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An authority, and a certificate of it for 127.0.0.1: names of files in PEM. */
export class Certificate {
  #folder = mkdtempSync(join(tmpdir(), "roomcast-certificates-"));
  authority = join(this.#folder, "authority.pem");
  signed = join(this.#folder, "signed.pem");
  key = join(this.#folder, "signed.key");

  constructor() {
    const authorityKey = join(this.#folder, "authority.key");
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const openssl = (...words) => execFileSync("openssl", [...made, ...words], { stdio: "pipe" });
    openssl("-subj", "/CN=authority", "-keyout", authorityKey, "-out", this.authority);
    const by = ["-CA", this.authority, "-CAkey", authorityKey];
    const what = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(...by, ...what, "-subj", "/CN=redis", "-keyout", this.key, "-out", this.signed);
  }

  remove() {
    rmSync(this.#folder, { recursive: true });
  }
}
