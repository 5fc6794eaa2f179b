/**
 * The HTTP API's routes as a table: the scope that each requires of a token, and how it calls the Api. Bodies are
 * validated here. An invalid body is rejected with `usage` and never passed on.
 */
import { type Contract, parseContract, parseContractName } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";
import { RELEASE_POLICIES } from "../gate/decision/policy.ts";
import { alternatives } from "../mistake.ts";
import type { Api } from "../api/api.ts";
import { type Command, commandSchema } from "../api/command.ts";
import { releasePolicy } from "../api/coverage.ts";
import { actorOf, type Caller, checkScope, type Need } from "./scope.ts";
import { z } from "zod";
import { type DdlStep, ddlStepSchema } from "../migration/ddl-step.ts";

export interface Asked {
  readonly caller: Caller;
  /** The path's parameters: `id`, `name`, or `*` for the rest of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON. */
  readonly body: unknown;
  /** Logs who did what. */
  readonly note: (what: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** In fastify's path syntax. */
  readonly url: string;
  /** Checked before the body is read. A route whose scope depends on the body checks that scope itself. */
  readonly need: Need;
  /** `status` is 200 by default. */
  readonly answer: (asked: Asked) => Promise<{ readonly status?: number; readonly body: unknown }>;
}

/** Every route, with the scope that it needs. */
export function routesOf(api: Api): readonly Route[] {
  return [
    {
      method: "GET",
      url: "/health",
      need: "nothing",
      answer: async () => {
        const health = await api.health();
        return { status: health.status === "ok" ? 200 : 503, body: health };
      },
    },
    // For probes: the process answers, so restarting it would not help.
    { method: "GET", url: "/health/live", need: "nothing", answer: async () => ({ body: { live: true } }) },
    {
      method: "GET",
      url: "/health/ready",
      need: "nothing",
      answer: async () => {
        const { ready } = await api.health();
        return { status: ready ? 200 : 503, body: { ready } };
      },
    },
    { method: "GET", url: "/v1/connectors", need: "read", answer: async () => ({ body: await api.connectors() }) },
    {
      method: "GET",
      url: "/v1/amendments",
      need: "read",
      answer: async ({ query }) => ({ body: await api.amendments({ table: [query["table"]].flat()[0] }) }),
    },
    {
      method: "GET",
      // An id contains a slash: inventory.public.customers/3.
      url: "/v1/amendments/*",
      need: "read",
      answer: async ({ params }) => ({ body: await api.amendment(params["*"] ?? "") }),
    },
    {
      method: "GET",
      url: "/v1/topics/:name",
      need: "read",
      answer: async ({ params }) => ({ body: await api.topic(params["name"] ?? "") }),
    },
    { method: "GET", url: "/v1/contracts", need: "read", answer: async () => ({ body: await api.contracts() }) },
    {
      method: "GET",
      url: "/v1/coverage",
      need: "read",
      answer: async ({ query }) => ({ body: await api.coverage({ policy: readPolicy([query["policy"]].flat()[0]) }) }),
    },
    {
      method: "POST",
      url: "/v1/plan",
      need: "read",
      answer: async ({ body }) => ({ body: await api.plan(readPlan(body)) }),
    },
    {
      method: "POST",
      url: "/v1/contracts",
      need: "contracts",
      answer: (asked) => publish(asked, (contract) => api.publishContract(contract), "contract published"),
    },
    {
      method: "POST",
      url: "/v1/contracts/rolling-out",
      need: "contracts",
      answer: (asked) =>
        publish(asked, (contract) => api.publishRollingOut(contract), "contract published, rolling out"),
    },
    // The name is in the body because it may be `..`, which clients and proxies remove from a path.
    { method: "POST", url: "/v1/contracts/retire", need: "contracts", answer: (asked) => retire(api, asked) },
    { method: "POST", url: "/v1/commands", need: "operate", answer: (asked) => command(api, asked) },
    {
      method: "GET",
      url: "/v1/commands/:id",
      need: "read or operate",
      answer: async ({ params }) => ({ body: await api.outcome(params["id"] ?? "") }),
    },
  ];
}

function readPolicy(text: string | undefined) {
  const read = releasePolicy.optional().safeParse(text);
  if (read.success) return read.data;
  throw new GuardError("usage", `policy must be ${alternatives(RELEASE_POLICIES)}`);
}

async function publish(asked: Asked, send: (contract: Contract) => Promise<{ readonly id: string }>, how: string) {
  const { caller, body, note } = asked;
  const contract = parseContract(body);
  checkScope(caller, "contracts", contract.consumer);
  const published = await send(contract);
  note({ actor: caller.name, contract: published.id }, how);
  return { status: 202, body: published };
}

async function retire(api: Api, { caller, body, note }: Asked) {
  const named = parseContractName(body);
  checkScope(caller, "contracts", named.consumer);
  const answer = await api.retireContract(named);
  note({ actor: caller.name, ...named, retired: answer.retired }, "contract retired");
  return { status: 202, body: answer };
}

async function command(api: Api, { caller, body, note }: Asked) {
  const read = readCommand(body);
  const said = { ...read, actor: actorOf(caller, read.actor) };
  const sent = await api.command(said, (connector) => checkScope(caller, "operate", connector));
  note({ actor: said.actor, command: sent.id, ids: said.ids }, said.kind);
  return { status: 202, body: sent };
}

/** Throws `usage` with everything that is wrong, but without any values. */
function readCommand(body: unknown): Command {
  const result = commandSchema.safeParse(body);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`);
  throw new GuardError("usage", `the body is invalid: ${wrong.join("; ")}`, {
    next: "use the same version of the fieldgate CLI as the service",
  });
}

const planBody = z.strictObject({ steps: z.array(ddlStepSchema).max(20_000) });

/** Throws `usage` for a body that is not a list of steps. */
function readPlan(body: unknown): readonly DdlStep[] {
  const result = planBody.safeParse(body);
  if (result.success) return result.data.steps;
  const wrong = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`);
  throw new GuardError("usage", `the body is invalid: ${wrong.join("; ")}`, {
    next: "use the same version of the fieldgate CLI as the service",
  });
}
