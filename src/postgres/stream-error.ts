import { GuardError } from "../errors.ts";
import { connect, nameOf, type PostgresOptions, sqlState, translate } from "./connection.ts";
import { quoteIdentifier } from "../table/quote.ts";
import { readSlot } from "./slot.ts";

interface Reading {
  readonly connection: PostgresOptions;
  readonly slot: string;
}

/** Why a slot cannot be read: `slot-in-use`, naming the reader, `slot-lost`, `replication-right`, or any other code. */
export async function streamError(error: unknown, options: Reading): Promise<GuardError> {
  const translated = translate(error, `reading slot ${options.slot} of ${nameOf(options.connection)}`);
  switch (sqlState(translated)) {
    case "55006":
      return new GuardError("slot-in-use", `slot ${options.slot} is read by ${await readerOf(options)}`, {
        cause: error,
        next: "stop that reader, or wait until it ends",
      });
    case "42501":
      return recode(
        "replication-right",
        translated,
        `ALTER ROLE ${quoteIdentifier(options.connection.user)} REPLICATION`,
      );
    case "42704":
    case "55000":
      return recode("slot-lost", translated);
    default:
      return translated;
  }
}

/**
 * Why a stream that had begun has ended. Before version 18, PostgreSQL looks the publication up as of each change in the
 * log. It fails with 42704 at a change of any table from a time in which no publication had this name, even if one has
 * it now.
 */
export function endOfStream(error: unknown, options: Reading & { readonly publication: string }): GuardError {
  const doing = `reading slot ${options.slot} of ${nameOf(options.connection)}`;
  const translated = translate(error, doing);
  if (sqlState(translated) !== "42704") return translated;
  const why = `publication ${options.publication} did not exist when a change in the log was written (SQLSTATE 42704)`;
  return new GuardError("log-unreadable", `${doing}: ${why}`, { cause: error, next: UNREADABLE_NEXT });
}

const UNREADABLE_NEXT = "nothing: Fieldgate reads on behind this part of the log and publishes all rows again";

function recode(
  code: "replication-right" | "slot-lost" | "log-unreadable",
  error: GuardError,
  next?: string,
): GuardError {
  return new GuardError(code, error.text, { cause: error.cause, ...(next === undefined ? {} : { next }) });
}

/** The reader may have disconnected before we look. */
async function readerOf(options: Reading): Promise<string> {
  try {
    const client = await connect(options.connection, { applicationName: "fieldgate" });
    try {
      const slot = await readSlot(client, options.slot);
      if (slot?.activePid === undefined) return "a session that has just ended";
      return `pid ${slot.activePid} (${slot.activeApplication || "no application name"})`;
    } finally {
      await client.end();
    }
  } catch {
    return "another session";
  }
}
