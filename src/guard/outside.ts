import type { Contracts } from "../contract/contracts.ts";
import type { NoticeAbout } from "../alert/alert.ts";
import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import type { Contract } from "../contract/contract.ts";
import type { TablesLook } from "../capture/look.ts";
import type { SentNeed } from "../capture/sent.ts";
import type { ErrorCode, GuardError } from "../errors.ts";
import type { OperatorCommand, State, TableState } from "../gate/state.ts";
import type { Amendment, RegistryAnswer, SentAlert } from "../gate/amendment/amendment.ts";
import type { GroupPoll } from "../gate/evidence/evidence.ts";
import type { InRecord } from "../kafka/record.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import type { NewTopic, TopicDescription } from "../kafka/topics.ts";
import type { ChunkRead } from "../postgres/chunk.ts";
import type { SourceFacts } from "../postgres/check.ts";
import type { Slot } from "../postgres/slot.ts";
import type { WalStream } from "../postgres/stream.ts";
import type { Registry } from "../registry/client.ts";
import type { StateRecord } from "../store/record.ts";
import type { Table, TableOid, TypeDetail } from "../table/column.ts";
import type { TableName } from "../table/quote.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Snapshot } from "../wal/snapshot.ts";
import type { Waits } from "./waits.ts";
import type { ChunkRequest } from "../postgres/chunk-rows.ts";

/**
 * Everything outside one connector, as the loop sees it: its settings, the database, Kafka, the registry, the people to
 * alert, and the clock. The service provides the real ones (service/connector.ts); tests provide their own.
 */

/** The connector's file after validation, and what the process adds to it. */
export interface Settings extends ConnectorConfig {
  /** The name of the state topic, which is also the transactional id. */
  readonly stateTopic: string;
  /** The topic for changes that cannot be written yet. */
  readonly parkedTopic: string;
  /** The topic of changes that no event can carry. */
  readonly deadLetterTopic: string;
  readonly version: string;
  /** What the publication must send. */
  readonly sent: SentNeed;
}

/** The captured database. Every call throws GuardErrors. */
export interface Source extends AsyncDisposable {
  check(): Promise<SourceFacts>;
  /**
   * The tables that the connector's file captures.
   * @throws GuardError table-missing for a table that the file names and that does not exist, unless it is `known`
   */
  tables(known: readonly TableName[]): Promise<readonly Table[]>;
  /** Reads these types from the catalog. A type that no longer exists is missing from the result. */
  types(oids: readonly number[]): Promise<ReadonlyMap<number, TypeDetail>>;
  /**
   * The secret that DDL messages are signed with. undefined if there is no trigger, or if we may not read the secret.
   */
  ddlSecret(): Promise<string | undefined>;
  /**
   * Identifies the database's DDL trigger, if it reports every DDL. The same text means that it is the same trigger and
   * that it was not disabled.
   */
  triggerIdentity(): Promise<string | undefined>;
  /** `end` is the log's end right after the snapshot was taken, so rows after it are newer than this read. */
  table(oid: TableOid): Promise<{ readonly table: Table | undefined; readonly snapshot: Snapshot; readonly end: Lsn }>;
  /** Runs heartbeat.action.query. */
  run(query: string): Promise<void>;
  slot(): Promise<Slot | undefined>;
  createSlot(onWait: (blockers: readonly string[]) => void, signal: AbortSignal): Promise<Lsn>;
  terminateReader(): Promise<boolean>;
  /** One look at all tables and the publication, in a session of its own that waits for no locks. */
  look(): Promise<TablesLook & { readonly end: Lsn }>;
  /**
   * Creates the publication or adds these tables to it, where the connector's file allows that. Returns the tables that
   * it did not send before.
   * @throws GuardError publication-unfit if one of them is not sent in full afterwards
   */
  ensurePublication(tables: readonly TableName[]): Promise<readonly TableName[]>;
  /** Opens the stream. Of a message longer than `maxMessageBytes`, only the head is kept. */
  openStream(start: Lsn, wake: () => void, maxMessageBytes: number): Promise<WalStream>;
  /** Writes a mark to the log, in its own transaction. */
  mark(content: string): Promise<void>;
  /** The transaction id of a mark. Once no transaction with a lower id is open, all of them have ended. */
  markTransaction(): Promise<bigint>;
  snapshot(): Promise<Snapshot>;
  /** The sessions whose open transactions are older than this one, as one line per session for people to read. */
  openBelow(transaction: bigint): Promise<readonly string[]>;
  /**
   * One readable line for each session that holds a lock for which one of the connector's sessions is waiting.
   */
  blockers(): Promise<readonly string[]>;
  /** The sessions whose lock on this table prevents reading it, as one line per session for people to read. */
  lockHolders(oid: TableOid): Promise<readonly string[]>;
  chunk(request: ChunkRequest): Promise<ChunkRead>;
}

/** The state topic and the data topics. */
export interface Sink {
  openWriter(maxBytes: (topic: string) => number): Promise<TransactionalWriter>;
  /**
   * Reads the state topic from its beginning to the first record for which `until` is true, or else to its current end.
   */
  readState(
    until: ((record: StateRecord) => boolean) | undefined,
    signal: AbortSignal,
  ): Promise<readonly StateRecord[]>;
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription | undefined>>;
  /** Those of the topics to which nothing was ever written. */
  emptyTopics(names: readonly string[]): Promise<readonly string[]>;
  /** Creates the topics that do not exist; the others are left unchanged. */
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  createStateTopic(): Promise<void>;
  /** Creates the parked topic. An existing topic is left unchanged. */
  createParkedTopic(): Promise<void>;
  /** Reads the parked topic from this offset, or from its beginning, to its end or until `take` returns false. */
  readParked(from: bigint | undefined, take: (record: ReadRecord) => boolean, signal: AbortSignal): Promise<void>;
}

/** A record of the parked topic. */
export type ReadRecord = Pick<InRecord, "offset" | "key" | "value">;

/** The contracts topic and the commands topic, shared by all connectors of the process. */
export interface ControlSource {
  /** Every contract that was read so far. */
  contracts(): Contracts;
  /** Reads the contracts topic up to its current end. */
  readContractsToEnd(): Promise<void>;
  /** These contracts were seen before. Those that were not withdrawn since count, with an unknown content. */
  missing(contracts: readonly Contract[]): void;
  /** Calls `contract` for each contract that is read later, and `command` for each command from this offset on. */
  listen(
    commandsFrom: bigint,
    on: {
      readonly contract: (key: string, contract: Contract | undefined) => void;
      readonly command: (command: OperatorCommand, offset: bigint) => void;
    },
  ): Disposable;
  /**
   * The state topic has recorded the outcome of this connector's commands before this offset, so they can be dropped.
   */
  recorded(before: bigint): void;
}

/** Polls of Kafka's consumer groups, one at a time, for all connectors of the process. */
export interface Groups {
  /** Calls `on` with every later poll. The next poll includes these topics and starts soon. */
  listen(topics: () => readonly string[], on: (poll: GroupPoll) => void): Disposable;
  /** Resolves after a poll that began after this call was passed to the listeners. Never rejects. */
  again(): Promise<void>;
}

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** Everything outside one connector. */
export interface Outside extends Conduct {
  readonly settings: Settings;
  openSource(): Promise<Source>;
  readonly sink: Sink;
  readonly registry: Registry;
  readonly controlTopics: ControlSource;
  readonly groups: Groups;
  readonly log: Log;
  /** The calls that the connector is waiting for at the moment. */
  readonly waits: Waits;
  /** Microseconds since the Unix epoch. */
  readonly now: () => bigint;
  readonly uuid: () => string;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Alerts people, now or later. Returns at once, never throws, and sends the same alert only once. */
  readonly alert: (amendment: Amendment, state: State) => void;
  /**
   * Calls `then` for each amendment that people have been alerted about, until the next session replaces it. Never
   * before this call returns.
   */
  readonly onAlerted: (then: (sent: SentAlert) => void) => void;
  /**
   * Alerts people to tables that are not sent or not captured. Resolves once the alert has been sent, and never
   * rejects.
   */
  readonly notice: (notice: Notice) => Promise<void>;
  /** Alerts people that a topic has halted and the connector waits for a person. Returns at once and never throws. */
  readonly stopped: (error: GuardError, topic: string) => void;
  readonly status: (status: Status) => void;
}

/**
 * What a connector may do in its mode. It is chosen where the connector is put together (service/connector.ts), so the
 * loop asks here what it may do and never which mode it runs in.
 */
export interface Conduct {
  /** `none`: a Debezium connector publishes. Rows are counted but not written, and nothing is created or registered. */
  readonly delivery: "exactly-once" | "none";
  /** Whether marks may be written to the log. In watch mode Debezium would publish them as messages. */
  readonly writesMarks: boolean;
  /** Asks whether the registry would accept an amendment's candidate. Calls `onAnswered` once it has answered. */
  readonly askRegistry: (table: TableState, amendment: Amendment, onAnswered: () => void) => Promise<RegistryAnswer>;
}

/** News about one table, or about the connector. */
export interface Notice {
  /** Identifies the news, however it is worded, so that it is reported only once. */
  readonly id: string;
  readonly about: NoticeAbout;
  /**
   * `urgent`: a person has to act now. `warn`: some changes of the table are in no event. `info`: there is nothing to
   * do.
   */
  readonly severity: "urgent" | "warn" | "info";
  readonly what: string;
  readonly next: string | undefined;
  /** Whom to mention: the owner that a contract names. */
  readonly owner?: string | undefined;
}

/** A table that the connector's file captures but that is not captured yet. */
export interface NotCaptured {
  /** `schema.table`. */
  readonly table: string;
  readonly why: string;
  readonly next: string;
}

/** What is wrong with a table although its rows flow, and the statement that helps. */
export interface TableWarning {
  /** `schema.table`. */
  readonly table: string;
  readonly what: string;
  readonly next: string;
}

export type Status =
  | { readonly kind: "starting" }
  | {
      readonly kind: "streaming";
      readonly state: State;
      readonly endLsn: Lsn;
      readonly commitTime: bigint | undefined;
      readonly notCaptured: readonly NotCaptured[];
      readonly warnings: readonly TableWarning[];
    }
  | {
      readonly kind: "retrying" | "stopped";
      readonly code: ErrorCode | undefined;
      readonly message: string;
      readonly next: string | undefined;
      /** While the connector waits for a command: the state of the last commit. */
      readonly state?: State | undefined;
    };
