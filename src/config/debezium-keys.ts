/**
 * Debezium's and Kafka Connect's other keys, and what becomes of each. A key that would change an event's content
 * or topic is accepted only where its value asks for what Fieldgate does anyway; else it is a mistake, never ignored.
 */
export type Treatment =
  /** No effect on events: one warning names them all. */
  | { readonly kind: "ignored" }
  /** Accepted at these values (as text), because that is what happens anyway. */
  | { readonly kind: "only"; readonly values: readonly string[] }
  /** Would change events, and is not in this version. */
  | { readonly kind: "refused"; readonly why: string };

const TABLES = "list the tables in table.include.list";
const COLUMNS = "every column of a captured table is published as Debezium does by default";
const JAVA = "it names Java classes, which would change the events";
const SIGNALS = "signals and notifications are not in this version";
const EVENTS = "it would change the events and is not in this version";

/** A name that ends in `*` is a prefix. The first that matches counts. */
const TREATMENTS: readonly (readonly [name: string, treatment: Treatment])[] = [
  ...only({
    "connector.class": ["io.debezium.connector.postgresql.PostgresConnector"],
    "database.sslmode": ["disable", "allow", "prefer"],
    "publication.autocreate.mode": ["filtered"],
    "publish.via.partition.root": ["false"],
    "slot.drop.on.stop": ["false"],
    "slot.failover": ["false"],
    "topic.delimiter": ["."],
    "topic.naming.strategy": ["io.debezium.schema.SchemaTopicNamingStrategy"],
    "schema.name.adjustment.mode": ["none"],
    "field.name.adjustment.mode": ["none"],
    "decimal.handling.mode": ["precise"],
    "time.precision.mode": ["adaptive"],
    "hstore.handling.mode": ["json"],
    "interval.handling.mode": ["numeric"],
    "binary.handling.mode": ["bytes"],
    "money.fraction.digits": ["2"],
    "include.unknown.datatypes": ["false"],
    "include.schema.comments": ["false"],
    "unavailable.value.placeholder": ["__debezium_unavailable_value"],
    "provide.transaction.metadata": ["false"],
    "skip.messages.without.change": ["false"],
    "event.processing.failure.handling.mode": ["fail"],
    "errors.tolerance": ["none"],
    "read.only": ["false"],
    "table.ignore.builtin": ["true"],
    "key.converter": ["io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"],
    "value.converter": [
      "io.confluent.connect.avro.AvroConverter",
      "io.apicurio.registry.utils.converter.AvroConverter",
    ],
  }),
  ...ignored([
    "tasks.max",
    "tasks.max.enforce",
    "database.server.name",
    "database.server.id",
    "database.tcpKeepAlive",
    "database.query.timeout.ms",
    "database.sslfactory",
    "connection.validation.timeout.ms",
    "slot.max.retries",
    "slot.retry.delay.ms",
    "slot.seek.to.known.offset.on.start",
    "status.update.interval.ms",
    "flush.lsn.source",
    "lsn.flush.*",
    "offset.mismatch.strategy",
    "offset.flush.*",
    "heartbeat.*",
    "topic.heartbeat.prefix",
    "xmin.fetch.interval.ms",
    "max.batch.size",
    "max.queue.size",
    "max.queue.size.in.bytes",
    "poll.interval.ms",
    "streaming.delay.ms",
    "errors.max.retries",
    "errors.retry.*",
    "errors.log.*",
    "retriable.restart.connector.wait.ms",
    "event.converting.failure.handling.mode",
    "snapshot.isolation.mode",
    "snapshot.locking.mode",
    "snapshot.lock.timeout.ms",
    "snapshot.fetch.size",
    "snapshot.delay.ms",
    "snapshot.max.threads",
    "snapshot.tables.order.by.row.count",
    "snapshot.mode.*",
    "incremental.snapshot.*",
    "schema.refresh.mode",
    "schema.history.*",
    "include.schema.changes",
    "sourceinfo.struct.maker",
    "queue.provider.type",
    "openlineage.*",
    "internal.*",
    "guardrail.*",
    "custom.metric.tags",
    "topic.creation.enable",
    "exactly.once.support",
    "transaction.boundary*",
    "config.action.reload",
    "key.converter.schema.registry.url",
    "value.converter.schema.registry.url",
    "key.converter.apicurio.registry.*",
    "value.converter.apicurio.registry.*",
    "key.converter.basic.auth.*",
    "value.converter.basic.auth.*",
    "key.converter.auto.register.schemas",
    "value.converter.auto.register.schemas",
    "key.converter.ignore.default.for.nullables",
    "value.converter.ignore.default.for.nullables",
    "key.converter.schemas.enable",
    "value.converter.schemas.enable",
  ]),
  ...refused(TABLES, ["table.exclude.list", "schema.include.list", "schema.exclude.list"]),
  ...refused(COLUMNS, ["column.*", "datatype.propagate.source.type"]),
  ...refused(JAVA, ["transforms*", "predicates*", "converters*", "post.processors*", "transaction.metadata.factory"]),
  ...refused(SIGNALS, ["signal.*", "notification.*"]),
  ...refused("connections without TLS only in this version", ["database.ssl*"]),
  ...refused("topics get partitions, replication.factor and cleanup.policy only in this version", ["topic.creation.*"]),
  ...refused("it would change a table of the source", ["replica.identity.autoset.values"]),
  ...refused(EVENTS, [
    "extended.headers.enabled",
    "message.*",
    "topic.transaction",
    "topic.cache.size",
    "slot.stream.params",
    "database.initial.statements",
    "snapshot.include.collection.list",
    "snapshot.select.statement.overrides*",
    "snapshot.query.mode*",
    "key.converter.*",
    "value.converter.*",
    "header.converter*",
  ]),
];

/** What becomes of a key that is not Fieldgate's own; undefined: nobody knows it. */
export function treatmentOf(key: string): Treatment | undefined {
  return TREATMENTS.find(([name]) => (name.endsWith("*") ? key.startsWith(name.slice(0, -1)) : key === name))?.[1];
}

/** Whole names (no prefixes), to find the one a misspelt key is nearest to. */
export const debeziumKeys: readonly string[] = TREATMENTS.map(([name]) => name).filter((name) => !name.endsWith("*"));

function only(values: Readonly<Record<string, readonly string[]>>): (readonly [string, Treatment])[] {
  return Object.entries(values).map(([name, allowed]) => [name, { kind: "only", values: allowed }]);
}

function ignored(names: readonly string[]): (readonly [string, Treatment])[] {
  return names.map((name) => [name, { kind: "ignored" }]);
}

function refused(why: string, names: readonly string[]): (readonly [string, Treatment])[] {
  return names.map((name) => [name, { kind: "refused", why }]);
}
