/**
 * A schema registry with Confluent's API: Confluent, Apicurio (ccompat), Karapace, Redpanda. No cache, and
 * no retry but each address once. Statuses decide, error codes only where one status has several meanings.
 */
import { z } from "zod";
import { GuardError } from "../errors.ts";
import { schemaId, type SchemaId } from "../table/shape.ts";
import { registryCall, statusOf, type Answer, type Call, type RegistryOptions } from "./http.ts";

export interface Registered {
  readonly id: SchemaId;
  readonly version: number;
  readonly text: string;
}

const LEVELS = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;
export type Level = (typeof LEVELS)[number];

export type Check =
  | { readonly kind: "compatible" }
  | { readonly kind: "incompatible"; readonly messages: readonly string[] }
  /** Neither the subject nor the registry has a level, or it is NONE: the registry checks nothing. */
  | { readonly kind: "no-level"; readonly level: "NONE" | "none-set" };

export type Registration =
  | { readonly kind: "registered"; readonly id: SchemaId }
  /** 409: the level refuses it; 422: it is no schema the registry takes. */
  | { readonly kind: "refused"; readonly status: 409 | 422; readonly message: string };

/** Every method throws GuardError registry-down (no answer as a registry's) or registry-refused (401, 403). */
export interface Registry {
  /** The subject's newest schema; undefined: the registry does not know the subject. */
  latest(subject: string): Promise<Registered | undefined>;
  /** All live version numbers, ascending; empty: the registry does not know the subject. */
  versions(subject: string): Promise<readonly number[]>;
  /** One version; undefined: unknown subject or version. */
  version(subject: string, version: number): Promise<Registered | undefined>;
  /** A schema's text by its id; undefined: unknown id. */
  schemaById(id: SchemaId): Promise<string | undefined>;
  /** Would the subject's level take this text now. An unknown subject takes any. */
  check(subject: string, text: string): Promise<Check>;
  /** The subject's level, or the registry's own where it has none. */
  level(subject: string): Promise<Level | "none-set">;
  /** Gives the id of an equal schema if the subject has one, else registers. Never touches a level. */
  register(subject: string, text: string): Promise<Registration>;
}

/** No register answer has a subject; all others name the one they speak of. */
const subjectName = z.string().nullish();
const versionAnswer = z.object({ subject: subjectName, id: z.number(), version: z.number(), schema: z.string() });
const idAnswer = z.object({ subject: subjectName, id: z.number() });
const schemaAnswer = z.object({ schema: z.string() });
const versionsAnswer = z.array(z.number());
const levelAnswer = z.object({ compatibilityLevel: z.string().nullish(), compatibility: z.string().nullish() });
const checkAnswer = z.object({ is_compatible: z.boolean(), messages: z.array(z.string()).nullish() });
const errorAnswer = z.object({ error_code: z.number().nullish(), message: z.string().nullish() });

export function registryClient(options: RegistryOptions): Registry {
  const call = registryCall(options);
  const isOwn = ownSubject(options);
  const version = async (subject: string, which: number | "latest") => {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${which}`;
    const answer = await call("GET", path);
    if (answer.status === 404) return notFound(answer, path);
    const { subject: named, id, version: number, schema } = expected(versionAnswer, answer, path);
    if (!isOwn(subject, named)) return undefined;
    return { id: schemaId(id), version: number, text: schema };
  };
  return {
    latest: (subject) => version(subject, "latest"),
    version,
    async versions(subject) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const answer = await call("GET", path);
      if (answer.status === 404) return notFound(answer, path) ?? [];
      return [...expected(versionsAnswer, answer, path)].sort((a, b) => a - b);
    },
    async schemaById(id) {
      const path = `/schemas/ids/${id}`;
      const answer = await call("GET", path);
      return answer.status === 404 ? notFound(answer, path) : expected(schemaAnswer, answer, path).schema;
    },
    level: (subject) => level(call, subject),
    check: (subject, text) => check(call, subject, text),
    register: (subject, text) => register(call, subject, text, isOwn),
  };
}

/** Is the subject an answer names the one that was asked for. */
type IsOwn = (asked: string, named: string | null | undefined) => boolean;

/**
 * Confluent looks for a subject of the default context in every other context too, where ids are others: such an
 * answer is about another subject. In an address with a context all answers name theirs.
 */
function ownSubject({ urls }: RegistryOptions): IsOwn {
  const inContext = urls.some((url) => new URL(url).pathname.includes("/contexts/"));
  return (asked, named) => inContext || named === asked || !(named ?? "").startsWith(":");
}

/**
 * `defaultToGlobal` is not known everywhere, and a subject may have settings without a level: so both are asked.
 * Without it Apicurio 3.0 says NONE of a subject that has no level and is held to the registry's.
 */
async function level(call: Call, subject: string): Promise<Level | "none-set"> {
  for (const path of [`/config/${encodeURIComponent(subject)}?defaultToGlobal=true`, "/config"]) {
    const answer = await call("GET", path);
    if (answer.status === 404) {
      notFound(answer, path);
      continue;
    }
    const { compatibilityLevel, compatibility } = expected(levelAnswer, answer, path);
    const named = compatibilityLevel ?? compatibility;
    const known = LEVELS.find((each) => each === named);
    if (known !== undefined) return known;
    if (named !== null && named !== undefined) throw strange(path, `a level ${named.slice(0, 40)}`);
  }
  return "none-set";
}

async function check(call: Call, subject: string, text: string): Promise<Check> {
  const current = await level(call, subject);
  if (current === "none-set" || current === "NONE") return { kind: "no-level", level: current };
  const all = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
  // without a version: as registration would, all of them under a transitive level
  const answer = await call("POST", `${all}?verbose=true`, { schema: text });
  if (answer.status === 200) return verdict(answer, all);
  if (answer.status === 422) return { kind: "incompatible", messages: [messageOf(answer)] };
  return checkEach(call, subject, text, current, all);
}

/** Where the route without a version is missing (Karapace, Redpanda), and for a subject nobody knows. */
async function checkEach(call: Call, subject: string, text: string, current: Level, all: string): Promise<Check> {
  const known = await call("GET", `/subjects/${encodeURIComponent(subject)}/versions`);
  if (known.status === 404) return notFound(known, all) ?? { kind: "compatible" };
  const numbers = expected(versionsAnswer, known, all);
  const against = current.endsWith("_TRANSITIVE") ? numbers : ["latest"];
  // Karapace judges all versions at each under a transitive level, so the same reason comes again
  const messages = new Set<string>();
  for (const number of against) {
    const path = `${all}/${number}`;
    const answer = await call("POST", `${path}?verbose=true`, { schema: text });
    if (answer.status === 404) continue; // deleted meanwhile
    if (answer.status === 422) return { kind: "incompatible", messages: [messageOf(answer)] };
    const one = verdict(answer, path);
    if (one.kind === "incompatible") one.messages.forEach((message) => messages.add(message));
  }
  return messages.size === 0 ? { kind: "compatible" } : { kind: "incompatible", messages: [...messages] };
}

function verdict(answer: Answer, path: string): Check {
  const { is_compatible, messages } = expected(checkAnswer, answer, path);
  if (is_compatible) return { kind: "compatible" };
  const told = (messages ?? []).filter((message) => message !== "");
  return { kind: "incompatible", messages: told.length === 0 ? ["the registry gives no reason"] : told };
}

async function register(call: Call, subject: string, text: string, isOwn: IsOwn): Promise<Registration> {
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const equal = await lookUp(call, path, text);
  if (equal !== undefined && isOwn(subject, equal.subject)) return { kind: "registered", id: schemaId(equal.id) };
  const answer = await call("POST", `${path}/versions`, { schema: text });
  const { status } = answer;
  if (status === 409 || status === 422) return { kind: "refused", status, message: messageOf(answer) };
  return { kind: "registered", id: schemaId(expected(idAnswer, answer, `${path}/versions`).id) };
}

/** The equal schema of the subject. Redpanda and Confluent 7.0 say 500 of a text that is no schema: registering says why. */
async function lookUp(call: Call, path: string, text: string): Promise<z.infer<typeof idAnswer> | undefined> {
  try {
    const answer = await call("POST", path, { schema: text });
    return answer.status === 200 ? expected(idAnswer, answer, path) : undefined;
  } catch (error) {
    if (statusOf(error) === 500) return undefined;
    throw error;
  }
}

/** A 404 means unknown only when it is the registry's own; a wrong base path answers 404 too. */
function notFound(answer: Answer, path: string): undefined {
  const read = errorAnswer.safeParse(answer.body);
  const code = read.success ? read.data.error_code : undefined;
  if (typeof code === "number" && (code === 404 || Math.trunc(code / 100) === 404)) return undefined;
  throw strange(path, "a 404 that is no registry's; is this the registry's address?");
}

function expected<T>(shape: z.ZodType<T>, answer: Answer, path: string): T {
  const read = answer.status === 200 ? shape.safeParse(answer.body) : undefined;
  if (read?.success === true) return read.data;
  throw strange(
    path,
    answer.status === 200 ? "an answer of another shape" : `status ${answer.status}: ${messageOf(answer)}`,
  );
}

function strange(path: string, what: string): GuardError {
  return new GuardError("registry-down", `${path.split("?")[0]}: the registry gives ${what}`);
}

function messageOf({ body }: Answer): string {
  const read = errorAnswer.safeParse(body);
  return (read.success ? read.data.message : undefined)?.slice(0, 2_000) ?? "no reason given";
}
