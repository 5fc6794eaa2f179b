import { canRead } from "../avro/reading/can-read.ts";
import { explainCauses } from "../avro/reading/cause.ts";
import type { Cause } from "../avro/reading/cause-text.ts";
import { isSameField } from "../rules/meaning/same-field.ts";
import { parseSchema } from "../avro/parse.ts";
import type { AvroRecord, AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import { oncePer } from "../once.ts";
import type { Contract } from "./contract.ts";
import { missingEvidence } from "./evidence.ts";
import { recordIn, rowOf } from "./row.ts";
import { rowFor } from "./view.ts";

/** The contract's own schema; undefined when it has none, or none that can be read. One is judged on many candidates. */
const readerSchema = oncePer(parsedSchema);

function parsedSchema({ schema }: Contract): AvroSchema | undefined {
  if (schema === undefined) return undefined;
  try {
    return parseSchema(schema);
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return undefined;
    throw error;
  }
}

/** The row's record in the contract's own schema; undefined without one. */
export function readerRow(contract: Contract): AvroRecord | undefined {
  const schema = readerSchema(contract);
  if (schema === undefined) return undefined;
  // A row may have columns named before and after.
  return contract.view === "row" ? recordIn(schema) : rowOf(schema);
}

/** The contract's schema and what it would read, by its view; undefined when either cannot be told. */
export function readerPair(
  contract: Contract,
  envelope: AvroSchema,
): { readonly reader: AvroSchema; readonly writer: AvroSchema } | undefined {
  const reader = readerSchema(contract);
  const writer = reader !== undefined && contract.view === "row" ? unwrapped(contract, envelope) : envelope;
  return reader === undefined || writer === undefined ? undefined : { reader, writer };
}

/**
 * Can the contract's schema read events of `envelope`: Avro's rule, explained by the reader's field names. Of a column
 * that differs from what is `flowing`, it is also said what its owner could do.
 */
export function readerFindings(contract: Contract, envelope: AvroSchema, flowing: AvroSchema): readonly Finding[] {
  const reader = readerSchema(contract);
  if (reader === undefined) {
    return [
      missingEvidence("the contract has no readable schema", "name the .avsc in `schema`, run `fieldgate publish`"),
    ];
  }
  const writer = contract.view === "row" ? unwrapped(contract, envelope) : envelope;
  if (writer === undefined) {
    return [missingEvidence("the topic's schema is no Debezium envelope", "check the topic's name in the contract")];
  }
  const reading = canRead(reader, writer);
  switch (reading.kind) {
    case "reads":
      return [];
    case "has-causes": {
      const { causes } = reading;
      const told = contract.view === "row" ? inAfter(causes) : onceForBothImages(withRow(reader, writer, causes));
      const changed = changedColumns(flowing, envelope);
      return told.map((cause) => findingOf(withOwner(cause, changed)));
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
 * An event may have null for its row: a delete for `after`, most others for `before`. What every row breaks is
 * certain all the same.
 */
function withRow(reader: AvroSchema, writer: AvroSchema, causes: readonly Cause[]): readonly Cause[] {
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

/** A contract's findings of several kinds are of the same envelope. */
const unwrappedFrom = oncePer((envelope: AvroSchema) => oncePer((contract: Contract) => unwrap(contract, envelope)));

function unwrapped(contract: Contract, envelope: AvroSchema): AvroSchema | undefined {
  return unwrappedFrom(envelope)(contract);
}

/** The row alone, under the name the reader has for it: the transform's user names it at will. */
function unwrap(contract: Contract, envelope: AvroSchema): AvroSchema | undefined {
  const reader = readerSchema(contract);
  const row = rowFor(contract, envelope);
  const own = reader === undefined ? undefined : recordIn(reader);
  if (row === undefined || own === undefined) return row;
  const { name, namespace, fullName } = own;
  return { ...row, name, namespace, fullName };
}

/** As rules name a row's columns: see inView. */
function inAfter(causes: readonly Cause[]): readonly Cause[] {
  return causes.map((cause) => ({
    ...cause,
    path: cause.path.length === 0 ? [] : ["after", ...cause.path],
    remedy: cause.rule === "avro/reader-field-missing-default" ? `${cause.remedy}; ${OR_ADDS}` : cause.remedy,
  }));
}

const OR_ADDS = "if the unwrapping adds the field, name it in `adds`";

/** A row's record stands in `before` and in `after`: what is wrong with both is said of `after`. */
function onceForBothImages(causes: readonly Cause[]): readonly Cause[] {
  const told = new Set(causes.map(causeText));
  return causes.filter(
    (cause) =>
      cause.path[0] !== "before" || !told.has(causeText({ ...cause, path: ["after", ...cause.path.slice(1)] })),
  );
}

function changedColumns(flowing: AvroSchema, envelope: AvroSchema): ReadonlySet<string> {
  const [now, next] = [flowing, envelope].map((schema) => rowOf(schema)?.fields ?? []);
  if (flowing === envelope || now === undefined || next === undefined) return new Set();
  const nextByName = new Map(next.map((field) => [field.name, field]));
  return new Set(now.flatMap((field) => (isSameField(field, nextByName.get(field.name)) ? [] : [field.name])));
}

/** Only a change that has not come yet can be left undone in the database. */
function withOwner(cause: Cause, changed: ReadonlySet<string>): Cause {
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

function findingOf({ rule, path, certainty, effect, message, remedy }: Cause): Finding {
  const field = path.join(".").replaceAll(/\.(?=\[\]|\{\})/g, "");
  const severity = certainty === "by-policy" ? "warning" : "error";
  return { rule, severity, certainty, effect, ...(field === "" ? {} : { field }), message, remedy };
}
