import type { Stored } from "../../src/store/records.ts";

/** The state as the state topic has it, without what is asked and judged again at every start. */
export function withoutAnswers<T extends Pick<Stored, "tables">>(value: T): T {
  const asked = [...value.tables].map(([topic, table]) => {
    const amendments = table.amendments.map((one) => ({
      ...one,
      answer: undefined,
      verdicts: one.gate.kind === "released" ? one.verdicts : [],
    }));
    return [topic, { ...table, amendments }] as const;
  });
  return { ...value, tables: new Map(asked) };
}
