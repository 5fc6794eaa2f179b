import { GuardError } from "../errors.ts";
import type { TxMark } from "../event/source.ts";
import type { EventWriter } from "../event/writer.ts";
import type { Slab } from "../event/slab.ts";
import type { Input, State } from "../gate/state.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import type { WalStream } from "../postgres/stream.ts";
import type { Stored } from "../store/records.ts";
import type { Attnum, Table } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Relation, WalItem } from "../wal/message.ts";
import type { Position } from "../wal/position.ts";
import type { ChunkMachine } from "./chunks.ts";
import type { OutRecord, Outside, Source } from "./outside.ts";

/** A table as the log has it now, and how its rows are written; no writer: the next row has to wait for a proof. */
export interface Captured {
  readonly relation: Relation;
  /** undefined: not one of ours. */
  readonly topic: string | undefined;
  columns: readonly (Attnum | undefined)[];
  writer: EventWriter | undefined;
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
  failure: unknown;
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

/** Our topic of a relation of the log, by the table's OID. */
export function topicOf(session: Session, relation: Relation): string | undefined {
  for (const { shape } of session.state.tables.values()) {
    if (Number(shape.table.oid) === relation.oid) {
      const renamed = shape.table.schema !== relation.schema || shape.table.name !== relation.name;
      if (renamed) throw renamedTable(`${shape.table.schema}.${shape.table.name}`, relation);
      return shape.topic;
    }
    if (shape.table.schema === relation.schema && shape.table.name === relation.name) throw replacedTable(relation);
  }
  return undefined;
}

function renamedTable(was: string, relation: Relation): GuardError {
  return new GuardError("amendment-unsupported", `table ${was} is named ${relation.schema}.${relation.name} now`, {
    next: "name it back, or capture it under its new name with a new connector",
  });
}

function replacedTable(relation: Relation): GuardError {
  return new GuardError("table-replaced", `${relation.schema}.${relation.name} is another table now`, {
    next: "capture it with a new connector: its rows share nothing with those published",
  });
}

/** The table state of a topic of ours. */
export function tableOf(session: Session, topic: string) {
  const table = session.state.tables.get(topic);
  if (table === undefined) throw new GuardError("state-invalid", `no shape of topic ${topic}`);
  return table;
}
