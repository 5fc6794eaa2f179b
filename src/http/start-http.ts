import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";

import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";

import { GuardError } from "../errors.ts";
import type { Api } from "../api/api.ts";
import type { TlsTexts } from "../request.ts";
import { type Access, authorize } from "./authorize.ts";
import { clientErrorAnswer, errorAnswer } from "./error-answer.ts";
import { routesOf } from "./routes.ts";
import { type Caller, checkNeed, type Need } from "./scope.ts";
import { openTokens } from "./tokens.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** One token that may do everything. Neither it nor `tokensFile`: none is asked for, and `host` is a loopback address. */
  readonly token?: string | undefined;
  /** Path of the named tokens' hashes. */
  readonly tokensFile?: string | undefined;
  /** PEM texts; undefined: plain http. */
  readonly tls?: TlsTexts | undefined;
  /** A pino logger. */
  readonly log: FastifyBaseLogger;
  /** How long a client may take for a whole request. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface HttpServer {
  readonly url: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    readonly need?: Need | undefined;
  }
  interface FastifyRequest {
    /** undefined until it is known; for a route that asks for nothing it stays so. */
    caller: Caller | undefined;
  }
}

const BODY_LIMIT = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const HANDLER_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
/** A service of some dozens of people and builds; more at once is no use of ours. */
const MAX_CONNECTIONS = 500;

/** Serves the Api. Throws `config-invalid` when the address cannot be listened on, or the tokens cannot be read. */
export async function startHttp(api: Api, options: HttpOptions): Promise<HttpServer> {
  const { host, port, token, tokensFile, log } = options;
  const tokens = tokensFile === undefined ? undefined : await openTokens(tokensFile, log);
  const app = buildHttp(api, { ...options, token, tokens });
  const url = await app.listen({ host, port }).catch(async (cause: unknown) => {
    await app.close();
    throw new GuardError("config-invalid", `cannot listen on ${host}:${port}: ${listenProblem(cause)}`, {
      next: "set FIELDGATE_HTTP_HOST and FIELDGATE_HTTP_PORT to a free address",
      cause,
    });
  });
  // Fastify does not know that our server speaks TLS.
  return { url: options.tls === undefined ? url : url.replace(/^http:/, "https:"), close: () => app.close() };
}

/** The server without its socket, for tests. */
export function buildHttp(
  api: Api,
  {
    log,
    tls,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    ...access
  }: Access & Pick<HttpOptions, "log" | "tls" | "requestTimeoutMs">,
): FastifyInstance {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1000 },
    clientErrorHandler: clientErrorAnswer,
    serverFactory: (handler) => listener(tls, requestTimeoutMs, handler),
  });
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    const { need } = request.routeOptions.config;
    if (need === "nothing") return;
    request.caller = await authorize(request.headers, access);
    // A route without a need does not exist; its caller is asked for a token all the same.
    if (need !== undefined) checkNeed(request.caller, need);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, body } = errorAnswer(error, request.id);
    if (status >= 500) request.log.error({ err: error, method: request.method, url: request.url }, "request failed");
    if (status === 401) reply.header("www-authenticate", "Bearer");
    if (status === 403) reply.header("www-authenticate", 'Bearer error="insufficient_scope"');
    return reply.status(status).send(body);
  });
  app.setNotFoundHandler(async (request) => {
    throw new GuardError("not-found", `there is no ${request.method} ${pathOf(request.url)}`, {
      next: "check FIELDGATE_URL: it is the service's address without a path",
    });
  });
  addRoutes(app, api);
  return app;
}

function addRoutes(app: FastifyInstance, api: Api): void {
  for (const { method, url, need, answer } of routesOf(api)) {
    app.route<{ Params: Record<string, string>; Querystring: Record<string, string | string[] | undefined> }>({
      method,
      url,
      config: { need },
      async handler({ caller, params, query, body, log }, reply) {
        const note = (what: object, message: string) => log.info(what, message);
        const answered = await answer({ caller: caller ?? nobody, params, query, body, note });
        return reply.status(answered.status ?? 200).send(answered.body);
      },
    });
  }
}

const nobody: Caller = { name: undefined, scopes: [] };

/** Node looks for late clients every second; by default it does so every 30. */
function listener(
  tls: TlsTexts | undefined,
  requestTimeout: number,
  handler: Parameters<typeof createServer>[1],
): Server {
  const options: ServerOptions = {
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const given = Object.fromEntries(Object.entries(tls ?? {}).filter(([, text]) => text !== undefined));
  const server =
    tls === undefined ? createServer(options, handler) : createTlsServer({ ...options, ...given }, handler);
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function pathOf(url: string): string {
  return (url.split("?")[0] ?? "").slice(0, 200);
}

function listenProblem(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "refused by the system";
  return error.code === "EADDRINUSE" ? "the address is in use" : String(error.code);
}
