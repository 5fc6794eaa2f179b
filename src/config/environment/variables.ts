import type { z } from "zod";

import type { Mistake } from "../../mistake.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a whole file as text. Throws the errors of node:fs. */
export type ReadText = (path: string) => string;

/**
 * A variable's schema, with what it must be, for messages; `must` continues the word "must". With `file`, `<NAME>_FILE`
 * can be set instead.
 */
export function variable<Schema extends z.ZodType>(
  schema: Schema,
  must: string,
  example: string,
  file: "file" | "no-file" = "no-file",
): Schema {
  return schema.meta({ must, example, file: file === "file" });
}

export interface Given {
  /** The variables that are set and not empty. A file's content has the name of its variable, without `_FILE`. */
  readonly values: Readonly<Record<string, string>>;
  readonly mistakes: readonly Mistake[];
}

/** The variables that can be given as `<NAME>_FILE`. */
export function inFiles(variables: z.ZodObject): readonly string[] {
  return Object.entries(variables.shape).flatMap(([name, schema]) => (metaOf(schema)["file"] === true ? [name] : []));
}

/** The environment, with each `<NAME>_FILE` of these names replaced by the file's content without its last newline. */
export function given(env: Environment, names: readonly string[], read: ReadText): Given {
  const values = withoutEmpty(env);
  const mistakes: Mistake[] = [];
  for (const name of names) {
    const path = values[`${name}_FILE`];
    if (path === undefined) continue;
    if (values[name] !== undefined)
      mistakes.push({ key: `${name}_FILE`, reason: `and ${name} are both set: use only one` });
    const content = contentOf(path, read);
    if (content.kind === "text") values[name] = content.text;
    else mistakes.push({ key: `${name}_FILE`, reason: content.reason, example: `/run/secrets/${name.toLowerCase()}` });
  }
  return { values, mistakes };
}

/** Zod's issues as mistakes. A variable whose file is already a mistake is not also reported as missing. */
export function mistakesOf(issues: readonly z.core.$ZodIssue[], variables: z.ZodObject, { values, mistakes }: Given) {
  return issues.flatMap((issue): Mistake[] => {
    const key = String(issue.path[0]);
    const schema: unknown = variables.shape[key];
    if (mistakes.some((mistake) => mistake.key === `${key}_FILE`)) return [];
    const { must, example } = metaOf(schema);
    const missing = values[key] === undefined ? "is missing: it " : "";
    return [{ key, reason: `${missing}must ${String(must)}`, example: String(example) }];
  });
}

/** The variables that are set: an empty one, or one with only blanks, counts as not set. */
export function withoutEmpty(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(isSet));
}

function isSet(entry: readonly [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined && entry[1].trim() !== "";
}

function metaOf(schema: unknown): Readonly<Record<string, unknown>> {
  return (schema as z.ZodType | undefined)?.meta() ?? {}; // a shape's values are schemas
}

type Content = { readonly kind: "text"; readonly text: string } | { readonly kind: "none"; readonly reason: string };

/** The reason does not contain the path, which may be a secret in the wrong variable. */
function contentOf(path: string, read: ReadText): Content {
  try {
    const text = read(path).replace(/\r?\n$/, "");
    return text.trim() === "" ? { kind: "none", reason: "names an empty file" } : { kind: "text", text };
  } catch (error) {
    const code = error instanceof Error ? String(Reflect.get(error, "code") ?? "no reason given") : "no reason given";
    return { kind: "none", reason: `names a file that cannot be read (${code})` };
  }
}
