/**
 * Sends one request to a registry. It is limited in time and size, is tried once per address, and its errors are
 * translated to Fieldgate's.
 */
import { GuardError } from "../errors.ts";
import { isUntrusted, networkReason, otherScheme, request, type Response, type TlsTexts } from "../request.ts";

export interface RegistryOptions {
  /**
   * Base addresses, e.g. `http://registry:8081` or `https://host/apis/ccompat/v7`. They are tried in order, once each.
   */
  readonly urls: readonly string[];
  readonly auth?: RegistryAuth | undefined;
  /** Used only for https addresses. */
  readonly tls?: TlsTexts | undefined;
  /** The timeout per address, 5000 by default. */
  readonly timeoutMs?: number | undefined;
}

export type RegistryAuth =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** `headers`: additional headers that a vendor requires, such as Confluent Cloud's `target-sr-cluster`. */
  | {
      readonly kind: "bearer";
      readonly token: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

export interface RegistryAnswer {
  readonly status: number;
  /** Parsed JSON; undefined if the status is 400 or above and the body is not JSON. */
  readonly body: unknown;
}

export type Call = (method: "GET" | "POST", path: string, body?: unknown) => Promise<RegistryAnswer>;

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
/** The schema of a wide table has a few hundred kilobytes; even a long list of versions is smaller than this. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * The calls return every answer with a status below 500. Redirects, 401 and 403 are thrown instead.
 * @throws GuardError registry-down if no address answers as a registry does; registry-refused for 401 and 403;
 *   config-invalid for an invalid address
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
    let failure = new GuardError("config-invalid", "no registry address is configured");
    for (const base of bases) {
      try {
        const text = body === undefined ? undefined : JSON.stringify(body);
        return await ask(base, { method, path, headers, body: text, tls: options.tls, timeoutMs });
      } catch (error) {
        if (!(error instanceof GuardError) || error.code !== "registry-down") throw error;
        failure = error;
      }
    }
    throw failure;
  };
}

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly tls: TlsTexts | undefined;
  readonly timeoutMs: number;
}

async function ask(base: URL, { path, timeoutMs, ...asked }: Asked): Promise<RegistryAnswer> {
  const url = `${base.href.replace(/\/$/, "")}${path}`;
  const place = `${asked.method} ${base.host}${new URL(url).pathname}`;
  let response: Response;
  try {
    response = await request({ ...asked, url, signal: AbortSignal.timeout(timeoutMs), maxBytes: MAX_BODY_BYTES });
  } catch (error) {
    throw down(`${place}: ${networkReason(error, timeoutMs)}`, networkNext(error, url), error);
  }
  const { status } = response;
  const text = withoutCredentials(response.text, asked.headers["authorization"]);
  if (status === 401 || status === 403) {
    throw new GuardError("registry-refused", `${place}: status ${status}`, {
      next:
        status === 401
          ? "check the user and password (or token) for the registry: FIELDGATE_REGISTRY_USERNAME, FIELDGATE_REGISTRY_PASSWORD"
          : "check the rights of the registry's user",
    });
  }
  if (status >= 500) throw down(`${place}: status ${status}`, undefined, { status });
  if (status >= 300 && status < 400) {
    throw down(`${place}: redirected (status ${status}); is this the registry's address?`);
  }
  return { status, body: parsed(text, status, place) };
}

/** An answer may repeat the request, and its text is shown to people. */
function withoutCredentials(text: string, authorization: string | undefined): string {
  const credentials = authorization?.split(" ")[1] ?? "";
  return credentials.length < 8 ? text : text.replaceAll(credentials, "***");
}

function parsed(text: string, status: number, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (status >= 400) return undefined; // a route this registry does not have
    const shape = text === "" ? "an empty body" : /^\s*</.test(text) ? "HTML" : "a body that is not JSON";
    throw down(`${place}: status ${status} with ${shape}; is this the registry's address?`);
  }
}

function networkNext(error: unknown, url: string): string | undefined {
  if (isUntrusted(error)) {
    return "set FIELDGATE_REGISTRY_CA_FILE to the authority that signed the registry's certificate, and use the name in it";
  }
  const text = error instanceof Error ? error.message : "";
  if (/alert (bad certificate|certificate required|unknown ca|handshake failure)/i.test(text)) {
    return "set FIELDGATE_REGISTRY_CERT_FILE and FIELDGATE_REGISTRY_KEY_FILE to a client certificate the registry trusts";
  }
  const scheme = otherScheme(error, url);
  if (scheme === "http") return "use http in FIELDGATE_REGISTRY_URL: the registry does not use https at this address";
  return scheme === "https"
    ? "if this persists, check whether FIELDGATE_REGISTRY_URL should start with https"
    : undefined;
}

function down(message: string, next?: string, cause?: unknown): GuardError {
  return new GuardError("registry-down", message, { cause, ...(next === undefined ? {} : { next }) });
}

/** Errors print addresses, so an address must not contain a user or password. */
function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new GuardError("config-invalid", "a registry address is not an http or https URL");
  }
  if (url.username === "" && url.password === "") return url;
  throw new GuardError("config-invalid", `the registry address of ${url.host} contains a user or password`, {
    next: "set user and password in their own variables instead: FIELDGATE_REGISTRY_USERNAME, FIELDGATE_REGISTRY_PASSWORD",
  });
}

function authHeaders(auth: RegistryAuth | undefined): Record<string, string> {
  if (auth === undefined) return {};
  if (auth.kind === "bearer") return { ...auth.headers, authorization: `Bearer ${auth.token}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}` };
}
