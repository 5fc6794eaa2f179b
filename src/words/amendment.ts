import type { Amendment, Change } from "../gate/amendment/amendment.ts";
import { notReady } from "../gate/decision/policy.ts";
import type { Mode } from "../gate/state.ts";
import type { Field } from "../table/shape.ts";

/**
 * Sentences about one amendment: what happened, what events contain until it is released, and the commands that resolve
 * it.
 */

const CHANGES: Readonly<Record<Change, string>> = {
  renamed: "was renamed",
  retyped: "has a new type",
  "not-null-set": "is now NOT NULL",
  "not-null-lost": "may now be NULL",
  default: "has a new default",
  labels: "has new enum labels",
};

/** What happened, in words: `column zip text was added`. */
export function describeAmendment({ kind, name, column, changes, topic, gate, byFile }: Amendment): string {
  switch (kind) {
    case "added":
      return `column ${name} ${column?.typeName ?? ""} was added`;
    case "dropped":
      return `column ${name} was dropped`;
    case "changed": {
      if (changes.length === 1 && changes[0] === "labels") return `enum labels of column ${name} changed`;
      const what = changes.map((change) => changeText(change, column, byFile)).join(" and ");
      if (changes.includes("renamed")) {
        return `column ${name} ${what}${gate.kind === "withheld" ? ` (events still call it ${name})` : ""}`;
      }
      const current = column?.name ?? name;
      return `column ${current} ${what}${current === name ? "" : ` (events call it ${name})`}`;
    }
    case "key":
      return `the table of ${topic} has a new primary key`;
    case "table":
      if (gate.reason.kind === "columns-unexplained")
        return `columns of the table of ${topic} cannot be matched with the catalog`;
      if (gate.reason.kind === "columns-not-sent")
        return `the publication sends other columns of the table of ${topic} than its events have`;
      return `the table of ${topic} was replaced by a different table`;
    default:
      return kind satisfies never;
  }
}

function changeText(change: Change, column: Amendment["column"], byFile: Amendment["byFile"]): string {
  if (column === undefined) return CHANGES[change];
  if (change === "retyped" && byFile === true) return "is mapped to a different type by the connector's file";
  if (change === "renamed") return `was renamed to ${column.name}`;
  return change === "retyped" ? `now has type ${column.typeName}` : CHANGES[change];
}

/** The state of the gate in a word or two. In watch mode Debezium publishes, so nothing is withheld or released. */
export function gateWord({ kind }: Pick<Amendment["gate"], "kind">, mode: Mode): string {
  return GATE_WORDS[mode][kind];
}

const GATE_WORDS: Readonly<Record<Mode, Readonly<Record<Amendment["gate"]["kind"], string>>>> = {
  guard: { withheld: "withheld", released: "released" },
  watch: { withheld: "not published yet", released: "published" },
};

const MEANWHILE: Readonly<Record<Mode, (amendment: Amendment) => string>> = {
  guard: whileWithheld,
  watch: untilPublished,
};

/** What the events contain until the amendment is released. */
export function meanwhile(amendment: Amendment, mode: Mode): string {
  return MEANWHILE[mode](amendment);
}

/** In watch mode: Debezium publishes the next row with the columns that the table has at that time. */
function untilPublished({ kind, changes }: Amendment): string {
  switch (kind) {
    case "added":
      return "Events lack the field until Debezium publishes the next row.";
    case "dropped":
      return "Events have the field until Debezium publishes the next row, which lacks it.";
    case "key":
      return "Events have the old key until Debezium publishes the next row.";
    case "table":
      return "Debezium continues with the table that has the name now.";
    case "changed":
      if (changes.every((change) => change === "labels")) return "Debezium publishes rows with the new labels.";
      return "Events have the field as it was until Debezium publishes the next row.";
    default:
      return kind satisfies never;
  }
}

/** What events contain after a release with --beside: several fields of the amendment's column. */
export function inSeveralFields(fields: readonly { readonly name: string }[], { name, changes }: Amendment): string {
  const others = fields.map((field) => field.name).filter((other) => other !== name);
  const lost = changes.includes("retyped") ? `; ${name} is null where a value does not fit its type` : "";
  return `Events have the column's values in ${others.join(" and ")}, beside ${name}${lost}.`;
}

function whileWithheld({ kind, changes }: Amendment): string {
  switch (kind) {
    case "added":
      return "Events continue without the field.";
    case "dropped":
      return `Events keep the field, as null or its default. ${OVERWRITES}`;
    case "key":
    case "table":
      return "No rows of the table are published from the first affected one on.";
    case "changed":
      if (changes.every((change) => change === "labels")) return "Rows with the new labels flow.";
      return changes.includes("retyped")
        ? "Events keep the field as it was, as long as every value fits it without loss."
        : "Events keep the field as it was.";
    default:
      return kind satisfies never;
  }
}

const OVERWRITES =
  "A sink that upserts writes that over its copy of the column: if the copy is still needed, make the sink leave the column out, or release the field, before rows change.";

/**
 * What a dropped column does to the copies of its values, and what to do: a sentence for each of the topic's fields that
 * come from it. A required field without a default stops its rows instead, and a filled one has the operator's value.
 */
export function renderOverwritten({ kind, attnum, id }: Amendment, fields: readonly Field[]): readonly string[] {
  if (kind !== "dropped") return [];
  const emptied = fields.filter(({ optional, avro }) => optional || avro.default !== undefined);
  return emptied
    .filter((field) => field.attnum === attnum && field.fill === undefined)
    .map(
      ({ name }) =>
        `changed rows have ${name} as null or its default, and a sink that upserts writes that over its copy of ${name}. If the copy is still needed, make the sink leave ${name} out, or run \`fieldgate release ${id}\`, before rows change; \`fieldgate fill ${id} VALUE\` sends a value of your choice instead`,
    );
}

/** Why a field is optional in the events although its column is not. */
export function renderWidened(field: string): string {
  return `the subject's compatibility level rejects the required field ${field} without a default`;
}

/** The commands that resolve the amendment, the usual one first. */
export function nextCommands({ id, kind, changes, column, verdicts, gate }: Amendment): readonly string[] {
  const release = `fieldgate release ${id}`;
  switch (kind) {
    case "added":
      return [release];
    case "dropped":
      return [release, `fieldgate fill ${id} VALUE`];
    case "changed":
      if (changes.includes("renamed")) return [release, `${release} --beside`];
      return changes.includes("retyped") ? [release, `${release} --beside ${column?.name ?? "name"}_2`] : [release];
    case "key":
    case "table":
      if (gate.reason.kind === "columns-not-sent") return [];
      return [`${release}${notReady(verdicts).length === 0 ? "" : " --force"} --reason "…"`];
    default:
      return kind satisfies never;
  }
}
