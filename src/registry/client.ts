import type { SchemaId } from "../table/shape.ts";

export interface RegistryOptions {
  /** Base addresses, e.g. `http://registry:8081` or `https://host/apis/ccompat/v7`; tried in order, once each. */
  readonly urls: readonly string[];
  readonly auth?: RegistryAuth | undefined;
  /** Per address. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

export type RegistryAuth =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | {
      readonly kind: "bearer";
      readonly token: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

export interface Registered {
  readonly id: SchemaId;
  readonly version: number;
  readonly text: string;
}

export const LEVELS = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;
export type Level = (typeof LEVELS)[number];

export type Check =
  | { readonly kind: "compatible" }
  | { readonly kind: "incompatible"; readonly messages: readonly string[] }
  /** Neither the subject nor the registry has a level: the registry checks nothing. */
  | { readonly kind: "no-level" };

export type Registration =
  | { readonly kind: "registered"; readonly id: SchemaId }
  | { readonly kind: "refused"; readonly status: 409 | 422; readonly message: string };

/** Every method throws GuardError registry-down (no answer as a registry's) or registry-refused (401, 403). */
export interface Registry {
  /** The subject's newest schema; undefined: the registry does not know the subject. */
  latest(subject: string): Promise<Registered | undefined>;
  /** All live version numbers, ascending; empty: the registry does not know the subject. */
  versions(subject: string): Promise<readonly number[]>;
  /** One version; undefined: unknown subject or version. */
  version(subject: string, version: number): Promise<Registered | undefined>;
  /** A schema's text by its id; undefined: unknown id. */
  schemaById(id: SchemaId): Promise<string | undefined>;
  /** Would registering this text be accepted by the subject's level. An unknown subject takes anything. */
  check(subject: string, text: string): Promise<Check>;
  /** The subject's level, or the registry's own where it has none. */
  level(subject: string): Promise<Level | "none-set">;
  /** Gives the id of an equal schema if there is one, else registers. Never touches a level. */
  register(subject: string, text: string): Promise<Registration>;
}
