import { explainCauses, type Cause } from "../avro/cause.ts";
import { checkCompatibility } from "../avro/compatibility.ts";
import { parseSchema } from "../avro/parse.ts";
import type { AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { Contract } from "./contract.ts";
import { missingEvidence } from "./evidence.ts";

/** By contract: one is judged on many candidates, and parsing takes longer than judging. */
const parsed = new WeakMap<Contract, { readonly schema: AvroSchema | undefined }>();

/** The contract's own schema; undefined when it has none, or none that can be read. */
export function readerSchema(contract: Contract): AvroSchema | undefined {
  const known = parsed.get(contract) ?? { schema: parsedSchema(contract) };
  parsed.set(contract, known);
  return known.schema;
}

function parsedSchema({ schema }: Contract): AvroSchema | undefined {
  if (schema === undefined) return undefined;
  try {
    return parseSchema(schema);
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return undefined;
    throw error;
  }
}

/** Can the contract's schema read events of `envelope`: Avro's rule, explained by the reader's field names. */
export function readerFindings(contract: Contract, envelope: AvroSchema): readonly Finding[] {
  const reader = readerSchema(contract);
  if (reader === undefined) {
    return [
      missingEvidence("the contract has no readable schema", "name the .avsc in `schema`, run `fieldgate publish`"),
    ];
  }
  const { compatible, incompatibility } = checkCompatibility(reader, envelope);
  if (compatible) return [];
  const causes = explainCauses(reader, envelope);
  if (causes.length > 0) return onceForBothImages(causes).map(findingOf);
  return incompatibility.map(({ type, location, message }) => ({
    rule: `avro/${type.toLowerCase().replaceAll("_", "-")}`,
    severity: "error",
    certainty: "on-some-data",
    message: `${message} (at ${location})`,
  }));
}

/** A row's record stands in `before` and in `after`: what is wrong with both is said of `after`. */
function onceForBothImages(causes: readonly Cause[]): readonly Cause[] {
  const told = new Set(causes.map(causeText));
  return causes.filter(
    (cause) =>
      cause.path[0] !== "before" || !told.has(causeText({ ...cause, path: ["after", ...cause.path.slice(1)] })),
  );
}

function causeText({ rule, path, message }: Cause): string {
  return JSON.stringify([rule, path, message]);
}

function findingOf({ rule, path, certainty, message, remedy }: Cause): Finding {
  const field = path.join(".").replaceAll(/\.(?=\[\]|\{\})/g, "");
  const severity = certainty === "by-policy" ? "warning" : "error";
  return { rule, severity, certainty, ...(field === "" ? {} : { field }), message, remedy };
}
