import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { type Lsn, parseLsn } from "../wal/lsn.ts";
import { query, sqlState, translate } from "./connection.ts";
import { blockersOf, type Session } from "./session.ts";

/**
 * Replication slots: reading, creating and dropping them, and ending the session that reads one. Creating a slot can
 * take long, because it waits for all open transactions, so it reports what it is waiting for.
 */

/** A logical replication slot as pg_replication_slots shows it. */
export interface Slot {
  readonly name: string;
  readonly plugin: string;
  readonly database: string;
  readonly active: boolean;
  /** Process id of the backend that is reading it. */
  readonly activePid: number | undefined;
  readonly activeApplication: string | undefined;
  /** Everything before this position has been acknowledged: reading starts here or later. */
  readonly confirmedFlush: Lsn;
  /** Where the oldest log that the slot keeps starts. */
  readonly restartLsn: Lsn | undefined;
  /** `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string;
}

/** How far a slot is from being lost: by the log that it keeps, and by the time since it was last read. */
export interface SlotRoom {
  /** As in Slot. */
  readonly walStatus: string;
  /** Bytes of log that it keeps. */
  readonly kept: bigint;
  /**
   * Bytes of log that can be written before it may be lost (max_slot_wal_keep_size); undefined if there is no limit, or
   * if the slot is lost.
   */
  readonly safe: bigint | undefined;
  /**
   * Milliseconds since it was last read, and the number after which it is lost (idle_replication_slot_timeout, since
   * PostgreSQL 18); undefined while it is read, and if there is no limit.
   */
  readonly idle: { readonly ms: number; readonly limit: number } | undefined;
}

interface SlotRow extends Readonly<Record<string, string | null>> {
  readonly slot_type: string;
  readonly plugin: string | null;
  readonly database: string | null;
  readonly active: string;
  readonly active_pid: string | null;
  readonly application_name: string | null;
  readonly confirmed_flush_lsn: string | null;
  readonly restart_lsn: string | null;
  readonly wal_status: string | null;
}

/**
 * Returns undefined if no slot has this name. Throws GuardError: "slot-exists" for a physical slot, and "slot-in-use"
 * while another session is still creating the slot.
 */
export async function readSlot(client: Client, name: string): Promise<Slot | undefined> {
  const [row] = await query<SlotRow>(
    client,
    `reading slot ${name}`,
    `SELECT s.slot_type, s.plugin, s.database, s.active, s.active_pid, a.application_name,
            s.confirmed_flush_lsn, s.restart_lsn, s.wal_status
       FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
      WHERE s.slot_name = $1`,
    [name],
  );
  if (row === undefined) return undefined;
  const confirmedFlush = parseLsn(row.confirmed_flush_lsn ?? "");
  if (row.slot_type !== "logical") {
    throw new GuardError("slot-exists", `slot ${name} is ${row.slot_type} and has no confirmed position`, {
      next: "choose another name with slot.name",
    });
  }
  // Creating a slot waits for every transaction that was open at the start, and continues even if the client was killed.
  if (confirmedFlush === undefined) {
    throw new GuardError("slot-in-use", `slot ${name} is being created by pid ${row.active_pid ?? "unknown"}`, {
      next: "wait: the slot is created once all transactions that were open at the start have ended",
    });
  }
  return {
    name,
    plugin: row.plugin ?? "",
    database: row.database ?? "",
    active: row.active === "t",
    activePid: row.active_pid === null ? undefined : Number(row.active_pid),
    activeApplication: row.application_name ?? undefined,
    confirmedFlush,
    restartLsn: parseLsn(row.restart_lsn ?? ""),
    walStatus: row.wal_status ?? "lost",
  };
}

/** Returns undefined if no slot has this name. */
export async function readSlotRoom(client: Client, name: string): Promise<SlotRoom | undefined> {
  const [row] = await query<Readonly<Record<"wal_status" | "kept" | "safe" | "idle" | "idle_limit", string | null>>>(
    client,
    `reading how much log slot ${name} keeps`,
    `SELECT s.wal_status, pg_current_wal_lsn() - s.restart_lsn AS kept, s.safe_wal_size AS safe,
            extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz) AS idle,
            extract(epoch FROM current_setting('idle_replication_slot_timeout', true)::interval) AS idle_limit
       FROM pg_replication_slots s WHERE s.slot_name = $1`,
    [name],
  );
  if (row === undefined) return undefined;
  const limit = Number(row.idle_limit ?? 0) * 1000;
  return {
    walStatus: row.wal_status ?? "lost",
    kept: BigInt(row.kept ?? 0),
    safe: row.safe === null ? undefined : BigInt(row.safe),
    idle: row.idle === null || limit === 0 ? undefined : { ms: Number(row.idle) * 1000, limit },
  };
}

export interface SlotWait {
  /** A second session, used to find out what the creation is waiting for. */
  readonly observer: Client;
  /** Called about once a second while the creation waits for transactions that were open when it began. */
  readonly onWait: (blockers: readonly Session[]) => void;
  /** Aborts the creation; the server then drops the unfinished slot. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates a pgoutput slot and returns its consistent point: the first position that can be read from. Waits for every
 * transaction that is open at the start. Removes the time limits of its session, so it needs a session of its own.
 * Throws GuardError("slot-exists") if the name is taken.
 */
export async function createSlot(client: Client, name: string, wait: SlotWait): Promise<Lsn> {
  const [backend] = await query<{ pid: string }>(client, `creating slot ${name}`, WITHOUT_LIMITS);
  const pid = Number(backend?.pid);
  const creation = client.query<{ lsn: string }>("SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput')", [
    name,
  ]);
  using _watch = watchCreation(pid, wait);
  try {
    const point = parseLsn((await creation).rows[0]?.lsn ?? "");
    if (point !== undefined) return point;
  } catch (error) {
    if (sqlState(error) === "42710") {
      throw new GuardError("slot-exists", `slot ${name} exists`, {
        cause: error,
        next: "choose another name with slot.name",
      });
    }
    throw translate(error, `creating slot ${name}`);
  }
  throw new GuardError("postgres-refused", `creating slot ${name}: PostgreSQL returned no consistent point`);
}

/** Waiting for transactions uses locks, so either limit would cancel the creation while one of them is open. */
const WITHOUT_LIMITS = `
  SELECT pg_backend_pid() AS pid, set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)`;

const WATCH_EVERY_MS = 1000;

function watchCreation(pid: number, wait: SlotWait): Disposable {
  const timer = setInterval(() => {
    blockersOf(wait.observer, pid).then(
      (blockers) => blockers.length > 0 && wait.onWait(blockers),
      () => {}, // This only explains the wait. If the connection is lost, the creation itself fails.
    );
  }, WATCH_EVERY_MS);
  const cancel = (): void => {
    query(wait.observer, "cancelling the creation of a slot", "SELECT pg_cancel_backend($1)", [pid]).catch(() => {});
  };
  wait.signal?.addEventListener("abort", cancel);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      wait.signal?.removeEventListener("abort", cancel);
    },
  };
}

/** Drops the slot if it exists. Throws GuardError("slot-in-use") while a session reads it. */
export async function dropSlot(client: Client, name: string): Promise<void> {
  try {
    await client.query("SELECT pg_drop_replication_slot($1)", [name]);
  } catch (error) {
    if (sqlState(error) !== "42704") throw translate(error, `dropping slot ${name}`);
  }
}

const RELEASE_WITHIN_MS = 5000;

/**
 * Ends the session that reads the slot, waits until the slot is free, and returns whether it is. The role must be that
 * of the session, or have pg_signal_backend.
 */
export async function terminateReader(client: Client, name: string): Promise<boolean> {
  const [row] = await query<{ free: string | null }>(
    client,
    `ending the reader of slot ${name}`,
    `SELECT pg_terminate_backend(active_pid, ${RELEASE_WITHIN_MS}) AS free
       FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL`,
    [name],
  );
  return row === undefined || row.free === "t";
}
