import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, query } from "../../src/postgres/connection.ts";
import { createSlot } from "../../src/postgres/slot.ts";
import { openStream } from "../../src/postgres/stream.ts";
import { connectFirst, type TlsSettings } from "../../src/postgres/tls.ts";
import { decode } from "../../src/wal/decode.ts";
import { certificateAuthority } from "../stack/certificates.ts";
import { until } from "../stack/until.ts";
import { failure } from "./follow.ts";
import { type SecuredPostgres, securedPostgres } from "./secured.ts";

const run = promisify(execFile);
const openssl = (...args: readonly string[]) => run("openssl", [...args]);

let server: SecuredPostgres;
beforeAll(async () => {
  server = await securedPostgres(["127.0.0.1"]);
});
afterAll(() => server[Symbol.asyncDispose]());

const session = { applicationName: "test" };

function settings(mode: TlsSettings["mode"], more: Partial<TlsSettings> = {}): TlsSettings {
  return { mode, rootCert: undefined, cert: undefined, key: undefined, password: undefined, ...more };
}

type Role = Parameters<SecuredPostgres["options"]>[0];

/** Is this session encrypted with TLS? */
async function encrypted(tls: TlsSettings, role: Role = "secure", host?: string): Promise<boolean> {
  const { client } = await connectFirst(server.options(role, host), tls, session);
  try {
    const sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    const [row] = await query<{ ssl: string }>(client, "asking", sql);
    return row?.ssl === "t";
  } finally {
    await client.end();
  }
}

describe("a server that accepts the role only with TLS", () => {
  test.each(["allow", "prefer", "require"] as const)("is reached with %s", async (mode) => {
    expect(await encrypted(settings(mode))).toBe(true);
  });

  test("is reached with verify-ca by any name, and with verify-full by the name in its certificate", async () => {
    const rootCert = server.authority.caFile;
    expect(await encrypted(settings("verify-ca", { rootCert }), "secure", "localhost")).toBe(true);
    expect(await encrypted(settings("verify-full", { rootCert }))).toBe(true);
  });

  test("is refused with disable, and the error says what to set", async () => {
    expect(await failure(encrypted(settings("disable")))).toMatchObject({
      code: "postgres-refused",
      message: expect.stringMatching(/no encryption .*\(database\.sslmode disable\)$/),
      next: "set database.sslmode to require or verify-full: the server only accepts TLS",
    });
  });

  test("is refused if its certificate is from another authority or for another name", async () => {
    await using other = await certificateAuthority("Another authority");
    const wrong = settings("verify-full", { rootCert: other.caFile });
    expect(await failure(encrypted(wrong))).toMatchObject({
      code: "postgres-refused",
      next: expect.stringMatching(/^set database\.sslrootcert to the certificate of the authority/),
    });
    const unknown = settings("verify-full");
    expect(await failure(encrypted(unknown))).toMatchObject({ next: expect.stringMatching(/database\.sslrootcert/) });
    const named = settings("verify-full", { rootCert: server.authority.caFile });
    expect(await failure(encrypted(named, "secure", "localhost"))).toMatchObject({
      code: "postgres-refused",
      message: expect.stringMatching(/altnames/),
      next: expect.stringMatching(/^set database\.hostname to a name in the server's certificate/),
    });
  });

  test("is not tried again without TLS if the password is wrong", async () => {
    const options = { ...server.options("secure"), password: "wrong" };
    expect(await failure(connectFirst(options, settings("prefer"), session))).toMatchObject({
      code: "postgres-refused",
      message: expect.stringMatching(/28P01/),
    });
  });

  test("sends the log of a slot over TLS, with the options of the first session", async () => {
    const rootCert = server.authority.caFile;
    const verified = settings("verify-full", { rootCert });
    const { client, options } = await connectFirst(server.options("secure"), verified, session);
    const admin = await connect(server.admin, session);
    try {
      await admin.query("CREATE TABLE public.t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE public.t");
      const start = await createSlot(client, "over_tls", { observer: admin, onWait: () => {} });
      await using stream = await openStream({
        connection: options,
        slot: "over_tls",
        publication: "p",
        start,
        wake() {},
      });
      const [walsender] = await query<{ ssl: string }>(
        admin,
        "asking",
        "SELECT s.ssl FROM pg_replication_slots r JOIN pg_stat_ssl s ON s.pid = r.active_pid WHERE slot_name = 'over_tls'",
      );
      expect(walsender).toEqual({ ssl: "t" });
      await admin.query("INSERT INTO public.t VALUES (1)");
      const inserted = await until(() => {
        const item = stream.read();
        return item?.kind === "data" && decode(item.bytes).kind === "insert";
      }, "the row comes");
      expect(inserted).toBe(true);
    } finally {
      await client.end();
      await admin.end();
    }
  });
});

describe("a client certificate", () => {
  test("opens the session, with a key in PEM, encrypted, in PKCS #8 (as for Java), or in PKCS #12 with its certificate", async () => {
    const { authority } = server;
    const plain = await authority.issue("certified");
    const cert = plain.certFile;
    expect(await encrypted(settings("require", { cert, key: plain.keyFile }), "certified")).toBe(true);
    const der = join(authority.folder, "key.pk8");
    await openssl("pkcs8", "-topk8", "-nocrypt", "-in", plain.keyFile, "-outform", "DER", "-out", der);
    const certDer = join(authority.folder, "cert.der");
    await openssl("x509", "-in", cert, "-outform", "DER", "-out", certDer);
    expect(await encrypted(settings("require", { cert: certDer, key: der }), "certified")).toBe(true);
    const p12 = join(authority.folder, "both.p12");
    await openssl("pkcs12", "-export", "-in", cert, "-inkey", plain.keyFile, "-passout", "pass:hunter2", "-out", p12);
    expect(await encrypted(settings("prefer", { key: p12, password: "hunter2" }), "certified")).toBe(true);
    const locked = await authority.issue("certified", { passphrase: "hunter2" });
    const secret = settings("verify-ca", {
      rootCert: authority.caFile,
      cert: locked.certFile,
      key: locked.keyFile,
      password: "hunter2",
    });
    expect(await encrypted(secret, "certified")).toBe(true);
    expect(await failure(encrypted({ ...secret, password: "wrong" }, "certified"))).toMatchObject({
      code: "config-invalid",
      message: expect.stringMatching(
        /^\[config-invalid\] database\.sslkey: the file .* or database\.sslpassword is not/,
      ),
    });
  });

  test("is asked for if it is not configured", async () => {
    expect(await failure(encrypted(settings("require"), "certified"))).toMatchObject({
      code: "postgres-refused",
      next: "set database.sslcert and database.sslkey",
    });
  });

  test("is named by key and path if the file is invalid or cannot be read", async () => {
    const none = join(server.authority.folder, "none.pem");
    const key = server.authority.caFile;
    expect(await failure(encrypted(settings("require", { cert: none, key })))).toMatchObject({
      code: "config-invalid",
      message: `[config-invalid] database.sslcert: the file ${none} cannot be read`,
    });
    await writeFile(none, "hello");
    expect(await failure(encrypted(settings("verify-ca", { rootCert: none })))).toMatchObject({
      message: `[config-invalid] database.sslrootcert: the file ${none} is not a certificate in PEM or DER format`,
    });
  });
});

describe("a server that accepts the role only without TLS", () => {
  test.each(["disable", "allow", "prefer"] as const)("is reached with %s", async (mode) => {
    expect(await encrypted(settings(mode), "plain")).toBe(false);
  });

  test("is refused with require, and the error says what to set", async () => {
    expect(await failure(encrypted(settings("require"), "plain"))).toMatchObject({
      code: "postgres-refused",
      next: "set database.sslmode to disable, or allow TLS for this role in pg_hba.conf",
    });
  });
});

describe("a server without TLS", () => {
  test("is reached with prefer, and refused with require", async () => {
    const admin = await connect(server.admin, session);
    await admin.query("ALTER SYSTEM SET ssl = off");
    await admin.query("SELECT pg_reload_conf()");
    await admin.end();
    await until(async () => !(await encrypted(settings("prefer"), "plain")), "the server has turned TLS off");
    expect(await failure(encrypted(settings("require"), "plain"))).toMatchObject({
      code: "postgres-refused",
      next: "turn on ssl on the server, or set database.sslmode to prefer or disable",
    });
  });
});
