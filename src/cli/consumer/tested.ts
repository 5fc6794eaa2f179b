import { fieldHash, isSameField } from "../../rules/meaning/same-field.ts";
import { parseSchemaText } from "../../avro/schema-text.ts";
import type { RecordField } from "../../avro/schema.ts";
import type { Contract, TestedField } from "../../contract/contract.ts";
import { rowOf } from "../../contract/row.ts";
import { GuardError } from "../../errors.ts";
import type { Client } from "../client.ts";

/**
 * The contracts with the fields that their consumer's own handler was tried with: of each amendment (by its id or
 * `topic.field`) those that its candidate has over what flows, as they are in it. Throws `not-found` and `refused`
 * for an amendment that is not there, flows, brings no field, or is of a topic that no contract is about.
 */
export async function withTested(
  client: Pick<Client, "amendment" | "topic">,
  contracts: readonly Contract[],
  ids: readonly string[],
): Promise<readonly Contract[]> {
  const tested = new Map<string, TestedField[]>();
  for (const id of ids) {
    const { topic, fields } = await fieldsOf(client, contracts, id);
    tested.set(topic, [...(tested.get(topic) ?? []), ...fields]);
  }
  return contracts.map((contract) => {
    const fields = tested.get(contract.topic);
    return fields === undefined ? contract : { ...contract, tested: fields };
  });
}

async function fieldsOf(
  client: Pick<Client, "amendment" | "topic">,
  contracts: readonly Contract[],
  called: string,
): Promise<{ readonly topic: string; readonly fields: readonly TestedField[] }> {
  const { id, topic, kind, gate, candidate, field } = await client.amendment(called);
  if (gate.kind === "released") throw refused(`${field} flows already`, id, "publish without --tested");
  if (contracts.every((contract) => contract.topic !== topic)) {
    throw refused(`${topic} is none of the contract file's topics`, id, "run it where the contract of that topic is");
  }
  if (kind === "key" || kind === "table") {
    throw refused("it brings no field", id, "another key or table is released by its owner (docs/amendments.md)");
  }
  if (candidate === null) {
    throw refused(`it has no schema yet: ${gate.why}`, id, `fieldgate amendments show ${id}`);
  }
  const { flowing } = await client.topic(topic);
  const fields = broughtBy(candidate.schema, flowing.at(-1)?.schema);
  if (fields.length > 0) {
    return { topic, fields: fields.map((one) => ({ amendment: id, field: one.name, type: fieldHash(one) })) };
  }
  const next = "publish a contract that does without the field that goes";
  throw refused("it takes a field away and brings none", id, next);
}

/** The candidate's fields that do not flow as they are in it. */
function broughtBy(candidate: string, flowing: string | undefined): readonly RecordField[] {
  const [next, now] = [candidate, flowing].map((text) =>
    text === undefined ? [] : (rowOf(parseSchemaText(text))?.fields ?? []),
  );
  return (next ?? []).filter((field) => !(now ?? []).some((one) => isSameField(one, field)));
}

function refused(why: string, id: string, next: string): GuardError {
  return new GuardError("refused", `nothing is published: --tested ${id}: ${why}`, { next });
}
