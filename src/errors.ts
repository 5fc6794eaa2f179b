/**
 * Everything that can go wrong, in one table, which docs/errors.md explains. Expected outcomes are findings, which are
 * values; a GuardError is for problems that stop or delay the work. Each I/O folder translates its library's errors to
 * one of these codes. The fate `retry` means: try again with a growing delay, and acknowledge nothing in the meantime.
 * `stop` means: the connector or the command ends with the message and waits for a person. Messages never contain row
 * values or secrets.
 */
const CODES = {
  usage: { fate: "stop", cause: "the command or request is not understood" },
  "config-invalid": { fate: "stop", cause: "a connector file or environment setting is wrong" },
  "contract-invalid": {
    fate: "stop",
    cause: "a fieldgate.yaml or contract cannot be read, or names an unknown topic",
  },
  "schema-invalid": { fate: "stop", cause: "a text is not a valid Avro schema" },
  unauthorized: { fate: "stop", cause: "no token, or an unknown one" },
  forbidden: { fate: "stop", cause: "the token is valid, but does not allow this" },
  "not-found": { fate: "stop", cause: "the named thing does not exist" },
  refused: { fate: "stop", cause: "the command was understood and refused" },
  starting: { fate: "retry", cause: "a connector has not read its state yet, so the answer is not known" },
  unreachable: { fate: "stop", cause: "the service did not answer the command line" },
  "postgres-down": { fate: "retry", cause: "no connection to PostgreSQL, or it was lost" },
  "postgres-locked": { fate: "retry", cause: "another session held a lock in PostgreSQL for too long" },
  "postgres-refused": { fate: "stop", cause: "PostgreSQL refuses the password, the database or a right" },
  "wal-level": { fate: "stop", cause: "wal_level is not logical" },
  "replication-right": { fate: "stop", cause: "the role does not have the right to replicate" },
  "catalog-behind": { fate: "retry", cause: "a row's transaction is not visible in the catalog yet" },
  "source-is-standby": { fate: "stop", cause: "the source is a standby, where marks cannot be written" },
  "source-changed": { fate: "stop", cause: "server, slot or timeline differ from the ones in the state" },
  "slot-in-use": { fate: "retry", cause: "another session reads the replication slot" },
  "slot-exists": { fate: "stop", cause: "a slot with this name exists, but the state does not know it" },
  "slot-lost": { fate: "stop", cause: "the slot is missing or ahead of the state, so changes have been lost" },
  "log-unreadable": {
    fate: "retry",
    cause: "PostgreSQL 14 to 17 cannot read what was written while the publication did not exist",
  },
  "publication-unfit": {
    fate: "stop",
    cause:
      "the publication is missing, sends none of the captured tables in full, or would make UPDATE and DELETE fail",
  },
  "table-missing": { fate: "stop", cause: "a captured table does not exist or cannot be read" },
  "table-replaced": { fate: "stop", cause: "a captured table was replaced: its name now belongs to a different table" },
  "table-unsupported": {
    fate: "stop",
    cause: "a table cannot be captured as it is: by its key, its columns, or how the log identifies its rows",
  },
  "wal-invalid": { fate: "stop", cause: "pgoutput sent bytes that it should not send" },
  "key-changed": { fate: "stop", cause: "a table's key differs from the key of its events" },
  "value-unfit": { fate: "stop", cause: "a value does not fit the type of its field" },
  "amendment-unsupported": { fate: "stop", cause: "a table has changed in a way that this version cannot withhold" },
  "kafka-down": { fate: "retry", cause: "no broker answers, or the outcome of a commit is unknown" },
  "kafka-refused": { fate: "stop", cause: "Kafka refuses the login, the certificate, an operation or a setting" },
  "kafka-fenced": { fate: "retry", cause: "Kafka fenced this writer: its transaction expired, or another one started" },
  "connector-taken": { fate: "stop", cause: "another instance now runs this connector" },
  "topic-changed": {
    fate: "retry",
    cause: "a topic was deleted, or its settings have changed, while it was written to",
  },
  "topic-unfit": { fate: "stop", cause: "a topic is compacted and takes no record without a key" },
  "topic-missing": { fate: "stop", cause: "a topic does not exist and may not be created" },
  "record-too-large": { fate: "stop", cause: "one change is larger than the topic allows" },
  "state-invalid": { fate: "stop", cause: "a record of the state topic cannot be read" },
  "registry-down": { fate: "retry", cause: "the schema registry does not answer, or not as a registry does" },
  "registry-refused": {
    fate: "stop",
    judging: "retry",
    cause: "the registry refuses the credentials or a schema",
  },
  "registry-changed": { fate: "retry", cause: "the registry lost a schema that flows, and has it under a new id" },
  "subject-unfit": { fate: "stop", cause: "a subject's latest schema is not a Debezium envelope" },
  "event-unreadable": { fate: "stop", cause: "a consumer's reader cannot read an event" },
} as const satisfies Record<string, ErrorRow>;

export type Fate = "retry" | "stop";

interface ErrorRow {
  readonly fate: Fate;
  /**
   * Applies instead of `fate` while the registry is only asked about a withheld field, because rows flow without it in
   * the meantime.
   */
  readonly judging?: Fate;
  readonly cause: string;
}

export type ErrorCode = keyof typeof CODES;

/** The field that a value does not fit. `table` is `schema.table`. */
export interface Unfit {
  readonly table: string;
  readonly field: string;
  readonly isNull: boolean;
  /** The column has a value, perhaps one that is missing from the log since it did not change. */
  readonly isValue: boolean;
  /** The value is not in the log, since it is stored out of line and did not change. */
  readonly isUnsent?: boolean | undefined;
  /** Where in the event the field is. */
  readonly part: "key" | "before" | "after";
}

/** An error with a code. `message` starts with the code in brackets. */
export class GuardError extends Error {
  readonly code: ErrorCode;
  /** The message without its code, for use in a different error or next to the code. */
  readonly text: string;
  /** The one thing to do next, as a sentence or a command. */
  readonly next: string | undefined;
  /** Set only for value-unfit. */
  readonly unfit: Unfit | undefined;
  /** Set only for topic-changed: the topic that was made again by somebody else, without its events. */
  readonly emptied: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    detail: { next?: string; cause?: unknown; unfit?: Unfit; emptied?: string } = {},
  ) {
    super(`[${code}] ${message}`, detail.cause === undefined ? {} : { cause: detail.cause });
    this.name = "GuardError";
    this.code = code;
    this.text = message;
    this.next = detail.next;
    this.unfit = detail.unfit;
    this.emptied = detail.emptied;
  }

  get fate(): Fate {
    return CODES[this.code].fate;
  }

  get fateWhileJudging(): Fate {
    const row = errorCodes[this.code];
    return row.judging ?? row.fate;
  }
}

/** The table of codes, for the tests that compare the documentation with it. */
export const errorCodes: Readonly<Record<ErrorCode, ErrorRow>> = CODES;

/** Code, message and next step, for a person to read; never a stack trace. */
export function describeError(error: unknown): string {
  if (error instanceof GuardError) {
    return error.next === undefined ? error.message : `${error.message}\n  next: ${error.next}`;
  }
  return error instanceof Error ? error.message : String(error);
}
