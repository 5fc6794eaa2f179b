import type { ConnectionOptions } from "node:tls";
import { Client, type ClientConfig, DatabaseError } from "pg";
import { type ErrorCode, GuardError } from "../errors.ts";

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  readonly database: string;
  readonly ssl?: boolean | ConnectionOptions | undefined;
  /** Default true. */
  readonly keepAlive?: boolean | undefined;
  /** Connecting longer than this counts as down. Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** A statement that takes longer is ended by the server; not the stream's. Default 0: no limit. */
  readonly queryTimeoutMs?: number | undefined;
}

/**
 * What decides the text of a value is the same in every session, so a chunk's rows equal the stream's (section 2.6
 * of Debezium's documentation pins the same ones). The search path is pinned so that no other role's operator or
 * function is picked up; names in our SQL, and in the types and defaults we read, are qualified.
 */
const PINNED: Readonly<Record<string, string>> = {
  client_encoding: "UTF8", // the library does not send its own setting of this name
  TimeZone: "UTC",
  DateStyle: "ISO",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  search_path: "pg_catalog",
};

const CONNECT_TIMEOUT_MS = 10_000;

/** The library's settings for a session; `settings` are server parameters in addition to the pinned ones. */
export function sessionConfig(
  options: PostgresOptions,
  session: { readonly applicationName: string; readonly settings?: Readonly<Record<string, string>> | undefined },
): ClientConfig {
  const settings = Object.entries({ ...PINNED, ...session.settings });
  return {
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    database: options.database,
    ssl: options.ssl ?? false, // undefined would make the library read PGSSLMODE
    application_name: session.applicationName,
    options: settings.map(([name, value]) => `-c ${name}=${value}`).join(" "),
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: options.keepAlive ?? true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: () => asText },
  };
}

// The library hands text values as strings; no binary format is ever asked for.
function asText(value: string | Buffer): string | Buffer {
  return value;
}

/** Opens a session. Throws GuardError as `translate` says. A session lost later fails its next query, not the process. */
export async function connect(
  options: PostgresOptions,
  session: { readonly applicationName: string },
): Promise<Client> {
  const { queryTimeoutMs = 0 } = options;
  const settings = queryTimeoutMs === 0 ? {} : { statement_timeout: `${queryTimeoutMs}ms` };
  const client = new Client(sessionConfig(options, { ...session, settings }));
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw translate(error, `connecting to ${nameOf(options)}`);
  }
  return client;
}

/** Where and as whom, for messages: never the password. */
export function nameOf(options: PostgresOptions): string {
  return `${options.host}:${options.port}/${options.database} as ${options.user}`;
}

export type Row = Readonly<Record<string, string | null>>;

/** Runs one statement; every value comes as PostgreSQL's text. Throws GuardError, `doing` says in what. */
export async function query<R extends Row>(
  client: Client,
  doing: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  try {
    // Without values the simple protocol is used: one text may then hold several statements.
    return values.length === 0 ? (await client.query<R>(text)).rows : (await client.query<R>(text, [...values])).rows;
  } catch (error) {
    throw translate(error, doing);
  }
}

/** The SQLSTATE of the server's error behind this one, also of an error already translated. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.code;
  return error instanceof GuardError ? sqlState(error.cause) : undefined;
}

/** First match decides; the right column says why (postgresql.org/docs/current/errcodes-appendix.html). */
const STATES: readonly (readonly [pattern: RegExp, code: ErrorCode, next?: string])[] = [
  [/^08|^57P|^53|^58|^XX|^40|^57014|^25P0[34]|^55P03/, "postgres-down"], // passes: connection, shutdown, resources, timeouts
  [/^28/, "postgres-refused", "check user, password and pg_hba.conf"],
  [/^3D000/, "postgres-refused", "check the database's name"],
  [/^42501/, "postgres-refused", "grant the right that is named"],
  [/^55006/, "slot-in-use"],
];

/** What the library and TLS say themselves when trying again cannot help. */
const REFUSED_WITHOUT_STATE = /^SASL|Password must be|does not support SSL|certificate|altnames/i;

/**
 * The one place where errors of PostgreSQL, its client library and the socket become ours. The server's text is kept
 * unless its class (22, 23) is about values. Unknown errors stop.
 */
export function translate(error: unknown, doing: string): GuardError {
  if (error instanceof GuardError) return error;
  const state = sqlState(error);
  if (state === undefined) {
    const code = REFUSED_WITHOUT_STATE.test(textOf(error)) ? "postgres-refused" : "postgres-down";
    return new GuardError(code, `${doing}: ${textOf(error)}`, { cause: error });
  }
  const [, code, next] = STATES.find(([pattern]) => pattern.test(state)) ?? [undefined, "postgres-refused" as const];
  const text = /^2[23]/.test(state) ? "a value is refused" : textOf(error);
  return new GuardError(code, `${doing}: ${text} (SQLSTATE ${state})`, {
    cause: error,
    ...(next === undefined ? {} : { next }),
  });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return "the connection failed";
  // Connecting to a name with several addresses fails with an AggregateError, which has no message of its own.
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return error.message === "" ? (code ?? error.name) : error.message;
}
