import { isNamed, type AvroSchema } from "../../avro/schema.ts";
import { fitsOutside } from "./fit.ts";
import type { RuntimeRule, Sight } from "./rule.ts";
import { nameOf, type Meeting } from "./walk.ts";

/** Promotions of the specification that a library does not make, or makes only for some values. */
export const promotion: RuntimeRule = {
  id: "runtime/promotion",
  problem: "a promotion that Java makes but the library does not: it throws, or leaves the value as it was written",
  severity: "error",
  runtimes: ["python-avro", "fastavro", "avro-rs", "ruby-avro"],
  effect: "throws",
  find: (sight) =>
    sight.meetings.flatMap((meeting) => {
      const why = whyNot(sight, meeting);
      if (why === undefined) return [];
      const { path, reader, writer } = meeting;
      return [
        {
          path,
          certainty: why.some === undefined ? meeting.certainty : "on-some-data",
          ...(why.effect === undefined ? {} : { effect: why.effect }),
          effectStated: why.effectStated,
          describe: (at) =>
            `${at} is ${nameOf(writer)} in the events and ${nameOf(reader)} in the reader's schema: ${sight.runtime} ${why.text}`,
          remedy: `use the writer's type in the reader's schema: ${nameOf(writer)}`,
        },
      ];
    }),
};

interface Why {
  readonly text: string;
  readonly some?: true;
  readonly effect?: "reads-wrong-value";
  readonly effectStated?: true;
}

const NOT_UTF8: Why = { text: "throws at bytes that are not UTF-8", some: true, effectStated: true };

function whyNot({ runtime }: Sight, meeting: Meeting): Why | undefined {
  const { reader, writer, union, writersUnion } = meeting;
  const text = isText(reader) && isText(writer) && reader.kind !== writer.kind;
  switch (runtime) {
    case "python-avro":
      if (writersUnion !== undefined && union === undefined)
        return { text: "rejects a union where the reader has a plain type", effectStated: true };
      if (text) return { text: "converts neither to the other" };
      return fitsOutside(runtime, reader, writer) || isNamed(reader)
        ? undefined
        : { text: "compares the types inside only by kind, and promotes nothing there" };
    case "fastavro":
      return text && reader.kind === "string" ? NOT_UTF8 : undefined;
    case "avro-rs":
      if (!text || reader.kind !== "string") return undefined;
      return union === undefined ? NOT_UTF8 : { text: "finds no matching branch in the reader's union", some: true };
    case "ruby-avro":
      return text
        ? { text: "leaves the text in the encoding it was written in", effect: "reads-wrong-value" }
        : undefined;
    case "avsc":
    case "java":
      return undefined;
    default:
      return runtime satisfies never;
  }
}

function isText({ kind }: AvroSchema): boolean {
  return kind === "string" || kind === "bytes";
}
