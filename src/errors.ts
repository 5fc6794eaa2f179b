/**
 * What can go wrong, in one table. Expected outcomes are findings (values); a GuardError is for what stops
 * or delays the work. Each I/O folder translates its library's errors to one of these codes at its edge.
 * `retry`: try again with growing delay, nothing acknowledged. `stop`: the connector (or the command) ends
 * with the message and waits for a person. Row values and secrets never appear in a message.
 */
const CODES = {
  usage: { fate: "stop", cause: "the command or request is not understood" },
  "config-invalid": { fate: "stop", cause: "a connector file or environment setting is wrong" },
  "contract-invalid": {
    fate: "stop",
    cause: "a fieldgate.yaml or contract cannot be read, or is about a topic nobody knows",
  },
  "schema-invalid": { fate: "stop", cause: "a text is not an Avro schema" },
  unauthorized: { fate: "stop", cause: "no token, or one that is not known" },
  forbidden: { fate: "stop", cause: "the token is known and may not do this" },
  "not-found": { fate: "stop", cause: "the named thing does not exist" },
  refused: { fate: "stop", cause: "the command is understood and refused" },
  unreachable: { fate: "stop", cause: "the service did not answer the command line" },
  "postgres-down": { fate: "retry", cause: "no connection to PostgreSQL, or it was lost" },
  "postgres-refused": { fate: "stop", cause: "PostgreSQL refuses: password, database or right" },
  "wal-level": { fate: "stop", cause: "wal_level is not logical" },
  "replication-right": { fate: "stop", cause: "the role may not replicate" },
  "catalog-behind": { fate: "retry", cause: "a row's transaction is not visible in the catalog yet" },
  "source-is-standby": { fate: "stop", cause: "the source is a standby; marks cannot be written there" },
  "source-changed": { fate: "stop", cause: "another server, slot or timeline than the state knows" },
  "slot-in-use": { fate: "retry", cause: "another session reads the replication slot" },
  "slot-exists": { fate: "stop", cause: "a slot of this name exists and the state does not know it" },
  "slot-lost": { fate: "stop", cause: "the slot is gone or ahead of the state: changes are missing" },
  "publication-unfit": { fate: "stop", cause: "the publication is missing or does not send what is captured" },
  "table-missing": { fate: "stop", cause: "a captured table does not exist or cannot be read" },
  "table-replaced": { fate: "stop", cause: "a captured table's name belongs to another table now" },
  "table-unsupported": { fate: "stop", cause: "a table has a key column of a type that is not mapped" },
  "wal-invalid": { fate: "stop", cause: "bytes of the log that pgoutput should not send" },
  "key-changed": { fate: "stop", cause: "a table has another key than its events" },
  "value-unfit": { fate: "stop", cause: "a value does not fit the type its field has" },
  "amendment-unsupported": { fate: "stop", cause: "a change of the table this version cannot withhold" },
  "kafka-down": { fate: "retry", cause: "no broker answers, or the outcome of a commit is unknown" },
  "kafka-refused": { fate: "stop", cause: "Kafka refuses: login, certificate, authorization or setting" },
  "kafka-fenced": { fate: "retry", cause: "Kafka fenced this writer: its transaction expired, or another one started" },
  "connector-taken": { fate: "stop", cause: "another instance runs this connector now" },
  "topic-missing": { fate: "stop", cause: "a topic does not exist and may not be created" },
  "record-too-large": { fate: "stop", cause: "one change is larger than the topic takes" },
  "state-invalid": { fate: "stop", cause: "a record of the state topic cannot be read" },
  "registry-down": { fate: "retry", cause: "the schema registry does not answer as one" },
  "registry-refused": {
    fate: "stop",
    judging: "retry",
    cause: "the registry refuses: authorization or a schema it does not take",
  },
  "subject-unfit": { fate: "stop", cause: "a subject's latest schema is no Debezium envelope" },
  "event-unreadable": { fate: "stop", cause: "a consumer's reader cannot read an event" },
} as const satisfies Record<string, ErrorRow>;

export type Fate = "retry" | "stop";

interface ErrorRow {
  readonly fate: Fate;
  /** Instead of `fate`, while the registry is only asked about a withheld field: rows flow without it meanwhile. */
  readonly judging?: Fate;
  readonly cause: string;
}

export type ErrorCode = keyof typeof CODES;

/** The field a value does not fit, of `schema.table`, and whether it is null. */
export interface Unfit {
  readonly table: string;
  readonly field: string;
  readonly isNull: boolean;
}

/** `next` is the one thing to do now, as a sentence or a command. `message` is prefixed with the code. */
export class GuardError extends Error {
  readonly code: ErrorCode;
  /** The message without its code: to be told in another error, or beside the code. */
  readonly text: string;
  readonly next: string | undefined;
  /** Of value-unfit only. */
  readonly unfit: Unfit | undefined;

  constructor(code: ErrorCode, message: string, detail: { next?: string; cause?: unknown; unfit?: Unfit } = {}) {
    super(`[${code}] ${message}`, detail.cause === undefined ? {} : { cause: detail.cause });
    this.name = "GuardError";
    this.code = code;
    this.text = message;
    this.next = detail.next;
    this.unfit = detail.unfit;
  }

  get fate(): Fate {
    return CODES[this.code].fate;
  }

  get fateWhileJudging(): Fate {
    const row = errorCodes[this.code];
    return row.judging ?? row.fate;
  }
}

/** The table of codes, for the documentation and `fieldgate` itself. */
export const errorCodes: Readonly<Record<ErrorCode, ErrorRow>> = CODES;

/** One line for a person: code, message and the next step. Never a stack. */
export function describeError(error: unknown): string {
  if (error instanceof GuardError) {
    return error.next === undefined ? error.message : `${error.message}\n  next: ${error.next}`;
  }
  return error instanceof Error ? error.message : String(error);
}
