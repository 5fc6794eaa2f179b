/** One request to a registry: bounded in time and size, no retry but each address once, errors translated. */
import { GuardError } from "../errors.ts";

export interface RegistryOptions {
  /** Base addresses, e.g. `http://registry:8081` or `https://host/apis/ccompat/v7`; tried in order, once each. */
  readonly urls: readonly string[];
  readonly auth?: RegistryAuth | undefined;
  /** Per address. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

export type RegistryAuth =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** `headers`: what else a vendor wants, e.g. Confluent Cloud's `target-sr-cluster`. */
  | {
      readonly kind: "bearer";
      readonly token: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined when a status of 400 and more came without any. */
  readonly body: unknown;
}

export type Call = (method: "GET" | "POST", path: string, body?: unknown) => Promise<Answer>;

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
/** A schema of a wide table has some hundred kB; a registry's longest list of versions less. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Answers with any status below 500 but redirects, 401 and 403; everything else is thrown.
 * @throws GuardError registry-down when no address answers as a registry; registry-refused on 401 and 403;
 *   config-invalid for an address that is none
 */
export function registryCall(options: RegistryOptions): Call {
  const bases = options.urls.map(baseOf);
  const headers = {
    "content-type": CONTENT_TYPE,
    accept: `${CONTENT_TYPE}, application/json`,
    ...authHeaders(options.auth),
  };
  const timeoutMs = options.timeoutMs ?? 5_000;
  return async (method, path, body) => {
    let failure = new GuardError("config-invalid", "no registry address is given");
    for (const base of bases) {
      try {
        const init: RequestInit = { method, headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) };
        if (body !== undefined) init.body = JSON.stringify(body);
        return await ask(base, path, init, timeoutMs);
      } catch (error) {
        if (!(error instanceof GuardError) || error.code !== "registry-down") throw error;
        failure = error;
      }
    }
    throw failure;
  };
}

async function ask(base: URL, path: string, init: RequestInit, timeoutMs: number): Promise<Answer> {
  const url = `${base.href.replace(/\/$/, "")}${path}`;
  const place = `${String(init.method)} ${base.host}${new URL(url).pathname}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init);
    text = await boundedText(response);
  } catch (error) {
    throw down(`${place}: ${networkReason(error, timeoutMs)}`, error);
  }
  const { status } = response;
  if (status === 401 || status === 403) {
    throw new GuardError("registry-refused", `${place}: status ${status}`, {
      next: "check the registry's user and its rights",
    });
  }
  if (status >= 500) throw down(`${place}: status ${status}`);
  if (status >= 300 && status < 400)
    throw down(`${place}: redirected (status ${status}); is this the registry's address?`);
  return { status, body: parsed(text, status, place) };
}

function parsed(text: string, status: number, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (status >= 400) return undefined; // a route this registry does not have
    const shape = text === "" ? "nothing" : /^\s*</.test(text) ? "HTML" : "no JSON";
    throw down(`${place}: status ${status} with ${shape}; is this the registry's address?`);
  }
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`an answer of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function networkReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "no answer";
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}

function down(message: string, cause?: unknown): GuardError {
  return new GuardError("registry-down", message, { cause });
}

/** fetch refuses an address with a user in it, and errors must not print one. */
function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new GuardError("config-invalid", "a registry address is no http or https URL");
  }
  if (url.username === "" && url.password === "") return url;
  throw new GuardError("config-invalid", `the registry address of ${url.host} has a user in it`, {
    next: "give user and password apart from the address",
  });
}

function authHeaders(auth: RegistryAuth | undefined): Record<string, string> {
  if (auth === undefined) return {};
  if (auth.kind === "bearer") return { ...auth.headers, authorization: `Bearer ${auth.token}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}` };
}
