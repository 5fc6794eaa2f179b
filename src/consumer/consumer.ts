/** `fieldgate/consumer`: what a kafkajs consumer imports. It does not load any part of the service. */
export { GuardError } from "../errors.ts";
export { announcing } from "./assigner.ts";
export { bigintLongs } from "./long.ts";
export type { MessageHeaders, MessagePart } from "./framing.ts";
export { type EventReader, type EventReaderOptions, eventReader, type SchemaSource } from "./reader.ts";
