import { oncePer } from "../../once.ts";
import type { RuntimeRule } from "./rule.ts";
import type { Place } from "./walk.ts";
import { page } from "../../page.ts";

/** Debezium's name for the time of a change in nanoseconds, and the name that an unwrapped row has for it. */
const NANOSECONDS = /(?:^|_)ts_ns$/;

/** avsc makes a number of a long, and throws beyond 2^53. A time in nanoseconds has been beyond it since 1970-04-15. */
export const longPrecision: RuntimeRule = {
  id: "runtime/long-precision",
  problem: "the library makes numbers of longs, and throws at `ts_ns`, which is beyond 2^53 in every event",
  severity: "error",
  runtimes: ["avsc"],
  effect: "throws",
  find: ({ longs, reader, parsed: [read = [], written = read] }) => {
    if (longs === "bigint") return [];
    // With its own schema, avsc skips what that schema leaves out.
    const inEvents = timesIn(written);
    const names = [...timesIn(read)].filter((name) => inEvents.has(name));
    if (names.length === 0) return [];
    const others = reader === undefined ? "" : ", or remove it from the reader's schema";
    return [
      {
        path: [],
        certainty: "always",
        whole: true,
        effectStated: true,
        describe: () =>
          `no event can be decoded: avsc makes numbers of longs, and throws at ${names.join(" and ")}, which is beyond 2^53 in every event`,
        remedy: `give the library's SchemaRegistry the typeHook \`bigintLongs\` of fieldgate/consumer, or decode with \`eventReader\` (${page("consumers.md")} shows both), and then write \`longs: bigint\` in the contract${others}`,
      },
    ];
  },
};

/** The longs of a schema that are times in nanoseconds. Cached, because one schema is judged against many. */
const timesIn = oncePer(
  (places: readonly Place[]): ReadonlySet<string> =>
    new Set(
      places.flatMap(({ schema, path }) =>
        schema.kind === "long" && NANOSECONDS.test(path.at(-1) ?? "") ? [path.join(".")] : [],
      ),
    ),
);
