/** What may become of a poisoned change: null instead of the value, or a dead letter instead of the event. */
export const POISON_WAYS = ["null", "dead-letter"] as const;
export type PoisonWay = (typeof POISON_WAYS)[number];

/** `fieldgate.on.poison` */
export const POISON_POLICIES = ["park", "dead-letter", "null-and-alert"] as const;
export type PoisonPolicy = (typeof POISON_POLICIES)[number];

/** What the connector's file decides; undefined: an operator does. */
export const WAY_OF: Readonly<Record<PoisonPolicy, PoisonWay | undefined>> = {
  park: undefined,
  "dead-letter": "dead-letter",
  "null-and-alert": "null",
};
