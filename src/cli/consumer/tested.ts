import { fieldHash, isSameField } from "../../rules/meaning/field.ts";
import { parseSchemaText } from "../../avro/schema-text.ts";
import type { RecordField } from "../../avro/schema.ts";
import type { Contract, TestedField } from "../../contract/contract.ts";
import { rowOf } from "../../contract/row.ts";
import { GuardError } from "../../errors.ts";
import type { Client } from "../client.ts";
import { page } from "../../page.ts";

/**
 * Records in the contracts that the consumer's handler was tested with the new fields of the given amendments (by id or
 * `topic.field`). An amendment's new fields are those of its candidate that the current events do not have. Throws
 * `not-found` for an unknown amendment, and `refused` for one that has been released, adds no field, or belongs to a
 * topic without a contract in the file.
 */
export async function recordTested(
  client: Pick<Client, "amendment" | "topic">,
  contracts: readonly Contract[],
  ids: readonly string[],
): Promise<readonly Contract[]> {
  const tested = new Map<string, TestedField[]>();
  for (const id of ids) {
    const { topic, fields } = await newFieldsOf(client, contracts, id);
    tested.set(topic, [...(tested.get(topic) ?? []), ...fields]);
  }
  return contracts.map((contract) => {
    const fields = tested.get(contract.topic);
    return fields === undefined ? contract : { ...contract, tested: fields };
  });
}

async function newFieldsOf(
  client: Pick<Client, "amendment" | "topic">,
  contracts: readonly Contract[],
  name: string,
): Promise<{ readonly topic: string; readonly fields: readonly TestedField[] }> {
  const { id, topic, kind, gate, candidate, field } = await client.amendment(name);
  if (gate.kind === "released") throw refuse(`${field} is already in the events`, id, "publish without --tested");
  if (contracts.every((contract) => contract.topic !== topic)) {
    throw refuse(`${topic} is not a topic of the contract file`, id, "run the command where that topic's contract is");
  }
  if (kind === "key" || kind === "table") {
    throw refuse(
      "it adds no field",
      id,
      `a new key or a replaced table is released by its owner (${page("amendments.md")})`,
    );
  }
  if (candidate === null) {
    throw refuse(`it has no schema yet: ${gate.why}`, id, `fieldgate amendments show ${id}`);
  }
  const { flowing } = await client.topic(topic);
  const fields = addedFields(candidate.schema, flowing.at(-1)?.schema);
  if (fields.length > 0) {
    return { topic, fields: fields.map((one) => ({ amendment: id, field: one.name, type: fieldHash(one) })) };
  }
  throw refuse("it only removes a field", id, "publish a contract that no longer needs the removed field");
}

/** The candidate's fields that the current events do not have, or have with a different definition. */
function addedFields(candidate: string, flowing: string | undefined): readonly RecordField[] {
  const [next, now] = [candidate, flowing].map((text) =>
    text === undefined ? [] : (rowOf(parseSchemaText(text))?.fields ?? []),
  );
  return (next ?? []).filter((field) => !(now ?? []).some((one) => isSameField(one, field)));
}

function refuse(why: string, id: string, next: string): GuardError {
  return new GuardError("refused", `nothing was published: --tested ${id}: ${why}`, { next });
}
