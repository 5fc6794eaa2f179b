import { type Client, DatabaseError } from "pg";
import { expect, it } from "vitest";
import { readChunk } from "../../src/postgres/chunk.ts";
import { ID, tableOf } from "../gate/customers.ts";

/** A session in which each read fails with this SQLSTATE, as the server reports it. */
function failing(state: string): Client {
  const query = async (text: string) => {
    if (text === "ROLLBACK") return { rows: [] };
    throw Object.assign(new DatabaseError("a row's value", 0, "error"), { code: state });
  };
  return { query } as unknown as Client; // readChunk uses nothing else of it before the first read fails
}

const table = tableOf([ID]);
const request = { table, columns: table.columns, key: ["id"], order: undefined, after: undefined, limit: 10 };

it.each([
  ["a damaged page", "XX001"],
  ["a function of its key's operator class that fails", "P0001"],
  ["a value that its type's function refuses", "22003"],
])("a table that PostgreSQL cannot read for %s is unreadable, and its error stops nothing else", async (_, state) => {
  const why = `PostgreSQL reports SQLSTATE ${state}`;
  expect(await readChunk(failing(state), request)).toEqual({ kind: "unreadable", why });
});

it.each([
  ["57P01", "postgres-down"],
  ["53200", "postgres-down"],
  ["40001", "postgres-down"],
  ["25P03", "postgres-down"],
  ["28000", "postgres-refused"],
])("SQLSTATE %s is about the session or the server, not the table", async (state, code) => {
  await expect(readChunk(failing(state), request)).rejects.toMatchObject({ code });
});
