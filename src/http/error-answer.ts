import { type ErrorCode, GuardError } from "../errors.ts";
import type { ErrorBody } from "./api.ts";

/** HTTP status of the codes a client can cause or should tell apart; a `retry` code is 503, any other 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  "config-invalid": 400,
  "contract-invalid": 400,
  "schema-invalid": 400,
  unauthorized: 401,
  "not-found": 404,
  refused: 409,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
}

/** What a client is told of a GuardError. */
function guardErrorAnswer(error: GuardError): ErrorAnswer {
  const status = STATUS[error.code] ?? (error.fate === "retry" ? 503 : 500);
  const message = error.message.replace(`[${error.code}] `, "");
  return { status, body: { code: error.code, message, next: error.next ?? null } };
}

/**
 * What a client is told of anything thrown. Fastify's own 4xx (a body too large, no JSON) become `usage`; an error
 * nobody expected says only where to look, since its text was not written for a client.
 */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  if (error instanceof GuardError) return guardErrorAnswer(error);
  const status = statusOf(error);
  if (status === undefined || status >= 500) {
    const next = `look in the service's log for request ${requestId}`;
    return { status: 500, body: { code: "internal", message: "an error nobody expected", next } };
  }
  return { status, body: { code: "usage", message: REQUEST[status] ?? "the request is not understood", next: null } };
}

const REQUEST: Readonly<Record<number, string>> = {
  400: "the body is not JSON",
  408: "the request took too long",
  413: "the body is larger than 1 MiB",
  414: "the address is too long",
  415: "the body must be JSON, with content-type: application/json",
};

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}
