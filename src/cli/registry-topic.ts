import { z } from "zod";

import { GuardError } from "../errors.ts";
import type { TopicView } from "../http/api.ts";

const TIMEOUT_MS = 15_000;

const versions = z.array(z.number());
const version = z.object({ id: z.number(), schema: z.string() });

/**
 * Every live version of a topic's value schema, oldest first, by the registry alone: it does not know which flow,
 * nor what is withheld. Throws `registry-down` or `registry-refused`; the address is not shown, it may hold a password.
 */
export async function registryTopic(url: string, topic: string, signal: AbortSignal): Promise<TopicView> {
  const subject = `${url.replace(/\/+$/, "")}/subjects/${encodeURIComponent(`${topic}-value`)}/versions`;
  const numbers = (await get(subject, versions, signal)) ?? [];
  const flowing: { schemaId: number; schema: string }[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const found = await get(`${subject}/${number}`, version, signal);
    if (found !== undefined) flowing.push({ schemaId: found.id, schema: found.schema });
  }
  return { topic, flowing, withheld: [] };
}

/** undefined: 404, the registry does not know the subject or version. */
async function get<Answer>(url: string, schema: z.ZodType<Answer>, signal: AbortSignal): Promise<Answer | undefined> {
  const { username, password, host } = new URL(url);
  const headers = username === "" ? undefined : { authorization: `Basic ${btoa(unescaped(username, password))}` };
  const address = url.replace(/^(https?:\/\/)[^/]*@/, "$1");
  const response = await fetch(address, {
    headers: { accept: "application/vnd.schemaregistry.v1+json, application/json", ...headers },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((cause: unknown) => {
    throw signal.aborted ? cause : down(`${host} cannot be reached`, cause);
  });
  if (response.status === 404) return undefined;
  if (response.status === 401 || response.status === 403) {
    const next = "put user and password into FIELDGATE_REGISTRY_URL: https://user:password@host";
    throw new GuardError("registry-refused", `the registry at ${host} answered ${response.status}`, { next });
  }
  const answer = schema.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !answer.success) throw down(`${host} answered ${response.status}, not as a registry does`);
  return answer.data;
}

function unescaped(username: string, password: string): string {
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

function down(what: string, cause?: unknown): GuardError {
  const next = "check FIELDGATE_REGISTRY_URL, or set FIELDGATE_URL to ask the service instead";
  return new GuardError("registry-down", `the registry at ${what}`, { next, cause });
}
