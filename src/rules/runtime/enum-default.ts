import type { RuntimeRule } from "./rule.ts";

export const enumDefault: RuntimeRule = {
  id: "runtime/enum-default",
  problem: "an enum's default replaces symbols that the reader does not know, but Python's library throws at them",
  severity: "error",
  runtimes: ["python-avro"],
  effect: "throws",
  find: ({ runtime, meetings }) =>
    meetings.flatMap(({ reader, writer, path }) => {
      if (reader.kind !== "enum" || writer.kind !== "enum") return [];
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
      if (missing.length === 0) return [];
      return [
        {
          path,
          certainty: "on-some-data",
          effectStated: true,
          describe: (at) =>
            `${at} may be ${missing.join(", ")}, which the reader's enum would replace by its default, but ${runtime} throws`,
          remedy: `add ${missing.join(", ")} to ${reader.fullName} in the reader's schema`,
        },
      ];
    }),
};
