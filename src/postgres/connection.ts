import type { ConnectionOptions } from "node:tls";
import { Client, type ClientConfig, DatabaseError } from "pg";
import { type ErrorCode, GuardError } from "../errors.ts";

/**
 * Sessions with PostgreSQL: the settings that all of them share, queries, and the translation of errors to Fieldgate's.
 */

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  readonly database: string;
  readonly ssl?: boolean | ConnectionOptions | undefined;
  /** True by default. */
  readonly keepAlive?: boolean | undefined;
  /** If connecting takes longer, the server counts as down. The default is 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** The server cancels a statement that takes longer, except that of the stream. The default 0 means no limit. */
  readonly queryTimeoutMs?: number | undefined;
}

/**
 * All sessions have the same settings, which take precedence over those of the server, the database and the role. The
 * text format of values is pinned so that a row reads the same in a chunk and in the stream (Debezium pins the same
 * settings). The search path is pinned so that our sessions never run another role's operator or function. It also
 * makes PostgreSQL qualify the names in the types and defaults that we read.
 */
const PINNED: Readonly<Record<string, string>> = {
  client_encoding: "UTF8", // The library has an option of this name but does not send it.
  TimeZone: "UTC",
  DateStyle: "ISO",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  search_path: "pg_catalog",
  // With this, PostgreSQL refuses to read a table if policies would hide rows from it, and runs no policy's function.
  row_security: "off",
  // Constraints of partitions are not evaluated while a statement is planned, because they may call functions.
  constraint_exclusion: "off",
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  default_transaction_isolation: "read committed",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  statement_timeout: "0",
  lock_timeout: "10s",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  jit: "off",
};

/** Like PINNED, for settings that only newer servers have: transaction_timeout was added in PostgreSQL 17. */
export const PIN_NEWER_SETTINGS =
  "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout'";

const CONNECT_TIMEOUT_MS = 10_000;

/** The client library's configuration for a session; `settings` are server parameters besides the pinned ones. */
export function sessionConfig(options: PostgresOptions, session: SessionSettings): ClientConfig {
  const settings = Object.entries({ ...PINNED, ...session.settings });
  return {
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    database: options.database,
    ssl: options.ssl ?? false, // Undefined would make the library read PGSSLMODE.
    application_name: session.applicationName,
    options: settings.map(([name, value]) => `-c ${name}=${value.replaceAll(" ", String.raw`\ `)}`).join(" "),
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: options.keepAlive ?? true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: () => asText },
  };
}

// The library passes text values as strings; we never request the binary format.
function asText(value: string | Buffer): string | Buffer {
  return value;
}

/** The session's name on the server, and its settings besides the ones that all sessions have. */
export interface SessionSettings {
  readonly applicationName: string;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/**
 * Opens a session. Throws the GuardError that `translate` creates. If the session is lost later, its next query fails.
 */
export async function connect(
  options: PostgresOptions,
  { applicationName, settings }: SessionSettings,
): Promise<Client> {
  const { queryTimeoutMs = 0 } = options;
  const own = { statement_timeout: `${queryTimeoutMs}ms`, ...settings };
  const client = new Client(sessionConfig(options, { applicationName, settings: own }));
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(PIN_NEWER_SETTINGS);
  } catch (error) {
    throw translate(error, `connecting to ${nameOf(options)}`);
  }
  return client;
}

/** Server, database and user, for messages; never the password. */
export function nameOf(options: PostgresOptions): string {
  return `${options.host}:${options.port}/${options.database} as ${options.user}`;
}

export type Row = Readonly<Record<string, string | null>>;

/**
 * Runs one statement. All values are returned as PostgreSQL's texts. `doing` describes the work in a GuardError's
 * message.
 */
export async function query<R extends Row>(
  client: Client,
  doing: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  try {
    // Without values, the library uses the simple protocol, in which one text may contain several statements.
    const run = () => (values.length === 0 ? client.query<R>(text) : client.query<R>(text, [...values]));
    return (await inTurn(client, run)).rows;
  } catch (error) {
    throw translate(error, doing);
  }
}

const last = new WeakMap<Client, Promise<unknown>>();

/** One query at a time on each session: a later version of the library no longer queues them itself. */
function inTurn<T>(client: Client, run: () => Promise<T>): Promise<T> {
  const before = last.get(client) ?? Promise.resolve();
  const result = before.then(run);
  last.set(
    client,
    result.catch(() => {}),
  );
  return result;
}

/** The SQLSTATE of the server error that caused this error, even if it has been translated already. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.code;
  return error instanceof GuardError ? sqlState(error.cause) : undefined;
}

/** The first match applies (postgresql.org/docs/current/errcodes-appendix.html explains the states). */
const STATES: readonly (readonly [pattern: RegExp, code: ErrorCode, next?: string])[] = [
  [/^08|^57P|^53|^58|^XX|^40|^57014|^25P0[34]/, "postgres-down"], // temporary: connection, shutdown, resources, timeouts
  [/^55P03/, "postgres-locked"],
  [/^28/, "postgres-refused", "check user, password and pg_hba.conf"],
  [/^3D000/, "postgres-refused", "check the database's name"],
  [/^42501/, "postgres-refused", "grant the right named in the message"],
  [/^55006/, "slot-in-use"],
  [
    /^22021/,
    "postgres-refused",
    "a text is not valid UTF-8, as it may be in a database whose encoding is SQL_ASCII: correct it, then start a new connector with a different name",
  ],
];

/** Errors of the client library and of TLS that a retry cannot fix. */
const REFUSED_WITHOUT_STATE = /^SASL|Password must be|does not support SSL|certificate|altnames/i;

/**
 * Translates errors of PostgreSQL, its client library and the socket to GuardErrors; no other code does. The server's
 * text is kept only if it cannot contain values (`serverText`), or if only a statement of ours that reads no rows was
 * run. An unknown error stops the connector.
 */
export function translate(error: unknown, doing: string, statement: "any" | "our own" = "any"): GuardError {
  if (error instanceof GuardError) return error;
  const state = sqlState(error);
  if (state === undefined) {
    const code = REFUSED_WITHOUT_STATE.test(textOf(error)) ? "postgres-refused" : "postgres-down";
    return new GuardError(code, `${doing}: ${textOf(error)}`, { cause: error });
  }
  const [, code, next] = STATES.find(([pattern]) => pattern.test(state)) ?? [undefined, "postgres-refused" as const];
  const text = statement === "our own" ? textOf(error) : serverText(error, state);
  return new GuardError(code, `${doing}: ${text} (SQLSTATE ${state})`, {
    cause: error,
    ...(next === undefined ? {} : { next }),
  });
}

/** Classes of errors that PostgreSQL itself raises. Their texts name objects but contain no values. */
const NAMES_OBJECTS = /^(?:08|0A|25|26|28|2B|3D|3F|40|42|53|54|55|57|58|F0|XX)/;

/**
 * A function can raise any SQLSTATE with any text, such as a row's value. An error raised within a function, or by a
 * statement with parameters, has a context (`where`), so the text is kept only if there is no context.
 */
function serverText(error: unknown, state: string): string {
  if (state === "55P03") return "another session's lock was not released in time";
  if (state === "57014") return "the statement was cancelled, or took longer than its time limit";
  if (/^2[23]/.test(state)) return "PostgreSQL rejected a value";
  const cause = error instanceof DatabaseError ? error : undefined;
  if (NAMES_OBJECTS.test(state) && cause !== undefined && (cause.where ?? "") === "") return textOf(cause);
  return "PostgreSQL reported an error, whose text may contain values and is not shown";
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return "the connection failed";
  // Connecting to a name with several addresses fails with an AggregateError, which has no message of its own.
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return error.message === "" ? (code ?? error.name) : error.message;
}
