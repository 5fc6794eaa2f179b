import type { RuntimeRule } from "./rule.ts";

export const emptyType: RuntimeRule = {
  id: "runtime/empty-type",
  problem: "a union without branches or an enum without symbols: avsc rejects the schema",
  severity: "error",
  runtimes: ["avsc"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap(({ schema, path, again }) => {
      const union = schema.kind === "union" && schema.branches.length === 0;
      const symbols = schema.kind === "enum" && schema.symbols.length === 0 && !again;
      if (!union && !symbols) return [];
      return [
        {
          path,
          certainty: "always",
          whole: true,
          effectStated: true,
          describe: (at) =>
            `${at} is ${union ? "a union without branches" : "an enum without symbols"}: ${runtime} rejects the schema`,
          remedy: "give it a branch or a symbol, or leave the field out",
        },
      ];
    }),
};
