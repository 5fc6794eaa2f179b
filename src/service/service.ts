import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import { createApi } from "./api.ts";
import { messageLog, openLog } from "./log.ts";
import { type OpeningApi, openingApi } from "./opening-api.ts";
import { readConnectors } from "../config/connectors.ts";
import { readServiceConfig } from "../config/environment/service-config.ts";
import { openPlanDatabase } from "./plan-database.ts";
import { registryOf } from "./connector.ts";
import { openControlTopics } from "./control-topics.ts";
import { describeError, type GuardError } from "../errors.ts";
import { startGroupPoller } from "./group-poller.ts";
import { retrying, type Retries } from "../guard/retrying.ts";
import { startHttp } from "../http/start-http.ts";
import { type Appender, openAppender } from "../kafka/append.ts";
import { kafkaClient } from "../kafka/client.ts";
import { liveGroups } from "../kafka/groups.ts";
import { noteStatusOf, type OwnParts, runOne, type Service, startOwn } from "./run-one.ts";
import { findUnnamedGroups, type RunningConnectors } from "./running.ts";
import { registryClient } from "../registry/client.ts";
import type { Clock } from "../slack/clock.ts";
import { type Slack, startSlack } from "../slack/start-slack.ts";
import { openWebhook } from "../slack/webhook.ts";

/**
 * Runs one Fieldgate process: reads its configuration, opens what the connectors share (Kafka, the control topics, the
 * group poller, Slack, the HTTP API), and runs every connector until a signal or an error ends it.
 */

/**
 * Runs the service until the signal aborts or no connector is running. In the latter case it throws the first
 * connector's error. If a connector stops, the others and the HTTP API continue to run.
 */
export async function run(signal: AbortSignal): Promise<void> {
  // On a busy stream V8 would grow its young generation to 128 MB, a third of the process, without any gain in speed
  // (docs/decisions/0014). This keeps it at its initial size.
  setFlagsFromString("--semi-space-growth-factor=1");
  const config = readServiceConfig(process.env);
  const connectors = await readConnectors(config.connectorsDir, (name) => process.env[name]);
  const log = await openLog(config.logLevel, config.logFormat);
  for (const connector of connectors) for (const warning of connector.warnings) log.warn(warning);
  const version = String(createRequire(import.meta.url)("../../package.json").version);
  const { deployment } = config;
  const kafka = kafkaClient({
    ...config.kafka,
    clientId: "fieldgate",
    deployment,
    log: (level, message) => log[level === "error" ? "warn" : "debug"](message),
  });
  const registry = registryClient(config.registry);
  await using stack = new AsyncDisposableStack();
  let appender: Appender | undefined;
  // Slack records what it has sent, so it ends before the appender.
  stack.defer(async () => appender?.[Symbol.asyncDispose]());
  let all: RunningConnectors | undefined;
  const slack =
    config.slackWebhookUrl === undefined
      ? undefined
      : stack.use(
          startSlack({
            post: openWebhook(config.slackWebhookUrl),
            log,
            groupsNotNamed: async (topic) => (all === undefined ? [] : findUnnamedGroups(all, topic)),
            clock,
          }),
        );
  const service: Service = { kafka, log, deployment, version };
  const own = connectors.map((connector) =>
    stack.use(
      startOwn(service, connector, registryOf(connector, registry, config.registry.tls), slack, () => appender),
    ),
  );
  const api = openingApi({ connectors: own.map(({ running }) => running), deployment, version });
  const http = await startHttp(api, { ...config.http, log });
  stack.defer(() => http.close());
  log.info({ url: http.url }, "listening");
  /** Aborts when the control topics can no longer be read. */
  const unreadable = new AbortController();
  const onUnreadable = (error: GuardError) => unreadable.abort(error);
  const waiting = untilKafkaAnswers(log, own, signal);
  const opened = await retrying(() => openAppender(kafka), waiting);
  appender = opened;
  const openTopics = () => openControlTopics(kafka, deployment, messageLog(log), onUnreadable, opened);
  const controlTopics = stack.use(await retrying(openTopics, waiting));
  const poll = (topics: readonly string[]) => liveGroups(kafka, topics);
  const everyMs = Math.min(...connectors.map((connector) => connector["fieldgate.groups.look.ms"]));
  const groups = stack.use(startGroupPoller({ poll, everyMs, now: Date.now }));
  all = openApi(api, own, { appender: opened, controlTopics, lastPoll: () => groups.last(), deployment, version });
  using ending = abortAfterFlush(signal, slack);
  const either = AbortSignal.any([ending.signal, unreadable.signal]);
  const shared = { controlTopics, groups, appender, all };
  const results = await Promise.allSettled(own.map((one) => runOne(service, shared, one, either)));
  // Nothing may be decided without contracts and commands, so the process ends and must be restarted.
  if (unreadable.signal.aborted) throw unreadable.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined && !signal.aborted) throw failed.reason;
}

const clock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

function openApi(
  api: OpeningApi,
  own: readonly OwnParts[],
  rest: Omit<Parameters<typeof createApi>[0], "connectors" | "planners">,
): RunningConnectors {
  const planners = new Map(own.map((one) => [one.config.name, plannerOf(one)]));
  const parts = { ...rest, connectors: own.map(({ running }) => running), planners };
  api.open(createApi(parts));
  return parts;
}

function plannerOf({ config, registry }: OwnParts) {
  return { rules: config, registry, openDatabase: () => openPlanDatabase(config) };
}

/** Without the control topics nothing may be decided, so a start waits for Kafka, and every connector says so. */
function untilKafkaAnswers(log: Logger, own: readonly OwnParts[], signal: AbortSignal): Retries {
  return {
    now: () => BigInt(Math.trunc(performance.now() * 1000)),
    sleep: (ms, until) => clock.sleep(ms, until),
    signal,
    delaysMs: [500, 1000, 2000, 5000],
    onRetry(error) {
      const { code, message, next } = error;
      for (const { running } of own) noteStatusOf(running, { kind: "retrying", code, message, next });
      log.warn(`waiting for Kafka: ${describeError(error)}`);
    },
  };
}

/**
 * Returns a signal that aborts after the given one, once Slack has sent the pending alerts. Until then the connectors
 * can still record those alerts.
 */
function abortAfterFlush(signal: AbortSignal, slack: Slack | undefined): { readonly signal: AbortSignal } & Disposable {
  const ending = new AbortController();
  const end = async (): Promise<void> => {
    await slack?.flush();
    ending.abort(signal.reason);
  };
  const onAbort = (): void => void end();
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { signal: ending.signal, [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}
