import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { type Lsn, parseLsn } from "../wal/lsn.ts";
import { query } from "./connection.ts";
import { quoteIdentifier } from "../table/quote.ts";

/**
 * Checks at start whether changes can be captured from a server: its version, whether it is a primary, wal_level, and
 * the right to replicate. Also reads what identifies the server, for comparison with the state.
 */

/** Identifies the server, and says how far its log goes. */
export interface SourceFacts {
  /** pg_control_system().system_identifier: the same on every copy of one cluster. */
  readonly systemId: string;
  /** The timeline that is currently written. A promotion starts a new one. */
  readonly timeline: number;
  /** server_version_num, e.g. 180004. */
  readonly version: number;
  readonly database: string;
  /** The database's encoding, such as UTF8. */
  readonly encoding: string;
  /** The end of the log that has been flushed to disk. */
  readonly end: Lsn;
}

/** PostgreSQL 14 is the first version whose pgoutput sends logical messages, and marks are logical messages. */
const OLDEST_VERSION = 140_000;

interface FactsRow extends Readonly<Record<string, string | null>> {
  readonly version: string;
  readonly wal_level: string;
  readonly standby: string;
  readonly may_replicate: string;
  readonly role: string;
  readonly database: string;
  readonly encoding: string;
}

interface PlaceRow extends Readonly<Record<string, string | null>> {
  readonly system_id: string;
  readonly timeline: string;
  readonly wal_end: string;
}

/**
 * Throws GuardError if the server cannot be captured from: "postgres-refused" (older than 14), "source-is-standby",
 * "wal-level" or "replication-right", each with how to fix it.
 */
export async function checkSource(client: Client): Promise<SourceFacts> {
  const [facts] = await query<FactsRow>(client, "checking the source", FACTS);
  if (facts === undefined) throw new GuardError("postgres-refused", "checking the source: no answer");
  refuseUnfit(facts);
  const [place] = await query<PlaceRow>(client, "checking the source", PLACE);
  const end = parseLsn(place?.wal_end ?? "");
  if (place === undefined || end === undefined) {
    throw new GuardError("postgres-refused", "checking the source: the server did not report the end of its log");
  }
  return {
    systemId: place.system_id,
    timeline: Number.parseInt(place.timeline, 16),
    version: Number(facts.version),
    database: facts.database,
    encoding: facts.encoding,
    end,
  };
}

const FACTS = `
  SELECT current_setting('server_version_num') AS version, current_setting('wal_level') AS wal_level,
         pg_is_in_recovery() AS standby, current_user AS role, current_database() AS database,
         current_setting('server_encoding') AS encoding,
         (rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_roles r
            WHERE r.rolname = 'rds_replication' AND pg_has_role(current_user, r.oid, 'member'))) AS may_replicate
    FROM pg_roles WHERE rolname = current_user`;

// The name of a log file starts with its timeline. The control file cannot be used: it has the timeline of the last
// checkpoint, which is still the old one after a promotion.
const PLACE = `
  SELECT system_identifier AS system_id, pg_current_wal_flush_lsn() AS wal_end,
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline
    FROM pg_control_system()`;

function refuseUnfit(facts: FactsRow): void {
  if (Number(facts.version) < OLDEST_VERSION) {
    throw new GuardError(
      "postgres-refused",
      `server_version_num is ${facts.version}; PostgreSQL 14 or later is required`,
      {
        next: "upgrade the server",
      },
    );
  }
  if (facts.standby === "t") {
    throw new GuardError("source-is-standby", "the source is in recovery", {
      next: "set database.hostname to the primary",
    });
  }
  if (facts.wal_level !== "logical") {
    throw new GuardError("wal-level", `wal_level is ${facts.wal_level}; logical is required`, {
      next: "ALTER SYSTEM SET wal_level = 'logical'; then restart the server (RDS: rds.logical_replication = 1)",
    });
  }
  if (facts.may_replicate !== "t") {
    throw new GuardError("replication-right", `role ${facts.role} may not replicate`, {
      next: `ALTER ROLE ${quoteIdentifier(facts.role)} REPLICATION; (RDS: GRANT rds_replication TO ${quoteIdentifier(facts.role)};)`,
    });
  }
}
