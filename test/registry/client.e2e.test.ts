import { expect, test } from "vitest";
import { registryClient } from "../../src/registry/client.ts";
import { schemaId } from "../../src/table/shape.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";

function row(...fields: readonly object[]): string {
  return JSON.stringify({ type: "record", name: "Row", fields: [{ name: "id", type: "long" }, ...fields] });
}

const FIRST = row();
const SECOND = row({ name: "zip", type: ["null", "string"], default: null });
const UNFIT = row({ name: "zip", type: "string" });

function newSubject() {
  return { registry: registryClient({ urls: [servers.registry.url] }), subject: `${uniquePrefix()}/a b-value` };
}

test("an unknown subject has no schema, no version, the registry's level, and accepts any schema", async () => {
  const { registry, subject } = newSubject();
  expect(await registry.latest(subject)).toBeUndefined();
  expect(await registry.version(subject, 1)).toBeUndefined();
  expect(await registry.versions(subject)).toStrictEqual([]);
  expect(await registry.schemaById(schemaId(2_000_000_000))).toBeUndefined();
  expect(await registry.level(subject)).toBe("BACKWARD");
  expect(await registry.check(subject, UNFIT)).toStrictEqual({ kind: "compatible" });
});

test("a registered schema is found again, and an equal schema gets the same id", async () => {
  const { registry, subject } = newSubject();
  const first = await registry.register(subject, FIRST);
  const second = await registry.register(subject, SECOND);
  expect(first).toMatchObject({ kind: "registered" });
  expect(second).toMatchObject({ kind: "registered" });
  expect(await registry.register(subject, FIRST)).toStrictEqual(first);
  expect(await registry.versions(subject)).toStrictEqual([1, 2]);
  const latest = await registry.latest(subject);
  expect(latest).toMatchObject({ id: second.kind === "registered" ? second.id : 0, version: 2 });
  const texts = [latest?.text, await registry.schemaById(latest?.id ?? schemaId(0))];
  // As JSON, because Karapace sorts a schema's keys.
  for (const text of texts) expect(JSON.parse(text ?? "")).toStrictEqual(JSON.parse(SECOND));
  expect(JSON.parse((await registry.version(subject, 1))?.text ?? "")).toStrictEqual(JSON.parse(FIRST));
});

test("the check before a registration and the registration itself agree", async () => {
  const { registry, subject } = newSubject();
  await registry.register(subject, FIRST);
  expect(await registry.check(subject, SECOND)).toStrictEqual({ kind: "compatible" });
  expect(await registry.check(subject, UNFIT)).toMatchObject({ kind: "incompatible" });
  expect(await registry.register(subject, UNFIT)).toMatchObject({ kind: "refused", status: 409 });
  expect(await registry.versions(subject)).toStrictEqual([1]);
});

test("a text with a default of {} is registered, and found and accepted again", async () => {
  const { registry, subject } = newSubject();
  const text = row({ name: "settings", type: { type: "string", "connect.default": "{}" }, default: "{}" });
  const first = await registry.register(subject, text);
  expect(first).toMatchObject({ kind: "registered" });
  expect(await registry.check(subject, text)).toStrictEqual({ kind: "compatible" });
  expect(await registry.register(subject, text)).toStrictEqual(first);
  expect(JSON.parse((await registry.latest(subject))?.text ?? "")).toStrictEqual(JSON.parse(text));
});

test("a text that is not a schema is refused", async () => {
  const { registry, subject } = newSubject();
  await registry.register(subject, FIRST);
  expect(await registry.check(subject, `{"type":"nonsense"}`)).toMatchObject({ kind: "incompatible" });
  expect(await registry.register(subject, `{"type":"nonsense"}`)).toMatchObject({ kind: "refused", status: 422 });
});

test("a different path of the same server does not count as a registry", async () => {
  const wrong = registryClient({ urls: [new URL("/nowhere", servers.registry.url).href] });
  await expect(wrong.latest("s")).rejects.toMatchObject({ code: "registry-down" });
});

// Apicurio up to 3.0 continues to enforce the registry's level under NONE; the others accept anything then.
test("the level of a subject that was set to NONE is the one that the registry enforces", async () => {
  const { registry, subject } = newSubject();
  await registry.register(subject, FIRST);
  const config = `${servers.registry.url}/config/${encodeURIComponent(subject)}`;
  const set = await fetch(config, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ compatibility: "NONE" }),
  });
  expect(set.status).toBe(200);
  const [level, check] = [await registry.level(subject), await registry.check(subject, UNFIT)];
  const registered = await registry.register(subject, UNFIT);
  const isEnforced = registered.kind === "refused";
  expect([level, check.kind]).toStrictEqual(isEnforced ? ["BACKWARD", "incompatible"] : ["NONE", "no-level"]);
});

test("the level of a subject without one is the registry's, and is enforced", async () => {
  const { registry, subject } = newSubject();
  await registry.register(subject, FIRST);
  expect(await registry.level(subject)).toBe("BACKWARD");
  expect(await registry.check(subject, UNFIT)).toMatchObject({ kind: "incompatible" });
  expect(await registry.register(subject, UNFIT)).toMatchObject({ kind: "refused", status: 409 });
});
