import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findJava } from "../../local/java.ts";
import { ensureFetched } from "../../local/maven.ts";
import type { Incompatibility } from "../../src/avro/reading/compatibility.ts";
import type { Json } from "../../src/json.ts";

export interface Question {
  readonly reader: Json;
  readonly writer: Json;
  /** How many random data to write with the writer's schema and read with the reader's. */
  readonly data?: number;
  readonly seed?: number;
  /** How many zeros follow each datum: Avro 1.12.2 checks how many bytes are left (docs/rules/runtime/array-items.md). */
  readonly behind?: number;
}

export interface Identity {
  readonly form: string;
  readonly crc64: string;
  readonly md5: string;
  readonly sha256: string;
}

interface Compared {
  readonly compatible: boolean;
  readonly incompatibility: readonly Incompatibility[];
  readonly error?: string;
  readonly reader: Identity;
  readonly writer: Identity;
  readonly read?: { readonly decoded: number; readonly failed: number; readonly failure?: string | null };
}

export type JavaAnswer = Compared | { readonly refused: string };

/** Avro's Java library in a process of its own, which answers one question at a time. */
export interface Oracle extends AsyncDisposable {
  ask(question: Question): Promise<JavaAnswer>;
}

export async function startOracle(): Promise<Oracle> {
  const [java, folder] = await Promise.all([findJava(), fetchAvro()]);
  const source = join(import.meta.dirname, "Oracle.java");
  const child = spawn(java, ["-Dslf4j.internal.verbosity=ERROR", "-cp", join(folder, "*"), source], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`Java ended at ${JSON.stringify(question)}`);
      return JSON.parse(value) as JavaAnswer; // Oracle.java writes it
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

async function fetchAvro(): Promise<string> {
  return ensureFetched({
    name: "java avro",
    what: "Avro's Java library",
    folder: "java-avro",
    pom: join(import.meta.dirname, "pom.xml"),
    goals: ["dependency:copy-dependencies"],
    estimateMb: 20,
  });
}
