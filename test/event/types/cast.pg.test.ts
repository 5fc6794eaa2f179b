import { expect, test } from "vitest";
import { source, type OwnSession } from "../../postgres/follow.ts";
import { CASTS, STRICTER, type CastCase } from "./cast-cases.ts";

/** The result of PostgreSQL's cast as text; undefined if the cast fails. */
async function castBy(client: OwnSession, [from, to, text]: CastCase): Promise<string | undefined> {
  return valueOf(client, `$1::text::${from}::${to}`, text);
}

/** Does casting back give the original value? */
async function comesBack(client: OwnSession, [from, to, text]: CastCase): Promise<boolean> {
  const back = await valueOf(client, `$1::text::${from}::${to}::${from}::text`, text);
  return back !== undefined && bare(back) === bare((await valueOf(client, `$1::text::${from}::text`, text)) ?? "");
}

async function valueOf(client: OwnSession, expression: string, text: string): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ v: string }>(`SELECT ${expression} AS v`, [text]);
    return rows[0]?.v;
  } catch {
    return undefined;
  }
}

/** A number without trailing zeros. */
function bare(text: string): string {
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
}

test("a cast gives the same as PostgreSQL's, and is refused where PostgreSQL's fails or loses something", async () => {
  await using from = await source("CREATE TYPE public.mood AS ENUM ('low', 'high'); CREATE TABLE t ()");
  const { app } = from;
  const wrong: unknown[] = [];
  for (const one of CASTS) {
    const got = await castBy(app, one);
    const isRight = one[3] === undefined ? got === undefined || !(await comesBack(app, one)) : got === one[3];
    if (!isRight) wrong.push([one, got]);
  }
  expect(wrong).toEqual([]);
});

test("the list of texts that only PostgreSQL casts is correct", async () => {
  await using from = await source("CREATE TABLE t ()");
  const failed: CastCase[] = [];
  for (const one of STRICTER) if ((await castBy(from.app, one)) === undefined) failed.push(one);
  expect(failed).toEqual([]);
});
