import { canonicalForm } from "../../avro/canonical.ts";
import { parseSchemaText } from "../../avro/schema-text.ts";
import { GuardError } from "../../errors.ts";
import { isSameJson } from "../../json.ts";
import type { Registration, Registry } from "../../registry/client.ts";

/**
 * Registers a schema, then reads it by its id. Consumers find an event's schema by the id in its header, so an id under
 * which the registry has no schema or a different one must not reach any event.
 * @throws GuardError registry-down if the registry does not have this schema under the id that it gave
 */
export async function registerChecked(registry: Registry, subject: string, text: string): Promise<Registration> {
  const result = await registry.register(subject, text);
  if (result.kind !== "registered") return result;
  const found = await readBack(registry, result.id, text);
  if (found !== undefined && (isSameJson(found, text) || isSameForm(found, text))) return result;
  const what = found === undefined ? "no schema" : "a different schema";
  throw new GuardError(
    "registry-down",
    `subject ${subject}: the registry gave the schema id ${result.id}, but has ${what} under that id`,
    { next: "check the registry: every id must name the schema that was registered" },
  );
}

/** A registry user may be allowed to register but not to read by id. Then the answer counts as it is. */
async function readBack(registry: Registry, id: Parameters<Registry["schemaById"]>[0], text: string) {
  try {
    return await registry.schemaById(id);
  } catch (error) {
    if (error instanceof GuardError && error.code === "registry-refused") return text;
    throw error;
  }
}

/**
 * True if bytes that are written with one schema are read the same way with the other. Some registries store and return
 * a text of their own for the same schema.
 */
function isSameForm(left: string, right: string): boolean {
  try {
    return canonicalForm(parseSchemaText(left)) === canonicalForm(parseSchemaText(right));
  } catch {
    return false;
  }
}
