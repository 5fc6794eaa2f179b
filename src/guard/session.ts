import { GuardError } from "../errors.ts";
import type { TxMark } from "../event/envelope/source.ts";
import type { RowEncoder } from "../event/row-encoder.ts";
import type { Slab } from "../event/slab.ts";
import type { Input, State } from "../gate/state.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import type { WalStream } from "../postgres/stream.ts";
import type { Stored } from "../store/records.ts";
import type { Attnum, Table } from "../table/column.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../table/shape.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Relation, WalItem } from "../wal/message.ts";
import type { Position } from "../wal/position.ts";
import type { OutRecord, Outside, Source } from "./outside.ts";
import type { ChunkJob } from "../chunk/job.ts";
import type { Window } from "../chunk/window.ts";
import type { ChunkRead } from "../postgres/chunk.ts";

/** A table as the log has it now, and how its rows are written; no columns: the next row has to wait for a proof. */
export interface Captured {
  readonly relation: Relation;
  /** undefined: not one of ours, or not yet. */
  readonly topic: string | undefined;
  /** It has the name of one of ours, or one that the connector's file captures: looked at before its first row. */
  readonly news: "replaces" | "unknown" | undefined;
  columns: readonly (Attnum | undefined)[];
  encoder: RowEncoder | undefined;
  /** Gives the table's own key, where the events have another. */
  rowKeys: RowEncoder | undefined;
  /** Its identity is in doubt until rows newer than this position come. */
  doubtUntil: Lsn | undefined;
}

/** The transaction being read. */
export interface OpenTransaction {
  readonly finalLsn: Lsn;
  readonly xid: number;
  readonly mark: TxMark;
  /** Changes received so far. */
  index: number;
  /** Of these so many were dealt with before. */
  readonly skip: number;
}

/** One run of a connector between two fences: everything in it is thrown away on any error. */
export interface Session {
  readonly outside: Outside;
  readonly source: Source;
  readonly signal: AbortSignal;
  readonly writer: TransactionalWriter;
  readonly stream: WalStream;
  readonly wake: Wake;
  /** Partitions by topic. */
  readonly partitions: Map<string, number>;
  /** max.message.bytes by topic. */
  readonly maxBytes: Map<string, number>;
  /** What DDL messages are signed with, and from when on it may be read again. */
  readonly ddl: { secret: string | undefined; readAgain: bigint };
  readonly slab: Slab;
  state: State;
  position: Position;
  commandOffset: bigint;
  /** What the state topic has. */
  committed: Stored;
  readonly inbox: Inbound[];
  readonly batch: OutRecord[];
  batchBytes: number;
  readonly relations: Map<number, Captured>;
  /** By table OID: the last catalog read, and the log's end after it. */
  readonly looks: Map<number, { readonly table: Table; readonly end: Lsn }>;
  /** By table OID: columns that a DDL message told of since the table was proven last. */
  readonly told: Map<number, Table>;
  /** Looks at the catalog whose mark has not come yet, by nonce. */
  readonly lookups: Map<string, Lookup>;
  /** Relations whose row came before its transaction was visible, and now is. */
  readonly rechecks: { readonly captured: Captured; readonly lsn: Lsn; readonly xid: number }[];
  tx: OpenTransaction | undefined;
  /** Read and not yet dealt with. */
  held: WalItem | undefined;
  keepaliveEnd: Lsn | undefined;
  lastCommitTime: bigint | undefined;
  /** Effects people see, due after the next commit. */
  readonly toTell: Set<string>;
  readonly work: Work;
  readonly chunks: ChunkMachine;
  readonly heartbeat: Heartbeat;
  /** What stands in the way until a person acts; nothing is read from the log meanwhile. */
  halted: GuardError | undefined;
  failure: unknown;
}

/** A table as the catalog had it before a mark was written. */
export interface Lookup {
  readonly oid: number;
  /** undefined: it is being read. */
  readonly seen: { readonly table: Table; readonly end: Lsn } | undefined;
  /** What the registry had before the table was read. */
  readonly registered?: Registered | undefined;
}

/** A topic's schemas as they stand in the registry; key undefined: none, or not looked for. */
export interface Registered {
  readonly value: RegisteredSchema;
  readonly key: RegisteredSchema | undefined;
}

/** An input from beside the stream; a command moves the offset of the next one, in the same commit. */
export interface Inbound {
  readonly input: Input;
  readonly nextCommand?: bigint | undefined;
}

/** Registry work beside the stream. */
export interface Work {
  /** Ids being judged or registered. */
  readonly judging: Set<string>;
  /** By topic: one registration at a time, since each changes what the others would be. */
  readonly registering: Map<string, string>;
  /** One Relation's wait ran out; none waits again until the registry has answered. */
  silent: boolean;
  /** One Relation's transaction did not become visible in time; none waits for that again until one is. */
  blind: boolean;
}

export interface Wake {
  readonly wake: () => void;
  /** Resolves when woken since the last wait, or after `ms`. */
  wait(ms: number): Promise<void>;
}

export function createWake(): Wake {
  let woken = false;
  let resolve: (() => void) | undefined;
  const wake = (): void => {
    woken = true;
    resolve?.();
  };
  const wait = async (ms: number): Promise<void> => {
    if (!woken) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, ms);
        resolve = () => {
          clearTimeout(timer);
          done();
        };
      });
      resolve = undefined;
    }
    woken = false;
  };
  return { wake, wait };
}

export function post(session: Session, inbound: Inbound): void {
  session.inbox.push(inbound);
  session.wake.wake();
}

/** Makes a background failure the loop's. */
export function fail(session: Session, error: unknown): void {
  session.failure ??= error;
  session.wake.wake();
}

/** Runs beside the loop; what it throws ends the session. */
export function beside(session: Session, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    if (!session.signal.aborted) fail(session, error);
  });
}

/** A relation of the log as one of our tables, by its OID: a table keeps its topic under another name. */
export function capturedFrom(session: Session, relation: Relation): Captured {
  const { filter } = session.outside.settings;
  const blank = { relation, columns: [], encoder: undefined, rowKeys: undefined, doubtUntil: undefined };
  for (const { shape, capturedAs } of session.state.tables.values()) {
    if (Number(shape.table.oid) === relation.oid) {
      const by = capturedAs ?? shape.table;
      return { ...blank, topic: filter.table(by.schema, by.name) ? shape.topic : undefined, news: undefined };
    }
    const isOurs = (one: { readonly schema: string; readonly name: string } | undefined) =>
      one?.schema === relation.schema && one.name === relation.name;
    if (isOurs(shape.table) || isOurs(capturedAs)) return { ...blank, topic: shape.topic, news: "replaces" };
  }
  return { ...blank, topic: undefined, news: filter.table(relation.schema, relation.name) ? "unknown" : undefined };
}

/** Another Debezium publishes: nothing is written to a topic of its. */
export function isWatching({ outside }: Session): boolean {
  return outside.settings.mode === "watch";
}

/** The table state of a topic of ours. */
export function tableOf(session: Session, topic: string) {
  const table = session.state.tables.get(topic);
  if (table === undefined) throw new GuardError("state-invalid", `no shape of topic ${topic}`);
  return table;
}

/** Debezium's heartbeat of a session: a record every so often, also while nothing is captured. */
export interface Heartbeat {
  /** undefined: the registry has not taken its schemas yet; nothing waits for that. */
  ids: { readonly key: SchemaId; readonly value: SchemaId } | undefined;
  /** Microseconds since the Unix epoch. */
  due: bigint;
  /** heartbeat.action.query is running. */
  busy: boolean;
}

export type Rows = Extract<ChunkRead, { kind: "rows" }>;

/** The chunk being read. */
export interface Active {
  readonly job: ChunkJob;
  readonly shape: Shape;
  /** What is read of each row, in this order. */
  readonly columns: readonly Attnum[];
  readonly nonce: string;
  window: Window | undefined;
  /** Set before the high mark is written. */
  read: ChunkRead | undefined;
  /** Its job begins anew: what was read is of no use. */
  restarted: boolean;
}

export interface ChunkMachine {
  /** Transactions of the log are noted until a snapshot shows them. */
  tracking: boolean;
  readonly delivered: Set<number>;
  active: Active | undefined;
  /** A job is being prepared or waits for its turn. */
  busy: boolean;
  /** Rows published and the clock when the job began here, for its rate. `limit`: keys in its next chunk. */
  begun: { readonly job: string; readonly rows: number; readonly at: bigint; limit: number } | undefined;
}
