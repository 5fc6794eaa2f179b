/**
 * Sends a single HTTP or HTTPS request with its own certificate authority and client certificate, which Node's fetch
 * does not support. Also explains the network errors of such a request.
 */
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";

/**
 * PEM texts for TLS, for all of Fieldgate's connections. Without `ca`, Node's built-in authorities are trusted. `cert`
 * and `key` are used only together. The server's name is always checked.
 */
export interface TlsTexts {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
}

export interface Request {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly tls?: TlsTexts | undefined;
  /** Aborts the request at any stage. */
  readonly signal: AbortSignal;
  /** A response with more bytes is an error. */
  readonly maxBytes: number;
}

export interface Response {
  readonly status: number;
  readonly text: string;
}

/**
 * Returns the response, whatever its status. Redirects are returned and never followed, so that headers with secrets are
 * sent to no other address. Each request opens its own connection, so none is kept open or reused when stale.
 * Rejects with the system's error, or with the signal's reason.
 */
export async function request(options: Request): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const { method, url, headers, signal, tls, body, maxBytes } = options;
  const given = Object.fromEntries(Object.entries(tls ?? {}).filter(([, text]) => text !== undefined));
  const send = new URL(url).protocol === "https:" ? overHttps : overHttp;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = send(url, { method, headers: { ...headers, ...length }, agent: false, signal, ...given }, (answer) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) sent.destroy(new Error(`the response is larger than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    answer.on("error", reject);
  });
  sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  sent.end(body);
  return promise;
}

/**
 * True if the server's certificate failed verification, judging by Node's error codes, which include OpenSSL's
 * X509_V_ERR_….
 */
export function isUntrusted(error: unknown): boolean {
  const code = error instanceof Error ? String(Reflect.get(error, "code") ?? "") : "";
  return /CERT|SIGNATURE|UNABLE_TO_(GET|VERIFY)|INVALID_CA|HOSTNAME_MISMATCH/.test(code) && !code.startsWith("ERR_SSL");
}

/** Why a request with this timeout got no response, in the system's words. */
export function networkReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "no answer";
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  // If the name has several addresses, the error of each is inside.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? withoutSource(inner.message) || inner.name : "no answer";
}

/** OpenSSL's message without memory addresses and source files. */
function withoutSource(text: string): string {
  return text.replace(/[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):\S*:\d+:[^\n]*\n?/g, "$1");
}

/** The scheme that the server seems to use instead of the URL's. It is certain for http, and a guess for https. */
export function otherScheme(error: unknown, url: string): "http" | "https" | undefined {
  const text = error instanceof Error ? error.message : "";
  if (/wrong version number|packet length too long/.test(text)) return "http";
  return /socket hang up|ECONNRESET/.test(text) && url.startsWith("http:") ? "https" : undefined;
}
