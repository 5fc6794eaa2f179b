import type { ConnectorConfig } from "../config/connectors.ts";
import type { Contract } from "../contract/contract.ts";
import type { ErrorCode, GuardError } from "../errors.ts";
import type { OperatorCommand, State } from "../gate/state.ts";
import type { Amendment, Told } from "../gate/amendment/amendment.ts";
import type { Look } from "../gate/evidence/evidence.ts";
import type { OutRecord } from "../kafka/record.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import type { NewTopic, TopicDescription } from "../kafka/topics.ts";
import type { ChunkRead, ChunkRequest } from "../postgres/chunk.ts";
import type { SourceFacts } from "../postgres/check.ts";
import type { Slot } from "../postgres/slot.ts";
import type { WalStream } from "../postgres/stream.ts";
import type { Registry } from "../registry/client.ts";
import type { StateRecord } from "../store/records.ts";
import type { Table, TableOid, TypeDetail } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Snapshot } from "../wal/snapshot.ts";

/** The connector's file, checked, and what the process adds. */
export interface Settings extends ConnectorConfig {
  /** The state topic; also the transactional id. */
  readonly stateTopic: string;
  readonly version: string;
}

/** The captured database. Each call that fails throws a GuardError. */
export interface Source extends AsyncDisposable {
  check(): Promise<SourceFacts>;
  /** Throws table-missing for tables the file names and nobody has, but for these. */
  tables(known: readonly { readonly schema: string; readonly name: string }[]): Promise<readonly Table[]>;
  /** What the catalog says of these types now; those it does not have any more are missing. */
  types(oids: readonly number[]): Promise<ReadonlyMap<number, TypeDetail>>;
  /** The secret that DDL messages are signed with; undefined: no trigger, or no right to read it. */
  ddlSecret(): Promise<string | undefined>;
  /** `end` is the log's end after the snapshot was taken: later rows are newer than this catalog. */
  table(oid: TableOid): Promise<{ readonly table: Table | undefined; readonly snapshot: Snapshot; readonly end: Lsn }>;
  /** Runs heartbeat.action.query. */
  run(query: string): Promise<void>;
  slot(): Promise<Slot | undefined>;
  createSlot(onWait: (blockers: readonly string[]) => void, signal: AbortSignal): Promise<Lsn>;
  terminateReader(): Promise<boolean>;
  ensurePublication(): Promise<void>;
  openStream(start: Lsn, wake: () => void): Promise<WalStream>;
  mark(content: string): Promise<void>;
  /** A mark's own transaction id, to wait until everything before it is visible. */
  markTransaction(): Promise<bigint>;
  snapshot(): Promise<Snapshot>;
  /** Whose open transactions are older than this one, each a line for people. */
  openBelow(transaction: bigint): Promise<readonly string[]>;
  chunk(request: ChunkRequest): Promise<ChunkRead>;
}

/** The state topic and the data topics. */
export interface Sink {
  openWriter(maxBytes: (topic: string) => number): Promise<TransactionalWriter>;
  /** Reads the state topic from its beginning until `until` is true of a record; without it to its end as of now. */
  readState(
    until: ((record: StateRecord) => boolean) | undefined,
    signal: AbortSignal,
  ): Promise<readonly StateRecord[]>;
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription | undefined>>;
  createTopic(topic: NewTopic): Promise<void>;
  createStateTopic(): Promise<void>;
}

/** Contracts and commands as they come in; shared by all connectors of the process. */
export interface Desk {
  /** Every contract read so far, by contractKey. */
  contracts(): ReadonlyMap<string, Contract>;
  /** Reads up to the end of the contracts topic as of now. */
  readContractsToEnd(): Promise<void>;
  /** Calls for each later contract and for each command of this connector from `offset` on. */
  listen(
    commandsFrom: bigint,
    on: {
      readonly contract: (key: string, contract: Contract | undefined) => void;
      readonly command: (command: OperatorCommand, offset: bigint) => void;
    },
  ): Disposable;
}

/** Looks at Kafka's consumer groups, one at a time, for all connectors of the process. */
export interface Groups {
  /** Calls with every look from now on; one at these topics comes soon. */
  listen(topics: () => readonly string[], on: (look: Look) => void): Disposable;
  /** Resolves when a look that begins after this call was told. Never rejects. */
  again(): Promise<void>;
}

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** Everything outside one connector. */
export interface Outside {
  readonly settings: Settings;
  openSource(): Promise<Source>;
  readonly sink: Sink;
  readonly registry: Registry;
  readonly desk: Desk;
  readonly groups: Groups;
  readonly log: Log;
  /** Microseconds since the Unix epoch. */
  readonly now: () => bigint;
  readonly uuid: () => string;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Alerts people, now or a while later; returns at once and never throws. The same news again is no second alert. */
  readonly tell: (amendment: Amendment, state: State) => void;
  /** Calls for each amendment people were told of, until the next session asks; never before it returns. */
  readonly onTold: (then: (told: Told) => void) => void;
  /** A connector that waits for a person; returns at once and never throws. */
  readonly stopped: (error: GuardError) => void;
  readonly status: (status: Status) => void;
}

export type Status =
  | { readonly kind: "starting" }
  | { readonly kind: "streaming"; readonly state: State; readonly endLsn: Lsn; readonly commitTime: bigint | undefined }
  | {
      readonly kind: "retrying" | "stopped";
      readonly code: ErrorCode | undefined;
      readonly message: string;
      readonly next: string | undefined;
      /** The state of the last commit, while the connector waits for a command. */
      readonly state?: State | undefined;
    };

export type { OutRecord };
