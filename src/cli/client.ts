import { type ErrorCode, errorCodes, GuardError } from "../errors.ts";
import type { AmendmentView, Api, ErrorBody, Outcome, TopicView } from "../http/api.ts";
import type { Terminal } from "./command.ts";

/** The service as the command line sees it. */
export interface Client extends Pick<
  Api,
  "amendments" | "amendment" | "contracts" | "publishContract" | "command" | "outcome" | "topic"
> {
  readonly url: string;
}

const REQUEST_TIMEOUT_MS = 15_000;
const DEFAULT_URL = "http://127.0.0.1:8080";

/** Reads FIELDGATE_URL and FIELDGATE_TOKEN. Throws `usage` when the address is no http(s) URL. */
export function clientOf(terminal: Terminal): Client {
  const url = serviceUrl(terminal.env);
  const call = caller(url, terminal.env["FIELDGATE_TOKEN"], terminal.signal);
  return {
    url,
    // What the service answers is of its version's types; it is ours, so it is not checked again here.
    amendments: ({ table }) =>
      call(`/v1/amendments${table === undefined ? "" : `?table=${encodeURIComponent(table)}`}`),
    amendment: (id) => call<AmendmentView>(`/v1/amendments/${id.split("/").map(encodeURIComponent).join("/")}`),
    contracts: () => call("/v1/contracts"),
    publishContract: (contract) => call("/v1/contracts", contract),
    command: (command) => call("/v1/commands", command),
    outcome: (id) => call<Outcome>(`/v1/commands/${encodeURIComponent(id)}`),
    topic: (name) => call<TopicView>(`/v1/topics/${encodeURIComponent(name)}`),
  };
}

function serviceUrl(env: Terminal["env"]): string {
  const text = env["FIELDGATE_URL"] ?? DEFAULT_URL;
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isHttp) throw new GuardError("usage", "FIELDGATE_URL is not an http(s) URL", { next: `e.g. ${DEFAULT_URL}` });
  if (new URL(text).username !== "") {
    throw new GuardError("usage", "FIELDGATE_URL has a user in it", { next: "put the token into FIELDGATE_TOKEN" });
  }
  return text.replace(/\/+$/, "");
}

type Call = <Answer>(path: string, body?: object) => Promise<Answer>;

function caller(url: string, token: string | undefined, signal: AbortSignal): Call {
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== undefined && token !== "") headers["authorization"] = `Bearer ${token}`;
  return async <Answer>(path: string, body?: object) => {
    const post = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
    const response = await fetch(`${url}${path}`, {
      ...(body === undefined ? { headers } : { ...post, body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    }).catch((cause: unknown) => {
      throw signal.aborted ? cause : unreachable(url, cause);
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw errorOf(url, response.status, answer);
    if (answer === undefined) throw notFieldgate(url, response.status);
    return answer as Answer; // the service's own answer, see clientOf
  };
}

function unreachable(url: string, cause: unknown): GuardError {
  const timeout = cause instanceof Error && cause.name === "TimeoutError";
  const next = "start it with `fieldgate run`, or set FIELDGATE_URL to its address";
  const what = timeout ? `did not answer within ${REQUEST_TIMEOUT_MS / 1000} s` : "cannot be reached";
  return new GuardError("unreachable", `the service at ${url} ${what}`, { next, cause });
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
