import type { Contract } from "./contract.ts";

/**
 * What is known about the client libraries and sinks that read Kafka topics, for `fieldgate contract init`. A consumer that
 * uses one of them gets a contract with these values, each marked as assumed.
 */

/** How one kind of client reads a topic; docs/consumers.md gives the sources. */
interface Client {
  readonly is: string;
  readonly decodesWith: Contract["decodesWith"];
  readonly unknownFields: Contract["unknownFields"];
  readonly view: NonNullable<Contract["view"]>;
  /** For JavaScript: what the library makes of a long, unless it is configured. */
  readonly longs?: NonNullable<Contract["longs"]>;
  /** Why `unknown-fields` is set to this value, and when the other value is right. */
  readonly assumes: string;
}

const BY_KEY =
  "it builds SQL from the row's keys, copies whole rows or validates them strictly; accept if it reads fields by name";

/** The keys are the values of `contract init --client`. */
export const CLIENTS = {
  "java-specific": {
    is: "Java with generated classes (SpecificRecord)",
    decodesWith: "reader",
    unknownFields: "accept",
    view: "envelope",
    assumes: "specific.avro.reader is true, so Avro skips fields that the classes do not have",
  },
  "java-generic": {
    is: "Java with GenericRecord",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes: "it iterates over all fields of a record; accept if it reads fields by name",
  },
  kafkajs: {
    is: "kafkajs with @kafkajs/confluent-schema-registry, without a reader schema",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    longs: "number",
    assumes: BY_KEY,
  },
  python: {
    is: "Python's confluent-kafka without a reader schema",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes: "it builds a strict model from the whole row, Model(**row); accept if it reads fields by name",
  },
  "connect-jdbc": {
    is: "Kafka Connect's JDBC sink",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "row",
    assumes: "auto.evolve is false, the default: the task stops at a field that its table lacks; accept if it is true",
  },
  "debezium-jdbc": {
    is: "Debezium's JDBC sink",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes:
      "schema.evolution is none, the default: the task stops at a field that its table lacks; accept if it is basic",
  },
  bigquery: {
    is: "Kafka Connect's BigQuery sink",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "row",
    assumes:
      "allowNewBigQueryFields is false, the default: a row with an unknown field is rejected; accept if it is true",
  },
  iceberg: {
    is: "Kafka Connect's Iceberg sink",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "row",
    assumes:
      "it skips a field that its table lacks, or adds the column; reject if it must not miss values of new columns",
  },
  s3: {
    is: "Kafka Connect's S3 sink",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "it starts a new file at a new schema; reject if the readers of the files do not accept new columns",
  },
  "flink-sql": {
    is: "Flink SQL with debezium-avro-confluent",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "it reads the columns in its CREATE TABLE and skips others",
  },
  ksqldb: {
    is: "ksqlDB",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "it reads the columns in its CREATE STREAM and skips others",
  },
} as const satisfies Readonly<Record<string, Client>>;

export type ClientName = keyof typeof CLIENTS;
