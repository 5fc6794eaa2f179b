/** One HTTP(S) request with an authority and a client certificate of one's own, which Node's fetch cannot be given. */
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";

/** PEM texts. Without `ca`: the authorities Node comes with. A server's name is always checked. */
export interface RequestTls {
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
  readonly tls?: RequestTls | undefined;
  /** Ends the request wherever it is. */
  readonly signal: AbortSignal;
  /** A longer answer is an error. */
  readonly maxBytes: number;
}

export interface Response {
  readonly status: number;
  readonly text: string;
}

/**
 * The answer, whatever its status; a redirect is an answer too and never followed, so headers with secrets go to no
 * other address. A connection of its own each time: nothing is kept open, nothing stale is used again.
 * Rejects with the system's error, or with the signal's reason.
 */
export async function request(asked: Request): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const { method, url, headers, signal, tls, body, maxBytes } = asked;
  const given = Object.fromEntries(Object.entries(tls ?? {}).filter(([, text]) => text !== undefined));
  const send = new URL(url).protocol === "https:" ? overHttps : overHttp;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = send(url, { method, headers: { ...headers, ...length }, agent: false, signal, ...given }, (answer) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) sent.destroy(new Error(`an answer of more than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    answer.on("error", reject);
  });
  sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  sent.end(body);
  return promise;
}

/** Did the other end's certificate fail the check, by Node's codes (X509_V_ERR_… and its own). */
export function isUntrusted(error: unknown): boolean {
  const code = error instanceof Error ? String(Reflect.get(error, "code") ?? "") : "";
  return /CERT|SIGNATURE|UNABLE_TO_(GET|VERIFY)|INVALID_CA|HOSTNAME_MISMATCH/.test(code) && !code.startsWith("ERR_SSL");
}

/** Why there was no answer to a request that had `timeoutMs`, as the system says it. */
export function networkReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "no answer";
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  // Several addresses of one name: what each said is inside.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? withoutSource(inner.message) || inner.name : "no answer";
}

/** OpenSSL's texts without its addresses and files. */
function withoutSource(text: string): string {
  return text.replace(/[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):\S*:\d+:[^\n]*\n?/g, "$1");
}

/** The scheme that the other end may speak instead of the URL's: sure for http, a guess for https. */
export function otherScheme(error: unknown, url: string): "http" | "https" | undefined {
  const text = error instanceof Error ? error.message : "";
  if (/wrong version number|packet length too long/.test(text)) return "http";
  return /socket hang up|ECONNRESET/.test(text) && url.startsWith("http:") ? "https" : undefined;
}
