import { recalled } from "../../src/gate/evidence/evidence.ts";
import type { Mode, Rules, State } from "../../src/gate/state.ts";
import { ASK_REGISTRY } from "../../src/guard/control/ask-registry.ts";
import type { ControlSource, Groups, Outside, Settings, Sink, Source, Status } from "../../src/guard/outside.ts";
import type { LookedTable, TablesLook } from "../../src/capture/look.ts";
import { noCatalogReads } from "../../src/guard/control/catalog-read.ts";
import { noRegistryWork } from "../../src/guard/control/registry-work.ts";
import { firstLooks } from "../../src/guard/control/looks.ts";
import type { Session } from "../../src/guard/session.ts";
import { firstTopicLooks } from "../../src/guard/control/topic-look.ts";
import { createWaker } from "../../src/guard/waker.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { noParking } from "../../src/guard/stream/backlog.ts";
import { idleChunks } from "../../src/guard/stream/chunks.ts";
import { noPoison } from "../../src/guard/control/poison-news.ts";
import { slab } from "../../src/event/slab.ts";
import type { OutRecord } from "../../src/kafka/record.ts";
import type { TransactionalWriter } from "../../src/kafka/writer.ts";
import type { Slot } from "../../src/postgres/slot.ts";
import type { WalStream } from "../../src/postgres/stream.ts";
import type { Registry } from "../../src/registry/client.ts";
import { EMPTY } from "../../src/store/records.ts";
import { fullName, type TableName } from "../../src/table/quote.ts";
import { schemaId } from "../../src/table/shape.ts";
import { type Lsn, lsn } from "../../src/wal/lsn.ts";
import type { WalItem } from "../../src/wal/message.ts";
import type { Position } from "../../src/wal/position.ts";
import { ID, NAME, RULES, stateOf, tableOf } from "../gate/customers.ts";

/**
 * A world without servers: everything outside a connector, made for tests, and a record of what the connector did to
 * it.
 */
export interface World {
  readonly outside: Outside;
  readonly source: Source;
  readonly stream: WalStream;
  readonly writer: TransactionalWriter;
  /** Hands items to the stream and wakes the loop. */
  readonly feed: (...items: readonly WalItem[]) => void;
  /** Microseconds since the epoch; `sleep` moves it. */
  readonly clock: { micros: bigint };
  readonly slept: number[];
  /** One entry per Kafka transaction. */
  readonly commits: (readonly OutRecord[])[];
  readonly acknowledged: Lsn[];
  /** Marks written to the log. */
  readonly marks: string[];
  readonly statuses: Status[];
  readonly log: string[];
  readonly alerted: string[];
  readonly stops: string[];
}

export interface Given {
  readonly mode?: Mode;
  readonly rules?: Partial<Rules>;
  readonly settings?: Partial<Settings>;
  readonly outside?: Partial<Outside>;
  readonly source?: Partial<Source>;
  readonly sink?: Partial<Sink>;
  readonly registry?: Partial<Registry>;
  readonly groups?: Groups;
  readonly controlTopics?: Partial<ControlSource>;
  readonly writer?: Partial<TransactionalWriter>;
}

const NONE: Disposable = { [Symbol.dispose]: () => {} };

/** The registry accepts every schema, under ids from 7. */
function agreeableRegistry(): Registry {
  const ids = new Map<string, number>();
  return {
    latest: async () => undefined,
    versions: async () => [],
    version: async () => undefined,
    schemaById: async () => undefined,
    check: async () => ({ kind: "compatible" }),
    level: async () => "BACKWARD",
    async register(_, text) {
      const id = ids.get(text) ?? 7 + ids.size;
      ids.set(text, id);
      return { kind: "registered", id: schemaId(id) };
    },
  };
}

/** Like `given`, and it has every schema that it registers under the id that it gave. */
function rememberingRegistry(given: Registry): Registry {
  const texts = new Map<number, string>();
  return {
    ...given,
    async register(subject, text) {
      const result = await given.register(subject, text);
      if (result.kind === "registered") texts.set(result.id, text);
      return result;
    },
    schemaById: async (id) => texts.get(id) ?? (await given.schemaById(id)),
  };
}

/** The connector's slot, with nobody reading it. */
export const SLOT: Slot = {
  name: "fieldgate_shop",
  plugin: "pgoutput",
  database: "shop",
  active: false,
  activePid: undefined,
  activeApplication: undefined,
  confirmedFlush: lsn(100n),
  restartLsn: lsn(100n),
  walStatus: "reserved",
};

export function worldOf(given: Given = {}): World {
  const mode = given.mode ?? "guard";
  const rules: Rules = { ...RULES, mode, ...given.rules };
  const clock = { micros: 0n };
  const items: WalItem[] = [];
  let wake = (): void => {};
  const slept: number[] = [];
  const commits: (readonly OutRecord[])[] = [];
  const acknowledged: Lsn[] = [];
  const marks: string[] = [];
  const statuses: Status[] = [];
  const log: string[] = [];
  const alerted: string[] = [];
  const stops: string[] = [];
  let uuids = 0;
  let slot: Slot | undefined;
  const registry = rememberingRegistry({ ...agreeableRegistry(), ...given.registry });
  const stream: WalStream = {
    read: () => items.shift(),
    acknowledge: (position) => void acknowledged.push(position),
    queuedBytes: 0,
    [Symbol.asyncDispose]: async () => {},
  };
  const seesEverything = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };
  const source: Source = {
    check: async () => ({
      systemId: "1",
      timeline: 1,
      version: 180_000,
      database: "shop",
      encoding: "UTF8",
      end: lsn(1000n),
    }),
    tables: async () => [tableOf([ID, NAME])],
    types: async () => new Map(),
    ddlSecret: async () => undefined,
    triggerIdentity: async () => undefined,
    table: async () => ({ table: tableOf([ID, NAME]), snapshot: seesEverything, end: lsn(1n) }),
    run: async () => {},
    slot: async () => slot,
    async createSlot() {
      slot = SLOT;
      return lsn(100n);
    },
    terminateReader: async () => false,
    look: async () => ({ ...LOOK, end: lsn(1n) }),
    ensurePublication: async () => [],
    async openStream(_, onItem) {
      wake = onItem;
      return stream;
    },
    mark: async (content) => void marks.push(content),
    markTransaction: async () => 1n,
    snapshot: async () => seesEverything,
    openBelow: async () => [],
    blockers: async () => [],
    lockHolders: async () => [],
    chunk: async () => ({ kind: "locked" }),
    [Symbol.asyncDispose]: async () => {},
    ...given.source,
  };
  const writer: TransactionalWriter = {
    async commit(records, signal) {
      signal?.throwIfAborted();
      commits.push(records);
    },
    limitBrokenBy: () => undefined,
    [Symbol.asyncDispose]: async () => {},
    ...given.writer,
  };
  const sink: Sink = {
    openWriter: async () => writer,
    readState: async () => stateRecords(commits),
    describeTopics: async () => new Map(),
    emptyTopics: async () => [],
    createTopics: async () => {},
    createStateTopic: async () => {},
    createParkedTopic: async () => {},
    readParked: async (from, take) => {
      for (const record of parkedRecords(commits)) if (record.offset >= (from ?? 0n) && !take(record)) return;
    },
    ...given.sink,
  };
  const settings = {
    name: "shop",
    "topic.prefix": "inventory",
    "topic.heartbeat.prefix": "__debezium-heartbeat",
    "database.dbname": "shop",
    "slot.name": "fieldgate_shop",
    "publication.name": "fieldgate_shop",
    "snapshot.mode": "no_data",
    "tombstones.on.delete": true,
    "binary.handling.mode": rules.modes.binary,
    "unavailable.value.placeholder": rules.modes.placeholder,
    "skipped.operations": new Set(),
    "heartbeat.interval.ms": 0,
    "fieldgate.judge.timeout.ms": 1000,
    "database.connectTimeout": 10,
    "database.query.timeout.ms": 0,
    "fieldgate.chunk.rows": 1000,
    "fieldgate.backfill.rate": 0,
    "fieldgate.look.ms": 60_000,
    "publication.autocreate.mode": "filtered",
    sent: { viaRoot: false, operations: new Set(["insert", "update", "delete"]) },
    stateTopic: STATE_TOPIC,
    parkedTopic: PARKED_TOPIC,
    "fieldgate.on.unfit": "park",
    deadLetterTopic: DEAD_LETTERS,
    "fieldgate.on.poison": "park",
    poisonOf: new Map(),
    version: "0.0.0",
    ...rules,
    ...given.settings,
  } as unknown as Settings; // with the keys that the loop reads
  const outside: Outside = {
    settings,
    delivery: mode === "watch" ? "none" : "exactly-once",
    writesMarks: mode === "guard",
    askRegistry: (table, amendment, onAnswered) => ASK_REGISTRY[mode](settings, registry, table, amendment, onAnswered),
    openSource: async () => source,
    sink,
    registry,
    controlTopics: {
      contracts: () => new Map(),
      missing: () => {},
      readContractsToEnd: async () => {},
      listen: () => NONE,
      recorded: () => {},
      ...given.controlTopics,
    },
    groups: given.groups ?? { listen: () => NONE, again: async () => {} },
    waits: createWaits(() => Number(clock.micros / 1000n)),
    log: { info: (line) => void log.push(line), warn: (line) => void log.push(line) },
    now: () => clock.micros,
    uuid: () => `uuid-${(uuids += 1)}`,
    async sleep(ms, signal) {
      // The background rounds never run in a test that does not wait for them.
      if (ms >= 30_000)
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      signal.throwIfAborted();
      slept.push(ms);
      clock.micros += BigInt(Math.round(ms * 1000));
      // Lets the loop and the test run, because a background task that retries forever would never give way.
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
    alert: ({ id }) => void alerted.push(id),
    onAlerted: () => {},
    notice: async ({ what }) => void log.push(`notice: ${what}`),
    stopped: ({ code }) => void stops.push(code),
    status: (status) => void statuses.push(status),
    ...given.outside,
  };
  const feed = (...more: readonly WalItem[]): void => {
    items.push(...more);
    wake();
  };
  return {
    outside,
    source,
    stream,
    writer,
    feed,
    clock,
    slept,
    commits,
    acknowledged,
    marks,
    statuses,
    log,
    alerted,
    stops,
  };
}

/** What a look shows of an ordinary table. */
export function lookedTable(oid: number, { schema, name }: TableName): LookedTable {
  return {
    oid,
    schema,
    name,
    partitioned: false,
    persistence: "p",
    file: oid,
    files: [],
    foreign: [],
    columns: "",
    readable: true,
    usable: true,
    hidden: false,
    identified: true,
    remedy: null,
    covers: null,
    ancestors: [],
    own: [],
    above: [],
    columnList: false,
    generated: false,
    rowFilter: false,
    attached: [],
  };
}

/** The only table, in a publication of all tables or in one that has none. */
export function lookAt(table: LookedTable, allTables = true): TablesLook {
  return {
    publication: { identity: "1.1", allTables, viaRoot: false, operations: ["insert", "update", "delete"] },
    tables: new Map([[table.oid, table]]),
    named: new Map([[fullName(table), table]]),
    enums: new Map(),
  };
}

export const CUSTOMERS = tableOf([ID, NAME]);
const LOOK = lookAt(lookedTable(Number(CUSTOMERS.oid), CUSTOMERS));

const STATE_TOPIC = "__fieldgate.main.state.shop";
export const PARKED_TOPIC = "__fieldgate.main.parked.shop";
export const DEAD_LETTERS = "__fieldgate.main.dead-letter.shop";

/** The records of the parked topic, with their offsets. */
export function parkedRecords(commits: World["commits"]) {
  return commits
    .flat()
    .filter(({ topic }) => topic === PARKED_TOPIC)
    .map(({ key, value }, index) => ({ offset: BigInt(index), key, value }));
}

/** The records of the state topic, as a reader sees them from the beginning. */
export function stateRecords(commits: World["commits"]) {
  return commits
    .flat()
    .filter(({ topic }) => topic === STATE_TOPIC)
    .map(({ key, value }) => ({ key: String(key), value: value === null ? null : String(value) }));
}

const POSITION: Position = {
  endLsn: lsn(100n),
  commitLsn: undefined,
  tx: undefined,
  systemId: "1",
  timeline: 1,
  slot: "fieldgate_shop",
};

/** A session of this world that is at 0/64 in the log, and whose state topic has this state. */
export function sessionIn(world: World, state: State = stateOf(), ended = new AbortController()): Session {
  const waker = createWaker();
  void world.source.openStream(POSITION.endLsn, waker.wake, 64 << 20);
  const { tables, jobs, outcomes } = state;
  return {
    outside: world.outside,
    source: world.source,
    signal: ended.signal,
    waker,
    tape: {
      stream: world.stream,
      position: POSITION,
      tx: undefined,
      held: undefined,
      keepaliveEnd: undefined,
      lastCommitTime: undefined,
      relations: new Map(),
    },
    control: {
      state: { ...state, evidence: recalled(new Map()) },
      inbox: [],
      commandOffset: 0n,
      ddl: { secret: undefined, readAgain: 0n, complete: undefined, found: undefined, unproven: new Set() },
      catalog: noCatalogReads(),
      rechecks: [],
      work: noRegistryWork(),
      toAlert: new Set(),
      parksToReport: new Set(),
      looks: { ...firstLooks(world.outside, { ...LOOK, end: lsn(1n) }, []), due: 1n << 62n },
      lastRun: undefined,
      poison: noPoison(),
      halts: new Map(),
    },
    batch: {
      writer: world.writer,
      records: [],
      bytes: 0,
      slab: slab(),
      partitions: new Map(),
      maxBytes: new Map(),
      topics: firstTopicLooks(new Map()),
      committed: { ...EMPTY, position: POSITION, tables, jobs, outcomes },
    },
    chunks: idleChunks(),
    heartbeat: { ids: undefined, due: 0n, busy: false },
    parking: noParking(),
  };
}
