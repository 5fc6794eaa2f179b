import type { Stage } from "./stage.ts";

type Rows = ReadonlyMap<number, string>;

/** How the copies differ from the source, row by row; no differences if they are equal. */
export interface Comparison {
  readonly rows: number;
  readonly filled: number;
  readonly differences: readonly string[];
}

const ALL = "select id, to_jsonb(customers) as row from customers order by id";

function byId(rows: readonly { readonly id: number; readonly row: unknown }[]): Rows {
  return new Map(rows.map(({ id, row }) => [id, JSON.stringify(row)]));
}

function differences(name: string, source: Rows, copy: Rows): string[] {
  const ids = new Set([...source.keys(), ...copy.keys()]);
  return [...ids].flatMap((id) => {
    const [is, has] = [source.get(id), copy.get(id)];
    return is === has ? [] : [`customer ${id} is ${is ?? "deleted"} in the source, and ${has ?? "missing"} in ${name}`];
  });
}

/** The columns that greeter reads. */
function asGreeter({ id, name, nickname, loyalty }: Readonly<Record<string, unknown>>): object {
  return { id, name, nickname, loyalty };
}

export async function greeterView({ greeter }: Stage): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await (await fetch(greeter.url)).json()) as Readonly<Record<string, unknown>>[]; // greeter.ts serves this
}

/** Compares the source with both copies: all columns with replica's table, and greeter's columns with its view. */
export async function compare(stage: Stage, column: string): Promise<Comparison> {
  type Entry = { readonly id: number; readonly row: Readonly<Record<string, unknown>> };
  const source = await stage.source.query<Entry>(ALL);
  const replica = await stage.replica.database.query<Entry>(ALL);
  const greeter = await greeterView(stage);
  const forGreeter = byId(source.map(({ id, row }) => ({ id, row: asGreeter(row) })));
  const greeted = byId(greeter.map((row) => ({ id: Number(row["id"]), row: asGreeter(row) })));
  return {
    rows: source.length,
    filled: source.filter(({ row }) => row[column] != null).length,
    differences: [
      ...differences("replica", byId(source), byId(replica)),
      ...differences("greeter", forGreeter, greeted),
    ],
  };
}
