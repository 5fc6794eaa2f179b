import { readFile, stat } from "node:fs/promises";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { expect, test } from "vitest";
import { certificateAuthority } from "./certificates.ts";

test("a certificate is signed by its authority, for its hosts, and matches its key", async () => {
  await using authority = await certificateAuthority();
  const { cert, key, keyFile } = await authority.issue("server", { hosts: ["localhost", "127.0.0.1", "::1"] });
  const x509 = new X509Certificate(cert);
  expect(x509.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
  expect(x509.checkHost("localhost")).toBe("localhost");
  expect(x509.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(x509.checkHost("elsewhere")).toBeUndefined();
  expect(x509.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
});

test("a key with a passphrase can be read only with it", async () => {
  await using authority = await certificateAuthority();
  const { keyFile } = await authority.issue("client", { passphrase: "open-sesame" });
  const key = await readFile(keyFile, "utf8");
  expect(createPrivateKey({ key, passphrase: "open-sesame" }).type).toBe("private");
  // One wrong passphrase in 256 decrypts to bytes that end like a padding, and OpenSSL then reports a different error.
  expect(() => createPrivateKey({ key, passphrase: "wrong" })).toThrow(/decrypt|unsupported/);
});
