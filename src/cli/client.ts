import { readFileSync } from "node:fs";

import { configError } from "../mistake.ts";
import { tlsMistakes } from "../config/environment/tls-texts.ts";
import { given } from "../config/environment/variables.ts";
import { type ErrorCode, errorCodes, GuardError } from "../errors.ts";
import type { AmendmentView } from "../api/amendment.ts";
import type { Api, ErrorBody, Retired, TopicView } from "../api/api.ts";
import type { Command } from "../api/command.ts";
import type { OutcomeText } from "../words/reason.ts";
import { isUntrusted, networkReason, otherScheme, request, type Response } from "../request.ts";
import type { Terminal } from "./command.ts";
import { page } from "../page.ts";

/**
 * The HTTP client of the service's API, for all commands except `run`. Reads the address and the token from the
 * environment, and turns every failure into a GuardError that says what to set or correct.
 */

export interface Client extends Pick<
  Api,
  | "amendments"
  | "connectors"
  | "amendment"
  | "contracts"
  | "coverage"
  | "publishContract"
  | "publishRollingOut"
  | "retireContract"
  | "outcome"
  | "topic"
  | "plan"
> {
  readonly url: string;
  command(command: Command): Promise<{ readonly id: string }>;
}

const REQUEST_TIMEOUT_MS = 15_000;
/** A plan asks the registry about every changed column. The service answers within 30 s, whatever the registry does. */
const PLAN_TIMEOUT_MS = 60_000;
/** Used if FIELDGATE_URL is not set. */
export const DEFAULT_URL = "http://127.0.0.1:8080";
/** Large enough for all amendments of a large deployment with their candidate schemas. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads FIELDGATE_URL, FIELDGATE_TOKEN and FIELDGATE_CA. Throws `usage` if the address is not an http(s) URL, and
 * `config-invalid` if a file named by a `…_FILE` variable cannot be used.
 */
export function createClient(terminal: Terminal): Client {
  const address = readAddress(terminal.env);
  const { url } = address;
  const secrets = readSecrets(terminal.env);
  if (secrets.token !== undefined && isPlainRemote(url)) terminal.warn(PLAIN_WARNING);
  const call = openCaller(address, secrets, terminal.signal);
  return {
    url,
    connectors: () => call("/v1/connectors", listOf("tables")),
    amendments: ({ table }) =>
      call(`/v1/amendments${table === undefined ? "" : `?table=${encodeURIComponent(table)}`}`, listOf("gate")),
    amendment: (id) =>
      call<AmendmentView>(`/v1/amendments/${id.split("/").map(encodeURIComponent).join("/")}`, has("gate")),
    contracts: () => call("/v1/contracts", listOf("consumer")),
    coverage: ({ policy }) => call(`/v1/coverage${policy === undefined ? "" : `?policy=${policy}`}`, has("topics")),
    publishContract: (contract) => call("/v1/contracts", has("id"), contract),
    publishRollingOut: (contract) => call("/v1/contracts/rolling-out", has("id"), contract),
    retireContract: (named) => call<Retired>("/v1/contracts/retire", has("waited"), named),
    command: (command) => call("/v1/commands", has("id"), command),
    plan: (steps) => call("/v1/plan", has("amendments"), { steps }, PLAN_TIMEOUT_MS),
    outcome: (id) => call<OutcomeText>(`/v1/commands/${encodeURIComponent(id)}`, has("kind")),
    topic: (name) => call<TopicView>(`/v1/topics/${encodeURIComponent(name)}`, has("flowing")),
  };
}

interface Address {
  readonly url: string;
  /** False if the default is used. */
  readonly isGiven: boolean;
}

/** Reads the address. An empty variable counts as not set, because pipelines pass unset variables as empty ones. */
function readAddress(env: Terminal["env"]): Address {
  const url = env["FIELDGATE_URL"]?.trim() ?? "";
  const text = url || DEFAULT_URL;
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isHttp) throw new GuardError("usage", "FIELDGATE_URL is not an http(s) URL", { next: `e.g. ${DEFAULT_URL}` });
  if (new URL(text).username !== "") {
    throw new GuardError("usage", "FIELDGATE_URL contains a user", { next: "put the token into FIELDGATE_TOKEN" });
  }
  return { url: text.replace(/\/+$/, ""), isGiven: url !== "" };
}

interface Secrets {
  readonly token: string | undefined;
  readonly ca: string | undefined;
}

function readSecrets(env: Terminal["env"]): Secrets {
  const { values, mistakes } = given(env, ["FIELDGATE_TOKEN", "FIELDGATE_CA"], (path) => readFileSync(path, "utf8"));
  const { FIELDGATE_TOKEN: token, FIELDGATE_CA: ca } = values;
  const wrong = [
    ...mistakes,
    ...tlsMistakes("FIELDGATE", { ca, cert: undefined, key: undefined, passphrase: undefined }),
  ];
  if (wrong.length > 0)
    throw configError(new Map([["environment", wrong]]), `${page("configuration.md")} lists all variables`);
  return { token, ca };
}

const PLAIN_WARNING = `fieldgate: FIELDGATE_URL uses http to a different machine, so the token can be read on the network; use https (${page("security.md")})`;

/**
 * True for plain http to a different machine. This only causes a warning, because a service mesh may encrypt the
 * traffic between pods at a lower layer.
 */
function isPlainRemote(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

/**
 * Whether an answer can be a Fieldgate service's. The service is our own, so more than this is not validated here: it
 * shows whether a different server, which answers any path, has answered.
 */
type IsOurs = (answer: unknown) => boolean;

function has(key: string): IsOurs {
  return (answer) => typeof answer === "object" && answer !== null && key in answer;
}

function listOf(key: string): IsOurs {
  return (answer) => Array.isArray(answer) && answer.every(has(key));
}

type Call = <Answer>(path: string, isOurs: IsOurs, body?: object, timeoutMs?: number) => Promise<Answer>;

function openCaller(address: Address, { token, ca }: Secrets, signal: AbortSignal): Call {
  const { url } = address;
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  return async <Answer>(path: string, isOurs: IsOurs, body?: object, timeoutMs = REQUEST_TIMEOUT_MS) => {
    const response = await request({
      method: body === undefined ? "GET" : "POST",
      url: `${url}${path}`,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      tls: { ca },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      maxBytes: MAX_BYTES,
    }).catch((cause: unknown) => {
      throw signal.aborted ? cause : unreachable(address, cause, timeoutMs);
    });
    const answer = parseAnswer(response);
    if (response.status >= 300) throw errorOf(url, response.status, answer);
    if (!isOurs(answer)) throw notFieldgate(url, response.status);
    return answer as Answer; // the service's answer, see IsOurs
  };
}

function parseAnswer({ text }: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(address: Address, cause: unknown, timeoutMs: number): GuardError {
  const { url } = address;
  if (isUntrusted(cause)) {
    const why = cause instanceof Error ? cause.message : "";
    const next =
      "set FIELDGATE_CA_FILE to the CA that signed its certificate, and use the host name in the certificate";
    return new GuardError("unreachable", `the certificate of the service at ${url} is not trusted: ${why}`, {
      next,
      cause,
    });
  }
  const reason = networkReason(cause, timeoutMs);
  return new GuardError("unreachable", `the service at ${url} cannot be reached: ${reason}`, {
    next: unreachableNext(address, cause),
    cause,
  });
}

function unreachableNext({ url, isGiven }: Address, cause: unknown): string {
  if (!isGiven)
    return "FIELDGATE_URL is not set: set it to the service's address, or start the service here with `fieldgate run`";
  const scheme = otherScheme(cause, url);
  if (scheme === "http") return "the server speaks http: start FIELDGATE_URL with http://";
  if (scheme === "https") return "the server does not speak http: should FIELDGATE_URL start with https://?";
  return "set FIELDGATE_URL to the service's address, or start it with `fieldgate run`";
}

function notFieldgate(url: string, status: number): GuardError {
  return new GuardError("unreachable", `${url} answered with status ${status}, but not like a Fieldgate service`, {
    next: "set FIELDGATE_URL to the service's address",
  });
}

function errorOf(url: string, status: number, answer: unknown): GuardError {
  if (!isErrorBody(answer)) return notFieldgate(url, status);
  const { code, message, next } = answer;
  return new GuardError(isErrorCode(code) ? code : "unreachable", message, next === null ? {} : { next });
}

function isErrorBody(answer: unknown): answer is ErrorBody {
  if (typeof answer !== "object" || answer === null || !("code" in answer && "message" in answer)) return false;
  const isText = typeof answer.code === "string" && typeof answer.message === "string";
  return isText && "next" in answer && (answer.next === null || typeof answer.next === "string");
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
