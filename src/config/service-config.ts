import { z } from "zod";

import { type Mistake, configError } from "./mistake.ts";
import { readRegistryAddress } from "./registry-address.ts";
import type { ServiceConfig } from "./settings.ts";

/** The environment of `fieldgate run`, each variable with what it must be and an example. */
export const serviceVariables = z.object({
  FIELDGATE_KAFKA_BROKERS: variable(
    z
      .string()
      .transform((text) => text.split(",").map((broker) => broker.trim()))
      .refine((brokers) => brokers.every((broker) => /^[^\s:/]+:\d{1,5}$/.test(broker))),
    "be a comma list of host:port",
    "kafka-1:9092,kafka-2:9092",
  ),
  FIELDGATE_REGISTRY_URL: variable(
    z.string().transform((text, context) => {
      const address = readRegistryAddress(text);
      if (address === undefined) context.addIssue({ code: "custom" });
      return address ?? z.NEVER;
    }),
    "be the schema registry's http(s) URL",
    "http://registry:8081",
  ),
  FIELDGATE_DEPLOYMENT: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,50}$/)
      .default("main"),
    "be 1 to 50 letters, digits, `.`, `_` or `-`",
    "main",
  ),
  FIELDGATE_CONNECTORS: variable(
    z.string().min(1).default("connectors"),
    "be the directory of the connector files",
    "connectors",
  ),
  FIELDGATE_HTTP_HOST: variable(
    z.string().regex(/^\S+$/).default("127.0.0.1"),
    "be an address to listen on",
    "127.0.0.1",
  ),
  FIELDGATE_HTTP_PORT: variable(
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .refine((port) => port <= 65_535)
      .default(8080),
    "be a port, 0 to 65535 (0: any free one)",
    "8080",
  ),
  FIELDGATE_TOKEN: variable(
    z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/)
      .optional(),
    "be at least 16 characters without spaces",
    "the output of `openssl rand -hex 32`",
  ),
  FIELDGATE_SLACK_WEBHOOK_URL: variable(
    httpUrl().optional(),
    "be an incoming webhook's URL",
    "https://hooks.slack.com/services/…",
  ),
  FIELDGATE_LOG_LEVEL: variable(
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
    "be fatal, error, warn, info, debug, trace or silent",
    "info",
  ),
});

/** Reads the environment; a variable that is empty counts as not set. Every mistake at once, no value shown. */
export function readServiceConfig(env: Readonly<Record<string, string | undefined>>): ServiceConfig {
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== "");
  const variables = serviceVariables.safeParse(Object.fromEntries(set));
  const mistakes = variables.success ? [] : variables.error.issues.map((issue) => mistakeOf(issue, env));
  if (isOpen(env)) {
    mistakes.push({
      key: "FIELDGATE_TOKEN",
      reason: "is missing: FIELDGATE_HTTP_HOST is reachable from other machines, so clients must show a token",
      example: "the output of `openssl rand -hex 32`",
    });
  }
  if (!variables.success || mistakes.length > 0) {
    throw configError(new Map([["environment", mistakes]]), "set the variables above; docs/configuration.md has all");
  }
  return assemble(variables.data);
}

/** 127.0.0.0/8, ::1 and localhost: what only this machine reaches. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function variable<Schema extends z.ZodType>(schema: Schema, must: string, example: string): Schema {
  return schema.meta({ must, example });
}

function httpUrl() {
  return z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

function isOpen(env: Readonly<Record<string, string | undefined>>): boolean {
  const host = env["FIELDGATE_HTTP_HOST"]?.trim() ?? "";
  return host !== "" && !isLoopback(host) && (env["FIELDGATE_TOKEN"] ?? "").trim() === "";
}

function mistakeOf(issue: z.core.$ZodIssue, env: Readonly<Record<string, string | undefined>>): Mistake {
  const key = String(issue.path[0]);
  const meta = new Map(Object.entries(serviceVariables.shape)).get(key)?.meta() ?? {};
  const missing = (env[key] ?? "").trim() === "" ? "is missing: it " : "";
  return { key, reason: `${missing}must ${String(meta["must"])}`, example: String(meta["example"]) };
}

function assemble(variables: z.infer<typeof serviceVariables>): ServiceConfig {
  return {
    kafkaBrokers: variables.FIELDGATE_KAFKA_BROKERS,
    registryUrl: variables.FIELDGATE_REGISTRY_URL.url,
    registryAuth: variables.FIELDGATE_REGISTRY_URL.auth,
    deployment: variables.FIELDGATE_DEPLOYMENT,
    http: {
      host: variables.FIELDGATE_HTTP_HOST,
      port: variables.FIELDGATE_HTTP_PORT,
      token: variables.FIELDGATE_TOKEN,
    },
    slackWebhookUrl: variables.FIELDGATE_SLACK_WEBHOOK_URL,
    logLevel: variables.FIELDGATE_LOG_LEVEL,
    connectorsDir: variables.FIELDGATE_CONNECTORS,
  };
}
