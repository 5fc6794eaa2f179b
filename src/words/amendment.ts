import type { Amendment, Change } from "../gate/amendment/amendment.ts";
import { notReady } from "../gate/decision/policy.ts";
import type { Mode } from "../gate/state.ts";

const CHANGES: Readonly<Record<Change, string>> = {
  renamed: "was renamed",
  retyped: "has another type",
  "not-null-set": "is NOT NULL now",
  "not-null-lost": "may be NULL now",
  default: "has another default",
  labels: "has other enum labels",
};

/** What happened, in words for people: `column zip text was added`. */
export function describeAmendment({ kind, name, column, changes, topic }: Amendment): string {
  switch (kind) {
    case "added":
      return `column ${name} ${column?.typeName ?? ""} was added`;
    case "dropped":
      return `the column of field ${name} was dropped`;
    case "changed": {
      const now = column === undefined || column.name === name ? "" : ` to ${column.name}`;
      const what = changes.map((change) =>
        change === "renamed" ? `was renamed${now}` : typed(change, column?.typeName),
      );
      return `the column of field ${name} ${what.join(" and ")}`;
    }
    case "key":
      return `the table of ${topic} has another key`;
    case "table":
      return `the table of ${topic} was replaced by another`;
    default:
      return kind satisfies never;
  }
}

function typed(change: Change, type: string | undefined): string {
  return change === "retyped" && type !== undefined ? `has type ${type} now` : CHANGES[change];
}

/** How its gate stands, in a word: where Debezium publishes, nobody withholds or releases. */
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

/** What the events carry meanwhile. */
export function meanwhile(amendment: Amendment, mode: Mode): string {
  return MEANWHILE[mode](amendment);
}

/** Debezium publishes the next row as the table is then. */
function untilPublished({ kind, changes }: Amendment): string {
  switch (kind) {
    case "added":
      return "Events come without the field until Debezium publishes the next row.";
    case "dropped":
      return "Events have the field until Debezium publishes the next row, which lacks it.";
    case "key":
      return "Events have the old key until Debezium publishes the next row.";
    case "table":
      return "Debezium continues with the table that has the name.";
    case "changed":
      if (changes.every((change) => change === "labels")) return "Debezium publishes rows with the new labels.";
      return "Events have the field as it was until Debezium publishes the next row.";
    default:
      return kind satisfies never;
  }
}

function whileWithheld({ kind, changes }: Amendment): string {
  switch (kind) {
    case "added":
      return "Events continue without the field.";
    case "dropped":
      return "Events keep the field, as null or its default.";
    case "key":
    case "table":
      return "Its rows stop before the first one that is affected.";
    case "changed":
      if (changes.every((change) => change === "labels")) return "Rows with the new labels flow.";
      return changes.includes("retyped")
        ? "Events keep the field as it was, while every value fits it without loss."
        : "Events keep the field as it was.";
    default:
      return kind satisfies never;
  }
}

/** Why a field is optional in the events although its column is not. */
export function renderWidened(field: string): string {
  return `the subject's compatibility level rejects the required field ${field} without a default`;
}

/** The commands that let the amendment go on, the usual one first. */
export function waysOn({ id, kind, changes, column, verdicts }: Amendment): readonly string[] {
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
      return [`${release}${notReady(verdicts).length === 0 ? "" : " --force"} --reason "…"`];
    default:
      return kind satisfies never;
  }
}
