import { Undo2, X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { ApiError } from "./api.ts";

/** Something that was done, and how it is taken back. */
export interface Deed {
  /** `Marked as harmless: …` */
  readonly text: string;
  readonly undo?: () => Promise<unknown>;
}
interface Deeds {
  /** Does it, and says so; says why where it cannot be done. Resolves to whether it was done. */
  attempt(work: () => Promise<unknown>, deed: Deed): Promise<boolean>;
}
type Notice = { readonly id: number; readonly tone: "done" | "failed" } & Deed;

const DeedsContext = createContext<Deeds | null>(null);

export function useDeeds(): Deeds {
  const deeds = useContext(DeedsContext);
  if (deeds === null) throw new Error("useDeeds needs an UndoProvider above it.");
  return deeds;
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof ApiError)) return String(error);
  return error.traceId === "" ? error.message : `${error.message} (${error.traceId})`;
};

let last = 0;

/** The last thing that was done stays at the edge of the page until the next one, with a way back. */
export function UndoProvider({ children }: { children: ReactNode }) {
  const [notice, setNotice] = useState<Notice | null>(null);
  const attempt = useCallback(async (work: () => Promise<unknown>, deed: Deed): Promise<boolean> => {
    try {
      await work();
    } catch (error) {
      setNotice({ id: ++last, tone: "failed", text: reasonOf(error) });
      return false;
    }
    setNotice({ id: ++last, tone: "done", ...deed });
    return true;
  }, []);
  const undo = notice?.undo;
  const takeBack = useCallback(() => {
    if (undo) void attempt(undo, { text: "Taken back" });
  }, [undo, attempt]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && !isTyping && undo) {
        event.preventDefault();
        takeBack();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [undo, takeBack]);
  return (
    <DeedsContext value={useMemo(() => ({ attempt }), [attempt])}>
      {children}
      <div className="notice-place" role={notice?.tone === "failed" ? "alert" : "status"}>
        {notice !== null && (
          <div key={notice.id} className={notice.tone === "failed" ? "notice notice-failed arrive" : "notice arrive"}>
            <span className="notice-text">{notice.text}</span>
            {undo && (
              <button type="button" className="button button-quiet button-small" onClick={takeBack}>
                <Undo2 size={16} aria-hidden="true" />
                Undo
              </button>
            )}
            <button
              type="button"
              className="button button-plain button-small button-round"
              aria-label="Dismiss"
              onClick={() => setNotice(null)}
            >
              <X size={18} aria-hidden="true" />
            </button>
          </div>
        )}
      </div>
    </DeedsContext>
  );
}
