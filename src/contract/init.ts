import { stringify } from "yaml";
import { type ClientName, CLIENTS } from "./clients.ts";
import type { Contract } from "./contract.ts";

/** The first `fieldgate.yaml` of a consumer, for `fieldgate contract init`. A comment explains every line. */

export interface FirstContract {
  readonly client: ClientName;
  readonly consumer: string;
  /** undefined if it is not known. */
  readonly environment: string | undefined;
  readonly topics: readonly FirstTopic[];
}

export interface FirstTopic {
  readonly topic: string;
  /** The row's columns that are currently in the events. */
  readonly columns: readonly string[];
  /** The path of the `.avsc`, relative to the file, for a client that decodes with its own schema. */
  readonly schema: string;
}

/** Writes the file for one kind of client. Lines that are guesses are marked as assumed. */
export function firstContractText({ client, consumer, environment, topics }: FirstContract): string {
  const lines = [
    `# What ${scalar(consumer)} reads, and how. Fieldgate checks this before a new field flows. Written for ${clientOf(client).is}.`,
    "# Lines marked Assumed are guesses: correct them and run `fieldgate check`. After a deploy: `fieldgate publish`.",
    "version: 1",
    "# The same name in every environment.",
    `consumer: ${scalar(consumer)}`,
    "# Who is responsible for it, for alerts.",
    '# owner: "@team"',
    ...(environment === undefined ? UNKNOWN_ENVIRONMENT : [OVERRIDES, `environment: ${scalar(environment)}`]),
    "topics:",
    ...topics.flatMap((topic) => topicLines(client, consumer, topic)),
  ];
  return `${lines.join("\n")}\n`;
}

const OVERRIDES = "# The environment it runs in; `fieldgate publish --env` overrides this.";
/** A guess would publish a contract that counts for nothing. */
const UNKNOWN_ENVIRONMENT = [
  "# The environment it runs in, as the connector's fieldgate.environment names it; or give it to `fieldgate publish --env`.",
  "# environment: production",
];

function topicLines(client: ClientName, consumer: string, { topic, columns, schema }: FirstTopic): readonly string[] {
  const { decodesWith, unknownFields, view, assumes, longs } = clientOf(client);
  return [
    `  - topic: ${scalar(topic)}`,
    "    # The client library that decodes.",
    `    runtime: ${client}`,
    ...(longs === undefined ? [] : longLines(longs)),
    ...viewLines(view),
    ...(decodesWith === "reader" ? readerLines(schema) : writerLines(columns)),
    `    # ${unknownFields === "reject" ? REJECT : ACCEPT}`,
    `    # Assumed: ${assumes}.`,
    `    unknown-fields: ${unknownFields}`,
    ...(unknownFields === "reject"
      ? ["    # Columns that the consumer knows but does not read.", "    # ignores: []"]
      : []),
    "    # Its Kafka consumer groups. Alerts list groups that no contract names.",
    `    # groups: [${scalar(consumer)}]`,
  ];
}

/** The type says that a client may have `longs`, which the keys of CLIENTS hide. */
function clientOf(name: ClientName): (typeof CLIENTS)[ClientName] & { readonly longs?: Contract["longs"] } {
  return CLIENTS[name];
}

/** Without these lines in the consumer, the library decodes no event, and the contract says so until they are there. */
function longLines(longs: NonNullable<Contract["longs"]>): readonly string[] {
  return [
    "    # What the library makes of a long. As in its README: a number, and then it decodes no event, because ts_ns is",
    "    # beyond 2^53. Add these lines to the consumer, for keys and values, and write bigint here:",
    '    #   import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";',
    '    #   import { bigintLongs } from "fieldgate/consumer";',
    "    #   const registry = new SchemaRegistry({ host }, { [SchemaType.AVRO]: { typeHook: bigintLongs } });",
    `    longs: ${longs}`,
  ];
}

const REJECT =
  "A field that is not listed here breaks this consumer or makes it lose data, so new fields are withheld until they are listed.";
const ACCEPT = "A field that is not listed here does it no harm.";

function viewLines(view: "envelope" | "row"): readonly string[] {
  if (view === "envelope") {
    return [
      "    # It gets the whole event: before, after, op, source. With row, it gets only the row, unwrapped by ExtractNewRecordState.",
      `    view: ${view}`,
    ];
  }
  return [
    "    # Assumed: it gets only the row, unwrapped by ExtractNewRecordState. With envelope, it gets the whole event.",
    `    view: ${view}`,
    "    # Fields that the unwrapping adds (add.fields, __deleted) and that this consumer reads.",
    "    # adds: [__op, __deleted]",
  ];
}

function readerLines(schema: string): readonly string[] {
  return [
    "    # Events are decoded with this consumer's own schema, so Avro's rules apply.",
    "    decodes-with: reader",
    "    # Assumed: it reads everything that flows now. Give the path of the .avsc that its classes are generated from.",
    `    schema: ${scalar(schema)}`,
  ];
}

function writerLines(columns: readonly string[]): readonly string[] {
  return [
    "    # Each event is decoded with the schema that it names, so these columns must not change.",
    "    decodes-with: writer",
    "    # Assumed: it reads all columns. Remove those that it does not read, so that they may change freely.",
    columns.length === 0 ? "    fields: []" : "    fields:",
    ...columns.map((column) => `      - ${scalar(column)}`),
  ];
}

/** Quoted if YAML requires it, because a column may be named null or true. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
