import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";

import { parseContract } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";
import type { Api } from "./api.ts";
import { checkBearer, checkLocalName } from "./authorize.ts";
import { readCommand } from "./read-command.ts";
import { errorAnswer } from "./error-answer.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** undefined: no token is asked for; then `host` must be a loopback address. */
  readonly token: string | undefined;
  /** A pino logger. */
  readonly log: FastifyBaseLogger;
}

export interface HttpServer {
  readonly url: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

const BODY_LIMIT = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const HANDLER_TIMEOUT_MS = 30_000;

/** Serves the Api. Throws `config-invalid` when the address cannot be listened on. */
export async function startHttp(api: Api, options: HttpOptions): Promise<HttpServer> {
  const app = buildHttp(api, options);
  const { host, port } = options;
  const url = await app.listen({ host, port }).catch(async (cause: unknown) => {
    await app.close();
    throw new GuardError("config-invalid", `cannot listen on ${host}:${port}: ${listenProblem(cause)}`, {
      next: "set FIELDGATE_HTTP_HOST and FIELDGATE_HTTP_PORT to a free address",
      cause,
    });
  });
  return { url, close: () => app.close() };
}

/** The server without its socket, for tests. */
export function buildHttp(api: Api, { token, log }: Pick<HttpOptions, "token" | "log">): FastifyInstance {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1000 },
  });
  app.addHook("onRequest", async (request) => {
    if (pathOf(request.url) === "/health") return;
    if (token === undefined) checkLocalName(request.headers.host);
    else checkBearer(request.headers.authorization, token);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, body } = errorAnswer(error, request.id);
    if (status >= 500) request.log.error({ err: error, method: request.method, url: request.url }, "request failed");
    if (status === 401) reply.header("www-authenticate", "Bearer");
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
  app.get("/health", async (_request, reply) => {
    const health = await api.health();
    return reply.status(health.status === "ok" ? 200 : 503).send(health);
  });
  app.get("/v1/connectors", async () => api.connectors());
  app.get<{ Querystring: { table?: string | string[] } }>("/v1/amendments", async ({ query }) =>
    api.amendments({ table: [query.table].flat()[0] }),
  );
  // An id has a slash in it: inventory.public.customers/3.
  app.get<{ Params: { "*": string } }>("/v1/amendments/*", async ({ params }) => api.amendment(params["*"]));
  app.get("/v1/contracts", async () => api.contracts());
  app.post("/v1/contracts", async ({ body }, reply) =>
    reply.status(202).send(await api.publishContract(parseContract(body))),
  );
  app.post("/v1/commands", async ({ body }, reply) => reply.status(202).send(await api.command(readCommand(body))));
  app.get<{ Params: { id: string } }>("/v1/commands/:id", async ({ params }) => api.outcome(params.id));
  app.get<{ Params: { name: string } }>("/v1/topics/:name", async ({ params }) => api.topic(params.name));
}

function pathOf(url: string): string {
  return (url.split("?")[0] ?? "").slice(0, 200);
}

function listenProblem(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "refused by the system";
  return error.code === "EADDRINUSE" ? "the address is in use" : String(error.code);
}
