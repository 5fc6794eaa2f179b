import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { connect, type PostgresOptions, sqlState } from "./connection.ts";

/** database.sslmode and the files it uses, as PostgreSQL's JDBC driver (LibPQFactory) means them. */
export interface TlsSettings {
  readonly mode: "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";
  /** Paths. Without rootCert verify-ca and verify-full trust what Node trusts. */
  readonly rootCert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The key's password. */
  readonly password: string | undefined;
}

/** A first session, and the options that opened it: for every other session of the connector, the stream included. */
export interface FirstSession {
  readonly client: Client;
  readonly options: PostgresOptions;
}

/**
 * Opens the first session of a connector: with TLS, without, or in the order `allow` and `prefer` stand for.
 * Throws GuardError "config-invalid" for a file that cannot be used, else as `connect`; what TLS has to do with a
 * refusal is in `next`.
 */
export async function connectFirst(
  options: PostgresOptions,
  tls: TlsSettings,
  session: { readonly applicationName: string },
): Promise<FirstSession> {
  const [first, second] = await attempts(tls);
  try {
    return await open({ ...options, ssl: first }, session);
  } catch (error) {
    if (second === undefined || !mayDiffer(error)) throw explained(error, tls);
  }
  try {
    return await open({ ...options, ssl: second }, session);
  } catch (error) {
    throw explained(error, tls);
  }
}

async function open(options: PostgresOptions, session: { readonly applicationName: string }): Promise<FirstSession> {
  return { client: await connect(options, session), options };
}

type Ssl = false | ConnectionOptions;

async function attempts(tls: TlsSettings): Promise<readonly [first: Ssl, second?: Ssl]> {
  switch (tls.mode) {
    case "disable":
      return [false];
    case "allow":
      return [false, await encrypted(tls)];
    case "prefer":
      return [await encrypted(tls), false];
    case "require":
    case "verify-ca":
    case "verify-full":
      return [await encrypted(tls)];
    default:
      return tls.mode satisfies never;
  }
}

/** No TLS at the other end, or its pg_hba.conf wants it the other way: the second attempt is for these. */
function mayDiffer(error: unknown): boolean {
  return sqlState(error) === "28000" || (error instanceof Error && /does not support SSL/.test(error.message));
}

async function encrypted(tls: TlsSettings): Promise<ConnectionOptions> {
  const verified = tls.mode === "verify-ca" || tls.mode === "verify-full";
  const ca = verified ? await certificates("database.sslrootcert", tls.rootCert) : undefined;
  return {
    rejectUnauthorized: verified,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(tls.mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
    ...(await identity(tls)),
  };
}

async function identity(tls: TlsSettings): Promise<ConnectionOptions> {
  const passphrase = tls.password;
  if (tls.key !== undefined && /\.(p12|pfx)$/i.test(tls.key)) {
    const pfx = await bytesOf("database.sslkey", tls.key);
    return { pfx, ...(passphrase === undefined ? {} : { passphrase }) };
  }
  const cert = await certificates("database.sslcert", tls.cert);
  if (cert === undefined || tls.key === undefined) return {};
  return { cert: cert.join("\n"), key: await privateKey(tls.key, passphrase) };
}

async function certificates(key: string, path: string | undefined): Promise<readonly string[] | undefined> {
  if (path === undefined) return undefined;
  const bytes = await bytesOf(key, path);
  const pem = bytes.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    return (pem ?? [bytes]).map((one) => new X509Certificate(one).toString());
  } catch (cause) {
    throw unusable(key, path, "is no certificate in PEM or DER form", cause);
  }
}

async function privateKey(path: string, passphrase: string | undefined): Promise<string> {
  const bytes = await bytesOf("database.sslkey", path);
  const isPem = bytes.includes("-----BEGIN");
  const secret = passphrase === undefined ? {} : { passphrase };
  try {
    const key = createPrivateKey(
      isPem ? { key: bytes, format: "pem", ...secret } : { key: bytes, format: "der", type: "pkcs8", ...secret },
    );
    return key.export({ format: "pem", type: "pkcs8" }).toString();
  } catch (cause) {
    const why = "is no private key in PEM or PKCS #8 form, or database.sslpassword is not its password";
    throw unusable("database.sslkey", path, why, cause);
  }
}

async function bytesOf(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(key, path, "cannot be read", cause);
  }
}

function unusable(key: string, path: string, why: string, cause: unknown): GuardError {
  return new GuardError("config-invalid", `${key}: the file ${path} ${why}`, { cause, next: `correct ${key}` });
}

/** What the server or TLS said, and the key that cures it. */
const CURES: readonly (readonly [said: RegExp, next: string])[] = [
  [/no encryption|SSL off/, "set database.sslmode to require or verify-full: the server takes TLS only"],
  [/SSL encryption|SSL on/, "set database.sslmode to disable, or allow TLS for this role in pg_hba.conf"],
  [/does not support SSL/, "turn on ssl at the server, or set database.sslmode to prefer or disable"],
  [/valid client certificate|certificate authentication failed/, "set database.sslcert and database.sslkey"],
  [/altnames|does not match/i, "set database.hostname to a name of the server's certificate, or use verify-ca"],
  [/expired/i, "renew the server's certificate"],
  [
    /self.signed|issuer|verify the first|unable to get|certificate/i,
    "set database.sslrootcert to the certificate of the authority that signed the server's",
  ],
];

function explained(error: unknown, tls: TlsSettings): unknown {
  if (!(error instanceof GuardError) || error.code !== "postgres-refused") return error;
  const [, next] = CURES.find(([said]) => said.test(error.message)) ?? [];
  if (next === undefined) return error;
  const message = error.message.slice(error.message.indexOf("]") + 2);
  return new GuardError("postgres-refused", `${message} (database.sslmode ${tls.mode})`, { cause: error.cause, next });
}
