import { expect, it } from "vitest";
import { messageOf } from "../../src/slack/message.ts";
import { openWebhook } from "../../src/slack/webhook.ts";
import { type Answer, startFakeSlack } from "./fake-slack.ts";

const MESSAGE = messageOf({
  kind: "stopped",
  severity: "stopped",
  connector: "inventory",
  code: "slot-lost",
  message: "the slot is gone",
  next: undefined,
  position: undefined,
  since: "2026-03-01T06:31:07.123Z",
  reminder: undefined,
});
const never = new AbortController().signal;

it("a message is posted as it is", async () => {
  await using slack = await startFakeSlack();
  expect(await openWebhook(slack.url)(MESSAGE, never)).toEqual({ kind: "posted" });
  expect(slack.payloads).toEqual([JSON.parse(JSON.stringify(MESSAGE))]);
});

it.each<[Answer, object]>([
  [
    { status: 429, retryAfter: 30 },
    { kind: "later", afterMs: 30_000, reason: "status 429" },
  ],
  [
    { status: 429, retryAfter: 86_400 },
    { kind: "later", afterMs: 3_600_000, reason: "status 429" },
  ],
  [{ status: 429 }, { kind: "later", afterMs: undefined, reason: "status 429" }],
  [
    { status: 500, body: "rollup_error" },
    { kind: "later", afterMs: undefined, reason: "status 500 (rollup_error)" },
  ],
  [
    { status: 503, retryAfter: 2 },
    { kind: "later", afterMs: 2000, reason: "status 503" },
  ],
  [
    { status: 400, body: "invalid_payload" },
    { kind: "refused", payload: true, reason: "status 400 (invalid_payload)" },
  ],
  [
    { status: 400, body: "invalid_blocks" },
    { kind: "refused", payload: true, reason: "status 400 (invalid_blocks)" },
  ],
  [
    { status: 400, body: "user_not_found" },
    { kind: "refused", payload: false, reason: "status 400 (user_not_found)" },
  ],
  [
    { status: 403, body: "action_prohibited" },
    { kind: "refused", payload: false, reason: "status 403 (action_prohibited)" },
  ],
  [
    { status: 404, body: "no_service" },
    { kind: "refused", payload: false, reason: "status 404 (no_service)" },
  ],
  [
    { status: 410, body: "channel_is_archived" },
    { kind: "refused", payload: false, reason: "status 410 (channel_is_archived)" },
  ],
  [
    { status: 404, body: "<html>SECRET</html>" },
    { kind: "refused", payload: false, reason: "status 404" },
  ],
])("Slack's %j is %j", async (answer, expected) => {
  await using slack = await startFakeSlack();
  slack.answer(answer);
  expect(await openWebhook(slack.url)(MESSAGE, never)).toEqual(expected);
});

it("a missing or late answer is worth another attempt, and neither shows the webhook's address", async () => {
  await using slack = await startFakeSlack();
  slack.answer("hangs");
  const silent = { kind: "later", afterMs: undefined, reason: "no answer" };
  expect(await openWebhook(slack.url, 30)(MESSAGE, never)).toEqual(silent);
  expect(await openWebhook("http://127.0.0.1:1/services/T/B/SECRET")(MESSAGE, never)).toEqual(silent);
});

it("an attempt ends with its signal", async () => {
  await using slack = await startFakeSlack();
  slack.answer("hangs");
  const ended = new AbortController();
  const posting = openWebhook(slack.url)(MESSAGE, ended.signal);
  ended.abort();
  expect(await posting).toMatchObject({ kind: "later", reason: "no answer" });
});
