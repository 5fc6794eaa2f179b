import type { Contract } from "./contract.ts";

/** How one kind of client reads a topic, as docs/consumers.md has it with where that is known from. */
interface Client {
  readonly is: string;
  readonly decodesWith: Contract["decodesWith"];
  readonly unknownFields: Contract["unknownFields"];
  readonly view: NonNullable<Contract["view"]>;
  /** What `unknown-fields` assumes of it, and when the other word is right. */
  readonly assumes: string;
}

const BY_KEY =
  "it builds SQL from the row's keys, copies the row on or checks it strictly; accept if it asks for fields by name";

/** By the names that `contract init --client` takes. */
export const CLIENTS = {
  "java-specific": {
    is: "Java with generated classes (SpecificRecord)",
    decodesWith: "reader",
    unknownFields: "accept",
    view: "envelope",
    assumes: "specific.avro.reader is true, so that Avro skips what the classes do not have",
  },
  "java-generic": {
    is: "Java with GenericRecord",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes: "it walks over all fields of a record; accept if it asks for fields by name",
  },
  kafkajs: {
    is: "kafkajs with @kafkajs/confluent-schema-registry, without a reader schema",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes: BY_KEY,
  },
  python: {
    is: "Python's confluent-kafka without a reader schema",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "envelope",
    assumes: "it makes a strict model of the whole row, Model(**row); accept if it asks for fields by name",
  },
  "connect-jdbc": {
    is: "Kafka Connect's JDBC sink",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "row",
    assumes: "auto.evolve is false, its default: the task stops at a field its table lacks; accept if it is true",
  },
  bigquery: {
    is: "Kafka Connect's BigQuery sink",
    decodesWith: "writer",
    unknownFields: "reject",
    view: "row",
    assumes:
      "allowNewBigQueryFields is false, its default: a row with an unknown field is refused; accept if it is true",
  },
  iceberg: {
    is: "Kafka Connect's Iceberg sink",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "row",
    assumes:
      "it leaves out a field its table lacks, or adds the column; reject if no value of a new column may be missed",
  },
  s3: {
    is: "Kafka Connect's S3 sink",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "it begins a new file at a new schema; reject if what reads the files does not take new columns",
  },
  "flink-sql": {
    is: "Flink SQL with debezium-avro-confluent",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "it reads the columns of its CREATE TABLE and skips others",
  },
  ksqldb: {
    is: "ksqlDB",
    decodesWith: "writer",
    unknownFields: "accept",
    view: "envelope",
    assumes: "its columns are those of its CREATE STREAM until someone alters it",
  },
} as const satisfies Readonly<Record<string, Client>>;

export type ClientName = keyof typeof CLIENTS;
