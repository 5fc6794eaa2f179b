import type { Stored } from "../../src/store/records.ts";

/** As the state topic has it: what is asked and judged anew at every start is not stored. */
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
