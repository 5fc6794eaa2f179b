import { harmedByAll, needsIdentity } from "../../capture/identity.ts";
import type { LookedTable, TablesLook } from "../../capture/look.ts";
import { type Sent, sentAs } from "../../capture/sent.ts";
import { describeError, GuardError } from "../../errors.ts";
import type { Stored } from "../../store/records.ts";
import { fullName, type TableName } from "../../table/quote.ts";
import { isListed } from "../control/looked-table.ts";
import { identifyNext, namesOf } from "../../words/identity.ts";
import type { Outside, Source } from "../outside.ts";
import type { Capturable, LeftTable, Mapped } from "./capture-tables.ts";

/**
 * Extends the publication at a start. None is created or extended in a way that would make the application's UPDATE or
 * DELETE fail.
 */

/** Leaves out the tables that are not in the publication and must not be added to it. */
export function withoutUnidentified({ settings }: Pick<Outside, "settings">, look: TablesLook, mapped: Mapped): Mapped {
  const left = mapped.items.flatMap(({ table }): readonly LeftTable[] => {
    const sent = sentAs(look, look.tables.get(Number(table.oid)), settings.sent);
    return sent.kind === "unidentified" ? [{ table, faults: [sent] }] : [];
  });
  const isLeft = new Set(left.map(({ table }) => table));
  return { items: mapped.items.filter(({ table }) => !isLeft.has(table)), left: [...mapped.left, ...left] };
}

/**
 * A publication FOR ALL TABLES also sends tables that are not captured.
 * @throws GuardError publication-unfit if it would have to be created, with every table that it would harm
 */
export function refuseHarmByAll({ settings }: Pick<Outside, "settings">, look: TablesLook): void {
  if (settings["publication.autocreate.mode"] !== "all_tables" || look.publication !== undefined) return;
  const harmed = needsIdentity(settings.sent.operations) ? harmedByAll(look) : [];
  if (harmed.length === 0) return;
  throw new GuardError(
    "publication-unfit",
    `publication ${settings["publication.name"]} would be created FOR ALL TABLES, and PostgreSQL would then reject UPDATE and DELETE on ${namesOf(harmed)}: the log cannot identify their rows`,
    { next: `${identifyNext(harmed)}; or set publication.autocreate.mode to filtered` },
  );
}

/** How the publication sends the table with this OID. */
export function sentNow({ settings }: Outside, look: TablesLook, oid: number): Sent {
  return sentAs(look, look.tables.get(oid), settings.sent);
}

/**
 * If the publication sends some of the captured tables in full, the others do not stop them: as while the connector runs,
 * each is reported, and repaired once it is sent again.
 */
async function ensureCaptured(
  outside: Outside,
  source: Source,
  captured: readonly LookedTable[],
): Promise<readonly TableName[]> {
  try {
    return await source.ensurePublication(captured);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "publication-unfit") throw error;
    const look = await source.look();
    if (!captured.some(({ oid }) => sentNow(outside, look, oid).kind === "sent")) throw error;
    outside.log.warn(describeError(error));
    return [];
  }
}

/**
 * Adds the tables that the publication does not send. The captured tables are added together. Each new table is added
 * alone, because one that the role may not add must not prevent the others. Returns the names of the added tables.
 */
export async function extendPublication(
  outside: Outside,
  source: Source,
  stored: Stored,
  look: TablesLook,
  items: readonly Capturable[],
): Promise<ReadonlySet<string>> {
  refuseHarmByAll(outside, look);
  const captured = [...stored.tables.values()].flatMap((table) => {
    if (!isListed(outside, table)) return [];
    const now = look.tables.get(Number(table.shape.table.oid));
    const named = look.named.get(fullName(table.shape.table));
    return [
      ...(now === undefined || now.persistence !== "p" ? [] : [now]),
      ...(named === undefined || named === now ? [] : [named]),
    ].filter(({ oid }) => sentNow(outside, look, oid).kind !== "unidentified");
  });
  const added = (await ensureCaptured(outside, source, captured)).map(fullName);
  for (const { table } of items) {
    try {
      added.push(...(await source.ensurePublication([table])).map(fullName));
    } catch (error) {
      if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
    }
  }
  return new Set(added);
}
