/**
 * Keys of Debezium and Kafka Connect that Fieldgate does not use itself, and how it treats each one. A key that would
 * change an event's content or topic is accepted only if its value asks for what Fieldgate does anyway. Otherwise it is
 * reported as a mistake; it is never ignored.
 */
import { AVRO_CONVERTERS } from "./converter.ts";

export type Treatment =
  /** The key has no effect on events. One warning lists all such keys. */
  | { readonly kind: "ignored" }
  /**
   * The key is accepted with these values (as text), which describe what Fieldgate does anyway. `why`: the reason why
   * other values are rejected.
   */
  | { readonly kind: "only"; readonly values: readonly string[]; readonly why?: string | undefined }
  /** The key would change events, and is not supported in this version. */
  | { readonly kind: "refused"; readonly why: string };

const RENAMED = "Debezium has called it include.list and exclude.list since 1.3";
const COLUMNS = "columns are published whole and unchanged";
const JAVA = "it names Java classes that would change the events";
const SIGNALS = "this version has no signals or notifications";
const EVENTS = "it would change the events, which this version does not do";
const STORES = "Java key stores are not read; name the certificate authority in FIELDGATE_REGISTRY_CA";

/** A name that ends in `*` is a prefix. The first match counts. */
const TREATMENTS: readonly (readonly [name: string, treatment: Treatment])[] = [
  ...only({
    "connector.class": ["io.debezium.connector.postgresql.PostgresConnector"],
    "slot.drop.on.stop": ["false"],
    "slot.failover": ["false"],
    "topic.delimiter": ["."],
    "topic.naming.strategy": ["io.debezium.schema.SchemaTopicNamingStrategy"],
    "schema.name.adjustment.mode": ["none", "avro"],
    "include.schema.comments": ["false"],
    "provide.transaction.metadata": ["false"],
    "skip.messages.without.change": ["false"],
    "event.processing.failure.handling.mode": ["fail"],
    "errors.tolerance": ["none"],
    "read.only": ["false"],
    "table.ignore.builtin": ["true"],
    "extended.headers.enabled": ["false"],
    "header.converter": ["org.apache.kafka.connect.storage.SimpleHeaderConverter"],
    "snapshot.query.mode": ["select_all"],
  }),
  ...only({ transforms: [""], predicates: [""], converters: [""], "post.processors": [""] }, JAVA),
  ...converters({
    "": AVRO_CONVERTERS,
    ".auto.register.schemas": ["true", "false"],
    ".use.latest.version": ["true", "false"],
    ".key.subject.name.strategy": ["io.confluent.kafka.serializers.subject.TopicNameStrategy"],
    ".value.subject.name.strategy": ["io.confluent.kafka.serializers.subject.TopicNameStrategy"],
    ".ignore.default.for.nullables": ["true"],
    ".enhanced.avro.schema.support": ["false"],
    ".connect.meta.data": ["true"],
    ".scrub.invalid.names": ["false"],
    ".normalize.schemas": ["false"],
    ".generalized.sum.type.support": ["false"],
    ".flatten.unions": ["false"],
    ".allow.optional.map.keys": ["false"],
    ".discard.type.doc.default": ["false"],
    ".use.schema.id": ["-1"],
    ".apicurio.registry.auto-register": ["true", "false"],
    ".apicurio.registry.find-latest": ["true", "false"],
    ".apicurio.registry.as-confluent": ["true"],
    ".apicurio.registry.headers.enabled": ["false"],
    ".apicurio.registry.use-id": ["contentId"],
  }),
  ...ignored([
    "tasks.max",
    "tasks.max.enforce",
    "database.server.name",
    "database.server.id",
    "database.sslfactory",
    "database.socketTimeout",
    "database.loginTimeout",
    "connection.validation.timeout.ms",
    "slot.max.retries",
    "slot.retry.delay.ms",
    "slot.seek.to.known.offset.on.start",
    "status.update.interval.ms",
    "flush.lsn.source",
    "lsn.flush.*",
    "offset.mismatch.strategy",
    "offset.flush.*",
    "offsets.storage.topic",
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
    "topic.cache.size",
    "exactly.once.support",
    "transaction.boundary*",
    "config.action.reload",
    "producer.override.*",
    "consumer.override.*",
    "admin.override.*",
    "key.converter.schemas.enable",
    "value.converter.schemas.enable",
    "key.converter.schemas.cache.config",
    "value.converter.schemas.cache.config",
    "key.converter.schemas.cache.size",
    "value.converter.schemas.cache.size",
    "key.converter.max.schemas.per.subject",
    "value.converter.max.schemas.per.subject",
    "key.converter.latest.compatibility.strict",
    "value.converter.latest.compatibility.strict",
    "key.converter.avro.use.logical.type.converters",
    "value.converter.avro.use.logical.type.converters",
  ]),
  ...refused(RENAMED, ["schema.whitelist", "schema.blacklist", "table.whitelist", "table.blacklist"]),
  ...refused(RENAMED, ["column.whitelist", "column.blacklist"]),
  ...refused(COLUMNS, ["column.*", "datatype.propagate.source.type"]),
  ...refused(JAVA, ["transforms*", "predicates*", "converters*", "post.processors*", "transaction.metadata.factory"]),
  ...refused(SIGNALS, ["signal.*", "notification.*"]),
  ...refused("this version sets only partitions, replication.factor and cleanup.policy of new topics", [
    "topic.creation.*",
  ]),
  ...refused("it would change a table of the source database", ["replica.identity.autoset.values"]),
  ...refused(STORES, ["key.converter.schema.registry.ssl.*", "value.converter.schema.registry.ssl.*"]),
  ...refused(EVENTS, [
    "message.*",
    "topic.transaction",
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

/**
 * With fieldgate.mode=watch, the file belongs to a Debezium connector that keeps running. Keys about its slot, its rows
 * and its topics do not concern Fieldgate. Keys that determine a table's schema count as usual.
 */
const OF_DEBEZIUM_ALONE: readonly string[] = [
  "slot.*",
  "publication.name",
  "plugin.name",
  "snapshot.*",
  "heartbeat.*",
  "topic.heartbeat.prefix",
  "topic.transaction",
  "topic.creation.*",
  "tombstones.on.delete",
  "unavailable.value.placeholder",
  "provide.transaction.metadata",
  "skip.messages.without.change",
  "event.processing.failure.handling.mode",
  "errors.tolerance",
  "read.only",
  "extended.headers.enabled",
  "header.converter*",
  "signal.*",
  "notification.*",
  "replica.identity.autoset.values",
  "message.prefix.*",
  "database.initial.statements",
  "key.converter.ignore.default.for.nullables",
  "value.converter.ignore.default.for.nullables",
  "fieldgate.release.policy*",
  "fieldgate.on.poison*",
  "fieldgate.backfill.*",
  "fieldgate.chunk.rows",
];

/** True for a key that has no effect in watch mode. */
export function isOfDebeziumAlone(key: string): boolean {
  return OF_DEBEZIUM_ALONE.some((name) => isNamed(key, name));
}

/** How a key that Fieldgate does not use is treated; undefined for an unknown key. */
export function treatmentOf(key: string): Treatment | undefined {
  return TREATMENTS.find(([name]) => isNamed(key, name))?.[1];
}

function isNamed(key: string, name: string): boolean {
  return name.endsWith("*") ? key.startsWith(name.slice(0, -1)) : key === name;
}

/** Names without the prefixes, for suggestions when a key is misspelt. */
export const debeziumKeys: readonly string[] = TREATMENTS.map(([name]) => name).filter((name) => !name.endsWith("*"));

function only(values: Readonly<Record<string, readonly string[]>>, why?: string): (readonly [string, Treatment])[] {
  return Object.entries(values).map(([name, allowed]) => [name, { kind: "only", values: allowed, why }]);
}

/** Treatments that apply to both the key's and the value's converter. */
function converters(values: Readonly<Record<string, readonly string[]>>): (readonly [string, Treatment])[] {
  return Object.entries(values).flatMap(([name, allowed]) =>
    only({ [`key.converter${name}`]: allowed, [`value.converter${name}`]: allowed }),
  );
}

function ignored(names: readonly string[]): (readonly [string, Treatment])[] {
  return names.map((name) => [name, { kind: "ignored" }]);
}

function refused(why: string, names: readonly string[]): (readonly [string, Treatment])[] {
  return names.map((name) => [name, { kind: "refused", why }]);
}
