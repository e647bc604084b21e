import { useEffect, useState } from "react";
import { browserHttp } from "../api.ts";

const AGAIN_MS = 30_000;

interface Unread {
  unread: number;
  newestId: string;
}

function parse(text: string): Unread | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const [unread, newestId] = ["unread", "newestId"].map((key): unknown => Reflect.get(value, key));
    return typeof unread === "number" && typeof newestId === "string" ? { unread, newestId } : null;
  } catch {
    return null;
  }
}

/**
 * How many messages are unread, as the server tells it. A page that nobody sees listens to nothing: browsers open only six
 * connections to a site. `hasNews` is true once a message came while the page was looked at.
 */
export function useUnread() {
  const [unread, setUnread] = useState(0);
  const [newestId, setNewestId] = useState<string | null>(null);
  const [hasNews, setHasNews] = useState(false);
  useEffect(() => {
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let last: string | undefined;
    const close = () => {
      clearTimeout(again);
      source?.close();
      source = undefined;
    };
    const open = () => {
      close();
      source = new EventSource(`${browserHttp.base}/events`);
      source.addEventListener("notifications", (event) => {
        const told = parse(String(event.data));
        if (told === null) return;
        setUnread(told.unread);
        setNewestId(told.newestId);
        if (last !== undefined && told.newestId > last) setHasNews(true);
        last = told.newestId;
      });
      source.addEventListener("error", () => {
        // A browser comes back by itself unless it was refused.
        if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
      });
    };
    const follow = () => (document.visibilityState === "visible" ? open() : close());
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      close();
    };
  }, []);
  const readAll = () => {
    setUnread(0);
    setHasNews(false);
  };
  return { unread, newestId, hasNews, readAll };
}
