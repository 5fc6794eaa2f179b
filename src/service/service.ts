import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { type Logger, type DestinationStream, pino } from "pino";
import { stopMemory, stopOf } from "./reported-stop.ts";
import { serviceApi } from "./api.ts";
import { type ConnectorConfig, readConnectors, readServiceConfig } from "../config/connectors.ts";
import { outsideOf, registryOf, settingsOf, sinkOf } from "./connector.ts";
import { type OpenDesk, openDesk } from "./control-topics.ts";
import { describeError } from "../errors.ts";
import { describeAmendment, gateWord } from "../words/amendment.ts";
import { type GroupsWatch, watchGroups } from "./group-poller.ts";
import type { Status } from "../guard/outside.ts";
import { runConnector } from "../guard/start/run-connector.ts";
import { startHttp } from "../http/start-http.ts";
import { type Appender, openAppender } from "../kafka/append.ts";
import { type KafkaClient, kafkaClient } from "../kafka/client.ts";
import { liveGroups } from "../kafka/groups.ts";
import { type Running, unnamedGroups } from "./running.ts";
import { watchJobs } from "./progress.ts";
import { type Registry, registryClient } from "../registry/client.ts";
import type { Clock } from "../slack/clock.ts";
import { type Slack, startSlack, withoutSlack } from "../slack/start-slack.ts";
import { openWebhook } from "../slack/webhook.ts";
import { lastOf } from "./views.ts";

/** What all connectors of the process share. */
interface Service {
  readonly kafka: KafkaClient;
  readonly desk: OpenDesk;
  readonly appender: Appender;
  readonly groups: GroupsWatch;
  readonly slack: Slack | undefined;
  readonly log: Logger;
  readonly deployment: string;
  readonly version: string;
}

/** What each connector has of its own. */
interface Own {
  readonly config: ConnectorConfig;
  readonly registry: Registry;
  readonly running: Running;
}

/**
 * Runs the service until the signal aborts, or until no connector runs any more: then the first one's error is
 * thrown. A connector that stops leaves the others and the HTTP API running.
 */
export async function run(signal: AbortSignal): Promise<void> {
  // A busy stream lets V8 grow its young generation to 128 MB, which made up a third of the process and bought no
  // speed (docs/decisions/0014). It keeps the size it starts with.
  setFlagsFromString("--semi-space-growth-factor=1");
  const config = readServiceConfig(process.env);
  const connectors = await readConnectors(config.connectorsDir, (name) => process.env[name]);
  const log = await openLog(config.logLevel, config.logFormat);
  for (const connector of connectors) for (const warning of connector.warnings) log.warn(warning);
  const version = String(createRequire(import.meta.url)("../../package.json").version);
  const kafka = kafkaClient({
    brokers: config.kafka.brokers,
    ssl: config.kafka.tls,
    sasl: config.kafka.sasl,
    clientId: "fieldgate",
    deployment: config.deployment,
    log: (level, message) => log[level === "error" ? "warn" : "debug"](message),
  });
  const registry = registryClient(config.registry);
  await using stack = new AsyncDisposableStack();
  const deaf = new AbortController();
  const desk = stack.use(await openDesk(kafka, config.deployment, plainLog(log), (error) => deaf.abort(error)));
  const appender = stack.use(await openAppender(kafka));
  const look = (topics: readonly string[]) => liveGroups(kafka, topics);
  const everyMs = Math.min(...connectors.map((connector) => connector["fieldgate.groups.look.ms"]));
  const groups = stack.use(watchGroups({ look, everyMs, now: Date.now }));
  const own = connectors.map((connector): Own => ({
    config: connector,
    registry: registryOf(connector, registry, config.registry.tls),
    running: idle(log, connector),
  }));
  const planners = new Map(own.map((one) => [one.config.name, { rules: one.config, registry: one.registry }]));
  const known = { connectors: own.map(({ running }) => running), planners, desk, lastLook: () => groups.last() };
  const groupsNotNamed = async (topic: string) => unnamedGroups(known, topic);
  const slack =
    config.slackWebhookUrl === undefined
      ? undefined
      : stack.use(startSlack({ post: openWebhook(config.slackWebhookUrl), log, groupsNotNamed, clock }));
  using ending = afterFlush(signal, slack);
  const either = AbortSignal.any([ending.signal, deaf.signal]);
  const service: Service = {
    kafka,
    desk,
    appender,
    groups,
    slack,
    log,
    deployment: config.deployment,
    version,
  };
  const api = serviceApi({
    deployment: config.deployment,
    version,
    ...known,
    appender,
  });
  const http = await startHttp(api, { ...config.http, log });
  stack.defer(() => http.close());
  log.info({ url: http.url }, "listening");
  const results = await Promise.allSettled(own.map((one) => runOne(service, one, either)));
  // Without contracts and commands nothing may be decided: the process ends, to be started again.
  if (deaf.signal.aborted) throw deaf.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined && !signal.aborted) throw failed.reason;
}

const clock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Aborts with the signal, but first people are told what waits, while the connectors can still record it. */
function afterFlush(signal: AbortSignal, slack: Slack | undefined): { readonly signal: AbortSignal } & Disposable {
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

function idle(log: Logger, { name, mode }: ConnectorConfig): Running {
  const jobs = watchJobs(log.child({ connector: name }));
  return { name, mode, status: { kind: "starting" }, state: undefined, jobs, last: undefined };
}

async function runOne(service: Service, { config, registry, running }: Own, signal: AbortSignal): Promise<void> {
  const log = service.log.child({ connector: config.name });
  const settings = settingsOf(config, service.deployment, service.version);
  const sink = sinkOf(service.kafka, settings.stateTopic);
  const alerts =
    service.slack?.of(config.name, config.mode, stopMemory(settings.stateTopic, sink, service.appender)) ??
    withoutSlack(isoNow);
  const outside = outsideOf(settings, service.kafka, {
    registry,
    desk: service.desk.of(config.name),
    groups: service.groups,
    log: plainLog(log),
    tell: (amendment, state) => {
      const { gate, id } = amendment;
      const what = describeAmendment(amendment);
      log.info({ amendment: id, gate: gate.kind }, `${what} (${id}): ${gateWord(gate, config.mode)}: ${gate.why}`);
      alerts.tell(amendment, state);
    },
    onTold: alerts.onTold,
    stopped: (error) => {
      log.error(describeError(error));
      alerts.stopped(stopOf(error, running.last?.endLsn));
    },
    status: (status) => {
      note(running, status);
      if (status.kind === "streaming") alerts.state(status.state);
    },
  });
  try {
    await runConnector(outside, signal);
  } catch (error) {
    log.error(describeError(error));
    alerts.stopped(stopOf(error, running.last?.endLsn));
    throw error;
  }
}

function note(running: Running, status: Status): void {
  running.status = status;
  if (status.kind === "stopped" && status.state !== undefined) running.state = status.state;
  if (status.kind !== "streaming") return;
  running.state = status.state;
  running.last = lastOf(status);
  running.jobs.note(status.state.jobs.values(), Date.now());
}

function isoNow(): string {
  return new Date().toISOString();
}

function plainLog(log: Logger) {
  return { info: (message: string) => log.info(message), warn: (message: string) => log.warn(message) };
}

export type LogFormat = "json" | "pretty";

/**
 * The service's logger, to stdout: a JSON object a line, or lines for people. Without a format: for people on a
 * terminal, else JSON. What only JSON is for is loaded in no other case.
 */
async function openLog(level: string, format: LogFormat | undefined): Promise<Logger> {
  const options = { level, name: "fieldgate" };
  const chosen = format ?? (process.stdout.isTTY ? "pretty" : "json");
  return chosen === "json" ? pino(options) : pino(options, await prettyStream());
}

async function prettyStream(): Promise<DestinationStream> {
  const { build } = await import("pino-pretty");
  return build({
    colorize: process.stdout.isTTY && !process.env["NO_COLOR"],
    translateTime: "SYS:HH:MM:ss",
    messageFormat: "{if connector}{connector}: {end}{msg}",
    // Its text says it already.
    ignore: "pid,hostname,name,connector,progress",
    // A last line is written before the process ends.
    sync: true,
  });
}
