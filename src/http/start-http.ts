/**
 * The HTTP(S) server: limits on time and size, authorization before a body is read, and one place that turns errors into
 * responses. The routes themselves are in routes.ts.
 */
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";

import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";

import { GuardError } from "../errors.ts";
import type { Api } from "../api/api.ts";
import type { TlsTexts } from "../request.ts";
import { type Access, authorize } from "./authorize.ts";
import { clientErrorAnswer, errorAnswer } from "./error-answer.ts";
import { limitConnections } from "./connections.ts";
import { routesOf } from "./routes.ts";
import { type Caller, checkNeed, type Need } from "./scope.ts";
import { openTokens } from "./tokens.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /**
   * A single token that allows everything. If neither it nor `tokensFile` is given, no token is needed, and `host` must
   * be a loopback address.
   */
  readonly token?: string | undefined;
  /** Path of the file with the hashes of the named tokens. */
  readonly tokensFile?: string | undefined;
  /** Undefined means plain HTTP. */
  readonly tls?: TlsTexts | undefined;
  /** A pino logger. */
  readonly log: FastifyBaseLogger;
  /** How long a client may take to send a whole request. The default is 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How many connections may be open. The default is 500. */
  readonly maxConnections?: number | undefined;
}

type Limits = Pick<HttpOptions, "requestTimeoutMs" | "maxConnections">;

export interface HttpServer {
  readonly url: string;
  /** Stops the server and closes open connections. */
  close(): Promise<void>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    readonly need?: Need | undefined;
  }
  interface FastifyRequest {
    /** Undefined until the request is authorized, and always undefined on a route that needs nothing. */
    caller: Caller | undefined;
  }
}

const BODY_LIMIT = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const HANDLER_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
/** Dozens of people and builds use one service. More connections than this are a mistake or an attack. */
const MAX_CONNECTIONS = 500;

/** Serves the API. Throws `config-invalid` if it cannot listen on the address or cannot read the tokens. */
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
  // Fastify does not know that our server uses TLS.
  return { url: options.tls === undefined ? url : url.replace(/^http:/, "https:"), close: () => app.close() };
}

/** The server without its socket, for tests. */
export function buildHttp(
  api: Api,
  { log, tls, requestTimeoutMs, maxConnections, ...access }: Access & Limits & Pick<HttpOptions, "log" | "tls">,
): FastifyInstance {
  const app = fastify({
    // Its own "Server listening" would be a line for each address of the machine; the service says it once.
    loggerInstance: log.child({}, { level: "warn" }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1000 },
    clientErrorHandler: clientErrorAnswer,
    // The address cannot be read, so no route and no hook has seen the request.
    frameworkErrors: (problem, request, reply) => void refuseAddress(problem, request, reply, access),
    serverFactory: (handler) => listener(tls, { requestTimeoutMs, maxConnections }, handler),
  });
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(ALWAYS);
    const { need } = request.routeOptions.config;
    if (need === "nothing") return;
    request.caller = await authorize(request.headers, access);
    // Every route of ours has a need. For an unknown path, the caller must still have a token.
    if (need !== undefined) checkNeed(request.caller, need);
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler(async (request) => {
    throw new GuardError("not-found", `there is no ${request.method} ${pathOf(request.url)}`, {
      next: "check FIELDGATE_URL: it must be the service's address without a path",
    });
  });
  addRoutes(app, api, log);
  return app;
}

/** Answers a request whose address cannot be read. Without a token, it says nothing about the address. */
async function refuseAddress(
  problem: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
): Promise<void> {
  let answer: unknown = problem;
  try {
    await authorize(request.headers, access);
  } catch (error) {
    answer = error;
  }
  sendError(answer, request, reply.headers(ALWAYS));
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = errorAnswer(error, request.id);
  if (status >= 500) request.log.error({ err: error, method: request.method, url: request.url }, "request failed");
  if (status === 401) reply.header("www-authenticate", "Bearer");
  if (status === 403) reply.header("www-authenticate", 'Bearer error="insufficient_scope"');
  return reply.status(status).send(body);
}

const ALWAYS = { "x-content-type-options": "nosniff", "cache-control": "no-store" };

function addRoutes(app: FastifyInstance, api: Api, log: HttpOptions["log"]): void {
  for (const { method, url, need, answer } of routesOf(api)) {
    app.route<{ Params: Record<string, string>; Querystring: Record<string, string | string[] | undefined> }>({
      method,
      url,
      config: { need },
      async handler({ id: reqId, caller, params, query, body }, reply) {
        const note = (what: object, message: string) => log.info({ reqId, ...what }, message);
        const answered = await answer({ caller: caller ?? anonymous, params, query, body, note });
        return reply.status(answered.status ?? 200).send(answered.body);
      },
    });
  }
}

/** The caller on a route that needs nothing. */
const anonymous: Caller = { name: undefined, scopes: [] };

/** Makes Node check every second for clients that exceed their time, instead of every 30 seconds by default. */
function listener(
  tls: TlsTexts | undefined,
  { requestTimeoutMs: requestTimeout = REQUEST_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS }: Limits,
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
  limitConnections(server, maxConnections);
  return server;
}

function pathOf(url: string): string {
  return (url.split("?")[0] ?? "").slice(0, 200);
}

function listenProblem(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "refused by the system";
  return error.code === "EADDRINUSE" ? "the address is in use" : String(error.code);
}
