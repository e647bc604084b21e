import { createHash } from "node:crypto";

/**
 * Which statements of a service PostgreSQL keeps parsed and planned, a connection at a time: those that it hears often. Planning is most of what a
 * short statement costs there. Others would only fill the memory of every connection.
 */
export interface Statements {
  /** The name to send a text under; undefined where it is not kept. */
  nameOf(text: string): string | undefined;
  /**
   * Whether a statement failed because of what is kept, and would not if it were sent anew; what is kept is forgotten then. Tables change under
   * it, and a pooler between us may hand our names to another connection: such a one is never sent a name again.
   */
  isStale(error: unknown): boolean;
}

/** For who speaks to PostgreSQL once in a while. */
export const NONE_KEPT: Statements = { nameOf: () => undefined, isStale: () => false };

const USES_MIN = 100;
const KEPT_MAX = 24;
const COUNTED_MAX = 500;
/** feature_not_supported, as which PostgreSQL reports columns that came or went. */
const RESULT_CHANGED = "0A000";
/** invalid_sql_statement_name, duplicate_prepared_statement. */
const NAMES_MIXED_UP = new Set(["26000", "42P05"]);

export function openStatements(service: string): Statements {
  const uses = new Map<string, number>();
  const names = new Map<string, string>();
  let generation = 0;
  let isOff = false;
  return {
    nameOf(text) {
      if (isOff) return undefined;
      const known = names.get(text);
      if (known !== undefined || names.size >= KEPT_MAX) return known;
      const count = (uses.get(text) ?? 0) + 1;
      if (count < USES_MIN) {
        // Lists in a text make a new one for each length; what is rare among thousands is counted from the start again.
        if (uses.size >= COUNTED_MAX) uses.clear();
        uses.set(text, count);
        return undefined;
      }
      // Of the text, so that no name ever stands for another one's statement, whoever shares a connection.
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
      const name = `${service}_${hash}_${generation}`;
      uses.delete(text);
      names.set(text, name);
      return name;
    },
    isStale(error) {
      const { code, message = "" } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
      const isMixedUp = typeof code === "string" && NAMES_MIXED_UP.has(code);
      if (!isMixedUp && !(code === RESULT_CHANGED && message.includes("cached plan"))) return false;
      isOff ||= isMixedUp;
      generation += 1;
      names.clear();
      return true;
    },
  };
}
