import { canRead } from "../avro/reading/can-read.ts";
import { explainCauses } from "../avro/reading/cause.ts";
import type { Cause } from "../avro/reading/cause-text.ts";
import { isSameField } from "../rules/meaning/field.ts";
import { parseSchema } from "../avro/parse.ts";
import type { AvroRecord, AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import { oncePer } from "../once.ts";
import type { Contract } from "./contract.ts";
import { missingEvidence } from "./evidence.ts";
import { recordIn, rowOf } from "./row.ts";
import { rowFor } from "./view.ts";

/**
 * Decides whether a contract's own schema can read the events. Columns are named as in `after`: an event contains the
 * row's record twice, but a problem of the record is reported once. With view `row` the consumer gets only that record,
 * under whatever name its own schema has for it.
 */

/** The contract's own schema, parsed once; undefined if it has none or if it cannot be parsed. */
const readerSchema = oncePer(({ schema }: Contract): AvroSchema | undefined => {
  if (schema === undefined) return undefined;
  try {
    return parseSchema(schema);
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return undefined;
    throw error;
  }
});

/** The record of the row in the contract's own schema; undefined without a schema. */
export function readerRow(contract: Contract): AvroRecord | undefined {
  const schema = readerSchema(contract);
  if (schema === undefined) return undefined;
  // With view `row`, rowOf would be wrong: the row itself may have columns named before and after.
  return contract.view === "row" ? recordIn(schema) : rowOf(schema);
}

/** The contract's schema and the writer's schema in the contract's view; undefined if one of them is missing. */
export function readerPair(
  contract: Contract,
  envelope: AvroSchema,
): { readonly reader: AvroSchema; readonly writer: AvroSchema } | undefined {
  const reader = readerSchema(contract);
  const writer = reader !== undefined && contract.view === "row" ? unwrapped(contract, envelope) : envelope;
  return reader === undefined || writer === undefined ? undefined : { reader, writer };
}

/**
 * Why the contract's schema cannot read events of `envelope`, by Avro's rules. Fields have the reader's names. For a
 * column that differs from what is `flowing`, the remedy also says what the owner of the database could do.
 */
export function readerFindings(contract: Contract, envelope: AvroSchema, flowing: AvroSchema): readonly Finding[] {
  const reader = readerSchema(contract);
  if (reader === undefined) {
    return [
      missingEvidence("the contract has no valid schema", "name the .avsc in `schema` and run `fieldgate publish`"),
    ];
  }
  const writer = contract.view === "row" ? unwrapped(contract, envelope) : envelope;
  if (writer === undefined) {
    return [missingEvidence("the topic's schema is not a Debezium envelope", "check the topic's name in the contract")];
  }
  const reading = canRead(reader, writer);
  switch (reading.kind) {
    case "reads":
      return [];
    case "has-causes": {
      const { causes } = reading;
      const named = contract.view === "row" ? moveIntoAfter(causes) : mergeImages(judgeRow(reader, writer, causes));
      const changed = changedColumns(flowing, envelope);
      return named.map((cause) => findingOf(addOwnersRemedy(cause, changed)));
    }
    case "rule-rejects":
      return reading.messages.map((message) => ({
        rule: reading.rule,
        severity: "warning",
        certainty: "by-policy",
        effect: "decodes",
        message,
      }));
    default:
      return reading satisfies never;
  }
}

/**
 * An image may be null: `after` in a delete, `before` in most other events. A cause inside the row therefore seems to
 * affect only some data, but if it affects every row, it still counts as certain.
 */
function judgeRow(reader: AvroSchema, writer: AvroSchema, causes: readonly Cause[]): readonly Cause[] {
  if (writer.kind !== "record" || !causes.some(({ certainty }) => certainty === "on-some-data")) return causes;
  const fields = writer.fields.map((field) => {
    const row = field.name === "after" || field.name === "before" ? recordIn(field.type) : undefined;
    return row === undefined ? field : { ...field, type: row };
  });
  const certain = new Set(
    explainCauses(reader, { ...writer, fields })
      .filter(({ certainty }) => certainty === "always")
      .map(causeText),
  );
  return causes.map((cause) => (certain.has(causeText(cause)) ? { ...cause, certainty: "always" } : cause));
}

/** Computed once, because several kinds of findings need the same envelope unwrapped. */
const unwrappedFrom = oncePer((envelope: AvroSchema) => oncePer((contract: Contract) => unwrap(contract, envelope)));

function unwrapped(contract: Contract, envelope: AvroSchema): AvroSchema | undefined {
  return unwrappedFrom(envelope)(contract);
}

/**
 * Only the row, under the name that the reader's schema has for it, because users of the transform can choose any name.
 */
function unwrap(contract: Contract, envelope: AvroSchema): AvroSchema | undefined {
  const reader = readerSchema(contract);
  const row = rowFor(contract, envelope);
  const own = reader === undefined ? undefined : recordIn(reader);
  if (row === undefined || own === undefined) return row;
  const { name, namespace, fullName } = own;
  return { ...row, name, namespace, fullName };
}

/** Names columns as all rules do, see nameInView. */
function moveIntoAfter(causes: readonly Cause[]): readonly Cause[] {
  return causes.map((cause) => ({
    ...cause,
    path: cause.path.length === 0 ? [] : ["after", ...cause.path],
    remedy: cause.rule === "avro/reader-field-missing-default" ? `${cause.remedy}; ${OR_ADDS}` : cause.remedy,
  }));
}

const OR_ADDS = "if the unwrapping adds the field, list it in `adds`";

/** Reports a problem that `before` and `after` share only once, for `after`. */
function mergeImages(causes: readonly Cause[]): readonly Cause[] {
  const texts = new Set(causes.map(causeText));
  return causes.filter(
    (cause) =>
      cause.path[0] !== "before" || !texts.has(causeText({ ...cause, path: ["after", ...cause.path.slice(1)] })),
  );
}

function changedColumns(flowing: AvroSchema, envelope: AvroSchema): ReadonlySet<string> {
  const [now, next] = [flowing, envelope].map((schema) => rowOf(schema)?.fields ?? []);
  if (flowing === envelope || now === undefined || next === undefined) return new Set();
  const nextByName = new Map(next.map((field) => [field.name, field]));
  return new Set(now.flatMap((field) => (isSameField(field, nextByName.get(field.name)) ? [] : [field.name])));
}

/** Adds what the database's owner can do, for columns whose change does not flow yet. */
function addOwnersRemedy(cause: Cause, changed: ReadonlySet<string>): Cause {
  const { path, remedy, inDatabase } = cause;
  const [image, column, ...inside] = path;
  const isRow = image === "after" || image === "before";
  if (inDatabase === undefined || !isRow || column === undefined || !changed.has(column)) return cause;
  const todo = inside.length === 0 ? inDatabase : "keep the column's type";
  return { ...cause, remedy: `${remedy}; or, in the database, ${todo}` };
}

function causeText({ rule, path, message }: Cause): string {
  return JSON.stringify([rule, path, message]);
}

function findingOf({ rule, path, certainty, effect, effectStated, message, remedy }: Cause): Finding {
  const field = path.join(".").replaceAll(/\.(?=\[\]|\{\})/g, "");
  const severity = certainty === "by-policy" ? "warning" : "error";
  return { rule, severity, certainty, effect, effectStated, ...(field === "" ? {} : { field }), message, remedy };
}
