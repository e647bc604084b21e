import { useEffect } from "react";
import { isRouteErrorResponse, Link, useRevalidator, useRouteError } from "react-router";
import { StatePage, TraceId } from "../../ui/feedback.tsx";
import { useWords } from "../../ui/words.tsx";
import { useIsOnline } from "./hooks.ts";

function member(value: unknown, key: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : "";
  return typeof found === "string" ? found : "";
}

/** What a page shows instead of itself: not there, not reachable, or broken. */
export function PageError() {
  const error = useRouteError();
  const { m } = useWords();
  const { revalidate, state } = useRevalidator();
  const isOnline = useIsOnline();
  const status = isRouteErrorResponse(error) ? error.status : 500;
  const problem: unknown = isRouteErrorResponse(error) ? error.data : null;
  const isUnreachable = member(problem, "type").endsWith("/unreachable");
  const isOffline = !isOnline && (isUnreachable || !isRouteErrorResponse(error));

  useEffect(() => {
    const again = () => void revalidate();
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, [revalidate]);

  const home = (
    <Link to="/" className="button button-quiet" key="home">
      {m.goHome}
    </Link>
  );
  const retry = (
    <button
      type="button"
      className="button button-primary needs-script"
      disabled={state === "loading"}
      onClick={() => void revalidate()}
    >
      {m.tryAgain}
    </button>
  );
  if (isOffline) return <StatePage title={m.offlineTitle} text={m.offlineText} actions={retry} isAlert />;
  if (status === 404) {
    const primary = (
      <Link to="/" className="button button-primary">
        {m.goHome}
      </Link>
    );
    return <StatePage title={m.notFoundTitle} text={m.notFoundText} actions={primary} />;
  }
  return (
    <StatePage title={m.errorTitle} text={m.errorText} isAlert actions={[<span key="retry">{retry}</span>, home]}>
      <TraceId traceId={member(problem, "traceId")} />
    </StatePage>
  );
}
