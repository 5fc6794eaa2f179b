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

function recode(code: "replication-right" | "slot-lost", error: GuardError, next?: string): GuardError {
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
