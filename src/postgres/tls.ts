import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { connect, type PostgresOptions, sqlState } from "./connection.ts";

/**
 * Opens the first session of a connector according to `database.sslmode`. This finds out whether the server uses TLS;
 * all later sessions use the same options.
 */

/** database.sslmode and the files it uses, with the same meaning as in PostgreSQL's JDBC driver (LibPQFactory). */
export interface TlsSettings {
  readonly mode: "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";
  /** A path, as are the next two. Without it, verify-ca and verify-full trust the authorities that Node trusts. */
  readonly rootCert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The password of the key file. */
  readonly password: string | undefined;
}

/**
 * The first session and the options that opened it. All other sessions of the connector use them, including the stream.
 */
export interface FirstSession {
  readonly client: Client;
  readonly options: PostgresOptions;
}

/**
 * Opens the first session of a connector, with or without TLS. `allow` and `prefer` try both, each in its own order.
 * Throws GuardError "config-invalid" for a file that cannot be used, and otherwise what `connect` throws. If TLS is the
 * reason, `next` says which setting to change.
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
    if (second === undefined || !isWorthSecondAttempt(error)) throw explainTls(error, tls);
  }
  try {
    return await open({ ...options, ssl: second }, session);
  } catch (error) {
    throw explainTls(error, tls);
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

/**
 * True if the server has no TLS, or if its pg_hba.conf rejects this kind of connection. Only in these cases is a second
 * attempt useful.
 */
function isWorthSecondAttempt(error: unknown): boolean {
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
    throw unusable(key, path, "is not a certificate in PEM or DER format", cause);
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
    const why = "is not a private key in PEM or PKCS #8 format, or database.sslpassword is not its password";
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

/** What to do about a message from the server or from TLS. The first match applies. */
const FIXES: readonly (readonly [message: RegExp, next: string])[] = [
  [/no encryption|SSL off/, "set database.sslmode to require or verify-full: the server only accepts TLS"],
  [/SSL encryption|SSL on/, "set database.sslmode to disable, or allow TLS for this role in pg_hba.conf"],
  [/does not support SSL/, "turn on ssl on the server, or set database.sslmode to prefer or disable"],
  [/valid client certificate|certificate authentication failed/, "set database.sslcert and database.sslkey"],
  [
    /altnames|does not match/i,
    "set database.hostname to a name in the server's certificate, or set database.sslmode to verify-ca",
  ],
  [/expired/i, "renew the server's certificate"],
  [
    /self.signed|issuer|verify the first|unable to get|certificate/i,
    "set database.sslrootcert to the certificate of the authority that signed the server's certificate",
  ],
];

function explainTls(error: unknown, tls: TlsSettings): unknown {
  if (!(error instanceof GuardError) || error.code !== "postgres-refused") return error;
  const [, next] = FIXES.find(([message]) => message.test(error.text)) ?? [];
  if (next === undefined) return error;
  return new GuardError("postgres-refused", `${error.text} (database.sslmode ${tls.mode})`, {
    cause: error.cause,
    next,
  });
}
