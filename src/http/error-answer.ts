/**
 * Errors as HTTP responses: which status a code has, and what the client sees. Clients only get texts that were written
 * for them.
 */
import type { Socket } from "node:net";

import { type ErrorCode, GuardError } from "../errors.ts";
import type { ErrorBody } from "../api/api.ts";

/**
 * The HTTP status of codes that a client causes or must distinguish. Other codes are 503 if their fate is `retry`, and
 * 500 otherwise.
 */
const STATUS: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  "config-invalid": 400,
  "contract-invalid": 400,
  "schema-invalid": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  refused: 409,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
}

function guardErrorAnswer(error: GuardError): ErrorAnswer {
  const status = STATUS[error.code] ?? (error.fate === "retry" ? 503 : 500);
  const message = error.text;
  return { status, body: { code: error.code, message, next: error.next ?? null } };
}

/**
 * The response to anything that was thrown. Fastify's own 4xx errors, such as a body that is too large, become `usage`.
 * For an unexpected error the response only says where to look, because the error's text was not written for clients.
 */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  if (error instanceof GuardError) return guardErrorAnswer(error);
  if (isTooDeep(error)) return usage(400, "the body is nested too deeply");
  if (isBadUrl(error)) return usage(400, "the address is not encoded correctly");
  const status = statusOf(error);
  if (status === undefined || status >= 500) {
    const next = `see request ${requestId} in the service's log`;
    return { status: 500, body: { code: "internal", message: "an unexpected error", next } };
  }
  return usage(status, REQUEST[status] ?? "the request is invalid");
}

/**
 * Answers a client whose request could not be read: it was not HTTP, too slow, or had headers that were too large.
 * Closes the connection.
 */
export function clientErrorAnswer(error: { readonly code?: string | undefined }, socket: Socket): void {
  const status = error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const message = status === 400 ? "the request is not HTTP" : REQUEST[status];
  const body = JSON.stringify({ code: "usage", message, next: null });
  const head = `HTTP/1.1 ${status} ${REASON[status]}\r\ncontent-type: application/json\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy());
}

const REASON: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function usage(status: number, message: string): ErrorAnswer {
  return { status, body: { code: "usage", message, next: null } };
}

/** True if JSON is nested so deeply that validating it overflows the stack. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && /call stack/.test(error.message);
}

function isBadUrl(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "FST_ERR_BAD_URL";
}

const REQUEST: Readonly<Record<number, string>> = {
  400: "the body is not JSON",
  408: "the request took too long",
  413: "the body is larger than 1 MiB",
  414: "the address is too long",
  431: "the headers are too large",
  415: "the body must be JSON, with content-type: application/json",
};

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}
