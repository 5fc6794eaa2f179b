/**
 * A client for schema registries with Confluent's API: Confluent, Apicurio (ccompat), Karapace and Redpanda. It caches
 * nothing and does not retry, but it tries each configured address once. The HTTP status decides what an answer means.
 * Error codes matter only if a status has several meanings, because they differ between the products.
 */
import { z } from "zod";
import { GuardError } from "../errors.ts";
import { isSameJson } from "../json.ts";
import { schemaId, type SchemaId } from "../table/shape.ts";
import { cut, expected, messageOf, notFound, statusOf } from "./answer.ts";
import { registryCall, type Call, type RegistryAnswer, type RegistryOptions } from "./http.ts";
import { type Level, level } from "./level.ts";

export interface Registered {
  readonly id: SchemaId;
  readonly version: number;
  readonly text: string;
}

export type Check =
  | { readonly kind: "compatible" }
  /** Not every registry gives a reason. */
  | { readonly kind: "incompatible"; readonly messages: readonly string[] }
  /** The registry checks nothing: the level is NONE, or neither the subject nor the registry has a level. */
  | { readonly kind: "no-level"; readonly level: "NONE" | "none-set" };

export type Registration =
  | { readonly kind: "registered"; readonly id: SchemaId }
  /** 409: the compatibility level rejects the schema. 422: the registry does not accept it as a schema. */
  | { readonly kind: "refused"; readonly status: 409 | 422; readonly message: string }
  /** The subject does not have it, and Fieldgate registers nothing (`fieldgate.register=external`). */
  | { readonly kind: "absent" };

/** Every method throws GuardError: registry-down if no registry answers, registry-refused for 401 and 403. */
export interface Registry {
  /** The newest schema of the subject; undefined if the registry does not know the subject. */
  latest(subject: string): Promise<Registered | undefined>;
  /** All version numbers that are not deleted, ascending; empty if the registry does not know the subject. */
  versions(subject: string): Promise<readonly number[]>;
  /** One version; undefined if the registry does not know the subject or the version. */
  version(subject: string, version: number): Promise<Registered | undefined>;
  /** The schema with this id; undefined if the registry does not know the id. */
  schemaById(id: SchemaId): Promise<string | undefined>;
  /**
   * Checks whether the subject would accept this schema at its current level. An unknown subject accepts any schema.
   */
  check(subject: string, text: string): Promise<Check>;
  /** The subject's level, or the registry's default if the subject has none. */
  level(subject: string): Promise<Level | "none-set">;
  /** Returns the id of an equal schema if the subject has one, and otherwise registers this one. Never changes a level. */
  register(subject: string, text: string): Promise<Registration>;
}

/** A registry in which schemas can also be found without registering them. */
export interface RegistryClient extends Registry {
  /** The id of an equal schema of the subject; undefined if it has none. */
  find(subject: string, text: string): Promise<SchemaId | undefined>;
}

/** The registry of another team: schemas are found in it, and never registered. */
export function withoutRegistering(client: RegistryClient): Registry {
  return {
    ...client,
    async register(subject, text) {
      const id = await client.find(subject, text);
      return id === undefined ? { kind: "absent" } : { kind: "registered", id };
    },
  };
}

/**
 * Apicurio 3.0 takes a schema with the JSON string "{}" in it, such as the default of a json column, for no Avro schema
 * at all. Written with an escape, it is the same JSON and is accepted.
 */
function bodyOf(text: string): { readonly schema: string } {
  return { schema: text.replaceAll('"{}"', '"\\u007b}"') };
}

/** Answers name the subject they are about, except the answer to a registration. */
const subjectName = z.string().nullish();
/** An event has four bytes for it. */
const idOf = z.int().min(1).max(2_147_483_647);
const versionAnswer = z.object({ subject: subjectName, id: idOf, version: z.int(), schema: z.string() });
const idAnswer = z.object({ subject: subjectName, id: idOf });
const schemaAnswer = z.object({ schema: z.string() });
const versionsAnswer = z.array(z.int());
/** Apicurio 2 gives one `reason` instead of messages. */
const checkAnswer = z.object({
  is_compatible: z.boolean(),
  messages: z.array(z.string()).nullish(),
  reason: z.string().nullish(),
});

export function registryClient(options: RegistryOptions): RegistryClient {
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
    find: async (subject, text) =>
      (await findEqual(call, subject, text, isOwn)) ?? sameId(await version(subject, "latest"), text),
    async register(subject, text) {
      try {
        return await register(call, subject, text, isOwn);
      } catch (error) {
        // Somebody else may have registered it, as they have to where this user may not write.
        const id = isRefused(error) ? sameId(await version(subject, "latest"), text) : undefined;
        if (id === undefined) throw error;
        return { kind: "registered", id };
      }
    },
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof GuardError && error.code === "registry-refused";
}

/** Apicurio finds a schema only by the very text that was registered, so the newest one is compared as JSON. */
function sameId(latest: Registered | undefined, text: string): SchemaId | undefined {
  return latest !== undefined && isSameJson(latest.text, text) ? latest.id : undefined;
}

/** True if an answer is about the requested subject, judging from the subject that it names. */
type IsOwn = (requested: string, named: string | null | undefined) => boolean;

/**
 * If Confluent's registry does not find a subject in the default context, it looks in the other contexts, which have
 * their own ids. Such an answer is about a different subject. If the address itself contains a context, all answers
 * name that context.
 */
function ownSubject({ urls }: RegistryOptions): IsOwn {
  const inContext = urls.some((url) => new URL(url).pathname.includes("/contexts/"));
  return (requested, named) => inContext || named === requested || !(named ?? "").startsWith(":");
}

async function check(call: Call, subject: string, text: string): Promise<Check> {
  const current = await level(call, subject);
  if (current === "none-set" || current === "NONE") return { kind: "no-level", level: current };
  const all = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
  // Without a version, the check is the same as for a registration: under a transitive level, it covers all versions.
  const answer = await call("POST", `${all}?verbose=true`, bodyOf(text));
  if (answer.status === 200) return verdict(answer, all);
  if (answer.status === 422) return { kind: "incompatible", messages: [messageOf(answer)] };
  return checkEach(call, subject, text, current, all);
}

/**
 * For registries that cannot check all versions in one request (Karapace, Redpanda), and for a subject that does not
 * exist.
 */
async function checkEach(call: Call, subject: string, text: string, current: Level, all: string): Promise<Check> {
  const known = await call("GET", `/subjects/${encodeURIComponent(subject)}/versions`);
  if (known.status === 404) return notFound(known, all) ?? { kind: "compatible" };
  const numbers = expected(versionsAnswer, known, all);
  const against = current.endsWith("_TRANSITIVE") ? numbers : ["latest"];
  // Under a transitive level Karapace checks all versions in each request, so reasons repeat.
  const messages = new Set<string>();
  for (const number of against) {
    const path = `${all}/${number}`;
    const answer = await call("POST", `${path}?verbose=true`, bodyOf(text));
    if (answer.status === 404) continue; // deleted since
    if (answer.status === 422) return { kind: "incompatible", messages: [messageOf(answer)] };
    const one = verdict(answer, path);
    if (one.kind === "incompatible") one.messages.forEach((message) => messages.add(message));
  }
  return messages.size === 0 ? { kind: "compatible" } : { kind: "incompatible", messages: [...messages] };
}

/** How many reasons to keep from an answer. */
const MAX_REASONS = 20;

function verdict(answer: RegistryAnswer, path: string): Check {
  const { is_compatible, messages, reason } = expected(checkAnswer, answer, path);
  if (is_compatible) return { kind: "compatible" };
  const reasons = (messages ?? [reason ?? ""]).filter((message) => message !== "");
  return { kind: "incompatible", messages: reasons.slice(0, MAX_REASONS).map(cut) };
}

async function register(call: Call, subject: string, text: string, isOwn: IsOwn): Promise<Registration> {
  const equal = await findEqual(call, subject, text, isOwn);
  if (equal !== undefined) return { kind: "registered", id: equal };
  const path = `/subjects/${encodeURIComponent(subject)}/versions`;
  const answer = await call("POST", path, bodyOf(text));
  const { status } = answer;
  if (status === 409 || status === 422) return { kind: "refused", status, message: messageOf(answer) };
  return { kind: "registered", id: schemaId(expected(idAnswer, answer, path).id) };
}

/**
 * Finds an equal schema of the subject. Redpanda and Confluent 7.0 answer 500 for a text that is not a schema;
 * registering it then gives the reason.
 */
async function findEqual(call: Call, subject: string, text: string, isOwn: IsOwn): Promise<SchemaId | undefined> {
  const path = `/subjects/${encodeURIComponent(subject)}`;
  try {
    const answer = await call("POST", path, bodyOf(text));
    const equal = answer.status === 200 ? expected(idAnswer, answer, path) : undefined;
    return equal !== undefined && isOwn(subject, equal.subject) ? schemaId(equal.id) : undefined;
  } catch (error) {
    if (statusOf(error) === 500) return undefined;
    throw error;
  }
}
