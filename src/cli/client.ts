import { readFileSync } from "node:fs";

import { configError } from "../mistake.ts";
import { tlsMistakes } from "../config/environment/tls-texts.ts";
import { given } from "../config/environment/variables.ts";
import { type ErrorCode, errorCodes, GuardError } from "../errors.ts";
import type { AmendmentView } from "../api/amendment.ts";
import type { Api, Command, ErrorBody, Outcome, Retired, TopicView } from "../api/api.ts";
import { isUntrusted, networkReason, otherScheme, request, type Response } from "../request.ts";
import type { Terminal } from "./command.ts";

/** The service as the command line sees it. */
export interface Client extends Pick<
  Api,
  | "amendments"
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
/** Without FIELDGATE_URL. */
export const DEFAULT_URL = "http://127.0.0.1:8080";
/** All amendments of a large deployment, with their candidates' schemas. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads FIELDGATE_URL, FIELDGATE_TOKEN and FIELDGATE_CA. Throws `usage` when the address is no http(s) URL, and
 * `config-invalid` for what a `…_FILE` names.
 */
export function clientOf(terminal: Terminal): Client {
  const address = addressOf(terminal.env);
  const { url } = address;
  const secrets = secretsOf(terminal.env);
  if (secrets.token !== undefined && isOpen(url)) terminal.warn(OPEN);
  const call = caller(address, secrets, terminal.signal);
  return {
    url,
    // What the service answers is of its version's types; it is ours, so it is not checked again here.
    amendments: ({ table }) =>
      call(`/v1/amendments${table === undefined ? "" : `?table=${encodeURIComponent(table)}`}`),
    amendment: (id) => call<AmendmentView>(`/v1/amendments/${id.split("/").map(encodeURIComponent).join("/")}`),
    contracts: () => call("/v1/contracts"),
    coverage: ({ policy }) => call(`/v1/coverage${policy === undefined ? "" : `?policy=${policy}`}`),
    publishContract: (contract) => call("/v1/contracts", contract),
    publishRollingOut: (contract) => call("/v1/contracts/rolling-out", contract),
    retireContract: (named) => call<Retired>("/v1/contracts/retire", named),
    command: (command) => call("/v1/commands", command),
    plan: (steps) => call("/v1/plan", { steps }),
    outcome: (id) => call<Outcome>(`/v1/commands/${encodeURIComponent(id)}`),
    topic: (name) => call<TopicView>(`/v1/topics/${encodeURIComponent(name)}`),
  };
}

interface Address {
  readonly url: string;
  /** Someone said so; else it is the default. */
  readonly isGiven: boolean;
}

/** An empty variable, as a pipeline gives one that nobody has filled in, is not set. */
function addressOf(env: Terminal["env"]): Address {
  const said = env["FIELDGATE_URL"]?.trim() ?? "";
  const text = said || DEFAULT_URL;
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isHttp) throw new GuardError("usage", "FIELDGATE_URL is not an http(s) URL", { next: `e.g. ${DEFAULT_URL}` });
  if (new URL(text).username !== "") {
    throw new GuardError("usage", "FIELDGATE_URL has a user in it", { next: "put the token into FIELDGATE_TOKEN" });
  }
  return { url: text.replace(/\/+$/, ""), isGiven: said !== "" };
}

interface Secrets {
  readonly token: string | undefined;
  readonly ca: string | undefined;
}

function secretsOf(env: Terminal["env"]): Secrets {
  const { values, mistakes } = given(env, ["FIELDGATE_TOKEN", "FIELDGATE_CA"], (path) => readFileSync(path, "utf8"));
  const { FIELDGATE_TOKEN: token, FIELDGATE_CA: ca } = values;
  const wrong = [
    ...mistakes,
    ...tlsMistakes("FIELDGATE", { ca, cert: undefined, key: undefined, passphrase: undefined }),
  ];
  if (wrong.length > 0) throw configError(new Map([["environment", wrong]]), "docs/configuration.md has all variables");
  return { token, ca };
}

const OPEN =
  "fieldgate: FIELDGATE_URL is http to another machine: whoever is on the way can read the token. Use https (docs/security.md)";

/** A warning and no refusal: behind a service mesh, plain http between pods is encrypted below it. */
function isOpen(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

type Call = <Answer>(path: string, body?: object) => Promise<Answer>;

function caller(address: Address, { token, ca }: Secrets, signal: AbortSignal): Call {
  const { url } = address;
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  return async <Answer>(path: string, body?: object) => {
    const response = await request({
      method: body === undefined ? "GET" : "POST",
      url: `${url}${path}`,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      tls: { ca },
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      maxBytes: MAX_BYTES,
    }).catch((cause: unknown) => {
      throw signal.aborted ? cause : unreachable(address, cause);
    });
    const answer = answerOf(response);
    if (response.status >= 300) throw errorOf(url, response.status, answer);
    if (answer === undefined) throw notFieldgate(url, response.status);
    return answer as Answer; // the service's own answer, see clientOf
  };
}

function answerOf({ text }: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(address: Address, cause: unknown): GuardError {
  const { url } = address;
  if (isUntrusted(cause)) {
    const why = cause instanceof Error ? cause.message : "";
    const next = "set FIELDGATE_CA_FILE to the authority that signed its certificate, and use the name in it";
    return new GuardError("unreachable", `the service at ${url} shows a certificate that is not trusted: ${why}`, {
      next,
      cause,
    });
  }
  const reason = networkReason(cause, REQUEST_TIMEOUT_MS);
  return new GuardError("unreachable", `the service at ${url} cannot be reached: ${reason}`, {
    next: unreachableNext(address, cause),
    cause,
  });
}

function unreachableNext({ url, isGiven }: Address, cause: unknown): string {
  if (!isGiven)
    return "FIELDGATE_URL is not set: set it to the service's address, or start one here with `fieldgate run`";
  const scheme = otherScheme(cause, url);
  if (scheme === "http") return "it speaks http there: begin FIELDGATE_URL with http://";
  if (scheme === "https") return "it does not answer http there: does FIELDGATE_URL begin with https://?";
  return "set FIELDGATE_URL to the service's address, or start it with `fieldgate run`";
}

function notFieldgate(url: string, status: number): GuardError {
  return new GuardError("unreachable", `${url} answered ${status}, not as Fieldgate does`, {
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
