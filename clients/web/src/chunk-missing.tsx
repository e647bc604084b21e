import { useEffect } from "react";
import { StatePage } from "../../ui/feedback.tsx";
import { useWords } from "../../ui/words.tsx";
import { useIsOnline } from "./hooks.ts";

/**
 * Stands in for a page whose script did not come: the connection is gone, or a newer version has replaced it. The server can
 * still render that page whole, so that asking for it anew is the way out; by itself once there is a connection.
 */
export function ChunkMissing() {
  const { m } = useWords();
  const isOnline = useIsOnline();
  useEffect(() => {
    if (isOnline) window.location.reload();
  }, [isOnline]);
  if (isOnline) return null;
  const retry = (
    <button type="button" className="button button-primary" onClick={() => window.location.reload()}>
      {m.tryAgain}
    </button>
  );
  return <StatePage isAlert title={m.offlineTitle} text={m.offlineText} actions={retry} />;
}
