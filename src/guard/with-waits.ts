import { type ErrorCode, GuardError } from "../errors.ts";
import type { Registry } from "../registry/client.ts";
import type { Outside, Settings, Sink, Source } from "./outside.ts";
import type { Side, Wait, Waits } from "./waits.ts";
import { fullName } from "../table/quote.ts";

/**
 * Makes every call to PostgreSQL, Kafka and the registry a wait with a name and a limit. A call that exceeds its limit
 * fails with an error, and the connector begins a new session, as after a lost connection.
 */

/**
 * A call to Kafka or the registry without an answer after this time is considered lost. Before that, each of them
 * retries on its own.
 */
const LIMIT_MS = 300_000;
/** The server cancels a statement after `database.query.timeout.ms`, so only a lost connection takes longer. */
const BEYOND_QUERY_TIMEOUT_MS = 10_000;

type Named = <T>(what: string, work: () => Promise<T>) => Promise<T>;

const CODES = {
  PostgreSQL: "postgres-down",
  Kafka: "kafka-down",
  "the registry": "registry-down",
} as const satisfies Record<Side, ErrorCode>;

function naming(waits: Waits, on: Side, limitMs: number | undefined, causes?: Wait["causes"]): Named {
  return async (what, work) => {
    using _wait = waits.begin(on, what, { limitMs, causes });
    if (limitMs === undefined) return await work();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new GuardError(CODES[on], `${on} did not answer a request ${what} within ${limitMs / 1000} s`));
    }, limitMs);
    try {
      return await Promise.race([work(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The same outside, with its calls recorded as waits. */
export function withWaits(outside: Outside): Outside {
  const { waits, settings } = outside;
  const kafka = naming(waits, "Kafka", LIMIT_MS);
  const { controlTopics, groups } = outside;
  return {
    ...outside,
    openSource: async () => {
      const timeoutMs = settings["database.connectTimeout"] * 1000 * CONNECTIONS + BEYOND_QUERY_TIMEOUT_MS;
      const named = naming(waits, "PostgreSQL", timeoutMs);
      return namedSource(await named("to open its sessions", () => outside.openSource()), waits, settings);
    },
    sink: namedSink(outside.sink, kafka),
    registry: namedRegistry(outside.registry, naming(waits, "the registry", LIMIT_MS)),
    groups: { ...groups, again: () => kafka("to list its consumer groups", () => groups.again()) },
    controlTopics: {
      ...controlTopics,
      readContractsToEnd: () => kafka("to read the contracts", () => controlTopics.readContractsToEnd()),
    },
  };
}

/** How many connections a connector opens, counting attempts with and without TLS. */
const CONNECTIONS = 8;

function namedSource(source: Source, waits: Waits, settings: Settings): Source {
  const timeoutMs = settings["database.query.timeout.ms"];
  const limitMs = timeoutMs === 0 ? undefined : timeoutMs + BEYOND_QUERY_TIMEOUT_MS;
  const named = naming(waits, "PostgreSQL", limitMs, () => source.blockers());
  const slot = settings["slot.name"];
  return {
    check: () => named("to check the server", () => source.check()),
    tables: (known) => named("to list the captured tables", () => source.tables(known)),
    types: (oids) => named("to read types", () => source.types(oids)),
    ddlSecret: () => named("to read the DDL trigger's secret", () => source.ddlSecret()),
    triggerIdentity: () => named("to read the DDL trigger", () => source.triggerIdentity()),
    table: (oid) => named(`to read the columns of table ${oid}`, () => source.table(oid)),
    // The stream does not depend on this query, and its session has its own limit.
    run: (query) => source.run(query),
    slot: () => named(`to read slot ${slot}`, () => source.slot()),
    createSlot: (onWait, signal) => {
      let blockers: readonly string[] = [];
      const report = (now: readonly string[]): void => {
        blockers = now;
        onWait(now);
      };
      // Creating the slot waits for other sessions' transactions, however long they take.
      const unlimited = naming(waits, "PostgreSQL", undefined, async () => blockers);
      return unlimited(`to create slot ${slot}`, () => source.createSlot(report, signal));
    },
    terminateReader: () => named(`to end the last reader of slot ${slot}`, () => source.terminateReader()),
    // Runs in the background in its own session, and waits for no locks.
    look: () => named("to look at the catalog", () => source.look()),
    ensurePublication: (tables) => named("to check the publication", () => source.ensurePublication(tables)),
    openStream: (start, wake, maxMessageBytes) =>
      named(`to read slot ${slot}`, () => source.openStream(start, wake, maxMessageBytes)),
    mark: (content) => named("to write a mark", () => source.mark(content)),
    markTransaction: () => named("to write a mark", () => source.markTransaction()),
    snapshot: () => named("to take a snapshot", () => source.snapshot()),
    openBelow: (transaction) => source.openBelow(transaction),
    blockers: () => source.blockers(),
    lockHolders: (oid) => source.lockHolders(oid),
    chunk: (request) => named(`to read rows of ${fullName(request.table)}`, () => source.chunk(request)),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

function namedSink(sink: Sink, named: Named): Sink {
  return {
    async openWriter(maxBytes) {
      const writer = await named("to open the writer", () => sink.openWriter(maxBytes));
      return {
        commit: (records, signal) => named(`to commit ${records.length} records`, () => writer.commit(records, signal)),
        limitBrokenBy: (record) => writer.limitBrokenBy(record),
        [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
      };
    },
    readState: (until, signal) => named("to read the state", () => sink.readState(until, signal)),
    describeTopics: (names) => named("to describe topics", () => sink.describeTopics(names)),
    emptyTopics: (names) => named("to look for empty topics", () => sink.emptyTopics(names)),
    createTopics: (topics) => named(`to create ${topics.length} topics`, () => sink.createTopics(topics)),
    createStateTopic: () => named("to create the state topic", () => sink.createStateTopic()),
    createParkedTopic: () => named("to create the topic of parked changes", () => sink.createParkedTopic()),
    readParked: (from, take, signal) => named("to read parked changes", () => sink.readParked(from, take, signal)),
  };
}

function about(subject: string): string {
  return `to answer about ${subject}`;
}

function namedRegistry(registry: Registry, named: Named): Registry {
  return {
    latest: (subject) => named(about(subject), () => registry.latest(subject)),
    versions: (subject) => named(about(subject), () => registry.versions(subject)),
    version: (subject, version) => named(about(subject), () => registry.version(subject, version)),
    schemaById: (id) => named(about(`schema ${id}`), () => registry.schemaById(id)),
    check: (subject, text) => named(about(subject), () => registry.check(subject, text)),
    level: (subject) => named(about(subject), () => registry.level(subject)),
    register: (subject, text) => named(`to register a schema of ${subject}`, () => registry.register(subject, text)),
  };
}
