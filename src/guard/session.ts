import type { ChunkJob } from "../chunk/job.ts";
import type { Window } from "../chunk/window.ts";
import { GuardError } from "../errors.ts";
import type { TxMark } from "../event/envelope/source.ts";
import type { Slab } from "../event/slab.ts";
import type { RowEncoder } from "../event/row-encoder.ts";
import type { PoisonCounts, PoisonedChange } from "../gate/poison.ts";
import type { Input, State, TableState } from "../gate/state.ts";
import { tableByName, tableByOid } from "../gate/tables.ts";
import type { TopicDescription } from "../kafka/topics.ts";
import type { OutRecord } from "../kafka/record.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import type { ChunkRead } from "../postgres/chunk.ts";
import type { WalStream } from "../postgres/stream.ts";
import type { LastRun } from "../store/last-run.ts";
import type { Stored } from "../store/records.ts";
import type { Attnum, Table } from "../table/column.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../table/shape.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Relation, WalItem } from "../wal/message.ts";
import type { Position } from "../wal/position.ts";
import type { Outside, Source } from "./outside.ts";
import type { StuckJob } from "./stuck-job.ts";
import type { Looks } from "./looks.ts";
import type { Parking } from "./parking.ts";
import type { Waker } from "./waker.ts";

/**
 * A session is one run of a connector, from its fence in Kafka to its end or its first error. It has six parts, and
 * each part is owned by the file that changes it most:
 *
 *   tape       stream/drain.ts      where the loop is in the log, and how tables are read from there
 *   control    control/apply.ts     what is known and decided, open questions, and what halts a table
 *   batch      stream/batch.ts      the next Kafka transaction, and what the last one left in the state topic
 *   chunks     stream/chunks.ts     the chunk of a snapshot or backfill that is being read
 *   heartbeat  stream/heartbeat.ts  the next heartbeat
 *   parking    stream/replay.ts     the changes of parked tables that are in memory, and how far they are replayed
 *
 * A function takes, for example, `Parts<"tape" | "batch">`, so its signature shows which parts it may change. A
 * function that only reads the gate's state takes `State`. Any error throws the whole session away, and the next one
 * begins with what was committed.
 */
export interface Session extends Surroundings {
  readonly tape: Tape;
  readonly control: Control;
  readonly batch: Batch;
  readonly chunks: Chunks;
  readonly heartbeat: Heartbeat;
  readonly parking: Parking;
}

/** The surroundings of the parts, which do not change during a session. */
export interface Surroundings {
  readonly outside: Outside;
  readonly source: Source;
  /** Aborts when the session ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly waker: Waker;
}

export type Parts<Name extends "tape" | "control" | "batch" | "chunks" | "heartbeat" | "parking"> = Surroundings &
  Pick<Session, Name>;

/** Where the loop is in the log. */
export interface Tape {
  readonly stream: WalStream;
  /** Everything up to here has been processed. It is committed with the next Kafka transaction. */
  position: Position;
  /** The transaction being read. */
  tx: OpenTransaction | undefined;
  /** An item that was read from the stream but not processed yet, because the loop must wait for something first. */
  held: WalItem | undefined;
  /** The log's end according to the last keepalive outside a transaction. */
  keepaliveEnd: Lsn | undefined;
  lastCommitTime: bigint | undefined;
  /** Each table as the log last described it, by OID. */
  readonly relations: Map<number, Captured>;
}

/** A table as the log last described it, and how its rows are written. */
export interface Captured {
  readonly relation: Relation;
  /** undefined if the table is not captured, or not captured yet. */
  readonly topic: string | undefined;
  /**
   * `replaces`: the table has the name of a captured table but a different OID. `unknown`: the connector's file
   * captures it, but it is not in the state. Both are resolved before its first row.
   */
  readonly news: "replaces" | "unknown" | undefined;
  /** False if its columns have to be identified before the next row. */
  proven: boolean;
  /** Attnums of the Relation's columns; a table can have none. */
  columns: readonly (Attnum | undefined)[];
  encoder: RowEncoder | undefined;
  /** Encodes the table's own key, if the events have a different one. */
  rowKeys: RowEncoder | undefined;
  /** Whether its changes are kept in the parked topic. */
  parked: boolean;
  /** Its rows are passed over until an operator accepts it as the table of this topic. */
  readonly passedFor?: string | undefined;
  /** Set if some columns could not be identified. At the first row after this position, they are identified again. */
  doubtUntil: Lsn | undefined;
}

/** The transaction being read. */
export interface OpenTransaction {
  readonly finalLsn: Lsn;
  readonly xid: number;
  readonly mark: TxMark;
  /** How many of its changes have been received so far. */
  index: number;
  /** How many of its changes were already processed before the restart. */
  readonly skip: number;
}

/** What is known and decided, and what the background is being asked. */
export interface Control {
  state: State;
  /** Inputs that have arrived but have not been decided on yet. */
  readonly inbox: Inbound[];
  /** Offset of the next command to process. */
  commandOffset: bigint;
  /** The secret that signs DDL messages, and the time (microseconds since the epoch) from which it may be read again. */
  readonly ddl: Ddl;
  readonly catalog: CatalogReads;
  /** Relations whose first row arrived before the catalog showed its transaction. The catalog shows it now. */
  readonly rechecks: { readonly captured: Captured; readonly lsn: Lsn; readonly xid: number }[];
  readonly work: RegistryWork;
  /** Ids of amendments to alert people about after the next commit. */
  readonly toAlert: Set<string>;
  /** Topics of tables to report after the next commit, because they are parked or flow again. */
  readonly parksToReport: Set<string>;
  /** Results of the looks at the catalog. */
  readonly looks: Looks;
  readonly poison: PoisonWork;
  /**
   * The settings of the connector's file that the last run used. This session reports the changes that were not
   * reported yet.
   */
  lastRun: LastRun | undefined;
  /**
   * By topic: the error that keeps its next change from being published until somebody acts. Any halt stops the reading
   * of the log.
   */
  readonly halts: Map<string, GuardError>;
}

/** Changes that no event can carry. */
export interface PoisonWork {
  /** By topic: what became of those in the batch. */
  readonly handled: Map<string, { readonly counts: PoisonCounts; readonly last: Omit<PoisonedChange, "time"> }>;
  /** Topics with some that may have to be reported to people, and those that are being reported. */
  readonly unreported: Set<string>;
  readonly reporting: Set<string>;
  /** Topics with one that waits for an operator. */
  readonly stuck: Set<string>;
  /** A parked change is to be a dead letter, and the topic has to be made ready first. */
  wanted: boolean;
  /** Why no dead letter can be written, and the time (microseconds since the epoch) from which it is tried again. */
  refused: { readonly error: GuardError; readonly again: bigint } | undefined;
}

/** What is known about the DDL trigger. */
export interface Ddl {
  secret: string | undefined;
  readAgain: bigint;
  /** The trigger that has reported every DDL since the columns of all tables were proven. */
  complete: string | undefined;
  /** A newly found trigger. It becomes `complete` when the columns of all tables have been proven since. */
  found: string | undefined;
  /** OIDs of the tables whose columns have not been proven since `found` was. */
  readonly unproven: Set<number>;
}

/** An input from the background. Handling a command also advances `commandOffset`, in the same commit. */
export interface Inbound {
  readonly input: Input;
  readonly nextCommand?: bigint | undefined;
  /** How many looks had begun when it was first seen; set for an input that waits for the next one. */
  looksBefore?: number | undefined;
}

/** What was read from the catalog about captured tables. */
export interface CatalogReads {
  /** By table OID. */
  readonly latest: Map<number, CatalogTable>;
  /** By nonce: reads whose position in the log has not been reached yet. */
  readonly pending: Map<string, PendingRead>;
  /** By table OID: the log's end at the last read that was applied at its position in the log. */
  readonly applied: Map<number, Lsn>;
  /** By table OID: the table as a DDL message described it after its columns were last identified. */
  readonly explained: Map<number, Table>;
  /** By table OID: the transaction of the last DDL message that described it. */
  readonly described: Map<number, number>;
}

/** A table as the catalog showed it, and the log's end right after it was read. */
export interface CatalogTable {
  readonly table: Table;
  readonly end: Lsn;
}

export interface PendingRead {
  readonly oid: number;
  /** undefined until the catalog has answered. Its table is undefined if the catalog no longer has it. */
  readonly found: { readonly table: Table | undefined; readonly end: Lsn } | undefined;
  /** The topic's schemas in the registry, read before the table. */
  readonly schemas: TopicSchemas | undefined;
}

/** A topic's schemas in the registry. `key` is undefined if there is none or if it was not read. */
export interface TopicSchemas {
  readonly value: RegisteredSchema;
  readonly key: RegisteredSchema | undefined;
}

/** Requests to the registry that run in the background. */
export interface RegistryWork {
  /** Ids of the amendments being judged. */
  readonly judging: Set<string>;
  /** The running registration of each topic. Only one at a time, since each changes the candidates of the others. */
  readonly registering: Map<string, string>;
  /** Ids of amendments whose schema somebody else has to register, until the next request. */
  readonly awaited: Set<string>;
  /** What the registry has refused is asked about again from time to time. */
  askingAgain: boolean;
  /** Waiting for an answer has timed out. Until the registry answers again, no Relation waits for it. */
  silent: boolean;
  /** A transaction did not become visible in time. Until one does, no Relation waits for that. */
  blind: boolean;
}

/** The next Kafka transaction. */
export interface Batch {
  readonly writer: TransactionalWriter;
  readonly records: OutRecord[];
  bytes: number;
  /** The memory that events are encoded into. */
  readonly slab: Slab;
  /** Number of partitions by topic. */
  readonly partitions: Map<string, number>;
  /** max.message.bytes by topic. */
  readonly maxBytes: Map<string, number>;
  readonly topics: TopicLooks;
  /** The contents of the state topic after the last commit. */
  committed: Stored;
}

/** The data topics as this session knows them, and when the next look at them is due. */
export interface TopicLooks {
  readonly described: Map<string, TopicDescription>;
  /** In microseconds since the epoch. */
  due: bigint;
  busy: boolean;
}

export interface Chunks {
  /** Whether the log's transactions are recorded until a snapshot shows them. */
  tracking: boolean;
  readonly delivered: Set<number>;
  active: ActiveChunk | undefined;
  /** A job is being prepared, or is waiting for its turn. */
  busy: boolean;
  /** By job: its table cannot be read at the moment, so other jobs go first until this time (microseconds). */
  readonly resting: Map<string, { readonly until: bigint; readonly wait: Disposable }>;
  /** By job: its next row cannot be written, and it was tried in this session. */
  readonly stuck: Map<string, StuckJob>;
  /**
   * For measuring a job's rate: how many rows it had read, and the time, when this process started it. `limit`: the
   * number of keys in its next chunk.
   */
  started: { readonly job: string; readonly rows: number; readonly at: bigint; limit: number } | undefined;
}

/** The chunk being read. */
export interface ActiveChunk {
  readonly job: ChunkJob;
  readonly shape: Shape;
  /** The attnums of the columns that are read from each row, in this order. */
  readonly columns: readonly Attnum[];
  readonly nonce: string;
  /** The maximum number of keys in the chunk. */
  readonly limit: number;
  window: Window | undefined;
  /** Set before the high mark is written. */
  read: ChunkRead | undefined;
  /** The chunk's job has started over, so its rows are discarded. */
  restarted: boolean;
}

/** Debezium's heartbeat: a record written at an interval, even while no row is captured. */
export interface Heartbeat {
  /** undefined until the heartbeat's schemas are registered; nothing waits for that. */
  ids: { readonly key: SchemaId; readonly value: SchemaId } | undefined;
  /** When the next heartbeat is due, in microseconds since the epoch. */
  due: bigint;
  /** Whether heartbeat.action.query is running. */
  busy: boolean;
}

export function post({ control, waker }: Parts<"control">, inbound: Inbound): void {
  control.inbox.push(inbound);
  waker.wake();
}

/** Starts the work without waiting for it. An error that it throws ends the session. */
export function inBackground({ signal, waker }: Surroundings, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    if (!signal.aborted) waker.fail(error);
  });
}

/** Finds the captured table for a relation in the log. It is found by OID, so a renamed table keeps its topic. */
export function capturedFrom({ settings }: Outside, state: State, relation: Relation): Captured {
  const { filter } = settings;
  const blank = {
    relation,
    proven: false,
    columns: [],
    encoder: undefined,
    rowKeys: undefined,
    parked: false,
    doubtUntil: undefined,
  };
  const own = tableByOid(state, relation.oid);
  if (own !== undefined) {
    const { shape, capturedAs } = own;
    const by = capturedAs ?? shape.table;
    const topic = filter.table(by.schema, by.name) ? shape.topic : undefined;
    // It waits to be taken in again as it is.
    if (own.replacement?.oid === shape.table.oid)
      return { ...blank, topic: undefined, news: undefined, passedFor: topic };
    return { ...blank, topic, news: undefined, parked: own.parked !== undefined };
  }
  const namesake = tableByName(state, relation);
  if (namesake !== undefined) return { ...blank, topic: namesake.shape.topic, news: "replaces" };
  return { ...blank, topic: undefined, news: filter.table(relation.schema, relation.name) ? "unknown" : undefined };
}

/** The state of a captured table, by its topic. */
export function tableOf(state: State, topic: string): TableState {
  const table = state.tables.get(topic);
  if (table === undefined) throw new GuardError("state-invalid", `the state has no shape for topic ${topic}`);
  return table;
}
