import { stringify } from "yaml";
import { type ClientName, CLIENTS } from "./clients.ts";

export interface FirstContract {
  readonly client: ClientName;
  readonly topic: string;
  readonly consumer: string;
  readonly environment: string;
  /** Columns of the row as it flows now. */
  readonly columns: readonly string[];
  /** The `.avsc` of a client that decodes with its own schema, from the file's folder. */
  readonly schema: string;
}

/** A first `fieldgate.yaml` for a client, with what each line means and what is assumed. */
export function firstContractText({ client, topic, consumer, environment, columns, schema }: FirstContract): string {
  const { is, decodesWith, unknownFields, view, assumes } = CLIENTS[client];
  const lines = [
    `# What ${scalar(consumer)} reads, and how: fieldgate asks it before a new field flows. Written for ${is}.`,
    "# Lines that say Assumed are guesses: correct them, then run `fieldgate check`. Deployed: `fieldgate publish`.",
    "version: 1",
    "# The same name in every environment.",
    `consumer: ${scalar(consumer)}`,
    "# Who answers for it, for alerts.",
    '# owner: "@team"',
    "# Where it runs; `fieldgate publish --env` says another.",
    `environment: ${scalar(environment)}`,
    "topics:",
    `  - topic: ${scalar(topic)}`,
    "    # The client that decodes.",
    `    runtime: ${client}`,
    ...viewLines(view),
    ...(decodesWith === "reader" ? readerLines(schema) : writerLines(columns)),
    `    # ${unknownFields === "reject" ? REJECT : ACCEPT}`,
    `    # Assumed: ${assumes}.`,
    `    unknown-fields: ${unknownFields}`,
    ...(unknownFields === "reject" ? ["    # Columns it knows and does not read.", "    # ignores: []"] : []),
    "    # Its Kafka consumer groups: alerts name the groups of a topic that no contract names.",
    `    # groups: [${scalar(consumer)}]`,
  ];
  return `${lines.join("\n")}\n`;
}

const REJECT = "A field named nowhere here stops it or loses data: a new one is kept back until it is named.";
const ACCEPT = "A field named nowhere here does it no harm.";

function viewLines(view: "envelope" | "row"): readonly string[] {
  if (view === "envelope") {
    return [
      "    # It gets the whole event: before, after, op, source. row: unwrapped by ExtractNewRecordState.",
      `    view: ${view}`,
    ];
  }
  return [
    "    # Assumed: it gets the row alone, unwrapped by ExtractNewRecordState. envelope: the whole event.",
    `    view: ${view}`,
    "    # What the unwrapping adds (add.fields, __deleted), if it reads that.",
    "    # adds: [__op, __deleted]",
  ];
}

function readerLines(schema: string): readonly string[] {
  return [
    "    # Events are decoded with this consumer's own schema, so Avro's rules decide.",
    "    decodes-with: reader",
    "    # Assumed: it reads all that flows now. Name the .avsc that its classes are made from.",
    `    schema: ${scalar(schema)}`,
  ];
}

function writerLines(columns: readonly string[]): readonly string[] {
  return [
    "    # Events are decoded with the schema each of them names, so these columns have to stay as they are.",
    "    decodes-with: writer",
    "    # Assumed: it reads every column there is now. Take out those it does not read: they may change freely.",
    columns.length === 0 ? "    fields: []" : "    fields:",
    ...columns.map((column) => `      - ${scalar(column)}`),
  ];
}

/** Quoted where YAML needs it: a column may be named null or true. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
