import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { StatePage, TraceId } from "../../ui/feedback.tsx";
import { ApiError, api, type Session } from "./api.ts";

interface Entered {
  readonly session: Session;
  /** Ends it here and in the product. */
  leave(): void;
}
type State =
  | { readonly at: "door" }
  | { readonly at: "inside"; readonly session: Session }
  | { readonly at: "outside"; readonly why: "none" | "link_over" | "left" | "broken"; readonly fault?: ApiError };

const SessionContext = createContext<Entered | null>(null);

export function useSession(): Entered {
  const entered = useContext(SessionContext);
  if (entered === null) throw new Error("useSession needs a Gate above it.");
  return entered;
}

/** Once for each load of the page: React runs effects twice while one develops, and a code opens only once. */
let entering: Promise<Session> | undefined;
function enter(): Promise<Session> {
  if (entering) return entering;
  const code = location.pathname === "/enter" ? location.hash.slice(1) : "";
  // The code leaves the address bar and the history before anything else happens.
  if (code !== "") history.replaceState(null, "", "/review");
  entering = code === "" ? api.session() : api.enter(code);
  return entering;
}

function outsideOf(error: unknown): State {
  const fault = error instanceof ApiError ? error : undefined;
  if (fault?.status === 401) return { at: "outside", why: fault.reason === "link_over" ? "link_over" : "none" };
  return { at: "outside", why: "broken", ...(fault && { fault }) };
}

const TEXTS = {
  none: ["Ask for a link", "Nobody has entered in this browser, or it was more than eight hours ago."],
  link_over: ["This link is over", "A link opens the console once, within a minute. Ask for another one."],
  left: ["You have left", "This browser can do nothing here any more."],
  broken: ["The console does not answer", "The product may be stopped, or on its way up again."],
} as const;

/** Pages are drawn for those who have entered; everybody else is told how to. */
export function Gate({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ at: "door" });
  useEffect(() => {
    let isHere = true;
    enter().then(
      (session) => isHere && setState({ at: "inside", session }),
      (error: unknown) => isHere && setState(outsideOf(error)),
    );
    return () => {
      isHere = false;
    };
  }, []);
  useEffect(() => {
    document.documentElement.dataset["live"] = state.at;
    if (state.at !== "inside") return;
    // A session that is over is over at once, and not with the next press.
    const timer = setTimeout(() => setState({ at: "outside", why: "none" }), state.session.endsAtMs - Date.now());
    return () => clearTimeout(timer);
  }, [state]);
  const entered = useMemo(
    () =>
      state.at === "inside"
        ? {
            session: state.session,
            leave: () => {
              api.leave().then(
                () => setState({ at: "outside", why: "left" }),
                (error: unknown) => setState(outsideOf(error)),
              );
            },
          }
        : null,
    [state],
  );
  if (entered !== null) return <SessionContext value={entered}>{children}</SessionContext>;
  if (state.at !== "outside") return <p className="sr-only">Entering</p>;
  const [title, text] = TEXTS[state.why];
  return (
    <main>
      <StatePage
        title={title}
        text={text}
        isAlert={state.why === "broken"}
        actions={
          state.why === "broken" ? (
            <button type="button" className="button button-primary" onClick={() => location.reload()}>
              Try again
            </button>
          ) : undefined
        }
      >
        {state.why === "broken" ? (
          <TraceId traceId={state.fault?.traceId ?? ""} />
        ) : (
          <p className="text-16 text-ink-2">
            In a terminal of the machine that Marquee runs on:{" "}
            <code className="rounded bg-lift-2 px-2 py-1 whitespace-nowrap text-ink">./marquee console</code>
          </p>
        )}
      </StatePage>
    </main>
  );
}
