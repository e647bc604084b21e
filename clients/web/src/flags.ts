import { useSyncExternalStore } from "react";
import type { ClientFlags } from "../../../contracts/web/index.ts";

/** What a store of flags needs of its surroundings. */
export interface FlagSource {
  load(): Promise<ClientFlags>;
  readonly storage: Pick<Storage, "getItem" | "setItem">;
}

type Name = keyof ClientFlags["flags"];
const KEY = "marquee.flags";

/**
 * Flags as a page knows them: those that it kept from last time until it has asked, the answer from then on, and the last answer while nothing
 * can be reached. A switch that an operator throws reaches pages that are open.
 */
export function createFlags({ load, storage }: FlagSource) {
  let known = kept(storage);
  const listeners = new Set<() => void>();
  return {
    isOn: (name: Name): boolean => known[name] === true,
    subscribe(changed: () => void): () => void {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    async refresh(): Promise<void> {
      const answer = await load().catch(() => undefined);
      if (answer === undefined) return;
      known = answer.flags;
      try {
        storage.setItem(KEY, JSON.stringify(known));
      } catch {
        // A browser that keeps nothing asks again.
      }
      for (const changed of listeners) changed();
    },
  };
}

function kept(storage: FlagSource["storage"]): Partial<Record<Name, unknown>> {
  try {
    const read: unknown = JSON.parse(storage.getItem(KEY) ?? "{}");
    return typeof read === "object" && read !== null ? read : {};
  } catch {
    return {};
  }
}

const POLL_MS = 60_000;
let flags: ReturnType<typeof createFlags> | undefined;

/** Asks at once, and every minute while the page is looked at. */
export function startFlags(load: FlagSource["load"]): void {
  const store = createFlags({ load, storage: localStorage });
  flags = store;
  const look = (): void => {
    if (document.visibilityState === "visible") void store.refresh();
  };
  look();
  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);
}

/** Whether a flag is on; off while the server renders, and before anything is known. */
export const useFlag = (name: Name): boolean =>
  useSyncExternalStore(
    (changed) => flags?.subscribe(changed) ?? (() => undefined),
    () => flags?.isOn(name) ?? false,
    () => false,
  );
